// The image encoder over whole tensors (docs/numerics.md 8, 13, 14).
#include "runtime/exec/reference/image_encoder.h"

#include <algorithm>

#include "kernels/numerics/fixed_point.h"
#include "runtime/exec/reference/tensors.h"

namespace intsam::internal::reference {
namespace {

Tensor<int32_t> PatchEmbedding(const PreparedModel& p, const uint8_t* rgb, ImageSize size) {
  const SamConfig& c = p.model->config;
  const PatchEmbed& record = p.model->image_encoder.patch_embed;
  const uint32_t grid = c.grid(), patch = c.vit.patch_size;
  Tensor<int32_t> x(size_t{grid} * grid, c.vit.embed_dim);
  for (uint32_t token = 0; token < grid * grid; ++token) {
    const uint32_t y0 = token / grid * patch, x0 = token % grid * patch;
    for (uint32_t j = 0; j < c.vit.embed_dim; ++j) {
      x[token][j] = Clamp24(record.Position(token, j));
    }
    if (y0 >= size.height || x0 >= size.width) continue;
    const ImageSize valid{std::min(patch, size.width - x0), std::min(patch, size.height - y0)};
    Tensor<uint8_t> pixels(1, record.in);
    for (uint32_t ch = 0; ch < 3; ++ch) {
      for (uint32_t y = 0; y < valid.height; ++y) {
        for (uint32_t dx = 0; dx < valid.width; ++dx) {
          pixels[0][(ch * patch + y) * patch + dx] = rgb[(size_t{y0 + y} * size.width + x0 + dx) * 3 + ch];
        }
      }
    }
    Tensor<int32_t> acc = Multiply(p.patch_embed.high, pixels);
    const Tensor<int32_t> low = Multiply(p.patch_embed.low, pixels);
    Tensor<int32_t> correction(1, acc.columns);
    PatchMeanCorrection(record, patch, valid, correction[0]);
    for (uint32_t j = 0; j < c.vit.embed_dim; ++j) acc[0][j] = 64 * acc[0][j] + low[0][j] + correction[0][j];
    ops::AddToR24(Scalar(), record.rq, acc.all(), 1, 0, static_cast<int>(c.vit.embed_dim), {x[token], c.vit.embed_dim});
  }
  return x;
}

// Attention of all windows and heads: [tokens][embed_dim] codes.
Tensor<uint8_t> AttendWindows(const PreparedModel& p, uint32_t block, const Tensor<int8_t>& qkv) {
  const SamConfig& c = p.model->config;
  const EncoderBlock& record = p.model->image_encoder.blocks[block];
  const PreparedBlock& prepared = p.blocks[block];
  const uint32_t grid = c.grid(), side = c.attention_side(block), d = c.vit.head_dim();
  const RelativeTables tables{&record.rel_pos_h, &record.rel_pos_w};
  Tensor<uint8_t> out(qkv.rows, c.vit.embed_dim);
  for (uint32_t head = 0; head < c.vit.num_heads; ++head) {
    for (uint32_t wy = 0; wy < grid; wy += side) {
      for (uint32_t wx = 0; wx < grid; wx += side) {
        Tensor<int8_t> k(size_t{side} * side, d), v(size_t{side} * side, d), q(size_t{side} * side, d);
        std::vector<uint32_t> position, token;  // of real queries
        for (uint32_t key = 0; key < side * side; ++key) {
          const uint32_t y = wy + key / side, x = wx + key % side;
          if (y >= grid || x >= grid) {  // a pad: an ordinary key with constant values, but no query
            std::copy_n(prepared.pad_k.data() + head * d, d, k[key]);
            std::copy_n(prepared.pad_v.data() + head * d, d, v[key]);
            continue;
          }
          const int8_t* row = qkv[size_t{y} * grid + x] + head * d;
          std::copy_n(row, d, q[position.size()]);
          std::copy_n(row + c.vit.embed_dim, d, k[key]);
          std::copy_n(row + 2 * c.vit.embed_dim, d, v[key]);
          position.push_back(key);
          token.push_back(y * grid + x);
        }
        q.rows = position.size();
        const Tensor<uint8_t> attended = Attend(record.softmax, q, k, v, &tables, position);
        for (size_t i = 0; i < token.size(); ++i) std::copy_n(attended[i], d, out[token[i]] + head * d);
      }
    }
  }
  return out;
}

// Rows of 3x3 neighbourhoods in order (ky, kx, channel); outside is the code of zero.
Tensor<uint8_t> Neighbourhoods(const Tensor<uint8_t>& x, uint32_t grid, uint8_t zero) {
  Tensor<uint8_t> out(x.rows, 9 * x.columns);
  for (uint32_t token = 0; token < grid * grid; ++token) {
    for (uint32_t tap = 0; tap < 9; ++tap) {
      const uint32_t y = token / grid + tap / 3, x_at = token % grid + tap % 3;  // both plus one
      uint8_t* to = out[token] + tap * x.columns;
      if (y < 1 || x_at < 1 || y > grid || x_at > grid) {
        std::fill_n(to, x.columns, zero);
      } else {
        std::copy_n(x[size_t{y - 1} * grid + x_at - 1], x.columns, to);
      }
    }
  }
  return out;
}

void NeckLayers(const PreparedModel& p, const Tensor<int32_t>& x, int16_t* embedding) {
  const Neck& neck = p.model->image_encoder.neck;
  const Tensor<uint8_t> middle = Norm(neck.norm1, ToR24(neck.conv1_rq, Multiply(p.neck_conv1, Quantize(neck.in, x))));
  const Tensor<uint8_t> around =
      Neighbourhoods(middle, p.model->config.grid(), static_cast<uint8_t>(neck.norm1.out.zero));
  const Tensor<int16_t> out = Norm(neck.norm2, ToR24(neck.conv2_rq, Multiply(p.neck_conv2, around)));
  std::copy_n(out[0], out.rows * out.columns, embedding);
}

}  // namespace

Status EncodeImage(const PreparedModel& p, const uint8_t* rgb, ImageSize size, int16_t* embedding,
                   const StepHook& hook) {
  const std::vector<Step> steps = ImageEncoderSteps(p.model->config);
  Tensor<int32_t> x(0, 0);
  for (size_t i = 0; i < steps.size(); ++i) {
    if (hook && !hook(steps[i], static_cast<int>(i), static_cast<int>(steps.size())))
      return Error(Code::kCancelled, "cancelled");
    const uint32_t block = steps[i].layer;
    if (steps[i].kind == StepKind::kPatchEmbed) {
      x = PatchEmbedding(p, rgb, size);
    } else if (steps[i].kind == StepKind::kAttention) {
      const EncoderBlock& record = p.model->image_encoder.blocks[block];
      const Tensor<int32_t> acc = Multiply(p.blocks[block].qkv, Norm(record.norm1, x));
      Tensor<int8_t> qkv(acc.rows, 0);
      for (const Rq16* rq : {&record.q_rq, &record.k_rq, &record.v_rq}) {
        qkv = Beside(qkv, ToSigned(*rq, Slice(acc, qkv.columns, rq->n)));
      }
      AddToR24(record.proj_rq, Multiply(p.blocks[block].proj, AttendWindows(p, block, qkv)), x);
    } else if (steps[i].kind == StepKind::kMlp) {
      const EncoderBlock& record = p.model->image_encoder.blocks[block];
      const Tensor<uint8_t> hidden = ToGeluCodes(record.gelu, Multiply(p.blocks[block].lin1, Norm(record.norm2, x)));
      AddToR24(record.lin2_rq, Multiply(p.blocks[block].lin2, hidden), x);
    } else if (steps[i].kind == StepKind::kNeck) {
      NeckLayers(p, x, embedding);
    } else {
      return Error(Code::kInternal, "%s is not a step of the image encoder", steps[i].name.c_str());
    }
  }
  return Status();
}

}  // namespace intsam::internal::reference
