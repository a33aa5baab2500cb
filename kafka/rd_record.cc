// Nothing is copied on the way in: a record looks into the message, its headers into the list that
// librdkafka takes out of it.
#include "kafka/rd_record.h"

#include <array>

namespace thumb::kafka {
namespace {

std::string_view text_of(const void* data, std::size_t size) {
  return {static_cast<const char*>(data), data == nullptr ? 0 : size};
}

std::vector<BasicHeader<std::string_view>> headers_of(const rd_kafka_message_t& message) {
  std::vector<BasicHeader<std::string_view>> headers;
  rd_kafka_headers_t* list = nullptr;
  if (rd_kafka_message_headers(&message, &list) != RD_KAFKA_RESP_ERR_NO_ERROR) return headers;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  headers.reserve(rd_kafka_header_cnt(list));
  for (std::size_t i = 0;
       rd_kafka_header_get_all(list, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    headers.push_back({name, text_of(value, size)});
  }
  return headers;
}

RdHeaders to_rd_headers(const std::vector<Header>& headers) {
  RdHeaders list(rd_kafka_headers_new(headers.size()));
  for (const auto& [name, value] : headers) {
    // Fails only for lists that belong to a message already.
    rd_kafka_header_add(list.get(), name.data(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
  }
  return list;
}

// librdkafka takes mutable pointers, and copies (RD_KAFKA_MSG_F_COPY).
rd_kafka_vu_t memory(rd_kafka_vtype_t type, const std::string* text) {
  rd_kafka_vu_t argument{};
  argument.vtype = type;
  argument.u.mem.ptr = text == nullptr ? nullptr : const_cast<char*>(text->data());
  argument.u.mem.size = text == nullptr ? 0 : text->size();
  return argument;
}

}  // namespace

RecordView to_record(const rd_kafka_message_t& message) {
  RecordView record;
  record.topic = rd_kafka_topic_name(message.rkt);
  record.position = {message.partition, message.offset};
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  record.timestamp = time_from_ms(rd_kafka_message_timestamp(&message, &type));
  record.key = text_of(message.key, message.key_len);
  if (message.payload != nullptr) record.value = text_of(message.payload, message.len);
  record.headers = headers_of(message);
  return record;
}

RdError enqueue(rd_kafka_t* client, const OutRecord& record, void* opaque) {
  auto headers = to_rd_headers(record.headers);
  std::array<rd_kafka_vu_t, 7> arguments{};
  arguments[0].vtype = RD_KAFKA_VTYPE_TOPIC;
  arguments[0].u.cstr = record.topic.c_str();
  arguments[1].vtype = RD_KAFKA_VTYPE_PARTITION;
  arguments[1].u.i32 = record.partition.value_or(RD_KAFKA_PARTITION_UA);
  arguments[2] = memory(RD_KAFKA_VTYPE_KEY, &record.key);
  arguments[3] = memory(RD_KAFKA_VTYPE_VALUE, record.value ? &*record.value : nullptr);
  arguments[4].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  arguments[4].u.i = RD_KAFKA_MSG_F_COPY;
  arguments[5].vtype = RD_KAFKA_VTYPE_OPAQUE;
  arguments[5].u.ptr = opaque;
  arguments[6].vtype = RD_KAFKA_VTYPE_HEADERS;
  arguments[6].u.headers = headers.get();
  RdError error(rd_kafka_produceva(client, arguments.data(), arguments.size()));
  if (!error) std::ignore = headers.release();  // the message owns them once it is queued
  return error;
}

}  // namespace thumb::kafka
