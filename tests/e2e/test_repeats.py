"""The same request on the topic twice, byte for byte, as two publishers that overlap would put it: it
ends once, wherever the second copy meets the processors."""

import collections

import pytest
from confluent_kafka import Producer

from support import images, kafka_log, processes
from support.auditor import audit
from support.processors import Processors

SETTLE_SECONDS = 60
REPEATS = 'thumb_processor_requests_total{outcome="repeat"}'
FIRST, SECOND = "processor", "processor-2"


def records_of(stack, *ids):
    """Their requests, those of one image in order."""
    return [record for record in kafka_log.read_all(stack.bootstrap, stack.topic("image-requests"))
            if record.key in ids]


def publish_again(stack, records, times=1):
    producer = Producer({"bootstrap.servers": stack.bootstrap, "acks": "all"})
    for record in records:
        for _ in range(times):
            producer.produce(record.topic, key=record.key, value=record.value,
                             partition=record.partition, headers=list(record.headers.items()))
    assert producer.flush(SETTLE_SECONDS) == 0


def ends_of(stack, *ids):
    """How often a request of each has ended, as a subscriber sees it."""
    ended = collections.Counter(
        record.key for name in ("thumbnail-completed", "thumbnail-failed")
        for record in kafka_log.read_all(stack.bootstrap, stack.topic(name)))
    return [ended[image_id] for image_id in ids]


def upload_and_wait(stack, count, seed):
    ids = [stack.upload(images.jpeg(200, 150, seed + number)) for number in range(count)]
    for image_id in ids:
        stack.wait_terminal(image_id)
    return ids


def wait_for_repeats(stack, count, instances=(FIRST,)):
    """So many were recognised and committed by these instances since each was started."""
    processes.wait_until(
        lambda: sum(stack.metric(instance, REPEATS) for instance in instances) >= count,
        SETTLE_SECONDS, lambda: f"{count} repeats are recognised\n{stack.tails()}")


@pytest.fixture(autouse=True)
def nothing_ends_twice(stack):
    yield
    audit(stack, SETTLE_SECONDS)


def test_in_one_batch(stack):
    stack.stop(FIRST)
    image_id = stack.upload(images.jpeg(seed=1))
    publish_again(stack, records_of(stack, image_id), times=3)
    stack.start("processor", FIRST)
    stack.wait_ready(FIRST)
    assert stack.wait_terminal(image_id)["state"] == "completed"
    wait_for_repeats(stack, 3)
    assert ends_of(stack, image_id) == [1]


def test_in_two_batches(stack):
    """Whatever it asks for: an upload, a reprocessing, a deletion."""
    before = stack.metric(FIRST, REPEATS)
    (image_id,) = upload_and_wait(stack, 1, 100)
    asked = stack.http().request("POST", f"/v1/images/{image_id}/reprocess")
    assert asked.status == 202, asked
    processes.wait_until(lambda: ends_of(stack, image_id) == [2], SETTLE_SECONDS, "it ends again")
    publish_again(stack, records_of(stack, image_id))
    wait_for_repeats(stack, before + 2)
    assert stack.http().delete(f"/v1/images/{image_id}").status == 200
    publish_again(stack, records_of(stack, image_id)[-1:])
    wait_for_repeats(stack, before + 3)
    assert ends_of(stack, image_id) == [2]


def test_across_a_restart(stack):
    ids = upload_and_wait(stack, 4, 200)
    stack.stop(FIRST)
    publish_again(stack, records_of(stack, *ids))
    stack.start("processor", FIRST)
    stack.wait_ready(FIRST)
    wait_for_repeats(stack, len(ids))
    assert ends_of(stack, *ids) == [1] * len(ids)


def test_across_a_rebalance(stack):
    """The new owner of a partition has not seen the first copy, but in the log."""
    ids = upload_and_wait(stack, 24, 300)
    once = records_of(stack, *ids)
    before = stack.metric(FIRST, REPEATS)
    group = Processors(stack)
    group.start(SECOND)
    group.wait_shared_by([FIRST, SECOND], SETTLE_SECONDS)
    publish_again(stack, once)
    wait_for_repeats(stack, before + len(ids), (FIRST, SECOND))
    # And back, the other way: the first has forgotten what was not its own in between.
    stack.stop(SECOND)
    group.wait_shared_by([FIRST], SETTLE_SECONDS)
    before = stack.metric(FIRST, REPEATS)
    publish_again(stack, once)
    wait_for_repeats(stack, before + len(ids))
    assert ends_of(stack, *ids) == [1] * len(ids)
