"""The row of the rebuild: what status reads take while a view is built beside the one that serves,
against what they take without."""

import contextlib
import json
import re
import signal
import subprocess
import time

from support import processes
from support.stack import required_env

from bench.event_log import MISHAP_SECONDS, EventLog, shared_broker
from bench.frame import Row, percentile, take_turns

EVENTS = 1_000_000
SMOKE_EVENTS = 60_000  # past what is folded record by record
TURNS = 3
RATE = 2_000  # questions a second
CONNECTIONS = 16
WARM_UP_MS = 1_000
QUIET_SECONDS = 10
ASKED_FOR = 10_000  # images
AGAINST = "the same without a rebuild"


class Reads:
    """Questions for known images at a steady rate, while this is entered. Then `report` has what each
    took, in order."""

    def __init__(self, port, ids, rate):
        self._words = [required_env("THUMB_BIN_DIR") + "/bench_load", "--workload", "steady-reads",
                       "--port", port, "--ids", ids, "--rate", rate, "--connections", CONNECTIONS,
                       "--warm-up-ms", WARM_UP_MS, "--measured-ms", MISHAP_SECONDS * 1000]
        self._process = None
        self.report = None

    def __enter__(self):
        self._process = subprocess.Popen([str(word) for word in self._words], text=True,
                                         stdout=subprocess.PIPE, preexec_fn=processes.die_with_parent)
        assert self._process.stdout.readline() == "measuring\n"
        return self

    def __exit__(self, failed, *_):
        self._process.send_signal(signal.SIGTERM)
        out, _ = self._process.communicate(timeout=60)
        if failed:
            return
        self.report = json.loads(out)
        assert self.report["failed"] == 0, (
            f"{self.report['failed']} questions failed: {self.report['first_failure']}")
        assert self.report["count"] > 0


def write_ids(log, path):
    """Ids of images that are there, from all over the view."""
    found = []
    with contextlib.closing(subprocess.Popen(
            [required_env("THUMB_BIN_DIR") + "/state_projector", "dump"], env=log.stack.env, text=True,
            stdout=subprocess.PIPE, preexec_fn=processes.die_with_parent).stdout) as lines:
        for line in lines:
            if '"visible":false' not in line and '"state":"deleted"' not in line:
                found.append(re.search(r'"id":"([0-9a-f-]{36})"', line).group(1))
    step = max(1, len(found) // ASKED_FOR)
    path.write_text("".join(f"{image_id}\n" for image_id in found[::step]))
    return path


def quiet(log, reads, seconds):
    with reads:
        time.sleep(seconds)
    return reads.report


def while_rebuilding(log, reads):
    """From the operator's command to the swap."""
    with reads:
        begun = time.monotonic()
        log.run("state_projector", "rebuild", "--admin-port", str(log.stack.ports["state_projector"]))
        took = time.monotonic() - begun
    return {**reads.report, "rebuild_seconds": took}


def killed_in_the_middle(log, reads):
    """The projector dies half-way, is started again, and goes on with the rebuild by itself."""
    with reads:
        log.admin("/admin/rebuild", "POST")
        processes.wait_until(lambda: log.admin("/admin/rebuild")["records"] >= log.events / 2,
                             MISHAP_SECONDS, "half of it is read", pause=0.01)
        half_built = log.views()["building"]
        log.stack.kill("state_projector")
        log.stack.start("state_projector")
        log.stack.wait_ready("state_projector")
        processes.wait_until(lambda: log.views()["serving"] == half_built, MISHAP_SECONDS,
                             lambda: f"it has been gone on with\n{log.stack.tails()}")
    return reads.report


def rebuild_under_load(folder, cpus, smoke):
    """No process is pinned, and all but the rebuild have the priority that everybody has."""
    events, turns = (SMOKE_EVENTS, 1) if smoke else (EVENTS, TURNS)
    reports = {"ours": [], "theirs": [], "killed": []}
    with EventLog(folder / "rebuild", events, cpus.all, shared_broker(smoke)) as log:
        for service in ("state_projector", "ingest"):
            log.stack.start(service)
            log.stack.wait_ready(service)
        ids = write_ids(log, folder / "ids")
        before = log.digest()

        def reads():
            return Reads(log.stack.ports["ingest"], ids, RATE // 10 if smoke else RATE)

        sides = {"theirs": lambda: quiet(log, reads(), 0.5 if smoke else QUIET_SECONDS),
                 "ours": lambda: while_rebuilding(log, reads())}
        for _, name in take_turns(turns, *sides):
            reports[name].append(sides[name]())
        assert log.digest() == before
        reports["killed"].append(killed_in_the_middle(log, reads()))
        assert log.digest() == before
    p99 = {name: tuple(percentile(report["ms"], 99) for report in reports[name])
           for name in ("ours", "theirs")}
    row = Row("rebuild-under-load", "ms", AGAINST, "<= 2", p99["ours"], p99["theirs"])
    return [row], {"events": events, "rate": RATE, "digest": before[0], **reports}


EXPERIMENTS = {"rebuild-under-load": rebuild_under_load}
