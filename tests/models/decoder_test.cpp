// Decoders: what their config.json may and may not say, how their files spell names, which token stands for a sequence.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "models/golden.h"
#include "raises.h"
#include "shared.h"

using namespace attune;
using namespace attune::models;
using namespace attune::testing;

namespace {

double off(const LoadedModel& loaded, const std::string& golden) {
  const Tensors expected = golden_tensors(golden);
  return (logits_of(loaded, golden_input(expected)) - expected.at("logits")).abs().max().item<double>();
}

/// The spec of a golden's config.json with one key changed.
ModelSpec spec_with(const std::string& golden, const std::string& key, const files::Json& value) {
  EditedCheckpoint edited(golden);
  edited.config[key] = value;
  return read_spec(edited.config, "m/config.json", golden_task(golden));
}

std::vector<std::int64_t> windows(const ModelSpec& spec) {
  std::vector<std::int64_t> found;
  for (const DecoderLayer& layer : spec.decoder.layers) found.push_back(layer.window);
  return found;
}

using Windows = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("GPT-2 files without the body's prefix, with causal masks in them, are understood", "[models][decoder]") {
  EditedCheckpoint edited("gpt2_causal_lm");
  const Tensors original = edited.tensors;
  for (const auto& [name, value] : original) edited.rename(name, name.substr(std::string("transformer.").size()));
  edited.tensors["h.0.attn.bias"] = at::ones({1, 1, 12, 12});
  edited.tensors["h.0.attn.masked_bias"] = at::zeros({});
  const LoadedModel loaded = edited.load();
  CHECK(loaded.report.unused.empty());
  CHECK(loaded.report.newly_initialised.empty());
  CHECK(off(loaded, "gpt2_causal_lm") < 1e-5);
}

TEST_CASE("rotary frequencies in files are ignored; the body may carry the prefix of another head's class",
          "[models][decoder]") {
  EditedCheckpoint edited("llama_causal_lm");
  edited.tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = at::ones({2});
  CHECK(edited.load().report.unused.empty());
  edited.options.task = Task::question_answering;
  const LoadedModel spans = edited.load();
  CHECK(spans.report.unused == std::vector<std::string>{"lm_head.weight"});
  CHECK(spans.report.newly_initialised == std::vector<std::string>{"qa_outputs.weight", "qa_outputs.bias"});
  CHECK(at::equal(value_of(spans, "transformer.norm.weight"), edited.tensors.at("model.norm.weight")));

  EditedCheckpoint back("llama_span");
  back.options.task = Task::base;
  CHECK(back.load().report.newly_initialised.empty());
}

TEST_CASE("GPT-NeoX's output layer has another name in files, tied and untied", "[models][decoder]") {
  EditedCheckpoint edited("gpt_neox_causal_lm");
  REQUIRE(edited.tensors.contains("embed_out.weight"));
  CHECK(at::equal(value_of(edited.load(), "lm_head.weight"), edited.tensors.at("embed_out.weight")));
  edited.config["tie_word_embeddings"] = true;
  edited.tensors["embed_out.weight"] = edited.tensors.at("gpt_neox.embed_in.weight");
  const LoadedModel tied = edited.load();
  CHECK(tied.report.unused.empty());
  CHECK(tied.model->spec().tie_word_embeddings);
}

TEST_CASE("a causal LM's output layer is tied as the file says", "[models][decoder]") {
  EditedCheckpoint edited("qwen2_causal_lm");
  CHECK_FALSE(edited.tensors.contains("lm_head.weight"));
  edited.tensors["lm_head.weight"] = edited.tensors.at("model.embed_tokens.weight");
  CHECK(edited.load().model->spec().tie_word_embeddings);
  edited.tensors["lm_head.weight"] = edited.tensors.at("lm_head.weight") * 2;
  const LoadedModel untied = edited.load();
  CHECK_FALSE(untied.model->spec().tie_word_embeddings);
  const Tensors expected = golden_tensors("qwen2_causal_lm");
  const at::Tensor logits = logits_of(untied, golden_input(expected));
  CHECK((logits - 2 * expected.at("logits")).abs().max().item<double>() < 1e-4);
}

TEST_CASE("a causal LM gives its body to a classifier, whose head is new", "[models][decoder]") {
  EditedCheckpoint edited("llama_causal_lm");
  edited.options.task = Task::sequence_classification;
  edited.options.labels = {"a", "b", "c"};
  const LoadedModel loaded = edited.load();
  CHECK(loaded.report.newly_initialised == std::vector<std::string>{"score.weight"});
  CHECK(loaded.report.unused == std::vector<std::string>{"lm_head.weight"});
  CHECK(loaded.model->spec().classifier_dropout == 0.0);
  edited.options.task = Task::token_classification;
  CHECK(edited.load().model->spec().classifier_dropout == 0.1);
}

TEST_CASE("the last token that is no padding stands for a sequence", "[models][decoder]") {
  const at::NoGradGuard no_grad;
  const LoadedModel loaded = load_golden("gpt2_sequence");  // padding is 0
  Input input;
  input.ids = at::tensor(std::vector<std::int64_t>{5, 6, 7, 5, 6, 0, 0, 0, 0}, at::kLong);
  input.positions = at::tensor(std::vector<std::int64_t>{0, 1, 2, 0, 1, 2, 3, 0, 1}, at::kLong);
  input.segments = at::zeros({9}, at::kLong);
  input.layout = nn::make_layout({3, 4, 2});
  const Context context = loaded.model->prepare(input, false);
  CHECK(at::equal(context.summary.index, at::tensor(std::vector<std::int64_t>{2, 4, 7}, at::kLong)));
}

TEST_CASE("stages: the norm behind the blocks belongs to the head's, tied matrices to both", "[models][decoder]") {
  std::map<std::string, std::vector<int>> stages;
  const LoadedModel loaded = load_golden("gpt2_causal_lm");
  for (const Parameter& parameter : loaded.model->parameters()) stages[parameter.name] = parameter.stages;
  CHECK(stages.at("transformer.wte.weight") == std::vector<int>{0, 3});
  CHECK(stages.at("transformer.wpe.weight") == std::vector<int>{0});
  CHECK(stages.at("transformer.h.1.mlp.c_proj.weight") == std::vector<int>{2});
  CHECK(stages.at("transformer.ln_f.bias") == std::vector<int>{3});
  CHECK_FALSE(stages.contains("lm_head.weight"));
}

TEST_CASE("which blocks attend to a window", "[models][decoder]") {
  CHECK(windows(spec_with("mistral_sequence", "sliding_window", nullptr)) == Windows{0, 0});
  CHECK(windows(spec_with("mistral_sequence", "sliding_window", 5)) == Windows{5, 5});
  EditedCheckpoint mistral("mistral_sequence");
  mistral.config.erase("sliding_window");
  CHECK(windows(read_spec(mistral.config, "c", Task::base)) == Windows{4096, 4096});
  CHECK_RAISES(spec_with("mistral_sequence", "layer_types", {"full_attention", "sliding_attention"}), model,
               "key layer_types");

  EditedCheckpoint qwen("qwen2_causal_lm");
  qwen.config.erase("layer_types");
  CHECK(windows(read_spec(qwen.config, "c", Task::base)) == Windows{0, 3});
  qwen.config["use_sliding_window"] = false;
  CHECK(windows(read_spec(qwen.config, "c", Task::base)) == Windows{0, 0});
  qwen.config["layer_types"] = {"sliding_attention", "full_attention"};
  CHECK_RAISES(read_spec(qwen.config, "c", Task::base), model, "key sliding_window");
  CHECK_RAISES(spec_with("qwen2_causal_lm", "layer_types", {"full_attention"}), model, "a list of 2 elements");
  CHECK_RAISES(spec_with("qwen2_causal_lm", "layer_types", {"full_attention", "chunked_attention"}), model,
               "chunked_attention");

  EditedCheckpoint gemma("gemma3_text_causal_lm");
  gemma.config.erase("layer_types");
  gemma.config["sliding_window_pattern"] = 2;
  const ModelSpec spec = read_spec(gemma.config, "c", Task::base);
  CHECK(windows(spec) == Windows{3, 0});
  CHECK(spec.decoder.layers[0].rotary == 1);
  CHECK(spec.decoder.layers[1].rotary == 0);
  CHECK(spec.decoder.layers[1].attention_scale == Approx(1 / std::sqrt(6.0)));
}

TEST_CASE("numbers of decoders: defaults, null, and what cannot be", "[models][decoder]") {
  CHECK(spec_with("llama_causal_lm", "num_key_value_heads", nullptr).decoder.num_key_value_heads == 4);
  CHECK_RAISES(spec_with("llama_causal_lm", "num_key_value_heads", 3), model, "3 key heads do not divide 4");
  CHECK_RAISES(spec_with("llama_causal_lm", "num_attention_heads", 0), model, "key num_attention_heads");
  CHECK(spec_with("gpt2_causal_lm", "n_inner", nullptr).intermediate_size == 64);
  CHECK(spec_with("gpt2_causal_lm", "scale_attn_weights", false).decoder.layers[1].attention_scale == 1.0);
  CHECK(spec_with("gpt2_causal_lm", "scale_attn_by_inverse_layer_idx", true).decoder.layers[1].attention_scale == 0.25);
  CHECK(spec_with("gpt2_causal_lm", "pad_token_id", nullptr).pad_token_id == -1);
  EditedCheckpoint gemma("gemma2_causal_lm");
  gemma.config.erase("attn_logit_softcapping");
  gemma.config["final_logit_softcapping"] = nullptr;
  const ModelSpec spec = read_spec(gemma.config, "c", Task::causal_lm);
  CHECK(spec.decoder.attention_softcap == 50.0);
  CHECK(spec.decoder.logit_softcap == 0.0);
  EditedCheckpoint qwen("qwen3_causal_lm");
  qwen.config.erase("head_dim");
  CHECK(read_spec(qwen.config, "c", Task::causal_lm).decoder.head_dim == 128);
  EditedCheckpoint smol("smollm3_causal_lm");
  smol.config.erase("no_rope_layers");
  smol.config["no_rope_layer_interval"] = 2;
  const ModelSpec every_other = read_spec(smol.config, "c", Task::causal_lm);
  CHECK(every_other.decoder.layers[0].rotary == 0);
  CHECK(every_other.decoder.layers[1].rotary == -1);
}

TEST_CASE("other computations of decoders are refused by key", "[models][decoder]") {
  CHECK_RAISES(spec_with("gpt2_causal_lm", "add_cross_attention", true), model, "add_cross_attention");
  CHECK_RAISES(spec_with("gemma_causal_lm", "use_bidirectional_attention", true), model, "use_bidirectional");
  CHECK(spec_with("gemma_causal_lm", "hidden_act", "gelu").hidden_act == "gelu_pytorch_tanh");
  CHECK_RAISES(spec_with("gemma_causal_lm", "hidden_activation", "silu"), model, "key hidden_activation");
  CHECK_RAISES(spec_with("gemma3_text_causal_lm", "attn_logit_softcapping", 50.0), model, "attn_logit_softcapping");
  CHECK_RAISES(spec_with("roberta_masked_lm", "pad_token_id", nullptr), model, "key pad_token_id");
  CHECK_RAISES(read_spec(EditedCheckpoint("llama_causal_lm").config, "m/config.json", Task::masked_lm), model,
               "a llama model has no head for fill-mask (key model_type); it can be used for text-classification");
  CHECK_RAISES(read_spec(EditedCheckpoint("bert_masked_lm").config, "m/config.json", Task::causal_lm), model,
               "no head for text-generation");
  CHECK_RAISES(read_spec(EditedCheckpoint("gemma_causal_lm").config, "m/config.json", Task::question_answering), model,
               "no head for question-answering");
}

TEST_CASE("dropout overrides reach what the network has, and are refused where it has none", "[models][decoder]") {
  EditedCheckpoint gpt2("gpt2_causal_lm");
  gpt2.options.hidden_dropout = 0.25;
  const ModelSpec spec = gpt2.load().model->spec();
  CHECK(spec.hidden_dropout == 0.25);
  CHECK(spec.decoder.embedding_dropout == 0.25);
  CHECK(spec.attention_dropout == 0.1);
  const TemporaryFolder folder;
  save_model(gpt2.load(), gpt2.folder(), folder / "out");
  const files::Json saved = files::read_json(folder / "out/config.json");
  CHECK(saved.at("embd_pdrop") == 0.25);
  CHECK(saved.at("resid_pdrop") == 0.25);
  CHECK_FALSE(saved.contains("classifier_dropout"));
  EditedCheckpoint llama("llama_causal_lm");
  llama.options.hidden_dropout = 0.25;
  CHECK_RAISES(llama.load(), usage, "a llama model has no dropout of hidden states");
}

TEST_CASE("dropout before a decoder's head acts on the rows that the head reads", "[models][decoder]") {
  const at::NoGradGuard no_grad;
  for (const std::string name : {"gpt2_sequence", "mistral_sequence", "gpt2_causal_lm"}) {
    INFO(name);
    EditedCheckpoint edited(name);
    edited.options.attention_dropout = 0.0;
    if (name.starts_with("gpt2")) edited.options.hidden_dropout = 0.0;
    const auto logits = [&](double p, std::uint64_t step) {
      edited.options.classifier_dropout = p;
      const LoadedModel loaded = edited.load();
      Input input = golden_input(golden_tensors(name));
      input.dropout = {.step_key = step, .token_keys = at::arange(input.ids.size(0), at::kLong)};
      if (name == "gpt2_causal_lm") input.wanted = at::arange(1, 9, 3, at::kLong);
      return forward(*loaded.model, loaded.model->prepare(input, true)).logits;
    };
    CHECK(logits(0.5, 1).sizes() == logits(0.0, 1).sizes());
    CHECK_FALSE(at::equal(logits(0.5, 1), logits(0.0, 1)));
    CHECK_FALSE(at::equal(logits(0.5, 1), logits(0.5, 2)));
    CHECK(at::equal(logits(0.5, 1), logits(0.5, 1)));
  }
}

TEST_CASE("RoBERTa counts positions from behind the padding token, and takes that many fewer tokens",
          "[models][decoder]") {
  const LoadedModel loaded = load_golden("roberta_sequence");  // padding is 1, 14 positions
  Input input;
  input.ids = at::tensor(std::vector<std::int64_t>{5, 1, 6, 7, 8}, at::kLong);
  input.positions = input.segments = at::zeros({5}, at::kLong);
  input.layout = nn::make_layout({3, 2});
  const Context context = loaded.model->prepare(input, false);
  CHECK(at::equal(context.input.positions, at::tensor(std::vector<std::int64_t>{2, 1, 3, 2, 3}, at::kLong)));
  input.layout = nn::make_layout({13});
  CHECK_RAISES(loaded.model->prepare(input, false), data, "at most 12");
}

TEST_CASE("stories260K: losses and logits are the reference's", "[models][decoder]") {
  ATTUNE_NEEDS_SHARED(shared);
  const at::NoGradGuard no_grad;
  const std::string folder = shared + "/models/stories260K";
  LoadOptions options;
  options.task = Task::causal_lm;
  const LoadedModel loaded = load_model(folder + "/hf", options);
  CHECK(loaded.report.unused.empty());
  const files::Json expected = files::read_json(folder + "/expected.json");
  for (const files::Json& prompt : expected.at("prompts")) {
    INFO(prompt.at("text").get<std::string>());
    const auto ids = prompt.at("input_ids").get<std::vector<std::int64_t>>();
    const auto count = static_cast<std::int64_t>(ids.size());
    Input input;
    input.ids = at::tensor(ids, at::kLong);
    input.positions = at::arange(count, at::kLong);
    input.segments = at::zeros({count}, at::kLong);
    input.layout = nn::make_layout({static_cast<std::int32_t>(count)});
    const at::Tensor logits = logits_of(loaded, input);
    const at::Tensor loss = at::cross_entropy_loss(logits.narrow(0, 0, count - 1), input.ids.narrow(0, 1, count - 1));
    CHECK(loss.item<double>() == Approx(prompt.at("loss_labels_eq_inputs").get<double>()).margin(1e-5));
    const auto first = prompt.at("last_logits_first8").get<std::vector<double>>();
    const at::Tensor last = logits[count - 1];
    CHECK((last.narrow(0, 0, 8) - at::tensor(first, at::kFloat)).abs().max().item<double>() < 1e-4);
    for (const files::Json& top : prompt.at("last_top5")) {
      CHECK(last[top.at(0).get<std::int64_t>()].item<double>() == Approx(top.at(1).get<double>()).margin(1e-4));
    }
  }
}
