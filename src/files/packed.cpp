// See packed.h.
#include "attune/files/packed.h"

#include <algorithm>

namespace attune::files {

namespace {

constexpr unsigned kBitsInByte = 7;  // the eighth says that more follow
constexpr std::uint64_t kMore = 0x80;
constexpr unsigned kBitsInInteger = 64;

[[noreturn]] void refuse_bytes() { internal_error("a value was unpacked otherwise than it was packed"); }

}  // namespace

std::size_t SharedTexts::number_of(const std::string& text) {
  if (last_ < texts_.size() && *texts_[last_] == text) return last_;
  const auto found = std::ranges::find_if(texts_, [&](const auto& known) { return *known == text; });
  last_ = static_cast<std::size_t>(found - texts_.begin());
  if (found == texts_.end()) texts_.push_back(std::make_shared<const std::string>(text));
  return last_;
}

Packer& Packer::integer(std::int64_t number) {
  // Small numbers of either sign become small: 0, -1, 1, -2, … are 0, 1, 2, 3, …
  auto rest = (static_cast<std::uint64_t>(number) << 1) ^ static_cast<std::uint64_t>(number >> 63);
  for (; rest >= kMore; rest >>= kBitsInByte) bytes_ += static_cast<char>(rest | kMore);
  bytes_ += static_cast<char>(rest);
  return *this;
}

Packer& Packer::text(std::string_view text) {
  integer(static_cast<std::int64_t>(text.size()));
  return raw(text.data(), text.size());
}

Packer& Packer::list(const std::vector<std::string>& texts) {
  integer(static_cast<std::int64_t>(texts.size()));
  for (const std::string& each : texts) text(each);
  return *this;
}

std::int64_t Unpacker::integer() {
  std::uint64_t number = 0;
  for (unsigned shift = 0; shift < kBitsInInteger; shift += kBitsInByte) {
    const auto byte = static_cast<std::uint8_t>(take(1).front());
    number |= (byte & (kMore - 1)) << shift;
    if ((byte & kMore) == 0) return static_cast<std::int64_t>(number >> 1) ^ -static_cast<std::int64_t>(number & 1);
  }
  refuse_bytes();
}

std::size_t Unpacker::count(std::size_t bytes_each) {
  const auto number = static_cast<std::uint64_t>(integer());
  if (number > bytes_.size() / bytes_each) refuse_bytes();
  return number;
}

void Unpacker::list(std::vector<std::string>& texts) {
  texts.resize(count(1));
  for (std::string& each : texts) each = text();
}

std::string_view Unpacker::take(std::size_t size) {
  if (size > bytes_.size()) refuse_bytes();
  const std::string_view taken = bytes_.substr(0, size);
  bytes_.remove_prefix(size);
  return taken;
}

}  // namespace attune::files
