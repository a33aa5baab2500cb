"""What the faults happen to: a broker, a proxy before it, a small disk, and several instances of every
service that may have them."""

import json
import re
import time

from support import processes
from support.broker import Broker
from support.stack import Stack
from support.toxiproxy import Toxiproxy

from .disk import SmallDisk

PROCESSORS = ("processor", "processor-2", "processor-3")
INGESTS = ("ingest", "ingest-2")
BEHIND_PROXY = "processor-2"
_TRANSACTIONS = re.compile(r'^thumb_processor_transactions_total\{result="(\w+)"\} (\d+)', re.M)


class World:
    """Ends what it started on close()."""

    def __init__(self, folder):
        self.folder = folder
        first = processes.free_ports(3)
        self.broker = Broker(folder / "kafka", first, proxied=(first + 1, first + 2))
        self.proxy = None
        self.disk = SmallDisk.mount(folder / "stack" / "blobs")
        self.stack = None
        self.frozen = set()
        self._link_port = first + 2
        self._upstream = first + 1
        self._transactions = {}  # of each life of a processor: the newest that was heard of it
        self._births = {}

    def up(self):
        self.broker.start()
        self.proxy = Toxiproxy(self._link_port, self._upstream, self.folder / "toxiproxy.log")
        self.stack = Stack(self.folder / "stack", self.broker.bootstrap)
        self.stack.up()
        self.start(BEHIND_PROXY)
        self.start("processor-3")
        self.start("ingest-2")
        for name in (*PROCESSORS, *INGESTS):
            self.stack.wait_ready(name)
        return self

    def start(self, instance):
        settings = {"THUMB_KAFKA_BOOTSTRAP": f"127.0.0.1:{self._link_port}"}
        self._births[instance] = time.monotonic()
        self.stack.start(re.sub(r"-\d$", "", instance), instance,
                         settings if instance == BEHIND_PROXY else None)

    def kill(self, instance):
        self.sample(instance)
        self.stack.kill(instance)

    def sample(self, instance):
        """Notes the transactions of a processor: its counters end with it."""
        if instance not in PROCESSORS or instance in self.frozen or instance not in self.stack.running:
            return
        try:
            text = self.stack.http(instance, timeout=1).get("/metrics").body.decode()
        except OSError:
            return
        life = instance, self._births.get(instance)
        self._transactions[life] = {name: int(count) for name, count in _TRANSACTIONS.findall(text)}

    def transactions(self):
        """Heard of, by result; what a processor did in its last moments is not."""
        for instance in PROCESSORS:
            self.sample(instance)
        totals = {}
        for life in self._transactions.values():
            for name, count in life.items():
                totals[name] = totals.get(name, 0) + count
        return totals

    def partitions_assigned(self):
        """By all rebalances together, as the processors logged them."""
        count = 0
        for instance in PROCESSORS:
            for line in self.stack.log(instance).read_text(errors="replace").splitlines():
                count += '"partition assigned"' in line and json.loads(line)["message"] == "partition assigned"
        return count

    def close(self):
        if self.stack:
            self.stack.close()
        if self.proxy:
            self.proxy.close()
        self.broker.stop()
