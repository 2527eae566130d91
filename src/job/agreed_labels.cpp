// See agreed_labels.h.
#include "job/agreed_labels.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/metrics/probabilities.h"
#include "job/encode_rows.h"

namespace attune::job {

using files::Json;

namespace {

const std::string& name_of_label(const metrics::Agreement& agreement, const Prepared& prepared) {
  return prepared.labels.names[static_cast<std::size_t>(agreement.label)];
}

/// In every wording, with its label.
void add_prompts(std::size_t row, const std::string& label, const Prepared& prepared,
                 files::LongList<data::Example>& prompts) {
  for (std::size_t wording = 0; wording < prepared.prompts_a_row(); ++wording) {
    data::Example prompt = prepared.unlabelled.examples[row * prepared.prompts_a_row() + wording];
    prompt.target = data::ClassLabel{label};
    prompts.push_back(std::move(prompt));
  }
}

}  // namespace

Json AgreedLabels::to_json() const {
  Json list = Json::array();
  for (std::size_t i = 0; i < rows.size(); ++i)
    list.push_back({rows[i], agreements[i].label, agreements[i].share, agreements[i].probability});
  return list;
}

AgreedLabels AgreedLabels::from_json(const Json& list) {
  AgreedLabels taken;
  for (const Json& row : list) {
    taken.rows.push_back(row.at(0).get<std::size_t>());
    taken.agreements.push_back({.label = row.at(1).get<std::int64_t>(),
                                .share = row.at(2).get<double>(),
                                .probability = row.at(3).get<double>()});
  }
  return taken;
}

metrics::AgreementRule rule_of(const adapt::SelfTrainingOptions& options) {
  return {.min_share = options.min_agreement,
          .min_probability = options.min_probability,
          .max_per_class = options.max_per_class};
}

std::optional<std::vector<metrics::Agreement>> ask_for_labels(const Fit& teacher, const Rows& rows,
                                                              const FitRequest& request) {
  const Prepared& prepared = *request.prepared;
  if (rows.empty()) return std::vector<metrics::Agreement>();
  const std::size_t labels = prepared.labels.names.size();
  const auto predictions = predict_until_signal(teacher, {rows.encoded.values(), rows.examples.values()}, request);
  if (!predictions) return std::nullopt;
  std::vector<float> logits;
  for (const task::Prediction& prediction : *predictions)
    std::ranges::copy(prediction.logits, std::back_inserter(logits));
  return metrics::agreements(metrics::softmax_rows(logits, labels), prepared.prompts_a_row(), labels);
}

AgreedLabels take_agreed(const std::vector<metrics::Agreement>& agreements, const std::vector<std::size_t>& agreed,
                         const metrics::AgreementRule& rule) {
  AgreedLabels taken{.rows = metrics::surest_rows(agreements, agreed, rule), .agreements = {}};
  for (const std::size_t row : taken.rows) taken.agreements.push_back(agreements[row]);
  return taken;
}

Json judge_agreement(const std::vector<metrics::Agreement>& agreements, const Prepared& prepared,
                     const metrics::AgreementRule& rule) {
  const auto is_right = [&](std::size_t row) {
    return agreements[row].label == prepared.asked_validation.encoded[row * prepared.prompts_a_row()].label;
  };
  const auto accuracy = [&](const std::vector<std::size_t>& rows) {
    const auto right = static_cast<double>(std::ranges::count_if(rows, is_right));
    return rows.empty() ? Json(nullptr) : Json(right / static_cast<double>(rows.size()));
  };
  const std::vector<std::size_t> agreed = metrics::agreed_rows(agreements, rule),
                                 all = metrics::agreed_rows(agreements, {.min_share = 0, .min_probability = 0});
  return {{"rows", all.size()},
          {"agreed", agreed.size()},
          {"accuracy", accuracy(agreed)},
          {"accuracy_of_all", accuracy(all)}};
}

Json count_by_label(const AgreedLabels& taken, const Prepared& prepared) {
  Json counts = Json::object();
  for (const std::string& name : prepared.labels.names) {
    counts[name] = std::ranges::count_if(
        taken.agreements, [&](const metrics::Agreement& row) { return name_of_label(row, prepared) == name; });
  }
  return counts;
}

std::string selected_lines(const AgreedLabels& taken, const Prepared& prepared, std::int64_t round) {
  std::string lines;
  for (std::size_t i = 0; i < taken.rows.size(); ++i) {
    const data::Example& row = prepared.unlabelled.examples[taken.rows[i] * prepared.prompts_a_row()];
    const metrics::Agreement& agreement = taken.agreements[i];
    const Json line = {{"round", round},
                       {"id", row.id},
                       {"file", static_cast<const std::string&>(row.origin.file)},
                       {"line", row.origin.line},
                       {"label", name_of_label(agreement, prepared)},
                       {"agreement", agreement.share},
                       {"probability", agreement.probability}};
    lines += files::json_text(line, -1) + "\n";
  }
  return lines;
}

TaughtRows taught_rows(const AgreedLabels& taken, const Prepared& prepared) {
  Rows added;
  for (std::size_t i = 0; i < taken.rows.size(); ++i)
    add_prompts(taken.rows[i], name_of_label(taken.agreements[i], prepared), prepared, added.examples);
  data::ReadReport none_is_skipped;
  const std::unique_ptr<task::Task> task = make_fitted_task(prepared, {});
  encode_rows(added, {.task = *task, .tokenizer = *prepared.tokenizer, .keeps_texts = false}, none_is_skipped);
  TaughtRows rows{.examples = prepared.train.examples.values(), .encoded = prepared.train.encoded.values()};
  const auto before = static_cast<std::int64_t>(rows.examples.size());
  for (task::Encoded& row : added.encoded.values()) {
    row.example += before;
    rows.encoded.push_back(std::move(row));
  }
  std::ranges::move(added.examples.values(), std::back_inserter(rows.examples));
  return rows;
}

}  // namespace attune::job
