"""Three processors share the work. One is killed, one stands still, one joins, one is stopped: the
others go on, nothing is lost and nothing done twice.

The limits are promises, not speeds: a member that vanishes is missed after its session of 10 s.
"""

import time

import pytest

from support import processes
from support.auditor import audit
from support.processors import Processors
from support.workload import Workload

TAKEN_OVER_SECONDS = 15
LEFT_SECONDS = 8  # less than a session: nobody waits for one to run out
SETTLE_SECONDS = 60
CLIENTS = 8
FIRST, SECOND, THIRD = "processor", "processor-2", "processor-3"
ALL = [FIRST, SECOND, THIRD]


@pytest.fixture(scope="module")
def group(stack):
    processors = Processors(stack)
    processors.start(SECOND, THIRD)
    processors.wait_shared_by(ALL, SETTLE_SECONDS)
    return processors


@pytest.fixture
def work(stack):
    """Steady uploads while the test goes on, and an audit behind it."""
    with Workload(stack) as steady:
        steady.steady(CLIENTS)
        steady.wait_for_ends(2 * CLIENTS)
        yield steady
        steady.wait_for_ends(2 * CLIENTS)
    audit(stack, SETTLE_SECONDS)


def report(what, since):
    print(f"{what}: {time.monotonic() - since:.1f} s")


def wait_in_the_middle(stack, instance):
    """Returns when it has requests in hand."""
    processes.wait_until(lambda: stack.metric(instance, "thumb_processor_in_flight") > 0, 60,
                         f"{instance} has work in hand", pause=0.001)


def test_three_share_evenly(group, work):
    group.wait_shared_by(ALL, SETTLE_SECONDS)
    assert sorted(group.shares().values()) == [4, 4, 4]


def test_kill_minus_nine_in_the_middle(stack, group, work):
    wait_in_the_middle(stack, SECOND)
    killed = time.monotonic()
    stack.kill(SECOND)
    group.wait_taken_over_by([FIRST, THIRD], TAKEN_OVER_SECONDS)
    report("taken over after kill -9", killed)
    work.wait_for_ends(2 * CLIENTS)
    group.start(SECOND)
    group.wait_shared_by(ALL, SETTLE_SECONDS)


def test_one_that_stood_still_comes_back(stack, group, work):
    wait_in_the_middle(stack, THIRD)
    frozen = time.monotonic()
    stack.freeze(THIRD)
    group.wait_taken_over_by([FIRST, SECOND], TAKEN_OVER_SECONDS)
    report("taken over after SIGSTOP", frozen)
    work.wait_for_ends(2 * CLIENTS)
    stack.thaw(THIRD)
    group.wait_shared_by(ALL, SETTLE_SECONDS)


def test_one_that_is_stopped_hands_over_at_once(stack, group, work):
    """No session has to run out: it leaves its group."""
    wait_in_the_middle(stack, FIRST)
    stopped = time.monotonic()
    stack.stop(FIRST)
    group.wait_taken_over_by([SECOND, THIRD], LEFT_SECONDS - (time.monotonic() - stopped))
    report("taken over after SIGTERM", stopped)
    joined = time.monotonic()
    group.start(FIRST)
    group.wait_shared_by(ALL, SETTLE_SECONDS)
    report("shared with a new one", joined)
