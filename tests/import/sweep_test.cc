// Truncations and seeded corruptions of a good file: an error, or a plan whose every number is in its range; never a
// crash (the sanitizer builds give this its teeth).
#include <cmath>
#include <random>

#include "converter/import/ptq4sam.h"
#include "tests/import/contract_file.h"

namespace intsam::internal::testing {
namespace {

void ExpectInRange(const ImportedModel& imported) {
  for (const auto& [site, a] : imported.plan.activations) {
    EXPECT_TRUE(a.bits >= 2 && a.bits <= 8 && a.zero >= 0 && a.zero < 1 << a.bits) << site;
    EXPECT_TRUE(std::isfinite(a.scale) && a.scale > 0) << site;
  }
  for (const auto& [site, s] : imported.plan.softmax) {
    EXPECT_TRUE(s.bits >= 2 && s.bits <= 8 && std::isfinite(s.scale) && s.scale > 0) << site;
    EXPECT_TRUE(s.tau == 1 || s.tau == 2 || s.tau == 4) << site;
  }
  for (const auto& [layer, w] : imported.plan.weights) {
    EXPECT_EQ(w.zero.size(), w.scale.size()) << layer;
    for (const uint8_t code : w.codes) EXPECT_LT(code, 1 << w.bits) << layer;
    for (const uint8_t zero : w.zero) EXPECT_LT(zero, 1 << w.bits) << layer;
    for (const float scale : w.scale) EXPECT_TRUE(std::isfinite(scale) && scale > 0) << layer;
  }
  for (const auto& [name, values] : imported.model.tensors) {
    for (const float value : values) EXPECT_TRUE(std::isfinite(value)) << name;
  }
}

bool Imports(const TemporaryFolder& folder, const std::string& bytes) {
  const auto imported = ImportPtq4Sam(folder.Write("m.safetensors", bytes));
  if (imported.ok()) {
    ExpectInRange(imported.value());
  } else {
    EXPECT_FALSE(imported.status().message().empty());
    for (const char c : imported.status().message()) EXPECT_TRUE(c >= 0x20 && c <= 0x7e) << imported.status().message();
  }
  return imported.ok();
}

TEST(Ptq4SamSweep, EveryTruncationIsRefused) {
  const TemporaryFolder folder;
  const std::string file = SixBitFile().Bytes();
  ASSERT_TRUE(Imports(folder, file));
  for (size_t size = 0; size < file.size(); size += 1 + size / 16) EXPECT_FALSE(Imports(folder, file.substr(0, size)));
  EXPECT_FALSE(Imports(folder, file.substr(0, file.size() - 1)));
  EXPECT_FALSE(Imports(folder, file + '\0'));
}

TEST(Ptq4SamSweep, EveryCorruptionIsHandled) {
  const TemporaryFolder folder;
  const std::string file = SixBitFile().Bytes();
  const size_t header = 8 + LoadU64(AsBytes(file).data());
  std::mt19937 random(1);
  int refused = 0;
  constexpr int kTries = 1500;
  for (int i = 0; i < kTries; ++i) {
    std::string bad = file;
    // Two of three in the header, where the structure is.
    const size_t at = i % 3 == 2 ? header + random() % (file.size() - header) : random() % header;
    // In the header mostly other digits and letters, which keep it well formed JSON.
    bad[at] = static_cast<char>(i % 2 == 0 ? '0' + random() % 10 : random() % 256);
    refused += !Imports(folder, bad);
  }
  EXPECT_GT(refused, kTries / 3);
  EXPECT_LT(refused, kTries);
}

}  // namespace
}  // namespace intsam::internal::testing
