// See text.h.
#include "attune/infer/text.h"

#include <algorithm>
#include <memory>

namespace attune::infer {

namespace {

constexpr std::size_t kContext = 16;  ///< ids of the prompt that are decoded again with the first new ones
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// The length of the longest end of `text` that a stop string begins with.
std::size_t open_end(std::string_view text, const std::vector<std::string>& stop_strings) {
  std::size_t longest = 0;
  for (const std::string& stop : stop_strings) {
    for (std::size_t n = std::min(stop.size() - 1, text.size()); n > longest; --n) {
      if (text.ends_with(std::string_view(stop).substr(0, n))) longest = n;
    }
  }
  return longest;
}

std::size_t first_stop(std::string_view text, const std::vector<std::string>& stop_strings) {
  std::size_t first = std::string::npos;
  for (const std::string& stop : stop_strings) first = std::min(first, text.find(stop));
  return first;
}

}  // namespace

TextStream::TextStream(const text::Tokenizer& tokenizer, const std::vector<std::string>& stop_strings,
                       std::span<const std::int32_t> context)
    : tokenizer_(tokenizer), stop_strings_(stop_strings) {
  const auto tail = context.last(std::min(context.size(), kContext));
  ids_.assign(tail.begin(), tail.end());
  decoded_ = ids_.size();
}

/// Two decodings of a window of ids differ by the new text; what lies before the window cannot change any more.
void TextStream::decode(bool all) {
  const std::span<const std::int32_t> ids = ids_;
  const std::string before = tokenizer_.decode(ids.subspan(window_, decoded_ - window_));
  const std::string after = tokenizer_.decode(ids.subspan(window_));
  if (!all && (after.size() <= before.size() || after.ends_with(kReplacement))) return;
  if (after.size() > before.size()) pending_ += after.substr(before.size());
  window_ = decoded_;
  decoded_ = ids_.size();
}

std::string TextStream::give_out(bool all) {
  if (const std::size_t stop = first_stop(pending_, stop_strings_); stop != std::string::npos) {
    pending_.resize(stop);
    stopped_ = all = true;
  }
  const std::size_t certain = pending_.size() - (all ? 0 : open_end(pending_, stop_strings_));
  const std::string out = pending_.substr(0, certain);
  pending_.erase(0, certain);
  given_ += out;
  return out;
}

std::string TextStream::push(std::span<const std::int32_t> ids) {
  if (stopped_) return {};
  const std::size_t context = ids_.size() - pushed_;
  ids_.insert(ids_.end(), ids.begin() + static_cast<std::ptrdiff_t>(pushed_), ids.end());
  pushed_ = ids_.size() - context;
  decode(false);
  return give_out(false);
}

std::string TextStream::finish() {
  if (stopped_) return {};
  decode(true);
  return give_out(true);
}

std::vector<GeneratedText> generate_texts(Generator& generator, const text::Tokenizer& tokenizer,
                                          std::span<const std::vector<std::int32_t>> prompts,
                                          const GenerationOptions& options, Beginning beginning,
                                          const TextHooks& text_hooks) {
  const std::vector<std::int64_t>& ends = options.eos_token_id;
  const auto without_end = [&](std::span<const std::int32_t> ids) {
    const bool has_end = !ids.empty() && std::find(ends.begin(), ends.end(), ids.back()) != ends.end();
    return ids.first(ids.size() - (has_end ? 1 : 0));
  };
  const auto make_stream = [&](std::size_t prompt) {
    const std::span<const std::int32_t> context = prompts[prompt];
    return TextStream(tokenizer, options.stop_strings,
                      beginning == Beginning::continuation ? context : context.first(0));
  };
  const auto give = [&](std::size_t prompt, const std::string& text) {
    if (text_hooks.on_text && !text.empty()) text_hooks.on_text(prompt, text);
  };
  std::vector<TextStream> streams;
  for (std::size_t i = 0; i < prompts.size(); ++i) streams.push_back(make_stream(i));
  GenerationHooks hooks;
  hooks.stops_all = text_hooks.stops_all;
  if (options.num_beams == 1) {
    hooks.on_token = [&](std::size_t prompt, std::span<const std::int32_t> ids) {
      give(prompt, streams[prompt].push(without_end(ids)));
    };
    hooks.stops = [&](std::size_t prompt, std::span<const std::int32_t>) { return streams[prompt].stopped(); };
  } else if (!options.stop_strings.empty()) {
    hooks.stops = [&](std::size_t prompt, std::span<const std::int32_t> ids) {
      TextStream candidate = make_stream(prompt);
      candidate.push(ids);
      return candidate.stopped();
    };
  }
  std::vector<GeneratedText> results;
  std::vector<Generated> tokens = generator.generate(prompts, options, hooks);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    if (options.num_beams > 1) give(i, streams[i].push(without_end(tokens[i].ids)));
    give(i, streams[i].finish());
    results.push_back({.text = streams[i].text(), .tokens = std::move(tokens[i])});
  }
  return results;
}

}  // namespace attune::infer
