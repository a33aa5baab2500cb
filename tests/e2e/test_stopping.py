"""SIGTERM ends a processor within ten seconds and with code 0, whatever hangs; the group is told, so that
others have its partitions before any session has run out, and what it had in hand is done by them."""

import os
import pathlib
import re
import signal
import time

import pytest

from support import images, processes
from support.auditor import audit
from support.processors import Processors
from support.stack import Stack

STOP_SECONDS = 12  # the promise is 10, and a busy machine needs a moment to notice
LEFT_SECONDS = 8   # less than a session
SETTLE_SECONDS = 60
VICTIM, HEIR = "processor", "processor-2"


def terminate(stack, instance):
    """SIGTERM; returns its process, which is on its way out."""
    process = stack.running.pop(instance)
    process.send_signal(signal.SIGTERM)
    return process


def require_clean_end(stack, process):
    processes.wait_until(lambda: process.poll() is not None, STOP_SECONDS,
                         lambda: f"it ends\n{processes.tail(stack.log(VICTIM))}")
    assert process.returncode == 0, processes.tail(stack.log(VICTIM))


def wait_for_work(stack, instance):
    def at_work():
        try:
            return stack.metric(instance, "thumb_processor_in_flight") > 0
        except ConnectionRefusedError:  # it has just been started
            return False

    processes.wait_until(at_work, SETTLE_SECONDS, f"{instance} has work in hand", pause=0.005)


def stop_while_another_stands_by(stack):
    """The victim has work in hand, and is told to stop."""
    group = Processors(stack)
    group.start(HEIR)
    group.wait_shared_by([VICTIM, HEIR], SETTLE_SECONDS)
    wait_for_work(stack, VICTIM)
    told = time.monotonic()
    process = terminate(stack, VICTIM)
    group.wait_taken_over_by([HEIR], LEFT_SECONDS)
    print(f"handed over after {time.monotonic() - told:.1f} s")
    require_clean_end(stack, process)
    print(f"ended after {time.monotonic() - told:.1f} s")


def test_while_it_decodes(stack):
    """Large images, of which it can finish but a few in the time that it has."""
    large = images.encode(images.picture(5000, 5000, images.random.Random(1)), "PNG", compress_level=1)
    ids = [stack.upload(large) for _ in range(12)]
    stop_while_another_stands_by(stack)
    for image_id in ids:
        stack.wait_terminal(image_id, SETTLE_SECONDS)  # a busy machine may run into the decode limit
    stack.start("processor", VICTIM)
    stack.stop(HEIR)
    audit(stack, SETTLE_SECONDS)


class HangingOriginal:
    """A pipe that nobody writes to, in place of an image's original: whoever opens it waits for ever."""

    def __init__(self, stack, image_id):
        self.path = next(path for path in (stack.folder / "blobs").rglob("original-*")
                         if path.parent.name == image_id)
        self.content = self.path.read_bytes()
        self.path.unlink()
        os.mkfifo(self.path)

    def mend(self):
        whole = pathlib.Path(f"{self.path}.whole")
        whole.write_bytes(self.content)
        whole.rename(self.path)


def test_while_the_blob_store_hangs(stack):
    stack.stop(VICTIM)
    ids = [stack.upload(images.jpeg(seed=number)) for number in range(24)]
    hanging = [HangingOriginal(stack, image_id) for image_id in ids]
    stack.start("processor", VICTIM)
    stop_while_another_stands_by(stack)
    require_clean_end(stack, terminate(stack, HEIR))
    for original in hanging:
        original.mend()
    stack.start("processor", VICTIM)
    for image_id in ids:
        assert stack.wait_terminal(image_id, SETTLE_SECONDS)["state"] == "completed"
    audit(stack, SETTLE_SECONDS)


def newest_client(log):
    """Number of the Kafka client made last of those that had something to say."""
    return max(map(int, re.findall(r'"client":"[^"]*#\w+-(\d+)"', log.read_text())), default=0)


def test_while_a_new_producer_waits_for_the_broker(own_broker, tmp_path):
    """The last one is given up, and its successor gets no answer: less than it would wait for."""
    stack = Stack(tmp_path, own_broker.bootstrap)
    try:
        stack.up()
        stack.stop(VICTIM)
        large = images.encode(images.picture(2000, 2000, images.random.Random(1)), "PNG", compress_level=1)
        ids = [stack.upload(large) for _ in range(8)]
        stack.start("processor", VICTIM)
        wait_for_work(stack, VICTIM)  # so it has a producer, and will want to commit
        own_broker.process.send_signal(signal.SIGSTOP)
        log = stack.log(VICTIM)
        processes.wait_until(lambda: "a transaction failed" in log.read_text(), SETTLE_SECONDS,
                             lambda: f"a transaction fails\n{processes.tail(log)}")
        before = newest_client(log)
        processes.wait_until(lambda: newest_client(log) > before, SETTLE_SECONDS,
                             lambda: f"another producer tries\n{processes.tail(log)}")
        require_clean_end(stack, terminate(stack, VICTIM))
        own_broker.process.send_signal(signal.SIGCONT)
        # In order, not by its watchdog.
        assert "processor stopped" in log.read_text(), processes.tail(log)
        stack.start("processor", VICTIM)
        for image_id in ids:
            assert stack.wait_terminal(image_id, SETTLE_SECONDS)["state"] == "completed"
        audit(stack, SETTLE_SECONDS)
        stack.down()
    finally:
        own_broker.process.send_signal(signal.SIGCONT)  # for the next test, whatever became of this one
        stack.close()


@pytest.mark.parametrize("trouble, cure", ((signal.SIGSTOP, signal.SIGCONT), (signal.SIGKILL, None)),
                         ids=("hangs", "is gone"))
def test_while_the_broker(own_broker, tmp_path, trouble, cure):
    stack = Stack(tmp_path, own_broker.bootstrap)
    try:
        stack.up()
        ids = [stack.upload(images.jpeg(800, 600, number)) for number in range(16)]
        wait_for_work(stack, VICTIM)
        own_broker.process.send_signal(trouble)
        require_clean_end(stack, terminate(stack, VICTIM))
        if cure:
            own_broker.process.send_signal(cure)
        else:
            own_broker.process.wait()
            own_broker.start()
        stack.start("processor", VICTIM)
        for image_id in ids:
            assert stack.wait_terminal(image_id, SETTLE_SECONDS)["state"] == "completed"
        audit(stack, SETTLE_SECONDS)
        stack.down()
    finally:
        own_broker.process.send_signal(signal.SIGCONT)  # for the next test, whatever became of this one
        stack.close()
