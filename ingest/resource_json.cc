// Field by field, in the order of the documentation.
#include "ingest/resource_json.h"

#include "ingest/json_writer.h"

namespace thumb::ingest {

namespace {

constexpr std::size_t kTypicalBytes = 1200;  // one allocation for a usual answer

void write_size(JsonWriter& json, PixelSize size) {
  json.begin_object().field("width", size.width).field("height", size.height).end_object();
}

// What is shown of the original once it was decoded is its size as people see it, turned upright.
void write_sizes(JsonWriter& json, const ImageRow& row, const RequestRow* completed) {
  json.key("size").begin_object().key("original");
  write_size(json, completed != nullptr ? completed->completed->original_size : row.upload->size);
  json.key("thumbnail");
  if (completed != nullptr && !completed->completed->variants.empty()) {
    write_size(json, completed->completed->variants.front().size);
  } else {
    json.null();
  }
  json.end_object();
}

void write_variants(JsonWriter& json, const std::string& path, const RequestRow* completed) {
  json.key("variants").begin_array();
  if (completed != nullptr) {
    for (const auto& variant : completed->completed->variants) {
      json.begin_object()
          .field("name", variant.name)
          .field("width", variant.size.width)
          .field("height", variant.size.height)
          .field("content_type", variant.blob.content_type)
          .field("bytes", variant.blob.bytes)
          .field("sha256", variant.blob.sha256)
          .field("href", path + "/thumbnails/" + variant.name)
          .end_object();
    }
  }
  json.end_array();
}

void write_error(JsonWriter& json, const RequestRow* newest) {
  if (newest == nullptr || newest->state() != ImageState::kFailed) return;
  json.key("error")
      .begin_object()
      .field("code", newest->failed->code)
      .field("message", newest->failed->message)
      .end_object();
}

void write_links(JsonWriter& json, const std::string& path) {
  json.key("links")
      .begin_object()
      .field("self", path)
      .field("thumbnail", path + "/thumbnail")
      .field("original", path + "/original")
      .end_object();
}

void write_deleted(JsonWriter& json, const ImageRow& row) {
  json.begin_object()
      .field("id", row.id.str())
      .field("state", to_string(ImageState::kDeleted))
      .field("deleted_at", to_rfc3339(row.deleted->at))
      .field("by", row.deleted->by)
      .end_object();
}

void write_present(JsonWriter& json, const ImageRow& row, std::int32_t partition) {
  const auto& upload = *row.upload;
  const auto* newest = row.newest();
  const auto* completed = row.newest_completed();
  const auto path = image_path(row.id);
  json.begin_object().field("id", row.id.str()).key("filename");
  if (row.personal && !row.personal->filename.empty()) {
    json.string(row.personal->filename);
  } else {
    json.null();
  }
  json.field("content_type", upload.original.content_type)
      .field("bytes", upload.original.bytes)
      .field("sha256", upload.original.sha256)
      .field("state", to_string(row.state()))
      .field("generation", row.generation());
  write_sizes(json, row, completed);
  write_variants(json, path, completed);
  write_error(json, newest);
  const auto offset = newest != nullptr && newest->asked ? newest->asked->offset : upload.offset;
  json.field("created_at", to_rfc3339(upload.at))
      .field("updated_at", to_rfc3339(row.updated_at()))
      .field("position", to_string(LogPosition{partition, offset}));
  write_links(json, path);
  json.end_object();
}

}  // namespace

std::string image_path(const ImageId& id) { return "/v1/images/" + id.str(); }

void append_resource(std::string& out, const ImageRow& row, std::int32_t partition) {
  JsonWriter json(out);
  if (row.deleted) {
    write_deleted(json, row);
  } else {
    write_present(json, row, partition);
  }
}

std::string resource_json(const ImageRow& row, std::int32_t partition) {
  std::string out;
  out.reserve(kTypicalBytes);
  append_resource(out, row, partition);
  return out;
}

std::string deleted_json(const ImageRow& row) {
  std::string out;
  JsonWriter json(out);
  write_deleted(json, row);
  return out;
}

}  // namespace thumb::ingest
