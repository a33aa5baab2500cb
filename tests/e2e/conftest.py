"""Fixtures of the end-to-end tests: real binaries, a real broker."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.broker import Broker  # noqa: E402
from support.stack import Stack  # noqa: E402


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """All services, ready, on the shared broker under a topic prefix of their own."""
    running = Stack(tmp_path_factory.mktemp("stack"))
    try:
        yield running.up()
        running.down()
    finally:
        running.close()


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory):
    """A broker that the test may stop."""
    broker = Broker(tmp_path_factory.mktemp("kafka")).start()
    try:
        yield broker
    finally:
        broker.stop()


@pytest.fixture(scope="module")
def own_stack(own_broker, tmp_path_factory):
    """All services on a broker that the test may stop."""
    running = Stack(tmp_path_factory.mktemp("stack"), own_broker.bootstrap)
    try:
        yield running.up()
    finally:
        running.close()
