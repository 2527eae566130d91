// What `attune learning-curve` trains on how many labels.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "attune/base/fields.h"
#include "attune/job/method_options.h"

namespace attune::job {

struct LearningCurveOptions {
  std::vector<std::int64_t> sizes;
  bool per_class = true;
  std::vector<MethodOptions> methods;
  std::int64_t selection_budget = 4;
  std::int64_t more_labels = 100;
  bool keep_models = false;
};

template <class Visitor>
void visit_fields(Visitor& visit, LearningCurveOptions& options) {
  visit(options.sizes, {.key = "sizes",
                        .help = "Numbers of training rows, at least three. Under one seed the rows of a smaller number are among those of a larger.",
                        .range = count_from(1),
                        .part_of_job = false});
  visit(options.per_class, {.key = "per_class",
                            .help = "Whether the numbers are rows of each class, or rows in all, each class with its share.",
                            .part_of_job = false});
  visit(options.methods, {.key = "methods",
                          .help = "What learns from them, as in `compare.methods`. All methods answer the same test rows.",
                          .part_of_job = false});
  visit(options.selection_budget,
        {.key = "selection_budget",
         .help = "How many candidates (values of `vary` × wordings) a method may choose among by the validation rows, for each number and "
                 "seed anew.",
         .range = count_from(1),
         .part_of_job = false});
  visit(options.more_labels, {.key = "more_labels",
                              .help = "How many more labels it is said what they would bring, of each class where `per_class`.",
                              .range = count_from(1),
                              .part_of_job = false});
  visit(options.keep_models, {.key = "keep_models",
                              .help = "Keeps the weights of every training; by default only what it says is kept.",
                              .part_of_job = false});
}

}  // namespace attune::job
