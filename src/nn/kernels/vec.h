// Vectors of the instruction set a file is compiled for: ATTUNE_LANES floats, arithmetic in float whatever is stored.
// Included once by each kernels_<isa>.cpp inside a namespace of its own. No standard header may define functions here:
// an inline function compiled for AVX-512 could be the copy the linker keeps for everyone.

constexpr std::int64_t kLanes = ATTUNE_LANES;

typedef float Vec __attribute__((vector_size(ATTUNE_LANES * 4)));
typedef std::int32_t Ints __attribute__((vector_size(ATTUNE_LANES * 4)));
typedef std::uint32_t Words __attribute__((vector_size(ATTUNE_LANES * 4)));
typedef std::uint16_t HalfWords __attribute__((vector_size(ATTUNE_LANES * 2)));

#define ATTUNE_INLINE inline __attribute__((always_inline))

constexpr std::int64_t padded(std::int64_t n) {
  return (n + kLanes - 1) / kLanes * kLanes;
}

/// How many lanes of a vector are inside the row: all, or the first `count`.
struct Full {};
struct Part {
  std::int64_t count;
};
/// Those from `begin` on and before `end`, which may lie outside the vector.
struct Range {
  std::int64_t begin, end;
};

/// body(index, lanes) over a row of n elements.
template <class Body>
ATTUNE_INLINE void over(std::int64_t n, const Body& body) {
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) body(i, Full{});
  if (i < n) body(i, Part{n - i});
}

ATTUNE_INLINE Vec splat(float x) {
  return x - Vec{};
}
ATTUNE_INLINE Words iota() {
  Words lanes;
  for (std::uint32_t i = 0; i < ATTUNE_LANES; ++i) lanes[i] = i;
  return lanes;
}

ATTUNE_INLINE Vec load(const float* p, Full) {
  Vec v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
ATTUNE_INLINE Vec load(const float* p, Part part) {
  Vec v{};
  for (std::int64_t i = 0; i < part.count; ++i) v[i] = p[i];
  return v;
}
ATTUNE_INLINE void store(float* p, Vec v, Full) {
  __builtin_memcpy(p, &v, sizeof v);
}
ATTUNE_INLINE void store(float* p, Vec v, Part part) {
  for (std::int64_t i = 0; i < part.count; ++i) p[i] = v[i];
}

ATTUNE_INLINE Vec widened(HalfWords words) {
  return reinterpret_cast<Vec>(__builtin_convertvector(words, Words) << 16);
}
/// To the nearest bfloat16, ties to even. NaN stays NaN.
ATTUNE_INLINE HalfWords rounded(Vec v) {
  const Words bits = reinterpret_cast<Words>(v);
  const Words nearest = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  return __builtin_convertvector(v == v ? nearest : Words{} + 0x7fc0u, HalfWords);
}

ATTUNE_INLINE Vec load(const BFloat16* p, Full) {
  HalfWords words;
  __builtin_memcpy(&words, p, sizeof words);
  return widened(words);
}
ATTUNE_INLINE Vec load(const BFloat16* p, Part part) {
  HalfWords words{};
  for (std::int64_t i = 0; i < part.count; ++i) words[i] = p[i].bits;
  return widened(words);
}
ATTUNE_INLINE void store(BFloat16* p, Vec v, Full) {
  const HalfWords words = rounded(v);
  __builtin_memcpy(p, &words, sizeof words);
}
ATTUNE_INLINE void store(BFloat16* p, Vec v, Part part) {
  const HalfWords words = rounded(v);
  for (std::int64_t i = 0; i < part.count; ++i) p[i].bits = words[i];
}

/// v, with `otherwise` in the lanes outside the row.
ATTUNE_INLINE Vec inside(Vec v, Full, Vec otherwise = Vec{}) {
  return v;
}
ATTUNE_INLINE Vec inside(Vec v, Part part, Vec otherwise = Vec{}) {
  return iota() < static_cast<std::uint32_t>(part.count) ? v : otherwise;
}
ATTUNE_INLINE Vec inside(Vec v, Range range, Vec otherwise = Vec{}) {
  const Ints lane = reinterpret_cast<Ints>(iota());
  v = lane < static_cast<std::int32_t>(range.end) ? v : otherwise;
  return lane >= static_cast<std::int32_t>(range.begin) ? v : otherwise;
}

template <class Combine>
ATTUNE_INLINE float reduce(Vec v, const Combine& combine) {
#if ATTUNE_LANES == 16
  v = combine(v, __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  v = combine(v, __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
  v = combine(v, __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
#elif ATTUNE_LANES == 8
  v = combine(v, __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3));
  v = combine(v, __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5));
#else
  v = combine(v, __builtin_shufflevector(v, v, 2, 3, 0, 1));
#endif
  const float pair[2] = {v[0], v[1]};
  return combine(splat(pair[0]), splat(pair[1]))[0];
}
ATTUNE_INLINE Vec larger(Vec a, Vec b) {
  return a > b ? a : b;
}
ATTUNE_INLINE float sum(Vec v) {
  return reduce(
      v, [](Vec a, Vec b) __attribute__((always_inline)) { return a + b; });
}
ATTUNE_INLINE float maximum(Vec v) {
  return reduce(
      v, [](Vec a, Vec b) __attribute__((always_inline)) { return larger(a, b); });
}

/// e^x, relative error 1e-7 (Cephes' expf); below -87 it stays at the smallest normal number. NaN stays NaN.
ATTUNE_INLINE Vec exponential(Vec x) {
  x = x < -87.3f ? splat(-87.3f) : x;
  x = x > 88.3f ? splat(88.3f) : x;
  constexpr float kRound = 12582912.0f;  // 1.5 · 2^23: adding it leaves the nearest integer
  const Vec n = (x * 1.44269504088896341f + kRound) - kRound;
  const Vec r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  Vec p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  const Ints power = (__builtin_convertvector(n, Ints) + 127) << 23;
  return p * reinterpret_cast<Vec>(power);
}

/// tanh x to 2e-7 (Cephes' tanhf). NaN stays NaN.
ATTUNE_INLINE Vec hyperbolic_tangent(Vec x) {
  const Vec magnitude = x < 0.0f ? -x : x;
  const Vec far = 1.0f - 2.0f / (exponential(magnitude * 2.0f) + 1.0f);
  const Vec z = x * x;
  Vec p = z * -5.70498872745e-3f + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  const Vec near = x + x * z * p;
  return magnitude < 0.625f ? near : (x < 0.0f ? -far : far);
}

/// The factors (0 or scale) of neighbouring features of one row: dropout_hash of dropout_hash.h on vectors.
struct RowDrop {
  std::uint32_t low = 0, high = 0;
  std::int32_t threshold = 0;
  float scale = 1.0f;

  ATTUNE_INLINE RowDrop(const Drop& drop, std::int64_t row)
      : threshold(static_cast<std::int32_t>(drop.threshold)), scale(drop.scale) {
    if (drop.row_keys == nullptr) return;
    low = static_cast<std::uint32_t>(drop.row_keys[row]);
    high = static_cast<std::uint32_t>(drop.row_keys[row] >> 32);
  }

  ATTUNE_INLINE Vec factor(std::int64_t feature) const {
    Words h = (iota() + static_cast<std::uint32_t>(feature)) * 0x9e3779b9u + low;
    h = (h ^ (h >> 16)) * 0x7feb352du;
    h = (h ^ (h >> 15)) + high;
    h = h * 0x846ca68bu;
    h = (h ^ (h >> 16)) >> 1;
    return reinterpret_cast<Ints>(h) >= threshold ? splat(scale) : Vec{};
  }
};
