// Cuts a stored row down to what the digest is taken over. The digest goes over every row of a
// view: making a row of the bytes and bytes of the row again took most of its time, and all but
// always one or two fields are left out and the rest is copied as it stands.
#include <utility>

#include "schemas/row.h"
#include "schemas/row_form.h"

namespace thumb {
namespace {

using namespace row_form;  // NOLINT(google-build-using-namespace): the bits, by their own names

class Cutter {
 public:
  Cutter(std::string_view stored, ByteReader in, std::string& out)
      : stored_(stored), in_(in), out_(out) {}

  // False if the bytes are not a row.
  bool cut() {
    const auto begin = out_.size();
    const auto parts_at = begin + here();  // once it is copied
    auto parts = in_.bits(kRowBits);
    if ((parts & kHasDeletion) != 0) skip_deletion();
    if ((parts & kHasUpload) != 0) {
      skip_upload((parts & kHasPrivateOffset) != 0);
    } else if ((parts & kHasPrivateOffset) != 0) {
      in_.fail();
    }
    keep();
    // A tombstone is compacted away in time: then a replay has no trace of the personal part at
    // all.
    if ((parts & kHasPersonal) != 0 && !keep_personal()) {
      parts = static_cast<std::uint8_t>(parts & ~kHasPersonal);
      if (in_.ok()) out_[parts_at] = static_cast<char>(parts);
    }
    const auto requests = cut_requests();
    if (!in_.ok() || !in_.at_end()) return false;
    if (parts == 0 && requests == 0) out_.resize(begin);
    return true;
  }

 private:
  [[nodiscard]] std::size_t here() const { return stored_.size() - in_.rest().size(); }
  // What was read since the last cut stays, or goes.
  void keep() {
    out_.append(stored_.substr(cut_at_, here() - cut_at_));
    drop();
  }
  void drop() { cut_at_ = here(); }

  bool keep_personal() {
    in_.integer();
    const auto size = in_.number();
    in_.raw(size);
    size == 0 ? drop() : keep();
    return size != 0;
  }

  // How many of them remain.
  std::uint64_t cut_requests() {
    const auto count = in_.number();
    const auto count_at = out_.size();
    keep();
    const auto count_bytes = out_.size() - count_at;
    std::uint64_t kept = 0;
    for (auto left = count; left > 0 && in_.ok(); --left) {
      if (cut_request()) ++kept;
    }
    if (kept != count && in_.ok()) {
      ByteWriter number;
      number.number(kept);
      out_.replace(count_at, count_bytes, number.take());
    }
    return kept;
  }

  // Without the hint that it was started; false if it was nothing but that.
  bool cut_request() {
    const auto parts = in_.bits(kRequestBits);
    const bool remains = (parts & (kHasAsked | kHasCompleted | kHasFailed)) != 0;
    drop();
    if (remains) out_.push_back(static_cast<char>(parts & ~kHasStarted));
    if ((parts & kIdOfImage) == 0) in_.raw(UuidBytes{}.size());
    if ((parts & kHasAsked) != 0) skip_asked();
    if (remains) keep();
    if ((parts & kHasStarted) != 0) in_.time();
    drop();
    if ((parts & kHasCompleted) != 0) skip_completed();
    if ((parts & kHasFailed) != 0) skip_failed();
    if (remains) keep();
    return remains;
  }

  void skip_text() { in_.raw(in_.number()); }
  void skip_place() {  // offset and time of an event
    in_.integer();
    in_.time();
  }
  void skip_size() {
    in_.small_number();
    in_.small_number();
  }
  template <typename SkipOne>
  void skip_list(SkipOne skip_one) {
    for (auto left = in_.number(); left > 0 && in_.ok(); --left) skip_one();
  }

  void skip_deletion() {
    skip_place();
    skip_text();  // tenant
    skip_text();  // by
  }
  void skip_upload(bool has_private_offset) {
    skip_place();
    skip_text();  // tenant
    skip_blob();
    skip_size();
    skip_list([this] { skip_spec(); });
    if (has_private_offset) in_.integer();
  }
  void skip_spec() {
    skip_text();  // name
    skip_size();
    if (in_.byte() != static_cast<std::uint8_t>(Fit::kInside)) in_.fail();
  }
  void skip_asked() {
    skip_place();
    skip_text();  // actor
  }
  void skip_completed() {
    skip_place();
    skip_size();
    skip_list([this] {
      skip_text();  // name
      skip_blob();
      skip_size();
    });
  }
  void skip_failed() {
    skip_place();
    skip_text();  // code
    skip_text();  // message
  }
  void skip_blob() {
    const auto bits = in_.bits(kBlobBits);
    in_.raw((bits & kRawDigest) != 0 ? kDigestBytes : in_.number());
    skip_text();  // the part of its name that is spelled out
    in_.number();
    skip_text();  // content type
  }

  const std::string_view stored_;
  ByteReader in_;
  std::string& out_;
  std::size_t cut_at_ = 0;
};

}  // namespace

Result<void> append_canonical_row(const ImageId& id, std::string_view stored, std::string& out) {
  auto in = begin_row(stored);
  if (!in) return Failure(std::move(in.error()));
  return Cutter(stored, *in, out).cut() ? Result<void>() : damaged_row(id);
}

}  // namespace thumb
