"""A long log to fold: a broker with as many events on it as are asked for, and a view of them."""

import json
import os
import subprocess
import time

from support import processes
from support.broker import Broker
from support.stack import Stack, required_env

from bench.cpus import running_on

MISHAP_SECONDS = 900


def shared_broker(smoke):
    """What measures has a broker to itself; what only tries itself takes the tests', if there is one."""
    return os.environ.get("THUMB_TEST_KAFKA") if smoke else None


class EventLog:
    """Settings of the tools and the projector are those of `stack`; no service runs at first. `bootstrap`:
    a broker that runs already (for trying the bench), else it has one of its own."""

    def __init__(self, folder, events, broker_cpus, bootstrap=None):
        self.folder = folder
        self.events = events
        self.broker = None if bootstrap else Broker(folder / "kafka")
        self._broker_cpus = broker_cpus
        self._bootstrap = bootstrap
        self._parts = 0
        self.stack = None

    def __enter__(self):
        try:
            if self.broker:
                with running_on(self._broker_cpus):
                    self.broker.start()
            self.stack = Stack(self.folder / "stack", self._bootstrap or self.broker.bootstrap,
                               {"THUMB_LOG_LEVEL": "warn"})
            # A first view of a million events takes the projector longer than a test waits.
            self.stack.READY_SECONDS = MISHAP_SECONDS
            self.stack.tool("topics", "ensure")
            self.write(self.events)
            self.bring_up_to_date()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.stack:
            self.stack.close()
        if self.broker:
            self.broker.stop()

    def write(self, events):
        """So many more, of other images."""
        self._parts += 1
        self.run("bench_events", "--count", str(events), "--seed", str(self._parts))

    def bring_up_to_date(self):
        self.stack.start("state_projector")
        self.stack.wait_ready("state_projector")
        self.stack.stop("state_projector")

    def run(self, tool, *words):
        """Seconds by the clock on the wall: as whoever waits for it has them."""
        begun = time.monotonic()
        done = subprocess.run([required_env("THUMB_BIN_DIR") + "/" + tool, *words],
                              env=self.stack.env, capture_output=True, text=True, check=False,
                              timeout=MISHAP_SECONDS, preexec_fn=processes.die_with_parent)
        assert done.returncode == 0, done.stderr
        return time.monotonic() - begun

    # --- of a running projector ---

    def admin(self, path, method="GET"):
        answer = self.stack.http("state_projector", MISHAP_SECONDS).request(method, path)
        assert answer.status in (200, 202), f"{path}: {answer}\n{self.stack.tails()}"
        return answer.json

    def digest(self):
        """With the positions that it holds at."""
        told = self.admin("/admin/digest")
        return told["sha256"], json.dumps(told["positions"], sort_keys=True)

    def views(self):
        """Role -> id."""
        return {view["role"]: view["view_id"] for view in self.admin("/admin/views")["views"]}
