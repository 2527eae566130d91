// Groups `models`, `layouts` and `peft` of the judge: a checkpoint folder, perhaps with an adapter, a padded batch, and
// what loading, forward, backward and one AdamW step make of them.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "attune/adapt/peft.h"
#include "attune/base/strings.h"
#include "attune/files/json.h"
#include "attune/infer/generate.h"
#include "attune/models/model.h"
#include "attune/nn/losses.h"
#include "attune/tensor/weights.h"
#include "probe/padded_batch.h"
#include "probe/probe.h"

namespace attune::probe {

namespace {

using Tensors = std::map<std::string, at::Tensor>;

constexpr std::string_view kPromptEncoder = "prompt_encoder.";

models::Task task_of_class(const std::string& name) {
  if (name.ends_with("ForSequenceClassification")) return models::Task::sequence_classification;
  if (name.ends_with("ForTokenClassification")) return models::Task::token_classification;
  if (name.ends_with("ForMaskedLM")) return models::Task::masked_lm;
  if (name.ends_with("ForQuestionAnswering")) return models::Task::question_answering;
  if (name.ends_with("ForCausalLM") || name.ends_with("LMHeadModel")) return models::Task::causal_lm;
  if (name.ends_with("Model")) return models::Task::base;
  throw Unsupported{name};
}

void refuse_unknown_types(const std::string& checkpoint) {
  const files::Json config = files::read_json(checkpoint + "/config.json");
  const std::vector<std::string> known = models::known_model_types();
  const std::string type = config.value("model_type", "");
  if (std::find(known.begin(), known.end(), type) == known.end()) throw Unsupported{"model type " + type};
}

/// An adapter of a kind that attune has, or Unsupported.
adapt::AdapterFolder open_adapter(const std::string& folder) {
  const files::Json config = files::read_json(folder + "/adapter/adapter_config.json");
  const std::string kind = config.at("peft_type").get<std::string>();
  const auto kinds = {"LORA", "IA3", "PROMPT_TUNING", "P_TUNING", "PREFIX_TUNING"};
  if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) throw Unsupported{kind};
  refuse_unknown_types(folder + "/base");
  return adapt::open_adapter(folder + "/adapter", folder + "/base");
}

/// PEFT's names in memory, where the adapter is called "default", for what the adapter trains.
std::map<std::string, std::string> names_in_peft(const models::LoadedModel& loaded,
                                                 const adapt::AdapterFolder& adapter) {
  const adapt::AdapterPlan plan = adapt::plan_adapter(loaded, adapter.config.settings, adapt::Names::some_may_not);
  std::map<std::string, std::string> names;
  for (const models::Parameter& parameter : loaded.model->parameters()) {
    if (!parameter.with_adapter) continue;
    std::string name = adapt::peft_name(parameter, *loaded.model);
    if (parameter.name.starts_with(kPromptEncoder)) {
      name = concat(kPromptEncoder, "default.", parameter.name.substr(kPromptEncoder.size()));
    } else if (parameter.kind == models::ParameterKind::adapter) {
      const bool is_layer = name.ends_with(".weight");
      const bool is_magnitude = name.ends_with("magnitude_vector");
      if (is_layer) name.resize(name.size() - std::string_view(".weight").size());
      name += is_layer || is_magnitude ? ".default.weight" : ".default";
    } else {
      std::size_t end = parameter.name.find('.');
      while (end != std::string::npos && !plan.saves(parameter.name.substr(0, end)))
        end = parameter.name.find('.', end + 1);
      if (end != std::string::npos) name.insert(name.size() - parameter.name.size() + end, ".modules_to_save.default");
    }
    names[parameter.name] = name;
  }
  return names;
}

/// The adapter as it trains, with the values that PEFT had in memory.
models::LoadedModel load_to_train(const std::string& folder, const adapt::AdapterFolder& adapter,
                                  const models::LoadOptions& options) {
  models::LoadedModel loaded = models::load_model(adapter.base, options);
  adapt::attach_adapter(loaded, adapt::plan_adapter(loaded, adapter.config.settings, adapt::Names::some_may_not), 0);
  const Tensors values = tensor::load_tensors(folder + "/trainable.safetensors");
  const std::map<std::string, std::string> names = names_in_peft(loaded, adapter);
  for (models::Parameter& parameter : loaded.model->parameters()) {
    if (parameter.with_adapter) loaded.model->set_values(parameter, values.at(names.at(parameter.name)));
  }
  return loaded;
}

/// The batch with the virtual tokens in it, as the reference has them.
PaddedBatch with_virtual_tokens(const Tensors& inputs, const models::Model& model) {
  const std::int64_t count = model.virtual_tokens()->count;
  const at::Tensor& ids = inputs.at("input_ids");
  const at::Tensor numbers = at::arange(count, at::kLong).expand({ids.size(0), count});
  const at::Tensor ones = at::ones({ids.size(0), count}, at::kLong);
  const auto before = [](const at::Tensor& first, const at::Tensor& rest) {
    return at::cat(std::vector<at::Tensor>{first, rest}, 1);
  };
  PaddedBatch batch = pack({{"input_ids", before(numbers + model.spec().vocab_size, ids)},
                            {"attention_mask", before(ones, inputs.at("attention_mask"))}},
                           Padding::fed);
  batch.input.has_virtual_tokens = true;
  return batch;
}

/// One checkpoint with one batch.
class Case {
 public:
  explicit Case(const std::string& folder) : info_(files::read_json(folder + "/case.json")) {
    models::LoadOptions options;
    if (info_.contains("adapter_config")) {
      const adapt::AdapterFolder adapter = open_adapter(folder);
      options.task = adapt::adapter_task(adapter);
      loaded_ = adapt::load_adapted(adapter, options);
      if (loaded_.model->virtual_tokens()) {
        saved_ = std::move(loaded_);
        loaded_ = load_to_train(folder, adapter, options);
      }
      names_ = names_in_peft(loaded_, adapter);
    } else {
      const std::string checkpoint = folder + "/checkpoint";
      refuse_unknown_types(checkpoint);
      options.task = task_of_class(info_.at("model_class").get<std::string>());
      loaded_ = models::load_model(checkpoint, options);
    }
    // Mapped weights are read-only; the optimiser step writes.
    for (models::Parameter& parameter : parameters()) parameter.tensor.set_data(parameter.tensor.detach().clone());
    if (is_adapted()) {
      for (models::Parameter& parameter : parameters()) parameter.tensor.set_requires_grad(parameter.with_adapter);
    }
    inputs_ = tensor::load_tensors(folder + "/inputs.safetensors");
    // The reference's span loss is a softmax over the padding too, which therefore is fed.
    const bool span = options.task == models::Task::question_answering;
    batch_ = pack(inputs_, span ? Padding::fed : Padding::dropped);
    const auto& tokens = loaded_.model->virtual_tokens();
    if (tokens && tokens->place == models::VirtualTokens::Place::embeddings && task() == models::Task::causal_lm) {
      whole_ = with_virtual_tokens(inputs_, *loaded_.model);
    }
  }

  Tensors run(files::Json& told) {
    Tensors out;
    trace_hidden(out);
    if (task() == models::Task::causal_lm) generate_greedily(out);
    const at::Tensor loss = run_forward(out);
    if (saved_.model) run_saved(out);
    tell_names(told);
    if (!loss.defined()) return out;
    loss.backward();
    out["loss"] = loss.detach().reshape({1});
    const double norm = take_gradients(out);
    told["grad_norm_total"] = norm;
    if (!info_.contains("optimizer")) return out;
    step(norm);
    for (const models::Parameter& parameter : parameters()) {
      if (trains(parameter)) out["after_step." + name_of(parameter)] = parameter.tensor.detach();
    }
    Tensors ignored;
    told["loss_after_step"] = run_forward(ignored).item<float>();
    return out;
  }

 private:
  std::vector<models::Parameter>& parameters() { return loaded_.model->parameters(); }
  bool is_adapted() const { return !names_.empty(); }
  bool trains(const models::Parameter& parameter) const { return !is_adapted() || parameter.with_adapter; }
  std::string name_of(const models::Parameter& parameter) const {
    return is_adapted() ? names_.at(parameter.name) : parameter.name;
  }
  models::Task task() const { return loaded_.model->spec().task; }

  /// A pass of its own: without the trace the last block computes only the rows that the head reads.
  void trace_hidden(Tensors& out) {
    const at::NoGradGuard no_grad;
    models::Context context = loaded_.model->prepare(batch_.input, false);
    context.trace = [&](const std::string& name, const at::Tensor& value) { out[name] = batch_.unpack(value); };
    models::forward(*loaded_.model, context);
  }

  /// Eight tokens behind the first six of the first row, as the reference's cases have them.
  void generate_greedily(Tensors& out) const {
    const at::Tensor prompt = inputs_.at("input_ids").narrow(0, 0, 1).narrow(1, 0, 6).contiguous();
    const auto* ids = prompt.const_data_ptr<std::int64_t>();
    infer::GenerationOptions options;
    options.max_new_tokens = 8;
    const std::vector<std::vector<std::int32_t>> prompts{{ids, ids + prompt.numel()}};
    const std::vector<std::int32_t> made = infer::generate(*loaded_.model, prompts, options).front().ids;
    const std::vector<std::int64_t> wide(made.begin(), made.end());
    out["greedy_prompt"] = prompt;
    out["greedy_output"] = at::cat(std::vector<at::Tensor>{prompt, at::tensor(wide, at::kLong).unsqueeze(0)}, 1);
  }

  void run_saved(Tensors& out) {
    const at::NoGradGuard no_grad;
    std::swap(loaded_, saved_);
    Tensors of_saved;
    run_forward(of_saved);
    std::swap(loaded_, saved_);
    out["logits_from_saved_adapter"] = of_saved.at("logits");
  }

  /// With virtual tokens the reference gives logits for them too, and the last of them predicts the first word. Those
  /// of the words must be what they are when the model puts the virtual tokens in front itself.
  at::Tensor run_whole(Tensors& out, const at::Tensor& logits) {
    const at::Tensor all = models::forward(*loaded_.model, loaded_.model->prepare(whole_->input, false)).logits;
    const at::Tensor padded = whole_->unpack(all);
    out["logits"] = padded.detach();
    const at::Tensor words = batch_.pick(padded.narrow(1, padded.size(1) - batch_.length, batch_.length));
    if (!at::allclose(words, logits, 0, 2e-5))
      throw std::runtime_error("virtual tokens put in front give other logits");
    const at::Tensor& labels = inputs_.at("labels");
    const at::Tensor next = at::full({labels.size(0), whole_->length}, nn::kIgnoreIndex, at::kLong);
    next.narrow(1, whole_->length - batch_.length - 1, batch_.length).copy_(labels);
    return mean(nn::cross_entropy(all, whole_->pick(next), {}, {}, 0.0));
  }

  /// Writes the logits; returns the loss, undefined without labels.
  at::Tensor run_forward(Tensors& out) {
    const models::Output output = models::forward(*loaded_.model, loaded_.model->prepare(batch_.input, false));
    const at::Tensor logits = output.logits;
    switch (task()) {
      case models::Task::sequence_classification:
        out["logits"] = logits.detach();
        return sequence_loss(logits);
      case models::Task::token_classification:
      case models::Task::masked_lm:
        out["logits"] = batch_.unpack(logits.detach());
        return mean(nn::cross_entropy(logits, batch_.pick(inputs_.at("labels")), {}, {}, 0.0));
      case models::Task::causal_lm:
        if (whole_) return run_whole(out, logits);
        out["logits"] = batch_.unpack(logits.detach());
        return next_token_loss(logits);
      case models::Task::question_answering:
        return span_loss(logits, out);
      case models::Task::base:
        out["logits"] = out["last_hidden_state"] = batch_.unpack(logits.detach());
        return {};
    }
    throw Unsupported{"task"};
  }

  static at::Tensor mean(const nn::LossSum& loss) { return loss.sum / double{loss.weight}; }

  at::Tensor sequence_loss(const at::Tensor& logits) const {
    if (!inputs_.contains("labels")) return {};
    const at::Tensor& labels = inputs_.at("labels");
    if (!labels.is_floating_point()) return mean(nn::cross_entropy(logits, labels, {}, {}, 0.0));
    if (labels.dim() == 2) return mean(nn::binary_cross_entropy(logits, labels, {}));
    return mean(nn::squared_error(logits.squeeze(1), labels, {}));
  }

  /// Each row predicts the label of the column behind it.
  at::Tensor next_token_loss(const at::Tensor& logits) const {
    if (!inputs_.contains("labels")) return {};
    const at::Tensor& labels = inputs_.at("labels");
    const at::Tensor next = at::full_like(labels, nn::kIgnoreIndex);
    next.narrow(1, 0, labels.size(1) - 1).copy_(labels.narrow(1, 1, labels.size(1) - 1));
    return mean(nn::cross_entropy(logits, batch_.pick(next), {}, {}, 0.0));
  }

  at::Tensor span_loss(const at::Tensor& logits, Tensors& out) const {
    const at::Tensor padded = batch_.unpack(logits);
    const at::Tensor start = padded.select(2, 0);
    const at::Tensor end = padded.select(2, 1);
    out["start_logits"] = start.detach();
    out["end_logits"] = end.detach();
    return (mean(nn::cross_entropy(start, inputs_.at("start_positions"), {}, {}, 0.0)) +
            mean(nn::cross_entropy(end, inputs_.at("end_positions"), {}, {}, 0.0))) /
           2;
  }

  double take_gradients(Tensors& out) {
    double sum = 0;
    for (const models::Parameter& parameter : parameters()) {
      const at::Tensor& grad = parameter.tensor.grad();
      if (!grad.defined()) continue;
      out["grad." + name_of(parameter)] = grad.clone();
      sum += grad.to(at::kDouble).square().sum().item<double>();
    }
    return std::sqrt(sum);
  }

  /// Clips to max_grad_norm, then one fused AdamW step a decay group.
  void step(double norm) {
    const at::NoGradGuard no_grad;
    const files::Json& options = info_.at("optimizer");
    const double scale = std::min(1.0, options.at("max_grad_norm").get<double>() / (norm + 1e-6));
    for (const bool decay : {true, false}) {
      std::vector<at::Tensor> values, grads, first, second, steps;
      for (models::Parameter& parameter : parameters()) {
        if (models::decays(parameter) != decay || !parameter.tensor.grad().defined()) continue;
        values.push_back(parameter.tensor);
        grads.push_back(parameter.tensor.grad().mul(scale));
        first.push_back(at::zeros_like(parameter.tensor));
        second.push_back(at::zeros_like(parameter.tensor));
        steps.push_back(at::ones({}, at::kFloat));
      }
      if (values.empty()) continue;  // LoRA alone has no part without decay
      at::_fused_adamw_(values, grads, first, second, {}, steps, options.at("lr").get<double>(),
                        options.at("betas").at(0).get<double>(), options.at("betas").at(1).get<double>(),
                        decay ? options.at("weight_decay").get<double>() : 0.0, options.at("eps").get<double>(),
                        /*amsgrad=*/false, /*maximize=*/false);
    }
  }

  void tell_names(files::Json& told) {
    told["missing_keys"] = loaded_.report.newly_initialised;
    told["unexpected_keys"] = loaded_.report.unused;
    told["decay_params"] = told["no_decay_params"] = files::Json::array();
    for (const models::Parameter& parameter : parameters()) {
      if (trains(parameter))
        told[models::decays(parameter) ? "decay_params" : "no_decay_params"].push_back(name_of(parameter));
    }
  }

  files::Json info_;
  models::LoadedModel loaded_;
  models::LoadedModel saved_;                 ///< virtual tokens as PEFT's file has them; empty without
  std::map<std::string, std::string> names_;  ///< of what an adapter trains; empty without one
  Tensors inputs_;
  PaddedBatch batch_;
  std::optional<PaddedBatch> whole_;  ///< with virtual tokens in the stream
};

}  // namespace

void run_model_case(const std::string& folder, const std::string& out) {
  files::Json told = files::Json::object();
  Tensors tensors = Case(folder).run(told);
  for (auto& [name, value] : tensors) value = value.detach().contiguous();
  tensor::save_tensors(out + "/out.safetensors", tensors);
  files::write_json(out + "/out.json", told);
}

void run_minilm_case(const std::string& folder, const std::string& out) {
  const char* checkpoint = std::getenv("ATTUNE_MINILM");
  if (checkpoint == nullptr) throw Unsupported{"ATTUNE_MINILM must name the checkpoint folder"};
  models::LoadOptions options;
  options.task = models::Task::base;
  const models::LoadedModel loaded = models::load_model(checkpoint, options);
  const Tensors inputs = tensor::load_tensors(folder + "/inputs.safetensors");
  const PaddedBatch batch = pack(inputs, Padding::dropped);

  const at::NoGradGuard no_grad;
  const models::Output output = models::forward(*loaded.model, loaded.model->prepare(batch.input, false));
  const at::Tensor hidden = batch.unpack(output.logits);
  const at::Tensor mask = inputs.at("attention_mask").unsqueeze(2);
  const at::Tensor mean = (hidden * mask).sum(1) / mask.sum(1);
  const Tensors tensors{{"last_hidden_state", hidden},
                        {"pooler_output", output.pooled},
                        {"sentence_embedding", mean / mean.norm(2, {1}, /*keepdim=*/true)}};
  tensor::save_tensors(out + "/out.safetensors", tensors);
}

void run_resave_case(const std::string& folder, const std::string& out) {
  models::LoadOptions options;
  options.task = task_of_class(files::read_json(folder + "/config.json").at("architectures").at(0).get<std::string>());
  models::save_model(models::load_model(folder, options), folder, out);
}

}  // namespace attune::probe
