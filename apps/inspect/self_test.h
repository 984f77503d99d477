// The same picture and prompts on every tier that this CPU supports: the integers must be the same. The digests can be
// compared with those of another machine.
#ifndef INTSAM_APPS_INSPECT_SELF_TEST_H_
#define INTSAM_APPS_INSPECT_SELF_TEST_H_

#include <nlohmann/json.hpp>

#include "runtime/exec/session.h"

namespace intsam::internal {

struct SelfTest {
  // Per tier: SHA-256 of embedding, logits, scores and masks.
  nlohmann::ordered_json report = nlohmann::ordered_json::array();
  bool equal = true;
};

// threads: as in SessionOptions.
Result<SelfTest> RunSelfTest(const Model& model, int threads);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_INSPECT_SELF_TEST_H_
