// See diagnose.h.
#include "diagnose.h"

#include <ATen/ops/aminmax.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "attune/base/counted.h"
#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/tensor/weights.h"

namespace attune::train {

namespace {

constexpr std::size_t kListedRows = 8;

std::string first_non_finite(const tensor::Arena& arena, const std::vector<std::string>& names, const char* noun) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::int64_t count = tensor::non_finite_count(arena.slices()[i]);
    if (count > 0) return concat("first bad ", noun, ": '", names[i], "' with ", count, " non-finite values");
  }
  return concat("all trained ", noun, "s are finite");
}

[[noreturn]] void diverged(const Run& run, const std::string& what, std::span<const task::Encoded* const> rows,
                           const std::string& tensor) {
  throw Error(ErrorKind::diverged, {.file = "",
                                    .what = concat(what, " at step ", run.state.step + 1, "; the step was not applied"),
                                    .where = concat(places_of(rows, run.job.train.examples), "; ", tensor),
                                    .hint = "lower learning_rate, clip with max_grad_norm, or look at these rows"});
}

}  // namespace

std::string places_of(std::span<const task::Encoded* const> rows, const files::ListView<data::Example>& examples) {
  if (examples.empty()) return counted(static_cast<std::int64_t>(rows.size()), "row");
  std::vector<std::pair<std::string, std::vector<std::string>>> files;  // with their lines
  for (std::size_t i = 0; i < std::min(rows.size(), kListedRows); ++i) {
    const std::shared_ptr<const data::Example> example = examples.get(static_cast<std::size_t>(rows[i]->example));
    const data::Origin& origin = example->origin;
    auto file = std::ranges::find_if(files, [&](const auto& entry) { return entry.first == origin.file; });
    if (file == files.end()) file = files.insert(file, {origin.file, {}});
    const std::string line = std::to_string(origin.line);
    if (std::ranges::find(file->second, line) == file->second.end()) file->second.push_back(line);  // (windows of one row)
  }
  std::vector<std::string> places;
  for (const auto& [file, lines] : files) {
    places.push_back(concat(file, lines.size() == 1 ? " line " : " lines ", join(lines, ", ")));
  }
  return concat(join(places, ", "), rows.size() > kListedRows ? ", …" : "");
}

void loss_diverged(const Run& run, double loss, std::span<const task::Encoded* const> rows) {
  diverged(run, concat("the loss is ", loss), rows,
           first_non_finite(run.trained.arena().values(), run.trained.names(), "weight"));
}

void loss_lost(const Run& run, double loss, std::span<const task::Encoded* const> rows) {
  diverged(run, concat("the loss is ", run.watch.describe_lost(loss)), rows,
           first_non_finite(run.trained.arena().values(), run.trained.names(), "weight"));
}

void validation_lost(const Run& run, double loss) {
  throw Error(ErrorKind::diverged, {.file = "",
                                    .what = concat("after step ", run.state.step, " the loss of the validation rows is ",
                                                   run.watch.describe_lost(loss)),
                                    .where = "",
                                    .hint = "lower learning_rate, or clip with max_grad_norm"});
}

void gradient_diverged(const Run& run, double norm, std::span<const task::Encoded* const> rows) {
  diverged(run, concat("the gradient norm is ", std::isnan(norm) ? "not a number" : "infinite"), rows,
           first_non_finite(run.trained.arena().gradients(), run.trained.names(), "gradient"));
}

void check_outputs(const at::Tensor& logits, const std::vector<const task::Encoded*>& rows,
                   std::span<const data::Example> examples) {
  if (logits.numel() == 0) return;
  const auto [low, high] = at::aminmax(logits);  // both are NaN when any value is
  if (std::isfinite(low.item<double>()) && std::isfinite(high.item<double>())) return;
  throw Error(ErrorKind::diverged, {.file = "",
                                    .what = "the model's outputs are not finite (NaN or infinity)",
                                    .where = concat("among ", places_of(rows, examples)),
                                    .hint = "its training diverged or its weights are damaged: use an earlier model"});
}

}  // namespace attune::train
