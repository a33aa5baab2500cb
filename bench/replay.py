"""The row of the replay: a view built anew from the first record, against the same fold in Kafka
Streams (tests/oracle) over the same topics."""

import shutil
import subprocess
import time

from support import oracle, processes
from support.broker import Broker
from support.stack import Stack, required_env

from bench.cpus import running_on
from bench.frame import Row, take_turns

AGAINST = "Kafka Streams 4.1, changelog off"
EVENTS = 1_000_000
TURNS = 3
MISHAP_SECONDS = 900


class Log:
    """A broker with the events on it, and a view of them that a projector has made."""

    def __init__(self, folder, cpus, events):
        self.folder = folder
        self.cpus = cpus
        self.events = events
        self.broker = Broker(folder / "kafka")
        self.stack = None

    def __enter__(self):
        try:
            with running_on(self.cpus.rest):
                self.broker.start()
            self.stack = Stack(self.folder / "stack", self.broker.bootstrap,
                               {"THUMB_LOG_LEVEL": "error"})
            # A first view of a million events takes the projector longer than a test waits.
            self.stack.READY_SECONDS = MISHAP_SECONDS
            self.stack.tool("topics", "ensure")
            self.run("bench_events", "--count", str(self.events))
            self.stack.start("state_projector")
            self.stack.wait_ready("state_projector")
            self.stack.stop("state_projector")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.stack:
            self.stack.close()
        self.broker.stop()

    def run(self, tool, *words):
        """Seconds by the clock on the wall: as whoever waits for it has them."""
        begun = time.monotonic()
        done = subprocess.run([required_env("THUMB_BIN_DIR") + "/" + tool, *words],
                              env=self.stack.env, capture_output=True, text=True, check=False,
                              timeout=MISHAP_SECONDS, preexec_fn=processes.die_with_parent)
        assert done.returncode == 0, done.stderr
        return time.monotonic() - begun

    def ours(self):
        """The whole command: the process starts, asks the cluster, builds, digests both views, swaps."""
        with running_on(self.cpus.workers(2)):
            return self.run("state_projector", "rebuild")

    def theirs(self, class_path):
        """From the first record to the last: without the start of the JVM and joining the group."""
        state = self.folder / "streams"
        shutil.rmtree(state, ignore_errors=True)
        with running_on(self.cpus.workers(2)):
            return oracle.fold(class_path, self.broker.bootstrap, state, self.events,
                               self.stack.prefix)["seconds"]


def replay(folder, cpus, smoke):
    """Turns of both; theirs is left out of a smoke run."""
    class_path = None if smoke else oracle.build()
    events = EVENTS // 50 if smoke else EVENTS
    seconds = {"ours": [], "theirs": []}
    with Log(folder / "replay", cpus, events) as log:
        sides = {"ours": log.ours}
        if not smoke:
            sides["theirs"] = lambda: log.theirs(class_path)
            log.ours()  # the log is in the page cache for whoever comes first
        for _, name in take_turns(1 if smoke else TURNS, *sides):
            seconds[name].append(sides[name]())
    rates = {name: tuple(events / took for took in turns) for name, turns in seconds.items()}
    row = Row("replay", "events/s", AGAINST, ">= 6", rates["ours"], rates["theirs"])
    return [row], {"events": events, "seconds": seconds}


EXPERIMENTS = {"replay": replay}
