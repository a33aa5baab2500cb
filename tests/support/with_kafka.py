#!/usr/bin/python3
"""Runs a command with a private Kafka: with_kafka.py -- ctest --preset asan

Starts a broker on a free port with its data in a temporary folder, names it to the command as
THUMB_TEST_KAFKA, and stops it whatever happens. The exit code is the command's; a process that the
command leaves behind makes it a failure.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import processes  # noqa: E402
from support.broker import Broker  # noqa: E402


def end_orphans(spared):
    """Ends what the command left behind, orphans of orphans included; returns their command lines."""
    left = []
    while True:
        found = [(pid, line) for pid, line in processes.children() if pid != spared]
        if not found:
            return left
        for pid, line in found:
            left.append(f"{pid} {line}")
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def wait_for(child):
    """Waits for the command, and meanwhile lets orphans that ended rest in peace."""
    while True:
        pid, status = os.wait()
        if pid == child.pid:
            return os.waitstatus_to_exitcode(status)


def run(command, broker):
    env = dict(os.environ, THUMB_TEST_KAFKA=broker.bootstrap)
    child = subprocess.Popen(command, env=env, preexec_fn=processes.die_with_parent)
    # Ctrl-C reaches the command from the terminal; SIGTERM only comes to us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    code = wait_for(child)
    left = end_orphans(broker.process.pid)
    for line in left:
        print(f"error: left behind: {line}", file=sys.stderr)
    if not broker.alive():
        print(f"error: Kafka ended before its time\n{broker.tail()}", file=sys.stderr)
    return abs(code) or (1 if left or not broker.alive() else 0)


def main():
    words = sys.argv[1:]
    if len(words) < 2 or words[0] != "--":
        print("usage: with_kafka.py -- command [argument...]", file=sys.stderr)
        return 2
    processes.adopt_orphans()
    folder = tempfile.mkdtemp(prefix="thumb-test-kafka-")
    broker = Broker(folder)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        broker.start()
        return run(words[1:], broker)
    except AssertionError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        broker.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
