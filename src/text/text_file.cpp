// See text_file.h.
#include "text_file.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "attune/base/error.h"
#include "attune/base/paths.h"
#include "attune/base/strings.h"

namespace attune::text {

namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMaxBytes = 64u << 20;

[[noreturn]] void bad_file(const std::string& path, const std::string& what, const std::string& hint) {
  throw Error(ErrorKind::model, {.file = path, .what = what, .where = "", .hint = hint});
}

}  // namespace

std::string read_text_file(const std::string& path) {
  if (!path_exists(path, ErrorKind::model)) {
    bad_file(path, "the file does not exist", "check the path of the model folder");
  }
  std::error_code error;
  if (!fs::is_regular_file(path, error)) bad_file(path, "this is not a regular file", "name a file of a model folder");
  if (const std::uintmax_t size = fs::file_size(path, error); size > kMaxBytes) {
    bad_file(path, concat("the file has ", size, " bytes, more than the limit of ", kMaxBytes),
             "check that it is a tokenizer file");
  }
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) bad_file(path, "the file cannot be read", "check its permissions");
  return std::move(text).str();
}

}  // namespace attune::text
