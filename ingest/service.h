// Ingest as a whole, from its routes down to its ports: what a main (or a test) puts on adapters.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "ingest/kafka_log.h"
#include "ingest/random_ids.h"
#include "ingest/routes.h"
#include "platform/http/server.h"

namespace thumb::ingest {

struct ServiceOptions {
  http::ServerOptions server;
  std::int32_t partitions = 0;  // of every event topic
  std::uint64_t max_pixels = 50'000'000;
  std::size_t workers = 16;
  std::size_t queue_per_worker = 64;             // uploads that wait for a worker; past it 503
  std::chrono::milliseconds ask_timeout{1'000};  // one question to Kafka on behalf of a lookup
  std::chrono::milliseconds stop_grace{4'000};   // for requests in hand
};

// What lies outside. All of it outlives the service.
struct ServicePorts {
  BlobStore& blobs;
  kafka::Admin& admin;
  kafka::PartitionReader& lag_reader;  // for the service alone
  kafka::Producer& producer;
  ViewReader& view;
  const TopicNames& names;
  Log& log;
};

// Owns its threads. Members go in the reverse order: the server before what its handlers use.
class Service {
 public:
  Service(const ServiceOptions& options, const ServicePorts& ports);

  // Binds and serves. Errors: those of http::Server::start().
  [[nodiscard]] Result<void> start();
  // REQUIRES: started.
  [[nodiscard]] std::uint16_t port() const { return server_->port(); }

  // Stops accepting and lets requests in hand finish, for stop_grace and a second at most. False if
  // some still wait (for Kafka): their clients were cut off, but their callbacks use this object,
  // so that it must not be destroyed.
  [[nodiscard]] bool stop();

 private:
  const ServiceOptions options_;
  Log& log_;
  SystemClock clock_;
  Metrics metrics_;
  InFlight in_flight_;
  RandomIds ids_;
  KafkaLogEnds ends_;
  KafkaEventLog events_;
  WorkerPool workers_;
  Freshness freshness_;
  ImageLookup lookup_;
  AcceptFlow flow_;
  UploadContext uploads_;
  StatusRoutes status_;
  HistoryRoutes history_;
  ViewLag lag_;
  StatsRoutes stats_;
  DownloadRoutes downloads_;
  CommandRoutes commands_;
  ChangeHub hub_;
  EventRoutes event_routes_;
  Health health_;
  http::Router router_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace thumb::ingest
