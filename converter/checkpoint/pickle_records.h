// What the arguments of the known names must look like. Pure questions about a document; the machine asks them before
// it makes a record, so that readers of a record need not check it again.
#ifndef INTSAM_CONVERTER_CHECKPOINT_PICKLE_RECORDS_H_
#define INTSAM_CONVERTER_CHECKPOINT_PICKLE_RECORDS_H_

#include "converter/checkpoint/pickle.h"

namespace intsam::internal {

// ("storage", storage type, key, device, count >= 0)
bool IsStorageArguments(const PickleDocument& document, PickleDocument::Id id);

// (storage, offset, sizes, strides, flag, no hooks) with numbers from 0 on and as many sizes as strides
bool IsTensorArguments(const PickleDocument& document, PickleDocument::Id id);

// (tensor, flag, no hooks)
bool IsParameterArguments(const PickleDocument& document, PickleDocument::Id id);

// {"_metadata": a dict}: all that state_dict() attaches to its OrderedDict
bool IsStateDictAttributes(const PickleDocument& document, PickleDocument::Id id);

}  // namespace intsam::internal

#endif  // INTSAM_CONVERTER_CHECKPOINT_PICKLE_RECORDS_H_
