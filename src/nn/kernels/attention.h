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

/// One task with its sequences' places and its scratch memory.
template <class T>
struct Task {
  const Attention<T>& call;
  std::int64_t head, first_q, queries, first_kv, keys, size, width, length;
  float *k, *v, *k_columns, *v_columns, *grad_k, *grad_v;  // whole sequence
  float *q, *rows, *scores, *dropped, *grad_scores;        // one block of queries

  ATTUNE_INLINE Task(const Attention<T>& attention, std::int64_t task, float* scratch) : call(attention) {
    const std::int64_t sequence = task / call.heads;
    head = task % call.heads;
    first_q = call.q_ends[sequence];
    queries = call.q_ends[sequence + 1] - first_q;
    first_kv = call.kv_ends[sequence];
    keys = call.kv_ends[sequence + 1] - first_kv;
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

  /// How many keys query i of the sequence sees.
  ATTUNE_INLINE std::int64_t visible(std::int64_t query) const {
    return call.causal ? query + 1 + keys - queries : keys;
  }
  ATTUNE_INLINE RowDrop drop(std::int64_t query) const { return RowDrop(call.drop, first_q + query); }
  /// Index of the first key's probability among the features of dropout.
  ATTUNE_INLINE std::int64_t first_feature() const { return head << 20; }
  ATTUNE_INLINE float& log_sum(std::int64_t query) const {
    return call.log_sum[head * call.q_tokens + first_q + query];
  }
  ATTUNE_INLINE void score(std::int64_t count) const {
    product({q, width, 1, k_columns, length, scores, length, count, size, length, false});
  }
};

template <class T>
std::int64_t attention_scratch(const Attention<T>& call) {
  const std::int64_t width = padded(call.size);
  const std::int64_t length = padded(call.longest_kv);
  return 4 * call.longest_kv * width + 2 * call.size * length + kQueryBlock * (2 * width + 3 * length);
}

/// Row of scores → e^(score - largest) · dropout, zeros behind the visible keys; returns Σ e^…; saves the log-sum.
template <class T>
ATTUNE_INLINE float softmax_row(const Task<T>& task, std::int64_t query, float* row) {
  const std::int64_t visible = task.visible(query);
  Vec top = splat(row[0]);
  over(
      visible, [&](std::int64_t j, auto lanes)
                   __attribute__((always_inline)) { top = larger(top, inside(load(row + j, Full{}), lanes, top)); });
  const float largest = maximum(top);
  const RowDrop drop = task.drop(query);
  const bool dropping = task.call.drop.row_keys != nullptr;
  Vec total{};
  over(
      visible, [&](std::int64_t j, auto lanes) __attribute__((always_inline)) {
        Vec p = inside(exponential(load(row + j, Full{}) - largest), lanes);
        total += p;
        if (dropping) p *= drop.factor(task.first_feature() + j);
        store(row + j, p, Full{});
      });
  clear(row + padded(visible), task.length - padded(visible));
  const float all = sum(total);
  task.log_sum(query) = largest + __builtin_logf(all);
  return all;
}

template <class T>
void attention_forward(const Attention<T>& call, std::int64_t index, float* scratch) {
  const Task<T> t(call, index, scratch);
  if (t.queries == 0) return;
  pack(call.k.at(t.first_kv, t.head), call.k.token_stride, t.keys, t.size, 1.0f, t.k);
  pack(call.v.at(t.first_kv, t.head), call.v.token_stride, t.keys, t.size, 1.0f, t.v);
  transpose(t.k, t.keys, t.size, t.k_columns);
  for (std::int64_t first = 0; first < t.queries; first += kQueryBlock) {
    const std::int64_t count = t.queries - first < kQueryBlock ? t.queries - first : kQueryBlock;
    pack(call.q.at(t.first_q + first, t.head), call.q.token_stride, count, t.size, call.scale, t.q);
    t.score(count);
    float sums[kQueryBlock];
    for (std::int64_t i = 0; i < count; ++i) sums[i] = softmax_row(t, first + i, t.scores + i * t.length);
    product({t.scores, t.length, 1, t.v, t.width, t.rows, t.width, count, t.keys, t.width, false});
    for (std::int64_t i = 0; i < count; ++i) {
      unpack(t.rows + i * t.width, call.out.at(t.first_q + first + i, t.head), 0, 1, t.size, 1.0f / sums[i]);
    }
  }
}

/// Rows of scores and of gradients of the dropped probabilities → dropped probabilities, and gradients of the scores.
template <class T>
ATTUNE_INLINE void softmax_backward_row(const Task<T>& task, std::int64_t query, std::int64_t i) {
  float* p_row = task.scores + i * task.length;
  float* dropped = task.dropped + i * task.length;
  float* grad = task.grad_scores + i * task.length;
  const std::int64_t visible = task.visible(query);
  const float log_sum = task.log_sum(query);
  const RowDrop drop = task.drop(query);
  const bool dropping = task.call.drop.row_keys != nullptr;
  Vec total{};
  over(
      visible, [&](std::int64_t j, auto lanes) __attribute__((always_inline)) {
        const Vec p = inside(exponential(load(p_row + j, Full{}) - log_sum), lanes);
        const Vec factor = dropping ? drop.factor(task.first_feature() + j) : splat(1.0f);
        const Vec g = load(grad + j, Full{}) * factor;
        total += p * g;
        store(p_row + j, p, Full{});
        store(dropped + j, p * factor, Full{});
        store(grad + j, g, Full{});
      });
  const float mean = sum(total);
  over(
      visible, [&](std::int64_t j, auto lanes) __attribute__((always_inline)) {
        store(grad + j, inside(load(p_row + j, Full{}) * (load(grad + j, Full{}) - mean), lanes), Full{});
      });
  clear(dropped + padded(visible), task.length - padded(visible));
  clear(grad + padded(visible), task.length - padded(visible));
}

template <class T>
void attention_backward(const Attention<T>& call, std::int64_t index, float* scratch) {
  const Task<T> t(call, index, scratch);
  pack(call.k.at(t.first_kv, t.head), call.k.token_stride, t.keys, t.size, 1.0f, t.k);
  pack(call.v.at(t.first_kv, t.head), call.v.token_stride, t.keys, t.size, 1.0f, t.v);
  transpose(t.k, t.keys, t.size, t.k_columns);
  transpose(t.v, t.keys, t.size, t.v_columns);
  clear(t.grad_k, 2 * t.keys * t.width);
  for (std::int64_t first = 0; first < t.queries; first += kQueryBlock) {
    const std::int64_t count = t.queries - first < kQueryBlock ? t.queries - first : kQueryBlock;
    pack(call.q.at(t.first_q + first, t.head), call.q.token_stride, count, t.size, call.scale, t.q);
    pack(call.grad.at(t.first_q + first, t.head), call.grad.token_stride, count, t.size, 1.0f, t.rows);
    t.score(count);
    product({t.rows, t.width, 1, t.v_columns, t.length, t.grad_scores, t.length, count, t.size, t.length, false});
    for (std::int64_t i = 0; i < count; ++i) softmax_backward_row(t, first + i, i);
    product({t.dropped, 1, t.length, t.rows, t.width, t.grad_v, t.width, t.keys, count, t.width, true});
    product({t.grad_scores, 1, t.length, t.q, t.width, t.grad_k, t.width, t.keys, count, t.width, true});
    product({t.grad_scores, t.length, 1, t.k, t.width, t.rows, t.width, count, t.keys, t.width, false});
    unpack(t.rows, call.grad_q.at(t.first_q + first, t.head), call.grad_q.token_stride, count, t.size, call.scale);
  }
  unpack(t.grad_k, call.grad_k.at(t.first_kv, t.head), call.grad_k.token_stride, t.keys, t.size, 1.0f);
  unpack(t.grad_v, call.grad_v.at(t.first_kv, t.head), call.grad_v.token_stride, t.keys, t.size, 1.0f);
}
