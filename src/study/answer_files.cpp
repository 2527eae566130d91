// See answer_files.h.
#include "answer_files.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/files/line_reader.h"
#include "attune/study/prompting.h"

namespace attune::study {

namespace {

using files::Json;

[[noreturn]] void refuse_answers(const std::string& place, const std::string& what) {
  throw Error(ErrorKind::data, {.file = place,
                                .what = what,
                                .where = "",
                                .hint = "compare anew in another output_dir, or remove the file and --resume"});
}

std::string gold_name(const data::Example& row) {
  return std::get<data::ClassLabel>(row.target).name;
}

/// The row's label and probabilities, added to the answers.
void add_line(const Json& line, const std::string& place, const data::LabelMap& labels, const data::Example& row,
              Answers& answers) {
  const bool is_line = line.is_object() && line.value("label", Json()).is_string();
  if (!is_line) refuse_answers(place, "this is no prediction of a label");
  if (line.value("id", Json()) != row.id || line.value("gold", Json()) != gold_name(row)) {
    refuse_answers(place, concat("it answers another row than ", row.origin.file, ":", row.origin.line, " holds now"));
  }
  const std::string label = line["label"].get<std::string>();
  const auto id = labels.find(label);
  if (!id && label != kNoAnswer) refuse_answers(place, concat("the label '", label, "' is none of the training rows"));
  answers.predicted.push_back(id.value_or(static_cast<std::int64_t>(labels.names.size())));
  if (!line.contains("scores")) return;
  for (const std::string& name : labels.names) {
    const Json score = line["scores"].is_object() ? line["scores"].value(name, Json()) : Json();
    if (!score.is_number()) refuse_answers(place, concat("the label '", name, "' has no score"));
    answers.probabilities.push_back(score.get<double>());
  }
}

}  // namespace

std::string answer_lines(const Answers& answers, const data::LabelMap& labels, const std::vector<data::Example>& rows) {
  const std::size_t classes = labels.names.size();
  std::string lines;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto label = static_cast<std::size_t>(answers.predicted[row]);
    Json line = {{"id", rows[row].id}, {"label", label < classes ? labels.names[label] : kNoAnswer}};
    if (!answers.probabilities.empty()) {
      const double* scores = &answers.probabilities[row * classes];
      line["score"] = scores[label];
      for (std::size_t c = 0; c < classes; ++c) line["scores"][labels.names[c]] = scores[c];
    }
    line["gold"] = gold_name(rows[row]);
    lines += files::json_text(line, -1) + "\n";
  }
  return lines;
}

Answers read_answers(const std::string& path, const data::LabelMap& labels, const std::vector<data::Example>& rows) {
  Answers answers;
  files::LineReader reader(path);
  for (std::string line; reader.next(line);) {
    const std::string place = concat(path, ":", reader.line_number());
    const std::size_t row = answers.predicted.size();
    if (row == rows.size()) refuse_answers(place, concat("there are only ", rows.size(), " rows"));
    add_line(Json::parse(line, nullptr, /*allow_exceptions=*/false), place, labels, rows[row], answers);
  }
  if (answers.predicted.size() != rows.size()) {
    refuse_answers(path, concat("it answers ", answers.predicted.size(), " rows, there are ", rows.size()));
  }
  if (!answers.probabilities.empty() && answers.probabilities.size() != rows.size() * labels.names.size()) {
    refuse_answers(path, "some rows have scores and some have not");
  }
  return answers;
}

std::vector<double> losses_of(const Answers& answers, const std::vector<std::int64_t>& gold, std::size_t labels) {
  constexpr double kLeast = std::numeric_limits<double>::min();  // (of a label that cannot be, the loss is finite)
  std::vector<double> losses;
  if (answers.probabilities.empty()) return losses;
  for (std::size_t row = 0; row < gold.size(); ++row) {
    const double p = answers.probabilities[row * labels + static_cast<std::size_t>(gold[row])];
    losses.push_back(std::max(0.0, -std::log(std::max(p, kLeast))));  // (rounded sums may lie above 1)
  }
  return losses;
}

}  // namespace attune::study
