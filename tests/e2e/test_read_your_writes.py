"""What was accepted is found at once, on any instance; and "not found" is never a guess."""

import time
import uuid

import pytest

from support import images, processes

SECOND = "ingest-2"


@pytest.fixture(scope="module")
def pair(own_stack):
    """Two instances of ingest."""
    own_stack.start("ingest", SECOND)
    own_stack.wait_ready(SECOND)
    return own_stack


def made_up_id():
    """A UUIDv7 of now that nobody has."""
    stamp = int(time.time() * 1000)
    random_bits = uuid.uuid4().int
    value = (stamp << 80) | (random_bits & ((1 << 80) - 1))
    value = value & ~(0xF << 76) | (7 << 76)
    value = value & ~(3 << 62) | (2 << 62)
    return str(uuid.UUID(int=value))


def test_status_right_after_the_202(pair):
    for number in range(40):
        image_id = pair.upload(images.jpeg(60, 40, 100 + number))
        for instance in (SECOND, "ingest"):
            answer = pair.http(instance).get(f"/v1/images/{image_id}")
            assert answer.status == 200, f"upload {number} on {instance}: {answer}"


def test_a_made_up_id_is_not_found_within_a_second(pair):
    pair.wait_terminal(pair.upload(images.jpeg(seed=99)))
    for instance in ("ingest", SECOND):
        for _ in range(5):
            answer = pair.http(instance, timeout=5).get(f"/v1/images/{made_up_id()}")
            assert answer.status == 404, answer
            assert answer.headers["Content-Type"] == "application/problem+json"
    # The one promise about time in this file, so it is asked once, of a service at rest.
    started = time.monotonic()
    assert pair.http().get(f"/v1/images/{made_up_id()}").status == 404
    assert time.monotonic() - started < 1.0


@pytest.mark.parametrize("text", ["nonsense", "%2e%2e", "0" * 36, "a" * 5000])
def test_what_is_no_id_is_no_image(pair, text):
    assert pair.http().get(f"/v1/images/{text}").status in (400, 404)


def test_deletion_is_seen_by_who_asks_for_it(pair):
    image_id = pair.upload(images.jpeg(seed=98))
    pair.wait_terminal(image_id)
    answer = pair.http().delete(f"/v1/images/{image_id}")
    assert answer.status == 200, answer
    later = pair.http(SECOND).get(f"/v1/images/{image_id}",
                                  {"Min-Position": answer.headers["Position"]})
    assert later.status == 410, later


def test_without_kafka(pair, own_broker):
    """Last in the file: stops the broker, and brings it back."""
    known = pair.upload(images.jpeg(seed=97))
    pair.wait_terminal(known)
    own_broker.stop()
    for instance in ("ingest", SECOND):
        http = pair.http(instance, timeout=30)
        assert http.get(f"/v1/images/{known}").status == 200
        assert http.get(f"/v1/images/{known}/thumbnail").status == 200
        unknown = http.get(f"/v1/images/{made_up_id()}")
        assert unknown.status == 503, unknown
        assert int(unknown.headers["Retry-After"]) > 0
        assert unknown.headers["Content-Type"] == "application/problem+json"
    refused = pair.http(timeout=60).post_image(images.jpeg(seed=96))
    assert refused.status == 503 and int(refused.headers["Retry-After"]) > 0, refused
    pair.require_alive()

    own_broker.start()
    again = processes.wait_until(lambda: accepted(pair), 60, lambda: f"uploads again\n{pair.tails()}")
    assert pair.wait_terminal(again, 120)["state"] == "completed"
    assert pair.http().get(f"/v1/images/{made_up_id()}").status == 404
    pair.down()


def accepted(stack):
    answer = stack.http(timeout=60).post_image(images.jpeg(seed=95))
    assert answer.status in (202, 503), answer
    return answer.json["id"] if answer.status == 202 else None
