// See language_rows.h.
#include "task/language_rows.h"

#include <algorithm>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/data/record.h"
#include "attune/task/pack.h"
#include "attune/task/prompts.h"
#include "task/learned_text.h"
#include "task/length_policy.h"

namespace attune::task {

namespace {

using Ids = std::vector<std::int32_t>;

const text::EncodeOptions kPlain = {.add_special_tokens = false, .truncation = {}, .with_tokens = false};

class RowMaker {
 public:
  RowMaker(const text::Tokenizer& tokenizer, const TaskOptions& options)
      : tokenizer_(tokenizer), appends_eos_(options.append_eos), bos_(tokenizer.special_id("bos_token")), eos_(tokenizer.special_id("eos_token")) {
    const Ids alone = tokenizer_.encode({.text = "a"}, {.with_tokens = false}).ids;
    adds_bos_ = bos_ && !alone.empty() && alone.front() == *bos_;
  }

  Encoded make(const data::Example& example, const LearnedText& learned, const text::Encoding& encoding) const {
    Encoded row = encode_text(example, encoding);
    row.type_ids.reset();
    if (learned.is_document) {
      row.learned.assign(row.ids.size(), 1);
    } else {
      row.learned.assign(row.ids.size(), 0);
      for (const Span& span : learned.spans) mark(span, encoding, row);
    }
    if (learned.adds_special ? appends_eos_ : learned.ends_with_answer) end(row, example);
    begin(row, learned.adds_special);
    return row;
  }

  /// As the row begins: with the beginning-of-text token where rows have one.
  Ids prompt(Ids ids) const {
    Encoded row;
    row.ids = std::move(ids);
    row.learned.assign(row.ids.size(), 0);
    begin(row, /*text_is_plain=*/false);
    return row.ids;
  }

  /// Of nothing but a prompt: nothing is learned.
  static Encoded make_from_prompt(const data::Example& example, AnswerPrompt prompt) {
    Encoded row = encode_text(example, {});
    row.ids = prompt.ids;
    row.learned.assign(row.ids.size(), 0);
    row.cut = prompt.cut;
    row.prompt = std::move(prompt);
    return row;
  }

  Encoded make_from_ids(const data::Example& example) const {
    Encoded row = encode_ids(example, static_cast<std::int64_t>(example.input_ids.size()), tokenizer_.vocab_size());
    row.type_ids.reset();
    row.learned.assign(row.ids.size(), 1);
    row.learned.front() = 0;
    return row;
  }

 private:
  /// Tokens from the first to the last that a span touches, and the special token that ends what the assistant says.
  void mark(const Span& span, const text::Encoding& encoding, Encoded& row) const {
    const auto touches = [&](std::size_t i) {
      const auto& [begin, end] = encoding.offsets[i];
      return begin < end && begin < span.second && end > span.first;
    };
    std::size_t first = 0, last = encoding.offsets.size();
    while (first < last && !touches(first)) ++first;
    while (last > first && !touches(last - 1)) --last;
    if (first == last) return;
    std::fill(row.learned.begin() + static_cast<std::ptrdiff_t>(first), row.learned.begin() + static_cast<std::ptrdiff_t>(last), 1);
    const std::size_t said = without_blanks(row.ids, last);
    const bool is_ended = said > first && is_special(row.ids[said - 1]);
    if (!is_ended && last < row.ids.size() && is_special(row.ids[last])) row.learned[last] = 1;
  }

  /// The end of the first `count` ids without tokens of nothing but blanks.
  std::size_t without_blanks(const Ids& ids, std::size_t count) const {
    while (count > 0 && tokenizer_.decode({&ids[count - 1], 1}, false).find_first_not_of(" \n") == std::string::npos) --count;
    return count;
  }

  bool is_special(std::int32_t id) const {
    const Ids one = {id};
    return tokenizer_.decode(one, /*skip_special_tokens=*/true).empty() && !tokenizer_.decode(one, /*skip_special_tokens=*/false).empty();
  }

  /// The row ends with a learned special token: the one it has, or the end-of-text token.
  void end(Encoded& row, const data::Example& example) const {
    const std::size_t last = without_blanks(row.ids, row.ids.size());
    if (last > 0 && is_special(row.ids[last - 1])) {
      row.learned[last - 1] = 1;
      return;
    }
    if (!eos_) {
      throw Error(ErrorKind::model, {.file = data::place_of(example.origin), .what = "the row should end with the end-of-text token, and the tokenizer has none",
                                     .where = "",
                                     .hint = "name eos_token in tokenizer_config.json, or set data.append_eos to false"});
    }
    row.ids.push_back(*eos_);
    row.learned.push_back(1);
  }

  /// Exactly one beginning-of-text token where the tokenizer adds one to plain text; the first token is never learned.
  void begin(Encoded& row, bool text_is_plain) const {
    const auto is_bos = [&](std::size_t i) { return bos_ && row.ids.size() > i && row.ids[i] == *bos_; };
    if (adds_bos_ && !text_is_plain && !is_bos(0)) {
      row.ids.insert(row.ids.begin(), *bos_);
      row.learned.insert(row.learned.begin(), 0);
    }
    while (is_bos(0) && is_bos(1) && *bos_ != eos_.value_or(-1)) {
      row.ids.erase(row.ids.begin());
      row.learned.erase(row.learned.begin());
    }
    if (!row.learned.empty()) row.learned.front() = 0;
  }

  const text::Tokenizer& tokenizer_;
  bool appends_eos_;
  std::optional<std::int32_t> bos_, eos_;
  bool adds_bos_ = false;
};

/// One encoding a text, on all cores: those that get special tokens and those that have their own.
std::vector<text::Encoding> encodings_of(const std::vector<LearnedText>& texts, const text::Tokenizer& tokenizer) {
  std::vector<text::Encoding> encodings(texts.size());
  for (const bool special : {false, true}) {
    std::vector<text::TextInput> inputs;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (texts[i].adds_special != special || texts[i].text.empty()) continue;
      inputs.push_back({.text = texts[i].text});
      places.push_back(i);
    }
    std::vector<text::Encoding> some = tokenizer.encode_batch(inputs, {.add_special_tokens = special, .with_tokens = false});
    for (std::size_t i = 0; i < places.size(); ++i) encodings[places[i]] = std::move(some[i]);
  }
  return encodings;
}

/// What stands in front of an answer, alone, as whoever generates gives it.
struct LonePrompt {
  Ids ids;  ///< without special tokens
  std::optional<std::string> reference;
};

/// Of each example that ends with an answer or awaits one, its prompt; of chats only where texts are generated. Where rows are only
/// prompts, of every example but rows of ids.
std::vector<std::optional<LonePrompt>> lone_prompts(std::span<const data::Example> examples, const text::Tokenizer& tokenizer,
                                                    const TaskOptions& options) {
  ChatRenderer chats(options.chats);
  std::vector<std::optional<PromptedAnswer>> answers;
  for (const data::Example& example : examples) {
    if (options.only_prompts) {
      answers.push_back(beginning_text(example, chats));
    } else {
      const bool is_wanted = options.generates || example.messages.empty();
      answers.push_back(is_wanted ? answer_text(example, chats) : std::nullopt);
    }
  }
  std::vector<text::TextInput> inputs;
  for (const auto& answer : answers) {
    if (answer) inputs.push_back({.text = answer->prompt});
  }
  auto encodings = tokenizer.encode_batch(inputs, kPlain);
  std::vector<std::optional<LonePrompt>> prompts(examples.size());
  std::size_t next = 0;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    if (answers[i]) prompts[i] = {.ids = std::move(encodings[next++].ids), .reference = std::move(answers[i]->reference)};
  }
  return prompts;
}

/// Of which nothing but its prompt becomes a row.
bool is_prompt(const data::Example& example, const TaskOptions& options) { return example.awaits_answer || options.only_prompts; }

/// What is encoded as a whole row: not what is only a prompt, and no ids.
std::vector<LearnedText> whole_texts(std::span<const data::Example> examples, const TaskOptions& options) {
  ChatRenderer chats(options.chats);
  std::vector<LearnedText> texts;
  for (const data::Example& example : examples) {
    if (is_prompt(example, options) || !example.input_ids.empty()) {
      texts.push_back({.text = {}, .spans = {}, .is_document = true});
    } else {
      texts.push_back(learned_text(example, chats));
    }
  }
  return texts;
}

/// Whether the prompt alone has other tokens than in front of its completion, as after "Answer: " where the blank goes
/// into the answer's first token.
bool is_joined(const Ids& prompt, const Ids& whole) {
  const auto start = std::find_first_of(whole.begin(), whole.end(), prompt.begin(), std::next(prompt.begin(), prompt.empty() ? 0 : 1));
  const bool fits = static_cast<std::size_t>(whole.end() - start) >= prompt.size();
  return !fits || !std::equal(prompt.begin(), prompt.end(), start);
}

/// As Encoded::prompt has it; nothing where there is nothing to begin with.
std::optional<AnswerPrompt> answer_prompt(LonePrompt lone, bool is_chat, const RowMaker& maker) {
  Ids ids = maker.prompt(std::move(lone.ids));
  if (ids.empty()) return std::nullopt;
  return AnswerPrompt{.ids = std::move(ids), .reference = std::move(lone.reference), .is_chat = is_chat};
}

/// What a text is to be generated from. Error{data} where there is nothing.
AnswerPrompt wanted_prompt(const data::Example& example, std::optional<LonePrompt> lone, const RowMaker& maker) {
  if (!lone && !example.input_ids.empty()) return {.ids = maker.make_from_ids(example).ids, .reference = std::nullopt};
  std::optional<AnswerPrompt> prompt;
  if (lone) prompt = answer_prompt(std::move(*lone), !example.messages.empty(), maker);
  if (prompt) return std::move(*prompt);
  throw Error(ErrorKind::data, {.file = data::place_of(example.origin), .what = lone ? "the prompt has no tokens" : "the row has no answer, and none is generated",
                                .where = "", .hint = "give it an answer or a prompt of at least one token"});
}

}  // namespace

std::vector<Ids> encode_prompts(std::span<const std::string> texts, const text::Tokenizer& tokenizer) {
  std::vector<text::TextInput> inputs;
  for (const std::string& text : texts) inputs.push_back({.text = text});
  const RowMaker maker(tokenizer, {});
  std::vector<Ids> prompts;
  for (text::Encoding& encoding : tokenizer.encode_batch(inputs, kPlain)) prompts.push_back(maker.prompt(std::move(encoding.ids)));
  return prompts;
}

std::vector<Encoded> encode_language_rows(std::span<const data::Example> examples, const text::Tokenizer& tokenizer,
                                          const TaskOptions& options) {
  std::vector<std::optional<LonePrompt>> prompts = lone_prompts(examples, tokenizer, options);
  const std::vector<LearnedText> texts = whole_texts(examples, options);
  const std::vector<text::Encoding> encodings = encodings_of(texts, tokenizer);
  const RowMaker maker(tokenizer, options);
  const LengthPolicy policy(options, tokenizer.special_id("bos_token"));
  std::vector<Encoded> rows;
  const auto add_prompt = [&](std::size_t i) {
    const bool continues = examples[i].messages.empty() && !examples[i].has_pair;
    auto prompt = policy.apply(wanted_prompt(examples[i], std::move(prompts[i]), maker), examples[i],
                               continues ? RowShape::document : RowShape::awaiting);
    if (prompt) rows.push_back(RowMaker::make_from_prompt(examples[i], std::move(*prompt)));
  };
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const std::size_t before = rows.size();
    if (is_prompt(examples[i], options)) {
      add_prompt(i);
    } else {
      const bool is_chat = !examples[i].messages.empty();
      Encoded row = examples[i].input_ids.empty() ? maker.make(examples[i], texts[i], encodings[i]) : maker.make_from_ids(examples[i]);
      row.joined = prompts[i] && !is_chat && is_joined(prompts[i]->ids, encodings[i].ids);
      if (prompts[i] && options.generates) {
        row.prompt = answer_prompt(std::move(*prompts[i]), is_chat, maker).value_or(AnswerPrompt());
      }
      policy.apply(std::move(row), examples[i], texts[i].is_document ? RowShape::document : RowShape::answered, rows);
    }
    for (std::size_t r = before; r < rows.size(); ++r) rows[r].example = static_cast<std::int64_t>(i);
  }
  return rows;
}

}  // namespace attune::task
