// attune generate: continues prompts, or holds a chat.
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "app/prompts.h"
#include "attune/app/verbs.h"
#include "attune/base/console.h"
#include "attune/base/error.h"
#include "attune/base/log.h"
#include "attune/base/strings.h"
#include "attune/files/standard_input.h"
#include "attune/infer/generation_config.h"
#include "attune/infer/text.h"
#include "attune/job/environment.h"
#include "attune/job/fits_model.h"
#include "attune/job/language_model.h"
#include "attune/task/prompts.h"

namespace attune::app {

namespace {

using files::Json;

[[noreturn]] void refuse(const std::string& what, const std::string& hint) {
  throw Error(ErrorKind::usage, {.file = "", .what = what, .where = "command line", .hint = hint});
}

void check_choice(const GenerateVerb& options) {
  const int sources = (options.prompt.empty() ? 0 : 1) + (options.file.empty() ? 0 : 1) + (options.chat ? 1 : 0);
  if (sources > 1) refuse("--prompt, --file and --chat are three ways, only one can be taken", "leave the others out");
  if (!options.system.empty() && !options.chat) refuse("--system needs --chat", "add --chat");
  for (const std::string& text : options.overrides) {
    if (!text.starts_with("data.")) refuse(concat("--set ", text, " changes nothing here"), "it sets keys of the block data, by which rows of --file are read");
  }
}

const char* name_of(infer::FinishReason reason) {
  switch (reason) {
    case infer::FinishReason::end_token:
      return "end_token";
    case infer::FinishReason::stopped:
      return "stop_string";
    case infer::FinishReason::length:
      return "length";
  }
  return "";
}

void print_now(std::string_view text) {
  console::print(text);
  console::flush();
}

Json described(const infer::GeneratedText& result) {
  Json line = {{"text", result.text}, {"ids", result.tokens.ids}, {"finish_reason", name_of(result.tokens.reason)}};
  if (result.tokens.score != 0.0) line["score"] = result.tokens.score;
  return line;
}

/// Texts in the order of the prompts. Those behind a chat template are texts of their own, the others go on.
std::vector<infer::GeneratedText> texts_of(const std::vector<Prompt>& prompts, const job::LanguageModel& opened,
                                           const std::function<void(std::size_t, std::string_view)>& on_text) {
  infer::Generator generator(*opened.loaded.model);
  std::vector<infer::GeneratedText> results(prompts.size());
  for (const auto beginning : {infer::Beginning::continuation, infer::Beginning::answer}) {
    std::vector<std::size_t> places;
    std::vector<std::vector<std::int32_t>> chosen;
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      if (prompts[i].is_chat != (beginning == infer::Beginning::answer)) continue;
      places.push_back(i);
      chosen.push_back(prompts[i].ids);
    }
    auto texts = infer::generate_texts(generator, *opened.tokenizer, chosen, opened.options, beginning, {.on_text = on_text});
    for (std::size_t i = 0; i < places.size(); ++i) results[places[i]] = std::move(texts[i]);
  }
  return results;
}

std::vector<Prompt> prompts_of(const GenerateVerb& options, const job::LanguageModel& opened) {
  if (!options.file.empty()) return read_prompts(options.file, opened);
  if (options.prompt.empty()) return prompts_of_stdin(opened);
  return {prompt_of_text(options.prompt, opened)};
}

/// The prompts of the command line; with one of them its text is shown as it comes.
void run_prompts(const GenerateVerb& options, const job::LanguageModel& opened) {
  const std::vector<Prompt> prompts = prompts_of(options, opened);
  const bool streams = prompts.size() == 1 && !options.output.json;
  const auto results = texts_of(prompts, opened, [&](std::size_t, std::string_view text) {
    if (streams) print_now(text);
  });
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (options.output.json) {
      Json line = {{"id", prompts[i].id}};
      line.update(described(results[i]));
      console::print(files::json_text(line, -1) + "\n");
    } else if (streams) {
      console::print("\n");
    } else {
      console::print(concat("> ", prompts[i].shown, "\n", results[i].text, "\n\n"));
    }
  }
}

/// One conversation: what the user types, and the answers. Where it outgrows the model its oldest turns are forgotten.
class Chat {
 public:
  Chat(const GenerateVerb& options, const job::LanguageModel& opened)
      : options_(options), opened_(opened), format_(opened), generator_(*opened.loaded.model) {
    if (!options.system.empty()) messages_.push_back({{"role", "system"}, {"content", options.system}});
    first_turn_ = messages_.size();
  }

  /// What does not fit the model alone is left out with a warning, and the conversation stays as it was.
  void answer(const std::string& said) {
    messages_.push_back({{"role", "user"}, {"content", said}});
    const bool streams = !options_.output.json;
    auto prompt = fitting_prompt();
    if (!prompt) {
      messages_.erase(messages_.size() - 1);
      if (!streams) print_now(files::json_text({{"text", ""}, {"ids", Json::array()}, {"finish_reason", "prompt_too_long"}}, -1) + "\n");
      return;
    }
    const std::vector<std::vector<std::int32_t>> prompts(1, std::move(*prompt));
    const auto results = infer::generate_texts(generator_, *opened_.tokenizer, prompts, opened_.options,
                                               infer::Beginning::answer,
                                               {.on_text = [&](std::size_t, std::string_view part) {
                                                 if (streams) print_now(part);
                                               }});
    messages_.push_back({{"role", "assistant"}, {"content", results.front().text}});
    print_now(streams ? "\n" : files::json_text(described(results.front()), -1) + "\n");
  }

 private:
  /// Tokens of prompt and answer together.
  std::int64_t room() const {
    const infer::GenerationOptions& options = opened_.options;
    const std::int64_t most = job::most_tokens(*opened_.loaded.model);
    return options.max_new_tokens || !options.max_length ? most : std::min(most, *options.max_length - 1);
  }

  std::vector<std::int32_t> encoded(const Json& messages) const {
    const std::string text = format_.text_of(messages);
    return task::encode_prompts({&text, 1}, *opened_.tokenizer).front();
  }

  /// The conversation before the next answer, without so many of its oldest turns that a quarter of the room (or what the answer may
  /// have) is left. What was said last may fill all of it; nothing, with a warning, where it does not fit.
  std::optional<std::vector<std::int32_t>> fitting_prompt() {
    const std::int64_t all = room();
    const std::int64_t wanted = all - std::min(all / 4, opened_.options.max_new_tokens.value_or(infer::GenerationOptions::kDefaultNewTokens));
    const auto fits = [](const std::vector<std::int32_t>& ids, std::int64_t most) { return static_cast<std::int64_t>(ids.size()) <= most; };
    std::vector<std::int32_t> ids = encoded(messages_);
    if (fits(ids, wanted)) return ids;
    Json last = messages_;
    last.erase(last.begin() + static_cast<std::ptrdiff_t>(first_turn_), last.end() - 1);
    const std::vector<std::int32_t> alone = encoded(last);
    if (!fits(alone, all)) {
      log::warning(concat("what was said last makes a prompt of ", alone.size(), " tokens, and there is room for ", all,
                          ": it is left out; say less at once"));
      return std::nullopt;
    }
    while (messages_.size() > last.size() && !fits(ids, wanted)) {
      forget_oldest_turn();
      ids = encoded(messages_);
    }
    return ids;
  }

  /// Up to the next thing that the user said: templates want the two to take turns.
  void forget_oldest_turn() {
    if (!forgets_) log::warning("the conversation is longer than the model can read: from here on its oldest turns are forgotten");
    forgets_ = true;
    do {
      messages_.erase(first_turn_);
    } while (messages_[first_turn_]["role"] != "user");
  }

  const GenerateVerb& options_;
  const job::LanguageModel& opened_;
  ChatFormat format_;
  infer::Generator generator_;
  Json messages_ = Json::array();
  std::size_t first_turn_ = 0;  ///< the system message before it stays
  bool forgets_ = false;
};

void run_chat(const GenerateVerb& options, const job::LanguageModel& opened) {
  Chat chat(options, opened);
  // Someone at a keyboard sees when it is their turn.
  const bool asks = ::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0;
  files::StandardInput input;
  for (std::string line;;) {
    if (asks) print_now("> ");
    if (!input.next(line)) break;
    if (!trim(line).empty()) chat.answer(line);
  }
  if (asks) print_now("\n");
}

}  // namespace

int run_generate(const GenerateVerb& options) {
  check_choice(options);
  job::LanguageModel opened = job::open_language_model(options.model, options.overrides);
  infer::set_options(options.settings, opened.options);
  if (options.settings.contains("eos_token_id")) job::check_end_tokens(opened.options.eos_token_id, opened.loaded.model->spec(), "eos_token_id");
  job::set_threads(0);
  if (options.chat) {
    run_chat(options, opened);
  } else {
    run_prompts(options, opened);
  }
  return 0;
}

}  // namespace attune::app
