"""The row of the restore: a new instance that begins with the newest checkpoint, against one that
reads the log from its first record."""

import shutil
import time

from support import processes

from bench.event_log import MISHAP_SECONDS, EventLog, shared_broker
from bench.frame import Row, take_turns

EVENTS = 1_000_000
SMOKE_EVENTS = 60_000  # past what is folded record by record
TURNS = 3
AGAINST = "full replay of the same log"


class Instance:
    """A projector that has nothing yet but the log and the blob store."""

    def __init__(self, log):
        self.log = log
        self.stack = log.stack

    def begin(self):
        """Starts on an empty disk; seconds until it serves what the log holds, how many records it
        folded for that, and the digest."""
        shutil.rmtree(self.stack.folder / "view")
        begun = time.monotonic()
        self.stack.start("state_projector")
        processes.wait_until(self._serves, MISHAP_SECONDS, lambda: self.stack.tails(), pause=0.005)
        seconds = time.monotonic() - begun
        folded, digest = self.log.admin("/admin/rebuild")["records"], self.log.digest()
        self.stack.stop("state_projector")
        return {"seconds": seconds, "folded": folded, "digest": digest}

    def _serves(self):
        self.stack.require_alive()
        try:
            return self.stack.http("state_projector").get("/readyz").status == 200
        except OSError:
            return False

    # --- checkpoints in the blob store ---

    def _shelf(self):
        return next((self.stack.folder / "blobs/objects").glob("*/checkpoints"))

    def newest_checkpoint(self):
        return max((path.parent for path in self._shelf().glob("*/*/*/manifest-*")),
                   key=lambda folder: folder.name)

    def begin_without_checkpoints(self):
        shelf, hidden = self._shelf(), self.stack.folder / "hidden"
        shelf.rename(hidden)
        try:
            return self.begin()
        finally:
            shelf.parent.mkdir(parents=True, exist_ok=True)
            hidden.rename(shelf)


def damage(checkpoint):
    """Turns some bits over in the middle of its largest file."""
    table = max(checkpoint.glob("*.sst"), key=lambda path: path.stat().st_size)
    with table.open("r+b") as file:
        file.seek(table.stat().st_size // 2)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 0xFF]))


def restore(folder, cpus, smoke):
    """Two checkpoints, with a hundredth of the log after each."""
    events, turns = (SMOKE_EVENTS, 1) if smoke else (EVENTS, TURNS)
    tail = events // 100
    found = {"ours": [], "theirs": []}
    with EventLog(folder / "restore", events - 2 * tail, cpus.all, shared_broker(smoke)) as log:
        instance = Instance(log)
        for _ in range(2):
            log.run("state_projector", "checkpoint")
            log.write(tail)
            log.bring_up_to_date()
        sides = {"ours": instance.begin, "theirs": instance.begin_without_checkpoints}
        for _, name in take_turns(turns, *sides):
            found[name].append(sides[name]())
        damage(instance.newest_checkpoint())
        damaged = instance.begin()
    everything = found["theirs"][0]
    assert {turn["digest"] for turn in (*found["ours"], *found["theirs"], damaged)} == {
        everything["digest"]}
    for turn in found["ours"]:
        assert turn["folded"] < damaged["folded"] < everything["folded"], (turn, damaged, everything)
    seconds = {name: tuple(turn["seconds"] for turn in turns) for name, turns in found.items()}
    row = Row("restore", "s", AGAINST, "<= 0.1", seconds["ours"], seconds["theirs"])
    return [row], {"events": events, "tail": tail, "damaged": damaged, **found}


EXPERIMENTS = {"restore": restore}
