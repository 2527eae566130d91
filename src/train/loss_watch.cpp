// See loss_watch.h.
#include "loss_watch.h"

#include <algorithm>
#include <vector>

#include "attune/base/print_number.h"
#include "attune/base/strings.h"

namespace attune::train {

namespace {

std::string loss_text(double loss) { return print_number("%.4g", loss); }

}  // namespace

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

bool LossWatch::is_lost(double loss) const {
  return blind_ && first_ && loss > kLost * (std::max(*first_, blind_->loss) + blind_->margin);
}

std::string LossWatch::describe() const {
  return concat("the loss has risen to ", loss_text(median()), " (it began at ", loss_text(*first_),
                ", and a model that knows nothing has ", loss_text(blind_->loss), ")");
}

std::string LossWatch::describe_lost(double loss) const {
  return concat(loss_text(loss), ", more than ", loss_text(kLost), " times what the training began with (", loss_text(*first_),
                ") and what a model has that knows nothing (", loss_text(blind_->loss), ")");
}

double LossWatch::median() const {
  std::vector<double> sorted(latest_.begin(), latest_.end());
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return *middle;
}

}  // namespace attune::train
