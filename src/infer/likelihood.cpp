// See likelihood.h. Texts in lexicographic order are cut into blocks whose keys fit into memory; a block's trie goes
// through the network level by level, and the next block goes on from the last text's keys.
#include "attune/infer/likelihood.h"

#include <ATen/ops/tensor.h>

#include <algorithm>
#include <compare>
#include <optional>
#include <utility>

#include "attune/base/error.h"
#include "attune/base/strings.h"
#include "checks.h"
#include "passes.h"
#include "text_trie.h"

namespace attune::infer {

namespace {

/// A log probability that is wanted: of token `id` behind token `position` of an edge.
struct Wanted {
  std::size_t edge;
  std::int64_t position;
  std::int32_t id;
  double* result;
  auto operator<=>(const Wanted& other) const {
    return std::pair(edge, position) <=> std::pair(other.edge, other.position);
  }
  bool operator==(const Wanted& other) const { return edge == other.edge && position == other.position; }
};

/// The tokens of a text that something follows from.
std::span<const std::int32_t> needed(const TextToScore& text) {
  return std::span(text.ids).first(text.ids.size() - 1);
}

std::int64_t bytes_a_token(const models::Model& model) {
  const auto& decoder = model.spec().decoder;
  return 2 * model.depth() * decoder.num_key_value_heads * decoder.head_dim * static_cast<std::int64_t>(sizeof(float));
}

class Scoring {
 public:
  Scoring(const models::Model& model, std::span<const TextToScore> texts, const ScoringOptions& options)
      : model_(model), texts_(texts), options_(options), passes_(model) {}

  Likelihoods run() {
    prepare();
    const std::int64_t most = std::max<std::int64_t>(1, options_.cache_bytes / bytes_a_token(model_));
    for (std::size_t begin = 0; begin < order_.size();) {
      std::size_t end = begin;
      for (std::int64_t tokens = 0; end < order_.size(); ++end) {
        if (end > begin && class_of(end) != class_of(begin)) break;
        tokens += static_cast<std::int64_t>(needed(text(end)).size()) - (end > begin ? shared_[end] : 0);
        if (end > begin && tokens > most) break;
      }
      if (!score_block(begin, end)) break;
      begin = end;
    }
    result_.computed_tokens = passes_.computed_tokens();
    return std::move(result_);
  }

 private:
  /// A text whose keys are cached, as far as the next block can use them.
  struct Carried {
    std::span<const std::int32_t> ids;
    CachedText cached;
    std::int64_t frequencies = 0;
  };

  /// What a block has of each edge.
  struct Block {
    TextTrie trie;
    std::vector<std::span<const std::int32_t>> ids;  ///< of the texts of the trie
    std::vector<std::optional<CachedText>> cached;   ///< by edge, once it has gone through the network
    std::vector<Wanted> wanted;                      ///< by edge and position
    std::int64_t text_length = 0;                    ///< Row::text_length
  };

  const TextToScore& text(std::size_t place) const { return texts_[order_[place]]; }
  std::int64_t class_of(std::size_t place) const { return classes_[order_[place]]; }

  /// The order of the texts of which something is scored, and what neighbours in it share.
  void prepare() {
    result_.log_probabilities.resize(texts_.size());
    for (std::size_t i = 0; i < texts_.size(); ++i) {
      const auto length = static_cast<std::int64_t>(texts_[i].ids.size());
      result_.tokens += length;
      classes_.push_back(passes_.frequency_class(length));
      result_.log_probabilities[i].resize(std::max<std::int64_t>(0, length - texts_[i].from));
      if (length > texts_[i].from) order_.push_back(i);
    }
    std::ranges::sort(order_, [&](std::size_t a, std::size_t b) {
      if (classes_[a] != classes_[b]) return classes_[a] < classes_[b];
      return std::ranges::lexicographical_compare(needed(texts_[a]), needed(texts_[b]));
    });
    shared_.resize(order_.size());
    for (std::size_t place = 1; place < order_.size(); ++place) {
      if (class_of(place) == class_of(place - 1))
        shared_[place] = common_length(needed(text(place - 1)), needed(text(place)));
    }
  }

  /// So much of the carried text is of use: not the tokens from which this block wants scores, for these are gone.
  std::int64_t carried_length(std::size_t begin, std::size_t end) const {
    if (!carried_ || carried_->frequencies != class_of(begin)) return 0;
    std::int64_t length = shared_[begin], common = shared_[begin];
    for (std::size_t place = begin; place < end; ++place) {
      if (place > begin) common = std::min(common, shared_[place]);
      if (text(place).from - 1 < common) length = std::min(length, text(place).from - 1);
    }
    return length;
  }

  Block make_block(std::size_t begin, std::size_t end) {
    Block block;
    block.text_length = class_of(begin);
    const std::int64_t carried = carried_length(begin, end);
    block.ids.push_back(carried > 0 ? carried_->ids.first(static_cast<std::size_t>(carried))
                                    : std::span<const std::int32_t>());
    block.trie.add(block.ids.back());
    for (std::size_t place = begin; place < end; ++place) {
      block.ids.push_back(needed(text(place)));
      block.trie.add(block.ids.back());
    }
    const auto& edges = block.trie.edges();
    block.cached.resize(edges.size());
    for (std::ptrdiff_t edge = block.trie.last_edge(0); edge != TextTrie::kNone; edge = edges[edge].parent) {
      block.cached[edge] = passes_.first_tokens(carried_->cached, edges[edge].end);
    }
    for (std::size_t place = begin; place < end; ++place) want(block, place - begin + 1, order_[place]);
    std::ranges::stable_sort(block.wanted);
    return block;
  }

  void want(Block& block, std::size_t in_trie, std::size_t which) {
    const TextToScore& text = texts_[which];
    const auto& edges = block.trie.edges();
    std::ptrdiff_t edge = block.trie.last_edge(in_trie);
    for (auto token = static_cast<std::int64_t>(text.ids.size()) - 1; token >= text.from; --token) {
      while (edges[edge].begin > token - 1) edge = edges[edge].parent;
      block.wanted.push_back({.edge = static_cast<std::size_t>(edge),
                              .position = token - 1,
                              .id = text.ids[token],
                              .result = &result_.log_probabilities[which][token - text.from]});
    }
  }

  /// Whether scoring goes on.
  bool score_block(std::size_t begin, std::size_t end) {
    Block block = make_block(begin, end);
    for (const std::vector<std::size_t>& level : block.trie.levels()) {
      std::vector<std::size_t> some;
      std::int64_t tokens = 0;
      for (const std::size_t number : level) {
        if (block.cached[number]) continue;
        const TextTrie::Edge& edge = block.trie.edges()[number];
        if (!some.empty() && tokens + edge.end - edge.begin > Passes::kPassTokens) {
          pass(block, std::exchange(some, {}));
          tokens = 0;
        }
        some.push_back(number);
        tokens += edge.end - edge.begin;
      }
      if (!some.empty()) pass(block, some);
      if (options_.stops && options_.stops(begin)) return false;
    }
    const std::ptrdiff_t last = block.trie.last_edge(end - begin);
    carried_ = {.ids = needed(text(end - 1)), .cached = *block.cached[last], .frequencies = class_of(begin)};
    return !options_.stops || !options_.stops(end);
  }

  /// Edges whose parents are cached go through the network together.
  void pass(Block& block, const std::vector<std::size_t>& some) {
    std::vector<Row> rows;
    std::vector<std::int64_t> stream_rows, pair_rows, ids;
    std::vector<const Wanted*> pairs;
    std::int64_t begin = 0;
    for (const std::size_t number : some) {
      const TextTrie::Edge& edge = block.trie.edges()[number];
      const auto text = block.ids[edge.text].first(static_cast<std::size_t>(edge.end));
      rows.push_back({.ids = {text.begin(), text.end()},
                      .cached = edge.parent == TextTrie::kNone ? passes_.fresh(block.text_length)
                                                               : *block.cached[edge.parent],
                      .text_length = block.text_length});
      for (auto one = first_wanted(block, number); one != block.wanted.end() && one->edge == number; ++one) {
        const std::int64_t row = begin + one->position - edge.begin;
        if (stream_rows.empty() || stream_rows.back() != row) stream_rows.push_back(row);
        pair_rows.push_back(static_cast<std::int64_t>(stream_rows.size()) - 1);
        ids.push_back(one->id);
        pairs.push_back(&*one);
      }
      begin += edge.end - edge.begin;
    }
    std::vector<Row*> pointers;
    for (Row& row : rows) pointers.push_back(&row);
    const models::Output output = passes_.run(pointers, stream_rows);
    for (std::size_t i = 0; i < some.size(); ++i) block.cached[some[i]] = std::move(rows[i].cached);
    if (pairs.empty()) return;
    const at::Tensor log_p = log_probabilities(output, at::tensor(pair_rows, at::kLong), at::tensor(ids, at::kLong));
    const float* values = log_p.const_data_ptr<float>();
    for (std::size_t i = 0; i < pairs.size(); ++i) *pairs[i]->result = values[i];
  }

  static std::vector<Wanted>::const_iterator first_wanted(const Block& block, std::size_t edge) {
    return std::ranges::lower_bound(block.wanted, edge, {}, &Wanted::edge);
  }

  const models::Model& model_;
  std::span<const TextToScore> texts_;
  const ScoringOptions& options_;
  Passes passes_;
  std::vector<std::int64_t> classes_;  ///< Passes::frequency_class by text
  std::vector<std::size_t> order_;     ///< texts by class and lexicographically
  std::vector<std::int64_t> shared_;   ///< tokens that order_[i] begins with as order_[i - 1] does
  std::optional<Carried> carried_;
  Likelihoods result_;
};

}  // namespace

Likelihoods likelihoods(const models::Model& model, std::span<const TextToScore> texts, const ScoringOptions& options) {
  check_causal(model.spec(), "texts are scored token by token by models such as GPT-2, Llama or Qwen");
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].from < 1) internal_error("a text is scored from its second token on at the earliest");
    check_text(texts[i].ids, model, concat("text ", i + 1));
  }
  return Scoring(model, texts, options).run();
}

}  // namespace attune::infer
