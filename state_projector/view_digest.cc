// SHA-256 over (id, length, canonical row) of every row that has a canonical form, in id order.
#include "state_projector/view_digest.h"

#include <algorithm>
#include <span>
#include <utility>

#include "kafka/partitioner.h"
#include "platform/digest.h"
#include "platform/text.h"
#include "state_projector/view_keys.h"
#include "state_projector/view_queries.h"

namespace thumb {

Result<ViewDigest> digest_of(const KeyValueReader& view) {
  const auto meta = read_meta(view);
  if (!meta) return Failure(meta.error());
  auto positions = read_positions(view);
  if (!positions) return Failure(std::move(positions.error()));

  const auto partitions = std::max(meta->partitions, 1);
  std::vector<Sha256> hashes(static_cast<std::size_t>(partitions));
  auto visited = for_each_row(view, [&](ImageRow&& row) {
    const auto id = row.id;
    const auto canonical = canonical_row(std::move(row));
    if (canonical.empty()) return true;
    const auto partition = kafka::partition_for(id.str(), partitions);
    auto& hash = hashes[static_cast<std::size_t>(partition)];
    hash.update(std::as_bytes(std::span(id.bytes)));
    hash.update(as_bytes(view_keys::encode_number(static_cast<std::int64_t>(canonical.size()))));
    hash.update(as_bytes(canonical));
    return true;
  });
  if (!visited) return Failure(std::move(visited.error()));

  ViewDigest digest{std::move(*positions), {}, {}};
  Sha256 total;
  for (auto& hash : hashes) {
    const auto sum = hash.finish();
    total.update(sum);
    digest.partitions.push_back(to_hex(sum));
  }
  digest.sha256 = to_hex(total.finish());
  return digest;
}

}  // namespace thumb
