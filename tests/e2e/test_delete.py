"""DELETE: the record stays as a stub, the bytes and the personal fields go."""

import time

from support import images, kafka_log, processes


def files_of(stack, image_id):
    return [path for path in (stack.folder / "blobs").rglob("*")
            if image_id in str(path) and path.is_file()]


def test_delete(stack):
    answer = stack.http().post_files([("file", "holiday.jpg", images.jpeg(seed=40))])
    image_id = answer.json["images"][0]["id"]
    other = stack.upload(images.jpeg(seed=41))
    for one in (image_id, other):
        assert stack.wait_terminal(one)["state"] == "completed"
    assert len(files_of(stack, image_id)) == 2  # the original and the thumbnail

    deleted = stack.http().delete(f"/v1/images/{image_id}")
    assert deleted.status == 200, deleted
    assert deleted.json["id"] == image_id and deleted.json["state"] == "deleted"

    position = {"Min-Position": deleted.headers["Position"]}
    for path in ("", "/thumbnail", "/original"):
        gone = stack.http().get(f"/v1/images/{image_id}{path}", position)
        assert gone.status == 410, f"{path}: {gone}"
    left = stack.http().get(f"/v1/images/{image_id}").json
    assert left["id"] == image_id and left["deleted_at"]
    assert "holiday" not in str(left)

    processes.wait_until(lambda: not files_of(stack, image_id), 60,
                         lambda: f"the blobs are gone: {files_of(stack, image_id)}\n{stack.tails()}")
    assert len(files_of(stack, other)) == 2
    listed = [resource["id"] for resource in stack.http().list_all()]
    assert image_id not in listed and other in listed
    assert stack.http().get(f"/v1/images/{other}").status == 200


def test_the_personal_fields_get_a_tombstone(stack):
    answer = stack.http().post_files([("file", "secret name.jpg", images.jpeg(seed=42))])
    image_id = answer.json["images"][0]["id"]
    stack.wait_terminal(image_id)
    assert stack.http().delete(f"/v1/images/{image_id}").status == 200
    private = [record for record in kafka_log.read_all(stack.bootstrap, stack.topic("image-private"))
               if record.key == image_id]
    assert [record.value is None for record in private] == [False, True]
    # No other topic ever held the name.
    for name in ("image-requests", "thumbnail-completed", "thumbnail-failed", "thumbnail-started"):
        for record in kafka_log.read_all(stack.bootstrap, stack.topic(name)):
            assert b"secret name" not in record.value


def test_delete_twice_and_delete_nothing(stack):
    image_id = stack.upload(images.jpeg(seed=43))
    stack.wait_terminal(image_id)
    assert stack.http().delete(f"/v1/images/{image_id}").status == 200
    assert stack.http().delete(f"/v1/images/{image_id}").status in (200, 410)
    stamp = int(time.time() * 1000)
    unknown = f"{stamp >> 16:08x}-{stamp & 0xffff:04x}-7000-8000-000000000001"
    assert stack.http().delete(f"/v1/images/{unknown}").status == 404


def test_delete_at_once(stack):
    """A deletion right behind its upload: whatever the processor was doing, nothing stays."""
    ids = [stack.upload(images.jpeg(800, 600, 50 + number)) for number in range(5)]
    for image_id in ids:
        assert stack.http().delete(f"/v1/images/{image_id}").status == 200
    for image_id in ids:
        assert stack.http().get(f"/v1/images/{image_id}").status == 410
    processes.wait_until(lambda: not any(files_of(stack, one) for one in ids), 60,
                         lambda: f"the blobs are gone\n{stack.tails()}")
