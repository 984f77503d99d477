// Plain and unfused: a prompt costs about one part in 250 of the image encoder. Every product is oneDNN's.
#include "converter/fp32/mask_decoder.h"

#include <cmath>

#include "converter/fp32/matmul.h"
#include "converter/fp32/ops.h"
#include "converter/sam_constants.h"

namespace intsam::internal::fp32 {
namespace {

std::string TransformerLayer(uint32_t layer) { return "mask_decoder.transformer.layers." + std::to_string(layer); }

}  // namespace

MaskDecoder::MaskDecoder(const Context& context, const std::vector<float>& image_pe)
    : context_(context),
      image_pe_(image_pe),
      channels_(context.config.prompt_embed_dim),
      upscale0_taps_(TransposedTaps(context.model.at("mask_decoder.output_upscaling.0.weight"), channels_,
                                    context.config.upscale1_dim())),
      upscale3_taps_(TransposedTaps(context.model.at("mask_decoder.output_upscaling.3.weight"),
                                    context.config.upscale1_dim(), context.config.upscale2_dim())),
      attention_(context) {}

void MaskDecoder::SetTokens(std::vector<float> tokens) {
  tokens_ = std::move(tokens);
  context_.Site("mask_decoder.tokens", "", tokens_.data(), tokens_.size() / channels_, channels_);
  token_pe_ = tokens_;
}

void MaskDecoder::SetKeys(std::vector<float> keys) {
  keys_ = std::move(keys);
  context_.Site("mask_decoder.keys", "", keys_.data(), keys_.size() / channels_, channels_);
}

std::vector<float> MaskDecoder::Sum(const std::vector<float>& a, const std::vector<float>& b) const {
  std::vector<float> result(a.size());
  Add(context_.pool, a.data(), b.data(), a.size(), result.data());
  return result;
}

std::vector<float> MaskDecoder::Project(const std::string& layer, std::vector<float>& x, size_t in, size_t out) {
  const size_t rows = x.size() / in;
  context_.Site(layer, ".in", x.data(), rows, in);
  std::vector<float> y(rows * out);
  Product(context_.pool, Transpose::kYes, rows, out, in, x.data(), in, context_.Tensor(layer + ".weight"), in, y.data(),
          out);
  AddBias(context_.pool, y.data(), rows, out, context_.Tensor(layer + ".bias"));
  return y;
}

// Row (token, head): W_h times the head's part of the token, W_h being the head's part of a layer's rows, transposed,
// or of its columns.
void MaskDecoder::ShowTokenRows(const std::string& name, const char* site, const std::string& layer, bool transposed,
                                const std::vector<float>& tokens, std::vector<float>& rows) const {
  const size_t inner = context_.model.at(name + ".q_proj.bias").size(), heads = context_.config.decoder_num_heads;
  const size_t dim = inner / heads, count = tokens.size() / inner;
  const float* weight = context_.Tensor(layer + ".weight");
  rows.resize(count * heads * channels_);
  for (size_t head = 0; head < heads; ++head) {
    const size_t first = head * dim;
    Product(context_.pool, transposed ? Transpose::kNo : Transpose::kYes, count, channels_, dim, tokens.data() + first,
            inner, transposed ? weight + first * channels_ : weight + first, transposed ? channels_ : inner,
            rows.data() + head * channels_, heads * channels_);
  }
  context_.Site(name, site, rows.data(), count * heads, channels_);
}

// What each token of each head mixes of the image rows: probabilities are the same whichever side is projected.
void MaskDecoder::ShowMix(const std::string& name, std::vector<float> q_rows, const std::vector<float>& k,
                          const std::vector<float>& v) {
  const size_t inner = context_.model.at(name + ".q_proj.bias").size(), heads = context_.config.decoder_num_heads;
  const float scale = std::sqrt(static_cast<float>(channels_ * heads) / static_cast<float>(inner));
  for (float& value : q_rows) value *= scale;
  std::vector<float> mix(q_rows.size());
  const size_t queries = q_rows.size() / channels_, keys = k.size() / channels_;
  attention_.Run(name + ".mix", q_rows.data(), queries, k.data(), v.data(), keys, 1, channels_, mix.data());
  context_.Site(name, ".mix", mix.data(), queries, channels_);
}

std::vector<float> MaskDecoder::Attend(const std::string& name, std::vector<float> q, std::vector<float> k,
                                       std::vector<float> v, DecoderAttention::Kind kind) {
  const size_t inner = context_.model.at(name + ".q_proj.bias").size();
  const size_t heads = context_.config.decoder_num_heads;
  std::vector<float> projected_q = Project(name + ".q_proj", q, channels_, inner);
  std::vector<float> projected_k = Project(name + ".k_proj", k, channels_, inner);
  std::vector<float> projected_v = Project(name + ".v_proj", v, channels_, inner);
  const size_t queries = q.size() / channels_;
  const size_t keys = k.size() / channels_;
  context_.Site(name, ".q", projected_q.data(), queries, inner);
  context_.Site(name, ".k", projected_k.data(), keys, inner);
  context_.Site(name, ".v", projected_v.data(), keys, inner);
  if (context_.hook && kind == DecoderAttention::Kind::kTokenToImage) {
    std::vector<float> rows;
    ShowTokenRows(name, ".q_rows", name + ".k_proj", true, projected_q, rows);
    ShowMix(name, std::move(rows), k, v);
  } else if (context_.hook && kind == DecoderAttention::Kind::kImageToToken) {
    std::vector<float> rows;
    ShowTokenRows(name, ".v_rows", name + ".out_proj", false, projected_v, rows);
  }
  std::vector<float> mixed(queries * inner);
  attention_.Run(name, projected_q.data(), queries, projected_k.data(), projected_v.data(), keys, heads, inner / heads,
                 mixed.data());
  return Project(name + ".out_proj", mixed, inner, channels_);
}

void MaskDecoder::Update(std::vector<float>& stream, const char* site, const std::vector<float>& change, bool replace,
                         const std::string& norm) {
  const size_t rows = stream.size() / channels_;
  stream = replace ? change : Sum(stream, change);
  context_.Site(site, "", stream.data(), rows, channels_);
  LayerNorm(context_.pool, stream.data(), rows, channels_, context_.Tensor(norm + ".weight"),
            context_.Tensor(norm + ".bias"), kDecoderEpsilon, stream.data());
  context_.Site(site, "", stream.data(), rows, channels_);
}

void MaskDecoder::SelfAttention(uint32_t layer, const std::string& name) {
  const bool first = layer == 0;  // replaces the tokens, and adds no positional encoding
  const std::vector<float> q = first ? tokens_ : Sum(tokens_, token_pe_);
  Update(tokens_, "mask_decoder.tokens", Attend(name, q, q, tokens_, DecoderAttention::Kind::kSelf), first,
         TransformerLayer(layer) + ".norm1");
}

void MaskDecoder::TokenToImage(const std::string& name, const std::string& norm) {
  Update(tokens_, "mask_decoder.tokens",
         Attend(name, Sum(tokens_, token_pe_), Sum(keys_, image_pe_), keys_, DecoderAttention::Kind::kTokenToImage),
         false, norm);
}

void MaskDecoder::ImageToToken(uint32_t layer, const std::string& name) {
  Update(keys_, "mask_decoder.keys",
         Attend(name, Sum(keys_, image_pe_), Sum(tokens_, token_pe_), tokens_, DecoderAttention::Kind::kImageToToken),
         false, TransformerLayer(layer) + ".norm4");
}

void MaskDecoder::TokenMlp(uint32_t layer, const std::string& name) {
  const size_t inner = context_.config.decoder_mlp_dim;
  const size_t rows = tokens_.size() / channels_;
  std::vector<float> x = tokens_;
  context_.Site(name, ".lin1.in", x.data(), rows, channels_);
  std::vector<float> hidden(rows * inner);
  Product(context_.pool, Transpose::kYes, rows, inner, channels_, x.data(), channels_,
          context_.Tensor(name + ".lin1.weight"), channels_, hidden.data(), inner);
  BiasRelu(context_.pool, hidden.data(), rows, inner, context_.Tensor(name + ".lin1.bias"));
  Update(tokens_, "mask_decoder.tokens", Project(name + ".lin2", hidden, inner, channels_), false,
         TransformerLayer(layer) + ".norm3");
}

void MaskDecoder::Upscale(const std::string& name) {
  Parallel& pool = context_.pool;
  const auto upscale = [&](const std::vector<float>& x, size_t side, size_t in, size_t out, const float* weight,
                           const std::string& layer) {
    std::vector<float> taps(side * side * 4 * out);
    Product(pool, Transpose::kYes, side * side, 4 * out, in, x.data(), in, weight, in, taps.data(), 4 * out);
    std::vector<float> y(taps.size());
    Unfold2x2(pool, taps.data(), side, out, context_.Tensor(layer + ".bias"), y.data());
    return y;
  };
  const size_t grid = context_.config.grid();
  const size_t c1 = context_.config.upscale1_dim();
  const size_t c2 = context_.config.upscale2_dim();
  std::vector<float> y = upscale(keys_, grid, channels_, c1, upscale0_taps_.data(), name + ".0");
  const size_t middle = 4 * grid * grid;
  context_.Site(name, ".0.out", y.data(), middle, c1);
  LayerNorm(pool, y.data(), middle, c1, context_.Tensor(name + ".1.weight"), context_.Tensor(name + ".1.bias"),
            kMapEpsilon, y.data());
  context_.Site(name, ".1.out", y.data(), middle, c1);
  BiasGelu(pool, y.data(), middle, c1, nullptr);
  context_.Site(name, ".3.in", y.data(), middle, c1);
  upscaled_ = upscale(y, 2 * grid, c1, c2, upscale3_taps_.data(), name + ".3");
  const size_t pixels = 16 * grid * grid;
  context_.Site(name, ".3.out", upscaled_.data(), pixels, c2);
  BiasGelu(pool, upscaled_.data(), pixels, c2, nullptr);
  context_.Site(name, ".4.out", upscaled_.data(), pixels, c2);
}

std::vector<float> MaskDecoder::HeadMlp(const std::string& name, std::vector<float> x, size_t depth) {
  for (size_t i = 0; i < depth; ++i) {
    const std::string layer = name + ".layers." + std::to_string(i);
    const std::vector<float>& bias = context_.model.at(layer + ".bias");
    std::vector<float> y(bias.size());
    Product(context_.pool, Transpose::kYes, 1, y.size(), x.size(), x.data(), x.size(),
            context_.Tensor(layer + ".weight"), x.size(), y.data(), y.size());
    if (i + 1 < depth) {
      BiasRelu(context_.pool, y.data(), 1, y.size(), bias.data());
    } else {
      AddBias(context_.pool, y.data(), 1, y.size(), bias.data());
    }
    context_.Site(layer, ".out", y.data(), 1, y.size());
    x = std::move(y);
  }
  return x;
}

void MaskDecoder::Hypernetworks(const std::string& name) {
  constexpr size_t kDepth = 3;
  hyper_.clear();
  for (size_t i = 0; i < context_.config.num_masks(); ++i) {
    const float* token = tokens_.data() + (1 + i) * channels_;  // token 0 is the IoU token
    const std::vector<float> row =
        HeadMlp(name + "." + std::to_string(i), std::vector<float>(token, token + channels_), kDepth);
    hyper_.insert(hyper_.end(), row.begin(), row.end());
  }
}

std::vector<float> MaskDecoder::Masks(const std::string& name) {
  Upscale("mask_decoder.output_upscaling");
  const size_t masks = context_.config.num_masks();
  const size_t pixels = size_t{context_.config.low_res()} * context_.config.low_res();
  const size_t inner = context_.config.upscale2_dim();
  std::vector<float> low_res(masks * pixels);
  Product(context_.pool, Transpose::kYes, masks, pixels, inner, hyper_.data(), inner, upscaled_.data(), inner,
          low_res.data(), pixels);
  context_.Site(name, "", low_res.data(), masks, pixels);
  return low_res;
}

std::vector<float> MaskDecoder::IouHead(const std::string& name) {
  return HeadMlp(name, std::vector<float>(tokens_.data(), tokens_.data() + channels_), context_.config.iou_head_depth);
}

}  // namespace intsam::internal::fp32
