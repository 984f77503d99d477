// The C entry points of the library and of models.
#include "runtime/api/calls.h"
#include "runtime/base/cpu.h"

namespace {

using intsam::internal::Code;
using intsam::internal::Error;
using intsam::internal::GiveStruct;
using intsam::internal::Guarded;
using intsam::internal::Model;
using intsam::internal::Report;
using intsam::internal::Status;

// `name` is what the caller's argument `source` is called.
intsam_status OpenModel(const char* name, const void* source, const auto& open, intsam_model** model, char* error,
                        size_t error_size) {
  return Report(Guarded([&]() -> Status {
                  if (model == nullptr) return Error(Code::kUsage, "model: the result pointer is NULL");
                  *model = nullptr;
                  if (source == nullptr) return Error(Code::kUsage, "%s: is NULL", name);
                  INTSAM_ASSIGN(auto opened, open());
                  *model = new intsam_model{std::move(opened)};
                  return Status();
                }),
                error, error_size);
}

}  // namespace

#define INTSAM_STRING_(x) #x
#define INTSAM_STRING(x) INTSAM_STRING_(x)

extern "C" {

const char* intsam_version(void) {
  return INTSAM_STRING(INTSAM_VERSION_MAJOR) "." INTSAM_STRING(INTSAM_VERSION_MINOR) "." INTSAM_STRING(
      INTSAM_VERSION_PATCH);
}

const char* intsam_isa_name(int32_t index) {
  const auto built = intsam::internal::BuiltKernels();
  return index < 0 || static_cast<size_t>(index) >= built.size() ? nullptr : built[static_cast<size_t>(index)]->name;
}

int32_t intsam_isa_supported(const char* name) {
  return name != nullptr && intsam::internal::CpuSupports(name) ? 1 : 0;
}

intsam_status intsam_model_open(const char* path, intsam_model** model, char* error, size_t error_size) {
  return OpenModel(
      "path", path, [&] { return Model::Open(path); }, model, error, error_size);
}

intsam_status intsam_model_open_memory(const void* data, size_t size, intsam_model** model, char* error,
                                       size_t error_size) {
  return OpenModel(
      "data", data,
      [&] {
        return Model::OpenMemory({static_cast<const uint8_t*>(data), size});
      },
      model, error, error_size);
}

void intsam_model_close(intsam_model* model) { delete model; }

intsam_status intsam_model_verify(const intsam_model* model, char* error, size_t error_size) {
  return Report(Guarded([&] {
                  return model == nullptr ? Error(Code::kUsage, "model: is NULL")
                                          : intsam::internal::VerifyChecksum(model->model->bytes);
                }),
                error, error_size);
}

void intsam_model_get_info(const intsam_model* model, intsam_model_info* info) {
  if (model == nullptr || info == nullptr) return;
  const intsam::internal::SamConfig& c = model->model->config();
  const intsam::internal::Unit& logit = model->model->weights().mask_decoder.logit_unit;
  const intsam::internal::Unit& feature = model->model->weights().mask_decoder.key_unit;
  GiveStruct(info, [&](intsam_model_info& all) {
    all.image_size = static_cast<int32_t>(c.image_size);
    all.num_masks = static_cast<int32_t>(c.num_masks());
    all.low_res_size = static_cast<int32_t>(c.low_res());
    all.logit_mantissa = logit.mantissa;
    all.logit_shift = logit.shift;
    all.file_bytes = model->model->bytes.size();
    all.provenance = model->model->opened.provenance.data();
    all.provenance_size = model->model->opened.provenance.size();
    all.embedding_size = static_cast<int32_t>(c.grid());
    all.embedding_channels = static_cast<int32_t>(c.prompt_embed_dim);
    all.embedding_mantissa = feature.mantissa;
    all.embedding_shift = feature.shift;
    all.has_encoder = model->model->has_encoder() ? 1 : 0;
  });
}

}  // extern "C"
