// Q15 scores (32768 = 1) as decimals, rounded in integers so that all machines print the same.
#ifndef INTSAM_APPS_COMMON_SCORE_H_
#define INTSAM_APPS_COMMON_SCORE_H_

#include <string>

namespace intsam::internal {

// With 1 to 4 decimals: "0.93", "-0.01".
std::string ScoreText(int q15, int decimals);

// For JSON: rounded to four decimals, which is how many nlohmann::json prints of every such number. With five it would
// print 0.99505999999999994 for some.
double ScoreNumber(int q15);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_COMMON_SCORE_H_
