"""What it is worth that a process keeps its freed memory: the same work in processes that do and that do not.

    python -m benchmarks.memory [--processes 5]

A process's luck with its heap lasts for its life, so that processes take turns here and each gives one median.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys

import torch

import augimpact as ai
from augimpact.data.image import example
from benchmarks.timing import keep, machine, medians, table

FRAMES = 48
WAYS = {"as glibc does": "no", "freed memory kept": "yes"}


def measure(kept: bool) -> dict[str, float]:
    """Milliseconds a frame in this process."""
    if kept:
        ai.keep_freed_memory()
    classifier = ai.load_classifier(device="cpu")
    batch = torch.rand(FRAMES, 3, 224, 224).contiguous(memory_format=torch.channels_last)
    sweep, image = ai.Sweep(rotation=(-45, 45), brightness=(1, 1.5), frames=FRAMES), example("motorcycle")

    def bare(size: int) -> None:
        with torch.no_grad():
            for part in batch.split(size):
                classifier.module(part)

    contestants = {
        "bare forward pass, batches of 8": lambda: bare(8),
        "bare forward pass, batches of 16": lambda: bare(16),
        "augimpact": lambda: ai.analyze(image, sweep, classifier),
    }
    return {name: seconds / FRAMES * 1000 for name, seconds in medians(contestants, rounds=5).items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=5)
    parser.add_argument("--measure", choices=WAYS.values(), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure == "yes")))
        return
    print(machine())
    runs: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(arguments.processes):
        for way, answer in WAYS.items():
            command = [sys.executable, "-m", "benchmarks.memory", "--measure", answer]
            runs[way].append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    figures = {
        way: {name: statistics.median(run[name] for run in of_way) for name in of_way[0]}
        for way, of_way in runs.items()
    }
    plain, kept = (figures[way] for way in WAYS)
    rows = [(name, f"{plain[name]:.1f}", f"{kept[name]:.1f}", f"{plain[name] / kept[name]:.2f}×") for name in plain]
    table([("ms a frame", *WAYS, "faster"), *rows])
    keep("memory", {way: {name: round(value, 2) for name, value in figures[way].items()} for way in WAYS})


if __name__ == "__main__":
    main()
