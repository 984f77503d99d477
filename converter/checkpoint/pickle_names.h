// The names that a pickle may mention. None of them is ever called: they only tell which record REDUCE builds, and
// which element type a storage has. Extending this list needs a reason, a check of the arguments in pickle.cc, and
// bad-file tests.
#ifndef INTSAM_CONVERTER_CHECKPOINT_PICKLE_NAMES_H_
#define INTSAM_CONVERTER_CHECKPOINT_PICKLE_NAMES_H_

#include "converter/checkpoint/pickle.h"

namespace intsam::internal {

struct KnownName {
  const char* module;
  const char* name;
  PickleGlobal global;
  DType dtype;  // of storage types
};

inline constexpr KnownName kKnownNames[] = {
    {"collections", "OrderedDict", PickleGlobal::kOrderedDict, DType::kF32},
    {"torch._utils", "_rebuild_tensor_v2", PickleGlobal::kRebuildTensor, DType::kF32},
    {"torch._utils", "_rebuild_parameter", PickleGlobal::kRebuildParameter, DType::kF32},
    {"torch", "FloatStorage", PickleGlobal::kStorageType, DType::kF32},
    {"torch", "HalfStorage", PickleGlobal::kStorageType, DType::kF16},
    {"torch", "BFloat16Storage", PickleGlobal::kStorageType, DType::kBF16},
    {"torch", "DoubleStorage", PickleGlobal::kStorageType, DType::kF64},
    {"torch", "CharStorage", PickleGlobal::kStorageType, DType::kI8},
    {"torch", "ByteStorage", PickleGlobal::kStorageType, DType::kU8},
    {"torch", "ShortStorage", PickleGlobal::kStorageType, DType::kI16},
    {"torch", "IntStorage", PickleGlobal::kStorageType, DType::kI32},
    {"torch", "LongStorage", PickleGlobal::kStorageType, DType::kI64},
    {"torch", "BoolStorage", PickleGlobal::kStorageType, DType::kBool},
};

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_CHECKPOINT_PICKLE_NAMES_H_
