// getrandom(2): a system call per id, and no generator state to share or to seed.
#include "ingest/random_ids.h"

#include <sys/random.h>

#include <array>
#include <cstdlib>

#include "schemas/trace.h"

namespace thumb::ingest {

namespace {

template <std::size_t N>
std::array<std::uint8_t, N> random_bytes() {
  static_assert(N <= 256, "getrandom() gives up to 256 bytes in one piece (getrandom(2))");
  std::array<std::uint8_t, N> bytes{};
  // Fails only on a kernel without the call: without random numbers no id may be given out.
  if (::getrandom(bytes.data(), N, 0) != static_cast<ssize_t>(N)) std::abort();
  return bytes;
}

}  // namespace

ImageId RandomIds::new_image_id() { return {make_uuid_v7(clock_.now(), random_bytes<10>())}; }

RequestId RandomIds::new_request_id() { return {make_uuid_v7(clock_.now(), random_bytes<10>())}; }

std::string RandomIds::traceparent(std::optional<std::string_view> incoming) {
  if (incoming) {
    if (const auto parent = valid_traceparent(*incoming)) {
      return child_traceparent(*parent, random_bytes<8>());
    }
  }
  return new_traceparent(random_bytes<24>());
}

}  // namespace thumb::ingest
