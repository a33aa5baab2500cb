#!/usr/bin/python3
"""make bench: measures both sides and prints the table; bench/README.md says how to read it.

Writes build/bench.json (the rows) and build/bench/<experiment>.json (every turn's raw samples).
"""

import argparse
import os
import pathlib
import shutil
import signal
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from bench import frame, machine, pipeline, rebuild, replay, restore, sample_images  # noqa: E402
from bench.cpus import Cpus  # noqa: E402
from bench.sides import install_peer  # noqa: E402


# Those that bring all they need; the others are of the whole pipeline, whose two sides run throughout.
ALONE = {**replay.EXPERIMENTS, **rebuild.EXPERIMENTS, **restore.EXPERIMENTS}
NAMES = (*pipeline.EXPERIMENTS, *ALONE)


def parse_arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", help="names of rows, or what they begin with; none: all")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build",
                        help="folder of bench.json and bench/")
    parser.add_argument("--smoke", action="store_true",
                        help="our side alone, for a moment: tries the bench, measures nothing")
    arguments = parser.parse_args(argv)
    unknown = [row for row in arguments.rows if not wanted_experiments([row])]
    if unknown:
        parser.error(f"no row is called {', '.join(unknown)}; there are {', '.join(NAMES)}")
    return arguments


def wanted_experiments(rows):
    """Asked for by the name of a row, or by a beginning of several: latency-light-p99, uploads."""
    def asked(experiment):
        return not rows or any(experiment.startswith(row) or row.startswith(experiment) for row in rows)
    return [name for name in NAMES if asked(name)]


def measure(arguments, folder):
    """Yields the rows as they are measured; leaves raw samples in `folder`."""
    cpus = Cpus()
    data = folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    facts = machine.facts(cpus, data)
    names = wanted_experiments(arguments.rows)

    def measured(name, rows, raw):
        frame.write_json(folder / f"{name}.json", {"machine": facts, "turns": raw})
        return rows

    try:
        for name in names:
            if name in ALONE:
                say_measuring(name)
                yield from measured(name, *ALONE[name](data, cpus, arguments.smoke))
        names = [name for name in names if name in pipeline.EXPERIMENTS]
        if not names:
            return
        images = sample_images.write_all(folder / "images")
        peer = None if arguments.smoke else install_peer(folder / "peer")
        with pipeline.Pipeline(data, images, cpus, peer, 0.1 if arguments.smoke else 1) as both:
            for name in names:
                say_measuring(name)
                yield from measured(name, *pipeline.EXPERIMENTS[name](both))
    finally:
        shutil.rmtree(data, ignore_errors=True)


def say_measuring(name):
    print(f"measuring {name} ...", file=sys.stderr, flush=True)


def main(argv):
    arguments = parse_arguments(argv)
    os.environ.setdefault("THUMB_BIN_DIR", str(ROOT / "build/release/bin"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    rows = list(measure(arguments, arguments.out / "bench"))
    if arguments.smoke:
        for row in rows:
            print(f"{row.name}  {row.ours[0]:.1f} {row.unit}")
        return 0
    frame.write_json(arguments.out / "bench.json", [row.as_json() for row in rows])
    print(frame.table(rows))
    print(f"\nmedians of turns; raw samples and machine facts: {arguments.out / 'bench'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
