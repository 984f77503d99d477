// The lines of all photos, with their classes before them, become the files of DOTA's Task1: one for each class.
#ifndef INTSAM_APPS_BATCH_ORIENTED_FILES_H_
#define INTSAM_APPS_BATCH_ORIENTED_FILES_H_

#include <cstdint>
#include <map>
#include <string>

#include "runtime/base/status.h"

namespace intsam::internal {

// What the file of a class is called between "Task1_" and ".txt": its name, with '_' for all but letters, digits, '.',
// '_' and '-', or its id where it has no name. kUsage when two classes would have one file.
Result<std::map<int64_t, std::string>> ClassFileNames(const std::map<int64_t, std::string>& classes);

// Reads `lines`, "ID<tab>LINE" each, and writes FOLDER/Task1_NAMEsuffix.txt for each class that is in it or has a name,
// one after the other.
Status WriteOrientedFiles(const std::string& lines, const std::string& folder, const std::string& suffix,
                          const std::map<int64_t, std::string>& classes);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_BATCH_ORIENTED_FILES_H_
