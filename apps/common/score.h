// Scores of fixed point, most in Q15 (32768 = 1), as decimals, rounded in integers so that all machines print the same.
#ifndef INTSAM_APPS_COMMON_SCORE_H_
#define INTSAM_APPS_COMMON_SCORE_H_

#include <cstdint>
#include <string>

namespace intsam::internal {

// value * 2^-bits (bits 1..16) with 1 to 6 decimals, halves up: "0.984283".
std::string FixedText(int32_t value, int bits, int decimals);

// A Q15 score in the same way: "0.93", "-0.01".
std::string ScoreText(int q15, int decimals);

// For JSON: rounded to four decimals, which is how many nlohmann::json prints of every such number. With five it would
// print 0.99505999999999994 for some.
double ScoreNumber(int q15);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_SCORE_H_
