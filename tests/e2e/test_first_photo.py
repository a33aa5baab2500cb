"""One photo, from curl to the topic that other systems read."""

import io
import json
import subprocess

import jsonschema
import pytest
from PIL import Image, ImageChops, ImageStat

from support import images, kafka_log, processes
from support.stack import SERVICES

PHOTO = processes.ROOT / "examples/photo.jpg"
SCHEMA = processes.ROOT / "schemas/thumbnail-completed.schema.json"


def curl(*words):
    done = subprocess.run(["curl", "-sS", "--max-time", "30", *words], capture_output=True, text=True,
                          check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def photo_id(stack):
    """Posted as anybody would, with the Content-Type that curl makes up."""
    url = f"http://127.0.0.1:{stack.ports['ingest']}/v1/images"
    resource = curl("--data-binary", f"@{PHOTO}", url)
    assert resource["state"] in ("accepted", "processing", "completed")
    return resource["id"]


def test_photo_completes(stack, photo_id):
    resource = stack.wait_terminal(photo_id)
    assert resource["state"] == "completed", resource
    assert resource["content_type"] == "image/jpeg"
    assert resource["bytes"] == PHOTO.stat().st_size
    assert resource["size"] == {"original": {"width": 600, "height": 400},
                                "thumbnail": {"width": 100, "height": 67}}
    assert resource["generation"] == 1


def test_answer_names_the_resource(stack):
    answer = stack.http().post_image(images.jpeg(seed=4), "image/jpeg")
    assert answer.status == 202
    assert answer.headers["Location"] == f"/v1/images/{answer.json['id']}"
    partition, offset = answer.headers["Position"].split(":")
    assert int(partition) >= 0 and int(offset) >= 0


def test_thumbnail_is_the_photo_in_small(stack, photo_id):
    stack.wait_terminal(photo_id)
    answer = stack.http().get(f"/v1/images/{photo_id}/thumbnail")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "image/jpeg"
    thumbnail = Image.open(io.BytesIO(answer.body))
    assert thumbnail.format == "JPEG" and thumbnail.size == (100, 67)
    assert not thumbnail.getexif() and "icc_profile" not in thumbnail.info
    by_pillow = Image.open(PHOTO).resize((100, 67), Image.LANCZOS)
    difference = ImageStat.Stat(ImageChops.difference(thumbnail.convert("RGB"), by_pillow)).mean
    assert max(difference) < 6, f"mean difference per channel: {difference}"


def test_original_comes_back_byte_for_byte(stack, photo_id):
    answer = stack.http().get(f"/v1/images/{photo_id}/original")
    assert answer.status == 200
    assert answer.body == PHOTO.read_bytes()


def test_a_stranger_reads_one_valid_event(stack, photo_id):
    stack.wait_terminal(photo_id)
    topic = stack.topic("thumbnail-completed")
    records = [record for record in kafka_log.read_with_kcat(stack.bootstrap, topic)
               if record["key"] == photo_id]
    assert len(records) == 1
    headers = records[0]["headers"]
    assert headers["content-type"] == "application/json"
    assert headers["ce_specversion"] == "1.0"
    assert headers["ce_source"] == "/thumbstream/processor"
    assert kafka_log.event_name(headers["ce_type"]) == "thumbnail-completed"
    assert headers["ce_id"]
    value = json.loads(records[0]["payload"])
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert list(validator.iter_errors(value)) == []
    # The validator must be able to say no.
    assert list(validator.iter_errors({**value, "variants": "none"}))


def test_multipart_takes_many_files(stack):
    first, second = images.jpeg(200, 100, 5), images.encode(Image.new("RGBA", (50, 80), "red"), "PNG")
    answer = stack.http().post_files([("a", "first.jpg", first), ("b", "second.png", second)])
    assert answer.status == 202, answer
    resources = [stack.wait_terminal(image["id"]) for image in answer.json["images"]]
    assert [resource["state"] for resource in resources] == ["completed", "completed"]
    assert [resource["filename"] for resource in resources] == ["first.jpg", "second.png"]
    thumbnail = stack.http().get(f"/v1/images/{resources[1]['id']}/thumbnail")
    assert thumbnail.headers["Content-Type"] == "image/png"  # alpha is kept
    assert Image.open(io.BytesIO(thumbnail.body)).size == (50, 80)  # never enlarged


def test_multipart_judges_each_part(stack):
    answer = stack.http().post_files([("a", "good.jpg", images.jpeg(seed=6)),
                                      ("b", "bad.jpg", b"no image")])
    assert answer.status == 202, answer
    good, bad = answer.json["images"]
    assert stack.wait_terminal(good["id"])["state"] == "completed"
    assert bad["status"] == 415 and "id" not in bad
    none_good = stack.http().post_files([("a", "bad.jpg", b"no image")])
    assert none_good.status == 415, none_good


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(stack, orientation):
    image_id = stack.upload(images.oriented_jpeg(200, 100, orientation, orientation))
    resource = stack.wait_terminal(image_id)
    upright = (200, 100) if orientation < 5 else (100, 200)
    size = resource["size"]
    assert (size["original"]["width"], size["original"]["height"]) == upright
    body = stack.http().get(f"/v1/images/{image_id}/thumbnail").body
    assert Image.open(io.BytesIO(body)).size == images.fitted(*upright)


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_can_be_probed(stack, service):
    for path in ("/livez", "/readyz"):
        assert stack.http(service).get(path).status == 200, path
    metrics = stack.http(service).get("/metrics")
    assert metrics.status == 200 and b"# TYPE" in metrics.body


def test_small_surfaces(stack):
    assert stack.http().get("/v1/system/pulse").json == {"alive": True}
    assert stack.http().get("/no/such/path").status == 404
    assert stack.http().request("PUT", "/v1/images").status == 405
