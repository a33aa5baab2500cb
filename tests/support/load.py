"""Load that goes on while something is done to the system: patient clients that upload images of many
kinds, ask for them again and delete them, and remember what they were told."""

import collections
import dataclasses
import random
import threading

from . import images
from .patience import ask_until_answered

CLIENT_SECONDS = 150  # a client gives up after this: nothing may be away for so long


@dataclasses.dataclass
class Told:
    """What became of one image, by what its client was told."""
    sample: images.Sample
    requests: int = 1       # with the upload: those that got their 202
    maybe: bool = False     # a later request or deletion got no answer: it may be in the log
    deleted: bool = False


class Load:
    """Started by `with`; the block's end waits for every client's last answer."""

    def __init__(self, stack, instances=("ingest",), clients=8, seed=1, changes=False, pace=0.05):
        """`changes`: now and then an image is asked for again, or deleted. `pace`: seconds between two
        requests of a client."""
        self.stack = stack
        self.instances = instances
        self.samples = images.many(300, seed)
        self.seed = seed
        self.changes = changes
        self.pace = pace
        self.told = {}
        self.counts = collections.Counter()
        self.errors = []
        self._next = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._client, args=(number,), daemon=True)
                         for number in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind, _value, _trace):
        self._stop.set()
        for thread in self._threads:
            thread.join(CLIENT_SECONDS + 60)
        if kind is None:
            self.require_healthy()
            assert not any(thread.is_alive() for thread in self._threads), "a client never ended"

    def require_healthy(self):
        assert not self.errors, f"{len(self.errors)} clients failed: {self.errors[0]}\n{self.stack.tails()}"

    @property
    def accepted(self):
        with self._lock:
            return list(self.told)

    def _client(self, number):
        rng = random.Random(f"{self.seed}-{number}")
        try:
            while not self._stop.wait(self.pace):
                self._upload(rng)
                if self.changes and rng.random() < 0.15:
                    self._change(rng)
        except Exception as error:  # pylint: disable=broad-except  # told by the main thread
            self.errors.append(repr(error))

    def _upload(self, rng):
        with self._lock:
            sample = self.samples[self._next % len(self.samples)]
            self._next += 1
        answer = self._ask(rng, "upload", "POST", "/v1/images", sample.content)
        if answer.status == 202:
            with self._lock:
                self.told[answer.json["id"]] = Told(sample)
            return
        assert not sample.valid and 400 <= answer.status < 500, f"{sample.name}: {answer}"
        self._count("refused")

    def _change(self, rng):
        with self._lock:
            image_id = rng.choice(list(self.told)) if self.told else None
            told = self.told.get(image_id)
        if told is None or told.deleted:
            return
        if rng.random() < 0.5:
            answer = self._ask(rng, "reprocess", "POST", f"/v1/images/{image_id}/reprocess", told=told)
            told.requests += answer.status == 202
            assert answer.status in (202, 410), answer
        else:
            answer = self._ask(rng, "delete", "DELETE", f"/v1/images/{image_id}", told=told)
            told.deleted = True
            assert answer.status in (200, 410), answer

    def _ask(self, rng, what, method, path, body=None, told=None):
        def request():
            self._count(f"{what} attempted")
            return self.stack.http(rng.choice(self.instances), timeout=40).request(
                method, path, body, {"Content-Type": "application/octet-stream"})

        def note(answer):
            self._count(f"{what} {answer.status if answer else 'unanswered'}")
            if told is not None and (answer is None or answer.status == 503):
                told.maybe = True

        return ask_until_answered(request, CLIENT_SECONDS, lambda: f"{method} {path[:80]}", note)

    def _count(self, what):
        with self._lock:
            self.counts[what] += 1
