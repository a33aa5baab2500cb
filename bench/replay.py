"""The row of the replay: a view built anew from the first record, against the same fold in Kafka
Streams (tests/oracle) over the same topics."""

import shutil

from support import oracle

from bench.cpus import running_on
from bench.event_log import EventLog, shared_broker
from bench.frame import Row, take_turns

AGAINST = "Kafka Streams 4.1, changelog off"
EVENTS = 1_000_000
TURNS = 3


class Log(EventLog):
    """What both sides read, and how each of them does."""

    def __init__(self, folder, cpus, events, bootstrap):
        super().__init__(folder, events, cpus.rest, bootstrap)
        self.cpus = cpus

    def ours(self):
        """The whole command: the process starts, asks the cluster, builds, digests both views, swaps."""
        with running_on(self.cpus.workers(2)):
            return self.run("state_projector", "rebuild")

    def theirs(self, class_path):
        """From the first record to the last: without the start of the JVM and joining the group."""
        state = self.folder / "streams"
        shutil.rmtree(state, ignore_errors=True)
        with running_on(self.cpus.workers(2)):
            return oracle.fold(class_path, self.stack.bootstrap, state, self.events,
                               self.stack.prefix)["seconds"]


def replay(folder, cpus, smoke):
    """Turns of both; theirs is left out of a smoke run."""
    class_path = None if smoke else oracle.build()
    events = EVENTS // 50 if smoke else EVENTS
    seconds = {"ours": [], "theirs": []}
    with Log(folder / "replay", cpus, events, shared_broker(smoke)) as log:
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
