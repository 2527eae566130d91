// See meta_html.h.
#include "attune/report/meta_html.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "attune/base/clock.h"
#include "attune/base/strings.h"
#include "attune/report/table.h"
#include "charts.h"
#include "html_page.h"
#include "html_text.h"
#include "study_html.h"

namespace attune::report {

namespace {

using files::Json;

constexpr std::size_t kMeanEpisodes = 10;  ///< of a data set, that its line is the mean of

/// Of a data set the loss of the first step of its episodes, by the number of the episode from 1 on.
struct EpisodeLosses {
  std::string name;
  std::vector<Point> points;
};

/// Those of the data sets that had an episode.
std::vector<EpisodeLosses> episode_losses(const Json& results, const Json& episodes) {
  std::vector<EpisodeLosses> losses;
  for (const Json& task : results["tasks"]) losses.push_back({.name = task["name"].get<std::string>(), .points = {}});
  double number = 0;
  for (const Json& episode : episodes) {
    number += 1;
    losses.at(episode["task"].get<std::size_t>()).points.emplace_back(number, episode["first_loss"].get<double>());
  }
  std::erase_if(losses, [](const EpisodeLosses& one) { return one.points.empty(); });
  return losses;
}

/// At every episode the mean of it and of those before it, kMeanEpisodes in all.
std::vector<Point> recent_means(const std::vector<Point>& points) {
  std::vector<Point> means;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const std::size_t first = i + 1 > kMeanEpisodes ? i + 1 - kMeanEpisodes : 0;
    double sum = 0;
    for (std::size_t j = first; j <= i; ++j) sum += points[j].second;
    means.emplace_back(points[i].first, sum / static_cast<double>(i + 1 - first));
  }
  return means;
}

/// The last folder and the file, where these tell the data sets apart: charts have no room for long paths.
std::vector<std::string> names_in_charts(const std::vector<EpisodeLosses>& losses) {
  std::vector<std::string> names, whole;
  for (const EpisodeLosses& one : losses) {
    const std::filesystem::path path = one.name;
    whole.push_back(one.name);
    names.push_back((path.parent_path().filename() / path.filename()).string());
  }
  const bool are_apart = std::set<std::string>(names.begin(), names.end()).size() == names.size();
  return are_apart ? names : whole;
}

LineChart episode_chart(const std::string& title) {
  return {.title = title, .x_label = "episode", .y_label = "loss", .lines = {}, .marked_x = {}, .mark = {}};
}

void add_episodes(LineChart& chart, const std::string& name, const std::vector<Point>& points,
                  const std::string& colour) {
  chart.lines.push_back({.name = name, .points = points, .css = colour + " thin", .dots = true, .joined = false});
  chart.lines.push_back({.name = name, .points = recent_means(points), .css = colour});
}

/// All data sets in one chart where there is a colour for each and the legend has room, else a chart each.
std::string episode_charts(const std::vector<EpisodeLosses>& losses) {
  static constexpr std::array kSetColours = {"series-a", "series-b", "series-c", "series-d"};
  constexpr std::size_t kTitleColumns = 60;
  const std::vector<std::string> names = names_in_charts(losses);
  if (losses.size() <= kSetColours.size() && legend_fits(names)) {
    LineChart chart = episode_chart("Loss at the beginning of an episode");
    for (std::size_t i = 0; i < losses.size(); ++i) add_episodes(chart, names[i], losses[i].points, kSetColours[i]);
    return "<div>" + line_chart(chart) + "</div>\n";
  }
  std::string html;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    LineChart chart = episode_chart(fit_width(names[i], kTitleColumns));
    add_episodes(chart, "loss at the beginning of an episode", losses[i].points, kSetColours.front());
    html += "<div>" + line_chart(chart) + "</div>\n";
  }
  return html;
}

/// "22 713 216 parameters", "1 parameter".
std::string things_text(const Json& count, const char* thing) {
  return concat(count_text(count.get<double>()), " ", thing, count == 1 ? "" : "s");
}

std::string meta_header(const Json& results) {
  return concat("<p class=\"soft\">", things_text(results["episodes"], "episode"), " of ",
                things_text(results["inner_steps"], "step"), " · ", things_text(results["tasks"].size(), "data set"),
                " · ", things_text(results["trained"], "trained parameter"), " that they have in common · ",
                format_duration(results["seconds"].get<double>()), "</p>\n");
}

/// On how many data sets the loss fell; "" where none had a first and a last episode.
std::string fallen_lead(const Json& results) {
  std::size_t measured = 0, fallen = 0;
  for (const Json& task : results["tasks"]) {
    if (task["episodes"].get<std::size_t>() < 2) continue;
    ++measured;
    if (task["last_loss"].get<double>() < task["first_loss"].get<double>()) ++fallen;
  }
  if (measured == 0) return "";
  return lead(concat("On <b>", fallen, " of ", measured, measured == 1 ? " data set" : " data sets",
                     "</b> episodes began with a lower loss in the last quarter than in the first."));
}

std::string losses_section(const Json& results, const Json& episodes) {
  const std::vector<EpisodeLosses> losses = episode_losses(results, episodes);
  return concat(fallen_lead(results),
                "<p>A loss is that of an episode's first step, before anything of the episode is learned: of the "
                "start that all data sets have in common, under the head of the data set itself, which goes from "
                "episode to episode too and is not saved. That it falls says that start and heads fit these data sets "
                "better. <b>Whether a new data set gains, it does not say.</b></p>\n",
                losses.empty() ? "" : concat("<div class=\"charts\">", episode_charts(losses), "</div>\n"),
                "<p class=\"soft\">Dots are episodes, where there are very many means of neighbours. A line is the "
                "mean of the data set's last ",
                kMeanEpisodes, " episodes, at the beginning of fewer.</p>\n");
}

std::string meta_table(const Json& results) {
  HtmlTable table{.header = {"data set", "rows", "labels", "episodes", "loss, first quarter", "loss, last quarter"},
                  .rows = {}};
  for (const Json& task : results["tasks"]) {
    table.rows.push_back({escape_html(task["name"].get<std::string>()), count_text(task["rows"].get<double>()),
                          count_text(task["labels"].get<double>()), count_text(task["episodes"].get<double>()),
                          figure(task["first_loss"]), figure(task["last_loss"])});
  }
  return html_table(table) +
         "<p class=\"soft\">Losses are means over the first and the last quarter of a data set's episodes, each at "
         "their beginning. Validation and test rows were not opened.</p>\n";
}

std::string next_section(const Json& results) {
  const std::string setting = in_shell(concat("model.path=", results["output_dir"].get<std::string>()));
  return concat(
      "<p>The folder is a model without a head. Tune it on a new data set, with CONFIG for its configuration:</p>\n",
      "<pre>attune train CONFIG --set ", escape_html(setting), "</pre>\n",
      "<p>Train once without that setting too, from the model that meta-training began with, on the same few "
      "rows (<code>data.subset</code> draws some): the difference is what meta-training brings. "
      "<code>attune verify</code> repeats the episodes and says whether losses and values are the same.</p>\n");
}

}  // namespace

std::string meta_train_page(const Json& results, const Json& episodes) {
  return html_page({.title = page_title(results), .header = meta_header(results), .version = "–"},
                   {{"losses", "Losses", losses_section(results, episodes)},
                    {"data", "Data sets", meta_table(results)},
                    {"next", "What to do next", next_section(results)}});
}

}  // namespace attune::report
