// SHA-256 over (id, length, canonical row) of every row that has a canonical form, in id order.
#include "state_projector/view_digest.h"

#include <map>
#include <span>
#include <utility>

#include "platform/digest.h"
#include "platform/text.h"
#include "state_projector/view_keys.h"
#include "state_projector/view_queries.h"

namespace thumb {
namespace {

Result<std::string> canonical_of(const KeyValueReader& view, const ImageId& id) {
  auto row = read_row(view, id);
  if (!row) return Failure(std::move(row.error()));
  return *row ? canonical_row(**row) : std::string();
}

// Appends the images of `view` whose canonical row is another in `other`, of those that `take`
// wants.
Result<void> collect(const KeyValueReader& view, const KeyValueReader& other, std::size_t limit,
                     std::map<ImageId, bool>& found) {
  std::optional<Error> problem;
  std::size_t here = 0;
  auto visited = for_each_row(view, [&](const ImageRow& row) {
    auto there = canonical_of(other, row.id);
    if (!there) {
      problem = std::move(there.error());
      return false;
    }
    if (*there != canonical_row(row)) {
      found[row.id] = true;
      ++here;
    }
    return here < limit;
  });
  if (!visited) return visited;
  if (problem) return Failure(std::move(*problem));
  return {};
}

}  // namespace

Result<ViewDigest> digest_of(const KeyValueReader& view) {
  auto positions = read_positions(view);
  if (!positions) return Failure(std::move(positions.error()));
  Sha256 hash;
  auto visited = for_each_row(view, [&hash](const ImageRow& row) {
    const auto canonical = canonical_row(row);
    if (canonical.empty()) return true;
    hash.update(std::as_bytes(std::span(row.id.bytes)));
    hash.update(as_bytes(view_keys::encode_number(static_cast<std::int64_t>(canonical.size()))));
    hash.update(as_bytes(canonical));
    return true;
  });
  if (!visited) return Failure(std::move(visited.error()));
  return ViewDigest{std::move(*positions), to_hex(hash.finish())};
}

Result<std::vector<std::string>> differing_images(const KeyValueReader& a, const KeyValueReader& b,
                                                  std::size_t limit) {
  std::map<ImageId, bool> found;
  for (const auto& [view, other] : {std::pair(&a, &b), std::pair(&b, &a)}) {
    if (auto collected = collect(*view, *other, limit, found); !collected) {
      return Failure(std::move(collected.error()));
    }
  }
  std::vector<std::string> ids;
  for (const auto& [id, differs] : found) {
    if (ids.size() == limit) break;
    ids.push_back(id.str());
  }
  return ids;
}

}  // namespace thumb
