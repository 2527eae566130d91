// See pattern.h. Besides regex.cpp the only file that knows PCRE2.
#include "pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/base/utf8.h"

namespace attune::text {

namespace {

// A hostile pattern ends in an error instead of never: each match is bounded by its steps (linear in the text, which
// honest patterns are), its memory, and all matches of a text together by time, looked at whenever the engine has tried
// `kWindow` beginnings.
constexpr std::uint32_t kMatchLimit = 5'000'000;
constexpr std::uint32_t kStepsPerByte = 10;
constexpr std::uint32_t kHeapLimitKib = 256 << 10;
constexpr std::size_t kWindow = 256;
constexpr std::chrono::nanoseconds kTimeLimit = std::chrono::seconds(2);
constexpr std::chrono::nanoseconds kTimePerByte = std::chrono::microseconds(10);

template <auto free_it>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    free_it(object);
  }
};
using Code = std::unique_ptr<pcre2_code, Freed<pcre2_code_free>>;
using MatchContext = std::unique_ptr<pcre2_match_context, Freed<pcre2_match_context_free>>;
using CompileContext = std::unique_ptr<pcre2_compile_context, Freed<pcre2_compile_context_free>>;
using MatchData = std::unique_ptr<pcre2_match_data, Freed<pcre2_match_data_free>>;

constexpr int kOutOfTime = -10'000;  ///< beside PCRE2's own error codes

std::string pcre2_message(int code) {
  if (code == kOutOfTime) return "time limit exceeded";
  std::array<PCRE2_UCHAR, 256> buffer{};
  pcre2_get_error_message(code, buffer.data(), buffer.size());
  return reinterpret_cast<const char*>(buffer.data());
}

Code compile(const std::string& pattern) {
  const CompileContext context(pcre2_compile_context_create(nullptr));
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  int error = 0;
  PCRE2_SIZE where = 0;
  const auto* text = reinterpret_cast<PCRE2_SPTR>(pattern.data());
  Code code(pcre2_compile(text, pattern.size(), PCRE2_UTF | PCRE2_MULTILINE | PCRE2_USE_OFFSET_LIMIT, &error, &where,
                          context.get()));
  if (code == nullptr) throw std::invalid_argument(pcre2_message(error));
  pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE);  // where there is no JIT the interpreter runs
  return code;
}

}  // namespace

struct Pattern::Program {
  Code code;
};

namespace {

/// The first character boundary behind byte `at`.
std::size_t next_boundary(std::string_view text, std::size_t at) {
  do ++at;
  while (at < text.size() && is_continuation_byte(text[at]));
  return at;
}

/// The successive matches of a pattern in one text.
class Search {
 public:
  Search(const pcre2_code* code, std::string_view text)
      : code_(code),
        text_(text),
        context_(pcre2_match_context_create(nullptr)),
        data_(pcre2_match_data_create_from_pattern(code, nullptr)),
        deadline_(std::chrono::steady_clock::now() + kTimeLimit + kTimePerByte * text.size()) {
    const std::uint64_t steps = kMatchLimit + std::uint64_t{kStepsPerByte} * text.size();
    const auto limit = static_cast<std::uint32_t>(std::min<std::uint64_t>(steps, UINT32_MAX));
    pcre2_set_match_limit(context_.get(), limit);
    pcre2_set_depth_limit(context_.get(), limit);
    pcre2_set_heap_limit(context_.get(), kHeapLimitKib);
  }

  /// The first match from `start` on; PCRE2_ERROR_NOMATCH at the end of the text, another error code when it is too
  /// much.
  int match(std::size_t start) {
    for (;; start = next_boundary(text_, start + kWindow)) {
      if (std::chrono::steady_clock::now() > deadline_) return kOutOfTime;
      const int found = match_in_window(start);
      if (found != PCRE2_ERROR_NOMATCH || start + kWindow >= text_.size()) return found;
    }
  }
  Span found() const {
    const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(data_.get());
    return {static_cast<std::uint32_t>(bounds[0]), static_cast<std::uint32_t>(bounds[1])};
  }

 private:
  int match_in_window(std::size_t start) {
    pcre2_set_offset_limit(context_.get(), start + kWindow);
    const int found = run(start, 0);
    return found == PCRE2_ERROR_JIT_STACKLIMIT ? run(start, PCRE2_NO_JIT) : found;
  }
  int run(std::size_t start, std::uint32_t options) {
    return pcre2_match(code_, reinterpret_cast<PCRE2_SPTR>(text_.data()), text_.size(), start,
                       PCRE2_NO_UTF_CHECK | options, data_.get(), context_.get());
  }

  const pcre2_code* code_;
  std::string_view text_;
  MatchContext context_;
  MatchData data_;
  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace

Pattern::Pattern(const JsonNode& node) : file_(node.file()) {
  const auto literal = node.find("String");
  source_ = literal ? literal->string() : node.at("Regex").string();
  if (source_.empty()) node.fail("an empty pattern is not supported");
  if (literal) return;
  scanner_ = find_scanner(source_);
  if (scanner_ != nullptr) return;
  try {
    program_ = std::make_unique<Program>(Program{compile(translate_regex(source_))});
  } catch (const std::invalid_argument& error) {
    node.at("Regex").fail(concat("the pattern '", source_, "' is not supported: ", error.what()));
  }
}

Pattern::Pattern(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

std::vector<Span> Pattern::find_all(std::string_view text) const {
  std::vector<Span> matches;
  if (scanner_ != nullptr) {
    for (std::uint32_t begin = 0; begin < text.size(); begin = matches.back().end) {
      matches.push_back({begin, scanner_(text, begin)});
    }
  } else if (program_ == nullptr) {
    find_literal(text, matches);
  } else {
    find_regex(text, matches);
  }
  return matches;
}

void Pattern::find_literal(std::string_view text, std::vector<Span>& matches) const {
  for (std::size_t at = text.find(source_); at != std::string_view::npos;
       at = text.find(source_, at + source_.size())) {
    matches.push_back({static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + source_.size())});
  }
}

void Pattern::find_regex(std::string_view text, std::vector<Span>& matches) const {
  Search search(program_->code.get(), text);
  for (std::size_t start = 0; start <= text.size();) {
    const int found = search.match(start);
    if (found == PCRE2_ERROR_NOMATCH) return;
    if (found < 0) {
      throw Error(ErrorKind::model,
                  {.file = file_,
                   .what = concat("the pattern '", source_, "' takes too long on a text: ", pcre2_message(found)),
                   .where = "",
                   .hint = "use a pattern without nested repetitions"});
    }
    const Span match = search.found();
    const bool empty_again = match.begin == match.end && !matches.empty() && matches.back().end == match.end;
    if (!empty_again) matches.push_back(match);
    // An empty match just behind the last match does not count: try from the next character.
    start = empty_again ? next_boundary(text, match.end) : match.end;
  }
}

}  // namespace attune::text
