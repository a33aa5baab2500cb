"""Apache Kafka's own command-line tools, from the jars of our broker: what an operator has at hand."""

import os
import subprocess

from . import processes

_CLASSES = {"kafka-consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"}


def run(command, *arguments, seconds=60):
    """Its output; a tool that fails says so in its output or by its exit code, and fails the test."""
    jars = processes.ROOT / os.environ.get("THUMB_CACHE", "build") / "kafka-jars"
    done = subprocess.run(
        ["java", "-Djava.awt.headless=true", "-cp", f"{jars}/*", _CLASSES[command], *arguments],
        capture_output=True, text=True, timeout=seconds, check=False,
        preexec_fn=processes.die_with_parent)
    assert done.returncode == 0 and "Error:" not in done.stdout, f"{command}: {done.stdout}\n{done.stderr}"
    return done.stdout
