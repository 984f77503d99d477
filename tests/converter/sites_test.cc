// The lists of what is quantised, against the counts of the paper's models and the names of the state dict.
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
  for (const Expected& e : {Expected{"vit_b", 82, 19}, Expected{"vit_l", 130, 31}, Expected{"vit_h", 162, 39}}) {
    const SamConfig config = PresetConfig(e.name).value();
    EXPECT_EQ(QuantizedLayers(config).size(), e.layers) << e.name;
    EXPECT_EQ(QuantizedAttentions(config).size(), e.attentions) << e.name;
  }
}

TEST(Sites, LayersAreThoseOfTheStateDict) {
  for (const char* name : {"vit_b", "tiny", "micro"}) {
    const SamConfig config = PresetConfig(name).value();
    std::map<std::string, std::vector<uint64_t>> shapes;
    for (const TensorSpec& spec : SamTensorSpecs(config)) shapes[spec.name] = spec.shape;
    std::set<std::string> seen;
    for (const LayerSite& layer : QuantizedLayers(config)) {
      EXPECT_TRUE(seen.insert(layer.name).second) << layer.name;
      ASSERT_TRUE(shapes.contains(layer.name + ".weight")) << layer.name;
      const std::vector<uint64_t>& shape = shapes[layer.name + ".weight"];
      uint64_t in = 1;
      for (size_t i = 1; i < shape.size(); ++i) in *= shape[i];
      EXPECT_EQ(shape[0], layer.out) << layer.name;
      EXPECT_EQ(in, layer.in) << layer.name;
      EXPECT_EQ(shapes.contains(layer.name + ".bias"), layer.has_bias) << layer.name;
    }
    for (const AttentionSite& site : QuantizedAttentions(config)) {
      EXPECT_TRUE(seen.contains(site.output)) << site.output;
      for (int part = 0; part < 3; ++part) {
        ASSERT_TRUE(seen.contains(site.Projection(part))) << site.name << " " << part;
        const uint64_t rows = shapes[site.Projection(part) + ".bias"][0];
        const uint64_t width = uint64_t{site.heads} * site.head_dim;
        EXPECT_EQ(rows, site.side != 0 ? 3 * width : width) << site.name;
        EXPECT_EQ(site.FirstRow(part), site.side != 0 ? static_cast<uint64_t>(part) * width : 0) << site.name;
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

TEST(Sites, WindowsAndGlobalBlocks) {
  const std::vector<AttentionSite> sites = QuantizedAttentions(PresetConfig("vit_b").value());
  for (size_t i = 0; i < 12; ++i) EXPECT_EQ(sites[i].side, i % 3 == 2 ? 64u : 14u) << i;
}

}  // namespace
}  // namespace intsam::internal
