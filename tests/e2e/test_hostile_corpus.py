"""Hostile images through the whole pipeline, and past the HTTP door by an event of their own: every one
that is accepted ends exactly once, no process of ours ends, memory stays within its limit.

THUMB_TEST_PIPELINE_MUTANTS says how many bit-flipped files of each format go through (default 100);
the thousands go straight to the sandbox (tests/integration/sandbox/mutants_test.cc).
"""

import os
import random
import threading

import pytest

from support import auditor, bombs, by_event, images, processes
from support.stack import Stack

MUTANTS = int(os.environ.get("THUMB_TEST_PIPELINE_MUTANTS", "100"))
MEGABYTE = 1 << 20
IMAGE_MEMORY = 1024 * MEGABYTE
WORKERS = 2
# What zygote and workers have besides pixels. With sanitizers a byte in eight is shadow on top.
OWN_MEMORY = (WORKERS + 1) * 160 * MEGABYTE
# The processor itself holds originals, thumbnails and Kafka's buffers, never pixels.
PROCESSOR_MEMORY = 512 * MEGABYTE


class MemoryWatch(threading.Thread):
    """The most that a process, and all that descend from it, had resident at one moment."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.own, self.below = pid, 0, 0
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(0.02):
            self.own = max(self.own, processes.resident_bytes(self.pid))
            self.below = max(self.below, sum(map(processes.resident_bytes,
                                                 processes.descendants(self.pid))))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A stack under watch; ends with the proofs that hold for all of its images together."""
    stack = Stack(tmp_path_factory.mktemp("stack"), settings={
        "THUMB_PROCESSOR_WORKERS": str(WORKERS), "THUMB_IMAGE_MEMORY_BYTES": str(IMAGE_MEMORY),
        "THUMB_DECODE_TIMEOUT_MS": "20000"})
    try:
        stack.up()
        pid = stack.running["processor"].pid
        with MemoryWatch(pid) as memory:
            yield stack
            counts = auditor.audit(stack, 120)
        print(f"\n{counts}\nprocessor {memory.own >> 20} MiB, decoders {memory.below >> 20} MiB")
        assert stack.running["processor"].pid == pid
        stack.require_alive()
        assert memory.below < IMAGE_MEMORY * 9 // 8 + OWN_MEMORY
        assert memory.own < PROCESSOR_MEMORY
        assert stack.wait_terminal(stack.upload(images.jpeg(seed=99)))["state"] == "completed"
        stack.down()
    finally:
        stack.close()


def offer(stack, content):
    """The id of an image that was accepted; None if it was refused at the door, with a 4xx."""
    answer = stack.http(timeout=60).post_image(content)
    assert answer.status == 202 or 400 <= answer.status < 500, answer
    return answer.json["id"] if answer.status == 202 else None


def end_of(stack, content):
    """"completed", the code of a failure, or the status of a refusal."""
    answer = stack.http(timeout=60).post_image(content)
    if answer.status != 202:
        assert 400 <= answer.status < 500, answer
        return answer.status
    return outcome(stack, answer.json["id"])


def outcome(stack, image_id):
    resource = stack.wait_terminal(image_id, 120)
    return resource["error"]["code"] if resource["state"] == "failed" else resource["state"]


def end_by_event(stack, content, content_type):
    return outcome(stack, by_event.upload(stack, content, content_type))


def photos():
    rng = random.Random(20261121)
    return {
        "jpeg": [images.jpeg(200, 150, 1), images.jpeg(200, 150, 2, progressive=True),
                 images.oriented_jpeg(200, 150, 6), images.jpeg(1700, 400, 3)],  # the last: at an eighth
        "png": [images.encode(images.picture(120, 90, rng, mode), "PNG") for mode in ("RGB", "RGBA", "P")],
        "gif": [images.encode(images.picture(120, 90, rng, "P"), "GIF"), bombs.blank_gif(90, 60, 4)],
        "webp": [images.encode(images.picture(120, 90, rng, "RGBA"), "WEBP"),
                 images.encode(images.picture(120, 90, rng), "WEBP", lossless=True)],
    }


@pytest.mark.parametrize("kind", ["jpeg", "png", "gif", "webp"])
def test_mutants_and_truncated_files(watched, kind):
    rng = random.Random(kind)
    whole = photos()[kind]
    files = [bombs.flipped(whole[i % len(whole)], rng) for i in range(MUTANTS)]
    files += [content[:len(content) * part // 10] for content in whole for part in range(1, 10)]
    accepted = [image_id for content in files if (image_id := offer(watched, content))]
    assert accepted
    for image_id in accepted:
        watched.wait_terminal(image_id, 120)
    # Past the door: what a careless producer might put on the log.
    for content in files[::10]:
        assert end_by_event(watched, content, f"image/{kind}")


MANY_SCANS = bombs.jpeg_of_many_scans(2400, 1600, 2000)
MANY_FRAMES = bombs.blank_gif(300, 200, 10_000)


@pytest.mark.parametrize("content, ends", [
    pytest.param(bombs.blank_png(7000, 7000), {"completed"}, id="png-49-megapixels"),
    pytest.param(bombs.blank_gif(7000, 7000, 2), {"completed"}, id="gif-49-megapixels"),
    pytest.param(bombs.webp_claiming(7000, 7000), {"completed"}, id="webp-49-megapixels"),
    pytest.param(MANY_FRAMES, {"completed"}, id="gif-of-10000-frames"),
    pytest.param(MANY_SCANS, {"completed", "decode-timeout", "corrupt-image"}, id="jpeg-of-2000-scans"),
    pytest.param(bombs.png_with_texts(10, 200 * MEGABYTE), {"completed", 400}, id="png-zTXt"),
    pytest.param(bombs.png_with_profile(200 * MEGABYTE), {"completed", "corrupt-image", "out-of-memory"},
                 id="png-iCCP"),
])
def test_bombs(watched, content, ends):
    assert end_of(watched, content) in ends


@pytest.mark.parametrize("content", [
    pytest.param(bombs.png(65535, 65535, 8, 2, b"x"), id="png"),
    pytest.param(bombs.gif_claiming(65535, 65535), id="gif"),
    pytest.param(bombs.webp_claiming(16383, 16383), id="webp"),
    pytest.param(bombs.jpeg_claiming(65535, 65535), id="jpeg"),
])
def test_headers_that_claim_too_much(watched, content):
    assert end_of(watched, content) == 422
    assert end_by_event(watched, content, "image/png") == "too-many-pixels"


@pytest.mark.parametrize("size", [(11000, 11000), (65535, 65535)], ids=str)
def test_tiff(watched, size):
    if size[0] > 60000:
        content = b"II*\0\x08\0\0\0\x02\0" + b"".join(
            tag.to_bytes(2, "little") + b"\x04\0\x01\0\0\0" + size[0].to_bytes(4, "little")
            for tag in (256, 257)) + bytes(4)
    else:
        content = bombs.blank("TIFF", *size, compression="tiff_adobe_deflate")
    assert end_of(watched, content) == 415
    assert end_by_event(watched, content, "image/tiff") == "unsupported-format"


@pytest.mark.parametrize("make", [bombs.jpeg_and_zip, bombs.gif_and_script, bombs.png_and_html],
                         ids=lambda make: make.__name__)
def test_polyglots_come_out_as_pictures_only(watched, make):
    image_id = watched.upload(make())
    assert watched.wait_terminal(image_id)["state"] == "completed"
    thumbnail = watched.http().get(f"/v1/images/{image_id}/thumbnail")
    assert thumbnail.status == 200 and thumbnail.headers["X-Content-Type-Options"] == "nosniff"
    for smuggled in (b"evil.sh", b"PK\x03\x04", b"alert", b"script"):
        assert smuggled not in thumbnail.body
