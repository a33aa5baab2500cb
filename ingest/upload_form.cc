// A form of images as the body.
#include <atomic>
#include <mutex>

#include "ingest/answers.h"
#include "ingest/form_parts.h"
#include "ingest/json_writer.h"
#include "ingest/resource_json.h"
#include "ingest/uploads.h"
#include "platform/http/problem.h"

namespace thumb::ingest {

namespace {

// Collects the outcome of every part; answers when the walk is over and the last one is known.
class FormAnswer {
 public:
  explicit FormAnswer(http::Responder responder) : responder_(std::move(responder)) {}

  std::size_t expect_one() {
    const std::lock_guard lock(mutex_);
    outcomes_.emplace_back();
    return outcomes_.size() - 1;
  }

  void set(std::size_t index, Result<AcceptedImage> outcome) {
    {
      const std::lock_guard lock(mutex_);
      outcomes_[index] = std::move(outcome);
      if (++known_ < outcomes_.size() || !walked_) return;
    }
    send();
  }

  void walk_is_over() {
    {
      const std::lock_guard lock(mutex_);
      walked_ = true;
      if (known_ < outcomes_.size()) return;
    }
    send();
  }

  // The whole form.
  void refuse(const Error& error) {
    responder_.send(extended(http::problem(error), R"({"images":[]})"));
  }

 private:
  // Nobody writes the outcomes any more.
  void send() {
    std::string body;
    std::string positions;
    const Error* first_problem = nullptr;
    JsonWriter json(body);
    json.begin_object().key("images").begin_array();
    for (const auto& outcome : outcomes_) {
      if (*outcome) {
        const auto& image = **outcome;
        append_resource(body, image.row, image.position.partition);
        positions += (positions.empty() ? "" : ", ") + to_string(image.position);
      } else {
        const auto& error = outcome->error();
        if (first_problem == nullptr) first_problem = &error;
        json.raw(http::problem_json(http::status_of(error.kind), error.code, error.message));
      }
    }
    json.end_array().end_object();
    if (positions.empty()) return responder_.send(extended(http::problem(*first_problem), body));
    auto answer = json_answer(202, std::move(body));
    answer.set("Position", positions);
    responder_.send(std::move(answer));
  }

  std::mutex mutex_;
  http::Responder responder_;
  std::vector<std::optional<Result<AcceptedImage>>> outcomes_;
  std::size_t known_ = 0;
  bool walked_ = false;
};

class FormUpload final : public http::BodyReceiver {
 public:
  FormUpload(UploadContext& context, std::unique_ptr<BlobWriter> spool)
      : context_(context), spool_(std::move(spool)) {}

  Result<void> write(ByteView bytes) override { return spool_->write(bytes); }

  void complete(http::Request request, http::Responder responder) override {
    auto form = std::make_shared<Form>();
    form->spool = std::move(spool_);
    form->content_type = request.header("Content-Type").value_or("");
    form->traceparent = context_.ids.traceparent(request.header("traceparent"));
    form->answer = std::make_shared<FormAnswer>(std::move(responder));
    auto& context = context_;
    WorkerPool::Job job = [&context, form] { take_apart(context, *form); };
    if (context_.workers.try_submit(job)) return;
    form->spool.reset();
    form->answer->refuse(workers_busy());
  }

 private:
  struct Form {
    std::unique_ptr<BlobWriter> spool;
    std::string content_type;
    std::string traceparent;
    std::shared_ptr<FormAnswer> answer;
  };

  static void take_apart(UploadContext& context, Form& form) {
    const auto body = form.spool->contents();
    const auto checked =
        body ? check_form(*body, form.content_type, context.multipart) : Failure(body.error());
    if (!checked) {
      form.spool.reset();
      return form.answer->refuse(checked.error());
    }
    const auto accept_one = [&](Result<StagedFile> file) {
      const auto index = form.answer->expect_one();
      if (!file) return form.answer->set(index, Failure(file.error()));
      context.flow.accept(std::move(*file), form.traceparent,
                          [answer = form.answer, index](Result<AcceptedImage> image) {
                            answer->set(index, std::move(image));
                          });
    };
    const auto walked =
        stage_form(*body, form.content_type, context.multipart, context.blobs, accept_one);
    if (!walked) form.answer->set(form.answer->expect_one(), Failure(walked.error()));
    form.spool.reset();
    form.answer->walk_is_over();
  }

  UploadContext& context_;
  std::unique_ptr<BlobWriter> spool_;
};

}  // namespace

Result<std::unique_ptr<http::BodyReceiver>> open_form_upload(UploadContext& context,
                                                             const http::Request&) {
  auto spool = context.blobs.create();
  if (!spool) return Failure(spool.error());
  return std::make_unique<FormUpload>(context, std::move(*spool));
}

}  // namespace thumb::ingest
