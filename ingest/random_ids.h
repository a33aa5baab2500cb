// IdSource on the kernel's random numbers.
#pragma once

#include "ingest/ports.h"
#include "platform/clock.h"

namespace thumb::ingest {

// Thread-safe. UUIDv7 by `clock`, which outlives it.
class RandomIds final : public IdSource {
 public:
  explicit RandomIds(const Clock& clock) : clock_(clock) {}

  [[nodiscard]] ImageId new_image_id() override;
  [[nodiscard]] RequestId new_request_id() override;
  [[nodiscard]] std::string traceparent(std::optional<std::string_view> incoming) override;

 private:
  const Clock& clock_;
};

}  // namespace thumb::ingest
