// A member that most objects leave empty: one pointer in each, the value on the heap where there is one.
#pragma once

#include <cstddef>
#include <memory>
#include <ostream>
#include <utility>

namespace attune {

/// Holds a T that is empty unless it was given: a copyable std::unique_ptr that reads as a T() where it is null. For a million
/// rows with a dozen texts and lists each, of which few are ever used.
template <class T>
class Boxed {
 public:
  Boxed() = default;
  Boxed(T value) { *this = std::move(value); }  // NOLINT: stands for a T
  Boxed(const Boxed& other) : value_(other.value_ ? std::make_unique<T>(*other.value_) : nullptr) {}
  Boxed(Boxed&&) noexcept = default;
  Boxed& operator=(const Boxed& other) { return *this = Boxed(other); }
  Boxed& operator=(Boxed&&) noexcept = default;
  Boxed& operator=(T value) {
    value_ = value.empty() ? nullptr : std::make_unique<T>(std::move(value));
    return *this;
  }
  ~Boxed() = default;

  const T& operator*() const {
    static const T kEmpty;
    return value_ ? *value_ : kEmpty;
  }
  const T* operator->() const { return &**this; }
  operator const T&() const { return **this; }  // NOLINT: reads as a T
  /// The value to be changed; takes memory.
  T& edit() {
    if (!value_) value_ = std::make_unique<T>();
    return *value_;
  }
  void reset() { value_.reset(); }
  explicit operator bool() const { return value_ != nullptr; }

  bool empty() const { return (**this).empty(); }
  std::size_t size() const { return (**this).size(); }
  auto begin() const
    requires requires(const T& value) { value.begin(); }
  {
    return (**this).begin();
  }
  auto end() const
    requires requires(const T& value) { value.end(); }
  {
    return (**this).end();
  }
  decltype(auto) operator[](std::size_t i) const { return (**this)[i]; }

  friend bool operator==(const Boxed& a, const Boxed& b) { return *a == *b; }
  friend bool operator==(const Boxed& a, const T& b) { return *a == b; }
  friend std::ostream& operator<<(std::ostream& out, const Boxed& boxed)
    requires requires(const T& value) { out << value; }
  {
    return out << *boxed;
  }

 private:
  std::unique_ptr<T> value_;
};

}  // namespace attune
