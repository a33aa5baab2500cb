"""The real binaries on free ports, with a data folder and a topic prefix of their own.

THUMB_BIN_DIR names the folder of the binaries, THUMB_TEST_KAFKA a broker (unless a test brings its
own). Everything started here ends with the test process, whatever happens to it.
"""

import os
import pathlib
import re
import signal
import subprocess
import uuid

from . import processes
from .http_client import Http

SERVICES = ("state_projector", "processor", "ingest")
_SANITIZER = re.compile(r"(ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:).*")


def required_env(name):
    value = os.environ.get(name)
    assert value, f"{name} is not set: run this through tests/support/with_kafka.py or ctest"
    return value


def handles_sigterm(pid):
    """Does it catch or await SIGTERM? In its first moments no process does."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    masks = re.findall(r"^Sig(?:Blk|Cgt):\s+([0-9a-f]+)", status, re.M)
    return any(int(mask, 16) >> (signal.SIGTERM - 1) & 1 for mask in masks)


class Stack:
    READY_SECONDS = 120
    STOP_SECONDS = 20  # the services promise 10 s; a sanitizer's leak check may come after

    def __init__(self, folder, bootstrap=None, settings=None):
        self.folder = pathlib.Path(folder)
        self.bin = pathlib.Path(required_env("THUMB_BIN_DIR"))
        self.bootstrap = bootstrap or required_env("THUMB_TEST_KAFKA")
        self.prefix = f"t{uuid.uuid4().hex[:10]}-"
        self.logs = self.folder / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)
        self.running = {}
        self.ports = {}
        self.env = {name: value for name, value in os.environ.items()
                    if not name.startswith("THUMB_")}
        self.env.update({"THUMB_DATA_DIR": str(self.folder), "THUMB_KAFKA_BOOTSTRAP": self.bootstrap,
                         "THUMB_TOPIC_PREFIX": self.prefix, **(settings or {})})

    # --- life ---

    def up(self):
        self.tool("topics", "ensure")
        for name in SERVICES:
            self.start(name)
        for name in SERVICES:
            self.wait_ready(name)
        return self

    def start(self, name, instance=None, settings=None):
        """Starts a service; another instance of it needs another name, and gets its own port.
        `settings` is environment for this start alone."""
        instance = instance or name
        assert instance not in self.running, f"{instance} is running"
        # The same port after a restart: clients come back to where they were.
        self.ports.setdefault(instance, processes.free_port())
        variable = "THUMB_HTTP_PORT" if name == "ingest" else "THUMB_ADMIN_PORT"
        env = {**self.env, variable: str(self.ports[instance]), **(settings or {})}
        self.running[instance] = processes.spawn([self.bin / name], env=env, log=self.log(instance))
        return self

    def wait_ready(self, instance="ingest"):
        processes.wait_until(lambda: self._ready(instance), self.READY_SECONDS,
                             lambda: f"{instance} is ready\n{self.tails()}")

    def _ready(self, instance):
        self.require_alive()
        try:
            return self.http(instance).get("/readyz").status == 200
        except OSError:
            return False

    def require_alive(self):
        for instance, process in self.running.items():
            assert process.poll() is None, (
                f"{instance} ended with {process.returncode}\n{processes.tail(self.log(instance))}")

    def kill(self, instance):
        """kill -9."""
        process = self.running.pop(instance)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def freeze(self, instance):
        """It stands still, as on a machine that is suspended; thaw() lets it go on."""
        self.running[instance].send_signal(signal.SIGSTOP)

    def thaw(self, instance):
        self.running[instance].send_signal(signal.SIGCONT)

    def is_frozen(self, instance):
        status = pathlib.Path(f"/proc/{self.running[instance].pid}/status").read_text()
        return re.search(r"^State:\s+T", status, re.M) is not None

    def has_ended(self, instance):
        return self.running[instance].poll() is not None

    def require_killed(self, instance):
        """It has ended, and by SIGKILL; takes note of that."""
        code = self.running.pop(instance).wait(timeout=10)
        assert code == -signal.SIGKILL, (
            f"{instance} ended with {code}\n{processes.tail(self.log(instance))}")

    def stop(self, instance):
        """As an operator stops it; a clean end is part of the contract."""
        process = self.running.pop(instance)
        processes.wait_until(lambda: process.poll() is not None or handles_sigterm(process.pid), 30,
                             f"{instance} has arranged for SIGTERM")
        assert process.poll() is None, (
            f"{instance} had ended with {process.returncode}\n{processes.tail(self.log(instance))}")
        code = processes.stop(process, self.STOP_SECONDS)
        assert code == 0, f"{instance} ended with {code}\n{processes.tail(self.log(instance), 60)}"

    def down(self):
        for instance in reversed(list(self.running)):
            self.stop(instance)
        self.require_no_sanitizer_report()

    def close(self):
        """For fixtures: ends what still runs, asking nothing of it."""
        for process in self.running.values():
            process.kill()
            process.wait()
        self.running.clear()

    # --- looking at it ---

    def http(self, instance="ingest", timeout=30):
        return Http(self.ports[instance], timeout)

    def topic(self, name):
        return self.prefix + name

    def tool(self, *argv, expect=0):
        """Runs a binary's subcommand to its end; returns its standard output."""
        done = subprocess.run([str(self.bin / argv[0]), *argv[1:]], env=self.env, cwd=processes.ROOT,
                              capture_output=True, text=True, timeout=120, check=False,
                              preexec_fn=processes.die_with_parent)
        assert done.returncode == expect, (
            f"{argv} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def log(self, instance):
        return self.logs / f"{instance}.log"

    def tails(self):
        return "\n".join(f"--- {name}\n{processes.tail(self.log(name))}" for name in self.running)

    def require_no_sanitizer_report(self):
        for path in self.logs.glob("*.log"):
            found = _SANITIZER.search(path.read_text(errors="replace"))
            assert not found, f"{path.name}: {found.group(0)}\n{processes.tail(path, 80)}"

    def resident_kilobytes(self, instance):
        """Memory that is resident now."""
        status = pathlib.Path(f"/proc/{self.running[instance].pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+)", status, re.M).group(1))

    def metric(self, instance, name):
        """The value of a metric, named with its labels if it has any; 0 before there is one."""
        text = self.http(instance).get("/metrics").body.decode()
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.M)
        return float(found.group(1)) if found else 0

    # --- what clients do ---

    def image(self, image_id, instance="ingest"):
        answer = self.http(instance).get(f"/v1/images/{image_id}")
        assert answer.status == 200, f"{image_id}: {answer}\n{self.tails()}"
        return answer.json

    def wait_terminal(self, image_id, seconds=60):
        """The image's resource once it is completed or failed."""
        def terminal():
            resource = self.image(image_id)
            return resource if resource["state"] in ("completed", "failed") else None
        return processes.wait_until(terminal, seconds,
                                    lambda: f"{image_id} is done\n{self.tails()}")

    def upload(self, body, content_type="application/octet-stream"):
        """POSTs a body that must be accepted; returns the image's id."""
        answer = self.http().post_image(body, content_type)
        assert answer.status == 202, answer
        return answer.json["id"]
