"""The auditor over a real log: clean after everything that may happen, and not fooled by one that
somebody tampered with."""

import json
import uuid

import pytest
from confluent_kafka import Producer

from support import auditor, images, kafka_log


@pytest.fixture(scope="module")
def lived(stack):
    """A stack in which everything has happened once."""
    ids = [stack.upload(images.jpeg(seed=number)) for number in range(6)]
    broken = stack.upload(images.undecodable_png())
    for one in (*ids, broken):
        stack.wait_terminal(one)
    assert stack.http().request("POST", f"/v1/images/{ids[0]}/reprocess").status == 202
    assert stack.http().delete(f"/v1/images/{ids[1]}").status == 200
    produce(stack, "image-requests", "no image id", b"no event")
    first = one_record(stack, "image-requests", ids[2])
    produce(stack, first.topic.removeprefix(stack.prefix), first.key, first.value, first.headers,
            first.partition)
    return stack


def produce(stack, topic, key, value, headers=None, partition=None):
    producer = Producer({"bootstrap.servers": stack.bootstrap, "partitioner": "murmur2_random"})
    where = {} if partition is None else {"partition": partition}
    producer.produce(stack.topic(topic), key=key, value=value, headers=headers or {}, **where)
    assert producer.flush(30) == 0


def one_record(stack, topic, key):
    return next(record for record in kafka_log.read_all(stack.bootstrap, stack.topic(topic))
                if record.key == key)


def completion_of(record, **changes):
    """A completed event like this one, with other fields."""
    return json.dumps({**record.json, **changes}).encode()


def kinds_found(stack):
    code, report = auditor.run(stack)
    assert code == auditor.FOUND and not report["ok"]
    return report


def test_a_lived_in_log_is_clean(lived):
    counts = auditor.audit(lived, 60)
    assert counts["uploads"] == 7 and counts["requests_again"] == 1 and counts["deletions"] == 1
    assert counts["repeats"] == 1 and counts["unreadable"] == counts["dead_letters"] == 1
    assert counts["completed"] + counts["failed"] == 8
    assert counts["images"] == 7 and counts["deleted_images"] == 1
    assert counts["blobs_checked"] == 7 + 6  # originals, and thumbnails of the readable ones
    # For people the same.
    text = lived.tool("auditor")
    assert "clean: 0 errors, 0 warnings, 0 open" in text


def test_a_blob_that_is_missing_or_altered(lived):
    victim = lived.upload(images.jpeg(seed=90))
    lived.wait_terminal(victim)
    original, = (path for path in (lived.folder / "blobs" / "objects").rglob("original-*")
                 if victim in str(path))
    held = original.read_bytes()
    original.unlink()
    report = kinds_found(lived)
    assert report["kinds"] == {"blob-missing": 1}
    finding, = report["findings"]
    assert finding["image_id"] == victim and finding["topic"] == "image-requests"

    original.write_bytes(held[:-1] + bytes([held[-1] ^ 1]))
    assert kinds_found(lived)["kinds"] == {"blob-differs": 1}
    assert auditor.run(lived, 0, "--blobs=exist")[0] == auditor.CLEAN
    original.write_bytes(held)
    auditor.audit(lived)


def test_what_settings_and_surroundings_can_be_wrong(lived, tmp_path):
    lived.tool("auditor", "--blobs=some", expect=2)
    lived.tool("auditor", f"--data-dir={tmp_path}", expect=1)
    lived.tool("auditor", "--topic-prefix=nobodys-", expect=1)


def test_a_log_that_was_tampered_with(lived):
    """The last test: nothing mends a log."""
    doubled = next(iter(kafka_log.read_all(lived.bootstrap, lived.topic("thumbnail-completed"))))
    produce(lived, "thumbnail-completed", doubled.key, doubled.value, doubled.headers)
    assert kinds_found(lived)["kinds"] == {"ended-twice": 1}

    # Of a request that never was.
    stranger = str(uuid.uuid4())
    position = {**doubled.json["request"], "offset": 10**6}
    headers = {**doubled.headers, "ce_id": f"{stranger}:thumbnail-completed"}
    produce(lived, "thumbnail-completed", doubled.key,
            completion_of(doubled, request_id=stranger, request=position), headers)
    report = kinds_found(lived)
    assert report["kinds"] == {"ended-twice": 1, "end-without-request": 1}
    assert {finding["severity"] for finding in report["findings"]} == {"error"}

    # A request that nobody will work on.
    lived.stop("processor")
    lived.upload(images.jpeg(seed=91))
    code, report = auditor.run(lived, 0, "--grace-ms=0")
    assert code == auditor.FOUND and report["kinds"]["not-ended"] == 1
    assert report["counts"]["open"] == 1
