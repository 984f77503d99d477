#include "runtime/exec/prepare.h"

#include "kernels/numerics/fixed_point.h"
#include "kernels/numerics/requantize.h"
#include "runtime/image/prompts.h"

namespace intsam::internal {
namespace {

PreparedLinear OverOperand(const Linear& linear, int zero, int a_max, uint8_t flip) {
  PreparedLinear prepared{&linear, std::vector<int32_t>(linear.padded_out()), a_max};
  for (uint32_t c = 0; c < linear.out; ++c) {
    prepared.bias[c] = FoldBias(linear.bias[c], linear.column_sums[c], zero, flip);
  }
  return prepared;
}

PreparedLinear OverCodes(const Linear& linear, const Codes& in, uint8_t flip) {
  return OverOperand(linear, static_cast<int>(in.zero), static_cast<int>(in.hi), flip);
}

// A layer over what attention leaves.
PreparedLinear OverAttention(const Linear& linear, const Softmax& softmax, uint8_t flip) {
  return OverOperand(linear, OperandZero(softmax.out), OperandMax(softmax.out), flip);
}

// A layer over s16 values.
PreparedLinear OverS16(const Linear& linear) {
  PreparedLinear prepared{&linear, std::vector<int32_t>(linear.padded_out())};
  for (uint32_t c = 0; c < linear.out; ++c) prepared.bias[c] = linear.bias[c];
  return prepared;
}

PreparedAttention PrepareAttention(const DecoderAttention& a, uint8_t flip) {
  return {OverCodes(a.q, a.q_in.out, flip), OverCodes(a.k, a.k_in.out, flip), OverCodes(a.v, a.v_in.out, flip),
          OverAttention(a.out, a.softmax, flip)};
}

// A token that is zero after norm1 has the bias as its qkv accumulator (docs/numerics.md 13).
std::vector<int8_t> PadRow(const EncoderBlock& block, const Rq16& rq, uint32_t first) {
  std::vector<int8_t> row(rq.n);
  for (uint32_t i = 0; i < rq.n; ++i) {
    const int code = Requantize16(static_cast<int32_t>(ShiftLeft(block.qkv.bias[first + i], static_cast<int>(rq.up))),
                                  rq.mult[i], rq.shift[i], static_cast<int>(rq.k), static_cast<int>(rq.out.zero),
                                  static_cast<int>(rq.out.lo), static_cast<int>(rq.out.hi));
    row[i] = static_cast<int8_t>(code - 128);
  }
  return row;
}

PreparedBlock PrepareBlock(const EncoderBlock& block, uint32_t embed_dim, uint8_t flip) {
  return {OverCodes(block.qkv, block.norm1.out, flip),  OverAttention(block.proj, block.softmax, flip),
          OverCodes(block.lin1, block.norm2.out, flip), OverCodes(block.lin2, block.gelu.out, flip),
          PadRow(block, block.k_rq, embed_dim),         PadRow(block, block.v_rq, 2 * embed_dim)};
}

// One plane of the patch weights as a layer whose input codes have zero point 0.
Linear PatchPlane(const PatchEmbed& patch, View<int8_t> weight, const std::vector<int32_t>& column_sums) {
  Linear plane;
  plane.in = patch.in, plane.out = patch.out, plane.weight = weight, plane.column_sums = column_sums;
  return plane;
}

PreparedLinear PreparePlane(const Linear& plane, uint8_t flip) {
  PreparedLinear prepared{&plane, std::vector<int32_t>(plane.padded_out())};
  for (uint32_t c = 0; c < plane.out; ++c) prepared.bias[c] = FoldBias(0, plane.column_sums[c], 0, flip);
  return prepared;
}

std::vector<int16_t> ImagePositionalEncoding(const PromptEncoder& p, uint32_t grid) {
  std::vector<int16_t> pe(size_t{grid} * grid * p.dim);
  for (uint32_t y = 0; y < grid; ++y) {
    for (uint32_t x = 0; x < grid; ++x) {
      int16_t* out = &pe[(size_t{y} * grid + x) * p.dim];
      PositionalEncoding(GridCoordinate(x, grid), GridCoordinate(y, grid), p.gaussian, out);
      for (uint32_t c = 0; c < p.dim; ++c) {
        const int64_t value = Requantize32(out[c], p.image_pe.mult, static_cast<int>(p.image_pe.shift));
        out[c] = static_cast<int16_t>(Clamp(value, -32767, 32767));
      }
    }
  }
  return pe;
}

}  // namespace

PreparedModel::PreparedModel(const IntegerModel& m, const Kernels& k) : model(&m), kernels(&k) {
  const uint8_t flip = k.flip;
  const ImageEncoder& encoder = m.image_encoder;
  patch_embed.high_linear =
      PatchPlane(encoder.patch_embed, encoder.patch_embed.weight_high, encoder.patch_embed.high_column_sums);
  patch_embed.low_linear =
      PatchPlane(encoder.patch_embed, encoder.patch_embed.weight_low, encoder.patch_embed.low_column_sums);
  patch_embed.high = PreparePlane(patch_embed.high_linear, flip);
  patch_embed.low = PreparePlane(patch_embed.low_linear, flip);
  patch_embed.mean_correction.resize(patch_embed.high_linear.padded_out());
  const uint32_t patch = m.config.vit.patch_size;
  PatchMeanCorrection(encoder.patch_embed, patch, {patch, patch}, patch_embed.mean_correction.data());
  for (const EncoderBlock& block : encoder.blocks) blocks.push_back(PrepareBlock(block, m.config.vit.embed_dim, flip));
  neck_conv1 = OverCodes(encoder.neck.conv1, encoder.neck.in.out, flip);
  neck_conv2 = OverCodes(encoder.neck.conv2, encoder.neck.norm1.out, flip);

  const MaskDecoder& d = m.mask_decoder;
  for (const DecoderLayer& layer : d.layers) {
    layers.push_back({PrepareAttention(layer.self_attn, flip), PrepareAttention(layer.token_to_image, flip),
                      PrepareAttention(layer.image_to_token, flip), OverCodes(layer.lin1, layer.mlp_in.out, flip),
                      OverCodes(layer.lin2, layer.lin1_rq.out, flip)});
  }
  final_attn = PrepareAttention(d.final_attn, flip);
  upscale1 = OverS16(d.upscaling.conv1);
  upscale2 = OverS16(d.upscaling.conv2);
  for (const Mlp& mlp : d.hypernetworks) {
    std::vector<PreparedLinear> prepared;
    for (const MlpLayer& layer : mlp.layers) prepared.push_back(OverS16(layer.linear));
    hypernetworks.push_back(std::move(prepared));
  }
  for (const MlpLayer& layer : d.iou_head.layers) iou_head.push_back(OverS16(layer.linear));
  image_pe = ImagePositionalEncoding(m.prompt_encoder, m.config.grid());
}

void PatchMeanCorrection(const PatchEmbed& patch, uint32_t patch_size, ImageSize valid, int32_t* out) {
  const int8_t* high = patch.weight_high.data();
  const int8_t* low = patch.weight_low.data();
  for (uint32_t panel = 0; panel < (patch.out + 15) / 16; ++panel) {
    int64_t sums[16] = {};
    for (uint32_t channel = 0, k = 0; channel < 3; ++channel) {
      for (uint32_t y = 0; y < patch_size; ++y) {
        for (uint32_t x = 0; x < patch_size; ++x, ++k) {
          if (y >= valid.height || x >= valid.width) continue;
          const size_t at = (size_t{panel} * (patch.in / 4) + k / 4) * 64 + k % 4;
          for (size_t lane = 0; lane < 16; ++lane) {
            sums[lane] += int64_t{patch.mean[channel]} * (64 * high[at + 4 * lane] + low[at + 4 * lane]);
          }
        }
      }
    }
    for (size_t lane = 0; lane < 16; ++lane)
      out[panel * 16 + lane] = static_cast<int32_t>(RoundingShiftRight(-sums[lane], 16));
  }
}

int32_t SqrtQ16(uint32_t channels) { return static_cast<int32_t>((IntegerSqrt(uint64_t{channels} << 34) + 1) >> 1); }

}  // namespace intsam::internal
