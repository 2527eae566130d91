// A real small Llama (stories260K of the shared material) against Transformers: ids, losses, logits and six AdamW steps.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/topk.h>

#include <list>
#include <nlohmann/json.hpp>

#include "attune/files/json.h"
#include "attune/models/model.h"
#include "attune/optim/clip.h"
#include "attune/optim/optimizer.h"
#include "attune/task/task.h"
#include "attune/tensor/arena.h"
#include "attune/train/stage_backward.h"
#include "catch.h"
#include "shared.h"

using namespace attune;
using attune::files::Json;

namespace {

struct Stories {
  explicit Stories(const std::string& shared)
      : folder(shared + "/models/stories260K/"), expected(files::read_json(folder + "expected.json")),
        tokenizer(text::Tokenizer::from_folder(folder + "hf")) {
    models::LoadOptions load;
    load.task = models::Task::causal_lm;
    loaded = models::load_model(folder + "hf", load);
    task::TaskOptions options;
    options.kind = load.task;
    options.tokenizer = &tokenizer;
    options.append_eos = false;
    task = task::make_task(options);
  }

  task::Batch batch(const std::string& text) {
    data::Example example;
    example.text = text;
    rows.push_back(task->encode({&example, 1}, tokenizer).at(0));
    const task::Encoded* const row = &rows.back();
    return task->collate({&row, 1}, {});
  }

  std::string folder;
  Json expected;
  text::Tokenizer tokenizer;
  models::LoadedModel loaded;
  std::unique_ptr<task::Task> task;
  std::list<task::Encoded> rows;
};

}  // namespace

TEST_CASE("stories260K gives the reference's ids, losses and top logits", "[models][language]") {
  ATTUNE_NEEDS_SHARED(shared);
  const at::NoGradGuard no_grad;
  Stories stories(shared);
  for (const Json& want : stories.expected["prompts"]) {
    task::Batch batch = stories.batch(want["text"].get<std::string>());
    CHECK(stories.rows.back().ids == want["input_ids"].get<std::vector<std::int32_t>>());
    const models::Model& model = *stories.loaded.model;
    if (stories.rows.back().ids.size() > 1) {
      const nn::LossSum loss = stories.task->loss(models::forward(model, model.prepare(batch.input, false)), batch);
      CHECK(loss.sum.item<double>() / loss.weight == Approx(want["loss_labels_eq_inputs"].get<double>()).margin(1e-5));
    }
    batch.input.defer_vocabulary = false;
    batch.input.wanted = at::Tensor();
    const at::Tensor logits = models::forward(model, model.prepare(batch.input, false)).logits;
    const at::Tensor last = logits[static_cast<std::int64_t>(stories.rows.back().ids.size()) - 1];
    for (std::int64_t i = 0; i < 8; ++i) {
      CHECK(last[i].item<double>() == Approx(want["last_logits_first8"][static_cast<std::size_t>(i)].get<double>()).margin(1e-4));
    }
    const auto [values, ids] = at::topk(last, 5);
    for (std::int64_t i = 0; i < 5; ++i) {
      const Json& top = want["last_top5"][static_cast<std::size_t>(i)];
      CHECK(ids[i].item<std::int64_t>() == top[0].get<std::int64_t>());
      CHECK(values[i].item<double>() == Approx(top[1].get<double>()).margin(1e-4));
    }
  }
}

TEST_CASE("six AdamW steps on stories260K lose what they lose in the reference", "[models][language]") {
  ATTUNE_NEEDS_SHARED(shared);
  Stories stories(shared);
  const Json& want = stories.expected["adamw_float64"];
  const task::Batch batch = stories.batch(want["text"].get<std::string>());
  std::vector<at::Tensor> tensors;
  std::vector<std::size_t> members;
  for (const models::Parameter& parameter : stories.loaded.model->parameters()) {
    members.push_back(tensors.size());
    tensors.push_back(parameter.tensor);
  }
  tensor::ParameterArena arena(tensors);
  const auto adam = optim::make_optimizer({}, arena, {{want["lr"].get<double>(), want["weight_decay_all_params"].get<double>(), members}});
  for (std::int64_t step = 0; step < 6; ++step) {
    arena.zero_gradients();
    const models::Context context = stories.loaded.model->prepare(batch.input, true);
    train::StagedPass pass(*stories.loaded.model, context, 0);
    const nn::LossSum loss = stories.task->loss(pass.forward(), batch);
    const double expected = want["losses_before_each_step"][static_cast<std::size_t>(step)].get<double>();
    CHECK(loss.sum.item<double>() / loss.weight == Approx(expected).epsilon(2e-4));
    pass.backward(loss.sum, 1.0 / loss.weight);
    if (step == 0) {
      CHECK(optim::gradient_norm(arena) == Approx(want["first_grad_norm_total"].get<double>()).epsilon(1e-5));
    }
    adam->step({.number = step + 1});
  }
}
