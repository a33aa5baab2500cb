"""make bench in miniature: our side alone, for a moment. Its figures mean nothing here; that it runs,
and that its arithmetic is right, does."""

import json
import subprocess
import sys

import pytest

from support import processes

sys.path.insert(0, str(processes.ROOT))
from bench import frame  # noqa: E402


def run(folder, *rows):
    """Name of a row -> its figure."""
    done = subprocess.run([processes.ROOT / "bench/run.py", "--smoke", "--out", folder, *rows],
                          capture_output=True, text=True, timeout=240, check=False,
                          preexec_fn=processes.die_with_parent)
    assert done.returncode == 0, done.stderr
    return {line.split()[0]: float(line.split()[1]) for line in done.stdout.splitlines()}


def test_the_pipeline_and_the_replay(tmp_path):
    figures = run(tmp_path, "uploads-completed-1", "latency-light", "status-reads", "accepted", "replay")
    assert set(figures) == {"uploads-completed-1", "latency-light-p50", "latency-light-p99",
                            "status-reads", "accepted", "replay"}
    assert 0 < figures["latency-light-p50"] <= figures["latency-light-p99"]
    assert figures["status-reads"] > 0
    raw = json.loads((tmp_path / "bench/latency-light.json").read_text())
    assert len(raw["turns"]["ours"]) == 1 and raw["machine"]["cpu"]
    assert len(raw["turns"]["ours"][0]["ms"]) == 20
    assert not (tmp_path / "bench/data").exists()
    assert not (tmp_path / "bench.json").exists()  # half a comparison is none


def test_a_long_log_is_rebuilt_under_questions_and_after_a_kill(tmp_path):
    """A view built at once, in a running projector: no question fails, and the digest is the same,
    also after a kill -9 half-way."""
    assert set(run(tmp_path, "rebuild-under-load")) == {"rebuild-under-load"}
    turns = json.loads((tmp_path / "bench/rebuild-under-load.json").read_text())["turns"]
    assert turns["ours"][0]["count"] > 0 and turns["killed"][0]["count"] > 0


def test_a_long_log_is_taken_up_from_a_checkpoint_and_from_the_one_before(tmp_path):
    assert set(run(tmp_path, "restore")) == {"restore"}


def test_an_unknown_row_is_refused():
    done = subprocess.run([processes.ROOT / "bench/run.py", "no-such-row"], capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 2 and "no-such-row" in done.stderr


@pytest.mark.parametrize("percent, expected", [(50, 2), (75, 3), (99, 4), (1, 1)])
def test_percentiles_are_values_that_occurred(percent, expected):
    assert frame.percentile([4, 1, 3, 2], percent) == expected


def test_a_row_compares_medians():
    row = frame.Row("r", "ms", "them", "<= 2.5", (9, 5, 6), (2, 1, 30))
    assert row.ratio == 3 and not row.reached
    assert frame.Row("r", "1/s", "them", ">= 3", (9, 5, 6), (2, 1, 30)).reached
    assert row.as_json() == {"name": "r", "ours": 6, "theirs": 2, "unit": "ms", "ratio": 3,
                             "reach": "<= 2.5", "against": "them"}
    assert "not reached" in frame.table([row])
    assert [(turn, side) for turn, side in frame.take_turns(2, "a", "b")] == [
        (0, "a"), (0, "b"), (1, "a"), (1, "b")]
