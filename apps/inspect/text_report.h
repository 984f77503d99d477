// A report for people: the same data that --json prints.
#ifndef INTSAM_APPS_INSPECT_TEXT_REPORT_H_
#define INTSAM_APPS_INSPECT_TEXT_REPORT_H_

#include <nlohmann/json.hpp>
#include <string>

namespace intsam::internal {

// A heading per section. An object of scalars becomes lines of name and value, an array of such objects a table, the
// section "key_histograms" two pictures, "summary" a sentence, and anything else indented JSON. Nothing that steers a
// terminal comes out, whatever the strings hold.
std::string TextReport(const nlohmann::ordered_json& sections);

}  // namespace intsam::internal

#endif  // INTSAM_APPS_INSPECT_TEXT_REPORT_H_
