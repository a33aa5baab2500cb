// One image as the body.
#include <algorithm>

#include "ingest/answers.h"
#include "ingest/parameters.h"
#include "ingest/resource_json.h"
#include "ingest/uploads.h"
#include "platform/http/problem.h"
#include "schemas/image_format.h"

namespace thumb::ingest {

namespace {

constexpr std::size_t kMagicBytes = 12;  // enough for each format

bool has_media_type(const http::Request& request, std::string_view wanted) {
  const auto value = request.header("Content-Type").value_or("");
  const auto type = value.substr(0, value.find_first_of("; \t"));
  return std::equal(type.begin(), type.end(), wanted.begin(), wanted.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

Error unsupported(const http::Request& request) {
  const bool json = has_media_type(request, "application/json");
  return {.kind = ErrorKind::kUnsupported,
          .retry = Retry::kNever,
          .code = "unsupported-image-type",
          .message = json ? "A JSON body is not taken here: send the bytes of the image, or a "
                            "multipart/form-data form with image files."
                          : "The body is not a JPEG, PNG, GIF or WebP image, nor a "
                            "multipart/form-data form with image files.",
          .detail = {}};
}

http::Response accepted_answer(const AcceptedImage& image) {
  auto answer = json_answer(202, resource_json(image.row, image.position.partition));
  answer.set("Location", image_path(image.row.id)).set("Position", to_string(image.position));
  return answer;
}

class RawUpload final : public http::BodyReceiver {
 public:
  RawUpload(UploadContext& context, FileStager stager)
      : context_(context), stager_(std::move(stager)) {}

  // A body that can't be an image is dropped as it comes, and refused when it is over: so the
  // client, still sending, gets to read the answer, and nothing of it stays on disk.
  Result<void> write(ByteView bytes) override {
    if (!stager_) return {};
    if (head_.size() < kMagicBytes) {
      head_.append(as_text(bytes.first(std::min(bytes.size(), kMagicBytes - head_.size()))));
      if (head_.size() == kMagicBytes && !sniff_image_format(as_bytes(head_))) {
        stager_.reset();
        return {};
      }
    }
    return stager_->write(bytes);
  }

  void complete(http::Request request, http::Responder responder) override {
    if (!stager_) return responder.send(http::problem(unsupported(request)));
    auto work = std::make_shared<Work>(Work{stager_->finish({}),
                                            context_.ids.traceparent(request.header("traceparent")),
                                            std::move(request), std::move(responder)});
    auto& flow = context_.flow;
    WorkerPool::Job job = [&flow, work] {
      flow.accept(std::move(work->file), work->traceparent,
                  [work](const Result<AcceptedImage>& image) { answer(*work, image); });
    };
    if (context_.workers.try_submit(job)) return;
    work->file.blob.reset();
    work->responder.send(http::problem(workers_busy()));
  }

 private:
  struct Work {
    StagedFile file;
    std::string traceparent;
    http::Request request;
    http::Responder responder;
  };

  static void answer(Work& work, const Result<AcceptedImage>& image) {
    if (image) return work.responder.send(accepted_answer(*image));
    // A body shorter than any magic ends up here.
    const bool unknown_type = image.error().kind == ErrorKind::kUnsupported;
    work.responder.send(http::problem(unknown_type ? unsupported(work.request) : image.error()));
  }

  UploadContext& context_;
  std::optional<FileStager> stager_;  // empty: the body is no image
  std::string head_;
};

}  // namespace

Result<std::unique_ptr<http::BodyReceiver>> open_upload(UploadContext& context,
                                                        const http::Request& request) {
  if (auto ok = check_parameters(request, {}); !ok) return Failure(ok.error());
  return has_media_type(request, "multipart/form-data") ? open_form_upload(context, request)
                                                        : open_raw_upload(context, request);
}

Result<std::unique_ptr<http::BodyReceiver>> open_raw_upload(UploadContext& context,
                                                            const http::Request&) {
  auto stager = FileStager::open(context.blobs);
  if (!stager) return Failure(stager.error());
  return std::make_unique<RawUpload>(context, std::move(*stager));
}

}  // namespace thumb::ingest
