"""The disk of the blobs is not mounted when the services start, after a reboot say: only the empty
folder is there that it is mounted on. Nothing is called gone, nothing is made in its place."""

import pytest

from support import images, processes
from support.auditor import audit
from support.stack import SERVICES, Stack


@pytest.fixture
def stack(tmp_path):
    running = Stack(tmp_path)
    try:
        yield running.up()
        running.down()
    finally:
        running.close()


def test_a_start_without_the_disk(stack):
    stack.stop("processor")
    waiting = stack.upload(images.jpeg(seed=1))
    for name in ("ingest", "state_projector"):
        stack.stop(name)
    mount_point, disk = stack.folder / "blobs", stack.folder / "disk"
    mount_point.rename(disk)
    mount_point.mkdir()

    for name in SERVICES:
        stack.start(name)
    for name in SERVICES:
        stack.wait_ready(name)
    processes.wait_until(lambda: stack.metric("processor", "thumb_processor_retries_total") > 0, 60,
                         lambda: f"the request is put off\n{stack.tails()}")
    answer = stack.http().post_image(images.jpeg(seed=2), "image/jpeg")
    assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0, answer
    assert stack.image(waiting)["state"] in ("accepted", "processing")
    assert list(mount_point.iterdir()) == []

    mount_point.rmdir()
    disk.rename(mount_point)
    assert stack.wait_terminal(waiting)["state"] == "completed"
    assert stack.wait_terminal(stack.upload(images.jpeg(seed=3)))["state"] == "completed"
    audit(stack)
