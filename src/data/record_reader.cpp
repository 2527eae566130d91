// See record_reader.h.
#include "attune/data/record_reader.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "attune/base/paths.h"
#include "attune/base/strings.h"
#include "attune/base/utf8.h"
#include "attune/data/csv.h"
#include "attune/data/json_row.h"
#include "attune/files/line_reader.h"
#include "json_list.h"

namespace attune::data {

namespace {

void check_text(std::string_view text, const Origin& origin, const std::string& where) {
  if (const auto bad = find_invalid_utf8(text)) {
    throw BadRow(origin, concat("invalid UTF-8 at byte ", *bad + 1), where, "save the file as UTF-8");
  }
  if (text.find('\0') != std::string_view::npos) throw BadRow(origin, "a NUL character in the text", where);
}

class JsonLines : public RecordReader {
 public:
  explicit JsonLines(const std::string& path) : path_(path), lines_(path) {}

  bool next(Record& record) override {
    do {
      if (!lines_.next(line_)) return false;
    } while (trim(line_).empty());
    record.origin = {path_, lines_.line_number()};
    record.columns = parse_json_row(line_, record.origin);
    return true;
  }

 private:
  FileName path_;
  files::LineReader lines_;
  std::string line_;
};

/// A .json file that is one list of objects, as instruction data are often published.
class JsonList : public RecordReader {
 public:
  JsonList(const std::string& path, std::string text) : path_(path), text_(std::move(text)), list_(text_) {}

  bool next(Record& record) override {
    std::string_view item;
    const JsonListItem found = list_.next(item);
    record.origin = {path_, list_.line()};
    if (found == JsonListItem::broken) {
      throw Error(ErrorKind::data, {.file = place_of(record.origin), .what = "the list of rows is not JSON", .where = "",
                                    .hint = "write [{…}, {…}], or one object a line"});
    }
    if (found == JsonListItem::end) return false;
    record.columns = parse_json_row(item, record.origin);
    return true;
  }

 private:
  FileName path_;
  std::string text_;
  JsonListScanner list_;
};

/// Whether the text of the file begins with a list.
bool is_list(const std::string& text) {
  const std::string_view begin = trim(std::string_view(text).substr(0, 4096));
  return !begin.empty() && begin.front() == '[';
}

class PlainLines : public RecordReader {
 public:
  PlainLines(const std::string& path, const std::string& unit)
      : path_(path), lines_(path), joins_(unit != "line"), whole_(unit == "file") {}

  bool next(Record& record) override {
    do {
      if (!lines_.next(line_)) return false;
    } while (trim(line_).empty());
    record.origin = {path_, lines_.line_number()};
    std::string text = line_;
    while (joins_ && lines_.next(line_) && (whole_ || !trim(line_).empty())) text += "\n" + line_;
    check_text(text, record.origin, "");
    record.columns = {Field::Kind::object, "", {{Field::Kind::text, std::move(text), {}, {}}}, {"text"}};
    return true;
  }

 private:
  FileName path_;
  files::LineReader lines_;
  std::string line_;
  bool joins_, whole_;  ///< a row is several lines; all lines
};

class Table : public RecordReader {
 public:
  Table(const std::string& path, char separator)
      : path_(path), text_(files::read_text(path)), parser_(text_, separator, path) {
    read_header();
  }

  bool next(Record& record) override {
    if (!parser_.next(cells_)) return false;
    record.origin = {path_, parser_.line()};
    record.typed = false;
    if (cells_.size() != columns_.size()) {
      throw BadRow(record.origin, concat("the row has ", cells_.size(), " columns, the header has ", columns_.size()),
                   list_names(columns_), "put cells that hold the separator into quotes");
    }
    record.columns = {Field::Kind::object, "", {}, columns_};
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      check_text(cells_[i], record.origin, concat("column '", columns_[i], "'"));
      record.columns.items.push_back({Field::Kind::text, std::move(cells_[i]), {}, {}});
    }
    return true;
  }

 private:
  void read_header() {
    if (!parser_.next(columns_)) fail("is empty, a header line with the names of the columns was expected", "");
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      check_text(columns_[i], {path_, parser_.line()}, "header");
      const auto end = columns_.begin() + static_cast<std::ptrdiff_t>(i);
      const bool twice = !columns_[i].empty() && std::find(columns_.begin(), end, columns_[i]) != end;
      if (twice) fail(concat("the column '", columns_[i], "' occurs twice"), "header");
    }
  }

  [[noreturn]] void fail(std::string what, std::string where) const {
    throw Error(ErrorKind::data, {.file = path_, .what = std::move(what), .where = std::move(where), .hint = ""});
  }

  FileName path_;
  std::string text_;
  CsvParser parser_;
  std::vector<std::string> columns_;
  std::vector<std::string> cells_;
};

std::string form_of(const std::string& path) {
  std::string name = to_lower_ascii(path);
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  const std::size_t dot = name.find_last_of("./");
  return dot == std::string::npos || name[dot] == '/' ? "" : name.substr(dot);
}

bool is_data(const std::string& name) { return has_columns(name) || is_plain_text(name); }

/// The names of the data files in a folder, in order; none where it cannot be read.
std::vector<std::string> data_files_in(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::vector<std::string> names;
  std::error_code problem, ignored;
  for (fs::directory_iterator entry(folder, problem), end; !problem && entry != end; entry.increment(problem)) {
    const std::string name = entry->path().filename().string();
    if (is_data(name) && !entry->is_directory(ignored)) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// ", did you mean 'x.jsonl'?": the same name with another ending, else the nearest; "" for none.
std::string meant_file(const std::filesystem::path& path, const std::vector<std::string>& names) {
  std::vector<std::string> same;
  for (const std::string& name : names) {
    if (name.starts_with(path.stem().string() + ".")) same.push_back(name);
  }
  if (same.empty()) return did_you_mean(path.filename().string(), names);
  return concat(", did you mean '", join(same, "' or '"), "'?");
}

[[noreturn]] void refuse_missing(const std::string& path) {
  const std::filesystem::path place(path), folder = place.has_parent_path() ? place.parent_path() : ".";
  ErrorText text = {.file = path, .what = "No such file or directory", .where = "", .hint = "check the path"};
  if (place.is_relative()) text.hint += concat("; it counts from ", std::filesystem::current_path().string());
  if (!is_folder(folder.string(), ErrorKind::data)) {
    text.what += concat(": there is no folder '", folder.string(), "'");
    throw Error(ErrorKind::data, text);
  }
  const std::vector<std::string> names = data_files_in(folder);
  const std::string meant = meant_file(place, names);
  text.what += meant;
  if (meant.empty() && !names.empty()) text.where = "data files there: " + list_names(names);
  throw Error(ErrorKind::data, text);
}

}  // namespace

void require_file(const std::string& path) {
  if (is_folder(path, ErrorKind::data)) {
    const std::vector<std::string> names = data_files_in(path);
    throw Error(ErrorKind::data,
                {.file = path,
                 .what = "this is a folder, a file with rows was expected",
                 .where = names.empty() ? "there are no data files in it" : "data files in it: " + list_names(names),
                 .hint = "name a file, or a list of files"});
  }
  if (!path_exists(path, ErrorKind::data)) refuse_missing(path);
}

bool is_plain_text(const std::string& path) {
  return form_of(path) == ".txt";
}

bool has_columns(const std::string& path) {
  const std::string form = form_of(path);
  return form == ".jsonl" || form == ".json" || form == ".ndjson" || form == ".csv" || form == ".tsv";
}

std::unique_ptr<RecordReader> open_records(const std::string& path, const std::string& text_unit) {
  const std::string form = form_of(path);
  if (form == ".json") {
    std::string text = files::read_text(path);
    if (is_list(text)) return std::make_unique<JsonList>(path, std::move(text));
  }
  if (form == ".jsonl" || form == ".json" || form == ".ndjson") return std::make_unique<JsonLines>(path);
  if (form == ".csv") return std::make_unique<Table>(path, ',');
  if (form == ".tsv") return std::make_unique<Table>(path, '\t');
  if (form == ".txt") return std::make_unique<PlainLines>(path, text_unit);
  throw Error(ErrorKind::data, {.file = path,
                                .what = "the name does not say what form the data has",
                                .where = "",
                                .hint = "name it .jsonl, .csv, .tsv or .txt (each also with .gz behind it)"});
}

}  // namespace attune::data
