// Kernels of pre-norm decoders: RMSNorm, rotary positions, gated activations. Included by kernels_<isa>.cpp after
// rows.h.

template <class T>
void rms_norm_forward(const RmsNormForward<T>& call, std::int64_t begin, std::int64_t end) {
  for (std::int64_t row = begin; row < end; ++row) {
    const T* x = call.x + row * call.features;
    Vec squares{};
    over(
        call.features, [&](std::int64_t f, auto lanes) __attribute__((always_inline)) {
          const Vec v = inside(load(x + f, lanes), lanes);
          squares += v * v;
        });
    const float inverse = 1.0f / __builtin_sqrtf(sum(squares) / static_cast<float>(call.features) + call.epsilon);
    call.inverse_rms[row] = inverse;
    over(
        call.features, [&](std::int64_t f, auto lanes) __attribute__((always_inline)) {
          const Vec weight = load(call.weight + f, lanes) + call.offset;
          store(call.y + row * call.features + f, load(x + f, lanes) * inverse * weight, lanes);
        });
  }
}

/// One row: dx = 1/rms · (g - x̂ · mean(g · x̂)) with g = grad · (weight + offset), x̂ = x / rms.
template <class T>
ATTUNE_INLINE void rms_norm_backward_row(const RmsNormBackward<T>& call, std::int64_t row, float* sums) {
  const std::int64_t at = row * call.features;
  const float inverse = call.inverse_rms[row];
  Vec sum_gx{};
  over(
      call.features, [&](std::int64_t f, auto lanes) __attribute__((always_inline)) {
        const Vec dy = load(call.grad + at + f, lanes);  // zero outside the row
        const Vec x = load(call.x + at + f, lanes) * inverse;
        if (sums != nullptr) store(sums + f, load(sums + f, lanes) + dy * x, lanes);
        sum_gx += dy * (load(call.weight + f, lanes) + call.offset) * x;
      });
  if (call.grad_x == nullptr) return;
  const float mean_gx = sum(sum_gx) / static_cast<float>(call.features);
  over(
      call.features, [&](std::int64_t f, auto lanes) __attribute__((always_inline)) {
        const Vec g = load(call.grad + at + f, lanes) * (load(call.weight + f, lanes) + call.offset);
        const Vec x = load(call.x + at + f, lanes) * inverse;
        store(call.grad_x + at + f, (g - x * mean_gx) * inverse, lanes);
      });
}

template <class T>
void rms_norm_backward(const RmsNormBackward<T>& call, std::int64_t begin, std::int64_t end) {
  over_blocks(begin, end, call.rows, call.partials, call.features,
              [&](std::int64_t row, float* sums) { rms_norm_backward_row(call, row, sums); });
}

template <class X, class Y>
void rotate(const Rotation<X, Y>& call, std::int64_t begin, std::int64_t end) {
  const std::int64_t turned = 2 * call.pairs;
  for (std::int64_t token = begin; token < end; ++token) {
    const float* cosines = call.cos + token * call.pairs;
    const float* sines = call.sin + token * call.pairs;
    for (std::int64_t head = 0; head < call.heads; ++head) {
      const X* x = call.x.at(token, head);
      Y* y = call.y.at(token, head);
      over(
          call.pairs, [&](std::int64_t f, auto lanes) __attribute__((always_inline)) {
            const Vec c = load(cosines + f, lanes);
            const Vec s = load(sines + f, lanes) * call.direction;
            const Vec first = load(x + f, lanes);
            const Vec second = load(x + call.pairs + f, lanes);
            store(y + f, first * c - second * s, lanes);
            store(y + call.pairs + f, second * c + first * s, lanes);
          });
      over(
          call.size - turned, [&](std::int64_t f, auto lanes) __attribute__((always_inline)) {
            store(y + turned + f, load(x + turned + f, lanes), lanes);
          });
    }
  }
}

template <class G, class T>
void gated_forward_as(const GatedForward<T>& call, std::int64_t begin, std::int64_t end) {
  for (std::int64_t row = begin; row < end; ++row) {
    over(
        call.features, [&](std::int64_t f, auto lanes) __attribute__((always_inline)) {
          const Vec gate = G::value(load(call.gate + row * call.gate_stride + f, lanes));
          store(call.y + row * call.features + f, gate * load(call.up + row * call.up_stride + f, lanes), lanes);
        });
  }
}

template <class G, class T>
void gated_backward_as(const GatedBackward<T>& call, std::int64_t begin, std::int64_t end) {
  for (std::int64_t row = begin; row < end; ++row) {
    const std::int64_t at = row * call.features;
    over(
        call.features, [&](std::int64_t f, auto lanes) __attribute__((always_inline)) {
          const Vec grad = load(call.grad + at + f, lanes);
          const Vec gate = load(call.gate + row * call.gate_stride + f, lanes);
          const Vec up = load(call.up + row * call.up_stride + f, lanes);
          store(call.grad_gate + at + f, grad * up * G::slope(gate), lanes);
          store(call.grad_up + at + f, grad * G::value(gate), lanes);
        });
  }
}

template <class T>
void gated_forward(const GatedForward<T>& call, std::int64_t begin, std::int64_t end) {
  with_gate(call.activation, [&](auto gate) { gated_forward_as<decltype(gate)>(call, begin, end); });
}

template <class T>
void gated_backward(const GatedBackward<T>& call, std::int64_t begin, std::int64_t end) {
  with_gate(call.activation, [&](auto gate) { gated_backward_as<decltype(gate)>(call, begin, end); });
}
