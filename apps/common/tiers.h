// The kernel tiers of this build, for --version.
#ifndef INTSAM_APPS_COMMON_TIERS_H_
#define INTSAM_APPS_COMMON_TIERS_H_

#include <string>

#include "intsam/intsam.h"

namespace intsam::internal {

inline std::string BuiltTiers() {
  std::string names;
  for (int32_t i = 0; intsam_isa_name(i) != nullptr; ++i)
    names += (i == 0 ? "" : " ") + std::string(intsam_isa_name(i));
  return names;
}

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_TIERS_H_
