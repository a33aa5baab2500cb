"""Where the group stands in the log is the one thing that a processor must not guess: without it, it
refuses to start and says what to do, and that works. A group that never was begins at the beginning."""

import re

import pytest
from confluent_kafka import Consumer, TopicPartition

from support import images, kafka_log, kafka_tools, processes
from support.auditor import audit
from support.stack import Stack

SETTLE_SECONDS = 60


@pytest.fixture
def fresh(tmp_path):
    """A stack whose processor has never run."""
    stack = Stack(tmp_path)
    try:
        stack.tool("topics", "ensure")
        for name in ("state_projector", "ingest"):
            stack.start(name)
            stack.wait_ready(name)
        yield stack
        stack.down()
    finally:
        stack.close()


def group_of(stack):
    return stack.topic("processor")


def groups_tool(stack, arguments):
    kafka_tools.shell(f"kafka-consumer-groups --bootstrap-server {stack.bootstrap} "
                      f"--group {group_of(stack)} {arguments}")


def refused_to_start(stack):
    """Starts a processor that must end with code 1; returns the last line it printed."""
    stack.start("processor")
    process = stack.running["processor"]
    processes.wait_until(lambda: process.poll() is not None, SETTLE_SECONDS,
                         lambda: f"the processor refuses\n{stack.tails()}")
    del stack.running["processor"]
    assert process.returncode == 1
    return stack.log("processor").read_text().splitlines()[-1]


def advised(said):
    """The command that it ends with, to be followed to the letter."""
    return re.search(r"printf .*--execute$", said).group()


def some_images(stack, count, seed):
    return [stack.upload(images.jpeg(200, 150, seed + number)) for number in range(count)]


def wait_until_all_ended(stack, ids):
    for image_id in ids:
        assert stack.wait_terminal(image_id)["state"] == "completed"


def test_a_new_group_begins_at_the_beginning(fresh):
    """Requests wait, and nothing was ever made of any."""
    ids = some_images(fresh, 20, 1)
    fresh.start("processor")
    wait_until_all_ended(fresh, ids)
    assert audit(fresh, SETTLE_SECONDS)["completed"] == len(ids)


@pytest.mark.parametrize("arguments", ("--delete", "--delete-offsets --topic {topic}"),
                         ids=("group deleted", "offsets deleted"))
def test_lost_offsets_are_not_guessed(fresh, arguments):
    """Some requests had ended, others wait: following the advice, none is done twice and none is lost."""
    fresh.start("processor")
    ended = some_images(fresh, 20, 2)
    wait_until_all_ended(fresh, ended)
    fresh.stop("processor")
    waiting = some_images(fresh, 20, 3)
    groups_tool(fresh, arguments.format(topic=fresh.topic("image-requests")))

    said = refused_to_start(fresh)
    assert "group-offset-missing" in said
    kafka_tools.shell(advised(said))
    fresh.start("processor")
    wait_until_all_ended(fresh, waiting)
    assert audit(fresh, SETTLE_SECONDS)["completed"] == len(ended) + len(waiting)


def test_offsets_outside_the_log_are_not_guessed(fresh):
    """The end of the log was lost, with the machine's power say: following the advice, it goes on."""
    fresh.start("processor")
    ended = some_images(fresh, 6, 6)
    wait_until_all_ended(fresh, ended)
    fresh.stop("processor")
    topic = fresh.topic("image-requests")
    partition = kafka_log.read_all(fresh.bootstrap, topic)[0].partition
    group = Consumer({"bootstrap.servers": fresh.bootstrap, "group.id": group_of(fresh),
                      "enable.auto.commit": False})
    group.commit(offsets=[TopicPartition(topic, partition, 4711)], asynchronous=False)
    group.close()

    said = refused_to_start(fresh)
    assert "offset-out-of-range" in said and f"partition {partition} at 4711, the log from 0 to" in said
    kafka_tools.shell(advised(said))
    fresh.start("processor")
    waiting = some_images(fresh, 12, 7)
    wait_until_all_ended(fresh, waiting)
    assert audit(fresh, SETTLE_SECONDS)["completed"] == len(ended) + len(waiting)


def test_members_that_work_refuse_nothing(fresh):
    """A second processor joins while partitions have no offset yet: none is missing that was committed."""
    fresh.start("processor")
    fresh.wait_ready("processor")
    first = some_images(fresh, 3, 4)
    wait_until_all_ended(fresh, first)
    fresh.start("processor", "processor-2")
    ids = some_images(fresh, 20, 5)
    wait_until_all_ended(fresh, ids)
    audit(fresh, SETTLE_SECONDS)
