#include <gtest/gtest.h>

#include "apps/batch/class_map.h"

namespace intsam::internal {
namespace {

TEST(ClassPainter, MasksVoteLargestFirst) {
  // 4 x 2 pixels.
  ClassPainter painter({{4, 2},
                        {1, 1, 2, 2,  //
                         1, 3, 3, 9}});
  ASSERT_TRUE(painter.Add({0, 1, 0, 0, 0, 1, 1, 0}).ok());  // 1, 3, 3: becomes 3
  ASSERT_TRUE(painter.Add({1, 1, 1, 1, 1, 0, 0, 0}).ok());  // 1 x 3, 2 x 2: 1, under the other one, which is smaller
  ASSERT_TRUE(painter.Add({0, 0, 0, 0, 0, 0, 0, 0}).ok());  // says nothing
  EXPECT_EQ(painter.Painted(), (std::vector<uint16_t>{1, 3, 1, 1,  //
                                                      1, 3, 3, 9}));
}

TEST(ClassPainter, TheLowerOfTwoClassesWins) {
  ClassPainter painter({{4, 1}, {7, 300, 300, 7}});
  ASSERT_TRUE(painter.Add({0, 1, 1, 0}).ok());
  ASSERT_TRUE(painter.Add({1, 1, 1, 1}).ok());
  EXPECT_EQ(painter.Painted(), (std::vector<uint16_t>{7, 300, 300, 7}));
}

TEST(ClassPainter, VotesAreThoseOfTheMapAsItWas) {
  ClassPainter painter({{3, 1}, {1, 1, 2}});
  ASSERT_TRUE(painter.Add({1, 1, 1}).ok());
  ASSERT_TRUE(painter.Add({0, 0, 1}).ok());  // still 2, though the first mask has painted it 1
  EXPECT_EQ(painter.Painted(), (std::vector<uint16_t>{1, 1, 2}));
}

}  // namespace
}  // namespace intsam::internal
