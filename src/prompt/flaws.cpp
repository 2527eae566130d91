// See flaws.h.
#include "attune/prompt/flaws.h"

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>
#include <string_view>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "attune/text/regex.h"
#include "attune/text/template.h"
#include "attune/text/words.h"
#include "texts.h"

namespace attune::prompt {

namespace {

class Finder {
 public:
  std::vector<Flaw> run(const PromptSet& set) {
    check_texts(set.texts, "", set.chat);
    for (const TextKey& text : kTextKeys) {
      if ((set.texts.*text.member).empty()) add(text.key, "found an empty list", "give at least one text");
    }
    check_wordings(set);
    check_label_words(set.label_words, "label_words.");
    check_verbalizers(set);
    check_list(set.rules.letter_case, "rules.case");
    check_list(set.rules.punctuation, "rules.punctuation");
    check_list(set.rules.order, "rules.order");
    check_assertions(set);
    return std::move(flaws_);
  }

 private:
  void add(std::string key, std::string what, std::string hint) {
    flaws_.push_back({std::move(key), std::move(what), std::move(hint)});
  }

  void check_distinct(const std::vector<std::string>& values, const std::string& key) {
    std::set<std::string> seen;
    for (const std::string& value : values) {
      if (!seen.insert(value).second) add(key, concat("found '", value, "' twice"), "remove one of them");
    }
  }

  /// A factor of the wordings.
  void check_list(const std::vector<std::string>& values, const std::string& key) {
    if (values.empty()) add(key, "found an empty list", "give at least one value, or leave the key out");
    check_distinct(values, key);
  }

  // Texts.

  void check_texts(const Texts& texts, const std::string& block, bool is_chat) {
    for (const TextKey& text : kTextKeys) check_distinct(texts.*text.member, block + text.key);
    check_templates(texts.header, block + "header", [&](const std::string& key, const text::Template& header) {
      require_names(key, header, {"instruction", "background", "tone"});
    });
    check_templates(texts.answer, block + "answer", [&](const std::string& key, const text::Template& answer) {
      require_names(key, answer, {"answer"});
      if (answer.names().empty())
        add(key, "the template does not name the answer", "write {{ answer }} where it stands");
    });
    check_templates(texts.input, block + "input", [&](const std::string& key, const text::Template& input) {
      const auto& names = input.names();
      const auto gap = std::find(names.begin(), names.end(), "mask");
      if (names.size() == (gap == names.end() ? 0U : 1U))
        add(key, "the template shows nothing of the row", "name its text as {{ text }}, or columns");
      if (is_chat && gap != names.end())
        add(key, "a chat has no gap to be filled", "remove {{ mask }}, or \"chat\": true");
    });
  }

  template <class Check>
  void check_templates(const std::vector<std::string>& sources, const std::string& key, const Check& check) {
    for (std::size_t i = 0; i < sources.size(); ++i) {
      const std::string place = sources.size() == 1 ? key : concat(key, "[", i, "]");
      try {
        check(place, text::Template::parse(sources[i], ""));
      } catch (const Error& error) {
        const ErrorText& text = error.text();
        add(place, text.where.empty() ? text.what : concat(text.what, ", ", text.where), text.hint);
      }
    }
  }

  void require_names(const std::string& key, const text::Template& parsed, const std::vector<std::string>& given) {
    for (const std::string& name : parsed.names()) {
      if (std::find(given.begin(), given.end(), name) != given.end()) continue;
      const std::string nearest = nearest_name(name, given);
      add(key, concat("the template names '", name, "', it is given ", join(given, ", ")),
          nearest.empty() ? "" : concat("did you mean '", nearest, "'?"));
    }
  }

  void check_wordings(const PromptSet& set) {
    std::set<std::string> names;
    for (std::size_t i = 0; i < set.wordings.size(); ++i) {
      const NamedWording& wording = set.wordings[i];
      const std::string block = concat("wordings[", i, "].");
      if (!names.insert(wording.name).second)
        add(block + "name", concat("two wordings are called '", wording.name, "'"), "rename one");
      check_texts(wording.texts, block, set.chat);
    }
  }

  // Label words.

  using WordsByLabel = std::map<std::string, std::vector<std::string>>;

  void check_label_words(const WordsByLabel& all, const std::string& block) {
    for (const auto& [label, words] : all) {
      const std::string key = block + label;
      if (words.empty()) add(key, "the label has no words", "give one, or leave the label out");
      check_distinct(words, key);
      for (const std::string& word : words) {
        if (trim(word).empty()) add(key, "found an empty word", "give a text that the model can answer");
        check_shared(all, block, label, word);
      }
    }
  }

  void check_verbalizers(const PromptSet& set) {
    std::set<std::string> names;
    for (std::size_t i = 0; i < set.verbalizers.size(); ++i) {
      const Verbalizer& verbalizer = set.verbalizers[i];
      const std::string block = concat("verbalizers[", i, "].");
      if (!names.insert(verbalizer.name).second)
        add(block + "name", concat("two verbalizers are called '", verbalizer.name, "'"), "rename one");
      check_label_words(verbalizer.label_words, block + "label_words.");
    }
  }

  void check_shared(const WordsByLabel& all, const std::string& block, const std::string& label,
                    const std::string& word) {
    for (const auto& [other, others] : all) {
      if (other == label) return;  // pairs are told once
      if (std::find(others.begin(), others.end(), word) == others.end()) continue;
      add(block + label, concat("the word '", word, "' is the label '", other, "' too"),
          "give each label words of its own");
    }
  }

  // Assertions.

  void check_assertions(const PromptSet& set) {
    std::set<std::string> names;
    for (std::size_t i = 0; i < set.assertions.size(); ++i) {
      const Assertion& assertion = set.assertions[i];
      const std::string block = concat("assertions[", i, "].");
      if (!names.insert(assertion.name).second) {
        add(block + "name", concat("two assertions are called '", assertion.name, "'"), "rename one");
      }
      check_filled(assertion.contains, block + "contains");
      check_filled(assertion.not_contains, block + "not_contains");
      check_patterns(assertion.matches, block + "matches");
      check_patterns(assertion.not_matches, block + "not_matches");
      check_words(assertion.wanted_words, block + "wanted_words");
      check_words(assertion.unwanted_words, block + "unwanted_words");
      check_range(assertion.min_chars, assertion.max_chars, block + "max_chars");
      check_range(assertion.min_words, assertion.max_words, block + "max_words");
      check_range(assertion.min_tokens, assertion.max_tokens, block + "max_tokens");
      if (says_nothing(assertion))
        add(block + "name", "the assertion asks for nothing", "give contains, matches, max_words, …");
    }
  }

  static bool says_nothing(const Assertion& a) {
    const bool has_lists = !a.contains.empty() || !a.not_contains.empty() || !a.matches.empty() ||
                           !a.not_matches.empty() || !a.wanted_words.empty() || !a.unwanted_words.empty();
    return !has_lists && !a.min_chars && !a.max_chars && !a.min_words && !a.max_words && !a.min_tokens && !a.max_tokens;
  }

  void check_filled(const std::vector<std::string>& texts, const std::string& key) {
    for (const std::string& text : texts) {
      if (text.empty()) add(key, "found an empty text", "every text contains it; remove it");
    }
  }

  void check_words(const std::vector<std::string>& words, const std::string& key) {
    for (const std::string& word : words) {
      if (text::plain_words(word).empty())
        add(key, concat("found '", word, "', which has no letters"), "give a word, or use contains");
    }
  }

  void check_patterns(const std::vector<std::string>& patterns, const std::string& key) {
    for (const std::string& pattern : patterns) {
      try {
        text::Regex compiled(pattern);
      } catch (const std::invalid_argument& error) {
        add(key, concat("'", pattern, "' is no regular expression: ", error.what()), "");
      }
    }
  }

  void check_range(const std::optional<std::int64_t>& least, const std::optional<std::int64_t>& most,
                   const std::string& key) {
    if (least && most && *least > *most)
      add(key, concat("found ", *most, ", the least is ", *least), "no text can be so");
  }

  std::vector<Flaw> flaws_;
};

}  // namespace

std::vector<Flaw> flaws(const PromptSet& set) {
  return Finder().run(set);
}

}  // namespace attune::prompt
