// See openings.h.
#include "attune/job/openings.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>

#include "attune/base/clock.h"
#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/files/line_reader.h"
#include "attune/files/storage.h"

namespace attune::job {

namespace {

namespace fs = std::filesystem;
using files::Json;

constexpr std::size_t kShownOpenings = 5;

std::string one_hash(const std::vector<std::string>& hashes) {
  return hashes.size() == 1 ? hashes.front() : files::sha256_hex(join(hashes, " "));
}

bool is_run(const fs::path& folder) {
  std::error_code ignored;
  return fs::exists(folder / "config.resolved.json", ignored);
}

/// The lines about these rows; others are passed over with a warning. Nothing where the file cannot be read.
std::optional<std::vector<Json>> earlier_openings(const std::string& file, const std::string& test) {
  std::vector<Json> openings;
  try {
    if (!path_exists(file, ErrorKind::storage)) return openings;
    files::LineReader reader(file);
    for (std::string text; reader.next(text);) {
      Json line = Json::parse(text, nullptr, /*allow_exceptions=*/false);
      const bool is_opening = line.is_object() && line.value("test_sha256", Json()).is_string();
      if (!is_opening) {
        log::warning(concat(file, ":", reader.line_number(),
                            ": this line is no opening of a test set and does not count; mend or remove it"));
      } else if (line["test_sha256"] == test) {
        openings.push_back(std::move(line));
      }
    }
  } catch (const Error& error) {
    log::warning(concat(error.what(), ": how often these test rows were opened before is not known"));
    return std::nullopt;
  }
  return openings;
}

/// One write at the end of the file, so that runs side by side do not tear each other's lines. "" or what went wrong.
std::string append_line(const std::string& file, const Json& line) {
  std::error_code problem;
  if (const fs::path folder = fs::path(file).parent_path(); !folder.empty()) fs::create_directories(folder, problem);
  if (problem) return problem.message();
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) return std::strerror(errno);
  const std::string text = files::json_text(line, -1) + "\n";
  const ssize_t written = ::write(descriptor, text.data(), text.size());
  const std::string reason = written < 0                                   ? std::strerror(errno)
                             : written < static_cast<ssize_t>(text.size()) ? "the disk is full"
                                                                           : "";
  ::close(descriptor);
  return reason;
}

std::string memory_of(const RunOptions& options) {
  return options.output_dir + "/opening.json";
}

Json once(const RunOptions& options, const std::string& verb, const std::function<TestRows()>& rows) {
  static std::mutex mutex;  // over seeds side by side
  const std::lock_guard lock(mutex);
  if (Json noted = noted_opening(options); !noted.is_null()) return noted;
  Json opening = note_opening(openings_file(options.data, options.output_dir), rows(), verb, options.output_dir);
  files::write_json(memory_of(options), opening);
  return opening;
}

}  // namespace

TestRows test_rows(const std::vector<std::string>& files) {
  std::vector<std::string> hashes;
  for (const std::string& file : files) hashes.push_back(files::sha256_file(file, ErrorKind::data));
  return {.sha256 = one_hash(hashes), .files = files};
}

TestRows test_rows(const Prepared& prepared) {
  const data::DataOptions& data = prepared.options.data;
  const bool are_drawn = data.test.empty();
  TestRows rows{.sha256 = "", .files = are_drawn ? data.train : data.test};
  std::vector<std::string> hashes;
  for (const std::string& file : rows.files) hashes.push_back(prepared.fingerprints["data"][file].get<std::string>());
  if (are_drawn) hashes.push_back(prepared.fingerprints["split"].get<std::string>());
  rows.sha256 = one_hash(hashes);
  return rows;
}

std::string openings_file(const data::DataOptions& options, const std::string& folder) {
  constexpr const char* kName = "test_openings.jsonl";
  if (!options.openings_file.empty()) return options.openings_file;
  fs::path run = fs::absolute(folder).lexically_normal();
  if (run.filename().empty()) run = run.parent_path();
  if (!is_run(run)) return kName;
  while (is_run(run.parent_path()) && run != run.parent_path()) run = run.parent_path();
  return (run.parent_path() / kName).string();
}

Json note_opening(const std::string& file, const TestRows& rows, const std::string& verb, const std::string& folder) {
  std::optional<std::vector<Json>> earlier = earlier_openings(file, rows.sha256);
  Json opening = {{"test_sha256", rows.sha256},
                  {"file", file},
                  {"before", earlier ? Json(earlier->size()) : Json()},
                  {"by", Json::array()}};
  const std::size_t count = earlier ? earlier->size() : 0;
  for (std::size_t i = count - std::min(count, kShownOpenings); i < count; ++i) {
    Json& told = opening["by"].emplace_back(std::move((*earlier)[i]));
    told.erase("test_sha256");
    told.erase("files");
  }
  const std::string reason = append_line(file, {{"test_sha256", rows.sha256},
                                                {"files", rows.files},
                                                {"time", utc_timestamp()},
                                                {"by", verb},
                                                {"output_dir", folder}});
  opening["noted"] = reason.empty();
  if (!reason.empty()) {
    log::warning(concat(file, ": this opening of the test rows cannot be noted (", reason,
                        "), later ones will not know of it; name a file that can be written (data.openings_file)"));
  }
  return opening;
}

Json note_opening(const RunOptions& options, const std::string& verb) {
  return once(options, verb, [&] { return test_rows(options.data.test); });
}

Json note_opening(const Prepared& prepared, const std::string& verb) {
  return once(prepared.options, verb, [&] { return test_rows(prepared); });
}

Json noted_opening(const RunOptions& options) {
  const std::string path = memory_of(options);
  return path_exists(path, ErrorKind::resume_refused) ? files::read_json(path, {.kind = ErrorKind::resume_refused})
                                                      : Json();
}

}  // namespace attune::job
