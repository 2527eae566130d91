// See error.h.
#include "attune/base/error.h"

#include "attune/base/strings.h"

namespace attune {

namespace {

std::string message_of(const ErrorText& text) {
  std::string message;
  if (!text.file.empty()) message += text.file + ": ";
  message += text.what;
  if (!text.where.empty()) message += " (" + text.where + ")";
  if (!text.hint.empty()) message += "; " + text.hint;
  return escape_control(message);
}

}  // namespace

Error::Error(ErrorKind kind, ErrorText text) : kind_(kind), text_(std::move(text)), message_(message_of(text_)) {}

void internal_error(const std::string& what) {
  throw Error(ErrorKind::internal, {.file = "", .what = what, .where = "", .hint = "this is a defect of attune, please report it"});
}

}  // namespace attune
