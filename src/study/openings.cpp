// See openings.h.
#include "openings.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "attune/base/clock.h"
#include "attune/base/error.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/files/line_reader.h"
#include "attune/files/storage.h"

namespace attune::study {

namespace {

using files::Json;

constexpr std::size_t kShownOpenings = 5;

/// The hash of the file, or of the hashes of several: a name says nothing.
std::string content_hash(const std::vector<std::string>& files) {
  std::vector<std::string> hashes;
  for (const std::string& file : files) hashes.push_back(files::sha256_file(file, ErrorKind::data));
  return hashes.size() == 1 ? hashes.front() : files::sha256_hex(join(hashes, " "));
}

/// The lines about these rows.
std::vector<Json> earlier_openings(const std::string& file, const std::string& test) {
  std::vector<Json> openings;
  if (!path_exists(file, ErrorKind::storage)) return openings;
  files::LineReader reader(file);
  for (std::string text; reader.next(text);) {
    Json line = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    const bool is_opening = line.is_object() && line.value("test_sha256", Json()).is_string();
    if (!is_opening) {
      throw Error(ErrorKind::data, {.file = concat(file, ":", reader.line_number()),
                                    .what = "this line is no opening of a test set",
                                    .where = "",
                                    .hint = "mend or remove it, or name another file (compare.openings_file)"});
    }
    if (line["test_sha256"] == test) openings.push_back(std::move(line));
  }
  return openings;
}

/// One write, so that runs side by side do not tear each other's lines.
void append_line(const std::string& file, const Json& line) {
  const std::filesystem::path folder = std::filesystem::path(file).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder);
  std::ofstream out(file, std::ios::app | std::ios::binary);
  const std::string text = files::json_text(line, -1) + "\n";
  out.write(text.data(), static_cast<std::streamsize>(text.size())).flush();
  if (out.good()) return;
  throw Error(ErrorKind::storage, {.file = file,
                                   .what = "the opening of the test rows cannot be noted",
                                   .where = "compare.openings_file",
                                   .hint = "name a file that can be written"});
}

}  // namespace

std::string openings_file(const job::RunOptions& options) {
  if (!options.compare.openings_file.empty()) return options.compare.openings_file;
  const std::filesystem::path folder = std::filesystem::absolute(options.output_dir).lexically_normal();
  return ((folder.filename().empty() ? folder.parent_path() : folder).parent_path() / "test_openings.jsonl").string();
}

Json note_opening(const job::RunOptions& options, const std::string& verb) {
  const std::string remembered = options.output_dir + "/opening.json", file = openings_file(options);
  if (path_exists(remembered, ErrorKind::resume_refused)) {
    return files::read_json(remembered, {.kind = ErrorKind::resume_refused});
  }
  const std::string test = content_hash(options.data.test);
  std::vector<Json> earlier = earlier_openings(file, test);
  const Json mine = {{"time", utc_timestamp()}, {"by", verb}, {"output_dir", options.output_dir}};
  Json opening = {{"test_sha256", test}, {"file", file}, {"before", earlier.size()}, {"by", Json::array()}};
  const std::size_t first = earlier.size() - std::min(earlier.size(), kShownOpenings);
  for (std::size_t i = first; i < earlier.size(); ++i) {
    Json& told = opening["by"].emplace_back(std::move(earlier[i]));
    told.erase("test_sha256");
    told.erase("files");
  }
  Json line = {{"test_sha256", test}, {"files", options.data.test}};
  line.update(mine);
  append_line(file, line);
  files::write_json(remembered, opening);
  return opening;
}

}  // namespace attune::study
