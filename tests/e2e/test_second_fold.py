"""Another program, in another language and by another library, makes of the same log the same rows:
the fold in Kafka Streams (tests/oracle). Seeded events with duplicates, repeated requests, deletions,
topics that overtake each other, and records that can't be read. About 40 seconds."""

import json

import pytest

from support import oracle
from support.stack import Stack

RECORDS = 30_000


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    """A projector's view of the events, caught up and at rest."""
    stack = Stack(tmp_path_factory.mktemp("stack"))
    try:
        stack.tool("topics", "ensure")
        stack.tool("bench_events", "--count", str(RECORDS), "--seed", "7")
        stack.start("state_projector")
        stack.wait_ready("state_projector")
        stack.stop("state_projector")
        yield stack
    finally:
        stack.close()


def rows(lines):
    return [json.loads(line) for line in lines]


def test_both_folds_make_the_same_rows(view, tmp_path):
    ours = rows(view.tool("state_projector", "dump").splitlines())
    class_path = oracle.build()
    done = oracle.fold(class_path, view.bootstrap, tmp_path / "state", RECORDS, view.prefix,
                       dump=tmp_path / "rows.jsonl")
    assert done["records"] == RECORDS
    theirs = rows((tmp_path / "rows.jsonl").read_text().splitlines())
    assert [row["id"] for row in theirs] == [row["id"] for row in ours]
    different = [(mine, other) for mine, other in zip(ours, theirs) if mine != other]
    assert not different, different[:2]
    # The comparison has met every kind of thing there is.
    assert {row.get("state") for row in ours} >= {"accepted", "processing", "completed", "failed",
                                                  "deleted"}
    assert any(len(row.get("requests", ())) > 1 for row in ours)


def test_a_build_at_once_is_the_same_as_the_fold_by_record(view):
    """verify builds a view at once and compares everything; so does rebuild, and then it serves."""
    status = json.loads(view.tool("state_projector", "status", "--json"))
    assert status["unreadable_records"] > 0
    view.tool("state_projector", "verify")
    view.tool("state_projector", "rebuild")
    rebuilt = json.loads(view.tool("state_projector", "status", "--json"))
    assert rebuilt.pop("view_id") != status.pop("view_id")
    assert rebuilt == status
