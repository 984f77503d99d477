// One block of memory carved by a layout function that runs twice: first to count, then to place. Nothing is
// allocated while an image is processed.
#ifndef INTSAM_RUNTIME_BASE_ARENA_H_
#define INTSAM_RUNTIME_BASE_ARENA_H_

#include <cstddef>
#include <cstdint>
#include <memory>

namespace intsam::internal {

class Arena {
 public:
  static constexpr size_t kAlignment = 64;
  // The first aligned byte of a block; it loses less than kAlignment bytes.
  static uint8_t* Align(uint8_t* block) { return block + (-reinterpret_cast<uintptr_t>(block)) % kAlignment; }

  // A block whose pages are not touched yet. (std::make_unique_for_overwrite, which older libc++ lacks.)
  static std::unique_ptr<uint8_t[]> Block(size_t bytes) { return std::unique_ptr<uint8_t[]>(new uint8_t[bytes]); }

  explicit Arena(uint8_t* base) : base_(base) {}  // null: count only

  // `count` elements of T, 64-byte aligned, followed by 64 bytes that vector code may touch.
  template <class T>
  T* Take(size_t count) {
    const size_t at = used_;
    used_ = (used_ + count * sizeof(T) + 64 + kAlignment - 1) / kAlignment * kAlignment;
    return base_ == nullptr ? nullptr : reinterpret_cast<T*>(base_ + at);
  }
  size_t used() const { return used_; }

  // What goes on behind two layouts that began at the same place and share its memory.
  static Arena Behind(const Arena& a, const Arena& b) { return a.used_ > b.used_ ? a : b; }

 private:
  uint8_t* base_;
  size_t used_ = 0;
};

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_BASE_ARENA_H_
