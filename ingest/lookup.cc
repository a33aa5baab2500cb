// Min-Position first, then the row, then (on a miss) the log's end, then the row again, then the
// personal record: every position is read before the row it vouches for.
#include "ingest/lookup.h"

#include <limits>

#include "kafka/partitioner.h"

namespace thumb::ingest {

namespace {

Failure behind_min_position() {
  return fail_transient(ErrorKind::kUnavailable, "view-behind",
                        "The state has not reached Min-Position yet; try again shortly.");
}

Failure no_such_partition() {
  return fail(ErrorKind::kInvalid, "bad-min-position",
              "Min-Position names a partition that does not exist.");
}

// The offset after a record's, which a view that holds the record has reached.
std::int64_t after(std::int64_t offset) {
  return offset == std::numeric_limits<std::int64_t>::max() ? offset : offset + 1;
}

}  // namespace

struct ImageLookup::Search {
  ImageId id;
  std::int32_t partition = 0;
  Done done;
};

ImageLookup::ImageLookup(ViewReader& view, Freshness& freshness, std::int32_t partitions,
                         const LookupOptions& options)
    : view_(view), freshness_(freshness), partitions_(partitions), options_(options) {}

std::int32_t ImageLookup::partition_of(const ImageId& id) const {
  return kafka::partition_for(id.str(), partitions_);
}

bool ImageLookup::lacks_personal(const ImageRow& row) const {
  if (row.deleted || !row.upload || !row.upload->private_offset) return false;
  return !row.personal || row.personal->offset < *row.upload->private_offset;
}

void ImageLookup::find(const ImageQuery& query, Done done) {
  Found found;
  if (query.min_positions.empty()) {
    found = view_.get(query.id);
    const bool final = !found || (*found && !lacks_personal(**found));
    if (final) return done(std::move(found));
  }
  auto search = std::make_shared<Search>();
  search->id = query.id;
  search->partition = partition_of(query.id);
  search->done = std::move(done);
  if (query.min_positions.empty()) return dig(search, std::move(found));
  std::vector<LogPosition> ours;  // other partitions' positions say nothing about this image
  for (const auto& position : query.min_positions) {
    if (position.partition >= partitions_) return search->done(no_such_partition());
    if (position.partition == search->partition) ours.push_back(position);
  }
  await_positions(ours, [this, search](const Result<void>& reached) {
    if (!reached) return search->done(Failure(reached.error()));
    dig(search, view_.get(search->id));
  });
}

void ImageLookup::dig(const std::shared_ptr<Search>& search, Found found) {
  if (!found || *found) return answer(search, std::move(found));
  freshness_.await(search->partition, [this, search](const Result<void>& fresh) {
    if (!fresh) return search->done(Failure(fresh.error()));
    answer(search, view_.get(search->id));
  });
}

void ImageLookup::answer(const std::shared_ptr<Search>& search, Found found) {
  if (!found || !*found || !lacks_personal(**found)) return search->done(std::move(found));
  view_.wait_for(Topic::kImagePrivate, search->partition, after(*(*found)->upload->private_offset),
                 std::chrono::steady_clock::now() + options_.personal_timeout,
                 [this, search](bool) { search->done(view_.get(search->id)); });
}

void ImageLookup::await_positions(std::span<const LogPosition> positions,
                                  std::function<void(Result<void>)> done) {
  auto rest = std::make_shared<std::vector<LogPosition>>(positions.begin(), positions.end());
  await_next(std::move(rest), std::chrono::steady_clock::now() + options_.min_position_timeout,
             std::move(done));
}

void ImageLookup::await_next(std::shared_ptr<std::vector<LogPosition>> rest, Deadline deadline,
                             std::function<void(Result<void>)> done) {
  if (rest->empty()) return done({});
  const auto next = rest->back();
  rest->pop_back();
  if (next.partition >= partitions_) {
    return done(no_such_partition());
  }
  view_.wait_for(Topic::kImageRequests, next.partition, after(next.offset), deadline,
                 [this, rest, deadline, done = std::move(done)](bool reached) mutable {
                   if (!reached) return done(behind_min_position());
                   await_next(std::move(rest), deadline, std::move(done));
                 });
}

}  // namespace thumb::ingest
