// SHA-256 (OpenSSL), for manifests, caches and fingerprints.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace attune {

/// 64 lower-case hexadecimal digits: sha256_hex("abc") == "ba7816bf…f20015ad".
std::string sha256_hex(std::string_view bytes);

/// The digest of bytes that arrive in pieces:
///   Sha256 hash; hash.update(a); hash.update(b); hash.hex() == sha256_hex(a + b)
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  Sha256& update(std::string_view bytes);
  /// The digest of all that came so far; call it once, last.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace attune
