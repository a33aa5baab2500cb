// Guarantees 1 and 6 on the real thing.
#include "service_fixture.h"

#include <set>

#include "schemas/codec.h"
#include "tests/integration/kafka/mock_cluster.h"

namespace thumb::ingest {
namespace {

using nlohmann::json;

constexpr auto kNobodysId = "0198c5b2-7e1a-7abc-8def-0123456789ab";

TEST_F(ServiceTest, EveryAcceptedImageIsOnTheLogWithItsBytesInTheStore) {
  const auto instance = start_instance();
  std::set<std::string> accepted;
  std::mutex mutex;
  {
    std::vector<std::jthread> clients;
    for (int client = 0; client < 4; ++client) {
      clients.emplace_back([&] {
        for (int i = 0; i < 10; ++i) {
          const auto id = id_of(post(*instance, sample("baseline.jpg")));
          const std::lock_guard lock(mutex);
          accepted.insert(id);
        }
      });
    }
  }
  const auto store = FsBlobStore::open_root(dir_.path() / "blobs").value();
  std::set<std::string> on_log;
  for (std::int32_t partition = 0; partition < kPartitions; ++partition) {
    for (const auto& record : read_all(names_.of(Topic::kImageRequests), partition)) {
      const auto event = decode(record);
      ASSERT_TRUE(event) << event.error().message;
      const auto& upload = std::get<ImageUploaded>(event->event);
      on_log.insert(upload.image_id.str());
      const auto blob = store->open(upload.original.key);
      ASSERT_TRUE(blob) << upload.original.key;
      EXPECT_EQ(thumb::read_all(**blob, 1U << 20U).value(), sample("baseline.jpg"));
    }
  }
  EXPECT_EQ(accepted.size(), 40U);
  EXPECT_EQ(on_log, accepted);
}

// librdkafka never leaves a fatal error again: the producer is replaced beneath the running
// service.
TEST_F(ServiceTest, AFatalErrorOfTheProducerIs503AndThen202Again) {
  kafka::MockCluster mock;
  mock.make_topic(names_.of(Topic::kImageRequests), kPartitions);
  mock.make_topic(names_.of(Topic::kImagePrivate), kPartitions);
  const Instance instance(dir_.path(), names_, mock.config(), cluster(), log_);
  const auto upload = [&instance] { return post(instance, sample("baseline.jpg")); };
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(upload().status, 202);
    mock.fail_next(kafka::Api::kProduce, {RD_KAFKA_RESP_ERR_INVALID_MSG});
    const auto refused = upload();
    EXPECT_EQ(refused.status, 503) << refused.body;
    EXPECT_GT(std::stoi("0" + refused.header("retry-after")), 0);
    EXPECT_EQ(json::parse(refused.body).value("code", ""), "not-known-to-be-accepted");
    EXPECT_TRUE(kafka::eventually([&] {
      const auto status = upload().status;
      EXPECT_TRUE(status == 202 || status == 503) << status;
      return status == 202;
    }));
  }
}

TEST_F(ServiceTest, ReadsItsWritesOnAnyInstance) {
  const auto projector = start_projector();
  const auto one = start_instance();
  const auto other = start_instance();
  // Until there is a view, unknown is unknown.
  ASSERT_TRUE(kafka::eventually([&] { return get(*one, "/readyz").status == 200; }));
  ASSERT_TRUE(kafka::eventually([&] { return get(*other, "/readyz").status == 200; }));
  for (int i = 0; i < 30; ++i) {
    const auto path = "/v1/images/" + id_of(post(*one, sample("rgb.png")));
    EXPECT_EQ(get(*other, path).status, 200) << path;
    EXPECT_EQ(get(*one, path).status, 200) << path;
  }
  EXPECT_EQ(get(*one, std::string("/v1/images/") + kNobodysId).status, 404);
}

TEST_F(ServiceTest, TheNameComesWithTheRow) {
  const auto projector = start_projector();
  const auto instance = start_instance();
  ASSERT_TRUE(kafka::eventually([&] { return get(*instance, "/readyz").status == 200; }));
  for (int i = 0; i < 10; ++i) {
    const auto name = "photo " + std::to_string(i) + ".png";
    const auto body = "--X\r\nContent-Disposition: form-data; name=\"f\"; filename=\"" + name +
                      "\"\r\n\r\n" + sample("rgb.png") + "\r\n--X--\r\n";
    const auto answer = post(*instance, body, "Content-Type: multipart/form-data; boundary=X\r\n");
    ASSERT_EQ(answer.status, 202) << answer.body;
    const auto id = json::parse(answer.body)["images"][0]["id"].get<std::string>();
    const auto image = get(*instance, "/v1/images/" + id);
    ASSERT_EQ(image.status, 200) << image.body;
    EXPECT_EQ(json::parse(image.body)["filename"], name);
  }
}

TEST_F(ServiceTest, ADeletionIsSeenAtOnceHereAndByPositionElsewhere) {
  const auto projector = start_projector();
  const auto one = start_instance();
  const auto other = start_instance();
  for (const auto* instance : {&one, &other}) {
    ASSERT_TRUE(kafka::eventually([&] { return get(**instance, "/readyz").status == 200; }));
  }
  for (int i = 0; i < 10; ++i) {
    const auto path = "/v1/images/" + id_of(post(*one, sample("rgb.png")));
    const auto deleted =
        exchange(*one, "DELETE " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    ASSERT_EQ(deleted.status, 200) << deleted.body;
    EXPECT_EQ(get(*one, path).status, 410);
    const auto position = deleted.headers.at("position");
    EXPECT_EQ(get(*other, path, "Min-Position: " + position + "\r\n").status, 410);
  }
}

TEST_F(ServiceTest, WithoutAViewNothingIsSaidToBeAbsent) {
  const auto instance = start_instance();
  EXPECT_EQ(get(*instance, "/readyz").status, 503);
  const auto path = "/v1/images/" + id_of(post(*instance, sample("rgb.png")));
  const auto answer = get(*instance, path);
  EXPECT_EQ(answer.status, 503) << answer.body;
  EXPECT_TRUE(answer.headers.contains("retry-after"));
  const auto projector = start_projector();
  EXPECT_TRUE(kafka::eventually([&] { return get(*instance, path).status == 200; }));
}

TEST_F(ServiceTest, WithKafkaAwayKnownImagesAnswerAndUnknownOnesAreUnknown) {
  const auto projector = start_projector();
  std::string path;
  {
    const auto instance = start_instance();
    ASSERT_TRUE(kafka::eventually([&] { return get(*instance, "/readyz").status == 200; }));
    path = "/v1/images/" + id_of(post(*instance, sample("rgb.png")));
    ASSERT_EQ(get(*instance, path).status, 200);
  }
  auto nobody = cluster();
  nobody.bootstrap = kafka::kNobody;
  Instance away(dir_.path(), names_, nobody, nobody, log_, std::chrono::milliseconds(500));
  EXPECT_TRUE(kafka::eventually([&] { return get(away, path).status == 200; }));
  EXPECT_EQ(get(away, path + "/original").body, sample("rgb.png"));
  const auto unknown = get(away, std::string("/v1/images/") + kNobodysId);
  EXPECT_EQ(unknown.status, 503) << unknown.body;
  EXPECT_TRUE(unknown.headers.contains("retry-after"));
  const auto refused = post(away, sample("rgb.png"));
  EXPECT_EQ(refused.status, 503) << refused.body;
  EXPECT_EQ(json::parse(refused.body)["code"], "not-known-to-be-accepted");
  EXPECT_TRUE(refused.headers.contains("retry-after"));
  EXPECT_EQ(get(away, "/readyz").status, 503);
}

}  // namespace
}  // namespace thumb::ingest
