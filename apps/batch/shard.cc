#include "apps/batch/shard.h"

#include "apps/common/limits.h"
#include "apps/common/options.h"
#include "runtime/base/sha256.h"

namespace intsam::internal {

bool Shard::Has(const std::string& name) const {
  const Sha256Digest digest = Sha256Of(name.data(), name.size());
  uint64_t hash = 0;
  for (int i = 0; i < 8; ++i) hash = hash << 8 | digest[static_cast<size_t>(i)];
  return hash % count == index - 1;
}

std::string Shard::Suffix() const {
  return count == 1 ? "" : "." + std::to_string(index) + "-of-" + std::to_string(count);
}

Result<Shard> ParseShard(const std::string& text) {
  const size_t slash = text.find('/');
  if (slash == std::string::npos) return Error(Code::kUsage, "--shard: '%.40s' is not I/N, such as 2/8", text.c_str());
  INTSAM_ASSIGN(const int64_t count, ParseInteger("--shard", text.substr(slash + 1), 1, kBatchShards));
  INTSAM_ASSIGN(const int64_t index, ParseInteger("--shard", text.substr(0, slash), 1, count));
  return Shard{static_cast<uint32_t>(index), static_cast<uint32_t>(count)};
}

}  // namespace intsam::internal
