"""Ingest without the view on its machine: the same answers, asked of the projector over HTTP."""

import concurrent.futures

import pytest

from support import images, processes
from support.stack import Stack

REMOTE = "ingest-remote"
UPLOADS = 240
AT_A_TIME = 8


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """One instance that reads the view's folder, one that asks the projector."""
    port = processes.free_port()
    stack = Stack(tmp_path_factory.mktemp("stack"), settings={"THUMB_VIEW_PORT": str(port)})
    try:
        stack.up()
        stack.start("ingest", REMOTE, {"THUMB_VIEW_URL": f"http://127.0.0.1:{port}"})
        stack.wait_ready(REMOTE)
        yield stack
        stack.down()
    finally:
        stack.close()


def others(number):
    """Uploads go to one, the question to the other."""
    return ("ingest", REMOTE) if number % 2 else (REMOTE, "ingest")


def post(stack, instance, seed):
    answer = stack.http(instance).post_image(images.jpeg(60, 40, seed))
    assert answer.status == 202, answer
    return answer


def test_what_one_accepts_the_other_knows_at_once(pair):
    def hammer(number):
        here, there = others(number)
        accepted = post(pair, here, 1000 + number).json
        answer = pair.http(there).get(f"/v1/images/{accepted['id']}")
        assert answer.status == 200, f"upload {number} on {there}: {answer}"
        return accepted["id"]

    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        ids = list(pool.map(hammer, range(UPLOADS)))
    assert len(set(ids)) == UPLOADS


def test_an_answer_is_never_older_than_its_position(pair):
    for number in range(20):
        here, there = others(number)
        image_id = post(pair, here, 2000 + number).json["id"]
        pair.wait_terminal(image_id)
        again = pair.http(here).request("POST", f"/v1/images/{image_id}/reprocess")
        assert again.status == 202, again
        later = pair.http(there).get(f"/v1/images/{image_id}",
                                     {"Min-Position": again.headers["Position"]})
        assert later.status == 200 and later.json["generation"] == 2, later
        gone = pair.http(here).delete(f"/v1/images/{image_id}")
        assert gone.status == 200, gone
        after = pair.http(there).get(f"/v1/images/{image_id}",
                                     {"Min-Position": gone.headers["Position"]})
        assert after.status == 410, after


def test_both_tell_the_same(pair):
    image_id = post(pair, "ingest", 3000).json["id"]
    pair.wait_terminal(image_id)
    paths = (f"/v1/images/{image_id}", f"/v1/images/{image_id}/history", "/v1/images?limit=50",
             "/v1/images?state=completed&limit=7")

    def same():
        return all(pair.http().get(path).json == pair.http(REMOTE).get(path).json for path in paths)

    processes.wait_until(same, 30, "both instances answer the same")
    assert pair.http(REMOTE).get("/v1/images?cursor=zz").status == 400
    thumbnail = f"/v1/images/{image_id}/thumbnail"
    assert pair.http().get(thumbnail).body == pair.http(REMOTE).get(thumbnail).body


def test_without_the_projector_uploads_go_on_and_reads_come_back(pair):
    known = post(pair, REMOTE, 4000).json["id"]
    pair.wait_terminal(known)
    pair.kill("state_projector")
    assert pair.http(REMOTE).get(f"/v1/images/{known}").status == 503
    assert pair.http().get(f"/v1/images/{known}").status == 200  # its folder is here
    accepted = post(pair, REMOTE, 4001).json["id"]
    pair.start("state_projector")
    pair.wait_ready("state_projector")
    for image_id in (known, accepted):
        processes.wait_until(lambda: pair.http(REMOTE).get(f"/v1/images/{image_id}").status == 200,
                             30, f"{image_id} is known again")
