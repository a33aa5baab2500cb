"""Reads topics as a stranger does: librdkafka's Python client and kcat, read_committed."""

import dataclasses
import json
import subprocess
import time
import uuid

from confluent_kafka import Consumer, KafkaError, TopicPartition


@dataclasses.dataclass
class Record:
    topic: str
    partition: int
    offset: int
    key: str
    value: bytes
    headers: dict
    timestamp: int = 0  # milliseconds, the log's own

    @property
    def json(self):
        return json.loads(self.value)

    @property
    def event(self):
        """The last part of ce_type without its version: "image-uploaded"."""
        return event_name(self.headers["ce_type"])


def event_name(ce_type):
    parts = ce_type.split(".")
    if parts[-1].startswith("v") and parts[-1][1:].isdigit():
        parts.pop()
    return parts[-1]


def stranger(bootstrap):
    return Consumer({
        "bootstrap.servers": bootstrap, "group.id": f"reader-{uuid.uuid4().hex}",
        "enable.auto.commit": False, "isolation.level": "read_committed",
        "auto.offset.reset": "earliest", "enable.partition.eof": True,
        # A broker that a test has stopped is no news; one that it has frozen is left soon.
        "log_level": 2, "socket.timeout.ms": 3000})


def read_all(bootstrap, topic, seconds=60):
    """Every committed record up to the end of the topic as it is now, in order per partition."""
    consumer = stranger(bootstrap)
    try:
        partitions = consumer.list_topics(topic, timeout=20).topics[topic].partitions
        assert partitions, f"{topic} does not exist"
        consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
        return _read_to_end(consumer, topic, set(partitions), time.monotonic() + seconds)
    finally:
        consumer.close()


def _read_to_end(consumer, topic, open_partitions, deadline):
    records = []
    while open_partitions:
        assert time.monotonic() < deadline, f"the end of {topic} was not reached: {open_partitions}"
        message = consumer.poll(0.5)
        if message is None:
            continue
        if message.error():
            # The end for a read_committed reader: the last stable offset.
            assert message.error().code() == KafkaError._PARTITION_EOF, message.error()
            open_partitions.discard(message.partition())
            continue
        records.append(_to_record(message))
    return records


def _to_record(message):
    headers = {name: value.decode() for name, value in message.headers() or []}
    return Record(message.topic(), message.partition(), message.offset(),
                  (message.key() or b"").decode(), message.value(), headers, message.timestamp()[1])


class Follower:
    """Reads topics as they grow, from now on; for one thread."""

    def __init__(self, bootstrap, topics):
        self._consumer = stranger(bootstrap)
        partitions = [TopicPartition(topic, number) for topic in topics
                      for number in self._consumer.list_topics(topic, timeout=20).topics[topic].partitions]
        for partition in partitions:
            partition.offset = self._consumer.get_watermark_offsets(partition, timeout=20)[1]
        self._consumer.assign(partitions)

    def read(self, seconds=0.2):
        """What has come since; waits up to this long for the first of it."""
        records = []
        while (message := self._consumer.poll(0 if records else seconds)) is not None:
            if not message.error():  # the end, or a broker that is away: both pass
                records.append(_to_record(message))
        return records

    def close(self):
        self._consumer.close()


def read_with_kcat(bootstrap, topic, seconds=30):
    """Every committed record as kcat's own JSON envelope (headers as a dict)."""
    done = subprocess.run(
        ["kcat", "-b", bootstrap, "-t", topic, "-C", "-e", "-q", "-J",
         "-X", "isolation.level=read_committed"],
        capture_output=True, timeout=seconds, check=True)
    records = [json.loads(line) for line in done.stdout.decode().splitlines()]
    for record in records:
        pairs = record.get("headers") or []
        record["headers"] = dict(zip(pairs[::2], pairs[1::2]))
    return records
