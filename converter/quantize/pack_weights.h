// Weight codes to what a Linear record holds: s8 panels for 8 bits, packed groups for fewer.
#ifndef INTSAM_CONVERTER_QUANTIZE_PACK_WEIGHTS_H_
#define INTSAM_CONVERTER_QUANTIZE_PACK_WEIGHTS_H_

#include <cstdint>
#include <vector>

#include "converter/quantize/parameters.h"
#include "runtime/format/model.h"

namespace intsam::internal {

// s8 weights [out][in] row-major to panels [out padded to 16 / 16][in / 4][16][4], the padding zero.
std::vector<int8_t> PackPanels(const std::vector<int8_t>& rows, uint32_t out, uint32_t in);

// codes [out][in] row-major, row i of output channel i, in a multiple of 4; zero [out]; both below 2^bits, bits
// in 4..7. Gives [out padded to 16 / 16][in / 4] groups of 8 * bits bytes (kernels/numerics/packed_weights.h). Channels
// of the padding have code 0 everywhere, which is zero where their zero point is 0.
std::vector<uint8_t> PackWeights(const std::vector<uint8_t>& codes, int bits, uint32_t in, uint32_t out);

// Sets the weights of `linear`, whose dimensions are known, to codes - zero and gives them the storage of `bits`: 2 and
// 3 are stored as 4, 4 to 7 packed, 8 as s8, with a shift per channel unless all of them lie in -127..127. codes
// [out][in] and zero [out] are below 2^bits.
void SetWeights(Linear& linear, const std::vector<uint8_t>& codes, const std::vector<uint8_t>& zero, int bits,
                TensorPool& pool);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_QUANTIZE_PACK_WEIGHTS_H_
