// GET /v1/images/{id} and GET /v1/images: states as the view has them.
#pragma once

#include "ingest/lookup.h"
#include "platform/http/message.h"

namespace thumb::ingest {

// Thread-safe. Everything given to the constructor outlives every request.
class StatusRoutes {
 public:
  StatusRoutes(ImageLookup& lookup, ViewReader& view) : lookup_(lookup), view_(view) {}

  // 200 with the resource, as of ?at= if that is given (log time, as far as the view has folded);
  // 400, 404, 410, 503 as refusal() says, and 404 "not-there-yet" for a time before the upload.
  void get(const http::Request& request, http::Responder responder);
  // 200 {"images": [...], "next": path or null} with Link rel="next"; 400, 503.
  void list(const http::Request& request, http::Responder responder);

 private:
  [[nodiscard]] http::Response state_as_of(const ImageId& id, TimeMs at);
  [[nodiscard]] http::Response list_page(const ListQuery& query);

  ImageLookup& lookup_;
  ViewReader& view_;
};

}  // namespace thumb::ingest
