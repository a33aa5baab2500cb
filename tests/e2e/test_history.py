"""What happened to an image, and what it was like at any time: held against the log itself, folded
here by hand from what a stranger reads."""

import collections
import datetime
import random

import pytest

from support import images, kafka_log, processes

IMAGES = 40
PAIRS = 1_000
TOPICS = ("image-requests", "thumbnail-started", "thumbnail-completed", "thumbnail-failed",
          "image-private")
RANK = {"accepted": 1, "processing": 2, "failed": 3, "completed": 4}


def rfc3339(ms):
    time = datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc)
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def naive_state(records, at):
    """The state as of `at`, by the words of the contract; None before the upload."""
    seen = [record for record in records if record.timestamp <= at]
    asked = sorted((record for record in seen if record.topic.endswith("image-requests")),
                   key=lambda record: record.offset)
    if not any(record.event == "image-uploaded" for record in asked):
        return None
    states = {record.json["request_id"]: "accepted" for record in asked}
    reached = {"thumbnail-started": "processing", "thumbnail-completed": "completed",
               "thumbnail-failed": "failed"}
    for record in seen:
        request, state = record.json.get("request_id"), reached.get(record.event)
        if state and request in states and RANK[state] > RANK[states[request]]:
            states[request] = state
    return {"state": states[asked[-1].json["request_id"]], "generation": len(states)}


@pytest.fixture(scope="module")
def told(stack):
    """Images that went through much; returns their records by image, in the order of topics."""
    ids = []
    for number in range(IMAGES):
        body = images.undecodable_png(number) if number % 4 == 3 else images.jpeg(80, 60, number)
        answer = stack.http().post_files([("file", f"picture {number}.jpg", body)])
        ids.append(answer.json["images"][0]["id"])
    for number, image_id in enumerate(ids):
        stack.wait_terminal(image_id)
        for _ in range(number % 3):
            again = stack.http().request("POST", f"/v1/images/{image_id}/reprocess")
            assert again.status == 202, again
            stack.wait_terminal(image_id)
    # The hint that an image is being worked on may come after its end: nothing more comes from one that
    # has stopped, and then it is the view that may be behind.
    stack.stop("processor")
    records = collections.defaultdict(list)
    for topic in TOPICS:
        for record in kafka_log.read_all(stack.bootstrap, stack.topic(topic)):
            records[record.key].append(record)
    assert set(ids) <= set(records)
    for image_id in ids:
        processes.wait_until(lambda one=image_id: len(history_of(stack, one)) >= len(records[one]), 60,
                             lambda: f"the view holds all records\n{stack.tails()}")
    return {image_id: records[image_id] for image_id in ids}


def history_of(stack, image_id):
    return stack.http().get(f"/v1/images/{image_id}/history").json["events"]


def test_every_record_of_the_log_is_in_the_history(stack, told):
    for image_id, records in told.items():
        history = history_of(stack, image_id)
        in_log = {(r.topic, r.partition, r.offset, r.event, rfc3339(r.timestamp),
                   r.headers.get("traceparent")) for r in records}
        assert {(e["topic"], e["partition"], e["offset"], e["event"], e["at"], e["traceparent"])
                for e in history} == in_log
        assert len(history) == len(in_log)
        assert [e["at"] for e in history] == sorted(e["at"] for e in history)
        assert history[-1]["state"] == stack.image(image_id)["state"]
        actors = {r.json["actor"] for r in records if r.event != "image-private"}
        assert {e["actor"] for e in history if e["actor"]} == actors


def test_the_state_as_of_any_time_is_a_fold_of_the_log_up_to_then(stack, told):
    rng = random.Random(7)
    times = [record.timestamp for records in told.values() for record in records]
    checked = collections.Counter()
    for _ in range(PAIRS):
        image_id = rng.choice(list(told))
        # Often at a record of its own, where off-by-ones are, or anywhere in the log's life.
        at = rng.choice([rng.choice(told[image_id]).timestamp + rng.choice((-1, 0, 1)),
                         rng.randint(min(times) - 5, max(times) + 5)])
        expected = naive_state(told[image_id], at)
        answer = stack.http().get(f"/v1/images/{image_id}?at={rfc3339(at)}")
        if expected is None:
            assert answer.status == 404 and answer.json["code"] == "not-there-yet", answer
        else:
            assert answer.status == 200, answer
            assert {name: answer.json[name] for name in expected} == expected, (image_id, at)
        checked[expected and expected["state"]] += 1
    assert len(checked) >= 5, checked


def test_a_deleted_image_has_no_past(stack, told):
    image_id = next(iter(told))
    before = rfc3339(told[image_id][0].timestamp)
    gone = stack.http().delete(f"/v1/images/{image_id}")
    assert gone.status == 200
    position = {"Min-Position": gone.headers["Position"]}
    for path in ("", f"?at={before}", "/history"):
        answer = stack.http().get(f"/v1/images/{image_id}{path}", position)
        assert answer.status == 410 and answer.json["deleted_at"], f"{path}: {answer}"
