"""The chaos run (make chaos), a minute of it: every kind of fault in some order, under load."""

from chaos import run
from support import outcomes

SECONDS = 60
SEED = 2024


def test_a_minute_of_chaos(tmp_path):
    report = run.run(tmp_path, SECONDS, SEED, clients=6)
    outcomes.print_report("a minute of chaos",
                          {name: value for name, value in report.items() if name != "story"})
    assert report["all faults"] >= 10 and report["completed"] > 0
