// Beam search as Transformers does it: the best texts that go on, and the best whole ones by score / length^penalty.
// See search.h.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "logits.h"
#include "search.h"

namespace attune::infer {

namespace {

/// Added to what must not win; with float32 it swallows every score.
constexpr float kOut = -1.0e9f;

struct Beam {
  Row row;
  float score = 0.0f;  ///< Σ log probabilities
};

struct Candidate {
  std::size_t beam = 0;
  std::int32_t token = 0;
  float score = 0.0f;
  Ending ending = {};
};

struct WholeText {
  std::vector<std::int32_t> ids;
  float score = kOut;
  bool is_whole = false;
  FinishReason reason = FinishReason::length;
};

class BeamSearch : public Search {
 public:
  BeamSearch(const SearchSettings& settings, std::size_t prompt, Row row)
      : settings_(settings),
        prompt_(prompt),
        prompt_length_(static_cast<std::int64_t>(row.ids.size())),
        processors_(settings.options, prompt_length_),
        key_(RandomKey(settings.options.seed, "beams").with(prompt)) {
    whole_.resize(static_cast<std::size_t>(settings.options.num_beams));
    for (WholeText& text : whole_) text.ids = row.ids;
    beams_.push_back({.row = std::move(row), .score = 0.0f});  // all would be alike
  }

  std::vector<Row*> rows() override {
    std::vector<Row*> rows;
    if (is_over_) return rows;
    for (Beam& beam : beams_) rows.push_back(&beam.row);
    return rows;
  }

  void advance(std::span<float> scores) override {
    std::vector<Candidate> candidates = best_candidates(scores);
    std::vector<std::vector<std::int32_t>> texts;
    for (Candidate& candidate : candidates) {
      texts.push_back(beams_[candidate.beam].row.ids);
      texts.back().push_back(candidate.token);
      candidate.ending = ending_of(settings_, prompt_, texts.back(), prompt_length_);
    }
    ++made_;
    collect_whole_texts(candidates, texts);
    go_on_with(candidates, texts);
    decide_end();
  }

  Generated result() override {
    const WholeText& best = whole_.front();
    return {.ids = {best.ids.begin() + static_cast<std::ptrdiff_t>(prompt_length_), best.ids.end()},
            .reason = best.reason,
            .score = best.score};
  }

  Row last_row() override { return beams_.empty() ? Row{} : beams_.front().row; }

 private:
  const GenerationOptions& options() const { return settings_.options; }
  std::size_t num_beams() const { return static_cast<std::size_t>(options().num_beams); }

  /// Enough that num_beams of them do not end, by falling score; drawn without replacement where the options say so.
  std::vector<Candidate> best_candidates(std::span<float> scores) {
    const auto vocab = static_cast<std::size_t>(settings_.vocab);
    for (std::size_t i = 0; i < beams_.size(); ++i) {
      const std::span<float> own = scores.subspan(i * vocab, vocab);
      most_likely(own);  // refuses what are no numbers
      log_softmax(own);
      processors_.apply(own, beams_[i].row.ids);
      for (float& score : own) score += beams_[i].score;
    }
    // Gumbel noise: the k largest of score + noise are a draw of k without replacement by softmax(score).
    std::vector<float> order(scores.begin(), scores.end());
    if (options().do_sample) {
      const RandomKey step = key_.with(static_cast<std::uint64_t>(made_));
      for (std::size_t i = 0; i < order.size(); ++i)
        order[i] -= static_cast<float>(std::log(-std::log1p(-step.uniform(i))));
    }
    const std::size_t wanted = std::max<std::size_t>(2, 1 + options().eos_token_id.size()) * num_beams();
    const std::size_t count = std::min(wanted, order.size());
    std::vector<std::size_t> places(order.size());
    std::iota(places.begin(), places.end(), 0);
    std::partial_sort(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(count), places.end(),
                      [&](std::size_t a, std::size_t b) { return order[a] != order[b] ? order[a] > order[b] : a < b; });
    std::vector<Candidate> candidates;
    for (std::size_t i = 0; i < count && std::isfinite(scores[places[i]]); ++i) {
      candidates.push_back({.beam = places[i] / vocab,
                            .token = static_cast<std::int32_t>(places[i] % vocab),
                            .score = scores[places[i]]});
    }
    return candidates;
  }

  /// Only the first num_beams candidates count as whole; those behind them are there to go on with.
  void collect_whole_texts(const std::vector<Candidate>& candidates,
                           const std::vector<std::vector<std::int32_t>>& texts) {
    const auto penalty = static_cast<float>(std::pow(static_cast<double>(made_), options().length_penalty));
    const bool is_closed = !can_improve_ || (options().early_stopping == "true" && all_whole());
    if (is_closed) return;
    for (std::size_t i = 0; i < std::min(candidates.size(), num_beams()); ++i) {
      if (!candidates[i].ending.ends) continue;
      whole_.push_back({.ids = texts[i],
                        .score = candidates[i].score / penalty,
                        .is_whole = true,
                        .reason = candidates[i].ending.reason});
    }
    std::stable_sort(whole_.begin(), whole_.end(),
                     [](const WholeText& a, const WholeText& b) { return a.score > b.score; });
    whole_.resize(num_beams());
  }

  void go_on_with(const std::vector<Candidate>& candidates, std::vector<std::vector<std::int32_t>>& texts) {
    std::vector<std::size_t> places(candidates.size());
    std::iota(places.begin(), places.end(), 0);
    std::stable_sort(places.begin(), places.end(),
                     [&](std::size_t a, std::size_t b) { return candidates[a].score > candidates[b].score; });
    std::vector<Beam> next;
    for (const std::size_t i : places) {
      if (candidates[i].ending.ends || next.size() == num_beams()) continue;
      next.push_back({.row = {.ids = std::move(texts[i]), .cached = beams_[candidates[i].beam].row.cached},
                      .score = candidates[i].score});
    }
    beams_ = std::move(next);
  }

  bool all_whole() const {
    return std::all_of(whole_.begin(), whole_.end(), [](const WholeText& text) { return text.is_whole; });
  }

  /// Over when no beam goes on, when there are enough whole texts, or when none is likely to get better.
  void decide_end() {
    if (beams_.empty()) {
      is_over_ = true;
      return;
    }
    const bool to_the_end = options().early_stopping == "never" && options().length_penalty > 0.0;
    const auto length = static_cast<double>(to_the_end ? options().new_tokens_behind(prompt_length_) : made_);
    const float possible = beams_.front().score / static_cast<float>(std::pow(length, options().length_penalty));
    const float worst = all_whole() ? whole_.back().score : kOut;
    can_improve_ = can_improve_ && possible > worst;
    is_over_ = !can_improve_ || (options().early_stopping == "true" && all_whole());
  }

  const SearchSettings& settings_;
  std::size_t prompt_;
  std::int64_t prompt_length_;
  LogitsProcessors processors_;
  RandomKey key_;
  std::vector<Beam> beams_;       ///< by falling score
  std::vector<WholeText> whole_;  ///< num_beams, by falling score; those that are not whole yet behind the others
  std::int64_t made_ = 0;         ///< new tokens of a beam
  bool can_improve_ = true;
  bool is_over_ = false;
};

}  // namespace

std::unique_ptr<Search> make_beam_search(const SearchSettings& settings, std::size_t prompt, Row row) {
  return std::make_unique<BeamSearch>(settings, prompt, std::move(row));
}

}  // namespace attune::infer
