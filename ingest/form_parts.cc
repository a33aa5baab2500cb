// See form_parts.h.
#include "ingest/form_parts.h"

#include <fmt/format.h>

#include <algorithm>

#include "ingest/filename.h"
#include "schemas/image_format.h"

namespace thumb::ingest {

namespace {

constexpr std::size_t kMagicBytes = 12;
constexpr std::size_t kShownNameBytes = 60;

class FormCheck final : public http::PartHandler {
 public:
  Result<void> begin_part(http::PartHead head) override {
    head_ = std::move(head);
    magic_.clear();
    ++parts_;
    return {};
  }

  Result<void> part_data(ByteView bytes) override {
    const auto wanted = kMagicBytes - std::min(kMagicBytes, magic_.size());
    magic_.append(as_text(bytes.first(std::min(bytes.size(), wanted))));
    return {};
  }

  Result<void> end_part() override {
    if (head_.filename || sniff_image_format(as_bytes(magic_))) return {};
    const auto name = clean_filename(head_.name).substr(0, kShownNameBytes);
    return fail(ErrorKind::kInvalid, "unknown-field",
                fmt::format("The form field '{}' is not known and holds no image file.", name));
  }

  [[nodiscard]] std::size_t parts() const { return parts_; }

 private:
  http::PartHead head_;
  std::string magic_;
  std::size_t parts_ = 0;
};

class FormStaging final : public http::PartHandler {
 public:
  FormStaging(BlobStore& blobs, const std::function<void(Result<StagedFile>)>& each)
      : blobs_(blobs), each_(each) {}

  Result<void> begin_part(http::PartHead head) override {
    filename_ = clean_filename(head.filename.value_or(""));
    stager_ = FileStager::open(blobs_);
    return {};
  }

  Result<void> part_data(ByteView bytes) override {
    if (!stager_) return {};
    if (auto written = stager_->write(bytes); !written) stager_ = Failure(written.error());
    return {};
  }

  Result<void> end_part() override {
    each_(stager_ ? Result<StagedFile>(stager_->finish(std::move(filename_)))
                  : Failure(stager_.error()));
    return {};
  }

 private:
  BlobStore& blobs_;
  const std::function<void(Result<StagedFile>)>& each_;
  std::string filename_;
  Result<FileStager> stager_ = Failure(Error{});
};

}  // namespace

Result<void> check_form(ByteView body, std::string_view content_type,
                        const http::MultipartLimits& limits) {
  if (body.empty()) return fail(ErrorKind::kInvalid, "empty-body", "The form is empty.");
  FormCheck check;
  if (auto walked = http::read_multipart(body, content_type, check, limits); !walked) return walked;
  if (check.parts() == 0) return fail(ErrorKind::kInvalid, "no-files", "The form holds no file.");
  return {};
}

Result<void> stage_form(ByteView body, std::string_view content_type,
                        const http::MultipartLimits& limits, BlobStore& blobs,
                        const std::function<void(Result<StagedFile>)>& each) {
  FormStaging staging(blobs, each);
  return http::read_multipart(body, content_type, staging, limits);
}

}  // namespace thumb::ingest
