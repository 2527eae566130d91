// A made-up run for the tests of the page and the model card.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "attune/report/events.h"

namespace attune::testing {

inline report::Event example_summary() {
  return report::Event::parse(R"json({
    "output_dir": "runs/triage", "about": "Sorts <triage> notes & more.", "base_model": "acme/tiny-encoder",
    "stopped_by": "early_stopping", "seconds": 83.4,
    "labels": ["urgent", "soon", "routine"],
    "data": {"splits": {"train": {"rows": 1200}, "validation": {"rows": 150}, "test": {"rows": 150}},
             "labels": {"urgent": 200, "soon": 400, "routine": 600}, "tokens": {"mean": 31.25, "longest": 128},
             "duplicates": [{"between": ["train", "test"], "rows": 3, "examples": ["chest <pain> since morning"]}]},
    "majority": {"train": 0.5, "validation": 0.5, "test": 0.48},
    "train": {"train_runtime": 61.5, "train_steps": 120}, "reopened": {"rows": 8, "bit_equal": true, "max_abs_difference": 0},
    "test": {"metrics": {"rows": 150, "loss": 0.31, "accuracy": 0.9, "f1": 0.88, "f1_macro": 0.88, "mcc": 0.83, "ece": 0.04, "brier": 0.15, "log_loss": 0.31,
        "per_class": {"urgent": {"precision": 0.8, "recall": 0.85, "f1": 0.82, "support": 25},
                      "soon": {"precision": 0.88, "recall": 0.9, "f1": 0.89, "support": 53},
                      "routine": {"precision": 0.95, "recall": 0.91, "f1": 0.93, "support": 72}},
        "confusion_matrix": {"labels": ["urgent", "soon", "routine"], "counts": [[21, 3, 1], [3, 48, 2], [2, 4, 66]]},
        "reliability": [{"lower": 0.4, "upper": 0.6, "rows": 12, "mean_confidence": 0.53, "accuracy": 0.5},
                        {"lower": 0.6, "upper": 0.8, "rows": 30, "mean_confidence": 0.71, "accuracy": 0.8},
                        {"lower": 0.8, "upper": 1.0, "rows": 108, "mean_confidence": 0.94, "accuracy": 0.97}]},
      "intervals": {"accuracy": [0.85, 0.945], "f1_macro": [0.81, 0.93]}},
    "settings": {"config_version": 1, "seeds": [42], "model": {"path": "acme/tiny-encoder", "task": "text-classification"},
                 "training": {"learning_rate": 0.0002, "num_train_epochs": 5.0, "lr_scheduler_kwargs": {"num_cycles": 0.5}},
                 "tuning": {"method": "full"}}
  })json");
}

inline std::vector<report::Event> example_events() {
  std::vector<report::Event> events = {{{"event", "run_begin"},
                                        {"time", "2026-11-23T13:00:00Z"},
                                        {"environment", {{"attune", "0.1.0"}, {"threads", 2}}}},
                                       {{"event", "train_begin"}, {"step", 0}, {"steps", 120}, {"rows", 1200}}};
  for (int step = 10; step <= 120; step += 10) {
    events.push_back({{"event", "log"},
                      {"step", step},
                      {"epoch", step / 40.0},
                      {"loss", 1.1 * std::exp(-step / 40.0) + 0.05},
                      {"learning_rate", 2e-4 * (1 - step / 120.0)},
                      {"grad_norm", 2.0 - step / 100.0}});
    if (step % 40 == 0)
      events.push_back({{"event", "evaluate"},
                        {"step", step},
                        {"eval_loss", 0.4 + std::abs(step - 80) / 400.0},
                        {"eval_accuracy", 0.9 - std::abs(step - 80) / 1000.0},
                        {"eval_f1_macro", 0.88 - std::abs(step - 80) / 900.0}});
  }
  events.push_back({{"event", "best"}, {"step", 80}, {"metric", "eval_loss"}, {"value", 0.4}});
  return events;
}

}  // namespace attune::testing
