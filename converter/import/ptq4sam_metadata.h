// The metadata of the import contract as values. Whether it fits the tensors is for ptq4sam.cc to see.
#ifndef INTSAM_CONVERTER_IMPORT_PTQ4SAM_METADATA_H_
#define INTSAM_CONVERTER_IMPORT_PTQ4SAM_METADATA_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "converter/checkpoint/checkpoint.h"
#include "runtime/sam/config.h"

namespace intsam::internal {

struct Ptq4SamMetadata {
  std::string config_json;  // the stated configuration, as DeduceConfig takes it
  bool encoder_quantized = false;
  std::string method;  // "calibrated" or "reconstructed"
  std::set<std::string> big_sites;
  std::map<std::string, uint64_t> site_bits;  // any number: the range depends on the site
  uint32_t soft_layers_hardened = 0;
  uint32_t drop_active_sites = 0;
};

// Every required key must be there and well formed; unknown keys are ignored. `decoder_num_heads` may be there, for
// models other than the official ones, which have 8. Errors name the key (kDamaged; kUnsupported: another format).
Result<Ptq4SamMetadata> ParsePtq4SamMetadata(const CheckpointMetadata& metadata);

// A model as wide as SAM-B, -L or -H must be that model in every other number too (kUnsupported, naming the field).
Status CheckOfficialVariant(const SamConfig& config);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_IMPORT_PTQ4SAM_METADATA_H_
