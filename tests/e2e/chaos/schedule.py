"""Which fault when: a shuffled pack of all faults, dealt over and over, by a seeded generator. The same
seed deals the same faults; how they meet the load is up to the machine."""

import collections
import time

AT_ONCE = 3
NEXT_SECONDS = (0.3, 2.5)


class Schedule:
    def __init__(self, world, faults, rng):
        self._world = world
        self._faults = faults
        self._rng = rng
        self._pack = []
        self._going = []  # (when it ends, fault)
        self._recovering = []  # faults that are over, their targets not yet well
        self._resting = {}  # target -> until when
        self.counts = collections.Counter()
        self.story = []   # (second, what)
        self._began = time.monotonic()

    def run(self, seconds, watch):
        """Begins and ends faults for so long; `watch` is called in between, and may raise."""
        deadline = time.monotonic() + seconds
        following = time.monotonic()
        while time.monotonic() < deadline:
            self._end_due(time.monotonic())
            self._look_after()
            if time.monotonic() >= following and len(self._going) < AT_ONCE:
                self._begin_one()
                following = time.monotonic() + self._rng.uniform(*NEXT_SECONDS)
            watch()
            time.sleep(0.05)  # the pace of the schedule itself

    def heal(self):
        """Ends what is still going on."""
        self._end_due(float("inf"))

    def _begin_one(self):
        if not self._pack:
            self._pack = list(self._faults)
            self._rng.shuffle(self._pack)
        taken = {fault.target for _, fault in self._going}
        taken |= {fault.target for fault in self._recovering}
        taken |= {target for target, until in self._resting.items() if until > time.monotonic()}
        fault = next((one for one in self._pack if one.target not in taken), None)
        if fault is None:
            return
        self._pack.remove(fault)
        self._tell(f"{fault.kind} ({fault.target})")
        fault.begin(self._world)
        self.counts[fault.kind] += 1
        self._going.append((time.monotonic() + self._rng.uniform(*fault.seconds), fault))

    def _end_due(self, now):
        for entry in [entry for entry in self._going if entry[0] <= now]:
            self._going.remove(entry)
            self._tell(f"over: {entry[1].kind} ({entry[1].target})")
            entry[1].end(self._world)
            self._recovering.append(entry[1])

    def _look_after(self):
        for fault in list(self._recovering):
            if fault.recovered(self._world):
                self._recovering.remove(fault)
                self._resting[fault.target] = time.monotonic() + fault.rest

    def _tell(self, what):
        self.story.append((round(time.monotonic() - self._began, 1), what))
