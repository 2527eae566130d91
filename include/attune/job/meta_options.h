// Options of `attune meta-train` (meta_train.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attune/base/fields.h"

namespace attune::job {

struct MetaOptions {
  std::vector<std::string> tasks;  ///< configuration files whose blocks `data` are further data sets
  std::int64_t episodes = 300;
  std::int64_t inner_steps = 5;
  std::int64_t shots = 0;  ///< rows of a class in an episode; 0 = rows are drawn from all, whatever their class
  double step_size = 0.5;  ///< of the first episode; falls to 0
};

template <class Visitor>
void visit_fields(Visitor& visit, MetaOptions& options) {
  visit(options.tasks, {.key = "tasks",
                        .help = "Configuration files, of which the block `data` is read: data sets beside that of this "
                                "configuration, from which episodes are drawn. Test and validation rows of none are opened."});
  visit(options.episodes,
        {.key = "episodes", .help = "How often the model trains on some rows of one data set.", .range = count_from(1)});
  visit(options.inner_steps, {.key = "inner_steps",
                              .help = "Optimiser steps of an episode, under `training`, at a constant learning rate. With one "
                                      "step it is plain training on all data sets.",
                              .range = count_from(1)});
  visit(options.shots, {.key = "shots",
                        .help = "Rows of each class that an episode sees; 0 draws as many rows as its steps take, whatever their "
                                "class.",
                        .range = count_from(0)});
  visit(options.step_size, {.key = "step_size",
                            .help = "How far the model moves towards what an episode made of it: this share in the first episode, "
                                    "falling to 0 behind the last.",
                            .range = {.min = 0, .max = 1, .min_excluded = true}});
}

}  // namespace attune::job
