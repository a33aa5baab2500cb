"""Every named step of every service, crashed in turn while work is under way: nothing that was
accepted is lost, and nothing ends twice.

One case: pytest -k processor.after-decode test_crash_matrix.py
"""

import pytest

from support import failpoints, kafka_log, processes
from support.auditor import audit
from support.workload import Workload

# A killed member's session, and the transaction that it left open, take 10 s each to run out.
SETTLE_SECONDS = 90
CRASH_SECONDS = 120

VICTIMS = {"ingest": "ingest", "processor": "processor", "transaction": "processor",
           "projector": "state_projector"}

# Two services crash in each case, since the group takes 10 s to miss a killed processor.
# <step>[:<n>]: at its n-th passage.
CASES = (
    ("processor.after-poll", "ingest.before-blob"),
    ("processor.after-decode", "ingest.after-blob"),
    ("processor.after-decode:3", "ingest.after-personal"),
    ("processor.after-blob-write", "ingest.after-produce"),
    ("processor.after-blobs-removed", "ingest.after-produce:4"),
    ("transaction.after-produce", "ingest.after-request"),
    ("transaction.before-send-offsets", "ingest.after-personal-erased"),
    ("transaction.before-commit", "ingest.after-deletion"),
    ("transaction.before-commit:2", "projector.before-write"),
    ("transaction.after-commit", "projector.after-write"),
    ("transaction.after-commit:2", "projector.after-write:2"),
)


def test_no_step_is_left_out():
    # Those of a rebuild are no part of this work: test_rebuild.py.
    steps = {step for step in failpoints.steps() if not step.startswith("rebuild.")}
    assert {step.partition(":")[0] for case in CASES for step in case} == steps


def victim_of(step):
    return VICTIMS[step.partition(".")[0]]


def crash_each(stack, steps, work):
    """Work goes on until each step has been reached; its victim is started again at once."""
    waiting = list(steps)

    def all_crashed():
        if work.pending() == 0:
            work.wave()
        for step in list(waiting):
            if stack.has_ended(victim_of(step)):
                waiting.remove(step)
                require_crash(stack, step)
                stack.start(victim_of(step))
        return not waiting

    processes.wait_until(all_crashed, CRASH_SECONDS,
                         lambda: f"{waiting} have been reached\n{stack.tails()}")


def require_crash(stack, step):
    """It ended by its own hand, where it was told to."""
    stack.require_killed(victim_of(step))
    # Among its last words: another thread may have said something before the kernel ended them all.
    last = stack.log(victim_of(step)).read_text().splitlines()[-5:]
    assert f"failpoint {step.partition(':')[0]}" in last


@pytest.mark.parametrize("steps", CASES, ids="+".join)
def test_a_crash_loses_nothing_and_doubles_nothing(stack, steps):
    for step in steps:
        stack.stop(victim_of(step))
        stack.start(victim_of(step), settings={"THUMB_FAILPOINT": step})
    with Workload(stack, seed=CASES.index(steps)) as work:
        work.wave()
        crash_each(stack, steps, work)
    for step in steps:
        stack.wait_ready(victim_of(step))
    check(stack, work)


def check(stack, work):
    """Every request has one end, every blob is there; and what clients were told is in the log."""
    audit(stack, SETTLE_SECONDS)
    requests = kafka_log.read_all(stack.bootstrap, stack.topic("image-requests"))
    asked = {name: {record.key for record in requests if record.event == name}
             for name in ("image-uploaded", "thumbnail-requested", "image-deleted")}
    assert set(work.uploaded) <= asked["image-uploaded"]
    assert set(work.reprocessed) <= asked["thumbnail-requested"]
    assert set(work.deleted) <= asked["image-deleted"]


def test_the_view_agrees_with_the_log(stack):
    """After all of these crashes: folded once more, into a scratch view, and compared."""
    stack.tool("state_projector", "verify")
