// See pattern.h. The only file that knows PCRE2.
#include "pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <stdexcept>

#include "attune/base/error.h"
#include "attune/base/strings.h"

namespace attune::text {

namespace {

/// Bounds the work of one match, so that a hostile pattern ends in an error instead of never.
constexpr std::uint32_t kMatchLimit = 5'000'000;

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

std::string pcre2_message(int code) {
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
  Code code(pcre2_compile(text, pattern.size(), PCRE2_UTF | PCRE2_MULTILINE, &error, &where, context.get()));
  if (code == nullptr) throw std::invalid_argument(pcre2_message(error));
  pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE);  // where there is no JIT the interpreter runs
  return code;
}

}  // namespace

struct Pattern::Program {
  Code code;
  MatchContext context;
};

Pattern::Pattern(const JsonNode& node) : file_(node.file()) {
  const auto literal = node.find("String");
  source_ = literal ? literal->string() : node.at("Regex").string();
  if (source_.empty()) node.fail("an empty pattern is not supported");
  if (literal) return;
  try {
    program_ = std::make_unique<Program>();
    program_->code = compile(translate_regex(source_));
  } catch (const std::invalid_argument& error) {
    node.at("Regex").fail(concat("the pattern '", source_, "' is not supported: ", error.what()));
  }
  program_->context.reset(pcre2_match_context_create(nullptr));
  pcre2_set_match_limit(program_->context.get(), kMatchLimit);
}

Pattern::Pattern(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

std::vector<Span> Pattern::find_all(std::string_view text) const {
  std::vector<Span> matches;
  if (program_ == nullptr) {
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
  const MatchData data(pcre2_match_data_create_from_pattern(program_->code.get(), nullptr));
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  const auto match_at = [&](std::size_t start) {
    const auto run = [&](std::uint32_t options) {
      return pcre2_match(program_->code.get(), subject, text.size(), start, PCRE2_NO_UTF_CHECK | options, data.get(),
                         program_->context.get());
    };
    const int found = run(0);
    return found == PCRE2_ERROR_JIT_STACKLIMIT ? run(PCRE2_NO_JIT) : found;
  };
  const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(data.get());
  for (std::size_t start = 0; start <= text.size();) {
    const int found = match_at(start);
    if (found == PCRE2_ERROR_NOMATCH) return;
    if (found < 0) {
      throw Error(ErrorKind::model,
                  {.file = file_,
                   .what = concat("the pattern '", source_, "' takes too long on a text: ", pcre2_message(found)),
                   .where = "",
                   .hint = "use a pattern without nested repetitions"});
    }
    const Span match{static_cast<std::uint32_t>(bounds[0]), static_cast<std::uint32_t>(bounds[1])};
    const bool empty_again = match.begin == match.end && !matches.empty() && matches.back().end == match.end;
    if (!empty_again) matches.push_back(match);
    start = match.end;
    if (!empty_again) continue;
    do {  // an empty match just behind the last match: try from the next character
      ++start;
    } while (start < text.size() && (static_cast<unsigned char>(text[start]) & 0xc0) == 0x80);
  }
}

}  // namespace attune::text
