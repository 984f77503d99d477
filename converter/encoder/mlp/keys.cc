#include "converter/checkpoint/spec_list.h"
#include "converter/encoder/mlp/mlp.h"

namespace intsam::internal {

void AddKeys(const MlpBlock& mlp, const std::string& path, SpecList& list) {
  const std::string lin1 = path + "." + mlp.names->lin1, lin2 = path + "." + mlp.names->lin2;
  list.Norm(path + "." + mlp.names->norm, mlp.width());
  list.Linear(lin1, mlp.hidden(), mlp.width());
  list.Linear(lin2, mlp.width(), mlp.hidden());
}

}  // namespace intsam::internal
