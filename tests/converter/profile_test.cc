// The grammar of --bits.
#include "converter/quantize/profile.h"

#include <gtest/gtest.h>

namespace intsam::internal {
namespace {

// Encoder attention, encoder MLP, encoder convolutions, neck, decoder.
void ExpectWidths(const char* text, const BitWidths (&expected)[kSiteClasses]) {
  const auto profile = ParseBitProfile(text);
  ASSERT_TRUE(profile.ok()) << text << ": " << profile.status().message();
  EXPECT_EQ(profile.value().name, text);
  for (int i = 0; i < kSiteClasses; ++i) EXPECT_EQ(profile.value().widths[i], expected[i]) << text << " " << i;
  EXPECT_EQ(profile.value().at(SiteClass::kNeck), expected[3]);
}

TEST(BitProfile, OneWidthForAll) {
  for (const int w : {2, 3, 4, 5, 6, 7, 8}) {
    for (const int a : {2, 4, 8}) {
      const std::string text = "w" + std::to_string(w) + "a" + std::to_string(a);
      ExpectWidths(text.c_str(), {{w, a}, {w, a}, {w, a}, {w, a}, {w, a}});
    }
  }
}

TEST(BitProfile, Exceptions) {
  ExpectWidths("w4a8,neck=w8a7", {{4, 8}, {4, 8}, {4, 8}, {8, 7}, {4, 8}});
  ExpectWidths("w2a2,decoder=w3a4,mlp=w5a6,attention=w7a8", {{7, 8}, {5, 6}, {2, 2}, {2, 2}, {3, 4}});
  ExpectWidths("w8a8,mlp=w4a4,mlp=w6a6", {{8, 8}, {6, 6}, {8, 8}, {8, 8}, {8, 8}});  // the last word counts
  ExpectWidths("w6a6,conv=w8a8", {{6, 6}, {6, 6}, {8, 8}, {6, 6}, {6, 6}});
}

TEST(BitProfile, Mixtures) {
  ExpectWidths("mixed6", {{6, 6}, {6, 6}, {6, 6}, {8, 8}, {8, 8}});
  ExpectWidths("mixed4", {{4, 8}, {4, 8}, {4, 8}, {8, 8}, {8, 8}});
}

TEST(BitProfile, ErrorsNameThePart) {
  struct Case {
    const char *text, *part;
  };
  const Case cases[] = {{"", "''"},
                        {"w1a8", "'w1a8'"},
                        {"w8a9", "'w8a9'"},
                        {"w8", "'w8'"},
                        {"w10a8", "'w10a8'"},
                        {"W8A8", "'W8A8'"},
                        {"w8a8 ", "'w8a8 '"},
                        {"w/a8", "'w/a8'"},
                        {"mixed5", "'mixed5'"},
                        {"mixed6,neck=w8a8", "'mixed6'"},
                        {"w8a8,", "''"},
                        {"w8a8,,neck=w8a8", "''"},
                        {"w8a8,w4a4", "'w4a4'"},
                        {"neck=w8a8", "'neck=w8a8'"},
                        {"w8a8,neck=w9a8", "'neck=w9a8'"},
                        {"w8a8,neck=", "'neck='"},
                        {"w8a8,nose=w8a8", "'nose'"},
                        {"w8a8,=w8a8", "''"},
                        {"w8a8,\x1b[31m=w8a8", "'?[31m'"}};
  for (const Case& c : cases) {
    const auto profile = ParseBitProfile(c.text);
    ASSERT_FALSE(profile.ok()) << c.text;
    EXPECT_EQ(profile.status().code(), Code::kUsage) << c.text;
    EXPECT_NE(profile.status().message().find("--bits: " + std::string(c.part)), std::string::npos)
        << c.text << ": " << profile.status().message();
  }
  EXPECT_LT(ParseBitProfile(std::string(100000, 'w')).status().message().size(), 300u);
}

}  // namespace
}  // namespace intsam::internal
