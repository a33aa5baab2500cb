"""Dead letters, from a record that nobody understands to one that was sent again and completed."""

import json

from confluent_kafka import Consumer, Producer, TopicPartition

from support import auditor, images, kafka_log, processes

ERRORS = "__connect.errors."


def produce(stack, topic, key, value, headers=None, partition=-1):
    """Returns "partition:offset" of the record."""
    written = []
    producer = Producer({"bootstrap.servers": stack.bootstrap, "partitioner": "murmur2_random"})
    producer.produce(stack.topic(topic), key=key, value=value, headers=headers or {},
                     partition=partition, on_delivery=lambda _, message: written.append(message))
    assert producer.flush(30) == 0 and written[0].error() is None
    return f"{written[0].partition()}:{written[0].offset()}"


def letters(stack):
    lines = stack.tool("processor", "dlq", "list", "--limit", "0", "--json").splitlines()
    return [json.loads(line) for line in lines]


def letter_of(stack, position):
    """The dead letter of the record at "partition:offset", once there is one."""
    def find():
        return next((one for one in letters(stack)
                     if f"{one['partition']}:{one['offset']}" == position), None)
    return processes.wait_until(find, 60, lambda: f"a dead letter of {position}\n{stack.tails()}")


def redrive(stack, *argv, expect=0):
    return stack.tool("processor", "dlq", "redrive", *argv, expect=expect)


def test_a_record_that_nobody_understands(stack):
    assert stack.tool("processor", "dlq", "list") == "0 dead letters\n"
    position = produce(stack, "image-requests", "some key", b"\x00\xff bytes", {"mine": "kept"})
    letter = letter_of(stack, position)
    assert letter["topic"] == stack.topic("image-requests") and letter["key"] == "some key"
    assert letter["code"] == "not-a-cloudevent" and letter["stage"] == "VALUE_CONVERTER"
    assert letter["attempt"] == 0 and letter["sent_as"] is None

    name = letter["dead_letter"]
    shown = json.loads(stack.tool("processor", "dlq", "show", name, "--json"))
    headers = {header["name"]: header["value"] for header in shown["headers"]}
    assert headers["mine"] == "kept" and headers[ERRORS + "topic"] == letter["topic"]
    assert headers["kafka_dlt-original-topic"] == letter["topic"]
    assert shown["value_base64"] == "AP8gYnl0ZXM="
    assert "00000000  00 ff 20 62" in stack.tool("processor", "dlq", "show", name)

    # A dry run changes nothing; the real one sends it once, and it fails again, one attempt on.
    assert "1 to be sent again" in redrive(stack, name, "--dry-run")
    assert letter_of(stack, position)["sent_as"] is None
    assert "1 sent again, 0 skipped" in redrive(stack, name)
    assert "0 sent again, 1 skipped" in redrive(stack, name)
    sent_as = letter_of(stack, position)["sent_as"]
    again = letter_of(stack, sent_as)
    assert again["attempt"] == 1 and again["sent_from"] == name and again["sent_as"] is None
    record = next(one for one in
                  kafka_log.read_all(stack.bootstrap, stack.topic("image-requests-dlq"))
                  if f"{one.partition}:{one.offset}" == again["dead_letter"])
    assert record.headers["mine"] == "kept" and record.value == b"\x00\xff bytes"
    assert record.headers["thumb_redrive_cause"].startswith("not-a-cloudevent: ")
    auditor.audit(stack)


def test_a_version_that_is_not_known_yet(stack):
    image_id = stack.upload(images.jpeg(seed=1))
    stack.wait_terminal(image_id)
    upload = next(record for record in
                  kafka_log.read_all(stack.bootstrap, stack.topic("image-requests"))
                  if record.key == image_id)
    headers = {**upload.headers, "ce_type": upload.headers["ce_type"].replace(".v1", ".v2")}
    position = produce(stack, "image-requests", image_id, upload.value, headers)
    letter = letter_of(stack, position)
    assert letter["code"] == "unknown-event-version" and letter["key"] == image_id
    value = stack.tool("processor", "dlq", "show", letter["dead_letter"], "--value-only")
    assert value.encode() == upload.value
    assert stack.image(image_id)["state"] == "completed"


def bury_as_an_older_processor(stack, record):
    """What one leaves behind that did not understand the record: a dead letter, and an offset."""
    headers = {**record.headers, ERRORS + "topic": record.topic,
               ERRORS + "partition": str(record.partition), ERRORS + "offset": str(record.offset),
               ERRORS + "exception.class.name": "unknown-event-version"}
    produce(stack, "image-requests-dlq", record.key, record.value, headers)
    group = Consumer({"bootstrap.servers": stack.bootstrap, "group.id": stack.prefix + "processor",
                      "enable.auto.commit": False})
    group.commit(offsets=[TopicPartition(record.topic, record.partition, record.offset + 1)],
                 asynchronous=False)
    group.close()


def test_sent_again_once_it_is_understood(stack):
    stack.stop("processor")
    ids = [stack.upload(images.jpeg(seed=number)) for number in range(2, 5)]
    for record in kafka_log.read_all(stack.bootstrap, stack.topic("image-requests")):
        if record.key in ids:
            bury_as_an_older_processor(stack, record)
    stack.start("processor").wait_ready("processor")
    _, report = auditor.run(stack)
    assert report["ok"] and report["kinds"] == {"readable-dead-letter": 3}
    assert stack.image(ids[0])["state"] == "accepted"

    # With those of the other tests, which go through the dead letters once more.
    waiting = sum(letter["sent_as"] is None for letter in letters(stack))
    assert f"{waiting} sent again" in redrive(stack, "--all")
    for image_id in ids:
        assert stack.wait_terminal(image_id)["state"] == "completed"
    assert stack.http().get(f"/v1/images/{ids[0]}/thumbnail").status == 200
    counts = auditor.audit(stack)
    assert counts["redriven"] >= waiting

    redriven = {letter["dead_letter"] for letter in letters(stack) if letter["sent_as"]}
    assert len(redriven) >= waiting
    for name in redriven:
        assert "0 sent again, 1 skipped" in redrive(stack, name)


def test_what_can_be_said_wrongly(stack):
    redrive(stack, expect=2)
    redrive(stack, "--all", "0:1", expect=2)
    redrive(stack, "0:5-3", expect=2)
    redrive(stack, "0:4711", expect=1)
    stack.tool("processor", "dlq", "show", "0:4711", expect=1)
    stack.tool("processor", "dlq", "show", "here", expect=2)
    stack.tool("processor", "dlq", expect=2)
