// Reads a file of the import contract: every tensor that this SAM must have is taken by name, with its dtype and shape;
// what is left afterwards is an error. The contract: docs/quantization.md.
#include "converter/import/ptq4sam.h"

#include <cfloat>
#include <cinttypes>
#include <cmath>
#include <map>
#include <memory>
#include <new>
#include <set>
#include <unordered_map>
#include <utility>

#include "converter/checkpoint/bytes.h"
#include "converter/checkpoint/tensor_view.h"
#include "converter/import/ptq4sam_metadata.h"
#include "converter/quantize/sites.h"

namespace intsam::internal {
namespace {

constexpr double kMaxAgqScale = 4;  // a ceiling of probabilities, which learning can move above 1
// Made at first use: running out of memory before main could not be reported.
const std::vector<uint64_t>& Scalar() {
  static const std::vector<uint64_t> shape = {1};
  return shape;
}

std::string Text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

// "3 of 64 channels ..." reads better than 64 lines.
std::string Share(size_t part, size_t all) { return std::to_string(part) + " of " + std::to_string(all); }

class Importer {
 public:
  Importer(const std::string& path, const Checkpoint& checkpoint) : path_(path), checkpoint_(checkpoint) {}

  Result<ImportedModel> Run() {
    Result<Ptq4SamMetadata> metadata = ParsePtq4SamMetadata(checkpoint_.metadata());
    if (!metadata.ok()) return metadata.status().WithPrefix(path_);
    metadata_ = std::move(*metadata);
    out_.big_sites.assign(metadata_.big_sites.begin(), metadata_.big_sites.end());
    INTSAM_TRY(FindConfig());
    for (size_t i = 0; i < checkpoint_.tensors().size(); ++i) index_of_.emplace(checkpoint_.tensors()[i].name, i);
    INTSAM_TRY(ReadModel());
    for (const AttentionSite& attention : QuantizedAttentions(out_.model.config)) {
      if (IsQuantized(attention.group)) INTSAM_TRY(ReadAttention(attention));
    }
    INTSAM_TRY(NothingIsLeft());
    return Finish();
  }

 private:
  Status Refuse(Code code, const std::string& key, const std::string& reason) const {
    return Status(code, path_ + ": " + key + ": " + reason);
  }
  Status Damaged(const std::string& tensor, const std::string& expected, const std::string& found) const {
    return Refuse(Code::kDamaged, "tensor " + tensor, "expected " + expected + ", found " + found);
  }
  void Warn(const std::string& key, const std::string& what) { out_.warnings.push_back(key + ": " + what); }

  bool IsQuantized(SiteClass group) const { return metadata_.encoder_quantized || group == SiteClass::kDecoder; }

  // From the shapes that the official tensors would have.
  Status FindConfig() {
    std::vector<CheckpointTensor> official = checkpoint_.tensors();
    for (CheckpointTensor& tensor : official) {
      if (tensor.name.ends_with(".weight_q")) tensor.name.resize(tensor.name.size() - 2);
    }
    Result<SamConfig> config = DeduceConfig(official, metadata_.config_json);
    if (!config.ok()) return config.status().WithPrefix(path_);
    out_.model.config = *config;
    return CheckOfficialVariant(*config).WithPrefix(path_);
  }

  bool Has(const std::string& name) const { return index_of_.contains(name); }

  // The elements of a tensor that must be there. Each is taken once; a scalar may also have no dimensions.
  template <class T>
  Result<std::vector<T>> Take(const std::string& name, DType dtype, const std::vector<uint64_t>& shape) {
    const std::string expected = std::string(NameOf(dtype)) + " of shape " + ShapeText(shape);
    const auto found = index_of_.find(name);
    if (found == index_of_.end())
      return Refuse(Code::kUnsupported, "tensor " + name, "expected " + expected + ", found no such tensor");
    const CheckpointTensor& tensor = checkpoint_.tensors()[found->second];
    if (tensor.dtype != dtype || (tensor.shape != shape && !(shape == Scalar() && tensor.shape.empty()))) {
      return Refuse(
          Code::kUnsupported, "tensor " + name,
          "expected " + expected + ", found " + NameOf(tensor.dtype) + " of shape " + ShapeText(tensor.shape));
    }
    std::vector<T> values(tensor.elements);
    INTSAM_TRY(checkpoint_.ReadRaw(found->second, values.data()));
    index_of_.erase(found);
    return values;
  }

  // The number of bits of a site, taken once.
  Result<int> TakeBits(const std::string& site, uint64_t low, uint64_t high) {
    const auto found = metadata_.site_bits.find(site);
    if (found == metadata_.site_bits.end())
      return Refuse(Code::kDamaged, "metadata site_bits", site + ": expected an entry, found none");
    const uint64_t bits = found->second;
    if (bits < low || bits > high) {
      return Refuse(
          Code::kDamaged, "metadata site_bits",
          site + ": expected " + std::to_string(low) + ".." + std::to_string(high) + ", found " + std::to_string(bits));
    }
    metadata_.site_bits.erase(found);
    return static_cast<int>(bits);
  }

  Result<std::vector<float>> TakeFinite(const std::string& name, const std::vector<uint64_t>& shape) {
    INTSAM_ASSIGN(std::vector<float> values, Take<float>(name, DType::kF32, shape));
    for (size_t i = 0; i < values.size(); ++i) {
      if (!std::isfinite(values[i]))
        return Damaged(name, "finite numbers",
                       (std::isnan(values[i]) ? "NaN at element " : "infinity at element ") + std::to_string(i));
    }
    return values;
  }

  Result<std::vector<float>> TakeScales(const std::string& name, const std::vector<uint64_t>& shape, double low) {
    INTSAM_ASSIGN(std::vector<float> values, TakeFinite(name, shape));
    for (const float value : values) {
      if (!(value > 0) || value < low)
        return Damaged(name, "scales above 0" + (low > 0 ? " (at least " + Text(low) + ")" : std::string()),
                       Text(value));
    }
    return values;
  }

  Result<std::vector<int32_t>> TakeZeros(const std::string& name, const std::vector<uint64_t>& shape, int bits) {
    INTSAM_ASSIGN(std::vector<int32_t> values, Take<int32_t>(name, DType::kI32, shape));
    const int32_t top = (1 << bits) - 1;
    for (const int32_t value : values) {
      if (value < 0 || value > top)
        return Damaged(name, "zero points of 0.." + std::to_string(top), std::to_string(value));
    }
    return values;
  }

  Status ReadModel() {
    std::map<std::string, LayerSite, std::less<>> layers;
    for (const LayerSite& layer : QuantizedLayers(out_.model.config)) {
      if (IsQuantized(layer.group)) layers.emplace(layer.name + ".weight", layer);
    }
    for (const TensorSpec& spec : SamTensorSpecs(out_.model.config)) {
      const auto layer = layers.find(spec.name);
      if (layer != layers.end()) {
        INTSAM_TRY(ReadLayer(layer->second, spec));
      } else {
        INTSAM_ASSIGN(out_.model.tensors[spec.name], TakeFinite(spec.name, spec.shape));
      }
    }
    return Status();
  }

  Status ReadLayer(const LayerSite& layer, const TensorSpec& weight) {
    const std::string& name = layer.name;
    if (Has(weight.name) && Has(weight.name + "_q"))
      return Refuse(Code::kDamaged, "tensor " + weight.name, "expected no such tensor beside " + weight.name + "_q");
    INTSAM_ASSIGN(const int bits, TakeBits(weight.name, 2, 8));
    WeightCodes plan;
    plan.bits = bits;
    INTSAM_ASSIGN(plan.codes, Take<uint8_t>(weight.name + "_q", DType::kU8, weight.shape));
    INTSAM_ASSIGN(plan.scale, TakeScales(weight.name + "_scale", {layer.out}, 0));
    INTSAM_ASSIGN(const std::vector<int32_t> zero, TakeZeros(weight.name + "_zp", {layer.out}, bits));
    plan.zero.assign(zero.begin(), zero.end());

    std::vector<float>& values = out_.model.tensors[weight.name];
    values.resize(plan.codes.size());
    const int top = (1 << bits) - 1;
    size_t constant_rows = 0;
    for (size_t n = 0; n < layer.out; ++n) {
      const uint8_t* codes = &plan.codes[n * layer.in];
      bool constant = true;
      for (size_t k = 0; k < layer.in; ++k) {
        if (codes[k] > top)
          return Damaged(weight.name + "_q", "codes of 0.." + std::to_string(top), std::to_string(codes[k]));
        values[n * layer.in + k] = static_cast<float>(codes[k] - plan.zero[n]) * plan.scale[n];
        constant = constant && codes[k] == codes[0];
      }
      constant_rows += constant;
    }
    if (constant_rows > 0)
      Warn("tensor " + weight.name + "_q", Share(constant_rows, layer.out) + " channels use a single code");
    out_.plan.weights.emplace(name, std::move(plan));
    return ReadInput(layer, bits);
  }

  Status ReadInput(const LayerSite& layer, int weight_bits) {
    const std::string site = layer.name + ".in";
    INTSAM_ASSIGN(const int bits, TakeBits(site, 2, 16));
    const uint64_t bound = uint64_t{layer.in} * ((1u << bits) - 1) * ((1u << weight_bits) - 1);
    if (bound >= uint64_t{1} << 31) {
      return Refuse(Code::kUnsupported, "metadata site_bits",
                    site + ": sums of " + std::to_string(layer.in) + " products of " + std::to_string(bits) + " by " +
                        std::to_string(weight_bits) + " bits do not fit 32 bits");
    }
    INTSAM_TRY(ReadActivation(site, bits));
    const int zero = out_.plan.activations.at(site).zero;
    if (!layer.after_relu && (zero == 0 || zero == (1 << bits) - 1))
      Warn("tensor " + site + ".zp", std::to_string(zero) + ": this input would have one sign only");
    return Status();
  }

  Status ReadActivation(const std::string& site, int bits) {
    if (bits > 8) return AboveEightBits(site, bits);
    // PTQ4SAM's own floor: FLT_EPSILON, 1.19e-7.
    INTSAM_ASSIGN(const std::vector<float> scale, TakeScales(site + ".scale", Scalar(), double{FLT_EPSILON}));
    INTSAM_ASSIGN(const std::vector<int32_t> zero, TakeZeros(site + ".zp", Scalar(), bits));
    out_.plan.activations[site] = {scale[0], zero[0], bits};
    return Status();
  }

  Status AboveEightBits(const std::string& site, int bits) const {
    return Refuse(Code::kUnsupported, "metadata site_bits",
                  site + ": activations of " + std::to_string(bits) + " bits are not supported (at most 8)");
  }

  Status ReadAttention(const AttentionSite& attention) {
    for (const char* part : {".q", ".k", ".v"}) {
      INTSAM_ASSIGN(const int bits, TakeBits(attention.name + part, 2, 16));
      INTSAM_TRY(ReadActivation(attention.name + part, bits));
    }
    INTSAM_TRY(ReadSoftmax(attention.name));
    return ReadSigns(attention);
  }

  Status ReadSoftmax(const std::string& attention) {
    const std::string site = attention + ".attn";
    const bool agq = Has(site + ".tau");
    if (agq == Has(site + ".zp")) {
      return Refuse(Code::kDamaged, "tensor " + site + ".tau",
                    "expected either this or " + site + ".zp, found " + (agq ? "both" : "neither"));
    }
    SoftmaxCoding coding;
    coding.kind = agq ? SoftmaxCoding::kAgq : SoftmaxCoding::kUniform;
    INTSAM_ASSIGN(coding.bits, TakeBits(site, 2, agq ? 8 : 16));
    if (coding.bits > 8) return AboveEightBits(site, coding.bits);
    INTSAM_ASSIGN(const std::vector<float> scale, TakeScales(site + ".scale", Scalar(), 0));
    coding.scale = scale[0];
    if (agq) {
      if (coding.scale > kMaxAgqScale) return Damaged(site + ".scale", "at most 4", Text(coding.scale));
      INTSAM_ASSIGN(const std::vector<int32_t> tau, Take<int32_t>(site + ".tau", DType::kI32, Scalar()));
      if (tau[0] != 1 && tau[0] != 2 && tau[0] != 4) return Damaged(site + ".tau", "1, 2 or 4", std::to_string(tau[0]));
      coding.tau = tau[0];
    } else {
      INTSAM_ASSIGN(const std::vector<int32_t> zero, TakeZeros(site + ".zp", Scalar(), coding.bits));
      if (zero[0] != 0) {
        return Refuse(Code::kUnsupported, "tensor " + site + ".zp",
                      "expected 0, as no probability is negative, found " + std::to_string(zero[0]));
      }
    }
    out_.plan.softmax[attention] = coding;
    return Status();
  }

  // The signs are folded into the weights already: they are checked, and never applied.
  Status ReadSigns(const AttentionSite& attention) {
    const std::string name = attention.name + ".big_sign";
    const bool stated = metadata_.big_sites.erase(attention.name) > 0;
    if (!Has(name)) {
      if (!stated) return Status();
      return Refuse(Code::kDamaged, "tensor " + name, "metadata big_sites names it, found no such tensor");
    }
    if (!attention.token_to_image)
      return Refuse(Code::kDamaged, "tensor " + name, "bimodal signs belong to token-to-image attentions only");
    if (!stated) return Refuse(Code::kDamaged, "tensor " + name, "not named by metadata big_sites");
    const uint64_t channels = uint64_t{attention.heads} * attention.head_dim;
    INTSAM_ASSIGN(const std::vector<int8_t> signs, Take<int8_t>(name, DType::kI8, {channels}));
    for (const int8_t sign : signs) {
      if (sign != 1 && sign != -1) return Damaged(name, "1 and -1", std::to_string(sign));
    }
    return Status();
  }

  Status NothingIsLeft() const {
    for (const CheckpointTensor& tensor : checkpoint_.tensors()) {  // in file order, to name the same one always
      if (Has(tensor.name)) {
        return Refuse(Code::kUnsupported, "tensor " + tensor.name,
                      "expected no such tensor in this model, found shape " + ShapeText(tensor.shape));
      }
    }
    if (!metadata_.site_bits.empty()) {
      return Refuse(Code::kDamaged, "metadata site_bits",
                    Quote(metadata_.site_bits.begin()->first) + " is no quantized site of this model");
    }
    if (!metadata_.big_sites.empty()) {
      return Refuse(Code::kDamaged, "metadata big_sites",
                    Quote(*metadata_.big_sites.begin()) + " is no quantized attention of this model");
    }
    return Status();
  }

  Result<ImportedModel> Finish() {
    if (metadata_.drop_active_sites > 0) {
      Warn("metadata drop_active_sites", std::to_string(metadata_.drop_active_sites) +
                                             " quantizers still dropped at random in the source object: accuracy "
                                             "measured on it is not this model's");
    }
    INTSAM_ASSIGN(out_.model.source_sha256, checkpoint_.Sha256());
    out_.method = metadata_.method;
    out_.encoder_quantized = metadata_.encoder_quantized;
    out_.soft_layers_hardened = metadata_.soft_layers_hardened;
    out_.drop_active_sites = metadata_.drop_active_sites;
    return std::move(out_);
  }

  const std::string& path_;
  const Checkpoint& checkpoint_;
  Ptq4SamMetadata metadata_;                          // less what was taken
  std::unordered_map<std::string, size_t> index_of_;  // of the tensors not taken yet
  ImportedModel out_;
};

}  // namespace

Result<ImportedModel> ImportPtq4Sam(const std::string& path) {
  INTSAM_ASSIGN(const std::unique_ptr<Checkpoint> checkpoint, Checkpoint::Open(path));
  try {
    return Importer(path, *checkpoint).Run();
  } catch (const std::bad_alloc&) {
    return Error(Code::kResource, "%s: out of memory", path.c_str());
  }
}

}  // namespace intsam::internal
