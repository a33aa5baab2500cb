// The stored form of a row, byte by byte as docs/view_format.md describes it. Compact, since the
// view holds millions; deterministic, since the digest is taken over it; the decoder takes any
// bytes.
#include <algorithm>
#include <utility>

#include "platform/text.h"
#include "schemas/blob_keys.h"
#include "schemas/row_form.h"

namespace thumb {
namespace {

using namespace row_form;  // NOLINT(google-build-using-namespace): the bits, by their own names

constexpr std::uint8_t bit(bool present, std::uint8_t mask) {
  return present ? mask : std::uint8_t{0};
}

std::string blob_folder(const ImageId& id) { return image_blob_prefix(id) + "/"; }

void write_size(ByteWriter& out, PixelSize size) {
  out.number(size.width);
  out.number(size.height);
}

PixelSize read_size(ByteReader& in) {
  const auto width = in.small_number();
  return {width, in.small_number()};
}

std::optional<std::string> raw_digest(const std::string& hex) {
  const auto upper = [](char c) { return c >= 'A' && c <= 'F'; };  // stays as it is
  if (hex.size() != 2 * kDigestBytes || std::ranges::any_of(hex, upper)) return std::nullopt;
  return from_hex(hex);
}

void write_blob(ByteWriter& out, const ImageId& id, const BlobRef& blob) {
  const auto folder = blob_folder(id);
  const auto digest = raw_digest(blob.sha256);
  std::string_view name = blob.key;
  const bool in_folder = name.starts_with(folder);
  if (in_folder) name.remove_prefix(folder.size());
  const bool ends_in_digest = !blob.sha256.empty() && name.ends_with(blob.sha256);
  if (ends_in_digest) name.remove_suffix(blob.sha256.size());

  out.byte(static_cast<std::uint8_t>(bit(digest.has_value(), kRawDigest) |
                                     bit(in_folder, kUsualFolder) |
                                     bit(ends_in_digest, kUsualEnding)));
  digest ? out.raw(*digest) : out.text(blob.sha256);
  out.text(name);
  out.number(blob.bytes);
  out.text(blob.content_type);
}

BlobRef read_blob(ByteReader& in, const ImageId& id) {
  BlobRef blob;
  const auto bits = in.bits(kBlobBits);
  blob.sha256 = (bits & kRawDigest) != 0 ? to_hex(as_bytes(in.raw(kDigestBytes))) : in.text();
  if ((bits & kUsualFolder) != 0) blob.key = blob_folder(id);
  blob.key += in.text();
  if ((bits & kUsualEnding) != 0) blob.key += blob.sha256;
  blob.bytes = in.number();
  blob.content_type = in.text();
  return blob;
}

void write_spec(ByteWriter& out, const VariantSpec& spec) {
  out.text(spec.name);
  write_size(out, {spec.width, spec.height});
  out.byte(static_cast<std::uint8_t>(spec.fit));
}

VariantSpec read_spec(ByteReader& in) {
  VariantSpec spec;
  spec.name = in.text();
  const auto box = read_size(in);
  spec.width = box.width;
  spec.height = box.height;
  if (in.byte() != static_cast<std::uint8_t>(Fit::kInside)) in.fail();
  return spec;
}

void write_upload(ByteWriter& out, const ImageId& id, const ImageRow::Upload& upload) {
  out.integer(upload.offset);
  out.time(upload.at);
  out.text(upload.tenant);
  write_blob(out, id, upload.original);
  write_size(out, upload.size);
  out.number(upload.variants.size());
  for (const auto& spec : upload.variants) write_spec(out, spec);
  if (upload.private_offset) out.integer(*upload.private_offset);
}

ImageRow::Upload read_upload(ByteReader& in, const ImageId& id, bool has_private_offset) {
  ImageRow::Upload upload;
  upload.offset = in.integer();
  upload.at = in.time();
  upload.tenant = in.text();
  upload.original = read_blob(in, id);
  upload.size = read_size(in);
  upload.variants = in.list([&in] { return read_spec(in); });
  if (has_private_offset) upload.private_offset = in.integer();
  return upload;
}

void write_variant(ByteWriter& out, const ImageId& id, const Variant& variant) {
  out.text(variant.name);
  write_blob(out, id, variant.blob);
  write_size(out, variant.size);
}

Variant read_variant(ByteReader& in, const ImageId& id) {
  Variant variant;
  variant.name = in.text();
  variant.blob = read_blob(in, id);
  variant.size = read_size(in);
  return variant;
}

void write_request(ByteWriter& out, const ImageId& image, const RequestRow& request) {
  const bool usual_id = request.id == upload_request_id(image);
  out.byte(static_cast<std::uint8_t>(
      bit(request.asked.has_value(), kHasAsked) | bit(request.started_at.has_value(), kHasStarted) |
      bit(request.completed.has_value(), kHasCompleted) |
      bit(request.failed.has_value(), kHasFailed) | bit(usual_id, kIdOfImage)));
  if (!usual_id) out.uuid(request.id.bytes);
  if (request.asked) {
    out.integer(request.asked->offset);
    out.time(request.asked->at);
    out.text(request.asked->actor);
  }
  if (request.started_at) out.time(*request.started_at);
  if (request.completed) {
    out.integer(request.completed->offset);
    out.time(request.completed->at);
    write_size(out, request.completed->original_size);
    out.number(request.completed->variants.size());
    for (const auto& variant : request.completed->variants) write_variant(out, image, variant);
  }
  if (request.failed) {
    out.integer(request.failed->offset);
    out.time(request.failed->at);
    out.text(request.failed->code);
    out.text(request.failed->message);
  }
}

RequestRow::Asked read_asked(ByteReader& in) {
  RequestRow::Asked asked;
  asked.offset = in.integer();
  asked.at = in.time();
  asked.actor = in.text();
  return asked;
}

RequestRow::Completed read_completed(ByteReader& in, const ImageId& image) {
  RequestRow::Completed completed;
  completed.offset = in.integer();
  completed.at = in.time();
  completed.original_size = read_size(in);
  completed.variants = in.list([&in, &image] { return read_variant(in, image); });
  return completed;
}

RequestRow::Failed read_failed(ByteReader& in) {
  RequestRow::Failed failed;
  failed.offset = in.integer();
  failed.at = in.time();
  failed.code = in.text();
  failed.message = in.text();
  return failed;
}

RequestRow read_request(ByteReader& in, const ImageId& image) {
  RequestRow request;
  const auto bits = in.bits(kRequestBits);
  request.id = (bits & kIdOfImage) != 0 ? upload_request_id(image) : RequestId{in.uuid()};
  if ((bits & kHasAsked) != 0) request.asked = read_asked(in);
  if ((bits & kHasStarted) != 0) request.started_at = in.time();
  if ((bits & kHasCompleted) != 0) request.completed = read_completed(in, image);
  if ((bits & kHasFailed) != 0) request.failed = read_failed(in);
  return request;
}

void write_deletion(ByteWriter& out, const ImageRow::Deletion& deletion) {
  out.integer(deletion.offset);
  out.time(deletion.at);
  out.text(deletion.tenant);
  out.text(deletion.by);
}

ImageRow::Deletion read_deletion(ByteReader& in) {
  ImageRow::Deletion deletion;
  deletion.offset = in.integer();
  deletion.at = in.time();
  deletion.tenant = in.text();
  deletion.by = in.text();
  return deletion;
}

ImageRow::Private read_personal(ByteReader& in) {
  ImageRow::Private personal;
  personal.offset = in.integer();
  personal.filename = in.text();
  return personal;
}

ImageRow read_row(ByteReader& in, const ImageId& id) {
  ImageRow row;
  row.id = id;
  const auto bits = in.bits(kRowBits);
  if ((bits & kHasDeletion) != 0) row.deleted = read_deletion(in);
  if ((bits & kHasUpload) != 0) {
    row.upload = read_upload(in, id, (bits & kHasPrivateOffset) != 0);
  } else if ((bits & kHasPrivateOffset) != 0) {
    in.fail();
  }
  if ((bits & kHasPersonal) != 0) row.personal = read_personal(in);
  row.requests = in.list([&in, &id] { return read_request(in, id); });
  return row;
}

}  // namespace

std::string encode_row(const ImageRow& row) {
  ByteWriter out;
  out.byte(kRowVersion);
  out.byte(static_cast<std::uint8_t>(
      bit(row.upload.has_value(), kHasUpload) | bit(row.personal.has_value(), kHasPersonal) |
      bit(row.deleted.has_value(), kHasDeletion) |
      bit(row.upload && row.upload->private_offset, kHasPrivateOffset)));
  if (row.deleted) write_deletion(out, *row.deleted);
  if (row.upload) write_upload(out, row.id, *row.upload);
  if (row.personal) {
    out.integer(row.personal->offset);
    out.text(row.personal->filename);
  }
  out.number(row.requests.size());
  for (const auto& request : row.requests) write_request(out, row.id, request);
  return out.take();
}

Result<ByteReader> row_form::begin_row(std::string_view bytes) {
  ByteReader in(bytes);
  if (const auto version = in.byte(); !in.ok() || version != kRowVersion) {
    return fail(ErrorKind::kCorrupt, "row-version", "the row is of another version",
                "version byte " + std::to_string(version));
  }
  return in;
}

Failure row_form::damaged_row(const ImageId& id) {
  return fail(ErrorKind::kCorrupt, "corrupt-row", "the stored row is damaged", "image " + id.str());
}

Result<ImageRow> decode_row(const ImageId& id, std::string_view bytes) {
  auto in = begin_row(bytes);
  if (!in) return Failure(std::move(in.error()));
  auto row = read_row(*in, id);
  if (!in->ok() || !in->at_end()) return damaged_row(id);
  return row;
}

}  // namespace thumb
