"""The faults. Each takes one target for a while: begin(), then end(), which heals it."""

import dataclasses
import signal
from typing import Callable

from support.broker import Broker

from .world import BEHIND_PROXY, INGESTS, PROCESSORS


@dataclasses.dataclass(frozen=True)
class Fault:
    kind: str
    target: str
    seconds: tuple  # how long it lasts: from, to
    begin: Callable
    end: Callable
    recovered: Callable = lambda _: True  # asked after end(), until it says so
    rest: float = 0.0  # seconds from then in which nothing more happens to the target


def _kill(instance):
    def end(world):
        world.start(instance)
    return Fault(f"kill {instance.rstrip('-23')}", instance, (0.0, 3.0),
                 lambda world: world.kill(instance), end)


def _freeze(instance):
    """Longer than its session lasts, or shorter: then it comes back as a zombie, or as if nothing was."""
    def send(world, signum):
        world.stack.running[instance].send_signal(signum)

    def begin(world):
        world.frozen.add(instance)
        send(world, signal.SIGSTOP)

    def end(world):
        send(world, signal.SIGCONT)
        world.frozen.discard(instance)
    return Fault("freeze processor", instance, (2.0, 14.0), begin, end)


def _broker(kind, seconds, leave, come_back):
    """Not waited for: other faults meet a broker that is just starting. But once it answers it is left
    alone for longer than a dead member's session lasts, or nothing but waiting would be tested."""
    return Fault(kind, "broker", seconds, lambda world: leave(world.broker),
                 lambda world: come_back(world.broker), lambda world: world.broker.answers(), rest=15.0)


def _link(kind, spoil):
    return Fault(f"link {kind}", "link", (2.0, 13.0), lambda world: spoil(world.proxy),
                 lambda world: world.proxy.heal())


def all_faults(world):
    """Every fault that is possible here, and the names of those that are not."""
    faults = [_kill(instance) for instance in (*PROCESSORS, "state_projector", *INGESTS)]
    faults += [_freeze(instance) for instance in ("processor", BEHIND_PROXY)]
    faults += [
        _broker("stop broker", (0.5, 4.0), Broker.stop, Broker.spawn),
        _broker("kill broker", (0.5, 4.0), Broker.kill, Broker.spawn),
        _broker("freeze broker", (1.0, 8.0), Broker.freeze, Broker.thaw),
        _link("cut", lambda proxy: proxy.cut()),
        _link("latency", lambda proxy: proxy.spoil("latency", latency=300, jitter=200)),
        _link("bandwidth", lambda proxy: proxy.spoil("bandwidth", rate=20)),
        _link("reset", lambda proxy: proxy.spoil("reset_peer", timeout=0)),
        _link("silent", lambda proxy: proxy.spoil("timeout", timeout=0)),
    ]
    if world.disk is None:
        return faults, ["disk full (needs root, to mount a small file system)"]
    return faults + [Fault("disk full", "disk", (2.0, 8.0), lambda _: world.disk.fill(),
                           lambda _: world.disk.empty())], []
