"""Toxiproxy: stands between a client and a broker, and spoils the link on demand.

The binary is built by fetch_toxiproxy.sh. https://github.com/Shopify/toxiproxy has the kinds of toxics.
"""

import json
import os
import pathlib
import urllib.error
import urllib.request

from . import processes

VERSION = "v2.5.0"


def binary():
    cache = processes.ROOT / os.environ.get("THUMB_CACHE", "build")
    path = pathlib.Path(cache) / f"toxiproxy-{VERSION}"
    assert path.exists(), f"{path} is missing: tests/support/fetch_toxiproxy.sh builds it"
    return path


class Toxiproxy:
    """One proxy process with one link: 127.0.0.1:port -> upstream port."""

    def __init__(self, port, upstream, log=None):
        self.port = port
        self._api = processes.free_port()
        self._process = processes.spawn(
            [binary(), "-host", "127.0.0.1", "-port", self._api], log=log)
        processes.wait_until(self._answers, 20, "toxiproxy answers")
        self._call("POST", "/proxies", {"name": "link", "listen": f"127.0.0.1:{port}",
                                        "upstream": f"127.0.0.1:{upstream}", "enabled": True})

    def cut(self):
        """Connections are closed and refused."""
        self._call("POST", "/proxies/link", {"enabled": False})

    def spoil(self, kind, **attributes):
        """One toxic on both ways: latency(latency, jitter), bandwidth(rate), reset_peer(timeout),
        timeout(timeout): with 0, nothing goes through and nothing ends."""
        for stream in ("upstream", "downstream"):
            self._call("POST", "/proxies/link/toxics",
                       {"type": kind, "stream": stream, "attributes": attributes})

    def heal(self):
        self._call("POST", "/reset", {})

    def close(self):
        processes.stop(self._process, 5)

    def _answers(self):
        try:
            return self._call("GET", "/version")
        except OSError:
            return None

    def _call(self, method, path, body=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._api}{path}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "User-Agent": "tests"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.read() or b"ok"
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read()!r}") from error
