"""A private Kafka for tests: the brokers of kafka/broker on free ports, data in a folder of the
caller's. They die with the process that started them."""

import json
import os
import pathlib
import signal
import socket
import subprocess

from . import processes


class Broker:
    """One node: alone, or number `node` of a Cluster."""
    START_SECONDS = 90
    STOP_SECONDS = 30

    def __init__(self, folder, port=None, proxied=None, node=1, nodes=1):
        """`proxied` = (port, advertised port): another listener, whose clients are told to come to the
        advertised port, where a proxy takes them. `port` is that of node 1."""
        self.folder = pathlib.Path(folder)
        first = port or processes.free_port()
        self.port = first + node - 1
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.log = self.folder / (f"kafka-{node}.log" if nodes > 1 else "kafka.log")
        self.node = node
        self.process = None
        self._env = dict(os.environ, THUMB_KAFKA_PORT=str(first), THUMB_DATA_DIR=str(folder),
                         THUMB_KAFKA_NODES=str(nodes))
        if proxied:
            self._env["THUMB_KAFKA_EXTRA_LISTENER"] = "{}:{}".format(*proxied)

    def start(self):
        """Returns when it answers; keeps what an earlier start wrote."""
        self.spawn()
        self.wait_ready()
        return self

    def spawn(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process = processes.spawn(
            [processes.ROOT / "kafka/broker/broker.sh", "run", str(self.node)], env=self._env,
            log=self.log)

    def wait_ready(self):
        processes.wait_until(self.answers, self.START_SECONDS, lambda: f"Kafka is up\n{self.tail()}")

    def answers(self):
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
            self.process.send_signal(signal.SIGCONT)  # a frozen one could not end
            processes.stop(self.process, self.STOP_SECONDS)
            self.process = None

    def kill(self):
        """kill -9."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def freeze(self):
        """To others as if its machine had lost power: connections stay, and nothing is answered."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        """Does not wait for it."""
        self.process.send_signal(signal.SIGCONT)

    def tail(self):
        return processes.tail(self.log)


class Cluster:
    """Three brokers; what is acknowledged with acks=all is on two at least."""
    NODES = (1, 2, 3)

    def __init__(self, folder):
        first = processes.free_ports(2 * len(self.NODES))
        self.brokers = {node: Broker(folder, first, node=node, nodes=len(self.NODES))
                        for node in self.NODES}
        self.bootstrap = ",".join(broker.bootstrap for broker in self.brokers.values())

    def __getitem__(self, node):
        return self.brokers[node]

    def start(self):
        """Starts what does not run; returns when all answer."""
        for broker in self.brokers.values():
            if not broker.alive():
                broker.spawn()
        for broker in self.brokers.values():
            broker.wait_ready()
        return self

    def stop(self):
        # Together: the last one, asked alone, would wait for a majority in vain.
        for broker in self.brokers.values():
            if broker.alive():
                broker.process.terminate()
        for broker in self.brokers.values():
            broker.stop()

    def wait_in_sync(self, seconds=90):
        """Every partition of every topic has all of its copies in sync again."""
        processes.wait_until(lambda: not self._lagging(), seconds,
                             lambda: f"all copies are in sync: {self._lagging()[:5]}", pause=0.2)

    def _lagging(self):
        return [(topic["topic"], partition["partition"]) for topic in self.metadata()["topics"]
                for partition in topic["partitions"]
                if len(partition["isrs"]) != len(partition["replicas"])]

    def metadata(self):
        """kcat's description of brokers and topics, from any that answers."""
        done = subprocess.run(["kcat", "-b", self.bootstrap, "-L", "-J", "-m", "10"],
                              capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return json.loads(done.stdout)

    def controller(self):
        """The node that leads the metadata quorum, as the nodes' own files have it. (To clients every
        broker names any one, at random.)"""
        states = []
        for node in self.NODES:
            path = self.brokers[node].folder / f"kafka-{node}/log/__cluster_metadata-0/quorum-state"
            states.append(json.loads(path.read_text()))
        return max(states, key=lambda state: state["leaderEpoch"])["leaderId"]

    def group_coordinator(self, group):
        """The node that leads the group's partition of __consumer_offsets."""
        offsets = next(topic for topic in self.metadata()["topics"]
                       if topic["topic"] == "__consumer_offsets")
        number = (_java_hash(group) & 0x7FFFFFFF) % len(offsets["partitions"])
        return next(partition["leader"] for partition in offsets["partitions"]
                    if partition["partition"] == number)


def _java_hash(text):
    """String.hashCode()."""
    value = 0
    for unit in text.encode("utf-16-be")[1::2]:  # the names here are ASCII
        value = (31 * value + unit) & 0xFFFFFFFF
    return value
