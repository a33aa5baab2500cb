"""What applications do to a stack, patiently: what is not known to be accepted is sent again."""

import concurrent.futures
import itertools
import threading

from . import images, processes
from .patience import ask_until_answered


class Workload:
    """Chains of requests, many at a time. Notes what was answered with 202 (or 200, for a deletion).

    Thread-safe. Use as a context: leaving it waits for everything and raises what any chain raised.
    """

    AT_A_TIME = 16

    def __init__(self, stack, seed=1, patience=90):
        self.stack = stack
        self.patience = patience
        self.uploaded = []
        self.reprocessed = []
        self.deleted = []
        self.ended = 0  # of the steady ones
        self._seeds = itertools.count(seed * 1000)
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._pool = concurrent.futures.ThreadPoolExecutor(self.AT_A_TIME)
        self._chains = []

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self._over.set()
        self._pool.shutdown(cancel_futures=kind is not None)
        if kind is None:
            for chain in self._chains:
                chain.result()

    def _submit(self, chain):
        self._chains.append(self._pool.submit(chain, next(self._seeds)))

    # --- chains ---

    def wave(self):
        """A bit of everything at once: uploads with and without a name, one that can't be decoded,
        one that is asked for again, one that is deleted."""
        for chain in (self._upload, self._upload_named, self._upload_broken, self._upload,
                      self._reprocess, self._delete, self._upload_named):
            self._submit(chain)

    def uploads(self, count):
        for _ in range(count):
            self._submit(self._upload)

    def steady(self, clients):
        """From now until the end: each client uploads an image, waits for its end, and so on."""
        assert clients <= self.AT_A_TIME
        for _ in range(clients):
            self._submit(self._one_after_the_other)

    def wait_for_ends(self, count):
        """Until so many more images of the steady clients have ended."""
        wanted = self.ended + count
        processes.wait_until(lambda: self.ended >= wanted or self._failed(), self.patience,
                             lambda: f"{count} more images end\n{self.stack.tails()}")

    def _failed(self):
        for chain in self._chains:
            if chain.done():
                chain.result()
        return False

    def pending(self):
        """How many chains are not at their end."""
        return sum(not chain.done() for chain in self._chains)

    def _upload(self, seed, body=None):
        body = body or images.jpeg(400, 300, seed)
        return self._note_upload(self.ask(lambda one: one.post_image(body)).json)

    def _one_after_the_other(self, seed):
        while not self._over.is_set():
            image_id = self._upload(seed)
            self._ended(image_id)
            with self._lock:
                self.ended += 1

    def _ended(self, image_id):
        """Waits for the image's end, or for that of the workload."""
        def ended():
            answer = self.ask(lambda one: one.get(f"/v1/images/{image_id}"), accepted=(200,))
            return self._over.is_set() or answer.json["state"] in ("completed", "failed")
        processes.wait_until(ended, self.patience, lambda: f"{image_id} ends\n{self.stack.tails()}")

    def _upload_broken(self, seed):
        return self._upload(seed, images.undecodable_png(seed))

    def _upload_named(self, seed):
        files = [("file", f"picture-{seed}.jpg", images.jpeg(300, 200, seed))]
        return self._note_upload(self.ask(lambda one: one.post_files(files)).json["images"][0])

    def _note_upload(self, resource):
        with self._lock:
            self.uploaded.append(resource["id"])
        return resource["id"]

    def _reprocess(self, seed):
        image_id = self._upload(seed)
        self.ask(lambda one: one.request("POST", f"/v1/images/{image_id}/reprocess"))
        with self._lock:
            self.reprocessed.append(image_id)

    def _delete(self, seed):
        image_id = self._upload_named(seed)
        self.ask(lambda one: one.delete(f"/v1/images/{image_id}"), accepted=(200, 410))
        with self._lock:
            self.deleted.append(image_id)

    def ask(self, request, accepted=(202,)):
        """Sends until there is an answer other than 503; it must be one of `accepted`."""
        answer = ask_until_answered(lambda: request(self.stack.http(timeout=30)), self.patience, self.stack.tails)
        assert answer.status in accepted, answer
        return answer
