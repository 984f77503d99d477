// The JSON file beside a checkpoint: it states what the shapes of the tensors do not tell, and where it states more, it
// must agree with them.
#ifndef INTSAM_CONVERTER_CHECKPOINT_SIDECAR_H_
#define INTSAM_CONVERTER_CHECKPOINT_SIDECAR_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "runtime/base/status.h"
#include "runtime/sam/config.h"

namespace intsam::internal {

class Sidecar {
 public:
  // An empty text is a sidecar that states nothing. kDamaged: not one object with unique keys; kResource: too large or
  // too deep.
  static Result<Sidecar> Parse(const std::string& text);

  // The field as a whole number, or `otherwise` if it is absent (or not one: Compare reports that).
  uint64_t Number(const char* name, uint64_t otherwise) const;
  // The same of entry `index` of a list.
  uint64_t Number(const char* name, size_t index, uint64_t otherwise) const;

  // kUnsupported unless every stated field is known and agrees with `config`.
  Status Compare(SamConfig config) const;

 private:
  nlohmann::json fields_ = nlohmann::json::object();
};

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_CHECKPOINT_SIDECAR_H_
