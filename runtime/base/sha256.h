// SHA-256 (FIPS 180-4), for checksums and provenance.
#ifndef INTSAM_RUNTIME_BASE_SHA256_H_
#define INTSAM_RUNTIME_BASE_SHA256_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace intsam::internal {

using Sha256Digest = std::array<uint8_t, 32>;

class Sha256 {
 public:
  Sha256();
  void Update(const void* data, size_t size);
  Sha256Digest Finish();

 private:
  void Block(const uint8_t* block);
  uint32_t state_[8];
  uint64_t size_ = 0;
  uint8_t buffer_[64];
};

Sha256Digest Sha256Of(const void* data, size_t size);
std::string ToHex(const Sha256Digest& digest);  // lower case, 64 characters

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_BASE_SHA256_H_
