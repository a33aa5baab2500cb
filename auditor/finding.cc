#include "auditor/finding.h"

#include <utility>

namespace thumb::auditor {
namespace {

struct Facts {
  std::string_view name;
  Severity severity;
};

// In the order of Kind.
constexpr std::array<Facts, kKinds> kFacts = {{
    {"not-ended", Severity::kError},
    {"ended-twice", Severity::kError},
    {"request-ended-again", Severity::kError},
    {"repeat-ended", Severity::kError},
    {"end-without-request", Severity::kError},
    {"end-of-another-request", Severity::kError},
    {"end-in-other-partition", Severity::kError},
    {"out-of-order", Severity::kError},
    {"completed-after-delete", Severity::kError},
    {"not-dead-lettered", Severity::kError},
    {"dead-letter-without-origin", Severity::kError},
    {"dead-letter-differs", Severity::kError},
    {"redrive-without-dead-letter", Severity::kError},
    {"redriven-twice", Severity::kError},
    {"unreadable", Severity::kError},
    {"wrong-partition", Severity::kError},
    {"wrong-event-id", Severity::kError},
    {"request-id-reused", Severity::kError},
    {"blob-missing", Severity::kError},
    {"blob-differs", Severity::kError},
    {"blob-misnamed", Severity::kError},
    {"deleted-blob-left", Severity::kError},
    {"start-without-request", Severity::kWarning},
    {"readable-dead-letter", Severity::kWarning},
    {"late-repeat", Severity::kWarning},
    {"history-cut", Severity::kWarning},
}};

const Facts& facts_of(Kind kind) { return kFacts.at(static_cast<std::size_t>(kind)); }

}  // namespace

std::string_view name_of(Kind kind) { return facts_of(kind).name; }

Severity severity_of(Kind kind) { return facts_of(kind).severity; }

std::string_view to_string(Severity severity) {
  return severity == Severity::kError ? "error" : "warning";
}

void Findings::add(Finding finding) {
  if (++counts_[index(finding.kind)] <= kKeptPerKind) kept_.push_back(std::move(finding));
}

std::size_t Findings::count(Severity severity) const {
  std::size_t sum = 0;
  for (std::size_t kind = 0; kind < kKinds; ++kind) {
    if (kFacts.at(kind).severity == severity) sum += counts_.at(kind);
  }
  return sum;
}

}  // namespace thumb::auditor
