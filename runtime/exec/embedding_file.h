// A saved embedding as bytes (docs/format.md): what the image encoder gave, for which model, image and pixels.
#ifndef INTSAM_RUNTIME_EXEC_EMBEDDING_FILE_H_
#define INTSAM_RUNTIME_EXEC_EMBEDDING_FILE_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "runtime/base/sha256.h"
#include "runtime/base/status.h"
#include "runtime/exec/executor.h"

namespace intsam::internal {

struct SavedEmbedding {
  Sha256Digest model;   // identity of the model that made it
  Frame frame;          // sizes of the image
  Sha256Digest pixels;  // of the resized image, RGB [height][width][3]; zeros where only features were known
};

// Bytes of the file for so many features.
size_t EmbeddingFileSize(size_t values);

// out: EmbeddingFileSize(values.size()) bytes.
void WriteEmbedding(const SavedEmbedding& saved, std::span<const int16_t> values, std::span<uint8_t> out);

// Checks all of `in` and then fills in `values`, whose number the model fixes. The sizes are possible ones for an
// encoder of side `image_size`. After a failure `values` is untouched.
Result<SavedEmbedding> ReadEmbedding(std::span<const uint8_t> in, const Sha256Digest& model, uint32_t image_size,
                                     std::span<int16_t> values);

}  // namespace intsam::internal

#endif  // INTSAM_RUNTIME_EXEC_EMBEDDING_FILE_H_
