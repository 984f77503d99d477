#include "converter/checkpoint/spec_list.h"
#include "converter/encoder/biased_attention/biased_attention.h"

namespace intsam::internal {

void AddKeys(const BiasedAttention& attention, const std::string& path, SpecList& list) {
  const uint64_t width = attention.windows.width();
  list.Tensor(path + ".attn.attention_biases", {attention.windows.heads, attention.windows.keys()});
  list.Norm(path + ".attn.norm", width);
  list.Linear(path + ".attn.qkv", 3 * width, width);
  list.Linear(path + ".attn.proj", width, width);
}

}  // namespace intsam::internal
