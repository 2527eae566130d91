// Cross-entropy over a long row of logits. Included by kernels_<isa>.cpp.

/// Σ over the row of value(c, lanes), whose lanes outside the row must be zero. In float over short stretches, these in
/// double: a vocabulary has a quarter of a million terms.
template <class Value>
ATTUNE_INLINE double long_sum(std::int64_t columns, const Value& value) {
  constexpr std::int64_t kStretch = 2048;
  double total = 0.0;
  for (std::int64_t begin = 0; begin < columns; begin += kStretch) {
    const std::int64_t count = columns - begin < kStretch ? columns - begin : kStretch;
    Vec part{};
    over(
        count, [&](std::int64_t c, auto lanes) __attribute__((always_inline)) { part += value(begin + c, lanes); });
    total += static_cast<double>(sum(part));
  }
  return total;
}

/// Makes logits y (see CrossEntropy) and returns the largest.
template <class T>
ATTUNE_INLINE float cap_logits(const CrossEntropy<T>& call, T* y) {
  const bool changes = call.bias != nullptr || call.softcap > 0.0f;
  Vec largest = splat(-__builtin_inff());
  over(
      call.columns, [&](std::int64_t c, auto lanes) __attribute__((always_inline)) {
        Vec v = load(y + c, lanes);
        if (call.bias != nullptr) v += load(call.bias + c, lanes);
        if (call.softcap > 0.0f) v = hyperbolic_tangent(v / call.softcap) * call.softcap;
        if (changes) store(y + c, v, lanes);
        largest = larger(largest, inside(v, lanes, splat(-__builtin_inff())));
      });
  return maximum(largest);
}

template <class T>
ATTUNE_INLINE void cross_entropy_row(const CrossEntropy<T>& call, std::int64_t row) {
  T* y = call.logits + row * call.columns;
  const float largest = cap_logits(call, y);
  const double exponentials = long_sum(
      call.columns, [&](std::int64_t c, auto lanes) __attribute__((always_inline)) {
        return inside(exponential(load(y + c, lanes) - largest), lanes);
      });
  const float log_sum = static_cast<float>(__builtin_log(exponentials));  // log Σ exp y - largest
  const std::int64_t label = call.labels[row];
  const float nll = log_sum - (y[label] - largest);
  float loss = nll;
  if (call.smoothing > 0.0f) {
    const double below = long_sum(
        call.columns, [&](std::int64_t c, auto lanes) __attribute__((always_inline)) {
          return inside(load(y + c, lanes) - largest, lanes);
        });
    const float uniform = log_sum - static_cast<float>(below / static_cast<double>(call.columns));
    loss = (1.0f - call.smoothing) * nll + call.smoothing * uniform;
  }
  call.nll[row] = nll;
  call.smoothed[row] = loss;
  if (!call.gradient) return;
  const float uniform_share = call.smoothing / static_cast<float>(call.columns);
  const float weight = call.row_weights != nullptr ? call.row_weights[row] : 1.0f;
  const float at_label = y[label];
  over(
      call.columns, [&](std::int64_t c, auto lanes) __attribute__((always_inline)) {
        const Vec v = load(y + c, lanes);
        Vec slope = splat(weight);
        if (call.softcap > 0.0f) slope *= 1.0f - (v / call.softcap) * (v / call.softcap);
        store(y + c, (exponential(v - largest - log_sum) - uniform_share) * slope, lanes);
      });
  float slope = weight;
  if (call.softcap > 0.0f) slope *= 1.0f - (at_label / call.softcap) * (at_label / call.softcap);
  y[label] -= (1.0f - call.smoothing) * slope;
}

template <class T>
void cross_entropy(const CrossEntropy<T>& call, std::int64_t begin, std::int64_t end) {
  for (std::int64_t row = begin; row < end; ++row) cross_entropy_row(call, row);
}
