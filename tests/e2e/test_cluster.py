"""Three brokers under steady load: each in turn is killed -9, one is stopped cleanly, two are away at
once. Nothing is lost, nothing doubled, and nothing but the brokers is started again."""

import time

import pytest

from support import images, outcomes, processes
from support.broker import Broker, Cluster
from support.load import Load
from support.stack import Stack

PAUSE_SECONDS = 60   # for work to go on; generous: the pauses are reported, and are a few seconds
SETTLE_SECONDS = 120
AWAY_SECONDS = 20    # produce time-out of 10 s, and slack for a busy machine


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    brokers = Cluster(tmp_path_factory.mktemp("kafka")).start()
    try:
        yield brokers
    finally:
        brokers.stop()


@pytest.fixture(scope="module")
def replicated(cluster, tmp_path_factory):
    """All services on the cluster."""
    running = Stack(tmp_path_factory.mktemp("stack"), cluster.bootstrap,
                    {"THUMB_REPLICATION_FACTOR": "3"})
    try:
        yield running.up()
    finally:
        running.close()


@pytest.fixture
def ends(replicated):
    watcher = outcomes.Ends(replicated)
    yield watcher
    watcher.close()


def roles(cluster, stack, node):
    """What the node is, besides the leader of a third of the partitions."""
    found = []
    if cluster.controller() == node:
        found.append("controller")
    if cluster.group_coordinator(f"{stack.prefix}processor") == node:
        found.append("group coordinator")
    return found


def test_each_broker_goes_and_comes_back(replicated, cluster, ends):
    """kill -9 of each in turn, so of the controller and the coordinators too; then one is stopped, and
    the coordinator of the processors' group freezes: its connections stay, but it answers nothing."""
    stretches = {}
    ways = [(node, Broker.kill, Broker.start) for node in cluster.NODES]
    ways += [(2, Broker.stop, Broker.start), (None, Broker.freeze, Broker.thaw)]
    with Load(replicated, clients=6, pace=0.1, seed=31, changes=True) as load:
        ends.wait_for_more(20, PAUSE_SECONDS)
        for node, leave, come_back in ways:
            node = node or cluster.group_coordinator(f"{replicated.prefix}processor")
            name = f"{leave.__name__} broker {node} {roles(cluster, replicated, node)}"
            begin = time.time()
            leave(cluster[node])
            ends.wait_for_more(20, PAUSE_SECONDS)
            load.require_healthy()
            come_back(cluster[node])
            cluster.wait_in_sync()
            stretches[name] = begin, time.time()
    log = outcomes.check_all(replicated, load.told, SETTLE_SECONDS)
    waits = {f"{name}: pause, wait": f"{log.longest_pause(*when)}, {log.longest_wait(*when)} s"
             for name, when in stretches.items()}
    outcomes.print_report("each broker went and came back", {**waits, **outcomes.summary(log, load)})
    replicated.require_alive()


def test_two_brokers_away(replicated, cluster):
    """Below min.insync.replicas nothing is promised: 503, and 202 again when they are back."""
    known = replicated.upload(images.jpeg(seed=41))
    replicated.wait_terminal(known)
    for node in (1, 3):
        cluster[node].kill()
    answer = replicated.http(timeout=AWAY_SECONDS).post_image(images.jpeg(seed=42))
    assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0, answer
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert replicated.http().get(f"/v1/images/{known}").status == 200
    cluster.start()
    told = processes.wait_until(lambda: accepted(replicated), 60, lambda: f"202\n{replicated.tails()}")
    assert replicated.wait_terminal(told, 120)["state"] == "completed"
    outcomes.check_all(replicated, {}, SETTLE_SECONDS)
    replicated.require_alive()
    replicated.down()


def accepted(stack):
    answer = stack.http(timeout=60).post_image(images.jpeg(seed=43))
    assert answer.status in (202, 503), answer
    return answer.json["id"] if answer.status == 202 else None
