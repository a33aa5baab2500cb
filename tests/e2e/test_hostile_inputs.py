"""Input of people who don't mean well, or don't know better: a precise answer, flat memory, and the
next request is served as ever."""

import random
import subprocess
import tempfile

import pytest

from support import images, processes, raw_http

PHOTO = processes.ROOT / "examples/photo.jpg"
MEGABYTE = 1 << 20
# Sanitizers keep freed memory in quarantine, so "flat" is a bound well below the bodies sent.
FLAT_KILOBYTES = 120 * 1024


@pytest.fixture(scope="module")
def calm(stack):
    """The stack, warmed up; ends with the proof that it still serves."""
    for seed in range(4):
        stack.wait_terminal(stack.upload(images.jpeg(seed=seed)))
    yield stack
    stack.require_alive()
    assert stack.wait_terminal(stack.upload(images.jpeg(seed=9)))["state"] == "completed"


def refused(answer, status, code=None):
    assert answer.status == status, answer
    assert answer.headers["Content-Type"] == "application/problem+json", answer
    problem = answer.json
    assert problem["status"] == status and problem["title"], problem
    if code:
        assert problem["type"].endswith("/" + code), problem


def test_curl_data_binary(calm):
    with tempfile.NamedTemporaryFile() as answer:
        status = subprocess.run(
            ["curl", "-sS", "-o", answer.name, "-w", "%{http_code}", "--data-binary", f"@{PHOTO}",
             f"http://127.0.0.1:{calm.ports['ingest']}/v1/images"],
            capture_output=True, text=True, check=True).stdout
    assert status == "202"


def test_empty_body(calm):
    refused(calm.http().post_image(b""), 400)


def test_text_that_says_it_is_a_jpeg(calm):
    refused(calm.http().post_image(b"just some text, long enough to look at", "image/jpeg"), 415)


@pytest.mark.parametrize("content_type", ["text/html", "application/json", "text/plain"])
def test_text_under_its_own_name(calm, content_type):
    answer = calm.http().post_image(b"<html>hello</html>", content_type)
    assert answer.status in (400, 415), answer


def test_one_byte(calm):
    refused(calm.http().post_image(b"\xff", "image/jpeg"), 415)


def test_truncated_jpeg(calm):
    whole = PHOTO.read_bytes()
    refused(calm.http().post_image(whole[:len(whole) // 2], "image/jpeg"), 400, "truncated-image")


def test_what_only_decoding_reveals(calm):
    image_id = calm.upload(images.undecodable_png())
    resource = calm.wait_terminal(image_id)
    assert resource["state"] == "failed"
    assert resource["error"]["code"] == "corrupt-image"
    assert calm.http().get(f"/v1/images/{image_id}/thumbnail").status == 409


def test_a_header_that_claims_huge_dimensions(calm):
    refused(calm.http().post_image(images.png(60000, 60000, b"x" * 64)), 422, "too-many-pixels")


@pytest.mark.parametrize("kind", ["declared", "chunked", "multipart"])
def test_forty_megabytes(calm, kind):
    before = calm.resident_kilobytes("ingest")
    for _ in range(3):
        status, sent = raw_http.exchange(calm.ports["ingest"], forty_megabytes(kind))
        # Told, or cut off while still sending; never taken in whole and never accepted.
        assert status in (413, None), (status, sent)
    refused_once = calm.http().request("POST", "/v1/images", None, {"Content-Length": str(40 * MEGABYTE)})
    refused(refused_once, 413)
    grown = calm.resident_kilobytes("ingest") - before
    assert grown < FLAT_KILOBYTES, f"ingest grew by {grown} kB"


def forty_megabytes(kind):
    noise = PHOTO.read_bytes()[:2000] + random.Random(1).randbytes(MEGABYTE - 2000)
    body = [noise] * 40
    if kind == "declared":
        return [raw_http.post_head(f"Content-Length: {40 * MEGABYTE}"), *body]
    if kind == "chunked":
        return [raw_http.post_head("Transfer-Encoding: chunked"), *raw_http.chunked(body)]
    opening = b'--b\r\nContent-Disposition: form-data; name="f"; filename="f.jpg"\r\n\r\n'
    length = len(opening) + 40 * MEGABYTE
    return [raw_http.post_head("Content-Type: multipart/form-data; boundary=b",
                               f"Content-Length: {length}"), opening, *body]


def test_the_largest_allowed_body_in_flat_memory(calm):
    """32 MiB is allowed, and is judged by what it is: a JPEG that goes on and on."""
    before = calm.resident_kilobytes("ingest")
    photo = PHOTO.read_bytes()
    body = photo + b"\0" * (32 * MEGABYTE - len(photo))
    for _ in range(3):
        answer = calm.http(timeout=60).post_image(body)
        assert answer.status in (202, 400), answer
    assert calm.resident_kilobytes("ingest") - before < FLAT_KILOBYTES
    refused(calm.http(timeout=60).request("POST", "/v1/images", None,
                                          {"Content-Length": str(32 * MEGABYTE + 1)}), 413)


NAMES = {
    "dots": "../../../../etc/passwd.jpg",
    "backslashes": "..\\\\..\\\\evil.jpg",
    "quotes": 'a \\"quoted\\" name.jpg',
    "long": "x" * 3000 + ".jpg",
    "long-utf8": "é" * 1500 + ".jpg",
    "all-of-it": "../" * 100 + '\\"' + "n" * 3000 + "'.jpg",
    "control": "a\x01b\x7f.jpg",
    "only-dots": "..",
}


@pytest.mark.parametrize("name", NAMES)
def test_file_names(calm, name):
    answer = calm.http().post_files([("file", NAMES[name], images.jpeg(60, 40, 70 + list(NAMES).index(name)))])
    assert answer.status == 202, answer
    resource = calm.wait_terminal(answer.json["images"][0]["id"])
    assert resource["state"] == "completed"
    shown = resource["filename"] or ""
    assert len(shown.encode()) <= 255
    assert "/" not in shown and "\\" not in shown and shown not in (".", "..")
    assert all(ord(letter) >= 32 and ord(letter) != 127 for letter in shown)
    for path in ("thumbnail", "original"):
        got = calm.http().get(f"/v1/images/{resource['id']}/{path}")
        assert got.status == 200
        # http.client has parsed the headers, so a name that broke out of its quotes would show here.
        assert got.headers["Content-Type"] == "image/jpeg"


def test_nothing_outside_the_data_folder(calm):
    """After all those names: every file below the blob folder is named by image id and digest."""
    for path in (calm.folder / "blobs").rglob("*"):
        assert "passwd" not in path.name and "evil" not in path.name, path
    assert not (calm.folder / "etc").exists()
    assert {entry.name for entry in calm.folder.iterdir()} <= {"blobs", "view", "logs"}


@pytest.mark.parametrize("head", [
    b"GET /v1/images HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    b"GET /" + b"a/" * 30_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100,
    b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    raw_http.post_head("Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
    raw_http.post_head("Content-Length: 5", "Content-Length: 6") + b"hello!",
    raw_http.post_head("Transfer-Encoding: chunked") + b"zz\r\nhello\r\n0\r\n\r\n",
    raw_http.post_head("Content-Type: multipart/form-data", "Content-Length: 3") + b"abc",
    raw_http.post_head("Content-Type: multipart/form-data; boundary=b", "Content-Length: 9") + b"--b\r\nabcd",
], ids=["huge-header", "many-segments", "tls-hello", "negative-length", "length-and-chunked",
        "two-lengths", "bad-chunk", "no-boundary", "no-closing-boundary"])
def test_broken_requests(calm, head):
    status, _ = raw_http.exchange(calm.ports["ingest"], [head])
    assert status is None or 400 <= status < 500, status
    assert calm.http().get("/livez").status == 200


def test_a_client_that_leaves_in_the_middle(calm):
    before = len(calm.http().list_all())
    for _ in range(20):
        with raw_http.open_socket(calm.ports["ingest"]) as connection:
            connection.sendall(raw_http.post_head("Content-Length: 1000000") + PHOTO.read_bytes())
    assert calm.http().get("/livez").status == 200
    assert len(calm.http().list_all()) == before
    processes.wait_until(lambda: not staged(calm), 30, lambda: f"staging is empty: {staged(calm)}")


def staged(stack):
    return list((stack.folder / "blobs" / "staging").glob("*"))


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=abc", "limit=99999999999999999999",
                                   "state=nonsense", "cursor=%01!", "cursor=" + "A" * 3000])
def test_bad_parameters_are_named(calm, query):
    answer = calm.http().get(f"/v1/images?{query}")
    refused(answer, 400)
    assert query.split("=")[0] in answer.body.decode()


@pytest.mark.parametrize("query", ["width=0", "height=-5", "fit=nonsense", "variants=%3Bdrop"])
def test_upload_options_are_checked(calm, query):
    answer = calm.http().request("POST", f"/v1/images?{query}", PHOTO.read_bytes())
    refused(answer, 400)
    assert query.split("=")[0] in answer.body.decode()
