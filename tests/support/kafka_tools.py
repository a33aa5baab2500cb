"""Apache Kafka's own command-line tools, from the jars of our broker: what an operator has at hand."""

import os
import subprocess
import tempfile

from . import processes

_CLASSES = {"kafka-consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"}


def _install(folder):
    jars = processes.ROOT / os.environ.get("THUMB_CACHE", "build") / "kafka-jars"
    for name, java_class in _CLASSES.items():
        script = f'#!/bin/sh\nexec java -Djava.awt.headless=true -cp "{jars}/*" {java_class} "$@"\n'
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(script)
        os.chmod(path, 0o755)


def shell(line, seconds=60):
    """Runs a line of shell as an operator types it, in a folder of its own with Kafka's tools on the
    path; its output. A tool that fails says so in its output or by its exit code, and fails the test."""
    with tempfile.TemporaryDirectory() as folder:
        _install(folder)
        env = dict(os.environ, PATH=f"{folder}:{os.environ['PATH']}")
        done = subprocess.run(["sh", "-c", line], cwd=folder, env=env, capture_output=True, text=True,
                              timeout=seconds, check=False, preexec_fn=processes.die_with_parent)
    assert done.returncode == 0 and "Error:" not in done.stdout, f"{line}: {done.stdout}\n{done.stderr}"
    return done.stdout
