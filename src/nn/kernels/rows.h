// Row-wise kernels: dropout, LayerNorm with all that surrounds it, bias + gated activations. Included by
// kernels_<isa>.cpp.

template <class T>
void dropout(const Dropout<T>& call, std::int64_t begin, std::int64_t end) {
  for (std::int64_t row = begin; row < end; ++row) {
    const RowDrop drop(call.drop, row);
    const std::int64_t at = row * call.features;
    over(
        call.features, [&](std::int64_t f, auto lanes) __attribute__((always_inline)) {
          store(call.y + at + f, load(call.x + at + f, lanes) * drop.factor(f), lanes);
        });
  }
}

/// Writes residual + drop(x + bias) and returns its mean.
template <class T>
ATTUNE_INLINE float add_branch(const LayerNormForward<T>& call, std::int64_t row) {
  const RowDrop drop(call.branch_drop, row);
  const std::int64_t at = row * call.features;
  Vec total{};
  over(
      call.features, [&](std::int64_t f, auto lanes) __attribute__((always_inline)) {
        Vec s = load(call.x + at + f, lanes);
        if (call.bias != nullptr) s += load(call.bias + f, lanes);
        if (call.branch_drop.row_keys != nullptr) s *= drop.factor(f);
        if (call.residual != nullptr) s += load(call.residual + at + f, lanes);
        if (call.sum != nullptr) store(call.sum + at + f, s, lanes);
        total += inside(s, lanes);
      });
  return sum(total) / static_cast<float>(call.features);
}

ATTUNE_INLINE const float* sums_of(const LayerNormForward<float>& call) {
  return call.sum != nullptr ? call.sum : call.x;
}
ATTUNE_INLINE const float* sums_of(const LayerNormForward<BFloat16>& call) {
  return call.sum;
}

template <class T>
void layer_norm_forward(const LayerNormForward<T>& call, std::int64_t begin, std::int64_t end) {
  for (std::int64_t row = begin; row < end; ++row) {
    const std::int64_t at = row * call.features;
    const float* s = sums_of(call) + at;
    const float mean = add_branch(call, row);
    Vec squares{};
    over(
        call.features, [&](std::int64_t f, auto lanes) __attribute__((always_inline)) {
          const Vec d = inside(load(s + f, lanes) - mean, lanes);
          squares += d * d;
        });
    const float variance = sum(squares) / static_cast<float>(call.features);
    const float inverse = 1.0f / __builtin_sqrtf(variance + call.epsilon);
    call.mean[row] = mean;
    call.inverse_deviation[row] = inverse;
    const RowDrop drop(call.output_drop, row);
    over(
        call.features, [&](std::int64_t f, auto lanes) __attribute__((always_inline)) {
          Vec y =
              (load(s + f, lanes) - mean) * inverse * load(call.weight + f, lanes) + load(call.norm_bias + f, lanes);
          if (call.output_drop.row_keys != nullptr) y *= drop.factor(f);
          store(call.y + at + f, y, lanes);
        });
  }
}

/// One row: d sum = 1/σ · (g - mean(g) - x̂ · mean(g · x̂)) with g = grad · weight, x̂ = (sum - mean) / σ.
template <class T>
ATTUNE_INLINE void layer_norm_backward_row(const LayerNormBackward<T>& call, std::int64_t row, float* partials) {
  const std::int64_t at = row * call.features;
  const float mean = call.mean[row];
  const float inverse = call.inverse_deviation[row];
  const RowDrop output(call.output_drop, row);
  const RowDrop branch(call.branch_drop, row);
  const auto gradient = [&](std::int64_t f, auto lanes) __attribute__((always_inline)) {
    const Vec g = load(call.grad + at + f, lanes);
    return call.output_drop.row_keys != nullptr ? g * output.factor(f) : g;
  };
  const auto normalised = [&](std::int64_t f, auto lanes) __attribute__((always_inline)) {
    return (load(call.sum + at + f, lanes) - mean) * inverse;
  };

  Vec sum_g{};
  Vec sum_gx{};
  over(
      call.features, [&](std::int64_t f, auto lanes) __attribute__((always_inline)) {
        const Vec dy = gradient(f, lanes);  // zero outside the row
        const Vec x = normalised(f, lanes);
        if (partials != nullptr) {
          store(partials + f, load(partials + f, lanes) + dy * x, lanes);
          store(partials + call.features + f, load(partials + call.features + f, lanes) + dy, lanes);
        }
        const Vec g = dy * load(call.weight + f, lanes);
        sum_g += g;
        sum_gx += g * x;
      });
  const float mean_g = sum(sum_g) / static_cast<float>(call.features);
  const float mean_gx = sum(sum_gx) / static_cast<float>(call.features);
  over(
      call.features, [&](std::int64_t f, auto lanes) __attribute__((always_inline)) {
        const Vec g = gradient(f, lanes) * load(call.weight + f, lanes);
        Vec d = (g - mean_g - normalised(f, lanes) * mean_gx) * inverse;
        if (call.grad_sum != nullptr) store(call.grad_sum + at + f, d, lanes);
        if (call.branch_drop.row_keys != nullptr) d *= branch.factor(f);
        if (call.grad_x != nullptr) store(call.grad_x + at + f, d, lanes);
        if (!call.bias_partials) return;
        float* bias = partials + 2 * call.features + f;
        store(bias, load(bias, lanes) + d, lanes);
      });
}

ATTUNE_INLINE void clear(float* p, std::int64_t n) {
  if (p != nullptr) __builtin_memset(p, 0, static_cast<std::size_t>(n) * sizeof(float));
}

/// body(row, partials of its block) over the rows of blocks [begin, end); the partial sums start at zero.
template <class Body>
ATTUNE_INLINE void over_blocks(std::int64_t begin, std::int64_t end, std::int64_t rows, float* partials,
                               std::int64_t columns, const Body& body) {
  for (std::int64_t block = begin; block < end; ++block) {
    float* sums = partials != nullptr ? partials + block * columns : nullptr;
    clear(sums, columns);
    const std::int64_t last = (block + 1) * kBlockRows < rows ? (block + 1) * kBlockRows : rows;
    for (std::int64_t row = block * kBlockRows; row < last; ++row) body(row, sums);
  }
}

template <class T>
void layer_norm_backward(const LayerNormBackward<T>& call, std::int64_t begin, std::int64_t end) {
  over_blocks(begin, end, call.rows, call.partials, (call.bias_partials ? 3 : 2) * call.features,
              [&](std::int64_t row, float* sums) { layer_norm_backward_row(call, row, sums); });
}

// Gates: value(x), and slope(x) = its derivative.

/// σ(x) and σ'(x) = σ(x) σ(-x), both without cancellation.
struct Logistic {
  Vec value, slope;
  ATTUNE_INLINE explicit Logistic(Vec x) {
    const Vec e = exponential(-x);
    value = 1.0f / (1.0f + e);
    slope = e * value * value;
  }
};

/// x · Φ(x). The normal distribution's tail is a polynomial times e^(-x²/2) (Abramowitz and Stegun 7.1.26,
/// error 7.5e-8).
struct Gelu {
  struct Parts {
    Vec cdf, density;
  };
  static ATTUNE_INLINE Parts parts(Vec x) {
    const Vec magnitude = x < 0.0f ? -x : x;
    const Vec t = 1.0f / (1.0f + magnitude * (0.3275911f * 0.70710678118654752f));
    const Vec bell = exponential(x * x * -0.5f);
    Vec p = t * 1.061405429f - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    const Vec tail = p * t * bell * 0.5f;
    return {x < 0.0f ? tail : 1.0f - tail, bell * 0.39894228040143268f};
  }
  static ATTUNE_INLINE Vec value(Vec x) { return x * parts(x).cdf; }
  static ATTUNE_INLINE Vec slope(Vec x) {
    const Parts p = parts(x);
    return p.cdf + x * p.density;
  }
};

/// x · σ(2u), u = √(2/π) · (x + 0.044715 x³): the same as ½ x (1 + tanh u).
struct GeluTanh {
  static constexpr float kA = 1.59576912160573071f;  // 2 √(2/π)
  static constexpr float kB = kA * 0.044715f;
  static ATTUNE_INLINE Vec value(Vec x) { return x * Logistic(x * (kA + kB * x * x)).value; }
  static ATTUNE_INLINE Vec slope(Vec x) {
    const Logistic s(x * (kA + kB * x * x));
    return s.value + x * s.slope * (kA + 3.0f * kB * x * x);
  }
};

/// x · σ(kFactor x): 1.702 is quick_gelu, 1 is silu.
template <int FactorTimes1000>
struct Swish {
  static constexpr float kFactor = FactorTimes1000 / 1000.0f;
  static ATTUNE_INLINE Vec value(Vec x) { return x * Logistic(kFactor * x).value; }
  static ATTUNE_INLINE Vec slope(Vec x) {
    const Logistic s(kFactor * x);
    return s.value + kFactor * x * s.slope;
  }
};
using QuickGelu = Swish<1702>;
using Silu = Swish<1000>;

template <class G, class T>
void gate_forward_as(const GateForward<T>& call, std::int64_t begin, std::int64_t end) {
  for (std::int64_t row = begin; row < end; ++row) {
    const std::int64_t at = row * call.features;
    over(
        call.features, [&](std::int64_t f, auto lanes) __attribute__((always_inline)) {
          Vec x = load(call.x + at + f, lanes);
          if (call.bias != nullptr) x += load(call.bias + f, lanes);
          store(call.y + at + f, G::value(x), lanes);
        });
  }
}

template <class G, class T>
void gate_backward_as(const GateBackward<T>& call, std::int64_t begin, std::int64_t end) {
  over_blocks(begin, end, call.rows, call.partials, call.features, [&](std::int64_t row, float* sums) {
    const std::int64_t at = row * call.features;
    over(
        call.features, [&](std::int64_t f, auto lanes) __attribute__((always_inline)) {
          Vec x = load(call.x + at + f, lanes);
          if (call.bias != nullptr) x += load(call.bias + f, lanes);
          const Vec d = load(call.grad + at + f, lanes) * G::slope(x);
          store(call.grad_x + at + f, d, lanes);
          if (sums != nullptr) store(sums + f, load(sums + f, lanes) + d, lanes);
        });
  });
}

/// body(G{}) for the struct G of an activation.
template <class Body>
ATTUNE_INLINE void with_gate(Gate gate, const Body& body) {
  switch (gate) {
    case Gate::gelu:
      return body(Gelu{});
    case Gate::gelu_tanh:
      return body(GeluTanh{});
    case Gate::quick_gelu:
      return body(QuickGelu{});
    case Gate::silu:
      return body(Silu{});
  }
}

template <class T>
void gate_forward(const GateForward<T>& call, std::int64_t begin, std::int64_t end) {
  with_gate(call.gate, [&](auto gate) { gate_forward_as<decltype(gate)>(call, begin, end); });
}

template <class T>
void gate_backward(const GateBackward<T>& call, std::int64_t begin, std::int64_t end) {
  with_gate(call.gate, [&](auto gate) { gate_backward_as<decltype(gate)>(call, begin, end); });
}

/// Partial sums of the columns of x [rows, columns].
template <class T>
void column_sums(const T* x, std::int64_t rows, std::int64_t columns, float* partials, std::int64_t begin,
                 std::int64_t end) {
  over_blocks(begin, end, rows, partials, columns, [&](std::int64_t row, float* sums) {
    over(
        columns, [&](std::int64_t c, auto lanes) __attribute__((always_inline)) {
          store(sums + c, load(sums + c, lanes) + load(x + row * columns + c, lanes), lanes);
        });
  });
}

template <class T>
void add_rows(const RowAddition<T>& call, std::int64_t begin, std::int64_t end) {
  for (std::int64_t row = 0; row < call.rows; ++row) {
    if (call.ids[row] == call.padding_id) continue;
    const T* x = call.x + row * call.features + begin;
    T* sum = call.table + call.ids[row] * call.features + begin;
    over(
        end - begin, [&](std::int64_t f, auto lanes) __attribute__((always_inline)) {
          store(sum + f, load(sum + f, lanes) + load(x + f, lanes), lanes);
        });
  }
}

template <class T>
void add_to(const T* x, float* sum, std::int64_t begin, std::int64_t end) {
  over(
      end - begin, [&](std::int64_t i, auto lanes) __attribute__((always_inline)) {
        store(sum + begin + i, load(sum + begin + i, lanes) + load(x + begin + i, lanes), lanes);
      });
}

void sum_blocks(const float* partials, std::int64_t blocks, std::int64_t columns, float* out) {
  clear(out, columns);
  for (std::int64_t block = 0; block < blocks; ++block) {
    over(
        columns, [&](std::int64_t c, auto lanes) __attribute__((always_inline)) {
          store(out + c, load(out + c, lanes) + load(partials + block * columns + c, lanes), lanes);
        });
  }
}
