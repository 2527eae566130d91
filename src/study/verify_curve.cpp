// Learning curves, gone over again: scores from the predictions that were kept, curves from the scores. See verify.h.
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "attune/base/counted.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/config/config.h"
#include "attune/files/storage.h"
#include "attune/job/environment.h"
#include "attune/job/execution.h"
#include "attune/models/model.h"
#include "attune/study/method.h"
#include "curve_points.h"
#include "curve_statistics.h"
#include "repeat_runs.h"
#include "verifiers.h"

namespace attune::study {

namespace {

using files::Json;

constexpr double kOfCurves = 1e-9;

/// The files that points were computed from, each looked at once.
class InputCheck {
 public:
  const Findings& found() const { return findings_; }

  void check(const Json& identity) {
    for (const auto& [path, hash] : identity.at("files").items()) file(path, hash);
    for (const auto& [base, hashes] : identity.at("bases").items()) {
      for (const auto& [name, hash] : hashes.items()) file(concat(models::resolve_model_path(base), "/", name), hash);
    }
  }

 private:
  void file(const std::string& path, const Json& recorded) {
    if (!known_.emplace(path, recorded).second) return;
    const Json now = path_exists(path, ErrorKind::data) ? Json(files::sha256_file(path, ErrorKind::data)) : Json();
    if (now != recorded)
      findings_.differ(concat(
          path, now.is_null() ? ": the file is missing" : ": the file has other bytes than when the curves were made"));
  }

  Findings findings_;
  std::map<std::string, Json> known_;
};

std::string point_file(const std::string& folder, const std::string& method, const Json& point) {
  const std::string size = point.at("size").is_null() ? std::string("all") : concat("size-", point["size"].dump());
  return concat(folder, "/methods/", method, "/", size, "/point-seed-", point.at("seed").dump(), ".json");
}

/// A point as its predictions say.
CurvePoint point_again(const std::string& folder, const std::string& name, const Json& told, const MethodRows& rows,
                       Findings& findings) {
  if (told.contains("failed")) return curve_point(told);
  const Answers answers =
      read_answers(concat(folder, "/", told.at("predictions").get<std::string>()), rows.labels, rows.test);
  const Json scores = scores_of_point(answers, rows);
  for (const auto& [metric, value] : scores.items())
    findings.compare(told.at(metric), value, concat(name, ": ", metric), kOfCurves);
  return curve_point(told);
}

/// The methods of the results with what is kept of them, and their points gone over.
class CurveCheck {
 public:
  CurveCheck(const VerifyOptions& options, const Json& results, const MethodRows& rows, Findings& findings)
      : folder_(options.folder), per_class_(results.at("per_class").get<bool>()), rows_(rows), findings_(findings) {}

  void method(const Json& method) {
    MethodCurve& curve = curves_.emplace_back();
    curve.name = method.at("name").get<std::string>();
    curve.kind = method.at("kind").get<std::string>();
    curve.learns = method.at("learns").get<bool>();
    const Json kept =
        files::read_json(concat(folder_, "/methods/", curve.name, "/method.json"), {.kind = ErrorKind::data});
    inputs_.check(kept);
    for (const Json& told : method.at("points")) {
      curve.points.push_back(point(curve.name, told));
      if (!told.contains("failed")) runs_.push_back(run_of(curve, told, kept.at("methods").at(0)));
    }
  }

  bool inputs_hold() const { return inputs_.found().holds(); }
  const std::vector<MethodCurve>& curves() const { return curves_; }
  const std::vector<KeptRun>& runs() const { return runs_; }

  void tell() {
    findings_.add(inputs_.found());
    std::size_t points = 0;
    for (const MethodCurve& curve : curves_) points += curve.points.size();
    findings_.check(
        concat(counted(static_cast<std::int64_t>(points), "point"),
               ": scores follow from the predictions that were kept, curves and crossings from the scores"));
  }

 private:
  CurvePoint point(const std::string& method, const Json& told) {
    const Json kept = files::read_json(point_file(folder_, method, told), {.kind = ErrorKind::data});
    const std::string name = concat(method, ", size ", told.at("size").dump(), ", seed ", told.at("seed").dump());
    findings_.compare(told, kept, name, 0);
    return point_again(folder_, name, told, rows_, findings_);
  }

  KeptRun run_of(const MethodCurve& curve, const Json& told, const Json& method) const {
    const Json& first = method.at("candidates").at(0);
    KeptRun run{
        .name = concat(curve.name, ", size ", told.at("size").dump(), ", seed ", told.at("seed").dump()),
        .kind = curve.kind,
        .candidate = told.contains("candidate") ? candidate_named(method, told["candidate"].get<std::string>()) : first,
        .seed = told.at("seed").get<std::uint64_t>(),
        .predictions = concat(folder_, "/", told.at("predictions").get<std::string>())};
    if (told["size"].is_number()) run.part = part_of_curve(per_class_, told["size"].get<std::int64_t>(), run.seed);
    return run;
  }

  const std::string& folder_;
  bool per_class_;
  const MethodRows& rows_;
  Findings& findings_;
  InputCheck inputs_;
  std::vector<MethodCurve> curves_;
  std::vector<KeptRun> runs_;
};

}  // namespace

void verify_learning_curve(const VerifyOptions& options, const Json& results, const report::EventBus& events,
                           Findings& findings) {
  const job::RunOptions run = config::load(options.folder + "/config.resolved.json", {}, job::machine());
  job::set_threads(run.threads);
  const MethodRows rows = read_method_rows(run);
  CurveCheck check(options, results, rows, findings);
  for (const Json& method : results.at("methods")) check.method(method);
  check.tell();
  const Json now = curve_statistics(check.curves(), facts_of_curve(results));
  for (const auto& [key, value] : now.items()) findings.compare(results.at(key), value, key, kOfCurves);
  if (check.inputs_hold()) {
    repeat_runs(options, run, check.runs(), events, findings);
  } else {
    findings.leave_out("trainings and prompts: what they read is no longer there as it was");
  }
}

}  // namespace attune::study
