"""Training sets against plain HDF5 and a folder of PNG files, with many at once, and with some that are killed.

`python -m benchmarks.store`: of 5,000 pieces of photographs, 256 × 256 × 3. Plain HDF5 is one dataset of a known length
in one file, an image a chunk, deflated as our parts are, or by h5py's own LZF, which few other programs read; it knows
no labels and no catalogue, and is lost with a crash. Then eight processes write to one set on PostgreSQL while eight
threads read it, and ten that feed a set are killed at drawn moments; what is there then is looked at pair by pair.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from augimpact.data.image import EXAMPLES, example
from augimpact.store.catalog import Catalog
from benchmarks.timing import keep, table
from tests.store.postgresql import new_database, programs, running
from tests.store.trials import AT_ONCE, PART, kill_while_feeding, write_and_read_at_once

Reading = Callable[[NDArray[np.int64]], NDArray[np.uint8]]
COUNT, SIDE, BATCH, BATCHES, ROUNDS = 5000, 256, 32, 60, 3
OURS, PLAIN, LZF, FOLDER = "training set", "plain h5py, deflate", "plain h5py, LZF", "folder of PNG files"


def main() -> None:
    photographs = [np.asarray(example(name)).transpose(2, 0, 1) for name in EXAMPLES]
    feeding: dict[str, list[float]] = {}
    reading: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as kept:
        for number in range(ROUNDS):
            with tempfile.TemporaryDirectory() as name:
                readers: dict[str, Reading] = {}
                feeders = {OURS: feed_set, PLAIN: feed_plain, LZF: feed_lzf, FOLDER: feed_folder}
                for title, feed in list(feeders.items())[number % 4 :] + list(feeders.items())[: number % 4]:
                    began = time.perf_counter()
                    # Files of PNG take minutes: they are written once, and read in every round.
                    readers[title] = feed(Path(kept if title == FOLDER else name), photographs)
                    if title != FOLDER or not number:
                        feeding.setdefault(title, []).append(time.perf_counter() - began)
                orders = np.random.default_rng(number).integers(0, COUNT, (BATCHES, BATCH))
                wanted = [readers[PLAIN](order) for order in orders[:2]]
                for title, read in readers.items():
                    assert all(np.array_equal(read(order), each) for order, each in zip(orders, wanted, strict=False))
                    began = time.perf_counter()
                    for order in orders:
                        read(order)
                    reading.setdefault(title, []).append(time.perf_counter() - began)
    speeds = {
        "feeding": {title: COUNT / statistics.median(each) for title, each in feeding.items()},
        "reading": {title: BATCHES * BATCH / statistics.median(each) for title, each in reading.items()},
    }
    rows = [(f"{COUNT:,} of {SIDE} × {SIDE} × 3", "feeding, images a second", "reading, images a second")]
    rows += [
        (title, f"{speeds['feeding'][title]:.0f}", f"{speeds['reading'][title]:.0f}") for title in speeds["feeding"]
    ]
    table(rows)
    for what, each in speeds.items():
        told = (f"{each[OURS] / each[title]:.2f} times {title}" for title in (PLAIN, LZF, FOLDER))
        print(f"{what}: {', '.join(told)}")
    keep("store", speeds | {"trials": trials()})


def trials() -> dict[str, float]:
    """What is lost or doubled ends the run with an error.

    Raises:
        SystemExit: there is no PostgreSQL.
    """
    place = programs()
    if place is None:
        raise SystemExit("there is no PostgreSQL on this machine; expected Debian's package postgresql")
    with tempfile.TemporaryDirectory() as name, running(place) as server:
        began = time.perf_counter()
        pairs = write_and_read_at_once(new_database(server), Path(name, "many"))
        seconds = time.perf_counter() - began
        killed = kill_while_feeding(new_database(server), Path(name, "killed"))
    print(f"{AT_ONCE} writers and readers, PostgreSQL: {pairs} pairs in {seconds:.1f} s, none lost, none doubled")
    taken, kept = sum(each.taken for each in killed), sum(each.kept for each in killed)
    print(f"{len(killed)} feeders killed: of {taken} pairs {kept} are kept, in whole parts of {PART}; the set opens")
    return {"pairs written at once": pairs, "seconds": seconds, "taken by the killed": taken, "kept of them": kept}


def pieces(photographs: list[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    """The same in every round, and made on the way for all."""
    generator = np.random.default_rng(0)
    for number in range(COUNT):
        photograph = photographs[number % len(photographs)]
        top, left = (int(generator.integers(0, whole - SIDE + 1)) for whole in photograph.shape[1:])
        yield np.ascontiguousarray(photograph[:, top : top + SIDE, left : left + SIDE])


def feed_set(folder: Path, photographs: list[NDArray[np.uint8]]) -> Reading:
    with Catalog(root=folder / "sets").create("pieces", classes=["a", "b"]) as made:
        made.feed((piece, [1, 0]) for piece in pieces(photographs))
    pairs = made.group("train")
    return lambda order: pairs.arrays(order.tolist())[0]


def feed_plain(folder: Path, photographs: list[NDArray[np.uint8]]) -> Reading:
    return plain(folder / "deflate.h5", photographs, compression="gzip", compression_opts=1)


def feed_lzf(folder: Path, photographs: list[NDArray[np.uint8]]) -> Reading:
    return plain(folder / "lzf.h5", photographs, compression="lzf")


def plain(path: Path, photographs: list[NDArray[np.uint8]], **options: Any) -> Reading:
    shape = (COUNT, 3, SIDE, SIDE)
    with h5py.File(path, "w", libver="v110") as file:
        images = file.create_dataset("images", shape, "u1", chunks=(1, *shape[1:]), **options)
        for number, piece in enumerate(pieces(photographs)):
            images[number] = piece
    images = h5py.File(path)["images"]
    return lambda order: np.stack([images[number] for number in order.tolist()])


def feed_folder(folder: Path, photographs: list[NDArray[np.uint8]]) -> Reading:
    place = folder / "png"
    place.mkdir(exist_ok=True)
    for number, piece in enumerate(() if any(place.iterdir()) else pieces(photographs)):
        Image.fromarray(piece.transpose(1, 2, 0)).save(place / f"{number}.png")

    def read(order: NDArray[np.int64]) -> NDArray[np.uint8]:
        return np.stack(
            [np.asarray(Image.open(place / f"{number}.png")).transpose(2, 0, 1) for number in order.tolist()]
        )

    return read


if __name__ == "__main__":
    main()
