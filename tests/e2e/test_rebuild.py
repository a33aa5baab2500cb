"""A view rebuilt beside the one that serves, taken back, copied and restored, as an operator does it, while
clients ask and upload. About 30 s with sanitizers."""

import json
import shutil
import threading

import pytest

from support import event_stream, images, processes
from support.workload import Workload

WAIT_SECONDS = 60


@pytest.fixture(scope="module")
def ids(stack):
    """Images that have ended: completed, failed, and one deleted."""
    found = [stack.upload(images.jpeg(seed=seed)) for seed in range(12)]
    found.append(stack.upload(images.undecodable_png()))
    for image_id in found:
        stack.wait_terminal(image_id)
    deleted = found.pop()
    assert stack.http().delete(f"/v1/images/{deleted}").status == 200
    return found


def projector(stack, *words, expect=0):
    """A command, as an operator gives it who knows the running projector's admin port."""
    return stack.tool("state_projector", *words, "--admin-port", str(stack.ports["state_projector"]),
                      expect=expect)


def views(stack):
    """Role -> id."""
    listed = json.loads(stack.tool("state_projector", "views", "--json"))["views"]
    return {view["role"]: view["view_id"] for view in listed}


def build(stack):
    answer = stack.http("state_projector").get("/admin/rebuild")
    assert answer.status == 200, answer
    return answer.json


def ask(stack, what):
    answer = stack.http("state_projector").request("POST", f"/admin/{what}")
    assert answer.status == 202, answer


def wait_served(stack, view_id):
    processes.wait_until(lambda: views(stack).get("serving") == view_id, WAIT_SECONDS,
                         lambda: f"{view_id} serves\n{stack.tails()}")


class Readers:
    """Clients that ask for known images all the time; each answer must be there."""

    def __init__(self, stack, ids, count=3):
        self.stack, self.ids = stack, ids
        self.reads, self.wrong = 0, []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._read) for _ in range(count)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _read(self):
        while not self._over.is_set():
            for path in [f"/v1/images/{image_id}" for image_id in self.ids] + ["/v1/images?limit=5"]:
                try:
                    status = self.stack.http().get(path).status
                except OSError as error:
                    status = repr(error)
                self.reads += 1
                if status != 200:
                    self.wrong.append((path, status))


def test_no_query_fails_while_the_view_is_rebuilt_under_load(stack, ids):
    before = views(stack)["serving"]
    with Readers(stack, ids) as readers, Workload(stack, seed=3) as work:
        work.steady(3)
        shown = projector(stack, "rebuild")
        work.wait_for_ends(3)
        assert readers.reads > 0
        assert not readers.wrong, readers.wrong[:5]
    assert "records/s" in shown.splitlines()[0]
    after = views(stack)
    assert after["serving"] != before and after["previous"] == before
    for image_id in work.uploaded:
        stack.wait_terminal(image_id)
    projector(stack, "verify")


def told_until_completed(events, image_id):
    """What listeners are told, up to the completion of that image."""
    told = [next(events)]
    while told[-1].name != "image" or (told[-1].data["id"], told[-1].data["state"]) != (
            image_id, "completed"):
        told.append(next(events))
    return told


def test_who_listens_is_told_once_of_another_view_and_listens_on(stack, ids):
    with event_stream.EventStream(stack.ports["ingest"]) as stream:
        events = iter(stream)
        old, new = views(stack)["serving"], None
        before = told_until_completed(events, stack.upload(images.jpeg(seed=80)))
        projector(stack, "rebuild")
        new = views(stack)["serving"]
        resync = next(events)
        image_id = stack.upload(images.jpeg(seed=81))
        after = told_until_completed(events, image_id)
    assert {event.id.rpartition("-")[0] for event in before} == {old}
    assert resync.name == "resync" and resync.data["images"]["completed"] > len(ids) // 2
    assert {event.name for event in after} == {"image"}
    numbers = [event.id.rpartition("-") for event in (resync, *after)]
    assert {view_id for view_id, _, _ in numbers} == {new}
    first = int(numbers[0][2])
    assert [int(number) for _, _, number in numbers] == list(range(first, first + len(numbers)))
    assert {event.data["id"] for event in after} == {image_id}


def test_back_to_the_previous_view_and_rid_of_it(stack, ids):
    before = views(stack)
    newer = stack.upload(images.jpeg(seed=90))
    stack.wait_terminal(newer)
    projector(stack, "rollback")
    after = views(stack)
    assert (after["serving"], after["previous"]) == (before["previous"], before["serving"])
    assert stack.image(newer)["state"] == "completed"
    for image_id in ids:
        assert stack.image(image_id)["id"] == image_id
    projector(stack, "verify")
    projector(stack, "discard")
    assert set(views(stack)) == {"serving"}
    slip = stack.http("state_projector").request("POST", "/admin/rebuild?from=chekpoint")
    assert slip.status == 400 and build(stack)["state"] == "serving", slip
    refused = stack.http("state_projector").request("POST", "/admin/rollback")
    assert refused.status == 409 and refused.json["code"] == "nothing-to-go-back-to", refused


@pytest.mark.parametrize("step", ["rebuild.after-batch", "rebuild.before-publish",
                                  "rebuild.after-publish"])
def test_a_rebuild_that_is_killed_is_gone_on_with(stack, ids, step):
    stack.stop("state_projector")
    before = views(stack)["serving"]
    stack.start("state_projector", settings={"THUMB_FAILPOINT": step})
    stack.wait_ready("state_projector")
    ask(stack, "rebuild")
    processes.wait_until(lambda: stack.has_ended("state_projector"), WAIT_SECONDS,
                         lambda: f"{step} is reached\n{stack.tails()}")
    stack.require_killed("state_projector")
    assert stack.image(ids[0])["state"] == "completed"  # the view that served goes on serving
    left = views(stack)
    half_built = left["serving"] if step == "rebuild.after-publish" else left["building"]
    assert half_built != before
    stack.start("state_projector")
    wait_served(stack, half_built)
    stack.wait_ready("state_projector")
    assert views(stack).get("previous") == before
    projector(stack, "verify")


def test_a_restore_that_is_killed_begins_again(stack, ids):
    projector(stack, "checkpoint")
    stack.stop("state_projector")
    before = views(stack)["serving"]
    stack.start("state_projector", settings={"THUMB_FAILPOINT": "rebuild.after-file"})
    stack.wait_ready("state_projector")
    ask(stack, "rebuild?from=checkpoint")
    processes.wait_until(lambda: stack.has_ended("state_projector"), WAIT_SECONDS,
                         lambda: f"a file is copied\n{stack.tails()}")
    stack.require_killed("state_projector")
    assert stack.image(ids[0])["state"] == "completed"  # the view that served goes on serving
    left = views(stack)
    assert left["serving"] == before and "building" not in left
    assert len(folders(stack)) == len(left) + 1  # nothing could go on with half a copy
    stack.start("state_projector")
    processes.wait_until(lambda: views(stack)["serving"] != before, WAIT_SECONDS,
                         lambda: f"another view serves\n{stack.tails()}")
    processes.wait_until(lambda: len(folders(stack)) == 2, WAIT_SECONDS, lambda: f"{folders(stack)}")
    stack.wait_ready("state_projector")
    assert views(stack)["previous"] == before
    assert build(stack)["task"] == "restore"
    assert stack.image(ids[0])["state"] == "completed"
    projector(stack, "verify")


def test_a_new_instance_begins_with_the_newest_good_checkpoint(stack, ids):
    projector(stack, "checkpoint")
    good = checkpoints(stack)
    later = stack.upload(images.jpeg(seed=91))
    stack.wait_terminal(later)
    projector(stack, "checkpoint")
    (damaged,) = checkpoints(stack) - good
    stack.stop("state_projector")
    digest = stack.tool("state_projector", "digest").splitlines()[-1]
    with next(damaged.glob("*.sst")).open("r+b") as table:
        table.seek(100)
        table.write(b"damage")
    shutil.rmtree(stack.folder / "view")
    log_before = len(stack.log("state_projector").read_text())
    stack.start("state_projector")
    stack.wait_ready("state_projector")
    log = stack.log("state_projector").read_text()[log_before:]
    assert "checkpoint passed over" in log and damaged.name in log, log
    assert "view restored from a checkpoint" in log, log
    assert stack.image(later)["state"] == "completed"
    assert stack.image(ids[0])["state"] == "completed"
    stack.stop("state_projector")
    assert stack.tool("state_projector", "digest").splitlines()[-1] == digest
    stack.tool("state_projector", "verify")
    stack.start("state_projector")
    stack.wait_ready("state_projector")


def test_the_commands_do_it_themselves_where_no_projector_runs(stack, ids):
    stack.stop("state_projector")
    first = views(stack)["serving"]
    digest = stack.tool("state_projector", "digest").splitlines()[-1]
    stored = checkpoints(stack)
    stack.tool("state_projector", "checkpoint")
    assert len(checkpoints(stack) - stored) == 1

    stack.tool("state_projector", "rebuild")
    rebuilt = views(stack)["serving"]
    assert views(stack) == {"serving": rebuilt, "previous": first} and rebuilt != first
    assert first in stack.tool("state_projector", "rollback")
    assert views(stack) == {"serving": first, "previous": rebuilt}
    restored = stack.tool("state_projector", "restore").split()[1]
    assert views(stack) == {"serving": first, "building": restored, "previous": rebuilt}
    stack.tool("state_projector", "discard")
    assert views(stack) == {"serving": first}
    stack.tool("state_projector", "rollback", expect=1)
    assert stack.image(ids[0])["state"] == "completed"

    restored = stack.tool("state_projector", "restore").split()[1]
    stack.start("state_projector")
    wait_served(stack, restored)  # it goes on with what was restored
    assert stack.tool("state_projector", "digest").splitlines()[-1] == digest
    projector(stack, "verify")


def test_checkpoints_are_written_by_the_clock_and_older_ones_go(stack, ids):
    old = checkpoints(stack)
    assert old
    stack.stop("state_projector")
    stack.start("state_projector", settings={"THUMB_CHECKPOINT_INTERVAL_MS": "100",
                                             "THUMB_CHECKPOINT_KEEP": "2"})
    stack.wait_ready("state_projector")

    def two_new_ones():
        try:
            left = checkpoints(stack)
        except FileNotFoundError:  # one went while we looked
            return False
        return len(left) == 2 and not left & old

    processes.wait_until(two_new_ones, WAIT_SECONDS, lambda: f"two are kept: {checkpoints(stack)}")
    written = stack.metric("state_projector", "thumb_view_checkpoints_total")
    processes.wait_until(
        lambda: stack.metric("state_projector", "thumb_view_checkpoints_total") >= written + 2,
        WAIT_SECONDS, "two more are written")
    processes.wait_until(two_new_ones, WAIT_SECONDS, lambda: f"two are kept: {checkpoints(stack)}")
    assert stack.metric("state_projector", "thumb_view_checkpoint_failures_total") == 0
    stack.stop("state_projector")
    stack.start("state_projector")
    stack.wait_ready("state_projector")


def folders(stack):
    """Of all views, whole or not."""
    return sorted((stack.folder / "view").glob("v-*"))


def checkpoints(stack):
    """The folders of all finished checkpoints."""
    return {path.parent for path in (stack.folder / "blobs/objects").glob("*/checkpoints/**/manifest-*")}


def test_digests_over_http_are_those_of_the_command(stack):
    told = stack.http("state_projector").get("/admin/digest").json
    printed = json.loads(stack.tool("state_projector", "digest", "--json"))
    assert told == printed
    assert len(told["partitions"]) == 12 and len(told["sha256"]) == 64
    assert build(stack)["state"] in ("none", "serving")


def test_a_page_in_a_browser_can_wish_for_nothing(stack):
    answer = stack.http("state_projector").request("POST", "/admin/rebuild",
                                                   headers={"Origin": "http://example.org"})
    assert answer.status == 403, answer
