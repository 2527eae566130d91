// The tree of shared beginnings, against a plain count of distinct ones.
#include "../../src/infer/text_trie.h"

#include <algorithm>
#include <set>

#include "attune/base/random.h"
#include "catch.h"

using namespace attune;
using namespace attune::infer;

namespace {

using TrieIds = std::vector<std::int32_t>;

/// The tokens along the edges from the root to this one.
TrieIds spelled(const TextTrie& trie, const std::vector<TrieIds>& texts, std::ptrdiff_t edge) {
  if (edge == TextTrie::kNone) return {};
  const TextTrie::Edge& own = trie.edges()[edge];
  TrieIds ids = spelled(trie, texts, own.parent);
  CHECK(static_cast<std::int64_t>(ids.size()) == own.begin);
  ids.insert(ids.end(), texts[own.text].begin() + own.begin, texts[own.text].begin() + own.end);
  return ids;
}

std::int64_t tokens_of(const TextTrie& trie) {
  std::int64_t tokens = 0;
  for (const TextTrie::Edge& edge : trie.edges()) tokens += edge.end - edge.begin;
  return tokens;
}

}  // namespace

TEST_CASE("a trie holds each distinct beginning once, and spells its texts", "[infer]") {
  const RandomKey key{7, "trie"};
  for (std::uint64_t round = 0; round < 50; ++round) {
    std::vector<TrieIds> texts;
    for (std::uint64_t i = 0, draws = round * 1000; i < 40; ++i) {
      TrieIds ids(key.bits(draws++) % 9);
      for (auto& id : ids) id = static_cast<std::int32_t>(key.bits(draws++) % 3);
      texts.push_back(ids);
    }
    std::ranges::sort(texts);
    TextTrie trie;
    std::set<TrieIds> beginnings;
    for (const TrieIds& ids : texts) {
      trie.add(ids);
      for (std::size_t length = 1; length <= ids.size(); ++length)
        beginnings.insert({ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(length)});
    }
    CHECK(tokens_of(trie) == static_cast<std::int64_t>(beginnings.size()));
    for (std::size_t i = 0; i < texts.size(); ++i) CHECK(spelled(trie, texts, trie.last_edge(i)) == texts[i]);
    std::size_t seen = 0;
    const auto levels = trie.levels();
    for (std::size_t depth = 0; depth < levels.size(); ++depth) {
      for (const std::size_t edge : levels[depth]) {
        const std::ptrdiff_t parent = trie.edges()[edge].parent;
        CHECK((depth == 0) == (parent == TextTrie::kNone));
        if (depth > 0) CHECK(std::ranges::count(levels[depth - 1], static_cast<std::size_t>(parent)) == 1);
        ++seen;
      }
    }
    CHECK(seen == trie.edges().size());
  }
}
