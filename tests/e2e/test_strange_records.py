"""Whatever a stranger writes to image-requests becomes a dead letter: no service ends over it, the
stream goes on, and a processor that is started anew goes on too."""

import json

import pytest
from confluent_kafka import Producer

from support import auditor, images, processes
from support.stack import Stack

LARGEST_ON_ITS_WAY = 16 << 20  # bytes of one record, before it is compressed
DEEP = 400_000  # brackets: more than a stack has room for, less than a record may have
STRUCTURED = {"content-type": "application/cloudevents+json"}


def structured(data):
    return ('{"specversion":"1.0","id":"1","source":"/x","type":"io.thumbstream.image-uploaded.v1",'
            f'"data":{data}}}').encode()


STRANGE = {
    "nothing": (None, None, {}),
    "bytes": (b"\x00\xff", b"\xff\xfe\x00", {"\u00fc": b"\xff"}),
    "deep event": (b"k", structured("[" * DEEP + "]" * DEEP), STRUCTURED),
    "deep objects": (b"k", structured('{"a":' * 150_000 + "1" + "}" * 150_000), STRUCTURED),
    "deep and open": (b"k", structured("[" * DEEP), STRUCTURED),
    "deep value": (b"k", b"[" * DEEP + b"]" * DEEP,
                   {"ce_specversion": "1.0", "ce_id": "1", "ce_source": "/x",
                    "ce_type": "io.thumbstream.image-uploaded.v1"}),
    "large value": (b"k", bytes(5 << 20), {}),
    "large key": (bytes(5 << 20), b"v", {}),
    "large header": (b"k", b"v", {"h": bytes(5 << 20)}),
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    running = Stack(tmp_path_factory.mktemp("stack"))
    try:
        running.tool("topics", "ensure")
        for name in ("state_projector", "ingest", "processor"):
            running.start(name)
        for name in ("state_projector", "ingest", "processor"):
            running.wait_ready(name)
        yield running
        running.down()
    finally:
        running.close()


def produce(stack, key, value, headers, partition):
    written = []
    producer = Producer({"bootstrap.servers": stack.bootstrap, "compression.type": "zstd",
                         "message.max.bytes": LARGEST_ON_ITS_WAY})
    producer.produce(stack.topic("image-requests"), key=key, value=value, headers=headers,
                     partition=partition, on_delivery=lambda error, _: written.append(error))
    assert producer.flush(30) == 0 and written == [None]


def dead_letters(stack):
    stack.require_alive()
    lines = stack.tool("processor", "dlq", "list", "--limit", "0", "--json").splitlines()
    return {(one["partition"], one["offset"]) for one in map(json.loads, lines)}


@pytest.mark.parametrize("name", STRANGE)
def test_it_becomes_a_dead_letter(stack, name):
    before = dead_letters(stack)
    produce(stack, *STRANGE[name], partition=5)
    found = processes.wait_until(lambda: dead_letters(stack) - before, 60,
                                 lambda: f"a dead letter\n{stack.tails()}")
    assert [partition for partition, _ in found] == [5]


def test_another_start_goes_on(stack):
    """Where a dead letter stands says nothing of partitions from which none was read yet."""
    stack.stop("processor")
    stack.start("processor")
    stack.wait_ready("processor")
    image_id = stack.upload(images.jpeg(seed=1))
    assert stack.wait_terminal(image_id)["state"] == "completed"
    assert auditor.audit(stack)["dead_letters"] == len(STRANGE)
