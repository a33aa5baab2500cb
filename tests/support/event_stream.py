"""A Server-Sent Events client straight onto a socket, as the standard has it (HTML, 9.2.6)."""

import dataclasses
import json

from . import raw_http


@dataclasses.dataclass
class Event:
    name: str
    id: str
    data: dict


class EventStream:
    """One connection to an event stream; iterating ends when the server ends it. HTTP/1.0, so that
    the body comes as it is."""

    def __init__(self, port, path="/v1/events", last_event_id=None, seconds=60):
        self._socket = raw_http.open_socket(port, seconds)
        fields = f"Last-Event-ID: {last_event_id}\r\n" if last_event_id else ""
        self._socket.sendall(f"GET {path} HTTP/1.0\r\nHost: x\r\n{fields}\r\n".encode())
        self._lines = self._socket.makefile("rb")
        self.status = int(self._lines.readline().split()[1])
        self.headers = dict(self._header_fields())

    def _header_fields(self):
        while (line := self._lines.readline().strip()):
            name, _, value = line.decode().partition(":")
            yield name.lower(), value.strip()

    def __iter__(self):
        fields = {}
        for line in self._lines:
            line = line.decode().rstrip("\n")
            if not line:
                if "data" in fields:
                    yield Event(fields.get("event", "message"), fields.get("id"),
                                json.loads(fields["data"]))
                fields = {}
            elif not line.startswith(":"):
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")

    def close(self):
        self._lines.close()
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
