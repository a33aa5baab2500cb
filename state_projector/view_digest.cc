// SHA-256 over (id, length, canonical row) of every row that has a canonical form, in id order.
#include "state_projector/view_digest.h"

#include <algorithm>
#include <array>
#include <span>
#include <thread>
#include <utility>

#include "kafka/partitioner.h"
#include "platform/digest.h"
#include "platform/text.h"
#include "state_projector/view_keys.h"
#include "state_projector/view_queries.h"

namespace thumb {
namespace {

// Each goes over all keys and takes the rows of its partitions: cutting and hashing are the work.
constexpr std::size_t kThreads = 2;

void update(Sha256& hash, const ImageId& id, std::string_view canonical) {
  hash.update(std::as_bytes(std::span(id.bytes)));
  hash.update(as_bytes(view_keys::encode_number(static_cast<std::int64_t>(canonical.size()))));
  hash.update(as_bytes(canonical));
}

// Adds the rows of the partitions whose number is `share` modulo kThreads.
Result<void> hash_share(const KeyValueReader& view, std::size_t share,
                        std::vector<Sha256>& hashes) {
  const auto partitions = static_cast<std::int32_t>(hashes.size());
  std::string canonical;
  return for_each_stored_row(view, [&](const ImageId& id, std::string_view stored) -> Result<bool> {
    const auto partition = static_cast<std::size_t>(kafka::partition_for(id.str(), partitions));
    if (partition % kThreads != share) return true;
    canonical.clear();
    if (auto cut = append_canonical_row(id, stored, canonical); !cut) {
      return Failure(std::move(cut.error()));
    }
    if (!canonical.empty()) update(hashes[partition], id, canonical);
    return true;
  });
}

}  // namespace

Result<ViewDigest> digest_of(const KeyValueReader& view) {
  const auto meta = read_meta(view);
  if (!meta) return Failure(meta.error());
  auto positions = read_positions(view);
  if (!positions) return Failure(std::move(positions.error()));

  std::vector<Sha256> hashes(static_cast<std::size_t>(std::max(meta->partitions, 1)));
  std::array<Result<void>, kThreads> outcomes;
  {
    std::vector<std::jthread> threads;
    for (std::size_t share = 0; share < kThreads; ++share) {
      threads.emplace_back([&, share] { outcomes[share] = hash_share(view, share, hashes); });
    }
  }
  for (auto& outcome : outcomes) {
    if (!outcome) return Failure(std::move(outcome.error()));
  }

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
