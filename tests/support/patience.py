"""How a patient client asks: 503 and a broken connection mean "not known to be accepted", so it asks again."""

import http.client
import time


def ask_until_answered(request, seconds, on_failure, note=lambda answer: None):
    """The first answer that is no 503. `note` is told of each try: its answer, or None if there was none;
    `on_failure` says what to show when the patience is over."""
    deadline = time.monotonic() + seconds
    while True:
        answer = _tried(request)
        note(answer)
        if answer is not None:
            if answer.status != 503:
                return answer
            assert int(answer.headers["Retry-After"]) > 0, answer
            assert answer.headers["Content-Type"] == "application/problem+json", answer
        assert time.monotonic() < deadline, f"never answered: {on_failure()}"
        time.sleep(0.1)  # the client's own patience


def _tried(request):
    try:
        return request()
    except (OSError, http.client.HTTPException):
        return None
