// JSON from files of strangers: depth is limited while it is parsed, and what other readers could take in another way
// is refused.
#ifndef INTSAM_APPS_COMMON_STRICT_JSON_H_
#define INTSAM_APPS_COMMON_STRICT_JSON_H_

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "runtime/base/status.h"

namespace intsam::internal {

// kDamaged for what is not JSON, NaN and Infinity among it, for a NUL and for a key that an object has twice; kResource
// for arrays and objects nested deeper than `depth`.
Result<nlohmann::json> ParseStrictJson(std::string_view text, int depth);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_STRICT_JSON_H_
