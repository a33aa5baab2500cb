"""A small HTTP client that hides nothing: one request a connection, the answer as it came."""

import dataclasses
import http.client
import json as json_module
import uuid


@dataclasses.dataclass
class Response:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self):
        return json_module.loads(self.body)

    def __str__(self):
        return f"{self.status} {self.body[:600]!r}"


class Http:
    def __init__(self, port, timeout=30):
        self.port = port
        self.timeout = timeout

    def request(self, method, path, body=None, headers=None):
        """Raises OSError or http.client.HTTPException if there is no whole answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return Response(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path, headers=None):
        return self.request("GET", path, headers=headers)

    def delete(self, path):
        return self.request("DELETE", path)

    def post_image(self, body, content_type="application/octet-stream"):
        return self.request("POST", "/v1/images", body, {"Content-Type": content_type})

    def post_files(self, files):
        """multipart/form-data; files = [(field, raw Content-Disposition filename or None, bytes)]."""
        boundary = uuid.uuid4().hex
        parts = []
        for field, filename, content in files:
            disposition = f'form-data; name="{field}"'
            if filename is not None:
                disposition += f'; filename="{filename}"'
            parts.append(f"--{boundary}\r\nContent-Disposition: {disposition}\r\n"
                         "Content-Type: application/octet-stream\r\n\r\n".encode() + content + b"\r\n")
        body = b"".join(parts) + f"--{boundary}--\r\n".encode()
        return self.request("POST", "/v1/images", body,
                            {"Content-Type": f"multipart/form-data; boundary={boundary}"})

    def list_all(self, state=None, page=100):
        """Every resource of the list, following the cursor (RFC 8288 Link headers)."""
        path = f"/v1/images?limit={page}" + (f"&state={state}" if state else "")
        found = []
        while path:
            answer = self.get(path)
            assert answer.status == 200, answer
            found += answer.json["images"]
            path = next_link(answer.headers.get("Link"))
        return found


def next_link(link):
    """The target of rel="next" in a Link header; None if there is none."""
    for part in (link or "").split(","):
        target, _, parameters = part.strip().partition(">")
        if 'rel="next"' in parameters:
            return target.lstrip("<")
    return None
