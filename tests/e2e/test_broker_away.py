"""The one broker goes and comes back under load, and the way to it goes silent: everything recovers by
itself, nothing is lost or doubled, and no service is started again."""

import time

import pytest

from support import outcomes, processes
from support.broker import Broker
from support.load import Load
from support.stack import Stack
from support.toxiproxy import Toxiproxy

PAUSE_SECONDS = 60  # for work to go on once the broker is back; generous: the pause is reported
SETTLE_SECONDS = 120
SILENT_SECONDS = 8  # longer than any client waits for an answer


@pytest.fixture(scope="module")
def way(tmp_path_factory):
    """(broker, proxy): the services come through the proxy, the test itself does not."""
    folder = tmp_path_factory.mktemp("kafka")
    first = processes.free_ports(3)
    broker = Broker(folder, first, proxied=(first + 1, first + 2)).start()
    proxy = Toxiproxy(first + 2, first + 1, folder / "toxiproxy.log")
    try:
        yield broker, proxy
    finally:
        proxy.close()
        broker.stop()


@pytest.fixture(scope="module")
def stack(way, tmp_path_factory):
    broker, proxy = way
    running = Stack(tmp_path_factory.mktemp("stack"), broker.bootstrap,
                    {"THUMB_KAFKA_BOOTSTRAP": f"127.0.0.1:{proxy.port}"})
    try:
        yield running.up()
        running.down()
    finally:
        running.close()


def disturb(stack, disturbances):
    """Does each of them under load, goes on when work goes on again, and checks everything."""
    ends = outcomes.Ends(stack)
    stretches = {}
    with Load(stack, clients=4, pace=0.1, seed=51, changes=True) as load:
        ends.wait_for_more(20, PAUSE_SECONDS)
        for name, act in disturbances.items():
            begin = time.time()
            act()
            ends.wait_for_more(40, PAUSE_SECONDS)
            load.require_healthy()
            stretches[name] = begin, time.time()
    ends.close()
    log = outcomes.check_all(stack, load.told, SETTLE_SECONDS)
    pauses = {f"pause, {name}": log.longest_pause(*stretch) for name, stretch in stretches.items()}
    outcomes.print_report("the broker was away", {**pauses, **outcomes.summary(log, load)})
    stack.require_alive()


def test_restarts(stack, way):
    broker, _ = way

    def stopped():
        broker.stop()
        broker.start()

    def killed():
        broker.kill()
        broker.start()

    disturb(stack, {"broker stopped and started": stopped, "broker killed and started": killed})


def test_silent_link(stack, way):
    """Nothing comes through though the connections stay, as when a machine vanishes: only time-outs of
    the clients' own can tell."""
    _, proxy = way

    def silent():
        proxy.spoil("timeout", timeout=0)
        time.sleep(SILENT_SECONDS)
        proxy.heal()

    disturb(stack, {f"silent for {SILENT_SECONDS} s": silent})
