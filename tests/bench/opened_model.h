// A converted model that can be run without a file.
#ifndef INTSAM_TESTS_BENCH_OPENED_MODEL_H_
#define INTSAM_TESTS_BENCH_OPENED_MODEL_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "converter/pack/isam_writer.h"
#include "runtime/exec/session.h"

namespace intsam::internal::testing {

struct OpenedModel {
  std::vector<uint8_t> storage;
  std::span<const uint8_t> bytes;  // the file in memory, aligned as a mapping would be
  std::unique_ptr<Model> model;
  std::unique_ptr<Session> session;

  Status Open(IntegerModel& quantized, const std::string& provenance) {
    INTSAM_ASSIGN(const std::vector<uint8_t> file, ModelBytes(quantized, provenance));
    storage.resize(file.size() + limits::kAlignment);
    const size_t offset = -reinterpret_cast<uintptr_t>(storage.data()) % limits::kAlignment;
    std::copy(file.begin(), file.end(), storage.begin() + static_cast<std::ptrdiff_t>(offset));
    bytes = std::span<const uint8_t>(storage).subspan(offset, file.size());
    INTSAM_ASSIGN(model, Model::OpenMemory(bytes));
    INTSAM_ASSIGN(session, Session::Create(*model, {}));
    return Status();
  }
};

}  // namespace intsam::internal::testing

#endif  // INTSAM_TESTS_BENCH_OPENED_MODEL_H_
