"""The chaos run: load, faults, and then everything that was promised is held against the log.

As a program (make chaos): THUMB_CHAOS_SECONDS (default 240), THUMB_CHAOS_SEED (default: another each
time), THUMB_BIN_DIR; its folder keeps logs and report.json.
"""

import json
import os
import pathlib
import random
import sys
import tempfile
import time

if __name__ == "__main__":
    sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[2]),
                    str(pathlib.Path(__file__).resolve().parents[1])]

# pylint: disable=wrong-import-position
from support import outcomes  # noqa: E402
from support.load import Load  # noqa: E402

from chaos.faults import all_faults  # noqa: E402
from chaos.schedule import Schedule  # noqa: E402
from chaos.world import INGESTS, PROCESSORS, World  # noqa: E402

SETTLE_SECONDS = 180
SAMPLE_SECONDS = 1.0


def run(folder, seconds, seed, clients=8):
    """Returns the report; AssertionError if anything that was promised does not hold."""
    world = World(folder)
    try:
        return _run(world.up(), seconds, seed, clients)
    finally:
        world.close()


def _run(world, seconds, seed, clients):
    faults, left_out = all_faults(world)
    schedule = Schedule(world, faults, random.Random(seed))
    report = {"seed": seed, "seconds": seconds, "left out": left_out}
    try:
        with Load(world.stack, INGESTS, clients=clients, pace=0.02, seed=seed, changes=True) as load:
            schedule.run(seconds, watching(world, load))
            schedule.heal()
            world.broker.wait_ready()
            for instance in world.stack.running:
                world.stack.wait_ready(instance)
        log = outcomes.check_all(world.stack, load.told, SETTLE_SECONDS)
        report |= outcomes.summary(log, load)
        report["transactions heard of"] = world.transactions()
        world.stack.down()
    finally:
        report |= {"faults": dict(schedule.counts), "all faults": sum(schedule.counts.values()),
                   "kills": sum(n for kind, n in schedule.counts.items() if kind.startswith("kill")),
                   "partitions assigned": world.partitions_assigned(), "story": schedule.story}
        (world.folder / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    return report


def watching(world, load):
    """Between faults: no client was told nonsense, no service ended by itself."""
    next_sample = [time.monotonic()]

    def watch():
        load.require_healthy()
        world.stack.require_alive()
        if time.monotonic() >= next_sample[0]:
            next_sample[0] = time.monotonic() + SAMPLE_SECONDS
            for instance in PROCESSORS:
                world.sample(instance)
    return watch


def main():
    seconds = float(os.environ.get("THUMB_CHAOS_SECONDS") or 240)
    seed = int(os.environ.get("THUMB_CHAOS_SEED") or random.SystemRandom().randrange(10**6))
    base = pathlib.Path(os.environ.get("THUMB_DATA_DIR") or tempfile.gettempdir()).absolute() / "chaos"
    folder = base / time.strftime("%Y%m%d-%H%M%S")
    folder.mkdir(parents=True)
    print(f"{seconds:.0f} s of faults under load, THUMB_CHAOS_SEED={seed}, in {folder} ...", flush=True)
    try:
        report = run(folder, seconds, seed)
    except AssertionError as error:
        print(f"error: {error}\n(seed {seed}; logs and report.json in {folder})", file=sys.stderr)
        return 1
    shown = {name: value for name, value in report.items() if name != "story"}
    outcomes.print_report("everything that was accepted has ended exactly once", shown)
    return 0


if __name__ == "__main__":
    sys.exit(main())
