"""The two sides of the pipeline rows, behind one interface: start, set_workers, port, stop.

Each has its door, its queue and its workers as processes of their own, pinned alike (cpus.py).
"""

import os
import pathlib
import shutil
import subprocess

from support import processes
from support.broker import Broker
from support.http_client import Http
from support.stack import Stack

from bench.cpus import running_on

PEER = processes.ROOT / "bench/peer"


class Ours:
    """Kafka and the three services, as `make up` starts them, on free ports."""

    name = "ours"
    # Images decoded at once for each CPU of the workers: one more than CPUs hides the waits on disk.
    WORKERS_PER_CPU = 6

    def __init__(self, folder, cpus):
        self.folder = pathlib.Path(folder)
        self.cpus = cpus
        self.broker = Broker(self.folder / "kafka")
        self.stack = None

    def start(self):
        with running_on(self.cpus.rest):
            self.broker.start()
            # Neither side writes a log line an image.
            self.stack = Stack(self.folder / "stack", self.broker.bootstrap,
                               {"THUMB_LOG_LEVEL": "warn"})
            self.stack.tool("topics", "ensure")
            for name in ("state_projector", "ingest"):
                self.stack.start(name)
            for name in ("state_projector", "ingest"):
                self.stack.wait_ready(name)
        return self

    @property
    def port(self):
        return self.stack.ports["ingest"]

    def set_workers(self, count):
        """Workers on `count` CPUs; 0: none."""
        if "processor" in self.stack.running:
            self.stack.stop("processor")
        if count == 0:
            return
        self.stack.env["THUMB_PROCESSOR_WORKERS"] = str(count * self.WORKERS_PER_CPU)
        with running_on(self.cpus.workers(count)):
            self.stack.start("processor")
            self.stack.wait_ready("processor")

    def pids(self):
        return {"kafka": self.broker.process.pid,
                **{name: process.pid for name, process in self.stack.running.items()}}

    def stop(self):
        if self.stack:
            self.stack.close()
        self.broker.stop()


class Theirs:
    """Redis, the front door and one worker process a CPU, from bench/peer."""

    name = "theirs"
    # The best of 1, 2, 4 and 8 (bench/README.md has the figures).
    CONCURRENCY = 8
    READY_SECONDS = 60

    def __init__(self, folder, cpus, program):
        """`program`: where install_peer() put it."""
        self.folder = pathlib.Path(folder)
        self.cpus = cpus
        self.program = program
        self.port = processes.free_port()
        redis_port = processes.free_port()
        # A fresh machine has no use for ours: npm's node of a pinned version runs it.
        self.node = next(program.glob("node_modules/node-linux-*/bin/node"))
        self.redis = ["redis-server", "--bind", "127.0.0.1", "--port", redis_port, "--save", "",
                      "--appendonly", "yes", "--appendfsync", "everysec", "--dir", self.folder]
        self.env = dict(os.environ, NODE_ENV="production", PEER_HTTP_PORT=str(self.port),
                        PEER_REDIS_PORT=str(redis_port), PEER_DATA_DIR=str(self.folder),
                        PEER_CONCURRENCY=str(self.CONCURRENCY),
                        UV_THREADPOOL_SIZE=str(max(4, self.CONCURRENCY)))
        self.door = []
        self.workers = []

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        with running_on(self.cpus.rest):
            self.door = [self._spawn("redis", self.redis),
                         self._spawn("server", [self.node, self.program / "server.js"])]
        processes.wait_until(self._ready, self.READY_SECONDS,
                             lambda: f"the peer is ready\n{processes.tail(self._log('server'))}")
        return self

    def _log(self, name):
        return self.folder / f"{name}.log"

    def _spawn(self, name, argv):
        return processes.spawn(argv, env=self.env, log=self._log(name), cwd=self.program)

    def _ready(self):
        try:
            return Http(self.port).get("/readyz").status == 200
        except OSError:
            return False

    def set_workers(self, count):
        for worker in self.workers:
            processes.stop(worker, 20)
        self.workers = []
        with running_on(self.cpus.workers(count) if count else self.cpus.rest):
            for number in range(count):
                self._log(f"worker{number}").unlink(missing_ok=True)
                self.workers.append(
                    self._spawn(f"worker{number}", [self.node, self.program / "worker.js"]))
        for number in range(count):
            processes.wait_until(lambda: "ready" in processes.tail(self._log(f"worker{number}")),
                                 self.READY_SECONDS, f"worker {number} is ready")

    def pids(self):
        named = dict(zip(("redis", "server"), self.door))
        named.update((f"worker{number}", worker) for number, worker in enumerate(self.workers))
        return {name: process.pid for name, process in named.items()}

    def stop(self):
        for process in reversed(self.door + self.workers):
            processes.stop(process, 20)


def install_peer(folder):
    """Copies bench/peer and installs what its lock file names, once; returns the folder."""
    folder = pathlib.Path(folder)
    sources = sorted(path for path in PEER.iterdir() if path.suffix in (".js", ".json"))
    lock = folder / "installed-lock.json"
    folder.mkdir(parents=True, exist_ok=True)
    for path in sources:
        shutil.copy(path, folder)
    wanted = (PEER / "package-lock.json").read_bytes()
    if not lock.exists() or lock.read_bytes() != wanted:
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder,
                       check=True)
        lock.write_bytes(wanted)
    return folder
