"""A private Kafka for tests: the broker of kafka/broker on a free port, data in a folder of the
caller's. It dies with the process that started it."""

import os
import pathlib
import socket
import subprocess

from . import processes


class Broker:
    START_SECONDS = 90
    STOP_SECONDS = 30

    def __init__(self, folder, port=None):
        self.folder = pathlib.Path(folder)
        self.port = port or processes.free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.log = self.folder / "kafka.log"
        self.process = None

    def start(self):
        """Returns when it answers; keeps what an earlier start wrote."""
        self.folder.mkdir(parents=True, exist_ok=True)
        env = dict(os.environ, THUMB_KAFKA_PORT=str(self.port), THUMB_DATA_DIR=str(self.folder))
        self.process = processes.spawn(
            [processes.ROOT / "kafka/broker/broker.sh", "run"], env=env, log=self.log)
        processes.wait_until(self._answers, self.START_SECONDS, lambda: f"Kafka is up\n{self.tail()}")
        return self

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"Kafka ended while it started\n{self.tail()}")
        # Cheap first: kcat retries for seconds on a port that nobody listens on.
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return subprocess.run(["kcat", "-b", self.bootstrap, "-L", "-m", "2"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              check=False).returncode == 0

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        if self.process is not None:
            processes.stop(self.process, self.STOP_SECONDS)
            self.process = None

    def tail(self):
        return processes.tail(self.log)
