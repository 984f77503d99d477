#include "converter/checkpoint/spec_list.h"
#include "converter/encoder/window_attention/window_attention.h"

namespace intsam::internal {

void AddKeys(const WindowAttention& attention, const std::string& path, SpecList& list) {
  const uint64_t width = attention.windows.width(), distances = 2 * uint64_t{attention.windows.side} - 1;
  list.Norm(path + ".norm1", width);
  for (const char* axis : {".attn.rel_pos_h", ".attn.rel_pos_w"})
    list.Tensor(path + axis, {distances, attention.windows.head_dim});
  list.Linear(path + ".attn.qkv", 3 * width, width);
  list.Linear(path + ".attn.proj", width, width);
}

}  // namespace intsam::internal
