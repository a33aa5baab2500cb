"""Changes as they happen: three clients, one of them in another language and one a browser, follow uploads
through the end of the service under them, and see each change once and in order.

THUMB_LIVE_UPLOADS sets how many (1,000; takes about half a minute).
"""

import collections
import concurrent.futures
import contextlib
import json
import os
import threading

import pytest

from support import browser, event_stream, images, processes

UPLOADS = int(os.environ.get("THUMB_LIVE_UPLOADS", "1000"))
DISCONNECTS = 3
LISTENED = "ingest-listened"
SECONDS = 240
FOLLOWER = processes.ROOT / "tests/support/follow_events.mjs"


class Follower(threading.Thread):
    """Follows all changes, coming back with the last id whenever the stream ends."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port = port
        self.seen = []
        self.openings = 0
        self.leaving = threading.Event()

    def run(self):
        last = None
        while not self.leaving.wait(0.05):
            try:
                with event_stream.EventStream(self.port, last_event_id=last) as stream:
                    self.openings += stream.status == 200
                    for event in stream:
                        self.seen.append((event.name, event.id, event.data))
                        last = event.id
            except (OSError, ValueError, IndexError):
                pass  # the service is away


class NodeFollower:
    """The same in Node's words."""

    def __init__(self, port, folder):
        self.log = folder / "node.log"
        self.process = processes.spawn(
            ["node", FOLLOWER, f"http://127.0.0.1:{port}/v1/events"], log=self.log)

    def _lines(self):
        # The last one may be half written.
        return self.log.read_text().split("\n")[:-1] if self.log.exists() else []

    @property
    def openings(self):
        return self._lines().count("open")

    @property
    def seen(self):
        events = [json.loads(line) for line in self._lines() if line.startswith("{")]
        return [(event["event"], event["id"], event["data"]) for event in events]


class BrowserFollower:
    """An EventSource, which does by itself what the standard has it do. It lives in a page that comes
    from the service, since another origin's may not read the stream; any page will do."""

    LISTEN = """
        const follower = {seen: [], openings: 0, source: new EventSource('/v1/events')};
        follower.source.onopen = () => ++follower.openings;
        for (const name of ['image', 'resync'])
          follower.source.addEventListener(name, event =>
            follower.seen.push([name, event.lastEventId, JSON.parse(event.data)]));
        """

    def __init__(self, port, chromium):
        self._page = browser.Page(chromium, f"http://127.0.0.1:{port}/v1/stats")
        self._page.evaluate(self.LISTEN)
        self._seen = []

    @property
    def openings(self):
        assert self._page.evaluate("follower.source.readyState") != 2, "the EventSource has given up"
        return self._page.evaluate("follower.openings")

    @property
    def seen(self):
        self._seen += map(tuple, self._page.evaluate(f"follower.seen.slice({len(self._seen)})"))
        return self._seen


@pytest.fixture
def chromium(tmp_path):
    with contextlib.closing(browser.Browser(tmp_path)) as running:
        yield running


def completed(seen):
    return {data["id"] for _, _, data in seen if data.get("state") == "completed"}


def upload_all(stack, between):
    """Uploads, and calls between(n) when n of them have been accepted."""
    accepted = []
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(stack.upload, images.jpeg(64, 48, seed)) for seed in range(UPLOADS)]
        for job in concurrent.futures.as_completed(jobs):
            accepted.append(job.result())
            between(len(accepted))
    return accepted


def require_each_once_in_order(seen):
    """The feed's numbers have no gaps, so neither may what was told of it."""
    assert {name for name, _, _ in seen} == {"image"}, [event for event in seen if event[0] != "image"]
    ids = [event_id.rpartition("-") for _, event_id, _ in seen]
    assert len({view for view, _, _ in ids}) == 1
    numbers = [int(number) for _, _, number in ids]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    states = collections.defaultdict(list)
    for _, _, data in seen:
        states[data["id"]].append(data["state"])
    order = ["accepted", "processing", "completed"]
    for image_id, told in states.items():
        assert told == [state for state in order if state in told], f"{image_id}: {told}"


def test_three_clients_follow_every_change_through_forced_disconnects(stack, tmp_path, chromium):
    stack.start("ingest", LISTENED)
    stack.wait_ready(LISTENED)
    port = stack.ports[LISTENED]
    followers = [Follower(port), NodeFollower(port, tmp_path), BrowserFollower(port, chromium)]
    followers[0].start()
    processes.wait_until(lambda: all(f.openings >= 1 for f in followers), 30, "all listen")

    def disconnect(count):
        if count % (UPLOADS // (DISCONNECTS + 1)) == 0 and count < UPLOADS:
            before = [f.openings for f in followers]
            stack.kill(LISTENED)
            stack.start("ingest", LISTENED)
            stack.wait_ready(LISTENED)
            processes.wait_until(lambda: all(f.openings > n for f, n in zip(followers, before)), 60,
                                 "all have come back")

    accepted = set(upload_all(stack, disconnect))
    for follower in followers:
        processes.wait_until(lambda one=follower: accepted <= completed(one.seen), SECONDS,
                             lambda: f"all are told as completed\n{stack.tails()}")
    processes.wait_until(lambda: len({f.seen[-1][1] for f in followers}) == 1, 30, "all are level")
    followers[0].leaving.set()
    told = [list(follower.seen) for follower in followers]
    for follower, seen in zip(followers, told):
        assert follower.openings >= DISCONNECTS + 1
        require_each_once_in_order(seen)
    shortest = min(map(len, told))  # each began at its own moment
    assert told[0][-shortest:] == told[1][-shortest:] == told[2][-shortest:]
    processes.stop(followers[1].process, 5)
    stack.stop(LISTENED)


def test_one_image_from_its_state_to_its_deletion(stack):
    image_id = stack.upload(images.jpeg(seed=7))
    port = stack.ports["ingest"]
    path = f"/v1/images/{image_id}/events"
    with event_stream.EventStream(port, path) as stream:
        events = iter(stream)
        seen = [next(events)]
        assert seen[0].name == "image" and seen[0].data["id"] == image_id
        while seen[-1].data["state"] != "completed":
            seen.append(next(events))
        assert stack.http().delete(f"/v1/images/{image_id}").status == 200
        rest = list(events)  # ends by itself
    assert [event.data["state"] for event in rest] == ["deleted"]
    with event_stream.EventStream(port, path, last_event_id=rest[-1].id) as again:
        assert again.status == 204
    with event_stream.EventStream(port, path) as fresh:
        assert fresh.status == 410


def test_a_rebuilt_view_is_told_of_once(stack):
    """An id of another view: the state, then what comes."""
    view_id = stack.http().get("/v1/stats").json["view_id"]
    other = "00000000-0000-4000-8000-000000000000"
    assert other != view_id
    stack.wait_terminal(stack.upload(images.jpeg(seed=9)))
    with event_stream.EventStream(stack.ports["ingest"], last_event_id=f"{other}-7") as stream:
        events = iter(stream)
        first = next(events)
        assert first.name == "resync" and first.id.startswith(view_id)
        assert first.data["images"]["completed"] >= 1
        image_id = stack.upload(images.jpeg(seed=8))
        second = next(events)
    assert second.name == "image" and second.data["id"] == image_id
    assert int(second.id.rpartition("-")[2]) == int(first.id.rpartition("-")[2]) + 1
