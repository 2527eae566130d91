// What is wrong with a command line, in words that help; all throw Error{usage}.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace attune::cli {

/// CLI11 would only say that a subcommand is required.
void refuse_unknown_verb(int argc, char** argv, const std::vector<std::string>& verbs);

/// An unset variable of a script; no argument of any verb may be empty.
void refuse_empty_arguments(int argc, char** argv);

/// What CLI11 found, with the nearest known option.
[[noreturn]] void refuse_parse_error(const CLI::App& program, const CLI::ParseError& error);

}  // namespace attune::cli
