#include "auditor/report.h"

#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

namespace thumb::auditor {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kShownPerKind = 20;

// Every count with its name, in the order of the report.
std::vector<std::pair<std::string_view, std::size_t>> named_counts(const AuditResult& result) {
  const Counts& c = result.counts;
  return {{"uploads", c.uploads},
          {"requests_again", c.requests},
          {"repeats", c.repeats},
          {"deletions", c.deletions},
          {"unreadable", c.unreadable},
          {"completed", c.completed},
          {"failed", c.failed},
          {"dead_letters", c.dead_letters},
          {"redriven", c.redriven},
          {"open", c.open},
          {"ends_before_log", c.before_log},
          {"images", c.images},
          {"deleted_images", c.deleted_images},
          {"blobs_checked", result.blobs.checked},
          {"blob_bytes_read", result.blobs.bytes_read},
          {"blobs_to_be_removed", result.blobs.waiting}};
}

std::string kind_text(const Findings& findings, Kind kind) {
  const auto total = findings.count(kind);
  if (total == 0) return {};
  std::string text =
      fmt::format("\n{} ({}): {}\n", name_of(kind), to_string(severity_of(kind)), total);
  std::size_t shown = 0;
  for (const auto& finding : findings.kept()) {
    if (finding.kind != kind) continue;
    if (++shown > kShownPerKind) break;
    text +=
        fmt::format("  {} {}{}{}: {}\n", role_of(finding.topic).name, to_string(finding.position),
                    finding.image_id.empty() ? "" : " image ", finding.image_id, finding.detail);
  }
  if (total > kShownPerKind) text += fmt::format("  ... and {} more\n", total - kShownPerKind);
  return text;
}

}  // namespace

bool is_ok(const AuditResult& result) { return result.findings.count(Severity::kError) == 0; }

std::string report_text(const AuditResult& result) {
  std::string text = "records\n";
  for (const auto topic : kAllTopics) {
    text += fmt::format("  {:<22}{:>10}\n", role_of(topic).name,
                        result.counts.records.at(static_cast<std::size_t>(topic)));
  }
  text += "of these\n";
  for (const auto& [name, count] : named_counts(result)) {
    text += fmt::format("  {:<22}{:>10}\n", name, count);
  }
  for (std::size_t kind = 0; kind < kKinds; ++kind) {
    text += kind_text(result.findings, static_cast<Kind>(kind));
  }
  const auto errors = result.findings.count(Severity::kError);
  const auto warnings = result.findings.count(Severity::kWarning);
  fmt::format_to(std::back_inserter(text), "\n{}: {} error{}, {} warning{}, {} open\n",
                 is_ok(result) ? "clean" : "BROKEN", errors, errors == 1 ? "" : "s", warnings,
                 warnings == 1 ? "" : "s", result.counts.open);
  return text;
}

std::string report_json(const AuditResult& result) {
  ordered_json counts = ordered_json::object();
  for (const auto topic : kAllTopics) {
    counts["records"][std::string(role_of(topic).name)] =
        result.counts.records.at(static_cast<std::size_t>(topic));
  }
  for (const auto& [name, count] : named_counts(result)) counts[std::string(name)] = count;

  ordered_json kinds = ordered_json::object();
  for (std::size_t kind = 0; kind < kKinds; ++kind) {
    const auto total = result.findings.count(static_cast<Kind>(kind));
    if (total > 0) kinds[std::string(name_of(static_cast<Kind>(kind)))] = total;
  }
  ordered_json findings = ordered_json::array();
  for (const auto& finding : result.findings.kept()) {
    findings.push_back({{"kind", name_of(finding.kind)},
                        {"severity", to_string(severity_of(finding.kind))},
                        {"image_id", finding.image_id},
                        {"request_id", finding.request_id},
                        {"topic", role_of(finding.topic).name},
                        {"partition", finding.position.partition},
                        {"offset", finding.position.offset},
                        {"detail", finding.detail}});
  }
  const ordered_json whole = {{"ok", is_ok(result)},
                              {"counts", std::move(counts)},
                              {"kinds", std::move(kinds)},
                              {"findings", std::move(findings)}};
  // Keys of foreign records may hold any bytes.
  return whole.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace thumb::auditor
