"""Which CPUs each part of a measurement runs on, the same for both sides."""

import contextlib
import os


class Cpus:
    """The same split for both sides: the workers' CPUs, and two for all else. On fewer than four CPUs
    nothing is pinned, and that is said."""

    def __init__(self):
        everything = sorted(os.sched_getaffinity(0))
        self.all = set(everything)
        self.pinned = len(everything) >= 4
        self._workers = everything[:2] if self.pinned else everything
        self.rest = set(everything[2:4] if self.pinned else everything)

    def workers(self, count):
        """`count` CPUs for the processes that make the thumbnails, however many threads they have."""
        return set(self._workers[:count]) if self.pinned else set(self._workers)

    def described(self):
        if not self.pinned:
            return f"{len(self.rest)} CPUs, nothing pinned"
        return f"workers on {self._workers[:1]} or {self._workers}, all else on {sorted(self.rest)}"


@contextlib.contextmanager
def running_on(cpus):
    """Children that are started inside inherit these CPUs."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
