"""The fold in Kafka Streams (tests/oracle): another program that reads the same topics by the same
rules, for comparing rows and speed."""

import json
import os
import pathlib
import subprocess

from . import processes

ORACLE = processes.ROOT / "tests/oracle"
MISHAP_SECONDS = 600


def build():
    """Fetches and compiles it, once; returns the class path."""
    subprocess.run([ORACLE / "build.sh"], check=True, timeout=MISHAP_SECONDS)
    cache = pathlib.Path(os.environ.get("THUMB_CACHE") or "build")
    folder = (cache if cache.is_absolute() else processes.ROOT / cache) / "oracle"
    return f"{folder}/classes:{folder}/jars/*"


def fold(class_path, bootstrap, state, records, prefix="", dump=None):
    """Folds the first `records` records there are; returns {"records": ..., "seconds": ...}. `state` is
    a new folder for its stores."""
    words = ["java", "-Xmx2g", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", class_path,
             "thumbstream.oracle.Main", f"bootstrap={bootstrap}", f"state={state}",
             f"records={records}", f"prefix={prefix}"]
    if dump:
        words.append(f"dump={dump}")
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=MISHAP_SECONDS,
                          preexec_fn=processes.die_with_parent)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
