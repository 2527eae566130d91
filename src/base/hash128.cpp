// See hash128.h.
#include "attune/base/hash128.h"

#include <bit>
#include <cstring>

namespace attune {

namespace {

constexpr std::uint64_t kFirst = 0x87c37b91114253d5, kSecond = 0x4cf5ad432745937f;
constexpr std::size_t kBlock = 16;

std::uint64_t scrambled_first(std::uint64_t word) { return std::rotl(word * kFirst, 31) * kSecond; }
std::uint64_t scrambled_second(std::uint64_t word) { return std::rotl(word * kSecond, 33) * kFirst; }

std::uint64_t finished(std::uint64_t word) {
  word = (word ^ (word >> 33)) * 0xff51afd7ed558ccd;
  word = (word ^ (word >> 33)) * 0xc4ceb9fe1a85ec53;
  return word ^ (word >> 33);
}

struct Words {
  std::uint64_t first = 0, second = 0;
};

/// Of up to 16 bytes; what is missing is 0.
Words words_of(std::string_view bytes) {
  Words words;
  std::memcpy(&words, bytes.data(), bytes.size());
  return words;
}

}  // namespace

Hash128 hash128(std::string_view bytes, Hash128 seed) {
  std::uint64_t a = seed.first, b = seed.second;
  std::string_view rest = bytes;
  for (; rest.size() >= kBlock; rest.remove_prefix(kBlock)) {
    const Words words = words_of(rest.substr(0, kBlock));
    a = (std::rotl(a ^ scrambled_first(words.first), 27) + b) * 5 + 0x52dce729;
    b = (std::rotl(b ^ scrambled_second(words.second), 31) + a) * 5 + 0x38495ab5;
  }
  if (!rest.empty()) {
    const Words words = words_of(rest);
    a ^= scrambled_first(words.first);
    b ^= scrambled_second(words.second);
  }
  a ^= bytes.size();
  b ^= bytes.size();
  a += b;
  b += a;
  a = finished(a);
  b = finished(b);
  a += b;
  return {a, b + a};
}

}  // namespace attune
