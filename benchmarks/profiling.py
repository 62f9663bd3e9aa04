"""A dataset's profile: images a second, memory as samples grow, and data-gradients beside it.

`python -m benchmarks.profiling [FOLDER] [--peer PYTHON]`: of images in folders, one a class, beside 2,000 that are
made; PYTHON is the interpreter of an environment with `data-gradients==0.3.2` and `setuptools<81`, if there is one.
"""

from __future__ import annotations

import argparse
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import PILToTensor

from augimpact.data.image import EXAMPLES, example
from augimpact.profiling.extract import profile
from benchmarks.timing import keep, table

MADE, ROUNDS, FEW, MANY = 2000, 2, 1_000, 20_000
PEER = """
import os, sys, tempfile, time
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import PILToTensor
folder = sys.argv[1]
os.chdir(tempfile.mkdtemp())
from data_gradients.managers.classification_manager import ClassificationAnalysisManager
dataset = ImageFolder(folder, transform=PILToTensor())
loader = DataLoader(dataset, batch_size=16)
manager = ClassificationAnalysisManager(
    report_title="x", train_data=loader, class_names=dataset.classes, use_cache=False, is_batch=True,
    images_extractor=lambda item: item[0], labels_extractor=lambda item: item[1])
began = time.perf_counter()
# Its pass alone; `run` makes a report of it as well.
manager.execute()
print("SECONDS", time.perf_counter() - began)
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--peer")
    options = parser.parse_args()
    figures = {}
    with tempfile.TemporaryDirectory() as name:
        folders = {f"{MADE:,} of 500 × 375": made(Path(name, "made"))}
        if options.folder is not None:
            folders = {options.folder.resolve().parent.name + "/" + options.folder.name: options.folder} | folders
        for title, folder in folders.items():
            figures[title] = measure_speed(title, folder, options.peer)
            print()
    figures["memory"] = measure_memory()
    keep("profiling", figures)


def made(folder: Path) -> Path:
    """Pieces of the example photographs."""
    generator = np.random.default_rng(0)
    photographs = [example(name) for name in EXAMPLES]
    for number in range(MADE):
        place = folder / f"class{number % 10}"
        place.mkdir(parents=True, exist_ok=True)
        photograph = photographs[number % len(photographs)]
        left, top = generator.integers(0, (photograph.width - 200, photograph.height - 150))
        piece = photograph.crop((left, top, left + 200, top + 150)).resize((500, 375))
        piece.save(place / f"{number:04}.jpg", quality=90)
    return folder


def measure_speed(title: str, folder: Path, peer: str | None) -> dict[str, float]:
    """Images a second of a whole profile, without writing a report; and what the peer takes with its own."""
    dataset = ImageFolder(str(folder), transform=PILToTensor())
    count = len(dataset)

    def decode() -> None:
        for _ in DataLoader(dataset, batch_size=16 if len({*sizes(dataset)}) == 1 else None):
            pass

    contestants = {
        "decoding alone, torchvision and a DataLoader": decode,
        "augimpact, all panels, from the folder": lambda: profile(folder, progress=silent),
        "augimpact, all panels, from a DataLoader": lambda: profile(
            DataLoader(dataset, batch_size=16), progress=silent
        ),
    }
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    peers = []
    for number in range(ROUNDS + 1):
        for name, run in contestants.items():
            began = time.perf_counter()
            run()
            seconds[name] += [time.perf_counter() - began] if number else []
        if peer and number:
            peers.append(peer_seconds(peer, folder))
    speeds = {name: count / statistics.median(each) for name, each in seconds.items()}
    if peers:
        speeds["data-gradients, its own panels, from a DataLoader"] = count / statistics.median(peers)
    rows = [(f"{title}: {count} images", "images a second")]
    rows += [(name, f"{each:.0f}") for name, each in speeds.items()]
    table(rows)
    return speeds


def silent(_done: int, _total: int) -> None:
    """No bar."""


def sizes(dataset: ImageFolder) -> Iterator[tuple[int, int]]:
    from PIL import Image

    for path, _ in dataset.samples[:20]:
        with Image.open(path) as image:
            yield image.size


def peer_seconds(python: str, folder: Path) -> float:
    # It asks how images and labels are to be read; 0 is RGB, and the first of what it offers.
    done = subprocess.run(
        [python, "-c", PEER, str(folder.resolve())], input="0\n" * 20, capture_output=True, text=True,
        timeout=600, check=True,
    )  # fmt: skip
    found = re.search(r"SECONDS (\S+)", done.stdout)
    assert found, done.stdout[-2000:]
    return float(found[1])


def measure_memory() -> dict[str, float]:
    """The peak of a process that profiles so many samples, all made from a few."""
    peaks = {}
    for count in (FEW, MANY):
        output = subprocess.run(
            [sys.executable, "-c", f"from benchmarks.profiling import profile_many; profile_many({count})"],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        peaks[f"{count} samples, MB"] = float(output.split()[-1])
    few, many = peaks.values()
    rows = [(name.removesuffix(", MB"), f"{peak:.0f}") for name, peak in peaks.items()]
    table([("", "peak memory, MB"), *rows, ("growth", f"{100 * (many / few - 1):.1f} %")])
    return peaks


def profile_many(count: int) -> None:
    pieces: list[NDArray[np.uint8]] = [np.asarray(example(name).resize((160, 120))) for name in EXAMPLES]
    samples = ((np.roll(pieces[number % 4], number, axis=1), number % 10) for number in range(count))
    profile(samples, progress=silent)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
