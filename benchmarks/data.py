"""The data layer: loading beside torchvision's `ImageFolder`, hashing beside a plain loop, splitting a million samples.

`python -m benchmarks.data [FOLDER]`: of images in folders, one a class; without it some are cut out of the example
photographs. Redis is measured where its server is installed.
"""

from __future__ import annotations

import hashlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from augimpact.data.cache import Cache, DiskCache, MemoryCache, RedisCache
from augimpact.data.image import EXAMPLES, example
from augimpact.data.images import ImageDataset
from augimpact.data.pipeline import ImagePipeline
from augimpact.data.samples import SampleTable
from augimpact.data.split import Split
from benchmarks.timing import keep, medians, peak_megabytes, table

IMAGES, FILES, SAMPLES = 1200, 10_000, 1_000_000
SIDE, WORKERS, BATCH, ROUNDS = 224, 2, 32, 5
OTHER, OURS = "torchvision ImageFolder", "augimpact"


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        given = Path(sys.argv[1]) if len(sys.argv) > 1 else cut_out(folder / "images", IMAGES)
        loading = measure_loading(given, folder)
        print()
        hashing = measure_hashing(folder)
    print()
    splitting = measure_splitting()
    keep("data", {"loading": loading, "hashing": hashing, "splitting": splitting})


def cut_out(folder: Path, count: int) -> Path:
    """Pieces of the example photographs, of the sizes that photographs of data sets have."""
    generator = np.random.default_rng(0)
    for name in EXAMPLES:
        (folder / name).mkdir(parents=True)
        photograph = example(name)
        for number in range(count // len(EXAMPLES)):
            width, height = generator.integers(240, 500), generator.integers(240, 400)
            left, top = generator.random(2) * (photograph.width - 100, photograph.height - 100)
            piece = photograph.resize((width, height), box=(left, top, photograph.width, photograph.height))
            piece.save(folder / name / f"{number}.jpg", quality=90)
    return folder


def measure_loading(images: Path, folder: Path) -> dict[str, dict[str, float]]:
    """Images a second, by contestant and epoch; the caches are new in every round."""
    scaled = transforms.Compose([transforms.Resize((SIDE, SIDE)), transforms.ToTensor()])
    theirs = ImageFolder(str(images), transform=scaled)
    samples = SampleTable.from_folder(images, memory=None)
    pipeline = ImagePipeline(SIDE, fit="stretch")
    makers: dict[str, Callable[[], Cache]] = {
        "memory": MemoryCache,
        "disk": lambda: DiskCache(tempfile.mkdtemp(dir=folder)),
    }
    with redis_server() as url:
        if url:
            makers["Redis"] = lambda: RedisCache(url, prefix=f"bench-{time.monotonic_ns()}:")
        seconds: dict[tuple[str, str], list[float]] = {}
        for number in range(ROUNDS + 1):
            caches: dict[str, Cache | None] = {name: make() for name, make in makers.items()}
            contestants: dict[str, object] = {OTHER: theirs, OURS: view(samples, pipeline, None)}
            contestants |= {f"{OURS}, {name}": view(samples, pipeline, cache) for name, cache in caches.items()}
            for epoch in ("first", "second"):
                for name, dataset in contestants.items():
                    # The first round warms the system's own cache of files.
                    spent = epoch_of(dataset)
                    seconds.setdefault((name, epoch), []).extend([spent] if number else [])
            for cache in caches.values():
                if cache is not None:
                    cache.close()
                    shutil.rmtree(getattr(cache, "folder", ""), ignore_errors=True)
    names = list(dict.fromkeys(name for name, _ in seconds))
    speeds = {
        name: {epoch: len(theirs) / statistics.median(seconds[name, epoch]) for epoch in ("first", "second")}
        for name in names
    }
    ratios = {
        name: {
            epoch: statistics.median(
                other / own for own, other in zip(seconds[name, epoch], seconds[OTHER, epoch], strict=True)
            )
            for epoch in ("first", "second")
        }
        for name in names
    }
    rows = [("images a second, 2 workers", "first epoch", "of ImageFolder", "second epoch", "of ImageFolder")]
    for name in names:
        rows.append((name, *(f"{x}" for epoch in ("first", "second")
                             for x in (f"{speeds[name][epoch]:.0f}", f"{ratios[name][epoch]:.2f}×"))))  # fmt: skip
    table(rows)
    return {name: {f"{epoch} epoch": speeds[name][epoch] for epoch in speeds[name]} | {
        f"{epoch} epoch, ratio": ratios[name][epoch] for epoch in ratios[name]} for name in names}  # fmt: skip


def view(samples: SampleTable, pipeline: ImagePipeline, cache: Cache | None) -> object:
    return ImageDataset(samples, pipeline, cache=cache).view("image label")


def epoch_of(dataset: object) -> float:
    """Seconds for all of it, from the first worker's start to the last batch."""
    began = time.perf_counter()
    for _ in DataLoader(dataset, batch_size=BATCH, num_workers=WORKERS):  # type: ignore[arg-type]
        pass
    return time.perf_counter() - began


@contextmanager
def redis_server() -> Iterator[str | None]:
    """The address of a server of its own, or None where none is installed."""
    executable = shutil.which("redis-server")
    if executable is None:
        yield None
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [executable, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        while process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait()


def measure_hashing(folder: Path) -> dict[str, float]:
    """Seconds to list and hash files of 10 to 30 kB."""
    files = folder / "files"
    generator = np.random.default_rng(1)
    for number in range(FILES):
        place = files / f"class{number % 10}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number}.jpg").write_bytes(generator.bytes(int(generator.integers(10_000, 30_000))))

    def plain() -> None:
        for file in sorted(files.rglob("*.jpg")):
            hashlib.blake2b(file.read_bytes(), digest_size=16).hexdigest()

    def remembered() -> None:
        SampleTable.from_folder(files, memory=folder / "hashes.sqlite")

    contestants = {
        "a plain loop": plain,
        "augimpact": lambda: SampleTable.from_folder(files, memory=None),
        "augimpact, hashes remembered": remembered,
    }
    seconds = medians(contestants, rounds=ROUNDS)
    rows = [(f"{FILES:,} files", "s", "of the loop")]
    rows += [(name, f"{each:.2f}", f"{each / seconds['a plain loop']:.2f}×") for name, each in seconds.items()]
    table(rows)
    return seconds


def measure_splitting() -> dict[str, float]:
    """Seconds and memory for a million samples, three to an item, each way in a process of its own."""
    rows = [(f"{SAMPLES:,} samples", "s", "peak memory above the table, MB")]
    figures = {}
    for mode in ("hash", "permutation"):
        output = subprocess.run(
            [sys.executable, "-c", f"from benchmarks.data import split_many; split_many({mode!r})"],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        seconds, before, peak = map(float, output.split())
        figures |= {f"{mode}, s": seconds, f"{mode}, MB of the process": peak}
        rows.append((mode, f"{seconds:.1f}", f"{peak - before:.0f} (process: {peak:.0f})"))
    table(rows)
    return figures


def split_many(mode: str) -> None:
    generator = np.random.default_rng(0)
    folders = np.array([f"class{number}" for number in range(10)], object)[generator.integers(0, 10, SAMPLES)]
    items = generator.integers(0, SAMPLES // 3, SAMPLES)
    frame = pd.DataFrame({
        "sample_id": pd.Series([f"{number:032x}" for number in range(SAMPLES)], dtype=object),
        "path": pd.Series([f"/data/{name}/{item}_{number}.jpg" for number, (name, item)
                           in enumerate(zip(folders, items, strict=True))], dtype=object),
        "category": [(name,) for name in folders], "folder": folders, "size": 1, "etag": None, "purpose": None,
    })  # fmt: skip
    samples = SampleTable(frame.astype({"purpose": object}))
    before = peak_megabytes()
    began = time.perf_counter()
    Split(0.8, stratify=["folder"], unique=r"/(\d+)_", mode=mode).assign(samples)
    seconds = time.perf_counter() - began
    print(seconds, before, peak_megabytes())


if __name__ == "__main__":
    main()
