"""Holds what clients were told against the log, as a read_committed subscriber sees it, and against the
view: everything that got a 202 ended exactly once, nothing is open, nothing is there twice. What the
auditor says of the log is asked too; this reads it with another client."""

import collections
import json
import time

from . import auditor, kafka_log, processes

TERMINAL = ("thumbnail-completed", "thumbnail-failed")


class Log:
    """The topics of a stack as they are now."""

    def __init__(self, stack):
        def read(name):
            return kafka_log.read_all(stack.bootstrap, stack.topic(name))
        commands = read("image-requests")
        self.uploads = [record for record in commands if record.event == "image-uploaded"]
        self.asked = self.uploads + [r for r in commands if r.event == "thumbnail-requested"]
        self.deleted = {record.key for record in commands if record.event == "image-deleted"}
        self.completed, self.failed = (read(name) for name in TERMINAL)
        self.dead = read("image-requests-dlq")
        self.ended = self.completed + self.failed

    def longest_pause(self, begin=0.0, end=float("inf")):
        """Seconds between two ends in a row, by the log's own time, while requests came; only pauses
        that were over within the given stretch of time.time()."""
        times = sorted(r.timestamp / 1000 for r in self.ended)
        last = max(r.timestamp for r in self.asked) / 1000
        return round(max((later - earlier for earlier, later in zip(times, times[1:])
                          if begin <= later <= end and earlier <= last), default=0), 3)


    def longest_wait(self, begin=0.0, end=float("inf")):
        """Seconds from a request to its end, by the log's own time; of those that ended in the stretch."""
        asked = {request_of(r): r.timestamp / 1000 for r in self.asked}
        return round(max((r.timestamp / 1000 - asked[request_of(r)] for r in self.ended
                          if begin <= r.timestamp / 1000 <= end), default=0), 3)


class Ends:
    """Watches requests come and end, from now on."""

    def __init__(self, stack):
        self._stack = stack
        self._ended = set()
        self._open = {}  # request -> when it was asked, by the log
        self._follower = kafka_log.Follower(
            stack.bootstrap, [stack.topic(name) for name in ("image-requests", *TERMINAL)])

    def _read(self):
        for record in self._follower.read():
            if record.event in TERMINAL:
                self._ended.add(request_of(record))
                self._open.pop(request_of(record), None)
            elif record.event != "image-deleted" and request_of(record) not in self._ended:
                self._open[request_of(record)] = record.timestamp / 1000

    def wait_for_more(self, count, seconds):
        """This many more requests end, and all that were asked until now."""
        now, before = time.time(), len(self._ended)

        def enough():
            self._read()
            return len(self._ended) >= before + count and all(asked > now for asked in self._open.values())

        processes.wait_until(enough, seconds, lambda: f"work goes on: {len(self._ended) - before} requests "
                             f"ended, {len(self._open)} are open\n{self._stack.tails()}", pause=0)

    def close(self):
        self._follower.close()


def request_of(record):
    return record.json["request_id"]


def repeated(values):
    return [value for value, times in collections.Counter(values).items() if times != 1]


def check_log(log, told):
    uploaded = {record.key for record in log.uploads}
    assert set(told) <= uploaded, f"accepted, but not in the log: {sorted(set(told) - uploaded)[:5]}"
    assert not repeated(map(request_of, log.asked))
    # Also of those whose client never heard of the acceptance.
    assert not repeated(map(request_of, log.ended)), "a request has more than one end"
    assert set(map(request_of, log.ended)) == set(map(request_of, log.asked))
    assert not repeated((r.headers["ce_source"], r.headers["ce_id"]) for r in log.asked + log.ended)
    requests = collections.Counter(record.key for record in log.asked)
    for image_id, one in told.items():
        assert requests[image_id] >= one.requests, f"{image_id}: {requests[image_id]} requests, {one}"
        assert one.maybe or requests[image_id] == one.requests, f"{image_id}: {one}"
        assert image_id in log.deleted or not one.deleted, f"{image_id} was deleted, not in the log"
        if one.sample.valid and image_id not in log.deleted:
            assert image_id not in {r.key for r in log.failed}, f"{one.sample.name} failed"
    assert not log.dead, f"{len(log.dead)} dead letters: {log.dead[0]}"


def check_view(stack, log, told, seconds=60):
    """The view, once it has caught up, says of every image what the log says."""
    stack_http = stack.http()
    newest = {}
    for record in sorted(log.asked, key=lambda r: (r.partition, r.offset)):
        newest[record.key] = request_of(record)
    ends = {request_of(r): "completed" for r in log.completed}
    ends |= {request_of(r): "failed" for r in log.failed}

    def wanted(image_id):
        return "deleted" if image_id in log.deleted else ends[newest[image_id]]

    def said(image_id):
        answer = stack_http.get(f"/v1/images/{image_id}")
        if answer.status == 410:
            return "deleted"
        assert answer.status in (200, 503), f"{image_id}: {answer}"
        return answer.json.get("state") if answer.status == 200 else None

    for image_id in told:
        processes.wait_until(lambda: said(image_id) == wanted(image_id), seconds,
                             lambda: f"{image_id} is {wanted(image_id)}, not {said(image_id)}")
    stack.tool("state_projector", "verify")


def check_all(stack, told, seconds):
    """Waits until everything has ended, then all of it; returns the log for reports."""
    auditor.audit(stack, seconds)
    log = Log(stack)
    check_log(log, told)
    check_view(stack, log, told)
    return log


def summary(log, load):
    """What a report says of a run."""
    return {"requests in the log": len(log.asked), "completed": len(log.completed),
            "failed": len(log.failed), "deleted": len(log.deleted), "dead letters": len(log.dead),
            "accepted": len(load.told), "longest pause between ends (s)": log.longest_pause(),
            "longest wait for an end (s)": log.longest_wait(),
            **{key: load.counts[key] for key in sorted(load.counts)}}


def print_report(title, values):
    print(f"\n{title}")
    for name, value in values.items():
        print(f"  {name:<34} {json.dumps(value) if isinstance(value, (dict, list)) else value}")
