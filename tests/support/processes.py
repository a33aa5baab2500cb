"""Child processes that can't be left behind, and waiting by condition. Linux only."""

import ctypes
import os
import pathlib
import random
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    """For preexec_fn: the kernel kills this child when the thread that started it ends."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def adopt_orphans():
    """From now on, descendants whose parent ends become children of this process."""
    if _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def spawn(argv, env=None, log=None, cwd=ROOT, keep=()):
    """Starts argv in a session of its own (a Ctrl-C is ours to pass on); output goes to `log`. It gets
    the descriptors of `keep` too."""
    out = open(log, "ab") if log else subprocess.DEVNULL
    try:
        return subprocess.Popen(
            [str(word) for word in argv], env=env, cwd=cwd, stdin=subprocess.DEVNULL,
            stdout=out, stderr=subprocess.STDOUT, preexec_fn=die_with_parent,
            start_new_session=True, pass_fds=keep)
    finally:
        if log:
            out.close()


def stop(process, seconds):
    """SIGTERM, a bounded wait, SIGKILL. Returns the exit code; negative for a signal."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


def free_ports(count):
    """The first of `count` free loopback ports in a row, below the ephemeral range, so that no
    outgoing connection takes one."""
    for _ in range(200):
        first = random.SystemRandom().randrange(20000, 32000)
        if all(_is_free(first + number) for number in range(count)):
            return first
    raise RuntimeError("no free port found")


def _is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port():
    return free_ports(1)


def wait_until(condition, seconds, what, pause=0.05):
    """Polls until condition() is true and returns its value; AssertionError after the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(pause)


def _all():
    """(pid, parent) of every process that has not ended."""
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended while we looked
        if fields[0] != "Z":
            yield int(entry.name), int(fields[1])


def children():
    """[(pid, command line)] of this process's living children."""
    found = []
    for pid, parent in _all():
        if parent != os.getpid():
            continue
        try:
            command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        found.append((pid, command.replace(b"\0", b" ").decode(errors="replace").strip()))
    return found


def descendants(pid):
    """The living ones, at any depth."""
    parents = dict(_all())
    found = {pid}
    while more := {one for one, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def resident_bytes(pid):
    """0 if it has ended."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/statm").read_text().split()
    except OSError:
        return 0
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def tail(path, lines=25):
    try:
        return "\n".join(pathlib.Path(path).read_text(errors="replace").splitlines()[-lines:])
    except OSError as error:
        return f"({error})"
