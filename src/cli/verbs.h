// The table of verbs and their command-line options.
#pragma once

namespace attune::cli {

/// Parses the command line, runs the verb and returns the exit code.
int run(int argc, char** argv);

}  // namespace attune::cli
