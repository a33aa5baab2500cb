#include "auditor/audit.h"

#include <condition_variable>
#include <mutex>

#include "kafka/topic_provisioner.h"
#include "platform/on_threads.h"

namespace thumb::auditor {
namespace {

using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

constexpr milliseconds kPauseBetweenLooks{200};

// Sleeps, unless told to stop.
void pause(milliseconds length, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, stop, length, [] { return false; });
}

// Reads to the end of the log; with a wait, until no request is open or the wait is over.
Result<void> read_until_settled(LogScan& scan, AuditBook& book, milliseconds wait,
                                const std::stop_token& stop) {
  const auto deadline = Steady::now() + wait;
  for (;;) {
    book.next_round();
    if (auto read = scan.read_on(book, stop); !read) return read;
    if (book.open() == 0 || Steady::now() >= deadline) break;
    pause(kPauseBetweenLooks, stop);
    if (stop.stop_requested()) return told_to_stop();
  }
  if (!book.unsettled()) return {};
  book.next_round();
  return scan.read_on(book, stop);
}

}  // namespace

Result<AuditResult> audit(const AuditPorts& ports, const TopicNames& names,
                          const AuditOptions& options, const std::stop_token& stop) {
  std::vector<std::string> topics;
  for (const auto topic : kAllTopics) topics.push_back(names.of(topic));
  const auto partitions = kafka::require_topics(ports.admin, topics, options.scan.ask_timeout);
  if (!partitions) return Failure(partitions.error());

  AuditBook book(names, *partitions);
  LogScan scan(ports.admin, ports.reader, names, *partitions, options.scan);
  if (auto read = read_until_settled(scan, book, options.wait, stop); !read) {
    return Failure(read.error());
  }
  BlobReport blobs;
  if (options.blobs != BlobMode::kNone) {
    auto checked = check_blobs(*ports.blobs, options.blobs, book.blobs(), book.requests(),
                               ports.clock.now() - options.grace, stop);
    if (!checked) return Failure(checked.error());
    blobs = std::move(*checked);
  }
  if (!blobs.findings.empty()) {
    book.next_round();
    if (auto read = scan.read_on(book, stop); !read) return Failure(read.error());
  }
  AuditResult result;
  result.findings = book.conclude(ports.clock.now(), options.grace);
  for (auto& [image, finding] : blobs.findings) {
    const bool gone_meanwhile =
        finding.kind != Kind::kDeletedBlobLeft && book.requests().image(image).deleted();
    if (!gone_meanwhile) result.findings.add(std::move(finding));
  }
  result.counts = book.counts();
  result.blobs = blobs.counts;
  return result;
}

}  // namespace thumb::auditor
