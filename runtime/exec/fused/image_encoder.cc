// See image_encoder.h. Each step runs over independent tasks (blocks of tokens, or windows and heads), so the result
// does not depend on how tasks are spread over threads.
#include "runtime/exec/fused/image_encoder.h"

#include <algorithm>
#include <cstring>

#include "kernels/numerics/fixed_point.h"

namespace intsam::internal {

using ops::Rows;

void FusedImageEncoder::Layout(const SamConfig& c, Arena& arena, Buffers& b) {
  const size_t tokens = size_t{c.grid()} * c.grid();
  b.x = arena.Take<int32_t>(tokens * c.vit.embed_dim);
  b.qkv = arena.Take<int8_t>(tokens * std::max(QkvStride(c), size_t{c.prompt_embed_dim}));
  b.attended = b.neck = reinterpret_cast<uint8_t*>(b.qkv);
  b.partial = arena.Take<int32_t>(c.vit.embed_dim);
  const size_t patch = size_t{3} * c.vit.patch_size * c.vit.patch_size;
  const size_t widest = std::max({patch, size_t{c.vit.embed_dim}, size_t{9} * c.prompt_embed_dim});
  const size_t row = std::max(c.vit.embed_dim, c.prompt_embed_dim);
  const uint32_t side = c.vit.global_attn_mask == 0 ? c.vit.window_size : c.grid();
  for (Worker& w : b.workers) {
    // A worker does rows of tokens or attention, never both: they share its memory.
    Arena rows = arena, attention = arena;
    w.codes = rows.Take<uint8_t>(kRowBlock * widest);
    w.hidden = rows.Take<uint8_t>(kRowBlock * size_t{c.vit.mlp_dim});
    w.acc = rows.Take<int32_t>(kRowBlock * std::max(size_t{kColumns}, 2 * row));
    w.rows = rows.Take<int32_t>(kRowBlock * row);
    w.queries = attention.Take<int8_t>(HeadScratch::kStrip * size_t{c.vit.head_dim()});
    w.keys = attention.Take<int8_t>(size_t{c.vit.window_size} * c.vit.window_size * c.vit.head_dim());
    w.values = attention.Take<int8_t>(size_t{c.vit.window_size} * c.vit.window_size * c.vit.head_dim());
    w.rh = attention.Take<int32_t>(HeadScratch::kStrip * size_t{c.grid()});
    w.rw = attention.Take<int32_t>(HeadScratch::kStrip * size_t{c.grid()});
    w.head.Layout(attention, static_cast<int>(side * side), static_cast<int>(c.vit.head_dim()));
    arena = Arena::Behind(rows, attention);
  }
}

template <class Body>
void FusedImageEncoder::ForRows(const Body& body) {
  const int tokens = static_cast<int>(p_.model->config.grid() * p_.model->config.grid());
  parallel_.For((tokens + kRowBlock - 1) / kRowBlock, [&](int block, int worker) {
    const int first = block * kRowBlock;
    body(static_cast<size_t>(first), std::min(kRowBlock, tokens - first), b_->workers[static_cast<size_t>(worker)]);
  });
}

Status FusedImageEncoder::Run(const uint8_t* rgb, ImageSize size, Buffers& buffers, int16_t* embedding,
                              const StepHook& hook) {
  b_ = &buffers;
  for (size_t i = 0; i < steps_.size(); ++i) {
    if (hook && !hook(steps_[i], static_cast<int>(i), static_cast<int>(steps_.size())))
      return Error(Code::kCancelled, "cancelled");
    switch (steps_[i].kind) {
      case StepKind::kPatchEmbed: PatchEmbedding(rgb, size); break;
      case StepKind::kAttention: Attention(steps_[i].layer); break;
      case StepKind::kMlp: Mlp(steps_[i].layer); break;
      case StepKind::kNeck: NeckLayers(embedding); break;
      case StepKind::kPromptTokens:
      case StepKind::kDensePrompt:
      case StepKind::kSelfAttention:
      case StepKind::kTokenToImage:
      case StepKind::kTokenMlp:
      case StepKind::kImageToToken:
      case StepKind::kFinalTokenToImage:
      case StepKind::kUpscale:
      case StepKind::kHypernetworks:
      case StepKind::kMaskProduct:
      case StepKind::kIouHead:
        return Error(Code::kInternal, "%s is not a step of the image encoder", steps_[i].name.c_str());
    }
  }
  return Status();
}

// One task per row of patches. Pixels outside the image are read as 0 and the mean is subtracted over valid pixels
// only; a patch without any valid pixel is its position alone (docs/numerics.md 8).
void FusedImageEncoder::PatchEmbedding(const uint8_t* rgb, ImageSize size) {
  const SamConfig& c = p_.model->config;
  const PatchEmbed& record = p_.model->image_encoder.patch_embed;
  const Kernels& k = *p_.kernels;
  const uint32_t grid = c.grid(), patch = c.vit.patch_size;
  const int n = static_cast<int>(c.vit.embed_dim);
  const uint32_t rows = (size.height + patch - 1) / patch, columns = (size.width + patch - 1) / patch;
  // The longest side fills the input, so patches are cut along one axis at most, and all of them alike.
  const ImageSize last{size.width - (columns - 1) * patch, size.height - (rows - 1) * patch};
  if (last.width < patch || last.height < patch) PatchMeanCorrection(record, patch, last, b_->partial);

  parallel_.For(static_cast<int>(grid), [&](int task, int worker) {
    Worker& w = b_->workers[static_cast<size_t>(worker)];
    const uint32_t py = static_cast<uint32_t>(task);
    const size_t acc_stride = static_cast<size_t>(n);
    for (uint32_t first = 0; first < grid; first += kRowBlock) {
      const uint32_t count = std::min<uint32_t>(kRowBlock, grid - first);
      const uint32_t valid = py >= rows || first >= columns ? 0 : std::min(count, columns - first);
      for (uint32_t i = 0; i < valid; ++i) {
        uint8_t* out = w.codes + size_t{i} * record.in;
        std::memset(out, k.flip, record.in);
        const uint32_t x0 = (first + i) * patch, y0 = py * patch;
        const uint32_t x1 = std::min(x0 + patch, size.width), y1 = std::min(y0 + patch, size.height);
        for (uint32_t y = y0; y < y1; ++y) {
          const uint8_t* pixel = rgb + (size_t{y} * size.width + x0) * 3;
          for (uint32_t x = 0; x < x1 - x0; ++x) {
            for (uint32_t ch = 0; ch < 3; ++ch) {
              out[ch * patch * patch + (y - y0) * patch + x] = pixel[3 * x + ch] ^ k.flip;
            }
          }
        }
      }
      int32_t* high = w.acc;
      int32_t* low = w.acc + kRowBlock * acc_stride;
      const Rows<const uint8_t> codes{w.codes, record.in};
      if (valid > 0) {
        ops::Gemm(k, p_.patch_embed.high, codes, static_cast<int>(valid), {high, acc_stride});
        ops::Gemm(k, p_.patch_embed.low, codes, static_cast<int>(valid), {low, acc_stride});
      }
      for (uint32_t i = 0; i < count; ++i) {
        const size_t token = size_t{py} * grid + first + i;
        int32_t* x = b_->x + token * c.vit.embed_dim;
        for (size_t j = 0; j < c.vit.embed_dim; ++j) x[j] = Clamp24(record.Position(token, j));
        if (i >= valid) continue;
        const bool cut = (py + 1 == rows && last.height < patch) || (first + i + 1 == columns && last.width < patch);
        const int32_t* correction = cut ? b_->partial : p_.patch_embed.mean_correction.data();
        int32_t* acc = high + i * acc_stride;
        for (int j = 0; j < n; ++j) acc[j] = 64 * acc[j] + low[i * acc_stride + static_cast<size_t>(j)] + correction[j];
        ops::AddToR24(k, record.rq, {acc, acc_stride}, 1, 0, n, {x, c.vit.embed_dim});
      }
    }
  });
}

void FusedImageEncoder::Attention(uint32_t block) {
  Qkv(block);
  AttendWindows(block);
  Projection(block);
}

void FusedImageEncoder::Qkv(uint32_t block) {
  const SamConfig& c = p_.model->config;
  const EncoderBlock& record = p_.model->image_encoder.blocks[block];
  const Kernels& k = *p_.kernels;
  const size_t width = QkvStride(c);
  ForRows([&](size_t token, int rows, Worker& w) {
    ops::Norm(k, record.norm1, {b_->x + token * c.vit.embed_dim, c.vit.embed_dim}, rows, {w.codes, c.vit.embed_dim});
    uint8_t* out = reinterpret_cast<uint8_t*>(b_->qkv) + token * width;
    uint32_t part_first = 0;
    for (const Rq16* rq : {&record.q_rq, &record.k_rq, &record.v_rq}) {
      for (uint32_t first = 0; first < rq->n; first += kColumns) {
        const int n = static_cast<int>(std::min<uint32_t>(kColumns, rq->n - first));
        ops::Gemm(k, p_.blocks[block].qkv, {w.codes, c.vit.embed_dim}, rows, {w.acc, kColumns}, part_first + first, n);
        // Flip 0x80 leaves q, k and v as plain s8, whatever operand form the tier's GEMM takes.
        ops::ToCodes(k, *rq, {w.acc, kColumns}, rows, first, n, 0x80, {out + part_first + first, width});
      }
      part_first += rq->n;
    }
  });
}

// Tasks are (window, head) where windows are small, (head, band of query rows) where one window is the whole grid.
void FusedImageEncoder::AttendWindows(uint32_t block) {
  const SamConfig& c = p_.model->config;
  const uint32_t grid = c.grid(), side = c.attention_side(block);
  const uint32_t windows = (grid + side - 1) / side;
  const uint32_t bands = windows == 1 ? std::min(grid, 4u) : 1;
  const uint32_t tasks = windows * windows * c.vit.num_heads * bands;
  parallel_.For(static_cast<int>(tasks), [&](int task, int worker) {
    uint32_t rest = static_cast<uint32_t>(task);
    const uint32_t band = rest % bands;
    rest /= bands;
    const uint32_t head = rest % c.vit.num_heads, window = rest / c.vit.num_heads;
    const uint32_t y = window / windows * side, rows = std::min(side, grid - y);
    AttendTask(block, head, y, window % windows * side, rows * band / bands, rows * (band + 1) / bands,
               b_->workers[static_cast<size_t>(worker)]);
  });
}

void FusedImageEncoder::AttendTask(uint32_t block, uint32_t head, uint32_t window_y, uint32_t window_x,
                                   uint32_t first_row, uint32_t last_row, Worker& w) {
  const SamConfig& c = p_.model->config;
  const EncoderBlock& record = p_.model->image_encoder.blocks[block];
  const PreparedBlock& prepared = p_.blocks[block];
  const Kernels& k = *p_.kernels;
  const uint32_t grid = c.grid(), side = c.attention_side(block), d = c.vit.head_dim();
  const size_t width = QkvStride(c);
  const uint32_t valid_h = std::min(side, grid - window_y), valid_w = std::min(side, grid - window_x);
  const int8_t* qkv = b_->qkv + (size_t{window_y} * grid + window_x) * width + head * d;

  Rows<const int8_t> keys{qkv + c.vit.embed_dim, width}, values{qkv + 2 * c.vit.embed_dim, width};
  if (side != grid) {
    // Gather the window; pads are ordinary keys with the constant key and value of a zero token.
    for (uint32_t y = 0; y < side; ++y) {
      for (uint32_t x = 0; x < side; ++x) {
        const bool real = y < valid_h && x < valid_w;
        const size_t token = size_t{y} * grid + x, key = size_t{y} * side + x;
        std::memcpy(w.keys + key * d, real ? keys[token] : prepared.pad_k.data() + head * d, d);
        std::memcpy(w.values + key * d, real ? values[token] : prepared.pad_v.data() + head * d, d);
      }
    }
    keys = {w.keys, d}, values = {w.values, d};
  }
  PackHead(k, {record.q_rq.out, record.k_rq.out}, keys, values, static_cast<int>(side * side), static_cast<int>(d),
           w.head);

  for (uint32_t qy = first_row; qy < last_row; ++qy) {
    for (uint32_t qx = 0; qx < valid_w; qx += HeadScratch::kStrip) {
      const int rows = static_cast<int>(std::min<uint32_t>(HeadScratch::kStrip, valid_w - qx));
      const size_t token = size_t{qy} * grid + qx;
      for (size_t i = 0; i < static_cast<size_t>(rows); ++i)  // the result takes their place
        std::memcpy(w.queries + i * d, qkv + (token + i) * width, d);
      const Rows<const int8_t> q{w.queries, d};
      ops::RelativePositions(k, record.rel_pos_h, q, rows, side - 1 - qy, static_cast<int>(side), {w.rh, side});
      for (int i = 0; i < rows; ++i) {
        const size_t row = static_cast<size_t>(i);
        ops::RelativePositions(k, record.rel_pos_w, {q[row], d}, 1, side - 1 - (qx + static_cast<uint32_t>(i)),
                               static_cast<int>(side), {w.rw + row * side, side});
      }
      const StripRelPos rel{{w.rh, side}, {w.rw, side}, static_cast<int>(side), static_cast<int>(side)};
      const size_t out = (size_t{window_y} * grid + window_x + token) * width + head * d;
      AttendStrip(k, record.softmax, q, rows, rel, w.head, {b_->attended + out, width});
    }
  }
}

void FusedImageEncoder::Projection(uint32_t block) {
  const SamConfig& c = p_.model->config;
  const EncoderBlock& record = p_.model->image_encoder.blocks[block];
  const Kernels& k = *p_.kernels;
  ForRows([&](size_t token, int rows, Worker& w) {
    for (uint32_t first = 0; first < c.vit.embed_dim; first += kColumns) {
      const int n = static_cast<int>(std::min<uint32_t>(kColumns, c.vit.embed_dim - first));
      ops::Gemm(k, p_.blocks[block].proj, {b_->attended + token * QkvStride(c), QkvStride(c)}, rows, {w.acc, kColumns},
                first, n);
      ops::AddToR24(k, record.proj_rq, {w.acc, kColumns}, rows, first, n,
                    {b_->x + token * c.vit.embed_dim + first, c.vit.embed_dim});
    }
  });
}

// Both layers for one block of rows, so that the hidden tensor never exists as a whole.
void FusedImageEncoder::Mlp(uint32_t block) {
  const SamConfig& c = p_.model->config;
  const EncoderBlock& record = p_.model->image_encoder.blocks[block];
  const Kernels& k = *p_.kernels;
  ForRows([&](size_t token, int rows, Worker& w) {
    int32_t* x = b_->x + token * c.vit.embed_dim;
    ops::Norm(k, record.norm2, {x, c.vit.embed_dim}, rows, {w.codes, c.vit.embed_dim});
    for (uint32_t first = 0; first < c.vit.mlp_dim; first += kColumns) {
      const int n = static_cast<int>(std::min<uint32_t>(kColumns, c.vit.mlp_dim - first));
      ops::Gemm(k, p_.blocks[block].lin1, {w.codes, c.vit.embed_dim}, rows, {w.acc, kColumns}, first, n);
      ops::ToGeluCodes(k, record.gelu, {w.acc, kColumns}, rows, first, n, {w.hidden + first, c.vit.mlp_dim});
    }
    for (uint32_t first = 0; first < c.vit.embed_dim; first += kColumns) {
      const int n = static_cast<int>(std::min<uint32_t>(kColumns, c.vit.embed_dim - first));
      ops::Gemm(k, p_.blocks[block].lin2, {w.hidden, c.vit.mlp_dim}, rows, {w.acc, kColumns}, first, n);
      ops::AddToR24(k, record.lin2_rq, {w.acc, kColumns}, rows, first, n, {x + first, c.vit.embed_dim});
    }
  });
}

void FusedImageEncoder::NeckLayers(int16_t* embedding) {
  const SamConfig& c = p_.model->config;
  const Neck& record = p_.model->image_encoder.neck;
  const Kernels& k = *p_.kernels;
  const uint32_t dim = c.prompt_embed_dim, grid = c.grid();
  const size_t acc_stride = dim;
  ForRows([&](size_t token, int rows, Worker& w) {
    ops::Quantize(k, record.in, b_->x + token * c.vit.embed_dim, static_cast<size_t>(rows) * c.vit.embed_dim, w.codes);
    ops::Gemm(k, p_.neck_conv1, {w.codes, c.vit.embed_dim}, rows, {w.acc, acc_stride});
    ops::ToR24(k, record.conv1_rq, {w.acc, acc_stride}, rows, {w.rows, dim});
    ops::Norm(k, record.norm1, {w.rows, dim}, rows, {b_->neck + token * dim, dim});
  });
  const uint8_t pad = static_cast<uint8_t>(record.norm1.out.zero) ^ k.flip;
  ForRows([&](size_t token, int rows, Worker& w) {
    for (int i = 0; i < rows; ++i) {
      const int y = static_cast<int>(token + static_cast<size_t>(i)) / static_cast<int>(grid);
      const int x = static_cast<int>(token + static_cast<size_t>(i)) % static_cast<int>(grid);
      uint8_t* out = w.codes + static_cast<size_t>(i) * 9 * dim;
      for (int ky = y - 1; ky <= y + 1; ++ky) {
        for (int kx = x - 1; kx <= x + 1; ++kx, out += dim) {
          const bool inside = ky >= 0 && kx >= 0 && ky < static_cast<int>(grid) && kx < static_cast<int>(grid);
          if (inside) {
            std::memcpy(out, b_->neck + (static_cast<size_t>(ky) * grid + static_cast<size_t>(kx)) * dim, dim);
          } else {
            std::memset(out, pad, dim);
          }
        }
      }
    }
    ops::Gemm(k, p_.neck_conv2, {w.codes, size_t{9} * dim}, rows, {w.acc, acc_stride});
    ops::ToR24(k, record.conv2_rq, {w.acc, acc_stride}, rows, {w.rows, dim});
    ops::Norm(k, record.norm2, {w.rows, dim}, rows, {embedding + token * dim, dim});
  });
}

}  // namespace intsam::internal
