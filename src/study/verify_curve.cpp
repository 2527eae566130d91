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
#include "attune/job/execution.h"
#include "attune/models/model.h"
#include "attune/study/method.h"
#include "curve_points.h"
#include "curve_statistics.h"
#include "verifiers.h"

namespace attune::study {

namespace {

using files::Json;

constexpr double kOfCurves = 1e-9;

/// The files that points were computed from, each looked at once.
class InputCheck {
 public:
  explicit InputCheck(Findings& findings) : findings_(findings) {}

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

  Findings& findings_;
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

}  // namespace

void verify_learning_curve(const VerifyOptions& options, const Json& results, const report::EventBus&,
                           Findings& findings) {
  const job::RunOptions run = config::load(options.folder + "/config.resolved.json", {}, job::machine());
  const MethodRows rows = read_method_rows(run);
  InputCheck inputs(findings);
  std::vector<MethodCurve> curves;
  std::int64_t points = 0;
  for (const Json& method : results.at("methods")) {
    MethodCurve& curve = curves.emplace_back();
    curve.name = method.at("name").get<std::string>();
    curve.kind = method.at("kind").get<std::string>();
    curve.learns = method.at("learns").get<bool>();
    inputs.check(
        files::read_json(concat(options.folder, "/methods/", curve.name, "/method.json"), {.kind = ErrorKind::data}));
    for (const Json& told : method.at("points")) {
      const Json kept = files::read_json(point_file(options.folder, curve.name, told), {.kind = ErrorKind::data});
      const std::string name = concat(curve.name, ", size ", told.at("size").dump(), ", seed ", told.at("seed").dump());
      findings.compare(told, kept, name, 0);
      curve.points.push_back(point_again(options.folder, name, told, rows, findings));
      ++points;
    }
  }
  const Json now = curve_statistics(curves, facts_of_curve(results));
  for (const auto& [key, value] : now.items()) findings.compare(results.at(key), value, key, kOfCurves);
  findings.check(concat(counted(points, "point"),
                        ": scores follow from the predictions that were kept, curves and crossings from the scores"));
  findings.leave_out("trainings and answers: none was repeated");
}

}  // namespace attune::study
