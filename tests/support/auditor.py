"""Audits a stack's whole log with the auditor binary: did every promise hold?"""

import json
import subprocess

from . import processes

CLEAN, FOUND = 0, 3


def run(stack, wait_seconds=0, *argv):
    """One audit; returns its exit code (0 or 3) and its JSON report."""
    done = subprocess.run(
        [str(stack.bin / "auditor"), "--json", f"--wait-ms={round(wait_seconds * 1000)}", *argv],
        env=stack.env, cwd=processes.ROOT, capture_output=True, text=True,
        timeout=wait_seconds + 180, check=False, preexec_fn=processes.die_with_parent)
    assert done.returncode in (CLEAN, FOUND), (
        f"the auditor ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.returncode, json.loads(done.stdout)


def audit(stack, wait_seconds=60, *argv):
    """Waits until every request has ended (else fails), audits, asserts that nothing is wrong.

    Returns the counts: uploads, completed, failed, dead_letters, repeats, ...
    """
    code, report = run(stack, wait_seconds, *argv)
    assert code == CLEAN and report["ok"], (
        f"{report['kinds']}\n" + "\n".join(map(str, report["findings"][:20])))
    counts = report["counts"]
    assert counts["open"] == 0, f"not settled within {wait_seconds} s: {counts}\n{stack.tails()}"
    return counts
