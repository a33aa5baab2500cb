"""Two hundred images of many kinds, 32 at a time: none lost, none twice, through kill -9 of every
service in the middle."""

import collections
import concurrent.futures
import io
import threading

from PIL import Image

from support import images, kafka_log, processes
from support.patience import ask_until_answered

COUNT = 200
AT_A_TIME = 32
SETTLE_SECONDS = 150  # sanitized binaries on two busy cores, and a session time-out of a killed member
CLIENT_SECONDS = 120


def post_until_answered(stack, sample):
    return ask_until_answered(lambda: stack.http(timeout=40).post_image(sample.content), CLIENT_SECONDS,
                              lambda: f"{sample.name}\n{stack.tails()}")


class Uploads:
    """What the clients were told: id -> sample for each 202."""

    def __init__(self):
        self.accepted = {}
        self._lock = threading.Lock()

    def note(self, sample, answer):
        with self._lock:
            if answer.status == 202:
                self.accepted[answer.json["id"]] = sample
                return
        assert not sample.valid and 400 <= answer.status < 500, f"{sample.name}: {answer}"
        assert answer.headers["Content-Type"] == "application/problem+json"


def post_all(stack, samples, disturb):
    """Posts everything; `disturb` watches the number of accepted ones from this thread."""
    uploads = Uploads()
    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        jobs = [pool.submit(lambda one=sample: uploads.note(one, post_until_answered(stack, one)))
                for sample in samples]
        disturb(uploads, jobs)
        for job in jobs:
            job.result()
    return uploads.accepted


def nothing(_uploads, _jobs):
    pass


def killing(stack):
    """kill -9 and restart, one service after the other, while uploads go on."""
    def disturb(uploads, jobs):
        for count, victim in ((40, "processor"), (70, "state_projector"), (100, "ingest")):
            processes.wait_until(lambda: len(uploads.accepted) >= count or all(j.done() for j in jobs),
                                 CLIENT_SECONDS, f"{count} uploads are accepted", pause=0.005)
            assert not all(job.done() for job in jobs), f"too late to kill {victim}"
            stack.kill(victim)
            stack.start(victim)
    return disturb


def wait_until_settled(stack, accepted):
    """Every accepted image has reached its end; returns id -> resource."""
    waiting, settled = set(accepted), {}

    def all_settled():
        for image_id in sorted(waiting):
            answer = stack.http().get(f"/v1/images/{image_id}")
            if answer.status == 503:
                return False
            assert answer.status == 200, f"{image_id}: {answer}"
            if answer.json["state"] not in ("completed", "failed"):
                return False
            settled[image_id] = answer.json
            waiting.discard(image_id)
        return True

    processes.wait_until(all_settled, SETTLE_SECONDS,
                         lambda: f"{len(waiting)} images unsettled: {sorted(waiting)[:5]}\n"
                         + stack.tails(), pause=0.2)
    return settled


def check_outcomes(accepted, settled):
    for image_id, sample in accepted.items():
        resource = settled[image_id]
        if sample.valid:
            assert resource["state"] == "completed", f"{sample.name}: {resource}"
            size = resource["size"]["thumbnail"]
            for ours, wanted in zip((size["width"], size["height"]), sample.thumbnail):
                assert abs(ours - wanted) <= 1, f"{sample.name}: {size}, not {sample.thumbnail}"
        elif resource["state"] == "failed":
            assert resource["error"]["code"], resource


def check_log(stack, accepted, settled):
    """The topics, as a read_committed subscriber sees them, against what clients were told."""
    requests, completed, failed = (
        kafka_log.read_all(stack.bootstrap, stack.topic(name))
        for name in ("image-requests", "thumbnail-completed", "thumbnail-failed"))
    uploaded = collections.Counter(r.key for r in requests if r.event == "image-uploaded")
    ended = collections.Counter(record.key for record in completed + failed)
    assert set(accepted) <= set(uploaded), "accepted, but not in the log"
    assert [key for key, times in uploaded.items() if times != 1] == []
    # Exactly one end for each upload: also for those whose client never heard of its acceptance.
    assert set(ended) == set(uploaded)
    assert [key for key, times in ended.items() if times != 1] == []
    identities = [(r.headers["ce_source"], r.headers["ce_id"]) for r in requests + completed + failed]
    assert len(set(identities)) == len(identities)
    told = {image_id: resource["state"] for image_id, resource in settled.items()}
    in_log = {r.key: "completed" for r in completed} | {r.key: "failed" for r in failed}
    assert {image_id: in_log[image_id] for image_id in told} == told


def check_list(stack, settled):
    listed = collections.Counter(resource["id"] for resource in stack.http().list_all())
    assert [image_id for image_id in settled if listed[image_id] != 1] == []
    assert max(listed.values()) == 1
    failed = {resource["id"] for resource in stack.http().list_all("failed")}
    assert {i for i, resource in settled.items() if resource["state"] == "failed"} <= failed
    assert not {i for i, resource in settled.items() if resource["state"] == "completed"} & failed


def check_thumbnails(stack, accepted, settled):
    for image_id in sorted(accepted)[::8]:
        if settled[image_id]["state"] != "completed":
            continue
        body = stack.http().get(f"/v1/images/{image_id}/thumbnail").body
        thumbnail = Image.open(io.BytesIO(body))
        thumbnail.load()
        size = settled[image_id]["size"]["thumbnail"]
        assert thumbnail.size == (size["width"], size["height"])


def run_case(stack, seed, disturb):
    samples = images.many(COUNT, seed)
    accepted = post_all(stack, samples, disturb)
    assert len(accepted) >= sum(sample.valid for sample in samples)
    settled = wait_until_settled(stack, accepted)
    check_outcomes(accepted, settled)
    check_log(stack, accepted, settled)
    check_list(stack, settled)
    check_thumbnails(stack, accepted, settled)


def test_undisturbed(stack):
    run_case(stack, 1, nothing)


def test_kill_minus_nine_in_the_middle(stack):
    run_case(stack, 2, killing(stack))


def test_view_agrees_with_the_log(stack):
    """verify folds the log once more, into a scratch view, and compares."""
    stack.tool("state_projector", "verify")
