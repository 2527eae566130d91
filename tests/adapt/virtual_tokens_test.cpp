// Virtual tokens against PEFT (tests/goldens/virtual_tokens): logits, gradients, steps of AdamW, files; where they
// start; what they do to packed streams; and models that cannot take them. Generation and likelihood:
// tests/infer/virtual_tokens_test.cpp.
#include "attune/models/virtual_tokens.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "adapt/golden_adapter.h"
#include "adapt/virtual_adapter.h"
#include "attune/adapt/freeze.h"
#include "attune/train/stage_backward.h"
#include "attune/train/trainables.h"
#include "catch.h"
#include "raises.h"
#include "temporary_folder.h"

using namespace attune;
using namespace attune::testing;

namespace {

const std::string kVirtualGoldens = ATTUNE_SOURCE_DIR "/tests/goldens/virtual_tokens";

std::vector<std::string> virtual_goldens() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kVirtualGoldens))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

/// A golden whose adapter trains from where PEFT started.
struct VirtualGolden {
  explicit VirtualGolden(const std::string& name) : folder(kVirtualGoldens + "/" + name) {
    base = files::read_json(folder + "/adapter_config.json")["base_model_name_or_path"].get<std::string>();
    expected = tensor::load_tensors(folder + "/expected.safetensors");
  }

  adapt::AdapterFolder open() const { return adapt::open_adapter(folder, golden_folder(base)); }

  models::LoadedModel to_train() const {
    models::LoadedModel loaded = load_golden(base);
    adapt::attach_adapter(loaded, adapt::plan_adapter(loaded, open().config.settings, adapt::Names::some_may_not), 0);
    for (models::Parameter& parameter : loaded.model->parameters()) {
      const auto found = expected.find("start." + parameter.name);
      REQUIRE((found != expected.end()) == parameter.with_adapter);
      parameter.tensor.set_data((parameter.with_adapter ? found->second : parameter.tensor.detach()).clone());
      parameter.tensor.set_requires_grad(parameter.with_adapter);
    }
    return loaded;
  }

  models::LoadedModel to_use() const { return adapt::load_adapted(open(), golden_options(base)); }

  /// PEFT's texts went through one at a time, so that none was padded.
  models::Input input() const {
    models::Input input = golden_input(golden_tensors(base));
    input.text_lengths.clear();
    return input;
  }
  at::Tensor logits(const models::LoadedModel& loaded) const { return logits_of(loaded, input()); }

  std::string folder, base;
  Tensors expected;
};

using Moments = std::map<std::string, std::pair<at::Tensor, at::Tensor>>;

/// One step on what trains, numbered from 1, with the settings of the goldens; gradients are 0 afterwards.
void step_adamw(models::Model& model, Moments& moments, int step) {
  const at::NoGradGuard no_grad;
  for (models::Parameter& parameter : model.parameters()) {
    if (!parameter.with_adapter) continue;
    auto& [first, second] = moments[parameter.name];
    if (!first.defined()) {
      first = at::zeros_like(parameter.tensor);
      second = at::zeros_like(parameter.tensor);
    }
    std::vector<at::Tensor> values{parameter.tensor}, grads{parameter.tensor.grad()}, firsts{first}, seconds{second},
        steps{at::ones({}, at::kFloat) * step};
    at::_fused_adamw_(values, grads, firsts, seconds, {}, steps, 0.01, 0.9, 0.999,
                      models::decays(parameter) ? 0.1 : 0.0, 1e-3,
                      /*amsgrad=*/false, /*maximize=*/false);
    parameter.tensor.mutable_grad().zero_();
  }
}

/// Some texts of a golden's batch as a stream of their own, with `dead` rows behind.
models::Input part_of(const models::Input& input, std::int64_t first, std::int64_t count, std::int64_t dead = 0) {
  const std::vector<std::int32_t>& ends = input.layout.cu_seqlens;
  const std::int64_t begin = ends[first], rows = ends[first + count] - begin;
  models::Input part;
  const auto rows_of = [&](const at::Tensor& x) {
    if (!x.defined()) return at::Tensor();
    return at::cat(std::vector<at::Tensor>{x.narrow(0, begin, rows), x.new_zeros({dead})}, 0);
  };
  part.ids = rows_of(input.ids);
  part.positions = rows_of(input.positions);
  part.segments = rows_of(input.segments);
  part.dropout = {.step_key = input.dropout.step_key, .token_keys = rows_of(input.dropout.token_keys)};
  std::vector<std::int32_t> lengths;
  for (std::int64_t i = first; i < first + count; ++i) lengths.push_back(input.layout.length(i));
  part.layout = nn::make_layout(lengths, rows + dead);
  return part;
}

}  // namespace

TEST_CASE("virtual tokens give PEFT's logits and gradients, and train as there", "[adapt][virtual]") {
  for (const std::string& name : virtual_goldens()) {
    INFO(name);
    const VirtualGolden golden(name);
    const models::LoadedModel loaded = golden.to_train();
    const at::Tensor direction = golden_tensors(golden.base).at("direction");
    Moments moments;
    for (int step = 1; step <= 3; ++step) {
      const at::Tensor logits = golden.logits(loaded);
      (logits * direction).sum().backward();
      if (step == 1) {
        CHECK(worst_difference(logits.detach(), golden.expected.at("logits")) < 1e-5);
        for (const models::Parameter& parameter : loaded.model->parameters()) {
          if (!parameter.with_adapter) continue;
          INFO(parameter.name);
          const at::Tensor& want = golden.expected.at("grad." + parameter.name);
          CHECK(worst_difference(parameter.tensor.grad(), want) < 1e-6 + 1e-4 * want.abs().max().item<double>());
        }
      }
      step_adamw(*loaded.model, moments, step);
    }
    for (const models::Parameter& parameter : loaded.model->parameters()) {
      if (!parameter.with_adapter) continue;
      INFO(parameter.name);
      CHECK(worst_difference(parameter.tensor.detach(), golden.expected.at("after." + parameter.name)) < 2e-5);
    }
  }
}

TEST_CASE("PEFT's file of virtual tokens is used as it is, and written as it was", "[adapt][virtual]") {
  const at::NoGradGuard no_grad;
  for (const std::string& name : virtual_goldens()) {
    INFO(name);
    const VirtualGolden golden(name);
    const models::LoadedModel used = golden.to_use();
    CHECK(worst_difference(golden.logits(used), golden.expected.at("logits")) < 1e-5);
    const models::LoadedModel trained = golden.to_train();
    const Tensors want = tensor::load_tensors(golden.folder + "/adapter_model.safetensors");
    CHECK(worst_difference(trained.model->virtual_tokens()->values(), want.at("prompt_embeddings")) < 1e-6);

    files::AdapterSettings settings = golden.open().config.settings;
    files::modules_to_save(settings).clear();  // PEFT names heads that this model does not have
    const TemporaryFolder folder;
    adapt::save_adapter(trained, options_of(settings), golden_folder(golden.base), folder.path());
    const Tensors got = tensor::load_tensors(folder / "adapter_model.safetensors");
    REQUIRE(got.size() == want.size());
    for (const auto& [key, value] : want) {
      INFO(key);
      REQUIRE(got.contains(key));
      CHECK(worst_difference(got.at(key), value) < 1e-6);
    }
    const files::Json before = files::read_json(golden.folder + "/adapter_config.json"),
                      after = files::read_json(folder / "adapter_config.json");
    for (const char* key : {"peft_type", "task_type", "num_virtual_tokens", "num_layers", "num_attention_heads",
                            "token_dim", "num_transformer_submodules", "inference_mode"}) {
      INFO(key);
      CHECK(before.at(key) == after.at(key));
    }
    CHECK(before.value("encoder_hidden_size", 0) == after.value("encoder_hidden_size", 0));
    const models::LoadedModel reopened =
        adapt::load_adapted(adapt::open_adapter(folder.path()), golden_options(golden.base));
    CHECK(at::equal(golden.logits(reopened), golden.logits(trained)));
    CHECK(reopened.report.newly_initialised.empty());
  }
}

TEST_CASE("training goes on with the network that made the virtual tokens", "[adapt][virtual]") {
  const at::NoGradGuard no_grad;
  files::PTuningSettings lstm;
  lstm.num_virtual_tokens = 2;
  lstm.encoder_reparameterization_type = "LSTM";
  lstm.encoder_num_layers = 1;
  lstm.encoder_hidden_size = 4;
  files::PrefixTuningSettings projected = prefixes(2);
  projected.prefix_projection = true;
  for (const files::AdapterSettings& settings :
       {files::AdapterSettings(lstm), files::AdapterSettings(projected), files::AdapterSettings(prompts(2))}) {
    INFO(files::peft_type(settings));
    const models::LoadedModel first = with_adapter("bert_sequence", settings);
    const TemporaryFolder folder;
    adapt::save_adapter(first, options_of(settings), golden_folder("bert_sequence"), folder.path());
    models::LoadedModel again = load_golden("bert_sequence");
    const files::AdapterSettings nothing_said =
        std::visit([](const auto& of) -> files::AdapterSettings { return std::decay_t<decltype(of)>{}; }, settings);
    adapt::start_adapter(again, options_of(nothing_said, folder.path()), 9);
    REQUIRE(again.model->parameters().size() == first.model->parameters().size());
    for (const models::Parameter& parameter : first.model->parameters()) {
      INFO(parameter.name);
      CHECK(at::equal(value_of(again, parameter.name), parameter.tensor));
    }
    std::filesystem::remove(folder / "attune_prompt_encoder.safetensors");
    models::LoadedModel without = load_golden("bert_sequence");
    const auto go_on = [&] { adapt::start_adapter(without, options_of(nothing_said, folder.path()), 9); };
    if (std::holds_alternative<files::PromptTuningSettings>(settings)) {
      CHECK_NOTHROW(go_on());
    } else {
      CHECK_RAISES(go_on(), model, "the network that made the virtual tokens");
    }
  }
}

TEST_CASE("virtual tokens start at random numbers, at tokens, or at a text", "[adapt][virtual]") {
  const at::NoGradGuard no_grad;
  const std::string name = "prompt_encoder.embedding.weight";
  const at::Tensor start = value_of(with_adapter("bert_sequence", prompts(11)), name);
  CHECK(at::equal(start, value_of(with_adapter("bert_sequence", prompts(11)), name)));
  CHECK_FALSE(at::equal(start, value_of(with_adapter("bert_sequence", prompts(11), 2), name)));
  CHECK(std::abs(start.std().item<double>() - 1.0) < 0.2);

  files::PromptTuningSettings sampled = prompts(11);
  sampled.prompt_tuning_init = "SAMPLE_VOCAB";
  const models::LoadedModel bert = with_adapter("bert_sequence", sampled);
  const at::Tensor table = value_of(bert, "bert.embeddings.word_embeddings.weight"), rows = value_of(bert, name);
  for (std::int64_t i = 0; i < 11; ++i) CHECK((table == rows.select(0, i)).all(1).any().item<bool>());
  CHECK_FALSE(at::equal(rows.select(0, 0), rows.select(0, 1)));

  const std::string tiny = ATTUNE_SOURCE_DIR "/tests/goldens/app/tiny_bert";
  models::LoadOptions load;
  load.labels = {"a", "b"};
  load.new_head = true;
  models::LoadedModel loaded = models::load_model(tiny, load);
  files::PromptTuningSettings told = prompts(5);
  told.prompt_tuning_init = "TEXT";
  told.prompt_tuning_init_text = "card";  // [CLS] card [SEP]
  adapt::start_adapter(loaded, options_of(told), 1);
  const at::Tensor read = value_of(loaded, name);
  CHECK(at::equal(read.select(0, 0), read.select(0, 3)));
  CHECK(at::equal(read.select(0, 1), read.select(0, 4)));
  CHECK_FALSE(at::equal(read.select(0, 0), read.select(0, 1)));
  const TemporaryFolder folder;
  adapt::save_adapter(loaded, options_of(told), tiny, folder.path());
  const files::Json config = files::read_json(folder / "adapter_config.json");
  CHECK(config["tokenizer_name_or_path"] == tiny);  // PEFT opens no such file without it
  CHECK(config["prompt_tuning_init_text"] == "card");

  files::PrefixTuningSettings zero = prefixes(3);
  zero.init_weights = "zero";
  CHECK(value_of(with_adapter("gpt2_causal_lm", zero), name).abs().max().item<double>() == 0);
  zero.prefix_projection = true;
  CHECK(with_adapter("gpt2_causal_lm", zero).model->virtual_tokens()->values().abs().max().item<double>() == 0);
}

TEST_CASE("a text between virtual tokens does not depend on its company, dead rows and wanted rows",
          "[adapt][virtual]") {
  const at::NoGradGuard no_grad;
  for (const std::string golden :
       {"bert_sequence", "distilbert_token", "gpt2_causal_lm", "mistral_sequence", "llama_span"}) {
    for (const bool keys : {false, true}) {
      if (keys && golden == "distilbert_token") continue;
      INFO(golden << (keys ? " keys" : " embeddings"));
      const files::AdapterSettings settings =
          keys ? files::AdapterSettings(prefixes(3)) : files::AdapterSettings(prompts(3));
      const models::LoadedModel loaded = with_adapter(golden, settings);
      models::Input whole = golden_input(golden_tensors(golden));
      whole.text_lengths.clear();
      whole.dropout = {.step_key = 5, .token_keys = at::arange(whole.ids.size(0), at::kLong) * 77};
      const auto logits = [&](const models::Input& input) {
        return models::forward(*loaded.model, loaded.model->prepare(input, /*training=*/true)).logits;
      };
      const at::Tensor all = logits(whole);
      const bool one_a_text = loaded.model->spec().task == models::Task::sequence_classification;
      for (std::int64_t i = 0; i < whole.layout.sequences(); ++i) {
        const std::int64_t begin = one_a_text ? i : whole.layout.cu_seqlens[i],
                           rows = one_a_text ? 1 : whole.layout.length(i);
        CHECK(worst_difference(logits(part_of(whole, i, 1)), all.narrow(0, begin, rows)) < 1e-5);
      }
      const at::Tensor with_dead = logits(part_of(whole, 0, whole.layout.sequences(), 4));
      CHECK(with_dead.size(0) == (one_a_text ? all.size(0) : all.size(0) + 4));
      CHECK(worst_difference(with_dead.narrow(0, 0, all.size(0)), all) < 1e-5);
      if (loaded.model->spec().task != models::Task::causal_lm) continue;
      whole.wanted = at::tensor(std::vector<std::int64_t>{2, 9, 14}, at::kLong);
      CHECK(worst_difference(logits(whole), all.index_select(0, whole.wanted)) < 1e-5);
    }
  }
}

TEST_CASE("backward by stages gives virtual tokens the gradients of one whole backward pass", "[adapt][virtual]") {
  files::PTuningSettings lstm;
  lstm.num_virtual_tokens = 3;
  lstm.encoder_reparameterization_type = "LSTM";
  files::PrefixTuningSettings projected = prefixes(3);
  projected.prefix_projection = true;
  for (const files::AdapterSettings& settings :
       {files::AdapterSettings(prompts(3)), files::AdapterSettings(lstm), files::AdapterSettings(prefixes(3)),
        files::AdapterSettings(projected)}) {
    const bool keys = std::holds_alternative<files::PrefixTuningSettings>(settings);
    models::LoadedModel loaded = with_adapter("gpt2_causal_lm", settings);
    const adapt::TuningOptions tuning{.method = keys ? "prefix_tuning" : "p_tuning", .freeze = {}};
    train::Trainables trained(*loaded.model, adapt::trainable_parameters(*loaded.model, tuning));
    CHECK(trained.lowest_stage() == (keys ? 1 : 0));
    const models::Context context = loaded.model->prepare(golden_input(golden_tensors("gpt2_causal_lm")), true);
    const at::Tensor direction = golden_tensors("gpt2_causal_lm").at("direction");
    const auto gradients = [&](const std::function<void()>& backward) {
      trained.arena().gradients().flat().zero_();
      backward();
      return trained.arena().gradients().flat().clone();
    };
    const at::Tensor whole =
        gradients([&] { (models::forward(*loaded.model, context).logits * direction).sum().backward(); });
    CHECK(whole.abs().max().item<double>() > 0);
    for (const auto recompute : {train::Recompute::no, train::Recompute::yes}) {
      INFO(files::peft_type(settings) << (recompute == train::Recompute::yes ? " recomputed" : ""));
      const at::Tensor staged = gradients([&] {
        train::StagedPass pass(*loaded.model, context, trained.lowest_stage(), recompute);
        pass.backward((pass.forward().logits * direction).sum(), 1.0);
      });
      CHECK(at::equal(staged, whole));
    }
  }
}

TEST_CASE("what trains under virtual tokens are they and the head", "[adapt][virtual]") {
  models::LoadedModel loaded = with_adapter("bert_sequence", prefixes(3));
  const std::vector<bool> trains =
      adapt::trainable_parameters(*loaded.model, {.method = "prefix_tuning", .freeze = {}});
  std::vector<std::string> names;
  for (std::size_t i = 0; i < trains.size(); ++i) {
    if (trains[i]) names.push_back(loaded.model->parameters()[i].name);
  }
  CHECK(names == std::vector<std::string>{"classifier.weight", "classifier.bias", "prompt_encoder.embedding.weight"});
  const std::string words = adapt::describe_trainable(adapt::trainable_parts(*loaded.model, trains));
  CHECK(words.find("classifier, virtual tokens") != std::string::npos);
}

TEST_CASE("models and settings that virtual tokens do not go with are refused by their key", "[adapt][virtual]") {
  const auto plan = [](const std::string& golden, const files::AdapterSettings& settings) {
    adapt::plan_adapter(load_golden(golden), settings);
  };
  CHECK_RAISES(plan("bert_masked_lm", prompts(2)), usage, "PEFT has no class");
  CHECK_RAISES(plan("distilbert_sequence", prefixes(2)), usage, "tuning.prefix_tuning.num_virtual_tokens");
  CHECK_NOTHROW(plan("distilbert_sequence", prompts(2)));
  CHECK_RAISES(plan("electra_sequence", prompts(2)), usage, "which PEFT does not tell apart");
  CHECK_NOTHROW(plan("electra_sequence", prefixes(2)));
  CHECK_RAISES(plan("bert_sequence", prompts(12)), usage, "found 12, the model has 12 positions");
  files::PromptTuningSettings told = prompts(2);
  told.prompt_tuning_init = "TEXT";
  CHECK_RAISES(with_adapter("bert_sequence", told), usage, "none is given");
  files::PromptTuningSettings saved = prompts(2);
  saved.modules_to_save = {"poolr"};
  CHECK_RAISES(plan("bert_sequence", saved), usage, "did you mean 'pooler'?");
  // A text that would fit without them.
  const models::LoadedModel loaded = with_adapter("bert_sequence", prompts(4));
  CHECK_RAISES(logits_of(loaded, golden_input(golden_tensors("bert_sequence"))), data, "the model takes at most 8");
}
