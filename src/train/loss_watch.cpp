// See loss_watch.h.
#include "loss_watch.h"

#include <algorithm>
#include <vector>

#include "attune/base/print_number.h"
#include "attune/base/strings.h"

namespace attune::train {

LossWatch::LossWatch(std::optional<task::BlindLoss> blind, std::int64_t rows_per_step)
    : blind_(blind),
      steps_(static_cast<std::size_t>(std::max(kSteps, (kRows + rows_per_step - 1) / rows_per_step))) {}

bool LossWatch::rises(double loss) {
  if (!first_) first_ = loss;
  latest_.push_back(loss);
  if (latest_.size() > steps_) latest_.pop_front();
  if (!blind_ || told_ || latest_.size() < steps_) return false;
  told_ = median() > std::max(*first_, blind_->loss) + blind_->margin;
  return told_;
}

std::string LossWatch::describe() const {
  const auto number = [](double value) { return print_number("%.4g", value); };
  return concat("the loss has risen to ", number(median()), " (it began at ", number(*first_),
                ", and a model that knows nothing has ", number(blind_->loss), ")");
}

double LossWatch::median() const {
  std::vector<double> sorted(latest_.begin(), latest_.end());
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return *middle;
}

}  // namespace attune::train
