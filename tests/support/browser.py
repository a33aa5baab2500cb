"""A real browser, without a window: Debian's Chromium, told what to do by its DevTools protocol over a
pipe (NUL-terminated JSON on the descriptors 3 and 4), which needs no library."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket

from . import processes

PROGRAM = "/usr/bin/chromium"
SECONDS = 60  # for a start, or an answer, on a machine that has much else to do
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-breakpad", "--no-first-run", "--no-default-browser-check")


class Browser:
    """Runs from its making to close()."""

    def __init__(self, folder):
        assert pathlib.Path(PROGRAM).exists(), (
            f"there is no {PROGRAM}: deploy/install.sh test installs it, where Debian has it")
        self._log = folder / "browser.log"
        self._profile = folder / "browser"
        self._pipe, theirs = socket.socketpair()
        self._pipe.settimeout(SECONDS)
        self._rest = b""
        self._asked = 0
        with theirs:
            # A shell can say which numbers the descriptors are to have.
            self._process = processes.spawn(
                ["/bin/bash", "-c", f'exec "$@" 3<&{theirs.fileno()} 4>&{theirs.fileno()}', "bash", PROGRAM,
                 *FLAGS, "--remote-debugging-pipe", f"--user-data-dir={self._profile}"],
                log=self._log, keep=[theirs.fileno()])

    def call(self, method, session=None, **parameters):
        """What a method of the protocol answers; what the browser tells unasked is passed over."""
        self._asked += 1
        message = {"id": self._asked, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        with contextlib.suppress(BrokenPipeError):  # that it ended shows in the answer
            self._pipe.sendall(json.dumps(message).encode() + b"\0")
        while (answer := self._next_message()).get("id") != self._asked:
            pass
        assert "error" not in answer, f"{method}: {answer['error']}"
        return answer["result"]

    def _next_message(self):
        while b"\0" not in self._rest:
            piece = self._pipe.recv(1 << 16)
            assert piece, f"the browser ended\n{processes.tail(self._log)}"
            self._rest += piece
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def close(self):
        """Ends it and whatever it has started, some of it in sessions of its own."""
        started = processes.descendants(self._process.pid)
        self._pipe.close()
        for pid in (self._process.pid, *started):
            with contextlib.suppress(ProcessLookupError):  # it ended by itself
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        shutil.rmtree(self._profile, ignore_errors=True)


class Page:
    """One tab, at an address."""

    def __init__(self, browser, url):
        self._browser = browser
        target = browser.call("Target.createTarget", url=url)["targetId"]
        self._session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        processes.wait_until(lambda: self.evaluate("[document.readyState, location.href]") == ["complete", url],
                             SECONDS, lambda: f"{url} is loaded, not {self.evaluate('location.href')}")

    def evaluate(self, script):
        """The value of an expression, as JSON has it."""
        answer = self._browser.call("Runtime.evaluate", self._session, expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")
