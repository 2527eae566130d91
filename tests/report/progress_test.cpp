// Progress displays on a stream and a clock of the test.
#include "attune/report/progress.h"

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "attune/base/error.h"
#include "attune/report/table.h"
#include "catch.h"

using namespace attune::report;

namespace {

struct Screen {
  std::ostringstream out;
  double now = 0;
  std::size_t columns = 100;
  bool unicode = true;
  std::shared_ptr<Observer> show(ProgressMode mode) {
    return make_progress(mode, {&out, [this] { return now; }, [this] { return columns; }, unicode});
  }
  /// What stands behind the last carriage return.
  std::string last_line() const { return out.str().substr(out.str().rfind('\r') + 1); }
};

const Event kBegin = {{"event", "train_begin"}, {"step", 0}, {"steps", 40}, {"rows", 320}};
const Event kTraining = {{"event", "phase_begin"}, {"name", "training"}, {"total", 0}, {"step", 0}};
const Event kLog = {{"event", "log"},
                    {"step", 10},
                    {"epoch", 0.5},
                    {"loss", 0.43128},
                    {"learning_rate", 1.7e-4},
                    {"tokens_per_second", 4210.0}};

}  // namespace

TEST_CASE("plain progress gives a line with time, step, loss, rate and time left at each log event", "[report]") {
  Screen screen;
  const auto progress = screen.show(ProgressMode::plain);
  progress->on_event({{"event", "fold_begin"}, {"fold", 2}, {"folds", 5}, {"repeat", 1}, {"repeats", 1}});
  progress->on_event(kBegin);
  screen.now = 65;
  progress->on_event(kLog);
  CHECK(screen.out.str() ==
        "[0:00] fold 2/5  training    320 rows, 40 steps\n"
        "[1:05] fold 2/5  step 10/40  loss 0.4313  lr 1.7e-04  4.2k tokens/s  3:15 left\n");
}

TEST_CASE("plain progress says what a round of self-training found", "[report]") {
  Screen screen;
  const auto progress = screen.show(ProgressMode::plain);
  progress->on_event({{"event", "seed_begin"}, {"seed", 7}, {"index", 2}, {"seeds", 3}});
  progress->on_event({{"event", "round_begin"}, {"round", 1}, {"rounds", 2}});
  progress->on_event({{"event", "round_end"},
                      {"unlabelled", 608},
                      {"agreed", 312},
                      {"taken", 300},
                      {"validation", {{"rows", 160}, {"agreed", 102}, {"accuracy", 0.912}}}});
  progress->on_event({{"event", "round_begin"}, {"round", 2}, {"rounds", 2}});
  progress->on_event(kBegin);
  CHECK(screen.out.str() ==
        "[0:00] seed 2/3 round 1/2  agreement   enough wordings agree on 312 of 608 unlabelled rows, 300 are taken; on 102 of 160 validation rows, "
        "91 % of these rightly\n"
        "[0:00] seed 2/3 round 2/2  training    320 rows, 40 steps\n");
}

TEST_CASE("plain progress shows evaluations, early stops and held-out folds", "[report]") {
  Screen screen;
  const auto progress = screen.show(ProgressMode::plain);
  progress->on_event(
      {{"event", "evaluate"}, {"step", 20}, {"epoch", 1.0}, {"eval_loss", 0.5}, {"eval_accuracy", 0.875}});
  progress->on_event({{"event", "early_stop"}, {"step", 20}, {"metric", "eval_loss"}, {"waited", 2}});
  progress->on_event({{"event", "fold_end"}, {"fold", 3}, {"test_accuracy", 0.9}});
  CHECK(screen.out.str() ==
        "[0:00] evaluation  step 20  epoch 1.00  loss 0.5  accuracy 0.875\n"
        "[0:00] stopping early at step 20: no better eval_loss in 2 evaluations\n"
        "[0:00] fold 3 held out  accuracy 0.9\n");
}

TEST_CASE("plain progress tells windows from rows", "[report]") {
  Screen screen;
  const auto progress = screen.show(ProgressMode::plain);
  progress->on_event({{"event", "train_begin"}, {"step", 0}, {"steps", 1}, {"rows", 8}, {"windows", 21}});
  CHECK(screen.out.str().find("training    8 rows in 21 windows, 1 step\n") != std::string::npos);
  progress->on_event({{"event", "phase_end"}, {"name", "predicting"}, {"seconds", 1.0}, {"total", 21}, {"counted", "window"}});
  CHECK(screen.out.str().find("predicting  21 windows in 1.0 s\n") != std::string::npos);
  progress->on_event({{"event", "phase_end"}, {"name", "predicting"}, {"seconds", 1.0}, {"total", 8}});
  CHECK(screen.out.str().find("predicting  8 rows in 1.0 s\n") != std::string::npos);
}

TEST_CASE("time left counts from the step at which this process began", "[report]") {
  Screen screen;
  const auto progress = screen.show(ProgressMode::plain);
  progress->on_event({{"event", "train_begin"}, {"step", 5}, {"steps", 15}, {"rows", 1}});
  screen.now = 10;
  progress->on_event({{"event", "log"}, {"step", 10}, {"loss", 1.0}});
  CHECK(screen.out.str().find("10/15  loss 1  0.5 steps/s  0:10 left") != std::string::npos);
}

TEST_CASE("the bar rewrites one line, never wider than the terminal, and leaves it empty at the end", "[report]") {
  Screen screen;
  screen.columns = 60;
  const auto progress = screen.show(ProgressMode::bar);
  progress->on_event(kBegin);
  progress->on_event(kTraining);
  screen.now = 65;
  progress->on_event(kLog);
  CHECK(screen.last_line().find("━━━━━━──────────────────  25 % 10/40") == std::string::npos);
  CHECK(screen.last_line().find("━━━━━━────────────────── 25 % 10/40 · loss 0.4313") == 0);
  CHECK(display_width(screen.last_line()) == 59);
  progress->on_event({{"event", "evaluate"}, {"step", 10}, {"epoch", 0.5}, {"eval_loss", 0.25}});
  CHECK(screen.out.str().find("evaluation  step 10  epoch 0.50  loss 0.25\n") != std::string::npos);
  progress->on_event({{"event", "train_end"}, {"step", 10}, {"seconds", 65}});
  CHECK(screen.out.str().find("\x1b") == std::string::npos);
  CHECK(screen.last_line() == "trained     step 10 in 1:05\n");
}

TEST_CASE("the bar moves with every step, at most ten times a second", "[report]") {
  Screen screen;
  const auto progress = screen.show(ProgressMode::bar);
  progress->on_event(kBegin);
  progress->on_event(kTraining);
  const auto step = [&](int number, double now) {
    screen.now = now;
    progress->on_event({{"event", "step"}, {"step", number}, {"epoch", 0.1}});
  };
  step(1, 1.0);
  CHECK(screen.last_line().find("1/40 · 1 steps/s · 0:39 left") != std::string::npos);
  step(2, 1.05);
  CHECK(screen.last_line().find("1/40") != std::string::npos);
  step(3, 1.2);
  CHECK(screen.last_line().find("3/40") != std::string::npos);
}

TEST_CASE("the bar names the phase that is at work and how far it is", "[report]") {
  Screen screen;
  const auto progress = screen.show(ProgressMode::bar);
  progress->on_event({{"event", "phase_begin"}, {"name", "tokenising"}, {"total", 320}});
  CHECK(screen.last_line() == "tokenising 0/320");
  progress->on_event({{"event", "phase_end"}, {"name", "tokenising"}, {"seconds", 0.2}, {"total", 320}});
  CHECK(screen.last_line().empty());
  progress->on_event(kBegin);
  progress->on_event(kTraining);
  progress->on_event({{"event", "phase_begin"}, {"name", "evaluating"}, {"total", 96}, {"step", 0}});
  screen.now = 1;
  progress->on_event({{"event", "phase"}, {"name", "evaluating"}, {"done", 64}, {"total", 96}, {"step", 0}});
  CHECK(screen.last_line().find("evaluating 64/96") == 0);
  progress->on_event({{"event", "phase_end"}, {"name", "evaluating"}, {"seconds", 1.0}, {"step", 0}});
  CHECK(screen.last_line().find(" 0 % 0/40") != std::string::npos);
}

TEST_CASE("plain progress tells data, model and the seconds of phases", "[report]") {
  Screen screen;
  const auto progress = screen.show(ProgressMode::plain);
  progress->on_event({{"event", "phase_begin"}, {"name", "tokenising"}, {"total", 6}});
  progress->on_event({{"event", "phase_end"}, {"name", "tokenising"}, {"seconds", 0.24}, {"total", 6}});
  progress->on_event({{"event", "data"},
                      {"splits", {{"train", {{"rows", 4}}}, {"test", {{"rows", 2}}}}},
                      {"labels", {{"a", 1}, {"b", 3}}},
                      {"tokens", {{"mean", 7.6}, {"longest", 12}}}});
  progress->on_event({{"event", "model"},
                      {"description", "trains 2 of 4 parameters (50.0 %): head"},
                      {"newly_initialised", {"w"}},
                      {"unused", {"x"}}});
  progress->on_event(kBegin);
  progress->on_event({{"event", "save"}, {"step", 10}, {"path", "out/checkpoint-10"}, {"seconds", 0.5}});
  CHECK(screen.out.str() ==
        "[0:00] tokenising  6 rows in 0.2 s\n"
        "[0:00] data        train 4, test 2 rows, 2 labels, 8 tokens a row, the longest 12\n"
        "[0:00] model       trains 2 of 4 parameters (50.0 %): head; new: w; 1 tensor of the file unused\n"
        "[0:00] training    320 rows, 40 steps\n"
        "[0:00] saved       out/checkpoint-10 in 0.5 s\n");
}

TEST_CASE("an evaluation line shows the metric that chooses the best model", "[report]") {
  Screen screen;
  const auto progress = screen.show(ProgressMode::plain);
  Event begin = kBegin;
  begin["metric"] = "eval_pr_auc";
  progress->on_event(begin);
  progress->on_event({{"event", "evaluate"},
                      {"step", 20},
                      {"epoch", 1.0},
                      {"eval_loss", 0.5},
                      {"eval_roc_auc", 0.9},
                      {"eval_pr_auc", 0.75}});
  CHECK(screen.out.str().find("loss 0.5  pr_auc 0.75\n") != std::string::npos);
}

TEST_CASE("without a UTF-8 locale the bar is plain ASCII", "[report]") {
  Screen screen;
  screen.unicode = false;
  const auto progress = screen.show(ProgressMode::bar);
  progress->on_event(kBegin);
  progress->on_event(kTraining);
  progress->on_event(kLog);
  CHECK(screen.last_line().find("[######------------------] 25 % 10/40 | loss 0.4313") == 0);
}

TEST_CASE("json progress is the events themselves, none is nothing", "[report]") {
  Screen screen;
  screen.show(ProgressMode::json)->on_event(kLog);
  CHECK(Event::parse(screen.out.str()) == kLog);
  Screen silent;
  silent.show(ProgressMode::none)->on_event(kLog);
  CHECK(silent.out.str().empty());
}

TEST_CASE("control characters of an event cannot reach the terminal", "[report]") {
  Screen screen;
  screen.show(ProgressMode::plain)
      ->on_event({{"event", "early_stop"}, {"step", 1}, {"metric", "a\x1b[31mb"}, {"waited", 1}});
  CHECK(screen.out.str().find('\x1b') == std::string::npos);
}

TEST_CASE("automatic progress is plain under CI, an unknown kind is refused", "[report]") {
  CHECK(choose_progress_mode("bar") == ProgressMode::bar);
  CHECK(choose_progress_mode("json") == ProgressMode::json);
  ::setenv("CI", "true", 1);
  CHECK(choose_progress_mode("auto") == ProgressMode::plain);
  ::unsetenv("CI");
  CHECK_THROWS_AS(choose_progress_mode("fancy"), attune::Error);
}

TEST_CASE("one label is no labels", "[report]") {
  Screen screen;
  const auto progress = screen.show(ProgressMode::plain);
  progress->on_event({{"event", "data"}, {"splits", {{"train", {{"rows", 4}}}}}, {"labels", {{"a", 4}}}});
  CHECK(screen.out.str() == "[0:00] data        train 4 rows, 1 label\n");
}
