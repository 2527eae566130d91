// See regex.h. Besides pattern.cpp the only file that knows PCRE2.
#include "attune/text/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <stdexcept>

namespace attune::text {

namespace {

constexpr std::uint32_t kMatchLimit = 1'000'000;  // steps; an honest pattern over a path takes some hundreds

std::string message(int code) {
  std::array<PCRE2_UCHAR, 256> buffer{};
  pcre2_get_error_message(code, buffer.data(), buffer.size());
  return reinterpret_cast<const char*>(buffer.data());
}

PCRE2_SPTR bytes(std::string_view text) {
  return reinterpret_cast<PCRE2_SPTR>(text.data());
}

struct Free {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};
using MatchData = std::unique_ptr<pcre2_match_data, Free>;

}  // namespace

struct Regex::Program {
  std::unique_ptr<pcre2_code, Free> code;

  /// The match in `text`, or null.
  MatchData match(std::string_view text, std::uint32_t options) const {
    const std::unique_ptr<pcre2_match_context, Free> context(pcre2_match_context_create(nullptr));
    pcre2_set_match_limit(context.get(), kMatchLimit);
    MatchData data(pcre2_match_data_create_from_pattern(code.get(), nullptr));
    const int found =
        pcre2_match(code.get(), bytes(text), text.size(), 0, options, data.get(), context.get());
    if (found == PCRE2_ERROR_NOMATCH) return nullptr;
    if (found < 0) throw std::invalid_argument(message(found));
    return data;
  }
};

Regex::Regex(const std::string& pattern) : program_(std::make_unique<Program>()) {
  int error = 0;
  PCRE2_SIZE where = 0;
  program_->code.reset(pcre2_compile(bytes(pattern), pattern.size(), PCRE2_UTF, &error, &where, nullptr));
  if (program_->code == nullptr) throw std::invalid_argument(message(error));
}

Regex::Regex(Regex&&) noexcept = default;
Regex::~Regex() = default;

bool Regex::matches_whole(std::string_view text) const {
  return program_->match(text, PCRE2_ANCHORED | PCRE2_ENDANCHORED) != nullptr;
}

bool Regex::matches_somewhere(std::string_view text) const {
  return program_->match(text, 0) != nullptr;
}

std::string Regex::first_group(std::string_view text) const {
  const MatchData data = program_->match(text, PCRE2_ANCHORED);
  if (data == nullptr || pcre2_get_ovector_count(data.get()) < 2) return "";
  const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(data.get());
  return bounds[2] == PCRE2_UNSET ? "" : std::string(text.substr(bounds[2], bounds[3] - bounds[2]));
}

std::string escape_regex(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (std::string_view(R"(\^$.|?*+()[]{}-)").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

}  // namespace attune::text
