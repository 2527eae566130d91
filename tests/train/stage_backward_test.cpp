// Backward by stages against one whole backward pass: the same bits.
#include "attune/train/stage_backward.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>

#include "attune/train/trainables.h"
#include "catch.h"
#include "train/fake.h"

using namespace attune;
using testing::FakeModel;
using testing::FakeTask;

namespace {

using Gradients = std::vector<at::Tensor>;

std::vector<const task::Encoded*> pointers(const std::vector<task::Encoded>& rows) {
  std::vector<const task::Encoded*> members;
  for (const task::Encoded& row : rows) members.push_back(&row);
  return members;
}

enum class Way { whole, staged, recomputed };

Gradients gradients(testing::FakeOptions options, const std::vector<bool>& flags, Way way, int* lowest = nullptr) {
  FakeModel model(options);
  const FakeTask task;
  const std::vector<task::Encoded> rows = testing::fake_rows(5);
  train::Trainables trained(model, flags);
  if (lowest != nullptr) *lowest = trained.lowest_stage();
  const task::Batch batch = task.collate(pointers(rows), {.seed = 1, .step = 2, .epoch = 0, .training = true});
  const models::Context context = model.prepare(batch.input, true);
  if (way != Way::whole) {
    const auto recompute = way == Way::recomputed ? train::Recompute::yes : train::Recompute::no;
    train::StagedPass pass(model, context, trained.lowest_stage(), recompute);
    pass.backward(task.loss(pass.forward(), batch).sum, 0.125);
  } else {
    models::State state = model.embed(context);
    for (int i = 0; i < model.depth(); ++i) state = model.block(i, state, context);
    const at::Tensor loss = task.loss(model.head(state, context), batch).sum;
    loss.backward(at::full({}, 0.125));
  }
  Gradients copies;
  for (const at::Tensor& slice : trained.arena().gradients().slices()) copies.push_back(slice.clone());
  return copies;
}

}  // namespace

TEST_CASE("backward by stages gives the bits of one whole backward, for every lowest trained stage", "[train]") {
  for (const bool tied : {false, true}) {
    for (const bool memory : {false, true}) {
      const testing::FakeOptions options{.tied = tied, .memory = memory, .dropout = 0.2};
      FakeModel model(options);
      const std::size_t count = model.parameters().size();
      for (std::size_t first = 0; first < count; ++first) {
        std::vector<bool> flags(count, true);
        for (std::size_t i = 0; i < first; ++i) flags[i] = false;
        const Gradients whole = gradients(options, flags, Way::whole), staged = gradients(options, flags, Way::staged);
        const Gradients recomputed = gradients(options, flags, Way::recomputed);
        REQUIRE(whole.size() == count - first);
        for (std::size_t i = 0; i < whole.size(); ++i) {
          INFO("tied " << tied << ", memory " << memory << ", first trained " << first << ", slice " << i);
          CHECK(whole[i].abs().sum().item<float>() > 0);
          CHECK(at::equal(whole[i], staged[i]));
          CHECK(at::equal(whole[i], recomputed[i]));
        }
      }
    }
  }
}

TEST_CASE("a frozen part above a trained one passes gradients on", "[train]") {
  FakeModel model;
  std::vector<bool> flags(model.parameters().size(), false);
  flags[0] = true;  // embeddings alone
  int lowest = -1;
  const Gradients staged = gradients({}, flags, Way::staged, &lowest);
  CHECK(lowest == 0);
  CHECK(at::equal(staged.at(0), gradients({}, flags, Way::whole).at(0)));
}

TEST_CASE("stages whose graph is not kept are run again", "[train]") {
  FakeModel model;
  const train::Trainables trained(model, std::vector<bool>(model.parameters().size(), true));
  const FakeTask task;
  const std::vector<task::Encoded> rows = testing::fake_rows(3);
  const task::Batch batch = task.collate(pointers(rows), {.seed = 1, .step = 2, .epoch = 0, .training = true});
  const models::Context context = model.prepare(batch.input, true);
  for (const auto& [recompute, runs] : {std::pair{train::Recompute::no, 1}, {train::Recompute::yes, 2}}) {
    model.stages_run = 0;
    train::StagedPass pass(model, context, 0, recompute);
    pass.backward(task.loss(pass.forward(), batch).sum, 1.0);
    CHECK(model.stages_run == runs);  // of the embeddings
  }
}

TEST_CASE("stages below the lowest trained one build no graph", "[train]") {
  FakeModel model;
  const FakeTask task;
  const std::vector<task::Encoded> rows = testing::fake_rows(3);
  std::vector<bool> flags(model.parameters().size(), false);
  flags.back() = true;
  train::Trainables trained(model, flags);
  CHECK(trained.lowest_stage() == 3);
  CHECK(trained.trained_stages() == std::vector<bool>{false, false, false, true});
  const task::Batch batch = task.collate(pointers(rows), {});
  const models::Context context = model.prepare(batch.input, false);
  train::StagedPass pass(model, context, trained.lowest_stage());
  const models::Output output = pass.forward();
  CHECK(output.logits.requires_grad());
  pass.backward(task.loss(output, batch).sum, 1.0);
  CHECK(trained.arena().gradients().flat().abs().sum().item<float>() > 0);
  for (std::size_t i = 0; i + 1 < flags.size(); ++i) CHECK_FALSE(model.parameters()[i].tensor.grad().defined());
}
