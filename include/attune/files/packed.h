// Values as bytes, to lie in a file that only this program on this machine reads: whole numbers in as few bytes as they
// need, nothing aligned. Types say what they are made of by two functions beside them:
//   void pack(const Row& row, files::Packer& packer)      { packer.integer(row.id).text(row.name); }
//   void unpack(files::Unpacker& packed, Row& row)        { row.id = packed.integer(); row.name = packed.text(); }
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "attune/base/error.h"

namespace attune::files {

/// Texts that most values share, such as the name of their file: each is held once.
class SharedTexts {
 public:
  std::size_t number_of(const std::string& text);
  const std::shared_ptr<const std::string>& text(std::size_t number) const { return texts_.at(number); }

 private:
  std::vector<std::shared_ptr<const std::string>> texts_;
  std::size_t last_ = 0;  ///< asked for: neighbours share
};

class Packer {
 public:
  /// Appends to `bytes`. Both must outlive the packer.
  Packer(std::string& bytes, SharedTexts& shared) : bytes_(bytes), shared_(shared) {}

  Packer& integer(std::int64_t number);
  Packer& real(double number) { return raw(&number, sizeof(number)); }
  Packer& text(std::string_view text);
  Packer& shared(const std::string& text) { return integer(static_cast<std::int64_t>(shared_.number_of(text))); }
  template <class T>
    requires std::is_arithmetic_v<T>
  Packer& list(const std::vector<T>& values) {
    integer(static_cast<std::int64_t>(values.size()));
    return raw(values.data(), values.size() * sizeof(T));
  }
  Packer& list(const std::vector<std::string>& texts);

 private:
  Packer& raw(const void* data, std::size_t size) {
    bytes_.append(static_cast<const char*>(data), size);
    return *this;
  }

  std::string& bytes_;
  SharedTexts& shared_;
};

/// Takes values out in the order in which they were packed. Error{internal} where they were packed otherwise.
class Unpacker {
 public:
  Unpacker(std::string_view bytes, const SharedTexts& shared) : bytes_(bytes), shared_(shared) {}

  std::int64_t integer();
  double real() {
    double number = 0;
    std::memcpy(&number, take(sizeof(number)).data(), sizeof(number));
    return number;
  }
  std::string_view text() { return take(static_cast<std::size_t>(integer())); }
  const std::shared_ptr<const std::string>& shared() { return shared_.text(static_cast<std::size_t>(integer())); }
  /// The length of a list whose elements take at least so many bytes each.
  std::size_t count(std::size_t bytes_each);
  /// Overwrites `values`, whose memory is used again.
  template <class T>
    requires std::is_arithmetic_v<T>
  void list(std::vector<T>& values) {
    values.resize(count(sizeof(T)));
    const std::string_view bytes = take(values.size() * sizeof(T));
    if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  }
  void list(std::vector<std::string>& texts);
  bool empty() const { return bytes_.empty(); }

 private:
  std::string_view take(std::size_t size);

  std::string_view bytes_;
  const SharedTexts& shared_;
};

}  // namespace attune::files
