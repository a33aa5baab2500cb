"""Facts of the machine and of what ran on it, to stand beside the figures."""

import datetime
import os
import pathlib
import platform
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]


def _first_match(path, pattern):
    found = re.search(pattern, pathlib.Path(path).read_text(), re.M)
    return found.group(1).strip() if found else "unknown"


def _output(*argv):
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=ROOT)
    return done.stdout.strip() or "unknown"


def facts(cpus, data):
    """`data`: where both sides keep their files."""
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "cpu": _first_match("/proc/cpuinfo", r"^model name\s*:(.*)$"),
        "cpus": cpus.described(),
        "memory_kib": int(_first_match("/proc/meminfo", r"^MemTotal:\s*(\d+)")),
        "kernel": platform.release(),
        "file_system": _output("stat", "--file-system", "--format=%T", str(data)),
        "load_before": os.getloadavg()[0],
        "commit": _output("git", "describe", "--always", "--dirty"),
        "kafka": _first_match(ROOT / "kafka/broker/pom.xml", r"<kafka.version>(.*?)<"),
        "redis": _output("redis-server", "--version"),
    }
