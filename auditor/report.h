// The outcome of an audit for people, and as one JSON object for programs.
#pragma once

#include <string>

#include "auditor/audit.h"

namespace thumb::auditor {

// Counts, then the first twenty findings of each kind, then a line that says it all.
[[nodiscard]] std::string report_text(const AuditResult& result);

// {"ok", "counts": {...}, "kinds": {"<kind>": total}, "findings": [{"kind", "severity", "image_id",
// "request_id", "topic", "partition", "offset", "detail"}]}; of one kind at most a thousand
// findings. `ok` is true if there is no error; warnings leave it true.
[[nodiscard]] std::string report_json(const AuditResult& result);

[[nodiscard]] bool is_ok(const AuditResult& result);

}  // namespace thumb::auditor
