// Dividing a list of photos among processes that know nothing of each other.
#ifndef INTSAM_APPS_BATCH_SHARD_H_
#define INTSAM_APPS_BATCH_SHARD_H_

#include <cstdint>
#include <string>

#include "runtime/base/status.h"

namespace intsam::internal {

// Part `index` of `count`, from 1. Which part has a photo is decided by the SHA-256 of its name alone: processes that
// list a folder at different times, while it changes, neither miss a photo nor do one twice, as they would by position.
struct Shard {
  uint32_t index = 1, count = 1;

  bool Has(const std::string& name) const;
  // Between the name and the ending of a shard's files: ".2-of-8", or nothing for all.
  std::string Suffix() const;
};

// "2/8"; kUsage for anything else and above 65536 parts.
Result<Shard> ParseShard(const std::string& text);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_BATCH_SHARD_H_
