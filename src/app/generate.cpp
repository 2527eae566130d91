// attune generate: continues prompts, or holds a chat.
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "app/prompts.h"
#include "attune/app/verbs.h"
#include "attune/base/console.h"
#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/files/standard_input.h"
#include "attune/infer/generation_config.h"
#include "attune/infer/text.h"
#include "attune/job/environment.h"
#include "attune/job/language_model.h"

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

/// The prompts of the command line; with one of them its text is shown as it comes.
void run_prompts(const GenerateVerb& options, const job::LanguageModel& opened) {
  const std::vector<Prompt> prompts = !options.prompt.empty()
                                          ? std::vector<Prompt>{{"0", options.prompt, options.prompt, "", false}}
                                      : options.file.empty() ? prompts_of_stdin()
                                                             : read_prompts(options.file, opened.folder);
  const std::vector<std::vector<std::int32_t>> ids =
      encode_prompts(prompts, *opened.tokenizer, opened.loaded.model->spec());
  infer::Generator generator(*opened.loaded.model);
  const bool streams = prompts.size() == 1 && !options.output.json;
  const bool is_chat = !prompts.empty() && prompts.front().is_chat;
  const auto results = infer::generate_texts(generator, *opened.tokenizer, ids, opened.options,
                                             is_chat ? infer::Beginning::answer : infer::Beginning::continuation,
                                             [&](std::size_t, std::string_view text) {
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

/// One conversation: what the user types, and the answers.
class Chat {
 public:
  Chat(const GenerateVerb& options, const job::LanguageModel& opened)
      : options_(options),
        opened_(opened),
        templates_(text::ChatTemplates::from_folder(opened.folder)),
        template_(templates_.choose("", /*with_tools=*/false)),
        generator_(*opened.loaded.model) {
    if (!options.system.empty()) messages_.push_back({{"role", "system"}, {"content", options.system}});
  }

  void answer(const std::string& said) {
    messages_.push_back({{"role", "user"}, {"content", said}});
    const std::string text = chat_text(templates_, template_, messages_);
    const std::vector<Prompt> prompt{{"0", text, said, "", true}};
    const auto ids = encode_prompts(prompt, *opened_.tokenizer, opened_.loaded.model->spec());
    const bool streams = !options_.output.json;
    const auto results = infer::generate_texts(generator_, *opened_.tokenizer, ids, opened_.options,
                                               infer::Beginning::answer, [&](std::size_t, std::string_view part) {
                                                 if (streams) print_now(part);
                                               });
    messages_.push_back({{"role", "assistant"}, {"content", results.front().text}});
    print_now(streams ? "\n" : files::json_text(described(results.front()), -1) + "\n");
  }

 private:
  const GenerateVerb& options_;
  const job::LanguageModel& opened_;
  text::ChatTemplates templates_;
  text::ChatTemplate template_;
  infer::Generator generator_;
  Json messages_ = Json::array();
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
  job::LanguageModel opened = job::open_language_model(options.model);
  infer::set_options(options.settings, opened.options);
  job::set_threads(0);
  if (options.chat) {
    run_chat(options, opened);
  } else {
    run_prompts(options, opened);
  }
  return 0;
}

}  // namespace attune::app
