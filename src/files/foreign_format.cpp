// See foreign_format.h.
#include "foreign_format.h"

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "descriptor.h"

namespace attune::files {

std::string describe_foreign_format(std::string_view bytes) {
  // A header of 640 bytes begins with the same two bytes as a pickle; the '{' behind the length tells them apart.
  const bool may_be_safetensors = bytes.size() > 8 && bytes.substr(4, 5) == std::string_view("\0\0\0\0{", 5);
  if (may_be_safetensors) return "";
  if (bytes.starts_with("PK\3\4")) return "pickle";  // torch.save since 1.6: a zip with a pickle in it
  if (bytes.size() > 2 && bytes[0] == '\x80' && bytes[1] >= 2 && bytes[1] <= 5) return "pickle";
  if (bytes.starts_with("version https://git-lfs.github.com/spec/")) return "lfs";
  const std::string start = to_lower_ascii(trim(bytes.substr(0, 256)));
  if (start.starts_with("<!doctype html") || start.starts_with("<html")) return "html";
  return "";
}

void throw_foreign_format(const std::string& path, const std::string& format) {
  const auto fail = [&](std::string what, std::string hint) {
    throw Error(ErrorKind::model, {.file = path, .what = std::move(what), .where = "", .hint = std::move(hint)});
  };
  if (format == "lfs") fail("this is a Git LFS pointer, not the file itself", "run git lfs pull in its repository");
  if (format == "html") fail("looks like an HTML page, not a model", "download the file itself");
  fail("pickle file, and pickle files can run code when they are opened",
       concat("convert it first: python scripts/convert_checkpoint.py ", parent_of(path)));
  internal_error("unreachable");
}

}  // namespace attune::files
