// Checks that an expression throws attune::Error of a kind, with a text in its message.
#pragma once

#include <string>

#include "attune/base/error.h"
#include "catch.h"

namespace attune::testing {

template <typename Action>
std::string error_of(Action action, ErrorKind kind) {
  try {
    action();
  } catch (const Error& error) {
    INFO(error.what());
    CHECK(static_cast<int>(error.kind()) == static_cast<int>(kind));
    return error.what();
  }
  FAIL_CHECK("no attune::Error was thrown");
  return "";
}

}  // namespace attune::testing

/// CHECK_RAISES(read_json("x.json"), model, "cannot open")
#define CHECK_RAISES(expression, expected_kind, part)                                             \
  do {                                                                                            \
    const std::string raised =                                                                    \
        attune::testing::error_of([&] { (void)(expression); }, attune::ErrorKind::expected_kind); \
    INFO("message: " << raised);                                                                  \
    CHECK(raised.find(part) != std::string::npos);                                                \
  } while (false)
