// Virtual tokens: the numbers that train, and the networks that make embeddings, or keys and values, of them. Layers
// and names are those of peft 0.21 (PromptEmbedding, PromptEncoder, PrefixEncoder). See attach.h.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <numeric>
#include <utility>

#include "adapt/attach.h"
#include "adapt/plan_kinds.h"
#include "adapt/saved_modules.h"
#include "attune/base/error.h"
#include "attune/text/tokenizer.h"

namespace attune::adapt {

namespace {

using models::VirtualTokens;
using Shape = std::vector<std::int64_t>;

/// A linear layer of such a network.
struct PromptLinear {
  at::Tensor weight, bias;

  at::Tensor operator()(const at::Tensor& x) const { return at::linear(x, weight, bias); }
  /// Some of its outputs alone.
  at::Tensor operator()(const at::Tensor& x, std::int64_t first, std::int64_t number) const {
    return at::linear(x, weight.narrow(0, first, number), bias.narrow(0, first, number));
  }
};

/// One direction of a layer of torch.nn.LSTM. Not at::lstm, which rounds otherwise where no gradient is wanted.
struct LstmDirection {
  at::Tensor weight_ih, weight_hh, bias_ih, bias_hh;  ///< [4 · hidden, in], [4 · hidden, hidden], [4 · hidden] twice

  /// x [n, in] → states [n, hidden].
  at::Tensor operator()(const at::Tensor& x, bool from_the_end) const {
    const at::Tensor read = at::linear(x, weight_ih, bias_ih);
    const std::int64_t rows = x.size(0);
    at::Tensor state = at::zeros({1, weight_hh.size(1)}, x.options().requires_grad(false)), cell = state;
    std::vector<at::Tensor> states(static_cast<std::size_t>(rows));
    for (std::int64_t step = 0; step < rows; ++step) {
      const std::int64_t row = from_the_end ? rows - 1 - step : step;
      const std::vector<at::Tensor> gates =
          (read.narrow(0, row, 1) + at::linear(state, weight_hh, bias_hh)).chunk(4, 1);  // input, forget, cell, output
      cell = gates[1].sigmoid() * cell + gates[0].sigmoid() * gates[2].tanh();
      state = gates[3].sigmoid() * cell.tanh();
      states[static_cast<std::size_t>(row)] = state;
    }
    return at::cat(states, 0);
  }
};

struct LstmLayer {
  LstmDirection forwards, backwards;

  at::Tensor operator()(const at::Tensor& x) const {
    return at::cat(std::vector<at::Tensor>{forwards(x, false), backwards(x, true)}, 1);
  }
};

/// Makes the parameters of one adapter on one model.
class PromptParameters {
 public:
  PromptParameters(models::Model& model, VirtualTokens::Place place, std::uint64_t seed) : model_(model), seed_(seed) {
    if (place == VirtualTokens::Place::embeddings) {
      stages_ = {0};
    } else {
      stages_.resize(static_cast<std::size_t>(model.depth()));
      std::iota(stages_.begin(), stages_.end(), 1);
    }
  }

  at::Tensor add(const std::string& path, const at::Tensor& value) {
    return add_parameter(model_, full(path), value, stages_);
  }
  at::Tensor embedding(const Shape& shape) {
    return add("embedding.weight", normal_start(shape, 1.0, key("embedding.weight")));
  }
  PromptLinear linear(const std::string& path, std::int64_t out, std::int64_t in, bool from_zero = false) {
    const auto start = [&](const std::string& name, const Shape& shape) {
      return add(name, from_zero ? at::zeros(shape, at::kFloat) : uniform_start(shape, in, key(name)));
    };
    return {.weight = start(path + ".weight", {out, in}), .bias = start(path + ".bias", {out})};
  }
  std::vector<LstmLayer> lstm(const std::string& path, std::int64_t in, std::int64_t hidden, std::int64_t layers) {
    const auto direction = [&](std::int64_t read, const std::string& suffix) {
      const auto one = [&](const char* name, const Shape& shape) {
        const std::string place = concat(path, ".", name, suffix);
        return add(place, uniform_start(shape, hidden, key(place)));
      };
      return LstmDirection{.weight_ih = one("weight_ih", {4 * hidden, read}),
                           .weight_hh = one("weight_hh", {4 * hidden, hidden}),
                           .bias_ih = one("bias_ih", {4 * hidden}),
                           .bias_hh = one("bias_hh", {4 * hidden})};
    };
    std::vector<LstmLayer> made;
    for (std::int64_t layer = 0; layer < layers; ++layer) {
      const std::int64_t read = layer == 0 ? in : 2 * hidden;
      made.push_back({.forwards = direction(read, concat("_l", layer)),
                      .backwards = direction(read, concat("_l", layer, "_reverse"))});
    }
    return made;
  }
  RandomKey key(const std::string& path) const { return initial_key(seed_, full(path)); }

 private:
  static std::string full(const std::string& path) { return concat("prompt_encoder.", path); }

  models::Model& model_;
  std::uint64_t seed_;
  std::vector<int> stages_;
};

using Columns = decltype(VirtualTokens::columns);

/// The numbers themselves.
Columns columns_of(const at::Tensor& embedding) {
  return [embedding](std::int64_t first, std::int64_t number) { return embedding.narrow(1, first, number); };
}

/// Of what a network gives as a whole.
Columns columns_of(std::function<at::Tensor()> made) {
  return [made = std::move(made)](std::int64_t first, std::int64_t number) { return made().narrow(1, first, number); };
}

/// The embeddings of the vocabulary, as its layer gives them.
at::Tensor word_vectors(const models::Model& model, const std::vector<std::int64_t>& ids) {
  const models::ModelSpec& spec = model.spec();
  for (const models::Parameter& parameter : model.parameters()) {
    const bool is_table = parameter.kind == models::ParameterKind::embedding && parameter.stages.front() == 0 &&
                          parameter.shape == Shape{spec.vocab_size, spec.hidden_size};
    if (!is_table) continue;
    const at::Tensor rows =
        at::index_select(parameter.tensor.detach(), 0, at::tensor(ids, at::kLong).to(parameter.tensor.device()));
    return rows.to(at::kFloat) * spec.decoder.embedding_scale;
  }
  internal_error("word_vectors: the model has no table of its vocabulary");
}

/// The ids of the text, cut or repeated to `count`.
std::vector<std::int64_t> ids_of_text(const files::PromptTuningSettings& settings, const models::LoadedModel& loaded) {
  if (settings.prompt_tuning_init_text.empty()) {
    refuse_setting(settings, "prompt_tuning_init_text", "virtual tokens are to start from a text, and none is given",
                   "write one, or choose another prompt_tuning_init");
  }
  const std::string& folder = settings.tokenizer_name_or_path.empty() ? loaded.folder : settings.tokenizer_name_or_path;
  const auto tokenizer = text::Tokenizer::from_folder(models::resolve_model_path(folder));
  const std::vector<std::int32_t> found = tokenizer.encode({.text = settings.prompt_tuning_init_text}).ids;
  if (found.empty()) {
    refuse_setting(settings, "prompt_tuning_init_text", "the tokenizer makes no tokens of it", "write another text");
  }
  std::vector<std::int64_t> ids;
  for (std::int64_t i = 0; i < settings.num_virtual_tokens; ++i) {
    ids.push_back(found[static_cast<std::size_t>(i) % found.size()]);
    if (ids.back() < loaded.model->spec().vocab_size) continue;
    refuse_setting(settings, "tokenizer_name_or_path",
                   concat("its ids go up to ", ids.back(), " in this text, the model's vocabulary has ",
                          loaded.model->spec().vocab_size),
                   "name the tokenizer of the base");
  }
  return ids;
}

std::vector<std::int64_t> ids_at_random(std::int64_t count, std::int64_t vocab_size, const RandomKey& key) {
  std::vector<std::int64_t> ids;
  for (std::int64_t i = 0; i < count; ++i) {
    const double place = key.uniform(static_cast<std::uint64_t>(i)) * static_cast<double>(vocab_size);
    ids.push_back(std::min(static_cast<std::int64_t>(place), vocab_size - 1));
  }
  return ids;
}

Columns prompt_tuning_columns(PromptParameters& parameters, const files::PromptTuningSettings& settings,
                              const models::LoadedModel& loaded) {
  const models::ModelSpec& spec = loaded.model->spec();
  if (settings.prompt_tuning_init == "RANDOM")
    return columns_of(parameters.embedding({settings.num_virtual_tokens, spec.hidden_size}));
  const std::vector<std::int64_t> ids =
      settings.prompt_tuning_init == "TEXT"
          ? ids_of_text(settings, loaded)
          : ids_at_random(settings.num_virtual_tokens, spec.vocab_size, parameters.key("tokens"));
  return columns_of(parameters.add("embedding.weight", word_vectors(*loaded.model, ids)));
}

Columns mlp_columns(PromptParameters& parameters, const at::Tensor& embedding, std::int64_t hidden) {
  const std::int64_t size = embedding.size(1);
  const PromptLinear first = parameters.linear("mlp_head.0", hidden, size),
                     second = parameters.linear("mlp_head.2", hidden, hidden),
                     third = parameters.linear("mlp_head.4", size, hidden);
  return columns_of([=] { return third(at::relu(second(at::relu(first(embedding))))); });
}

Columns lstm_columns(PromptParameters& parameters, const at::Tensor& embedding,
                     const files::PTuningSettings& settings) {
  if (settings.encoder_dropout > 0 && settings.encoder_num_layers > 1) {
    refuse_setting(settings, "encoder_dropout", "attune has no dropout between the layers of the LSTM",
                   "train without it");
  }
  const std::int64_t size = embedding.size(1), hidden = *settings.encoder_hidden_size,
                     layers = settings.encoder_num_layers;
  const std::vector<LstmLayer> lstm = parameters.lstm("lstm_head", size, hidden, layers);
  const PromptLinear first = parameters.linear("mlp_head.0", 2 * hidden, 2 * hidden),
                     second = parameters.linear("mlp_head.2", size, 2 * hidden);
  return columns_of([=] {
    at::Tensor states = embedding;
    for (const LstmLayer& layer : lstm) states = layer(states);
    return second(at::relu(first(states)));
  });
}

Columns p_tuning_columns(PromptParameters& parameters, const files::PTuningSettings& settings, std::int64_t size) {
  const at::Tensor embedding = parameters.embedding({settings.num_virtual_tokens, size});
  return settings.encoder_reparameterization_type == "LSTM"
             ? lstm_columns(parameters, embedding, settings)
             : mlp_columns(parameters, embedding, *settings.encoder_hidden_size);
}

/// `width`: of the keys and values of all blocks; `size`: of those of one.
Columns prefix_columns(PromptParameters& parameters, const files::PrefixTuningSettings& settings, std::int64_t width,
                       std::int64_t size) {
  const bool from_zero = settings.init_weights == "zero";
  if (!settings.prefix_projection) {
    const Shape shape{settings.num_virtual_tokens, width};
    return columns_of(from_zero ? parameters.add("embedding.weight", at::zeros(shape, at::kFloat))
                                : parameters.embedding(shape));
  }
  const at::Tensor embedding = parameters.embedding({settings.num_virtual_tokens, size});
  const PromptLinear first = parameters.linear("transform.0", *settings.encoder_hidden_size, size),
                     second = parameters.linear("transform.2", width, *settings.encoder_hidden_size, from_zero);
  // Block by block, also where all are wanted: products of other shapes round otherwise.
  return [=](std::int64_t begin, std::int64_t number) {
    const at::Tensor inner = at::tanh(first(embedding));
    std::vector<at::Tensor> blocks;
    for (std::int64_t block = begin; block < begin + number; block += 2 * size)
      blocks.push_back(second(inner, block, 2 * size));
    return blocks.size() == 1 ? blocks.front() : at::cat(blocks, 1);
  };
}

}  // namespace

void attach_virtual_tokens(models::LoadedModel& loaded, const AdapterPlan& plan, std::uint64_t seed) {
  models::Model& model = *loaded.model;
  const files::VirtualTokenShape shape = virtual_token_shape(model.spec(), plan.settings);
  auto tokens = std::make_shared<VirtualTokens>();
  tokens->count = files::virtual_token_settings(plan.settings)->num_virtual_tokens;
  if (const auto* prefix = std::get_if<files::PrefixTuningSettings>(&plan.settings)) {
    tokens->place = VirtualTokens::Place::keys;
    tokens->width = 2 * shape.num_layers * shape.token_dim;
    PromptParameters parameters(model, tokens->place, seed);
    tokens->columns = prefix_columns(parameters, *prefix, tokens->width, shape.token_dim);
  } else {
    tokens->width = shape.token_dim;
    PromptParameters parameters(model, tokens->place, seed);
    const auto* encoder = std::get_if<files::PTuningSettings>(&plan.settings);
    tokens->columns =
        encoder != nullptr
            ? p_tuning_columns(parameters, *encoder, shape.token_dim)
            : prompt_tuning_columns(parameters, std::get<files::PromptTuningSettings>(plan.settings), loaded);
  }
  model.set_virtual_tokens(std::move(tokens));
}

}  // namespace attune::adapt
