// Who listens gets every change once and in order: from now on, from a place in the feed, or anew
// from the current state where the feed can't go on.
#include <gtest/gtest.h>

#include <thread>

#include "stream_listener.h"
#include "tests/support/placed_events.h"
#include "tests/support/rapidcheck_gtest.h"
#include "tests/support/wait_until.h"

namespace thumb::ingest {
namespace {

using namespace thumb::testing::placed;  // NOLINT(google-build-using-namespace)
using test::Harness;
using test::json_of;
using test::parse_stream;
using test::Stream;
using test::StreamEvent;
using thumb::testing::wait_until;

// As image_id(), which has ten.
ImageId many_id(int number) {
  auto id = image_id(1);
  id.bytes[14] = static_cast<std::uint8_t>(number >> 8);
  id.bytes[13] = static_cast<std::uint8_t>(number);
  return id;
}

std::vector<std::string> ids_of(const std::vector<StreamEvent>& events) {
  std::vector<std::string> ids;
  for (const auto& event : events) ids.push_back(event.id);
  return ids;
}

// A view that is told events, and those who listen to it.
class Told {
 public:
  void put(const Event& event) {
    harness_.view.put(event, {harness_.partition_of(image_id_of(event)), offset_},
                      time_from_ms(1'700'000'000'000 + offset_));
    ++offset_;
  }
  http::Response get(const std::string& path, const std::string& last_event_id = {}) {
    if (last_event_id.empty()) return harness_.get(path);
    return harness_.get(path, {{"Last-Event-ID", last_event_id}});
  }
  http::Response all(const std::string& last_event_id = {}) {
    return get("/v1/events", last_event_id);
  }
  http::Response image(int number, const std::string& last_event_id = {}) {
    return get("/v1/images/" + image_id(number).str() + "/events", last_event_id);
  }
  // Once this is told, everything before it was.
  void put_last() { put(uploaded(many_id(kLast))); }

  // A few images, each through several states.
  void put_story(const std::vector<int>& steps) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const auto id = many_id(static_cast<int>(i / 3));
      if (i % 3 == 0) put(uploaded(id));
      if (i % 3 == 1) put(steps[i] < 3 ? Event(completed(id)) : Event(failed(id)));
      if (i % 3 == 2) put(requested(id, 1));
      if (steps[i] == 0) std::this_thread::yield();
    }
    put_last();
  }

  static constexpr int kLast = 999;
  Harness harness_;

 private:
  std::int64_t offset_ = 0;
};

class Events : public Told, public ::testing::Test {};

TEST_F(Events, AFreshListenerGetsWhatHappensFromNowOn) {
  put(uploaded(image_id(1)));
  Stream stream(all());
  put(completed(image_id(1)));
  put(uploaded(image_id(2)));
  const auto events = stream.wait_for(2);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].event, "image");
  EXPECT_EQ(events[0].id, "fake-2");
  EXPECT_EQ(events[0].data,
            (nlohmann::json{{"id", image_id(1).str()},
                            {"state", "completed"},
                            {"generation", 1},
                            {"at", "2023-11-14T22:13:20.001Z"},
                            {"links", {{"self", "/v1/images/" + image_id(1).str()}}}}));
  EXPECT_EQ(events[1].id, "fake-3");
  EXPECT_TRUE(stream.writer().text().starts_with("retry: "));
}

TEST_F(Events, WhoIsCutOffBeforeTheFirstEventHasAPlaceToComeBackTo) {
  put(uploaded(image_id(1)));
  Stream stream(all());
  ASSERT_TRUE(wait_until([&] { return !stream.last_event_id().empty(); }));
  stream.leave();
  put(uploaded(image_id(2)));
  Stream again(all(stream.last_event_id()));
  EXPECT_EQ(ids_of(again.wait_for(1)), std::vector<std::string>{"fake-2"});
}

TEST_F(Events, GoesOnBehindTheLastEventWithoutGapOrRepeat) {
  for (int i = 1; i <= 4; ++i) put(uploaded(image_id(i)));
  Stream stream(all("fake-2"));
  put(uploaded(image_id(5)));
  EXPECT_EQ(ids_of(stream.wait_for(3)), (std::vector<std::string>{"fake-3", "fake-4", "fake-5"}));
}

TEST_F(Events, TheHeaderIsNewerThanTheAddress) {
  for (int i = 1; i <= 3; ++i) put(uploaded(image_id(i)));
  Stream by_query(harness_.call({.path = "/v1/events", .query = {{"last_event_id", "fake-1"}}}));
  EXPECT_EQ(by_query.wait_for(2)[0].id, "fake-2");
  Stream by_both(harness_.call({.path = "/v1/events",
                                .headers = {{"Last-Event-ID", "fake-2"}},
                                .query = {{"last_event_id", "fake-1"}}}));
  EXPECT_EQ(by_both.wait_for(1)[0].id, "fake-3");
}

TEST_F(Events, AnIdThatIsNoneIsRefused) {
  for (const auto* id :
       {"7", "fake", "fake-", "fake-x", "-1", "fa ke-1", "fake-99999999999999999999"}) {
    for (const auto& answer : {all(id), image(1, id)}) {
      EXPECT_EQ(answer.status, 400) << id;
      EXPECT_EQ(json_of(answer)["code"], "bad-last-event-id");
    }
  }
  EXPECT_EQ(harness_.call({.path = "/v1/events", .query = {{"since", "1"}}}).status, 400);
}

TEST_F(Events, APlaceOfAnotherViewIsToldTheStateOnceAndGoesOn) {
  put(uploaded(image_id(1)));
  put(uploaded(image_id(2)));
  put(completed(image_id(2)));
  Stream stream(all("other-7"));
  stream.wait_for(1);
  put(completed(image_id(1)));
  const auto events = stream.wait_for(2);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].event, "resync");
  EXPECT_EQ(events[0].id, "fake-3");
  EXPECT_EQ(events[0].data["view_id"], "fake");
  EXPECT_EQ(events[0].data["images"]["accepted"], 1);
  EXPECT_EQ(events[0].data["images"]["completed"], 1);
  EXPECT_FALSE(events[0].data["position"].get<std::string>().empty());
  EXPECT_EQ(events[1].id, "fake-4");
}

TEST_F(Events, APlaceThatTheFeedHasForgottenIsToldTheState) {
  for (int i = 1; i <= 9; ++i) put(uploaded(image_id(i)));
  harness_.view.forget_changes(5);
  Stream still(all("fake-5"));
  EXPECT_EQ(still.wait_for(4)[0].id, "fake-6");
  Stream gone(all("fake-4"));
  const auto events = gone.wait_for(1);
  EXPECT_EQ(events[0].event, "resync");
  EXPECT_EQ(events[0].id, "fake-9");
}

TEST_F(Events, APlaceAheadOfThisInstanceWaitsForIt) {
  put(uploaded(image_id(1)));
  Stream stream(all("fake-2"));
  put(uploaded(image_id(2)));
  put(uploaded(image_id(3)));
  EXPECT_EQ(ids_of(stream.wait_for(1)), std::vector<std::string>{"fake-3"});
}

TEST_F(Events, APlaceThatTheFeedDoesNotReachIsToldTheState) {
  put(uploaded(image_id(1)));
  put(uploaded(image_id(2)));
  ChangeHub hub(harness_.view, harness_.clock, harness_.metrics,
                {.ahead = std::chrono::milliseconds(10)});
  const auto listen = [&](std::optional<ImageId> image) {
    http::Response response;
    response.set("Content-Type", "text/event-stream").set("Cache-Control", "no-store");
    response.body = http::StreamBody{hub.subscribe({image, 0, {"fake", 50}, false})};
    return std::make_unique<Stream>(response);
  };
  const auto of_all = listen(std::nullopt);
  const auto of_one = listen(image_id(2));
  for (const auto& stream : {of_all.get(), of_one.get()}) {
    const auto told = stream->wait_for(1);
    EXPECT_EQ(told[0].event, "resync");
    EXPECT_EQ(told[0].id, "fake-2");
  }
  put(completed(image_id(2)));
  EXPECT_EQ(of_all->wait_for(2)[1].id, "fake-3");
  EXPECT_EQ(of_one->wait_for(2)[1].id, "fake-3");
}

TEST_F(Events, AnotherViewIsToldToEverybodyOnce) {
  put(uploaded(image_id(1)));
  Stream of_all(all());
  Stream of_one(image(1));
  put(uploaded(image_id(2)));
  of_all.wait_for(1);
  of_one.wait_for(1);
  harness_.view.swap_view("rebuilt");
  of_all.wait_for(2);
  of_one.wait_for(2);
  put(completed(image_id(1)));
  const auto events = of_all.wait_for(3);
  EXPECT_EQ(ids_of(events), (std::vector<std::string>{"fake-2", "rebuilt-0", "rebuilt-1"}));
  EXPECT_EQ(events[1].event, "resync");
  const auto ones = of_one.wait_for(3);
  EXPECT_EQ(ids_of(ones), (std::vector<std::string>{"fake-1", "rebuilt-0", "rebuilt-1"}));
  EXPECT_EQ(ones[1].event, "resync");
  EXPECT_EQ(ones[1].data["filename"], nullptr);  // the resource
  EXPECT_EQ(ones[1].data["state"], "accepted");
  EXPECT_EQ(ones[2].data["state"], "completed");
}

TEST_F(Events, OneImageBeginsWithItsStateAndHearsOfNoOther) {
  put(uploaded(image_id(1)));
  put(uploaded(image_id(2)));
  Stream stream(image(1));
  stream.wait_for(1);
  put(completed(image_id(2)));
  put(failed(image_id(1)));
  const auto events = stream.wait_for(2);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].id, "fake-2");
  EXPECT_EQ(events[0].data["state"], "accepted");
  EXPECT_EQ(events[1].id, "fake-4");
  EXPECT_EQ(events[1].data["state"], "failed");
  Stream again(image(1, "fake-1"));
  put(requested(image_id(1), 1));
  EXPECT_EQ(ids_of(again.wait_for(2)), (std::vector<std::string>{"fake-4", "fake-5"}));
}

TEST_F(Events, UnknownAndDeletedImagesAreRefused) {
  EXPECT_EQ(image(7).status, 404);
  put(uploaded(image_id(1)));
  put(about<ImageDeleted>(image_id(1), 0, "client:test"));
  EXPECT_EQ(image(1).status, 410);
  harness_.view.set_available(false);
  EXPECT_EQ(all().status, 503);
}

TEST_F(Events, TheDeletionEndsTheStreamAndComingBackIsToldToStop) {
  put(uploaded(image_id(1)));
  Stream stream(image(1));
  stream.wait_for(1);
  put(uploaded(image_id(2)));
  put(about<ImageDeleted>(image_id(1), 0, "client:test"));
  EXPECT_EQ(stream.wait_for(2)[1].data["state"], "deleted");
  EXPECT_TRUE(wait_until([&] { return stream.writer().ended(); }));
  EXPECT_EQ(image(1, "fake-3").status, 204);
  // Who has not heard of it yet does now, and then nothing more.
  const auto rest = image(1, "fake-1");
  EXPECT_EQ(rest.status, 200);
  EXPECT_EQ(ids_of(parse_stream(test::text_of(rest))), std::vector<std::string>{"fake-3"});
  put(uploaded(image_id(3)));
  EXPECT_EQ(image(1, "fake-4").status, 410);
  EXPECT_EQ(image(1, "other-1").status, 410);
}

TEST_F(Events, WhoTakesNothingIsGivenPagesAtItsOwnPaceAndOthersAreNotHeldUp) {
  constexpr int kImages = 600;
  Stream slow(all(), 70'000);
  Stream quick(all());
  for (int i = 1; i <= kImages; ++i) put(uploaded(many_id(i)));
  quick.wait_for(kImages);
  EXPECT_TRUE(slow.writer().is_open());
  EXPECT_LT(slow.events().size(), std::size_t{kImages});
  EXPECT_TRUE(wait_until([&] {
    slow.take();
    return slow.events().size() >= kImages;
  }));
  put_last();
  EXPECT_EQ(ids_of(slow.wait_for(kImages + 1)), ids_of(quick.wait_for(kImages + 1)));
}

TEST_F(Events, ListenersAreCountedAndLeave) {
  put(uploaded(image_id(1)));
  Stream one(image(1));
  auto two = std::make_unique<Stream>(all());
  const auto shows = [&](const std::string& line) {
    return wait_until([&] { return harness_.metrics.expose().find(line) != std::string::npos; });
  };
  EXPECT_TRUE(shows("thumb_events_listeners{of=\"image\"} 1"));
  EXPECT_TRUE(shows("thumb_events_listeners{of=\"all\"} 1"));
  two.reset();
  EXPECT_TRUE(shows("thumb_events_listeners{of=\"all\"} 0"));
  put(uploaded(image_id(2)));
  EXPECT_EQ(one.wait_for(1).size(), 1U);
}

// Also where its thread did not come to read who has left: it ends with its service.
TEST_F(Events, AHubThatEndsKeepsNoListener) {
  constexpr int kRounds = 100;
  for (int round = 0; round < kRounds; ++round) {
    const auto writer = std::make_shared<test::FakeWriter>(70'000);
    auto hub = std::make_unique<ChangeHub>(harness_.view, harness_.clock, harness_.metrics);
    auto source = hub->subscribe({});
    const std::weak_ptr<http::StreamSource> listener = source;
    source->opened(writer);
    if (round % 2 == 0) hub.reset();
    source->closed();
    hub.reset();
    source.reset();
    EXPECT_TRUE(listener.expired()) << round;
    EXPECT_EQ(writer.use_count(), 1) << round;
  }
}

TEST_F(Events, SilenceIsBrokenByComments) {
  Stream stream(all());
  EXPECT_TRUE(wait_until(
      [&] { return stream.writer().text().find(": keep-alive\n") != std::string::npos; }));
  EXPECT_TRUE(stream.events().empty());
}

// A listener that comes, leaves and comes back while images change sees what one who stayed sees.
TEST(EventsProperty, ComingBackLosesAndRepeatsNothing) {
  thumb::testing::check_property(
      [] {
        Told told;
        Stream stayed(told.all());
        const auto steps = *rc::gen::container<std::vector<int>>(60, rc::gen::inRange(0, 6));
        std::jthread writer([&] { told.put_story(steps); });
        std::vector<std::string> seen;
        std::string last = "fake-0";
        const auto over = [](const std::vector<StreamEvent>& events) {
          return !events.empty() && events.back().data["id"] == many_id(Told::kLast).str();
        };
        for (bool done = false; !done;) {
          Stream part(told.all(last), 40'000);
          const auto wanted = static_cast<std::size_t>(*rc::gen::inRange(1, 12));
          RC_ASSERT(
              wait_until([&] { return over(part.events()) || part.events().size() >= wanted; }));
          const auto events = part.events();
          for (const auto& id : ids_of(events)) seen.push_back(id);
          last = events.back().id;
          done = over(events);
        }
        RC_ASSERT(wait_until([&] { return over(stayed.events()); }));
        RC_ASSERT(seen == ids_of(stayed.events()));
      },
      40);
}

}  // namespace
}  // namespace thumb::ingest
