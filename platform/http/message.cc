#include "platform/http/message.h"

#include <algorithm>

#include "platform/http/ascii.h"
#include "platform/http/problem.h"

namespace thumb::http {

std::optional<std::string_view> Request::header(std::string_view name) const {
  const auto found = std::find_if(headers.begin(), headers.end(), [&](const HeaderField& field) {
    return iequals(field.name, name);
  });
  if (found == headers.end()) return std::nullopt;
  return found->value;
}

std::optional<std::string_view> Request::query_value(std::string_view name) const {
  const auto found = std::find_if(query.begin(), query.end(),
                                  [&](const auto& field) { return field.first == name; });
  if (found == query.end()) return std::nullopt;
  return found->second;
}

Responder::~Responder() {
  if (channel_) {
    channel_->send(problem(500, "no-answer", "The server could not finish this request."));
  }
}

void Responder::send(Response response) {
  const std::shared_ptr<Channel> channel = std::move(channel_);
  channel->send(std::move(response));
}

}  // namespace thumb::http
