"""A dataset's profile: images a second, memory as samples grow, and data-gradients beside it.

`python -m benchmarks.profiling [FOLDER] [--peer PYTHON]`: of images in folders, one a class, beside 2,000 that are
made; PYTHON is the interpreter of an environment with `data-gradients==0.3.2` and `setuptools<81`, if there is one.

Of each dataset three things are measured in turns: what decoding alone takes; profiles that decode, with all panels
and with those that both tools have; and the same with decoding taken out for both, its images in memory under a
DataLoader, for that is the user's own time with either tool; a small dataset's are gone through several times, so that
what is done once a pass is as small a part as it is of others. Both make their pass and no report. Torch has one thread
in all of them: on a busy machine its threads wait for each other, which would cost whoever else allows it many times
more than the stacking of batches can gain. Both keep the memory that they freed, as the command line does: without
that both spend much of their time on getting the pages of each batch anew. Where there is a GPU, ours once more there.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import PILToTensor

from augimpact.data.image import EXAMPLES, example
from augimpact.memory import keep_freed_memory
from augimpact.profiling.extract import profile
from benchmarks.timing import keep, peak_megabytes, table

MADE, ROUNDS, FEW, MANY = 2000, 5, 1_000, 20_000
BATCH = 16
DECODING = "decoding alone"
# What both tools tell of a dataset of classes, as each calls it. The peer's usual ones are these and the distribution
# of sizes by class, which takes no time.
SHARED = ("summary", "classes", "sizes", "brightness", "colours")
PEERS = ("ClassificationSummaryStats", "ClassificationClassFrequency", "ImagesResolution", "ImagesAverageBrightness",
         "ImageColorDistribution")  # fmt: skip
# Runs in the peer's own environment: a pass for each line that it is sent, so that all contestants take turns.
PEER = """
import ctypes, os, sys, tempfile, time
# As `augimpact.memory` has it.
for option in ((-1, 1 << 30), (-3, 1 << 30), (-8, 1)):
    ctypes.CDLL(None).mallopt(*option)
import torch
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import PILToTensor
folder, extractors, size, count = sys.argv[1], sys.argv[2].split(","), int(sys.argv[3]), int(sys.argv[4])
os.chdir(tempfile.mkdtemp())
torch.set_num_threads(1)
from data_gradients.managers.classification_manager import ClassificationAnalysisManager
from data_gradients.utils.data_classes.image_channels import ImageChannels
dataset = ImageFolder(folder, transform=PILToTensor())
sources = {"files": dataset, "memory": None}
for line in sys.stdin:
    kind = line.strip()
    if sources[kind] is None:
        sources[kind] = [dataset[number] for number in range(len(dataset))] * (count // len(dataset))
    manager = ClassificationAnalysisManager(
        report_title="x", train_data=DataLoader(sources[kind], batch_size=size), class_names=dataset.classes,
        use_cache=False, is_batch=True, image_channels=ImageChannels.from_str("RGB"),
        images_extractor=lambda item: item[0], labels_extractor=lambda item: item[1], feature_extractors=extractors)
    began = time.perf_counter()
    # Its pass alone; `run` makes a report of it as well.
    manager.execute()
    seconds = time.perf_counter() - began
    seen = {type(each).__name__: each for group in manager.grouped_feature_extractors.values() for each in group}
    counted = int(seen["ImageColorDistribution"].pixel_frequency_per_channel_per_split["train"][0].sum())
    print("SECONDS", seconds, len(seen["ImagesAverageBrightness"].data), counted, flush=True)
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--peer")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    figures = {}
    with tempfile.TemporaryDirectory() as name:
        folders = {f"{MADE:,} of 500 × 375": made(Path(name, "made"))}
        if options.folder is not None:
            folders = {options.folder.resolve().parent.name + "/" + options.folder.name: options.folder} | folders
        for title, folder in folders.items():
            figures[title] = measure_speed(title, folder, options.peer, options.rounds)
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


def measure_speed(title: str, folder: Path, python: str | None, rounds: int) -> dict[str, float]:
    """Images a second of a whole profile, without writing a report; and of the peer's pass, and how many times as many.

    Raises:
        RuntimeError: the peer did not look at every pixel.
    """
    files = ImageFolder(str(folder), transform=PILToTensor())
    memory = [files[number] for number in range(len(files))] * max(1, MADE // len(files))
    contestants: dict[str, Callable[[], object]] = {
        DECODING: lambda: deque(DataLoader(files, batch_size=BATCH), maxlen=0),
    }
    loaders = {"files": files, "memory": memory}
    for device in ["cpu"] + ["cuda"] * torch.cuda.is_available():
        for panels, features in (("all panels", None), ("shared panels", SHARED)):
            options = {"features": features, "device": device, "progress": silent}
            on = "" if device == "cpu" else f", on {device}"
            contestants[f"files, {panels}, from the folder{on}"] = partial(profile, folder, **options)
            for kind, data in loaders.items():
                contestants[f"{kind}, {panels}{on}"] = partial(profiled, data, **options)
    times: dict[str, list[float]] = {}
    counts = {"files": len(files), "memory": len(memory)}
    pixels = {kind: sum(image[0].numel() for image, _ in memory[:count]) for kind, count in counts.items()}
    with Peer(python, folder, counts, pixels) if python else nullcontext() as peer:
        for number in range(rounds + 1):
            for name, run in contestants.items():
                began = time.perf_counter()
                run()
                times.setdefault(name, []).append(time.perf_counter() - began)
            for kind in ("files", "memory") if peer else ():
                times.setdefault(f"{kind}, the peer", []).append(peer.seconds(kind))
            if not number:
                times.clear()
    speeds = {
        name: counts["memory" if name.startswith("memory") else "files"] / statistics.median(each)
        for name, each in times.items()
    }
    rows = [(f"{title}: {len(files)} files, {len(memory)} in memory", "images a second", "times the peer's")]
    for name, speed in speeds.items():
        theirs = speeds.get(f"{name.partition(',')[0]}, the peer")
        rows.append((name, f"{speed:.0f}", "" if theirs is None else f"{speed / theirs:.1f}"))
    table(rows)
    return speeds


def profiled(data: Any, **options: Any) -> object:
    return profile(DataLoader(data, batch_size=BATCH), **options)


class Peer:
    """Data-gradients in an environment of its own, ready for one pass after the other.

    Args:
        python: its interpreter.
        folder: of the images.
        counts: of them, by the kind of pass.
        pixels: of all, likewise.
    """

    def __init__(self, python: str, folder: Path, counts: Mapping[str, int], pixels: Mapping[str, int]) -> None:
        self._expected = {kind: (count, pixels[kind]) for kind, count in counts.items()}
        self._process = subprocess.Popen(
            [python, "-c", PEER, str(folder.resolve()), ",".join(PEERS), str(BATCH),
             str(counts["memory"])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=60)

    def seconds(self, kind: str) -> float:
        """What a pass takes over the `files`, or over the images in `memory`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{kind}\n")
        self._process.stdin.flush()
        # It prints much else.
        for line in self._process.stdout:
            found = re.search(r"SECONDS (\S+) (\d+) (\d+)", line)
            if found and (int(found[2]), int(found[3])) != self._expected[kind]:
                raise RuntimeError(
                    f"data-gradients saw {found[2]} images, {found[3]} pixels; expected {self._expected[kind]}"
                )
            if found:
                return float(found[1])
        raise RuntimeError("data-gradients ended before its pass did")


def silent(_done: int, _total: int) -> None:
    """No bar."""


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
    print(peak_megabytes())


if __name__ == "__main__":
    main()
