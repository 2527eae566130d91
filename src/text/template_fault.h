// What goes wrong inside the template engine. ChatTemplate and Template add the file and throw it on as attune::Error.
#pragma once

#include <string>

#include "attune/base/error.h"
#include "attune/base/strings.h"

namespace attune::text::jinja {

struct Fault {
  ErrorKind kind;
  std::string what;
  std::string hint;
  int line = 0;  ///< of the template; 0 = the line that is being rendered
  std::string undefined = {};  ///< the variable that nobody gave, where that is what is wrong
};

/// fail("cannot add ", a, " and ", b): the template (or what it was given) is wrong.
template <typename... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  throw Fault{ErrorKind::model, concat(parts...), ""};
}

template <typename... Parts>
[[noreturn]] void fail_at(int line, const Parts&... parts) {
  throw Fault{ErrorKind::model, concat(parts...), "", line};
}

}  // namespace attune::text::jinja
