"""The rows of the whole pipeline, over HTTP: ours against Fastify + BullMQ + Redis + sharp."""

import json
import subprocess

from support import processes
from support.stack import required_env

from bench.cpus import running_on
from bench.frame import Row, percentile, take_turns
from bench.sides import Ours, Theirs

AGAINST = "Fastify + BullMQ + Redis + sharp"
UNDER_WAY = {"connections": 16, "window": 256}
MISHAP_SECONDS = 180  # no workload takes that long


class Pipeline:
    """Both sides, running. `scale` 1 is a measurement; less is for trying the bench itself."""

    def __init__(self, folder, images, cpus, peer, scale=1.0):
        self.images = images
        self.cpus = cpus
        self.scale = scale
        self.turns = 3 if scale == 1 else 1
        self.client = cpus.rest
        self.sides = [Ours(folder / "ours", cpus)]
        if peer:
            self.sides.append(Theirs(folder / "theirs", cpus, peer))

    def __enter__(self):
        try:
            for side in self.sides:
                side.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for side in self.sides:
            side.stop()

    def load(self, side, workload, **options):
        """Runs the client; returns its report. Options in seconds are given as such."""
        words = [required_env("THUMB_BIN_DIR") + "/bench_load", "--workload", workload,
                 "--port", side.port, "--images", self.images]
        for name, value in options.items():
            if name.endswith("_ms"):
                value = max(1, round(value * self.scale))
            words += ["--" + name.replace("_", "-"), value]
        with running_on(self.client):
            done = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                                  check=False, timeout=MISHAP_SECONDS,
                                  preexec_fn=processes.die_with_parent)
        if done.returncode != 0:
            raise RuntimeError(f"{workload} on {side.name}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def reports(self, workload, **options):
        """{"ours": [report of each turn], "theirs": [...]}."""
        found = {side.name: [] for side in self.sides}
        for _, side in take_turns(self.turns, *self.sides):
            found[side.name].append(self.load(side, workload, **options))
        return found

    def set_workers(self, cpus, client_takes_theirs=False):
        """The workers' CPUs are the client's where workers have nothing to do."""
        self.client = self.cpus.workers(2) if client_takes_theirs else self.cpus.rest
        for side in self.sides:
            side.set_workers(cpus)


def _row(name, unit, reach, reports, figure):
    figures = {side: tuple(figure(report) for report in turns) for side, turns in reports.items()}
    return Row(name, unit, AGAINST, reach, figures["ours"], figures.get("theirs", ()))


def _rate(report):
    return report["count"] / report["seconds"]


def uploads_completed(pipeline, cpus):
    """16 clients post, and 256 images are under way, so that nobody waits for work; their client sees
    this many completed a second."""
    pipeline.set_workers(cpus)
    for side in pipeline.sides:  # until what compiles at run time has compiled what matters
        pipeline.load(side, "completed", **UNDER_WAY, warm_up_ms=1000, measured_ms=20000)
    reports = pipeline.reports("completed", **UNDER_WAY, warm_up_ms=3000, measured_ms=10000)
    return [_row(f"uploads-completed-{cpus}", "images/s", ">= 1.5", reports, _rate)], reports


def latency_light(pipeline):
    """One client, one image at a time: from the POST to the answer that says completed."""
    pipeline.set_workers(1)
    count = max(1, round(200 * pipeline.scale))
    for side in pipeline.sides:
        pipeline.load(side, "latency", count=count // 4 + 1)  # warm-up
    reports = pipeline.reports("latency", count=count)
    return [_row(f"latency-light-p{percent}", "ms", "<= 2.5", reports,
                 lambda report, percent=percent: percentile(report["ms"], percent))
            for percent in (50, 99)], reports


def status_reads(pipeline):
    """32 clients ask for the status of completed images."""
    pipeline.set_workers(1, client_takes_theirs=True)
    reports = pipeline.reports("status-reads", connections=32, count=64, warm_up_ms=1000,
                               measured_ms=4000)
    return [_row("status-reads", "reads/s", ">= 4", reports, _rate)], reports


def accepted(pipeline):
    """32 clients post as fast as they are answered; no worker runs, so only the door is measured."""
    pipeline.set_workers(0, client_takes_theirs=True)
    reports = pipeline.reports("accepted", connections=32, warm_up_ms=1000, measured_ms=4000)
    return [_row("accepted", "uploads/s", ">= 2", reports, _rate)], reports


# Name prefix of the rows -> what measures them. Accepted is last: it leaves a queue behind.
EXPERIMENTS = {
    "uploads-completed-1": lambda pipeline: uploads_completed(pipeline, 1),
    "uploads-completed-2": lambda pipeline: uploads_completed(pipeline, 2),
    "latency-light": latency_light,
    "status-reads": status_reads,
    "accepted": accepted,
}
