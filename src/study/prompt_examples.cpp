// See prompt_examples.h.
#include "attune/study/prompt_examples.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "attune/base/counted.h"
#include "attune/base/strings.h"
#include "attune/data/record.h"
#include "attune/study/prompting.h"
#include "design.h"
#include "prompt_run_parts.h"
#include "shown_prompts.h"

namespace attune::study {

namespace {

using files::Json;

/// What the verb asks; puts the rows into its order.
std::vector<DesignPoint> asked_points(PromptJob& job, const std::string& action) {
  if (action == "stability") return design(job);
  if (action == "optimise") {
    shuffle_rows(job, job.options.seeds.front());
    return different_points(job);
  }
  std::vector<DesignPoint> points;
  for (const prompt::Wording& wording : job.wordings) {
    points.push_back(
        {.variant = variant_of(job, wording, job.options.seeds.front()), .levels = {}, .name = wording.name});
  }
  return points;
}

const char* way_of_asking(const PromptJob& job) {
  if (job.options.prompting.answer != "likelihood") return "text";
  return job.loaded.model->spec().task == models::Task::masked_lm ? "gap" : "behind";
}

Json scored_answers(const PromptJob& job, const std::vector<prompt::Continuation>& answers) {
  Json scored = Json::array();
  for (const prompt::Continuation& answer : answers)
    scored.push_back({{"label", job.answer_name(answer.label)}, {"text", answer.text}});
  return scored;
}

Json places_of(const std::vector<const data::Example*>& examples) {
  Json places = Json::array();
  for (const data::Example* example : examples) places.push_back(data::place_of(example->origin));
  return places;
}

/// What the row's answer is held against.
void add_own_answer(const PromptJob& job, std::size_t row, Json& shown) {
  if (!job.asks_texts()) {
    shown["label"] = job.answer_name(static_cast<std::size_t>(job.targets[row].label));
  } else if (has_answer(job.rows[row])) {
    shown["reference"] = *job.rows[row].text_pair;
  }
}

void show_point(const PromptJob& job, const DesignPoint& point, std::size_t rows, std::vector<Json>& shown) {
  const WrittenPrompts written = write_prompts(job, point.variant, rows);
  for (std::size_t row = 0; row < written.prompts.size(); ++row) {
    const data::Origin& origin = job.rows[row].origin;
    Json one = {{"variant", point.name},
                {"row", job.rows[row].id},
                {"file", std::string(origin.file)},
                {"line", origin.line},
                {"examples", places_of(written.examples[row])},
                {"prompt", written.prompts[row]},
                {"asks", way_of_asking(job)},
                {"answers", scored_answers(job, written.answers)}};
    add_own_answer(job, row, one);
    shown.push_back(std::move(one));
  }
}

/// "== default · row 1 (valid.jsonl:2) · 1 example: train.jsonl:7".
std::string prompt_heading(const Json& shown) {
  const auto places = shown["examples"].get<std::vector<std::string>>();
  return concat("== ", shown["variant"].get<std::string>(), " · row ", shown["row"].get<std::string>(), " (",
                shown["file"].get<std::string>(), ":", shown["line"].get<std::int64_t>(), ") · ",
                places.empty()
                    ? std::string("no examples")
                    : concat(counted(static_cast<std::int64_t>(places.size()), "example"), ": ", join(places, ", ")),
                "\n");
}

/// "refund: " a refund", " money back"": in quotes, for blanks count.
std::string answers_of_label(const Json& answers, const std::string& label) {
  std::vector<std::string> texts;
  for (const Json& answer : answers) {
    if (answer["label"] == label) texts.push_back(files::json_text(answer["text"], -1));
  }
  return concat(label, ": ", join(texts, ", "));
}

/// A line a label, in the order of the labels.
std::string scored_lines(const Json& shown) {
  std::string lines, before;
  for (const Json& answer : shown["answers"]) {
    const auto label = answer["label"].get<std::string>();
    if (label == std::exchange(before, label)) continue;
    lines +=
        concat(answers_of_label(shown["answers"], label), shown["label"] == label ? "  <- the row's label" : "", "\n");
  }
  return lines;
}

/// What the model is to do with the prompt.
std::string task_text(const Json& shown) {
  if (shown["asks"] == "behind") return "== scored behind it\n" + scored_lines(shown);
  if (shown["asks"] == "gap") return "== scored in its gap\n" + scored_lines(shown);
  std::string text = "== the model writes on from here";
  for (const auto& [key, what] :
       {std::pair{"label", "; the row's label: "}, std::pair{"reference", "; the row's own: "}}) {
    if (shown.contains(key)) text += what + files::json_text(shown[key], -1);
  }
  return text + "\n";
}

}  // namespace

std::vector<Json> prompt_examples(const job::RunOptions& options, const std::string& action, std::int64_t count,
                                  const report::EventBus& events) {
  if (action != "run") check_study(options);
  PromptJob job = open_prompt_job(options, events);
  warn_of_wordings(job);
  const std::size_t rows = std::min(job.rows.size(), static_cast<std::size_t>(count));
  std::vector<Json> shown;
  for (const DesignPoint& point : asked_points(job, action)) show_point(job, point, rows, shown);
  return shown;
}

std::string prompt_examples_text(const std::vector<Json>& examples) {
  std::string text;
  for (const Json& shown : examples)
    text += concat(prompt_heading(shown), shown["prompt"].get<std::string>(), "\n", task_text(shown), "\n");
  return text;
}

}  // namespace attune::study
