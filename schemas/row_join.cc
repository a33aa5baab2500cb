// Each rule is one of three joins: keep the lowest, keep the earliest, keep the highest.
#include "schemas/row_join.h"

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
void keep_lowest(std::optional<Part>& kept, std::optional<Part> seen) {
  if (seen && (!kept || precedes(*seen, *kept))) kept = std::move(seen);
}

template <typename Part>
void keep_highest(std::optional<Part>& kept, std::optional<Part> seen) {
  if (seen && (!kept || precedes(*kept, *seen))) kept = std::move(seen);
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

void join_request(ImageRow& row, RequestRow part) {
  RequestRow& request = request_of(row, part.id);
  keep_lowest(request.asked, std::move(part.asked));
  keep_lowest(request.completed, std::move(part.completed));
  keep_lowest(request.failed, std::move(part.failed));
  if (part.started_at) {
    request.started_at = std::min(request.started_at.value_or(*part.started_at), *part.started_at);
  }
}

}  // namespace

void join(ImageRow& row, ImageRow part) {
  if (part.deleted) {
    keep_lowest(part.deleted, std::move(row.deleted));
    row = ImageRow();
    row.id = part.id;
    row.deleted = std::move(part.deleted);
  }
  if (row.deleted) return;
  keep_lowest(row.upload, std::move(part.upload));
  keep_highest(row.personal, std::move(part.personal));
  for (auto& request : part.requests) join_request(row, std::move(request));
  if (!part.requests.empty()) std::ranges::sort(row.requests, stands_before);
}

}  // namespace thumb
