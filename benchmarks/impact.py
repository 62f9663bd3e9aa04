"""A dataset under a sweep: against the bare forward pass, on one worker and two, memory, and what a cluster costs.

`python -m benchmarks.impact [FOLDER]`: of images in folders, one a class; by default pieces of the example photographs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from distributed import Client, LocalCluster

import augimpact as ai
from augimpact.data.samples import SampleTable
from augimpact.impact import cluster
from augimpact.impact.jobs import jobs_of
from augimpact.impact.parts import Parts
from augimpact.impact.plan import plan_of
from augimpact.impact.result import samples_frame
from augimpact.models.hooks import evaluating
from benchmarks.profiling import made
from benchmarks.timing import keep, medians, peak_megabytes, table

ROUNDS, FRAMES, BATCH = 3, 13, 16
SWEEP = ai.Sweep(rotation=(-90, 90), frames=FRAMES)
# Photographs of a round here, of the comparison of workers, and of the two whose memory is compared.
HERE, THERE, FEW, MANY = 80, 156, 100, 400
TASKS = 2000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path)
    folder = parser.parse_args().folder
    ai.keep_freed_memory()
    figures = {}
    with tempfile.TemporaryDirectory() as name:
        photographs = SampleTable.from_folder(made(Path(name, "made")) if folder is None else folder)
        photographs = photographs[:: max(1, len(photographs) // MANY)]
        figures["one process"] = measure_here(photographs[:HERE])
        figures["memory"] = measure_memory(photographs)
        figures["workers"] = measure_workers(photographs[:THERE])
        figures["scheduler"] = measure_scheduler()
        figures["table"] = measure_bytes(photographs[:FEW])
    keep("impact", figures)


def silent(_done: int, _total: int) -> None:
    """No bar."""


def measure_here(photographs: SampleTable) -> dict[str, float]:
    """Frames a second of a whole run that writes its parts, and of the forward pass alone on tensors in memory."""
    classifier = ai.load_classifier()
    batch = torch.rand(BATCH, 3, 224, 224).to(classifier.device, memory_format=torch.channels_last)
    frames = len(photographs) * FRAMES

    def forward() -> None:
        with torch.inference_mode(), evaluating(classifier.module):
            for _ in range(frames // BATCH):
                classifier.module(batch)
        if classifier.device.type == "cuda":
            torch.cuda.synchronize()

    def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            ai.measure_impact(photographs, SWEEP, classifier, folder=folder, progress=silent)

    seconds = medians({"the forward pass alone": forward, "decoded, augmented, measured, written": run}, ROUNDS)
    found = {name: frames / each for name, each in seconds.items()}
    bare, whole = found.values()
    table([("frames a second", f"{frames} frames"), *((name, f"{each:.1f}") for name, each in found.items())])
    print(f"ratio {whole / bare:.2f}\n")
    return found | {"ratio": whole / bare}


def measure_workers(photographs: SampleTable) -> dict[str, float]:
    """Frames a second of one worker and of two, of a thread each; and of one as Dask itself would start it."""
    frames = len(photographs) * FRAMES
    clusters = {
        "one worker": lambda: cluster.own_cluster(1, threads=1),
        "two workers": lambda: cluster.own_cluster(2, threads=1),
        "one worker as Dask starts it": as_dask_starts_it,
    }
    found: dict[str, float] = {}
    for name, started in clusters.items():
        with started() as client:
            # The first makes the classifier.
            ai.measure_impact(photographs[:10], SWEEP, client=client, progress=silent)
            began = time.perf_counter()
            ai.measure_impact(photographs, SWEEP, client=client, progress=silent)
            found[name] = frames / (time.perf_counter() - began)
    one, two, _ = found.values()
    table([("frames a second", f"{frames} frames"), *((name, f"{each:.1f}") for name, each in found.items())])
    print(f"ratio {two / one:.2f}\n")
    return found | {"ratio": two / one}


@contextmanager
def as_dask_starts_it() -> Iterator[Client]:
    """A worker that gives freed memory back at once."""
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as started,
        Client(started, set_as_default=False) as client,
    ):
        yield client


def measure_memory(photographs: SampleTable) -> dict[str, float]:
    """The peak of a process that measures so many photographs."""
    peaks = {}
    with tempfile.TemporaryDirectory() as folder:
        photographs.save(Path(folder, "all.csv"))
        for count in (FEW, MANY):
            script = f"from benchmarks.impact import measure_some; measure_some({folder + '/all.csv'!r}, {count})"
            done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
            peaks[f"{count} photographs, MB"] = float(done.stdout.split()[-1])
    few, many = peaks.values()
    rows = [(name.removesuffix(", MB"), f"{peak:.0f}") for name, peak in peaks.items()]
    table([("", "peak memory, MB"), *rows, ("growth", f"{100 * (many / few - 1):.1f} %")])
    print()
    return peaks


def measure_some(listed: str, count: int) -> None:
    """In a process of its own: the first so many photographs."""
    ai.keep_freed_memory()
    photographs = SampleTable.from_csv(listed)
    # Where there are fewer, the same ones count as others: known by another name.
    frame = photographs[[number % len(photographs) for number in range(count)]].frame
    frame["sample_id"] = [f"{number}" for number in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        ai.measure_impact(photographs.with_frame(frame), SWEEP, folder=folder, progress=silent)
    print(peak_megabytes())


def measure_scheduler() -> dict[str, float]:
    """Tasks a second that a scheduler hands out and takes back, of the size of ours, when they cost nothing."""
    plan = plan_of(ai.Sweep(rotation=(-90, 90), frames=61))
    listed = SampleTable.from_arrays([[[0.0]]] * plan.samples_together)
    samples = samples_frame(listed.frame, ["a"] * len(listed), range(len(listed)))
    with tempfile.TemporaryDirectory() as folder, cluster.own_cluster(1, threads=1) as client:
        job = jobs_of(listed, samples, plan, Parts(Path(folder)))[0]
        document, answer = plan.document(), os.urandom(20_000)
        began = time.perf_counter()
        futures = [client.submit(_answered, number, job, document, answer, pure=False) for number in range(TASKS)]
        client.gather(futures)
        speed = TASKS / (time.perf_counter() - began)
    table([("scheduler", "tasks a second"), (f"{TASKS} tasks", f"{speed:.0f}")])
    print()
    return {"tasks a second": speed}


def _answered(_number: int, _job: object, _plan: object, answer: bytes) -> bytes:
    return answer


def measure_bytes(photographs: SampleTable) -> dict[str, float]:
    """Bytes a row of the parts."""
    sweep = ai.Sweep(rotation=(-90, 90), frames=61)
    with tempfile.TemporaryDirectory() as folder:
        found = ai.measure_impact(photographs[:20], sweep, folder=folder, progress=silent)
        size = sum(file.stat().st_size for file in Path(folder).rglob("parts/*/*.parquet"))
    each = size / found.outcomes.predicted.size
    table([("parts", "bytes a row"), ("61 settings", f"{each:.1f}")])
    return {"bytes a row": each}


if __name__ == "__main__":
    main()
