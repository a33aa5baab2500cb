#include "state_projector/view_routes.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "platform/http/problem.h"
#include "platform/text.h"
#include "state_projector/view_wire.h"

namespace thumb {
namespace {

using http::Request;
using http::Responder;
using http::Response;

constexpr std::uint64_t kMaxWaitMs = 30'000;
constexpr std::uint64_t kMaxChanges = 10'000;

Response bytes(std::string body) {
  Response response;
  response.set("Content-Type", "application/octet-stream").set("Cache-Control", "no-store");
  response.body = std::move(body);
  return response;
}

Response nothing() {
  Response response;
  response.status = 204;
  response.set("Cache-Control", "no-store");
  return response;
}

template <typename T, typename Encode>
Response answer(const Result<T>& result, const Encode& encode) {
  return result ? bytes(encode(*result)) : http::problem(result.error());
}

Response bad_request(std::string_view name) {
  return http::problem(400, "bad-parameter",
                       std::string(name) + " is missing or not what it must be.");
}

std::optional<ImageId> id_of(const Request& request) {
  const auto param = request.params.find("id");
  if (param == request.params.end()) return std::nullopt;
  const auto id = ImageId::parse(param->second);
  return id ? std::optional(*id) : std::nullopt;
}

std::optional<std::uint64_t> number_of(const Request& request, std::string_view name) {
  const auto value = request.query_value(name);
  return value ? parse_u64(*value) : std::nullopt;
}

Response row(ViewReader& view, const Request& request) {
  const auto id = id_of(request);
  if (!id) return bad_request("id");
  const auto found = view.get(*id);
  if (!found) return http::problem(found.error());
  return *found ? bytes(encode_row(**found)) : nothing();
}

Response list(ViewReader& view, const Request& request) {
  ListQuery query;
  if (const auto state = request.query_value("state")) {
    query.state = parse_image_state(*state);
    if (!query.state) return bad_request("state");
  }
  const auto limit = number_of(request, "limit");
  if (!limit) return bad_request("limit");
  query.limit = *limit;
  query.cursor = std::string(request.query_value("cursor").value_or(""));
  return answer(view.list(query), view_wire::encode_list);
}

Response history(ViewReader& view, const Request& request) {
  const auto id = id_of(request);
  if (!id) return bad_request("id");
  return answer(view.history(*id), view_wire::encode_history_list);
}

Response changes(ViewReader& view, const Request& request) {
  const auto after = number_of(request, "after");
  const auto limit = number_of(request, "limit");
  if (!after) return bad_request("after");
  if (!limit) return bad_request("limit");
  return answer(view.changes(*after, std::min(*limit, kMaxChanges)), view_wire::encode_changes);
}

std::optional<view_wire::Wait> wait_of(const Request& request) {
  const auto topic = number_of(request, "topic");
  const auto partition = number_of(request, "partition");
  const auto offset = number_of(request, "offset");
  const auto limit_ms = number_of(request, "limit_ms");
  if (!topic || *topic > 255 || !partition || *partition > 1'000'000 || !offset || *offset == 0 ||
      !limit_ms) {
    return std::nullopt;
  }
  return view_wire::Wait{{static_cast<Topic>(*topic), static_cast<std::int32_t>(*partition)},
                         static_cast<std::int64_t>(*offset),
                         std::chrono::milliseconds(std::min(*limit_ms, kMaxWaitMs))};
}

void wait(ViewReader& view, const Request& request, Responder responder) {
  const auto asked = wait_of(request);
  if (!asked) return responder.send(bad_request("topic, partition, offset or limit_ms"));
  const auto deadline = std::chrono::steady_clock::now() + asked->limit;
  const auto shared = std::make_shared<Responder>(std::move(responder));
  // Reached or not: whoever asked reads where the view stands.
  const auto done = [&view, shared](bool) {
    shared->send(answer(view.stats(), view_wire::encode_stats));
  };
  if (asked->partition == kFeedPlace) {
    view.wait_for_change(static_cast<std::uint64_t>(asked->next_offset - 1), deadline, done);
  } else {
    view.wait_for(asked->partition.topic, asked->partition.partition, asked->next_offset, deadline,
                  done);
  }
}

}  // namespace

void add_view_routes(http::Router& router, ViewReader& view) {
  const auto on = [&](std::string_view path, Response (*handle)(ViewReader&, const Request&)) {
    router.add(http::Method::kGet, std::string(view_wire::kPrefix) + std::string(path),
               [&view, handle](const Request& request, Responder responder) {
                 responder.send(handle(view, request));
               });
  };
  on("/rows", list);
  on("/rows/{id}", row);
  on("/rows/{id}/history", history);
  on("/changes", changes);
  on("/stats", [](ViewReader& reader, const Request&) {
    return answer(reader.stats(), view_wire::encode_stats);
  });
  router.add(http::Method::kGet, std::string(view_wire::kPrefix) + "/wait",
             [&view](const Request& request, Responder responder) {
               wait(view, request, std::move(responder));
             });
}

}  // namespace thumb
