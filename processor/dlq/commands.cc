#include "processor/dlq/commands.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "processor/dlq/letter_text.h"

namespace thumb::dlq {
namespace {

Failure no_such_letter(LogPosition position) {
  return fail(ErrorKind::kNotFound, "no-such-dead-letter",
              fmt::format("there is no dead letter {}", to_string(position)));
}

// The newest `limit` of those that are added, in twice their memory.
class Newest {
 public:
  explicit Newest(std::size_t limit) : limit_(limit) {}

  void add(DeadLetter letter) {
    ++seen_;
    letters_.push_back(std::move(letter));
    if (limit_ > 0 && letters_.size() >= 2 * limit_) trim();
  }
  // Oldest first.
  std::vector<DeadLetter> take() {
    trim();
    std::ranges::sort(letters_, {}, order);
    return std::move(letters_);
  }
  [[nodiscard]] std::size_t seen() const { return seen_; }

 private:
  static std::pair<TimeMs, LogPosition> order(const DeadLetter& letter) {
    return {letter.at, letter.position};
  }
  void trim() {
    if (limit_ == 0 || letters_.size() <= limit_) return;
    const auto first_kept = letters_.end() - static_cast<std::ptrdiff_t>(limit_);
    std::ranges::nth_element(letters_, first_kept, {}, order);
    letters_.erase(letters_.begin(), first_kept);
  }

  std::size_t limit_;
  std::size_t seen_ = 0;
  std::vector<DeadLetter> letters_;
};

std::optional<LogPosition> sent_as(const DeadLetterLog::SentAgain& sent, LogPosition letter) {
  const auto found = sent.find(letter);
  return found == sent.end() ? std::nullopt : std::optional(found->second);
}

// A record's value, and where it was found if not in the record.
struct FoundValue {
  std::optional<std::string> value;
  std::string from;
};

// A missing value was missing already, or was left out as too large: the original knows.
Result<FoundValue> value_of(DeadLetterLog& log, const InRecord& record) {
  if (record.value) return FoundValue{record.value, {}};
  const auto origin = origin_of(record.headers);
  if (!origin) return FoundValue{};
  auto original = log.original(*origin);
  if (!original) return Failure(original.error());
  const std::string from = fmt::format("{} {}", origin->topic, to_string(origin->position));
  return FoundValue{std::move(original->value), from};
}

// One run of redrive.
class Redrive {
 public:
  Redrive(DeadLetterLog& log, const TopicNames& names, std::int32_t partitions,
          kafka::Producer* producer, std::ostream& out)
      : log_(log), names_(names), partitions_(partitions), producer_(producer), out_(out) {}

  // Reads the selection twice: who is meant, then, with the values, one after the other.
  Result<void> run(const Selection& selection) {
    std::vector<DeadLetter> letters;
    auto read = log_.read(selection, [&](const InRecord& record) -> Result<void> {
      letters.push_back(dead_letter_of(record));
      last_[record.position.partition] = record.position.offset;
      return {};
    });
    if (!read) return read;
    if (letters.empty() && selection.is_one()) {
      return no_such_letter({*selection.partition, selection.first});
    }
    auto sent = log_.sent_again(letters);
    if (!sent) return Failure(sent.error());
    sent_before_ = std::move(*sent);
    read = log_.read(selection, [this](const InRecord& record) { return handle(record); });
    fmt::print(out_, "{} {}, {} skipped, {} refused\n", sent_,
               producer_ == nullptr ? "to be sent again" : "sent again", skipped_, refused_);
    if (!read || refused_ == 0) return read;
    return fail(ErrorKind::kConflict, "not-all-sent",
                fmt::format("{} dead letters could not be sent again", refused_));
  }

 private:
  Result<void> handle(const InRecord& record) {
    // Written since the first reading: nobody has looked it up.
    const auto last = last_.find(record.position.partition);
    if (last == last_.end() || record.position.offset > last->second) return {};
    if (const auto before = sent_as(sent_before_, record.position)) {
      ++skipped_;
      say(record, "skipped: it was sent again as " + to_string(*before));
      return {};
    }
    const auto origin = origin_of(record.headers);
    if (!origin) return refuse(record, origin.error());
    if (origin->topic != names_.of(Topic::kImageRequests)) {
      return refuse(record,
                    {ErrorKind::kInvalid, Retry::kNever, "", "it is of " + origin->topic, ""});
    }
    auto found = value_of(log_, record);
    if (!found && found.error().kind == ErrorKind::kNotFound) return refuse(record, found.error());
    if (!found) return Failure(found.error());
    return send(record, record_to_send(record, std::move(found->value), names_, partitions_));
  }

  Result<void> send(const InRecord& record, OutRecord again) {
    const auto attempt = redrive_attempt(again.headers);
    if (producer_ == nullptr) {
      ++sent_;
      say(record, fmt::format("would be sent to {}, partition {}, as attempt {}", again.topic,
                              *again.partition, attempt));
      return {};
    }
    const auto written = producer_->produce_and_wait(std::move(again));
    if (!written && written.error().kind == ErrorKind::kTooLarge) {
      return refuse(record, written.error());
    }
    if (!written) {
      say(record, "not known to be sent: " + written.error().message);
      return Failure(written.error());
    }
    ++sent_;
    say(record, fmt::format("sent again as {}, attempt {}", to_string(*written), attempt));
    return {};
  }

  Result<void> refuse(const InRecord& record, const Error& why) {
    ++refused_;
    say(record, "refused: " + why.message);
    return {};
  }

  // At once, so that a run that is cut short has told what it did.
  void say(const InRecord& record, const std::string& what) {
    fmt::print(out_, "{} {}\n", to_string(record.position), what);
    out_.flush();
  }

  DeadLetterLog& log_;
  const TopicNames& names_;
  std::int32_t partitions_;
  kafka::Producer* producer_;
  std::ostream& out_;
  std::map<std::int32_t, std::int64_t> last_;  // offset, by partition
  DeadLetterLog::SentAgain sent_before_;
  std::size_t sent_ = 0;
  std::size_t skipped_ = 0;
  std::size_t refused_ = 0;
};

}  // namespace

Result<void> list(DeadLetterLog& log, const ListOptions& options, std::ostream& out) {
  Newest newest(options.limit);
  Selection selection;
  selection.partition = options.partition;
  auto read = log.read(selection, [&](const InRecord& record) -> Result<void> {
    newest.add(dead_letter_of(record));
    return {};
  });
  if (!read) return read;
  const auto letters = newest.take();
  const auto sent = log.sent_again(letters);
  if (!sent) return Failure(sent.error());
  for (const auto& letter : letters) {
    const auto as = sent_as(*sent, letter.position);
    out << (options.as_json ? list_json(letter, as) : list_line(letter, as)) << '\n';
  }
  if (options.as_json) return {};
  const auto left_out = newest.seen() - letters.size();
  fmt::print(out, "{} dead letters", letters.size());
  if (left_out > 0) fmt::print(out, ", and {} older ones (--limit)", left_out);
  out << '\n';
  return {};
}

Result<void> show(DeadLetterLog& log, LogPosition position, ShowAs as, std::ostream& out) {
  std::optional<InRecord> record;
  const Selection one{position.partition, position.offset, position.offset};
  auto read = log.read(one, [&](const InRecord& found) -> Result<void> {
    record = found;
    return {};
  });
  if (!read) return read;
  if (!record) return no_such_letter(position);
  auto found = value_of(log, *record);
  if (!found && found.error().kind != ErrorKind::kNotFound) return Failure(found.error());
  const FoundValue value = found.value_or(FoundValue());
  switch (as) {
    case ShowAs::kText:
      out << show_text(*record, value.value, value.from);
      break;
    case ShowAs::kJson:
      out << show_json(*record, value.value, value.from) << '\n';
      break;
    case ShowAs::kValueOnly:
      out << value.value.value_or("");
      break;
  }
  return {};
}

Result<void> redrive(DeadLetterLog& log, const Selection& selection, const TopicNames& names,
                     kafka::Producer* producer, std::ostream& out) {
  const auto partitions = log.partitions();
  if (!partitions) return Failure(partitions.error());
  return Redrive(log, names, *partitions, producer, out).run(selection);
}

}  // namespace thumb::dlq
