// Interrupted and resumed runs against uninterrupted ones: the same bits, from every step.
#include <cmath>
#include <filesystem>
#include <fstream>

#include "attune/base/signals.h"
#include "attune/files/json.h"
#include "catch.h"
#include "raises.h"
#include "temporary_folder.h"
#include "train/fake.h"

using namespace attune;
using testing::FakeRun;
using testing::TemporaryFolder;

namespace {

/// Dropout, accumulation, warmup, clipping, evaluation every 2 steps, early stopping after a while, best model kept.
struct FullRun : FakeRun {
  explicit FullRun(const std::string& folder, const std::string& resume = "") : FakeRun({.dropout = 0.2}) {
    job.options.per_device_train_batch_size = 2;
    job.options.gradient_accumulation_steps = 2;
    job.options.warmup_steps = 3;
    job.options.logging_steps = 3;
    job.options.num_train_epochs = 5;  // 5 steps an epoch
    validate_each("steps", 2);
    job.early_stopping = {.enabled = true, .patience = 3, .metric = "scripted"};
    // A function of the weights, so that a resumed run sees what the whole one saw: best at step 10, stops at step 16.
    job.options.save_strategy = "steps";
    job.options.save_steps = 1;
    job.options.save_total_limit = 0;
    job.folder = folder;
    job.resume_from = resume;
    job.job_fingerprint = R"({"training": {"learning_rate": 0.01}})";
    task.script = [this](int) { return std::fabs(10.0 - static_cast<double>(validated_step())) * -1; };
  }
  /// The step that is being evaluated: rows seen in training tell, in a resumed run from its first step on.
  std::int64_t validated_step() const { return last_training_step + 1; }
  std::int64_t last_training_step = -1;

  train::TrainResult go() {
    task.on_collate = [this](const task::BatchKey& key, const task::Batch&) {
      if (key.training) last_training_step = key.step;
    };
    return train();
  }
};

std::string checkpoint(const TemporaryFolder& folder, int step) {
  return folder / ("checkpoints/checkpoint-" + std::to_string(step));
}

/// log_history without what a clock decides.
std::string timeless(std::vector<files::Json> history) {
  for (files::Json& entry : history) {
    entry.erase("eval_runtime");
    entry.erase("eval_samples_per_second");
  }
  return files::Json(history).dump();
}

struct SignalGuard {
  ~SignalGuard() { request_stop(0); }
};

}  // namespace

TEST_CASE("a run resumed from any step ends with the bits of the uninterrupted one", "[train]") {
  const TemporaryFolder folder;
  FullRun whole(folder.path());
  const train::TrainResult expected = whole.go();
  REQUIRE(expected.stopped_by == "early_stopping");
  REQUIRE(expected.steps == 16);
  REQUIRE(*expected.best_step == 10);
  for (int step = 1; step <= 16; ++step) {
    INFO("resumed from step " << step);
    FullRun resumed(folder.path(), checkpoint(folder, step));
    resumed.job.options.save_strategy = "no";
    const train::TrainResult result = resumed.go();
    CHECK(resumed.hash() == whole.hash());
    CHECK(result.stopped_by == "early_stopping");
    CHECK(result.steps == 16);
    CHECK(result.best_step == expected.best_step);
    CHECK(result.tokens == expected.tokens);
    CHECK(result.train_loss == expected.train_loss);
    CHECK(timeless(result.log_history) == timeless(expected.log_history));
    REQUIRE(result.trajectory.size() == 16);
    for (std::size_t i = 0; i < 16; ++i) {
      CHECK(result.trajectory[i].weights_sha256 == expected.trajectory[i].weights_sha256);
      CHECK(result.trajectory[i].grad_norm == expected.trajectory[i].grad_norm);
    }
  }
}

TEST_CASE("a run with batches of tokens that is resumed from any step ends with the bits of the uninterrupted one", "[train]") {
  const TemporaryFolder folder;
  const auto run_to_end = [&](const std::string& resume) {
    FakeRun run({.dropout = 0.2});
    run.job.options.batch_by = "tokens";
    run.job.options.tokens_per_batch = 9;
    run.job.options.gradient_accumulation_steps = 2;
    run.job.options.warmup_steps = 0.2;
    run.job.options.save_strategy = resume.empty() ? "steps" : "no";
    run.job.options.save_steps = 1;
    run.job.options.save_total_limit = 0;
    run.job.folder = folder.path();
    run.job.resume_from = resume;
    run.job.job_fingerprint = "{}";
    const train::TrainResult result = run.train();
    CHECK(result.epochs == 3.0);
    return std::pair(result.steps, run.hash());
  };
  const auto whole = run_to_end("");
  REQUIRE(whole.first > 12);
  for (int step = 1; step < whole.first; ++step) {
    INFO("resumed from step " << step);
    CHECK(run_to_end(checkpoint(folder, step)) == whole);
  }
}

TEST_CASE("the comparison of resumed runs can fail: other moments give other bits", "[train]") {
  const TemporaryFolder folder;
  FullRun whole(folder.path());
  whole.go();
  // Another run's checkpoint of the same step, of the same job by its fingerprint.
  const TemporaryFolder other_folder;
  FullRun other(other_folder.path());
  other.job.seed = 8;
  other.go();
  FullRun resumed(folder.path(), checkpoint(other_folder, 7));
  resumed.job.options.save_strategy = "no";
  resumed.go();
  CHECK(resumed.hash() != whole.hash());
}

TEST_CASE("resuming a finished run does nothing", "[train]") {
  const TemporaryFolder folder;
  FullRun whole(folder.path());
  whole.go();
  FullRun again(folder.path(), "auto");
  CHECK(again.go().steps == 16);
  CHECK(again.task.seen_rows.empty());
  CHECK(again.hash() == whole.hash());
}

TEST_CASE("a signal at any batch, in training or evaluation, saves; the resumed run ends with the same bits",
          "[train]") {
  const SignalGuard guard;
  const TemporaryFolder reference_folder;
  FullRun whole(reference_folder.path());
  const train::TrainResult expected = whole.go();
  for (int stop_at = 1; stop_at <= 37; stop_at += 3) {  // 29 batches of training, 8 of evaluation
    INFO("signal at batch " << stop_at);
    const TemporaryFolder folder;
    FullRun stopped(folder.path());
    stopped.job.options.save_strategy = "no";
    int batches = 0;
    stopped.task.on_collate = [&](const task::BatchKey& key, const task::Batch&) {
      if (key.training) stopped.last_training_step = key.step;
      if (++batches == stop_at) request_stop(15);
    };
    const train::TrainResult first = stopped.train();
    request_stop(0);
    CHECK(first.stopped_by == "signal");
    FullRun resumed(folder.path(), "auto");
    resumed.last_training_step = first.steps - 1;
    resumed.job.options.save_strategy = "no";
    const train::TrainResult result = resumed.go();
    CHECK(resumed.hash() == whole.hash());
    CHECK(result.steps == expected.steps);
    CHECK(timeless(result.log_history) == timeless(expected.log_history));
  }
}

TEST_CASE("auto takes the newest checkpoint that is whole", "[train]") {
  const TemporaryFolder folder;
  FullRun whole(folder.path());
  whole.go();
  {
    std::fstream file(checkpoint(folder, 16) + "/optimizer.safetensors",
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-5, std::ios::end);
    file.put('\x55');
  }
  std::filesystem::remove(checkpoint(folder, 15) + "/MANIFEST.json");
  std::filesystem::create_directory(checkpoint(folder, 99));
  FullRun resumed(folder.path(), "auto");
  resumed.go();
  CHECK(resumed.task.seen_rows.size() == 2 + 4 + 10);  // steps 15 and 16 and an evaluation, after checkpoint 14
  CHECK(resumed.hash() == whole.hash());
  FullRun damaged(folder.path(), checkpoint(folder, 15));
  std::filesystem::remove(checkpoint(folder, 15) + "/MANIFEST.json");
  CHECK_RAISES(damaged.go(), resume_refused, "damaged checkpoint");
  FullRun absent(folder.path(), folder / "nothing");
  CHECK_RAISES(absent.go(), usage, "no such checkpoint");
}

TEST_CASE("another job is refused with what differs", "[train]") {
  const TemporaryFolder folder;
  FullRun whole(folder.path());
  whole.go();
  FullRun other(folder.path(), "auto");
  other.job.job_fingerprint = R"({"training": {"learning_rate": 0.02}, "data": "abc"})";
  CHECK_RAISES(other.go(), resume_refused, "training.learning_rate: 0.01 → 0.02");
  FullRun frozen(folder.path(), "auto");
  frozen.job.trainable[0] = false;
  CHECK_RAISES(frozen.go(), resume_refused, "embeddings");
}

TEST_CASE("auto without a checkpoint starts at step 0", "[train]") {
  const TemporaryFolder folder;
  FullRun fresh(folder.path(), "auto");
  CHECK(fresh.go().steps == 16);
}

TEST_CASE("a checkpoint that cannot be written is a warning, after a signal an error", "[train]") {
  const SignalGuard guard;
  const TemporaryFolder folder;
  FullRun reference(folder / "good");
  reference.go();
  std::filesystem::create_directory(folder / "bad");
  std::ofstream(folder / "bad/checkpoints") << "a file where the folder should be";
  FullRun run(folder / "bad");
  CHECK(run.go().steps == 16);
  CHECK(run.hash() == reference.hash());
  FullRun stopped(folder / "bad");
  stopped.task.on_collate = [&](const task::BatchKey&, const task::Batch&) { request_stop(15); };
  CHECK_RAISES(stopped.train(), storage, "checkpoints");
}
