// Walks the steps of SAM. The sites that a hook sees (I: block, J: decoder layer, H: mask, L: layer; [rows][channels]):
//   image_encoder.x
//       residual stream after patch and position embedding, and after every sum
//   image_encoder.blocks.I.attn.qkv.in
//       norm1's output
//   image_encoder.blocks.I.attn.{q,k,v}
//       projections with bias; where windows are padded, k and v have one more row, the padding token (its key and
//       value are the bias)
//   image_encoder.blocks.I.attn.proj.in
//       attention's output
//   image_encoder.blocks.I.mlp.{lin1.in,lin1.out,lin2.in}
//       norm2's output; before and after GELU
//   image_encoder.neck.{0.in,0.out,2.in,2.out,3.out}
//       the convolutions' inputs and outputs; the embedding
//   prompt_encoder.mask_downscaling.{0,1,3,4,6}.out
//       with a mask prompt only; 1 and 4 before GELU
//   mask_decoder.tokens, mask_decoder.keys
//       initial values, every sum before a norm, every norm's output
//   A.{q_proj.in,k_proj.in,v_proj.in,q,k,v,out_proj.in}
//       for each attention A: mask_decoder.transformer.layers.J.{self_attn,cross_attn_token_to_image,
//       cross_attn_image_to_token}, mask_decoder.transformer.final_attn_token_to_image
//   mask_decoder.transformer.layers.J.mlp.{lin1.in,lin2.in}
//       lin2.in after ReLU
//   mask_decoder.output_upscaling.{0.out,1.out,3.in,3.out,4.out}
//       1.out and 3.out before GELU, 3.in and 4.out after
//   mask_decoder.output_hypernetworks_mlps.H.layers.L.out, mask_decoder.iou_prediction_head.layers.L.out
//       after ReLU, except the last
//   mask_decoder.masks
//       low-resolution logits, one row per mask
#include "converter/reference/float_sam.h"

#include <chrono>

#include "converter/reference/context.h"
#include "converter/reference/image_encoder.h"
#include "converter/reference/mask_decoder.h"
#include "converter/reference/matmul.h"
#include "converter/reference/parallel.h"
#include "converter/reference/prompt_encoder.h"

namespace intsam::internal {
namespace {

struct Photo {
  const uint8_t* rgb = nullptr;
  uint32_t height = 0, width = 0;
};

// What goes into a walk, and what comes out: the image encoder uses photo and embedding, the rest everything else.
struct Walk {
  Photo photo;
  const FloatPrompt* prompt = nullptr;
  std::vector<float> embedding;
  FloatMasks masks;
};

}  // namespace

struct FloatSam::Impl {
  Impl(const FloatModel& model, int threads, WeightLayout layout, LinearLibrary library)
      : pool(fp32::ReferenceThreads(threads)),
        context(model, pool, std::move(library)),
        encoder(context, layout),
        prompts(context),
        decoder(context, prompts.image_pe()) {}

  void Run(const Step& step, Walk& walk) {
    switch (step.kind) {
      case StepKind::kPatchEmbed: return encoder.PatchEmbed(walk.photo.rgb, walk.photo.height, walk.photo.width);
      case StepKind::kAttention: return encoder.Attention(step.layer, step.name);
      case StepKind::kMlp: return encoder.Mlp(step.layer, step.name);
      case StepKind::kNeck: walk.embedding = encoder.Neck(step.name); return;
      case StepKind::kPromptTokens: return decoder.SetTokens(prompts.Tokens(*walk.prompt));
      case StepKind::kDensePrompt: return decoder.SetKeys(prompts.Keys(walk.embedding, *walk.prompt, step.name));
      case StepKind::kSelfAttention: return decoder.SelfAttention(step.layer, step.name);
      case StepKind::kTokenToImage:
        return decoder.TokenToImage(step.name,
                                    "mask_decoder.transformer.layers." + std::to_string(step.layer) + ".norm2");
      case StepKind::kTokenMlp: return decoder.TokenMlp(step.layer, step.name);
      case StepKind::kImageToToken: return decoder.ImageToToken(step.layer, step.name);
      case StepKind::kFinalTokenToImage:
        return decoder.TokenToImage(step.name, "mask_decoder.transformer.norm_final_attn");
      case StepKind::kUpscale: return decoder.Upscale(step.name);
      case StepKind::kHypernetworks: return decoder.Hypernetworks(step.name);
      case StepKind::kMaskProduct: walk.masks.low_res = decoder.MaskProduct(step.name); return;
      case StepKind::kIouHead: walk.masks.iou = decoder.IouHead(step.name); return;
    }
  }

  void RunAll(const std::vector<Step>& steps, Walk& walk) {
    for (const Step& step : steps) {
      const auto start = std::chrono::steady_clock::now();
      Run(step, walk);
      if (timer) {
        const auto elapsed = std::chrono::steady_clock::now() - start;
        timer(step, std::chrono::duration_cast<std::chrono::nanoseconds>(elapsed).count());
      }
    }
  }

  ThreadPool pool;
  fp32::Context context;
  StepTimer timer;
  fp32::ImageEncoder encoder;
  fp32::PromptEncoder prompts;
  fp32::MaskDecoder decoder;
};

FloatSam::FloatSam(const FloatModel& model, int threads, WeightLayout layout, LinearLibrary library)
    : impl_(std::make_unique<Impl>(model, threads, layout, std::move(library))) {}

FloatSam::~FloatSam() = default;

void FloatSam::set_hook(SiteHook hook) { impl_->context.hook = std::move(hook); }
void FloatSam::set_timer(StepTimer timer) { impl_->timer = std::move(timer); }

Parallel& FloatSam::pool() { return impl_->pool; }

std::vector<float> FloatSam::EncodeImage(const uint8_t* rgb, uint32_t height, uint32_t width) {
  Walk walk;
  walk.photo = {rgb, height, width};
  impl_->RunAll(ImageEncoderSteps(impl_->context.config), walk);
  return std::move(walk.embedding);
}

FloatMasks FloatSam::Decode(const std::vector<float>& embedding, const FloatPrompt& prompt) {
  Walk walk;
  walk.prompt = &prompt;
  walk.embedding = embedding;
  impl_->RunAll(MaskDecoderSteps(impl_->context.config), walk);
  return std::move(walk.masks);
}

std::string FloatSam::MatrixLibrary() { return fp32::MatrixLibraryName(); }

}  // namespace intsam::internal
