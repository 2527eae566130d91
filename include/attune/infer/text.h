// From generated ids to text: as it grows, up to a stop string.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "attune/infer/generate.h"
#include "attune/text/tokenizer.h"

namespace attune::infer {

/// The text of a growing list of ids. A token may hold a part of a character, and a text may be on its way to a stop
/// string: what is not certain yet is held back.
class TextStream {
 public:
  /// `context`: ids before the first one. The text then goes on from theirs (a space at its beginning stays).
  TextStream(const text::Tokenizer& tokenizer, const std::vector<std::string>& stop_strings,
             std::span<const std::int32_t> context);

  /// `ids`: all so far, at least those of the call before. → what became certain.
  std::string push(std::span<const std::int32_t> ids);
  /// No more ids will come. → what was held back.
  std::string finish();

  /// A stop string has come; the text ends before it.
  bool stopped() const { return stopped_; }
  /// All that was given out.
  const std::string& text() const { return given_; }

 private:
  void decode(bool all);
  std::string give_out(bool all);

  const text::Tokenizer& tokenizer_;
  const std::vector<std::string>& stop_strings_;
  std::vector<std::int32_t> ids_;  ///< context and ids
  std::size_t pushed_ = 0;         ///< of them, without the context
  std::size_t window_ = 0,
              decoded_ = 0;      ///< ids [window, decoded) are in the text, and are decoded again with new ones
  std::string pending_, given_;  ///< the text: not given out, given out
  bool stopped_ = false;
};

struct GeneratedText {
  std::string text;  ///< without special tokens, end token and stop string
  Generated tokens;
};

/// Where the text of a prompt begins.
enum class Beginning {
  continuation,  ///< it goes on from the prompt's text
  answer         ///< it is a text of its own
};

struct TextHooks {
  /// What became certain of a prompt's text; with beams all at the end.
  std::function<void(std::size_t prompt, std::string_view text)> on_text = {};
  /// As GenerationHooks has it.
  std::function<bool(std::size_t complete)> stops_all = {};
};

/// As Generator::generate, with stop strings.
std::vector<GeneratedText> generate_texts(Generator& generator, const text::Tokenizer& tokenizer,
                                          std::span<const std::vector<std::int32_t>> prompts,
                                          const GenerationOptions& options, Beginning beginning,
                                          const TextHooks& text_hooks = {});

}  // namespace attune::infer
