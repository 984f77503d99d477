// The lists of what is quantized, against the counts of the paper's models and the names of the state dict.
#include "converter/quantize/sites.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "converter/checkpoint/sam_checkpoint.h"

namespace intsam::internal {
namespace {

TEST(Sites, CountsOfTheOfficialModels) {
  struct Expected {
    const char* name;
    size_t layers, attentions;
  };
  for (const Expected& e : {Expected{"vit_b", 82, 19}, Expected{"vit_l", 130, 31}, Expected{"vit_h", 162, 39},
                            Expected{"mobile_sam", 90, 17}}) {
    const SamConfig config = PresetConfig(e.name).value();
    EXPECT_EQ(QuantizedLayers(config).size(), e.layers) << e.name;
    EXPECT_EQ(QuantizedAttentions(config).size(), e.attentions) << e.name;
  }
}

TEST(Sites, LayersAreThoseOfTheStateDict) {
  for (const char* name : {"vit_b", "tiny", "micro", "mobile_sam"}) {
    const SamConfig config = PresetConfig(name).value();
    std::map<std::string, std::vector<uint64_t>> shapes;
    for (const TensorSpec& spec : SamTensorSpecs(config)) shapes[spec.name] = spec.shape;
    std::set<std::string> seen;
    for (const LayerSite& layer : QuantizedLayers(config)) {
      EXPECT_TRUE(seen.insert(layer.name).second) << layer.name;
      // BatchNorm is folded into the convolution before it, which has its bias from there.
      const bool folded = layer.group == SiteClass::kEncoderConv;
      const std::string weight = layer.name + (folded ? ".c.weight" : ".weight");
      ASSERT_TRUE(shapes.contains(weight)) << weight;
      const std::vector<uint64_t>& shape = shapes[weight];
      uint64_t in = 1;
      for (size_t i = 1; i < shape.size(); ++i) in *= shape[i];
      EXPECT_EQ(shape[0], layer.out) << layer.name;
      EXPECT_EQ(in, layer.in) << layer.name;
      EXPECT_EQ(shapes.contains(layer.name + (folded ? ".bn.bias" : ".bias")), layer.has_bias) << layer.name;
    }
    for (const AttentionSite& site : QuantizedAttentions(config)) {
      EXPECT_TRUE(seen.contains(site.output)) << site.output;
      const uint64_t width = uint64_t{site.heads} * site.head_dim;
      for (uint32_t part = 0; part < 3; ++part) {
        const AttentionSite::Projection& projection = site.projections[part];
        ASSERT_TRUE(seen.contains(projection.layer)) << site.name << " " << part;
        const uint64_t rows = shapes[projection.layer + ".bias"][0];
        EXPECT_EQ(rows, site.side != 0 ? 3 * width : width) << site.name;
        EXPECT_EQ(projection.first_row, site.side != 0 ? part * width : 0) << site.name;
      }
    }
  }
}

TEST(Sites, SignsAreFoldedAtThreePlaces) {
  const std::string transformer = "mask_decoder.transformer.";
  std::set<std::string> names;
  for (const AttentionSite& site : QuantizedAttentions(PresetConfig("vit_b").value())) {
    EXPECT_EQ(site.group == SiteClass::kEncoderAttention, site.side != 0) << site.name;
    if (site.token_to_image) names.insert(site.name);
  }
  EXPECT_EQ(names, (std::set<std::string>{transformer + "layers.0.cross_attn_token_to_image",
                                          transformer + "layers.1.cross_attn_token_to_image",
                                          transformer + "final_attn_token_to_image"}));
}

// What migration and the scaling of hidden channels go by, written independently of the layers' kinds.
TEST(Sites, WhatALayerReads) {
  const SamConfig config = PresetConfig("micro").value();
  std::map<std::string, std::string> norms, readers;
  std::set<std::string> may_shift, after_relu, convolutions;
  for (const LayerSite& layer : QuantizedLayers(config)) {
    if (!layer.input_norm.empty()) norms[layer.name] = layer.input_norm;
    if (!layer.relu_reader.empty()) readers[layer.name] = layer.relu_reader;
    if (layer.may_shift) may_shift.insert(layer.name);
    if (layer.after_relu) after_relu.insert(layer.name);
    if (layer.taps != 1) convolutions.insert(layer.name);
  }
  const std::string block0 = "image_encoder.blocks.0.", block1 = "image_encoder.blocks.1.";
  EXPECT_EQ(norms, (std::map<std::string, std::string>{{block0 + "attn.qkv", block0 + "norm1"},
                                                       {block0 + "mlp.lin1", block0 + "norm2"},
                                                       {block1 + "attn.qkv", block1 + "norm1"},
                                                       {block1 + "mlp.lin1", block1 + "norm2"},
                                                       {"image_encoder.neck.2", "image_encoder.neck.1"}}));
  // Block 0 has windows of 3 on a grid of 8, so padding.
  EXPECT_EQ(may_shift, (std::set<std::string>{block0 + "mlp.lin1", block1 + "attn.qkv", block1 + "mlp.lin1"}));
  EXPECT_EQ(convolutions, std::set<std::string>{"image_encoder.neck.2"});
  const std::string mlp0 = "mask_decoder.transformer.layers.0.mlp.", mlp1 = "mask_decoder.transformer.layers.1.mlp.";
  EXPECT_EQ(readers,
            (std::map<std::string, std::string>{{mlp0 + "lin1", mlp0 + "lin2"}, {mlp1 + "lin1", mlp1 + "lin2"}}));
  EXPECT_EQ(after_relu, (std::set<std::string>{mlp0 + "lin2", mlp1 + "lin2"}));
}

TEST(Sites, WindowsAndGlobalBlocks) {
  const std::vector<AttentionSite> sites = QuantizedAttentions(PresetConfig("vit_b").value());
  for (size_t i = 0; i < 12; ++i) EXPECT_EQ(sites[i].side, i % 3 == 2 ? 64u : 14u) << i;
}

}  // namespace
}  // namespace intsam::internal
