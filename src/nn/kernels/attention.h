// Attention of one (sequence, head): scores of a block of queries against all keys lie in cache, so softmax, dropout
// and their gradients are single passes over rows. Probabilities are computed again in backward from the saved log-sum.
// Included by kernels_<isa>.cpp.

constexpr std::int64_t kQueryBlock = 64;

/// C [rows, columns] (+)= A [rows, depth] · B [depth, columns]; A at any strides, columns of B and C padded to whole
/// vectors.
struct Product {
  const float* a;
  std::int64_t a_row, a_column;
  const float* b;
  std::int64_t b_row;
  float* c;
  std::int64_t c_row;
  std::int64_t rows, depth, columns;
  bool accumulate;
};

/// `Rows` × `Width` vectors of C in registers.
template <int Rows, int Width>
ATTUNE_INLINE void product_tile(const Product& p, std::int64_t row, std::int64_t column) {
  Vec acc[Rows][Width];
  float* c = p.c + row * p.c_row + column;
  for (int r = 0; r < Rows; ++r) {
    for (int w = 0; w < Width; ++w) acc[r][w] = p.accumulate ? load(c + r * p.c_row + w * kLanes, Full{}) : Vec{};
  }
  const float* a = p.a + row * p.a_row;
  const float* b = p.b + column;
  for (std::int64_t k = 0; k < p.depth; ++k, a += p.a_column, b += p.b_row) {
    Vec right[Width];
    for (int w = 0; w < Width; ++w) right[w] = load(b + w * kLanes, Full{});
    for (int r = 0; r < Rows; ++r) {
      const Vec left = splat(a[r * p.a_row]);
      for (int w = 0; w < Width; ++w) acc[r][w] += left * right[w];
    }
  }
  for (int r = 0; r < Rows; ++r) {
    for (int w = 0; w < Width; ++w) store(c + r * p.c_row + w * kLanes, acc[r][w], Full{});
  }
}

constexpr int kTileRows = ATTUNE_LANES == 16 ? 8 : 4;

template <int Width>
ATTUNE_INLINE void product_rows(const Product& p, std::int64_t column) {
  std::int64_t row = 0;
  for (; row + kTileRows <= p.rows; row += kTileRows) product_tile<kTileRows, Width>(p, row, column);
  if (kTileRows > 4 && row + 4 <= p.rows) {
    product_tile<4, Width>(p, row, column);
    row += 4;
  }
  switch (p.rows - row) {
    case 3:
      return product_tile<3, Width>(p, row, column);
    case 2:
      return product_tile<2, Width>(p, row, column);
    case 1:
      return product_tile<1, Width>(p, row, column);
  }
}

/// Not inlined: one copy serves the six products.
__attribute__((noinline)) static void product(const Product& p) {
  std::int64_t column = 0;
  for (; column + 2 * kLanes <= p.columns; column += 2 * kLanes) product_rows<2>(p, column);
  if (column < p.columns) product_rows<1>(p, column);
}

/// dense[row, 0 … padded(size)) = scale · rows of x; the padding becomes zero.
template <class T>
ATTUNE_INLINE void pack(const T* x, std::int64_t stride, std::int64_t rows, std::int64_t size, float scale,
                        float* dense) {
  const std::int64_t width = padded(size);
  for (std::int64_t row = 0; row < rows; ++row) {
    over(
        size, [&](std::int64_t c, auto lanes) __attribute__((always_inline)) {
          store(dense + row * width + c, load(x + row * stride + c, lanes) * scale, Full{});
        });
  }
}

/// transposed[c, 0 … padded(rows)) = column c of dense [rows, padded(size)]; the padding becomes zero.
ATTUNE_INLINE void transpose(const float* dense, std::int64_t rows, std::int64_t size, float* transposed) {
  const std::int64_t width = padded(size);
  const std::int64_t length = padded(rows);
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t c = 0; c < size; ++c) transposed[c * length + row] = dense[row * width + c];
  }
  for (std::int64_t c = 0; c < size; ++c) {
    for (std::int64_t row = rows; row < length; ++row) transposed[c * length + row] = 0.0f;
  }
}

template <class T>
ATTUNE_INLINE void unpack(const float* dense, T* x, std::int64_t stride, std::int64_t rows, std::int64_t size,
                          float scale) {
  const std::int64_t width = padded(size);
  for (std::int64_t row = 0; row < rows; ++row) {
    over(
        size, [&](std::int64_t c, auto lanes) __attribute__((always_inline)) {
          store(x + row * stride + c, load(dense + row * width + c, Full{}) * scale, lanes);
        });
  }
}

/// Some columns of a row of scores.
struct Span {
  std::int64_t begin, end;
};

/// One task with its sequences' places and its scratch memory.
template <class Call>
struct Task {
  const Call& call;
  std::int64_t sequence, kv_head, first_q, queries, first_kv, keys, offset, size, width, length;
  float *k, *v, *k_columns, *v_columns, *grad_k, *grad_v;  // whole sequence
  float *q, *rows, *scores, *dropped, *grad_scores;        // one block of queries

  ATTUNE_INLINE Task(const Call& attention, std::int64_t task, float* scratch) : call(attention) {
    sequence = task / call.kv_heads;
    kv_head = task % call.kv_heads;
    first_q = call.q_ends[sequence];
    queries = call.q_ends[sequence + 1] - first_q;
    first_kv = call.kv_ends[sequence];
    keys = call.kv_ends[sequence + 1] - first_kv;
    offset = call.offsets[sequence];
    size = call.size;
    width = padded(size);
    length = padded(keys);
    k = scratch;
    v = k + keys * width;
    k_columns = v + keys * width;
    v_columns = k_columns + size * length;
    grad_k = v_columns + size * length;
    grad_v = grad_k + keys * width;
    q = grad_v + keys * width;
    rows = q + kQueryBlock * width;
    scores = rows + kQueryBlock * width;
    dropped = scores + kQueryBlock * length;
    grad_scores = dropped + kQueryBlock * length;
  }

  /// body(key, its row in x, n) over the keys or values [begin, end), as far as n of them follow one another.
  template <class T, class Body>
  ATTUNE_INLINE void over_keys(const Heads<const T>& x, Span span, const Body& body) const {
    if (call.pages == nullptr) return body(span.begin, x.at(first_kv + span.begin, kv_head), span.end - span.begin);
    const std::int32_t* page = call.pages + call.page_ends[sequence];
    for (std::int64_t key = span.begin; key < span.end;) {
      const std::int64_t row = key % call.page_size;
      const std::int64_t left = span.end - key;
      const std::int64_t n = call.page_size - row < left ? call.page_size - row : left;
      body(key, x.at(page[key / call.page_size] * call.page_size + row, kv_head), n);
      key += n;
    }
  }

  /// x: the keys or values → dense [keys, width].
  template <class T>
  ATTUNE_INLINE void pack_keys(const Heads<const T>& x, float* dense) const {
    over_keys(
        x, {0, keys}, [&](std::int64_t key, const T* rows, std::int64_t n) __attribute__((always_inline)) {
          pack(rows, x.token_stride, n, size, 1.0f, dense + key * width);
        });
  }

  /// The keys that query i of the sequence sees.
  ATTUNE_INLINE Span visible(std::int64_t query) const {
    const std::int64_t place = query + offset;
    Span span{0, keys};
    if (call.causal && place + 1 < keys) span.end = place + 1;
    if (call.window > 0) {
      if (place >= call.window) span.begin = place - call.window + 1;
      if (place + call.window < span.end) span.end = place + call.window;
    }
    return span;
  }
  ATTUNE_INLINE RowDrop drop(std::int64_t query) const { return RowDrop(call.drop, first_q + query); }
};

/// One block of queries of one head: what its steps have in common.
template <class Call>
struct Block {
  const Task<Call>& task;
  std::int64_t head, first, count;
  Span columns;  ///< that any of its queries sees, in whole vectors

  ATTUNE_INLINE Block(const Task<Call>& t, std::int64_t head, std::int64_t first)
      : task(t), head(head), first(first), count(t.queries - first < kQueryBlock ? t.queries - first : kQueryBlock) {
    columns = {t.visible(first).begin / kLanes * kLanes, padded(t.visible(first + count - 1).end)};
  }

  /// Keys that lie in the columns.
  ATTUNE_INLINE std::int64_t depth() const {
    return (columns.end < task.keys ? columns.end : task.keys) - columns.begin;
  }
  /// Index of the first key's probability among the features of dropout.
  ATTUNE_INLINE std::int64_t first_feature() const { return head << 20; }
  ATTUNE_INLINE float& log_sum(std::int64_t i) const {
    return task.call.log_sum[head * task.call.q_tokens + task.first_q + first + i];
  }
  ATTUNE_INLINE void score() const {
    const Task<Call>& t = task;
    pack(t.call.q.at(t.first_q + first, head), t.call.q.token_stride, count, t.size, t.call.scale, t.q);
    multiply(t.q, t.k_columns, t.scores);
  }
  /// out [count, columns] = left [count, size] · right [size, keys].
  ATTUNE_INLINE void multiply(const float* left, const float* right, float* out) const {
    const Task<Call>& t = task;
    product({left, t.width, 1, right + columns.begin, t.length, out + columns.begin, t.length, count, t.size,
             columns.end - columns.begin, false});
  }
  /// out [count, size] = weights [count, columns] · values [keys, size].
  ATTUNE_INLINE void combine(const float* weights, const float* values, float* out) const {
    const Task<Call>& t = task;
    product({weights + columns.begin, t.length, 1, values + columns.begin * t.width, t.width, out, t.width, count,
             depth(), t.width, false});
  }
  /// sums [keys, size] += weightsᵀ · rows [count, size].
  ATTUNE_INLINE void distribute(const float* weights, const float* rows, float* sums) const {
    const Task<Call>& t = task;
    product({weights + columns.begin, 1, t.length, rows, t.width, sums + columns.begin * t.width, t.width, depth(),
             count, t.width, true});
  }
  /// Zeros in the columns of `row` whose vectors hold nothing of `span`.
  ATTUNE_INLINE void clear_outside(const Span& span, float* row) const {
    const std::int64_t from = span.begin / kLanes * kLanes;
    clear(row + columns.begin, from - columns.begin);
    clear(row + padded(span.end), columns.end - padded(span.end));
  }
};

/// body(column, lanes) over the vectors that hold the span.
template <class Body>
ATTUNE_INLINE void over_span(const Span& span, const Body& body) {
  for (std::int64_t j = span.begin / kLanes * kLanes; j < span.end; j += kLanes) {
    if (j >= span.begin && j + kLanes <= span.end) {
      body(j, Full{});
    } else {
      body(j, Range{span.begin - j, span.end - j});
    }
  }
}

template <class K, class V>
std::int64_t attention_scratch(const Attention<K, V>& call) {
  const std::int64_t width = padded(call.size);
  const std::int64_t length = padded(call.longest_kv);
  return 4 * call.longest_kv * width + 2 * call.size * length + kQueryBlock * (2 * width + 3 * length);
}

/// Row of scores → e^(score - largest) · dropout, zeros in the columns of other keys; returns Σ e^…; saves the log-sum.
template <class Call>
ATTUNE_INLINE float softmax_row(const Block<Call>& block, std::int64_t i) {
  const Call& call = block.task.call;
  float* row = block.task.scores + i * block.task.length;
  const Span span = block.task.visible(block.first + i);
  Vec top = splat(-__builtin_inff());
  over_span(
      span, [&](std::int64_t j, auto lanes) __attribute__((always_inline)) {
        Vec s = load(row + j, Full{});
        if (call.softcap > 0.0f) {
          s = hyperbolic_tangent(s / call.softcap) * call.softcap;
          store(row + j, s, Full{});
        }
        top = larger(top, inside(s, lanes, top));
      });
  const float largest = maximum(top);
  const RowDrop drop = block.task.drop(block.first + i);
  const bool dropping = call.drop.row_keys != nullptr;
  Vec total{};
  over_span(
      span, [&](std::int64_t j, auto lanes) __attribute__((always_inline)) {
        Vec p = inside(exponential(load(row + j, Full{}) - largest), lanes);
        total += p;
        if (dropping) p *= drop.factor(block.first_feature() + j);
        store(row + j, p, Full{});
      });
  block.clear_outside(span, row);
  const float all = sum(total);
  block.log_sum(i) = largest + __builtin_logf(all);
  return all;
}

/// One query of one head: keys and values are read once, where they lie.
template <class Call>
ATTUNE_INLINE void attend_in_place(const Block<Call>& block, std::int64_t i) {
  const Task<Call>& t = block.task;
  const Call& call = t.call;
  const Span span = t.visible(block.first + i);
  const float* query = t.q + i * t.width;
  float* row = t.scores + i * t.length;
  t.over_keys(
      call.k, span, [&](std::int64_t key, const auto* rows, std::int64_t n) __attribute__((always_inline)) {
        for (std::int64_t j = 0; j < n; ++j, rows += call.k.token_stride) {
          Vec dot{};
          over(
              t.size, [&](std::int64_t c, auto lanes) __attribute__((always_inline)) {
                dot += load(query + c, Full{}) * load(rows + c, lanes);
              });
          row[key + j] = sum(dot);
        }
      });
  const float scale = 1.0f / softmax_row(block, i);
  clear(t.rows, t.width);
  t.over_keys(
      call.v, span, [&](std::int64_t key, const auto* rows, std::int64_t n) __attribute__((always_inline)) {
        for (std::int64_t j = 0; j < n; ++j, rows += call.v.token_stride) {
          const Vec weight = splat(row[key + j]);
          over(
              t.size, [&](std::int64_t c, auto lanes) __attribute__((always_inline)) {
                store(t.rows + c, load(t.rows + c, Full{}) + weight * load(rows + c, lanes), Full{});
              });
        }
      });
  unpack(t.rows, call.out.at(t.first_q + block.first + i, block.head), 0, 1, t.size, scale);
}

/// More readers of one key head are faster over keys that were laid out for them.
constexpr std::int64_t kReadersInPlace = 8;

template <class K, class V>
void attention_forward(const Attention<K, V>& call, std::int64_t index, float* scratch) {
  const Task t(call, index, scratch);
  if (t.queries == 0) return;
  if (call.pages != nullptr && t.queries * (call.heads / call.kv_heads) <= kReadersInPlace) {
    const std::int64_t readers = call.heads / call.kv_heads;
    for (std::int64_t head = t.kv_head * readers; head < (t.kv_head + 1) * readers; ++head) {
      const Block block(t, head, 0);
      pack(call.q.at(t.first_q, head), call.q.token_stride, block.count, t.size, call.scale, t.q);
      for (std::int64_t i = 0; i < block.count; ++i) attend_in_place(block, i);
    }
    return;
  }
  t.pack_keys(call.k, t.k);
  t.pack_keys(call.v, t.v);
  transpose(t.k, t.keys, t.size, t.k_columns);
  const std::int64_t group = call.heads / call.kv_heads;
  for (std::int64_t head = t.kv_head * group; head < (t.kv_head + 1) * group; ++head) {
    for (std::int64_t first = 0; first < t.queries; first += kQueryBlock) {
      const Block block(t, head, first);
      block.score();
      float sums[kQueryBlock];
      for (std::int64_t i = 0; i < block.count; ++i) sums[i] = softmax_row(block, i);
      block.combine(t.scores, t.v, t.rows);
      for (std::int64_t i = 0; i < block.count; ++i) {
        unpack(t.rows + i * t.width, call.out.at(t.first_q + first + i, head), 0, 1, t.size, 1.0f / sums[i]);
      }
    }
  }
}

/// Rows of scores and of gradients of the dropped probabilities → dropped probabilities, and gradients of the scores.
template <class Call>
ATTUNE_INLINE void softmax_backward_row(const Block<Call>& block, std::int64_t i) {
  const Task<Call>& task = block.task;
  const float softcap = task.call.softcap;
  float* row = task.scores + i * task.length;
  float* dropped = task.dropped + i * task.length;
  float* grad = task.grad_scores + i * task.length;
  const Span span = task.visible(block.first + i);
  const float log_sum = block.log_sum(i);
  const RowDrop drop = task.drop(block.first + i);
  const bool dropping = task.call.drop.row_keys != nullptr;
  Vec total{};
  over_span(
      span, [&](std::int64_t j, auto lanes) __attribute__((always_inline)) {
        Vec s = load(row + j, Full{});
        Vec slope = splat(1.0f);
        if (softcap > 0.0f) {
          const Vec t = hyperbolic_tangent(s / softcap);
          s = t * softcap;
          slope -= t * t;
        }
        const Vec p = inside(exponential(s - log_sum), lanes);
        const Vec factor = dropping ? drop.factor(block.first_feature() + j) : splat(1.0f);
        const Vec g = load(grad + j, Full{}) * factor;
        total += p * g;
        store(row + j, p * slope, Full{});
        store(dropped + j, p * factor, Full{});
        store(grad + j, g, Full{});
      });
  const float mean = sum(total);
  over_span(
      span, [&](std::int64_t j, auto lanes) __attribute__((always_inline)) {
        store(grad + j, inside(load(row + j, Full{}) * (load(grad + j, Full{}) - mean), lanes), Full{});
      });
  block.clear_outside(span, dropped);
  block.clear_outside(span, grad);
}

template <class K, class V>
void attention_backward(const Attention<K, V>& call, std::int64_t index, float* scratch) {
  const Task t(call, index, scratch);
  t.pack_keys(call.k, t.k);
  t.pack_keys(call.v, t.v);
  transpose(t.k, t.keys, t.size, t.k_columns);
  transpose(t.v, t.keys, t.size, t.v_columns);
  clear(t.grad_k, 2 * t.keys * t.width);
  const std::int64_t group = call.heads / call.kv_heads;
  for (std::int64_t head = t.kv_head * group; head < (t.kv_head + 1) * group; ++head) {
    for (std::int64_t first = 0; first < t.queries; first += kQueryBlock) {
      const Block block(t, head, first);
      block.score();
      pack(call.grad.at(t.first_q + first, head), call.grad.token_stride, block.count, t.size, 1.0f, t.rows);
      block.multiply(t.rows, t.v_columns, t.grad_scores);
      for (std::int64_t i = 0; i < block.count; ++i) softmax_backward_row(block, i);
      block.distribute(t.dropped, t.rows, t.grad_v);
      block.distribute(t.grad_scores, t.q, t.grad_k);
      block.combine(t.grad_scores, t.k, t.rows);
      unpack(t.rows, call.grad_q.at(t.first_q + first, head), call.grad_q.token_stride, block.count, t.size,
             call.scale);
    }
  }
  unpack(t.grad_k, call.grad_k.at(t.first_kv, t.kv_head), call.grad_k.token_stride, t.keys, t.size, 1.0f);
  unpack(t.grad_v, call.grad_v.at(t.first_kv, t.kv_head), call.grad_v.token_stride, t.keys, t.size, 1.0f);
}
