// See model_bytes.h.
#include "tests/format/model_bytes.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <map>

#include "runtime/base/sha256.h"
#include "runtime/format/model.h"
#include "runtime/format/reader.h"

namespace intsam::internal::testing {
namespace {

// A test that asks for what does not exist is wrong, not failed.
[[noreturn]] void Stop(const std::string& what) {
  std::fprintf(stderr, "test data: %s\n", what.c_str());
  std::abort();
}

class NameCollector : public isam::PathVisitor<NameCollector> {
 public:
  explicit NameCollector(ModelNames& names) : names_(names) {}
  template <class T>
  void Field(const char* name, T&, int64_t, int64_t) {
    names_.fields.push_back(PathOf(name));
  }
  void Field(const char* name, uint64_t&) { names_.fields.push_back(PathOf(name)); }
  template <class T>
  void Tensor(const char* name, View<T>&, std::initializer_list<uint32_t>) {
    names_.tensors.push_back(PathOf(name));
  }
  template <class T>
  void Tensor(const char* name, View<T>&, std::initializer_list<uint32_t>, int64_t, int64_t) {
    names_.tensors.push_back(PathOf(name));
  }

 private:
  ModelNames& names_;
};

void Collect(IntegerModel& model, ModelNames& names) {
  NameCollector collector(names);
  collector.Group("config", model.config);
  model.Visit(collector);
}

size_t IndexOf(const std::vector<std::string>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) Stop("no " + name);
  return static_cast<size_t>(found - names.begin());
}

}  // namespace

ModelBytes::ModelBytes(std::span<const uint8_t> bytes)
    : data_(new (std::align_val_t{limits::kAlignment}) uint8_t[bytes.size()]), size_(bytes.size()) {
  std::copy(bytes.begin(), bytes.end(), data_.get());
}

isam::Header ModelBytes::header() const {
  isam::Header header;
  std::memcpy(&header, data(), sizeof header);
  return header;
}

void ModelBytes::set_header(const isam::Header& header) { std::memcpy(data(), &header, sizeof header); }

isam::DirectoryEntry ModelBytes::entry(size_t index) const {
  isam::DirectoryEntry entry;
  std::memcpy(&entry, data() + header().sections[isam::kDirectory].offset + index * sizeof entry, sizeof entry);
  return entry;
}

void ModelBytes::set_entry(size_t index, const isam::DirectoryEntry& entry) {
  std::memcpy(data() + header().sections[isam::kDirectory].offset + index * sizeof entry, &entry, sizeof entry);
}

void ModelBytes::set_field(size_t index, int64_t value) {
  std::memcpy(data() + header().sections[isam::kFields].offset + index * sizeof value, &value, sizeof value);
}

int64_t ModelBytes::field(size_t index) const {
  int64_t value;
  std::memcpy(&value, data() + header().sections[isam::kFields].offset + index * sizeof value, sizeof value);
  return value;
}

uint8_t* ModelBytes::tensor(size_t index) {
  return data() + header().sections[isam::kData].offset + entry(index).offset;
}

void Reseal(ModelBytes& bytes, std::initializer_list<int> sections) {
  if (bytes.size() < sizeof(isam::Header)) return;
  isam::Header header = bytes.header();
  for (const int i : sections) {
    isam::Section& section = header.sections[i];
    if (section.offset > bytes.size() || section.size > bytes.size() - section.offset) continue;
    const Sha256Digest digest = Sha256Of(bytes.data() + section.offset, section.size);
    std::copy(digest.begin(), digest.end(), section.sha256);
  }
  std::fill(std::begin(header.sha256), std::end(header.sha256), uint8_t{0});
  const Sha256Digest digest = Sha256Of(&header, sizeof header);
  std::copy(digest.begin(), digest.end(), header.sha256);
  bytes.set_header(header);
}

ModelBytes Resized(const ModelBytes& bytes, size_t size) {
  std::vector<uint8_t> copy(bytes.data(), bytes.data() + bytes.size());
  copy.resize(size);
  return ModelBytes(copy);
}

ModelParts::ModelParts(const ModelBytes& bytes) : tensors(bytes.header().tensors) {
  const isam::Header header = bytes.header();
  for (int i = 0; i < isam::kSections; ++i) {
    const uint8_t* begin = bytes.data() + header.sections[i].offset;
    sections[i].assign(begin, begin + header.sections[i].size);
  }
}

ModelBytes ModelParts::Join() const {
  isam::Header header = {};
  std::copy(std::begin(isam::kMagic), std::end(isam::kMagic), header.magic);
  header.version = isam::kVersion;
  header.tensors = tensors;
  std::vector<uint8_t> file(sizeof header);
  for (int i = 0; i < isam::kSections; ++i) {
    header.sections[i].offset = file.size();
    header.sections[i].size = sections[i].size();
    file.insert(file.end(), sections[i].begin(), sections[i].end());
    file.resize(i == isam::kData ? file.size() + isam::kTrailer : isam::AlignUp(file.size()));
  }
  header.file_size = file.size();
  ModelBytes bytes(file);
  bytes.set_header(header);
  Reseal(bytes, {isam::kFields, isam::kProvenance, isam::kDirectory, isam::kData});
  return bytes;
}

ModelNames::ModelNames(const SamConfig& config) {
  IntegerModel model(config);
  Collect(model, *this);
}

ModelNames::ModelNames(const ModelBytes& bytes) {
  auto opened = ReadModel(bytes);
  if (!opened.ok()) Stop(opened.status().message());
  Collect(opened->model, *this);
}

size_t ModelNames::field(const std::string& name) const { return IndexOf(fields, name); }
size_t ModelNames::tensor(const std::string& name) const { return IndexOf(tensors, name); }

std::string GoldenModelPath(const std::string& name) {
  return std::string(INTSAM_SOURCE_DIR) + "/tests/golden/data/" + name + ".isam";
}

const ModelBytes& GoldenModel(const std::string& name) {
  static std::map<std::string, ModelBytes> files;
  auto found = files.find(name);
  if (found == files.end()) {
    std::ifstream file(GoldenModelPath(name), std::ios::binary);
    if (!file) Stop("cannot read " + GoldenModelPath(name));
    const std::vector<uint8_t> bytes((std::istreambuf_iterator<char>(file)), {});
    found = files.emplace(name, ModelBytes(bytes)).first;
  }
  return found->second;
}

SamConfig OddConfig() {
  SamConfig c;
  c.image_size = 96, c.vit.patch_size = 8;
  c.vit.embed_dim = 48, c.vit.depth = 3, c.vit.num_heads = 3, c.vit.mlp_dim = 80, c.vit.window_size = 5,
  c.vit.global_attn_mask = 0x2;
  c.prompt_embed_dim = 32, c.decoder_depth = 1, c.decoder_mlp_dim = 16, c.decoder_num_heads = 4,
  c.attention_downsample = 1;
  c.num_multimask_outputs = 2, c.iou_head_depth = 2, c.iou_head_hidden_dim = 20, c.mask_in_chans = 8;
  return c;
}

SamConfig OddMobileConfig() {
  SamConfig c = OddConfig();
  c.image_size = 144, c.family = kTinyVit, c.vit = {};
  c.tiny_vit = {.embed_dims = {16, 48, 32, 80},
                .depths = {2, 1, 2, 1},
                .num_heads = {1, 4, 2, 5},     // of 12, 16 and 16
                .window_sizes = {7, 5, 9, 4},  // on grids of 18, 9 and 9
                .mlp_ratio = 2,
                .expand_ratio = 3};
  return c;
}

}  // namespace intsam::internal::testing
