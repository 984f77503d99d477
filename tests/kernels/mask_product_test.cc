// The mask product of every tier against the scalar kernel: every width, odd numbers of pixels, sums at their limits.
#include "kernels/numerics/fixed_point.h"
#include "tests/kernels/harness.h"

namespace intsam::internal {
namespace {

using test::Guarded;
using test::Random;

class MaskProductTest : public test::TierTest {};
INTSAM_FOR_EVERY_TIER(MaskProductTest);

TEST_P(MaskProductTest, EveryShape) {
  Random random(61);
  for (int channels = 4; channels <= 32; channels += 4) {
    for (int pixels : {1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 64, 67}) {
      for (int style = 0; style < 4; ++style) {
        const size_t masks = static_cast<size_t>(random.In(1, 6)), width = static_cast<size_t>(channels),
                     columns = static_cast<size_t>(pixels);
        auto hyper = random.Values<int16_t>(masks * width, -2047, 2047);
        auto upscaled = random.Values<int16_t>(columns * width, -32767, 32767);
        if (style % 2 == 1) std::fill(hyper.begin(), hyper.end(), static_cast<int16_t>(style == 1 ? 2047 : -2047));
        if (style >= 1) std::fill(upscaled.begin(), upscaled.end(), static_cast<int16_t>(style == 2 ? -32767 : 32767));
        std::vector<int32_t> mult;
        std::vector<uint8_t> shift;
        for (size_t i = 0; i < masks; ++i) {
          mult.push_back(static_cast<int32_t>(random.In(1 << 30, INT32_MAX)));
          int s = static_cast<int>(random.Chance(2) ? random.In(1, 62) : random.In(36, 46));
          while (test::Rq32Limit(mult.back(), s) < int64_t{channels} * 2047 * 32767) ++s;  // what the loader proves
          shift.push_back(static_cast<uint8_t>(s));
        }
        const size_t stride = columns + static_cast<size_t>(random.In(0, 9));
        Guarded<int16_t> gh(hyper), gu(upscaled);
        Guarded<int32_t> gm(mult);
        Guarded<uint8_t> gs(shift);
        Guarded<int16_t> expected(masks * columns), out((masks - 1) * stride + columns);
        MaskProduct m{gh.data(), gu.data(), {gm.data(), gs.data()}, expected.data(), columns, static_cast<int>(masks),
                      pixels,    channels};
        ScalarKernels().mask_product(m);
        m.out = out.data();
        m.out_stride = stride;
        GetParam()->mask_product(m);
        ASSERT_EQ(out.Rows(masks, columns, stride), expected.Values())
            << "channels " << channels << " pixels " << pixels << " style " << style;
      }
    }
  }
}

}  // namespace
}  // namespace intsam::internal
