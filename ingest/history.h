// GET /v1/images/{id}/history: what happened to an image, record by record of the log.
#pragma once

#include "ingest/lookup.h"
#include "platform/http/message.h"
#include "schemas/topology.h"

namespace thumb::ingest {

// Thread-safe. Everything given to the constructor outlives every request.
class HistoryRoutes {
 public:
  HistoryRoutes(ImageLookup& lookup, ViewReader& view, const TopicNames& names)
      : lookup_(lookup), view_(view), names_(names) {}

  // 200 {"id", "events": [{event, state, topic, partition, offset, at, actor, request_id,
  // traceparent, error}]}, in log time; 400, 404, 410, 503 as refusal() says.
  void get(const http::Request& request, http::Responder responder);

 private:
  [[nodiscard]] http::Response answer(const ImageId& id);

  ImageLookup& lookup_;
  ViewReader& view_;
  const TopicNames& names_;
};

}  // namespace thumb::ingest
