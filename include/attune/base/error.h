// The one exception type of attune. A user can cause every Error; what only we can cause is an assertion.
// The kind is the process's exit code (docs/architecture.md lists them).
#pragma once

#include <exception>
#include <string>

namespace attune {

enum class ErrorKind : int {
  internal = 1,
  usage = 2,            ///< command line or configuration
  model = 3,            ///< model, tokenizer or adapter files
  data = 4,             ///< rows of a data set
  diverged = 5,         ///< non-finite loss or gradient
  storage = 6,          ///< disk full, read-only, I/O error
  locked = 7,           ///< output folder in use
  memory = 8,           ///< out of memory
  mismatch = 9,         ///< a reproducibility check failed
  resume_refused = 10,  ///< the job changed since the checkpoint
  peer = 11,            ///< another process failed
  gate = 20,            ///< a metric, audit or stability gate failed
};

/// What went wrong, in the words a user needs: `<file>: <what> (<where>); <hint>`. Empty parts are left out.
struct ErrorText {
  std::string file;   ///< the file or folder at fault
  std::string what;   ///< what was found and what was expected
  std::string where;  ///< key, line, column, row or tensor inside the file
  std::string hint;   ///< what to do
};

class Error : public std::exception {
 public:
  Error(ErrorKind kind, ErrorText text);

  ErrorKind kind() const { return kind_; }
  const ErrorText& text() const { return text_; }
  /// The one-line message without the leading "error: ". Control characters in it are escaped.
  const char* what() const noexcept override { return message_.c_str(); }
  /// The same for a terminal: of several lines where several things are wrong.
  virtual std::string lines() const { return message_; }

 private:
  ErrorKind kind_;
  ErrorText text_;
  std::string message_;
};

/// Throws Error{internal}: for states that only a defect of attune can reach.
[[noreturn]] void internal_error(const std::string& what);

}  // namespace attune
