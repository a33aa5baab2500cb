"""The view can be deleted, or rebuilt beside its log, and comes out the same."""

import re
import shutil

import pytest

from support import images, kafka_log

HEX = re.compile(r"[0-9a-f]{64}")


@pytest.fixture(scope="module")
def history(stack):
    """A bit of everything: completed, failed and deleted images. Returns all ids."""
    samples = [sample for sample in images.many(60, 3) if sample.valid][:20]
    ids = [stack.upload(sample.content) for sample in samples]
    answer = stack.http().post_files([("f", "a name.jpg", images.jpeg(seed=30))])
    ids.append(answer.json["images"][0]["id"])
    ids.append(stack.upload(images.undecodable_png()))
    for image_id in ids:
        stack.wait_terminal(image_id)
    for image_id in ids[:3]:
        assert stack.http().delete(f"/v1/images/{image_id}").status == 200
    return ids


def answers(stack, ids):
    """What clients see of these images: status and body."""
    found = {}
    for image_id in ids:
        answer = stack.http().get(f"/v1/images/{image_id}")
        assert answer.status in (200, 410), answer
        found[image_id] = (answer.status, answer.json)
    return found, [resource["id"] for resource in stack.http().list_all()]


def digest(stack):
    """SHA-256 of the view as it lies on disk."""
    return HEX.fullmatch(stack.tool("state_projector", "digest").splitlines()[-1]).group(0)


def test_history_is_what_it_is_meant_to_be(stack, history):
    states = [entry[1]["state"] for entry in answers(stack, history)[0].values()]
    assert {"completed", "failed", "deleted"} == set(states)


def test_verify(stack, history):
    stack.tool("state_projector", "verify")


def test_delete_the_view(stack, history):
    before = answers(stack, history)
    for name in ("ingest", "processor", "state_projector"):
        stack.stop(name)
    digest_before = digest(stack)
    shutil.rmtree(stack.folder / "view")
    for name in ("state_projector", "processor", "ingest"):
        stack.start(name)
    stack.wait_ready()
    assert answers(stack, history) == before
    stack.stop("state_projector")
    assert digest(stack) == digest_before
    stack.start("state_projector")
    stack.wait_ready()


def test_rebuild_prints_equal_digests_last(stack, history):
    before = answers(stack, history)
    stack.stop("state_projector")
    lines = stack.tool("state_projector", "rebuild").splitlines()
    old, new = (HEX.search(line).group(0) for line in lines[-2:])
    assert old == new
    # Ingest went on serving meanwhile, and follows to the rebuilt view.
    assert answers(stack, history) == before
    stack.start("state_projector")
    stack.wait_ready()
    image_id = stack.upload(images.jpeg(seed=31))
    assert stack.wait_terminal(image_id)["state"] == "completed"
    assert answers(stack, history)[0] == before[0]


def test_replay_does_not_speak(stack, history):
    """Nothing is emitted because of a replay: one terminal event per image, as before."""
    ended = [record.key for name in ("thumbnail-completed", "thumbnail-failed")
             for record in kafka_log.read_all(stack.bootstrap, stack.topic(name))]
    assert len(ended) == len(set(ended))
    assert set(history) <= set(ended)
