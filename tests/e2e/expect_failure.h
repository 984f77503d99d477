// What every test of a refusal asks for.
#ifndef INTSAM_TESTS_E2E_EXPECT_FAILURE_H_
#define INTSAM_TESTS_E2E_EXPECT_FAILURE_H_

#include <gtest/gtest.h>

#include <string>

#include "runtime/base/status.h"

namespace intsam::internal {

// The code, the word somewhere in the message, and one line.
inline void ExpectFailure(const Status& status, Code code, const std::string& word) {
  EXPECT_EQ(status.code(), code) << status.message();
  EXPECT_NE(status.message().find(word), std::string::npos) << status.message();
  EXPECT_EQ(status.message().find('\n'), std::string::npos);
}

}  // namespace intsam::internal

#endif  // INTSAM_TESTS_E2E_EXPECT_FAILURE_H_
