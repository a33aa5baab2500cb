"""The verbs of the Makefile (their scripts, on binaries that are built already): two stacks side by
side, crashes, taken ports, Ctrl-C, and nothing left behind."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess

import pytest

from support import images, processes
from support.http_client import Http
from support.stack import required_env

ROOT = processes.ROOT
PARTS = ("kafka", "ingest", "processor", "state_projector")


class Local:
    """A stack as the Makefile's scripts run it."""

    def __init__(self, folder, **settings):
        self.folder = folder
        self.http_port = processes.free_port()
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("THUMB_")}
        self.env.update(THUMB_BIN_DIR=required_env("THUMB_BIN_DIR"), THUMB_DATA_DIR=str(folder),
                        THUMB_HTTP_PORT=str(self.http_port),
                        THUMB_KAFKA_PORT=str(processes.free_ports(6)), **settings)

    def script(self, *words, expect=0, folder="deploy", **settings):
        """Runs deploy/<script>; returns (standard output, everything)."""
        done = subprocess.run([ROOT / folder / words[0], *words[1:]], env={**self.env, **settings},
                              capture_output=True, text=True, timeout=150, check=False)
        assert done.returncode == expect, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout, done.stdout + done.stderr

    def up(self, **settings):
        return self.script("stack.sh", "up", **settings)[1]

    def down(self):
        return self.script("stack.sh", "down")[1]

    def pids(self):
        folder = self.folder / "pids"
        return {path.stem: int(path.read_text()) for path in folder.glob("*.pid")}

    def processes(self):
        """pids of all processes that were started for this stack."""
        mark = f"THUMB_DATA_DIR={self.folder}".encode()
        found = []
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    def kill(self, name):
        """kill -9, and wait until it is no more than a zombie."""
        pid = self.pids()[name]
        os.kill(pid, signal.SIGKILL)
        processes.wait_until(lambda: pid not in self.processes(), 20, f"{name} is dead")
        return pid

    def ready(self):
        return Http(self.http_port).get("/readyz").status == 200

    def interrupted_run(self):
        """make run until it follows the logs, then Ctrl-C; returns what it printed."""
        out = self.folder.parent / f"{self.folder.name}.run"
        with open(out, "wb") as log:
            # A group of its own stands for the terminal's foreground group.
            run = subprocess.Popen([ROOT / "deploy/run.sh"], env=self.env, stdout=log, cwd=ROOT,
                                   stderr=subprocess.STDOUT, start_new_session=True,
                                   stdin=subprocess.DEVNULL)
        try:
            processes.wait_until(lambda: "Following the logs" in out.read_text() or run.poll() is not None,
                                 150, lambda: out.read_text())
            assert run.poll() is None, out.read_text()
            os.killpg(run.pid, signal.SIGINT)
            assert run.wait(60) == 0, out.read_text()
        finally:
            if run.poll() is None:
                run.kill()
        return out.read_text()

    def close(self):
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    base = tmp_path_factory.mktemp("local")
    pair = (Local(base / "one"),
            Local(base / "the other, with spaces", THUMB_ADMIN_PORT=str(processes.free_ports(2))))
    try:
        for local in pair:
            local.up()
        yield pair
    finally:
        for local in pair:
            local.close()


@pytest.fixture
def fresh(tmp_path):
    local = Local(tmp_path / "fresh")
    yield local
    local.close()


def test_two_stacks_side_by_side(two):
    seen = []
    for local in two:
        assert local.ready()
        assert set(local.pids()) == set(PARTS)
        seen += local.pids().values()
        answer = Http(local.http_port).post_image(images.jpeg(seed=60))
        assert answer.status == 202
        processes.wait_until(
            lambda: Http(local.http_port).get(f"/v1/images/{answer.json['id']}").json.get("state")
            == "completed", 60, "the image is completed")
    assert len(set(seen)) == 8
    lists = [Http(local.http_port).list_all() for local in two]
    assert [len(images_of) for images_of in lists] == [1, 1]
    assert lists[0][0]["id"] != lists[1][0]["id"]


def test_up_again_changes_nothing(two):
    before = two[0].pids()
    said = two[0].up()
    assert two[0].pids() == before
    assert said.count("is running already") == len(PARTS)


@pytest.mark.parametrize("victim", ["processor", "ingest", "state_projector"])
def test_up_after_a_crash_starts_the_dead_part_only(two, victim):
    before = two[0].pids()
    two[0].kill(victim)
    status, _ = two[0].script("stack.sh", "status")
    assert re.search(rf"^{victim}\s+stopped$", status, re.M), status
    two[0].up()
    after = two[0].pids()
    assert {name for name in PARTS if before[name] != after[name]} == {victim}
    assert two[0].ready()


def test_a_pid_file_with_somebody_elses_pid(two):
    """The number of a dead part may be another process's by now, even another stack's same part."""
    mine, other = two
    mine.kill("processor")
    for pid in (os.getpid(), other.pids()["processor"]):
        (mine.folder / "pids/processor.pid").write_text(f"{pid}\n")
        status, _ = mine.script("stack.sh", "status")
        assert re.search(r"^processor\s+stopped$", status, re.M), status
    mine.up()
    assert mine.pids()["processor"] not in (os.getpid(), other.pids()["processor"])
    assert other.processes() and mine.ready() and other.ready()


def test_another_port_on_a_running_stack_is_refused(two):
    _, said = two[0].script("stack.sh", "up", expect=1, THUMB_HTTP_PORT=str(processes.free_port()))
    assert "THUMB_HTTP_PORT" in said and "make down" in said
    assert two[0].ready()


def test_the_admin_port_is_the_projectors_and_the_next_the_processors(two):
    other = two[1]
    admin = int(other.env["THUMB_ADMIN_PORT"])
    assert "thumb_view_build_in_progress" in Http(admin).get("/metrics").body.decode()
    assert "thumb_processor_partitions" in Http(admin + 1).get("/metrics").body.decode()
    done = subprocess.run([pathlib.Path(other.env["THUMB_BIN_DIR"]) / "state_projector", "rebuild"],
                          env=other.env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("serving view "), done.stdout
    _, said = other.script("stack.sh", "up", expect=1, THUMB_ADMIN_PORT="")
    assert "THUMB_ADMIN_PORT" in said and other.ready()


def test_replay(two):
    local = two[0]
    before = local.pids()["state_projector"]
    lines = local.script("replay.sh")[0].splitlines()
    old, new = lines[-2:]
    assert re.fullmatch(r".*\b[0-9a-f]{64}", old) and old[-64:] == new[-64:]
    assert local.pids()["state_projector"] != before
    processes.wait_until(local.ready, 30, "it is ready again")


def test_audit(two):
    local = two[0]
    before = local.pids()
    out, _ = local.script("audit.sh")
    assert "clean: 0 errors, 0 warnings, 0 open" in out
    assert local.pids() == before and local.ready()


def test_run_leaves_what_ran_before(two):
    before = two[0].pids()
    out = two[0].interrupted_run()
    assert '"state": "completed"' in out
    assert two[0].pids() == before and two[0].ready()


def test_down_leaves_nothing(two):
    for local in two:
        local.down()
        assert local.pids() == {}
        assert local.processes() == []
    two[0].down()  # once more is no error


def test_run_and_ctrl_c(fresh):
    """A whole life: start, photo, Ctrl-C; what is stored stays for the next time."""
    out = fresh.interrupted_run()
    assert fresh.processes() == []
    thumbnail = re.search(r"^thumbnail\s+(/.+)$", out, re.M).group(1)
    copy = re.search(r"^a copy\s+(/.+)$", out, re.M).group(1)
    assert pathlib.Path(thumbnail).read_bytes() == pathlib.Path(copy).read_bytes()
    assert pathlib.Path(copy).read_bytes()[:3] == b"\xff\xd8\xff"
    assert f"http://127.0.0.1:{fresh.http_port}" in out
    first = json.loads(out[out.index("{\n"):out.index("\n}\n") + 3])
    assert first["state"] == "completed"
    fresh.up()
    assert [resource["id"] for resource in Http(fresh.http_port).list_all()] == [first["id"]]
    fresh.down()
    assert fresh.processes() == []


def test_three_brokers(fresh):
    """One may be away, stopped and started by its number; the data folder stays a cluster's."""
    fresh.up(THUMB_KAFKA_NODES="3")
    brokers = {"kafka-1", "kafka-2", "kafka-3"}
    assert set(fresh.pids()) == brokers | set(PARTS) - {"kafka"}
    described = subprocess.run(["kcat", "-b", f"127.0.0.1:{fresh.env['THUMB_KAFKA_PORT']}", "-L", "-J"],
                               capture_output=True, check=True, timeout=30).stdout
    topics = {topic["topic"]: topic for topic in json.loads(described)["topics"]}
    assert all(len(partition["replicas"]) == 3 for partition in topics["image-requests"]["partitions"])
    fresh.script("broker.sh", "stop", "2", folder="kafka/broker")
    status, _ = fresh.script("stack.sh", "status")
    assert re.search(r"^kafka-2\s+stopped$", status, re.M), status
    assert re.search(r"^kafka-3\s+running", status, re.M), status
    answer = Http(fresh.http_port, timeout=60).post_image(images.jpeg(seed=61))
    assert answer.status == 202, answer
    fresh.script("broker.sh", "start", "2", folder="kafka/broker")
    assert "is running already" in fresh.up() and set(fresh.pids()) >= brokers
    assert "3 broker(s), not of 1" in fresh.script("stack.sh", "up", expect=1, THUMB_KAFKA_NODES="1")[1]
    fresh.down()
    assert fresh.processes() == [] and fresh.pids() == {}
    assert "clean: 0 errors" in fresh.script("audit.sh")[0]
    assert fresh.processes() == [] and fresh.pids() == {}


@pytest.mark.parametrize("variable", ["THUMB_HTTP_PORT", "THUMB_KAFKA_PORT"])
def test_a_taken_port_is_named(fresh, variable):
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = str(squatter.getsockname()[1])
        _, said = fresh.script("stack.sh", "up", expect=1, **{variable: port})
    assert port in said and variable in said and "taken" in said
    assert fresh.processes() == []


@pytest.mark.parametrize("value", ["0", "65536", "http", "80 80", "-1"])
def test_a_bad_port_is_named(fresh, value):
    _, said = fresh.script("stack.sh", "up", expect=1, THUMB_HTTP_PORT=value)
    assert "THUMB_HTTP_PORT" in said and value in said


def test_an_existing_cluster_and_a_part_that_dies(fresh):
    """No broker of our own then; and a failed start shows why and leaves nothing."""
    cluster = {"THUMB_KAFKA_BOOTSTRAP": required_env("THUMB_TEST_KAFKA"),
               "THUMB_TOPIC_PREFIX": f"local{os.getpid()}-"}
    fresh.up(**cluster)
    assert set(fresh.pids()) == set(PARTS) - {"kafka"}
    assert not (fresh.folder / "kafka").exists()
    fresh.down()
    binaries = fresh.folder / "bin"
    shutil.copytree(fresh.env["THUMB_BIN_DIR"], binaries, ignore=lambda _, names: [
        name for name in names if name not in (*PARTS, "topics")])
    (binaries / "processor").write_text("#!/bin/sh\necho the reason of death >&2\nexit 1\n")
    _, said = fresh.script("stack.sh", "up", expect=1, THUMB_BIN_DIR=str(binaries), **cluster)
    assert "processor ended while it started" in said and "the reason of death" in said
    assert fresh.processes() == [] and fresh.pids() == {}
