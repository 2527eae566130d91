// The configuration of a run: read and checked, dumped, described. Built on the field lists that stand beside the
// options structs (base/fields.h); nothing about a single option is written here.
//
// A value comes from the struct's default, else from defaults that follow from other options (no validation rows: no
// evaluation), else from the file, else from --set. Whatever is wrong is collected and reported at once.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "attune/base/error.h"
#include "attune/files/json.h"
#include "attune/job/options.h"

namespace attune::config {

using files::Json;

/// One thing that is wrong with a configuration.
struct Problem {
  std::string file;  ///< the configuration file, or "--set"
  std::string key;   ///< full path as written: "training.learing_rate"
  std::string what;  ///< what was found and what was expected
  std::string hint;  ///< what to do; may be empty
};

/// Error{usage} of everything that is wrong. what() is one line; lines() has a line a problem.
class ConfigError : public Error {
 public:
  /// `problems` has at least one.
  explicit ConfigError(std::vector<Problem> problems);

  const std::vector<Problem>& problems() const { return problems_; }
  std::string lines() const override;

 private:
  std::vector<Problem> problems_;
};

/// A key with its JSON value; from `--set a.b=c`, c is JSON if it reads as JSON, else text.
using Overrides = std::vector<std::string>;

/// What options may ask of the build and the machine. This module never sees LibTorch, so whoever does tells it; who says
/// nothing has no GPU.
struct Machine {
  bool has_cuda = false;  ///< the LibTorch that is linked can use CUDA
  int cuda_devices = 0;   ///< that this process sees
};

struct Loaded {
  job::RunOptions options;
  std::vector<std::string> notes;  ///< which aliases were read as what, and what has no effect
};

/// Reads a configuration (comments allowed) and the overrides on top of it; a later override wins.
/// Throws ConfigError with everything that is wrong, or Error{usage} for a text that is no JSON object.
Loaded parse(const std::string& text, const std::string& file, const Overrides& overrides = {},
             const Machine& machine = {});

/// Reads the file at `path` and logs the notes. Throws as parse does, and Error{usage} for a file that cannot be read.
job::RunOptions load(const std::string& path, const Overrides& overrides = {}, const Machine& machine = {});

/// The defaults under the overrides, for verbs that need no configuration file: nothing is required. Throws as parse
/// does.
job::RunOptions defaults(const Overrides& overrides = {}, const Machine& machine = {});

/// Every key with its value, in the order of docs/config.md. parse(effective(o)) gives o again.
Json effective(const job::RunOptions& options);

/// Only what a configuration must say to give `options`.
Json minimal(const job::RunOptions& options);

/// What must not change between a checkpoint and its resumption, path → value: all options that decide the weights of a
/// run, file names included, but not the bytes of those files (hash them too), the device or the threads.
Json decisive(const job::RunOptions& options);
/// SHA-256 over decisive().
std::string fingerprint(const job::RunOptions& options);

struct Difference {
  std::string key;
  std::string before;  ///< JSON text; "null" where nothing is said
  std::string after;
};
/// The options of fingerprint() that differ, for the message of a refused resumption. Both from effective().
std::vector<Difference> differences(const Json& before, const Json& after);

/// JSON Schema (draft 2020-12) of the canonical shape; aliases are not in it.
Json schema();

/// The text of docs/config.md.
std::string documentation();

/// The tasks that starter() knows: those of `model.task`, and "regression" and "multi-label".
std::vector<std::string> starter_tasks();

/// An annotated configuration to begin with; `model.task`'s other spellings are taken too. Throws Error{usage} with the nearest name for an unknown task.
std::string starter(const std::string& task);

}  // namespace attune::config
