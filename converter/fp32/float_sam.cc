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
//   TinyViT (S: stage) has these in place of those above:
//   image_encoder.patch_embed.seq.{0.out,2.in}
//       before and after GELU
//   image_encoder.layers.S.x
//       the stage's map: what enters it, and after every sum, local convolution and MBConv block
//   image_encoder.layers.S.{blocks.I,downsample}.{conv1.in,conv1.out,conv2.in,conv2.out,conv3.in}
//       MBConv and patch merging; conv1.out and conv2.out before GELU
//   image_encoder.layers.0.blocks.I.{conv3.out,sum}
//       MBConv's residual, and its sum before the last GELU
//   image_encoder.layers.S.blocks.I.attn.{qkv.in,q,k,v,proj.in}
//       as above, but qkv.in has the padding cell too
//   image_encoder.layers.S.blocks.I.local_conv.in
//   image_encoder.layers.S.blocks.I.mlp.{fc1.in,fc1.out,fc2.in}
//   All families:
//   image_encoder.neck.{0.in,0.out,2.in,2.out,3.out}
//       the convolutions' inputs and outputs; the embedding
//   prompt_encoder.mask_downscaling.{0,1,3,4,6}.out
//       with a mask prompt only; 1 and 4 before GELU
//   mask_decoder.tokens, mask_decoder.keys
//       initial values, every sum before a norm, every norm's output
//   A.{q_proj.in,k_proj.in,v_proj.in,q,k,v,out_proj.in}
//       for each attention A: mask_decoder.transformer.layers.J.{self_attn,cross_attn_token_to_image,
//       cross_attn_image_to_token}, mask_decoder.transformer.final_attn_token_to_image
//   A.{q_rows,mix}, A.v_rows
//       of token-to-image, and of image-to-token attentions, rows (token, head): queries or keys as what image rows are
//       multiplied by, the image rows that are mixed, values behind out_proj. To be watched: nothing goes on with them
//   mask_decoder.transformer.layers.J.mlp.{lin1.in,lin2.in}
//       lin2.in after ReLU
//   mask_decoder.output_upscaling.{0.out,1.out,3.in,3.out,4.out}
//       1.out and 3.out before GELU, 3.in and 4.out after
//   mask_decoder.output_hypernetworks_mlps.H.layers.L.out, mask_decoder.iou_prediction_head.layers.L.out
//       after ReLU, except the last
//   mask_decoder.masks
//       low-resolution logits, one row per mask
#include "converter/fp32/float_sam.h"

#include <chrono>
#include <utility>
#include <variant>

#include "converter/encoder/layers.h"
#include "converter/fp32/context.h"
#include "converter/fp32/layer.h"
#include "converter/fp32/mask_decoder.h"
#include "converter/fp32/matmul.h"
#include "converter/fp32/parallel.h"
#include "converter/fp32/prompt_encoder.h"

namespace intsam::internal {
namespace {

// What a run of the mask decoder is about, and what comes out.
struct Walk {
  const std::vector<float>& embedding;
  const FloatPrompt& prompt;
  FloatMasks masks;
};

}  // namespace

struct FloatSam::Impl {
  Impl(const FloatModel& model, int threads, WeightLayout layout, LinearLibrary library)
      : pool(fp32::ReferenceThreads(threads)),
        context(model, pool, std::move(library)),
        prompts(context),
        decoder(context, prompts.image_pe()) {
    const std::vector<EncoderLayer> layers = EncoderLayers(context.config);
    const std::vector<LayerPlace> places = PlacesOf(context.config, layers);
    for (size_t i = 0; i < layers.size(); ++i) {
      const auto make = [&](const auto& shape) { return MakeFloat(shape, places[i], context, layout); };
      encoder.emplace_back(layers[i].step, std::visit(make, layers[i].kind));
    }
  }

  void Run(const DecoderStep& step, Walk& walk) {
    switch (step.kind) {
      case DecoderStepKind::kPromptTokens: return decoder.SetTokens(prompts.Tokens(walk.prompt));
      case DecoderStepKind::kDensePrompt: return decoder.SetKeys(prompts.Keys(walk.embedding, walk.prompt, step.name));
      case DecoderStepKind::kSelfAttention: return decoder.SelfAttention(step.layer, step.name);
      case DecoderStepKind::kTokenToImage:
        return decoder.TokenToImage(step.name,
                                    "mask_decoder.transformer.layers." + std::to_string(step.layer) + ".norm2");
      case DecoderStepKind::kTokenMlp: return decoder.TokenMlp(step.layer, step.name);
      case DecoderStepKind::kImageToToken: return decoder.ImageToToken(step.layer, step.name);
      case DecoderStepKind::kFinalTokenToImage:
        return decoder.TokenToImage(step.name, "mask_decoder.transformer.norm_final_attn");
      case DecoderStepKind::kHypernetworks: return decoder.Hypernetworks(step.name);
      case DecoderStepKind::kMasks: walk.masks.low_res = decoder.Masks(step.name); return;
      case DecoderStepKind::kIouHead: walk.masks.iou = decoder.IouHead(step.name); return;
    }
  }

  template <class Body>
  void Timed(const Step& step, const Body& body) {
    const auto start = std::chrono::steady_clock::now();
    body();
    if (!timer) return;
    const auto elapsed = std::chrono::steady_clock::now() - start;
    timer(step, std::chrono::duration_cast<std::chrono::nanoseconds>(elapsed).count());
  }

  ThreadPool pool;
  fp32::Context context;
  StepTimer timer;
  std::vector<std::pair<Step, std::unique_ptr<fp32::Layer>>> encoder;
  fp32::Stream stream;
  fp32::PromptEncoder prompts;
  fp32::MaskDecoder decoder;
};

FloatSam::FloatSam(const FloatModel& model, int threads, WeightLayout layout, LinearLibrary library)
    : impl_(std::make_unique<Impl>(model, threads, layout, std::move(library))) {}

FloatSam::~FloatSam() = default;

void FloatSam::set_hook(SiteHook hook) { impl_->context.hook = std::move(hook); }
void FloatSam::set_softmax_hook(SoftmaxHook hook) { impl_->context.softmax_hook = std::move(hook); }
void FloatSam::set_timer(StepTimer timer) { impl_->timer = std::move(timer); }

Parallel& FloatSam::pool() { return impl_->pool; }

std::vector<float> FloatSam::EncodeImage(const uint8_t* rgb, uint32_t height, uint32_t width) {
  fp32::Stream& stream = impl_->stream;
  stream.rgb = rgb, stream.height = height, stream.width = width;
  for (const auto& step : impl_->encoder) {
    impl_->Timed(step.first, [&] { step.second->Run(stream); });
  }
  return std::move(stream.embedding);
}

FloatMasks FloatSam::Decode(const std::vector<float>& embedding, const FloatPrompt& prompt) {
  Walk walk{embedding, prompt, {}};
  for (const DecoderStep& step : MaskDecoderSteps(impl_->context.config)) {
    impl_->Timed(step, [&] { impl_->Run(step, walk); });
  }
  return std::move(walk.masks);
}

std::string FloatSam::MatrixLibrary() { return fp32::MatrixLibraryName(); }

}  // namespace intsam::internal
