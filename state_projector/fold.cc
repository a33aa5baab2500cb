// Each rule is one of three joins: keep the lowest, keep the earliest, keep the highest.
#include "state_projector/fold.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace thumb {
namespace {

// A row that holds nothing but this part: how two parts with one offset are told apart.
template <typename Part>
ImageRow with(std::optional<Part> ImageRow::*slot, const Part& part) {
  ImageRow row;
  row.*slot = part;
  return row;
}

template <typename Part>
ImageRow with(std::optional<Part> RequestRow::*slot, const Part& part) {
  ImageRow row;
  row.requests.emplace_back().*slot = part;
  return row;
}

ImageRow alone(const ImageRow::Upload& part) { return with(&ImageRow::upload, part); }
ImageRow alone(const ImageRow::Private& part) { return with(&ImageRow::personal, part); }
ImageRow alone(const ImageRow::Deletion& part) { return with(&ImageRow::deleted, part); }
ImageRow alone(const RequestRow::Asked& part) { return with(&RequestRow::asked, part); }
ImageRow alone(const RequestRow::Completed& part) { return with(&RequestRow::completed, part); }
ImageRow alone(const RequestRow::Failed& part) { return with(&RequestRow::failed, part); }

template <typename Part>
bool precedes(const Part& a, const Part& b) {
  if (a.offset != b.offset) return a.offset < b.offset;
  return !(a == b) && encode_row(alone(a)) < encode_row(alone(b));
}

template <typename Part>
void keep_lowest(std::optional<Part>& kept, Part seen) {
  if (!kept || precedes(seen, *kept)) kept = std::move(seen);
}

template <typename Part>
void keep_highest(std::optional<Part>& kept, Part seen) {
  if (!kept || precedes(*kept, seen)) kept = std::move(seen);
}

bool stands_before(const RequestRow& a, const RequestRow& b) {
  const auto rank = [](const RequestRow& r) {
    return std::tuple(!r.asked.has_value(), r.asked ? r.asked->offset : 0, r.id);
  };
  return rank(a) < rank(b);
}

RequestRow& request_of(ImageRow& row, const RequestId& id) {
  const auto found = std::ranges::find(row.requests, id, &RequestRow::id);
  if (found != row.requests.end()) return *found;
  RequestRow request;
  request.id = id;
  const auto place = std::ranges::upper_bound(row.requests, request, stands_before);
  return *row.requests.insert(place, std::move(request));
}

void ask(ImageRow& row, const EventBase& event, const RecordPlace& place) {
  keep_lowest(request_of(row, event.request_id).asked,
              RequestRow::Asked{place.position.offset, place.at, event.actor});
  std::ranges::sort(row.requests, stands_before);
}

class Folder {
 public:
  Folder(ImageRow& row, const RecordPlace& place) : row_(row), place_(place) {}

  void operator()(const ImageUploaded& event) const {
    keep_lowest(row_.upload, ImageRow::Upload{offset(), place_.at, event.tenant, event.original,
                                              event.size, event.variants, event.private_offset});
    ask(row_, event, place_);
  }
  void operator()(const ThumbnailRequested& event) const { ask(row_, event, place_); }
  void operator()(const ImageDeleted& event) const {
    auto deleted = std::move(row_.deleted);
    keep_lowest(deleted, ImageRow::Deletion{offset(), place_.at, event.tenant, event.actor});
    row_ = empty_row(row_.id);
    row_.deleted = std::move(deleted);
  }
  void operator()(const ThumbnailStarted& event) const {
    auto& started = request_of(row_, event.request_id).started_at;
    started = started ? std::min(*started, place_.at) : place_.at;
  }
  void operator()(const ThumbnailCompleted& event) const {
    keep_lowest(request_of(row_, event.request_id).completed,
                RequestRow::Completed{offset(), place_.at, event.original_size, event.variants});
  }
  void operator()(const ThumbnailFailed& event) const {
    keep_lowest(request_of(row_, event.request_id).failed,
                RequestRow::Failed{offset(), place_.at, event.code, event.message});
  }
  void operator()(const ImagePrivate& event) const {
    keep_highest(row_.personal, ImageRow::Private{offset(), event.filename});
  }
  void operator()(const ImagePrivateErased& /*event*/) const {
    keep_highest(row_.personal, ImageRow::Private{offset(), {}});
  }

 private:
  [[nodiscard]] std::int64_t offset() const { return place_.position.offset; }

  ImageRow& row_;
  const RecordPlace& place_;
};

}  // namespace

ImageRow empty_row(const ImageId& id) {
  ImageRow row;
  row.id = id;
  return row;
}

void fold(ImageRow& row, const Event& event, const RecordPlace& place) {
  if (row.deleted && !std::holds_alternative<ImageDeleted>(event)) return;
  std::visit(Folder(row, place), event);
}

}  // namespace thumb
