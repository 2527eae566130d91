// The search for a single text: greedy, or drawn at random. See search.h.
#include "search.h"

#include <algorithm>
#include <utility>

#include "logits.h"

namespace attune::infer {

Ending ending_of(const SearchSettings& settings, std::size_t prompt, std::span<const std::int32_t> ids,
                 std::int64_t prompt_length) {
  const std::vector<std::int64_t>& ends = settings.options.eos_token_id;
  const auto made = ids.subspan(static_cast<std::size_t>(prompt_length));
  if (std::find(ends.begin(), ends.end(), ids.back()) != ends.end()) return {true, FinishReason::end_token};
  if (settings.hooks.stops && settings.hooks.stops(prompt, made)) return {true, FinishReason::stopped};
  const bool is_full = static_cast<std::int64_t>(made.size()) >= settings.options.new_tokens_behind(prompt_length) ||
                       static_cast<std::int64_t>(ids.size()) > settings.most_tokens;
  return {is_full, FinishReason::length};
}

namespace {

class SingleSearch : public Search {
 public:
  SingleSearch(const SearchSettings& settings, std::size_t prompt, Row row)
      : settings_(settings),
        prompt_(prompt),
        prompt_length_(static_cast<std::int64_t>(row.ids.size())),
        row_(std::move(row)),
        processors_(settings.options, prompt_length_),
        key_(RandomKey(settings.options.seed, "generation").with(prompt)) {}

  std::vector<Row*> rows() override { return ending_.ends ? std::vector<Row*>{} : std::vector<Row*>{&row_}; }

  void advance(std::span<float> scores) override {
    processors_.apply(scores, row_.ids);
    const std::int64_t step = static_cast<std::int64_t>(row_.ids.size()) - prompt_length_;
    const std::int64_t token =
        settings_.options.do_sample ? draw(scores, key_, static_cast<std::uint64_t>(step)) : most_likely(scores);
    row_.ids.push_back(static_cast<std::int32_t>(token));
    if (settings_.hooks.on_token) settings_.hooks.on_token(prompt_, made());
    ending_ = ending_of(settings_, prompt_, row_.ids, prompt_length_);
  }

  Generated result() override {
    return {.ids = {made().begin(), made().end()}, .reason = ending_.reason, .score = 0.0};
  }
  Row last_row() override { return row_; }

 private:
  std::span<const std::int32_t> made() const {
    return std::span<const std::int32_t>(row_.ids).subspan(static_cast<std::size_t>(prompt_length_));
  }

  const SearchSettings& settings_;
  std::size_t prompt_;
  std::int64_t prompt_length_;
  Row row_;
  LogitsProcessors processors_;
  RandomKey key_;
  Ending ending_;
};

}  // namespace

std::unique_ptr<Search> make_single_search(const SearchSettings& settings, std::size_t prompt, Row row) {
  return std::make_unique<SingleSearch>(settings, prompt, std::move(row));
}

}  // namespace attune::infer
