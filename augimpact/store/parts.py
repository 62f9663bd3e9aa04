"""A part of a training set: an HDF5 file that is written whole and never changed, one image a chunk.

A part is read as what somebody else may have made: only datasets that lie in it are looked at, for HDF5 also knows
links and storage in other files of the machine that reads.
"""

from __future__ import annotations

import json
import math
import os
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from augimpact.data.hashing import digest_of
from augimpact.errors import DataError
from augimpact.files import written_whole
from augimpact.store.labels import Label

__all__ = ["PART_BYTES", "PART_ROWS", "Bounds", "Part", "PartReader", "Row", "hash_of_file", "read_about", "write_part"]

# A part is full with so many bytes of images, or so many of them.
PART_BYTES, PART_ROWS = 64 << 20, 4096
# Of one image; what says that it has more is refused before room is made for it.
IMAGE_BYTES = 1 << 30
FORMAT = 1
OPEN_FILES = 64
Bounds = tuple[float, float, float, float]


class Row(NamedTuple):
    """An image and its label.

    image: `(C, H, W)`. about: what else is known, as JSON has it: `name`, `bounds`, `sensor`…
    """

    image: NDArray[Any]
    label: Label
    about: Mapping[str, Any]


class Part(NamedTuple):
    """What a catalogue knows of a part.

    name: the BLAKE2b hash of the file. size: of it, in bytes. shape: of each image, `(C, H, W)`. bounds: of all images
    that have some: least x and y, greatest x and y.
    """

    name: str
    group: str
    rows: int
    size: int
    kind: str
    shape: tuple[int, int, int]
    dtype: str
    classes: tuple[str, ...]
    bounds: Bounds | None
    sensors: tuple[str, ...]


def write_part(path: Path, kind: str, group: str, rows: Sequence[Row]) -> Part:
    """Writes a file, or none.

    Raises:
        OutputError: it cannot be written.
    """
    classes = _all_classes([row.label.classes for row in rows])
    images = np.stack([row.image for row in rows])
    bounds = [row.about["bounds"] for row in rows if row.about.get("bounds")]
    about = {
        "format": FORMAT,
        "kind": kind,
        "group": group,
        "classes": classes,
        "bounds": _around(bounds),
        "sensors": sorted({row.about["sensor"] for row in rows if row.about.get("sensor")}),
    }
    with written_whole(path) as temporary, h5py.File(temporary, "w", libver="v110") as file:
        file.attrs["about"] = json.dumps(about)
        _add(file, "images", images)
        labels = [_renumbered(row.label, classes, kind) for row in rows]
        if kind == "object_detection":
            ends = np.cumsum([0, *(len(each) for each in labels)])
            file.create_dataset("ends", data=ends)
            file.create_dataset("labels", data=np.concatenate(labels))
            boxes = [np.zeros((0, 4), np.float32) if row.label.boxes is None else row.label.boxes for row in rows]
            file.create_dataset("boxes", data=np.concatenate(boxes))
        else:
            _add(file, "labels", np.stack(labels))
        file.create_dataset("about", data=[json.dumps(dict(row.about)) for row in rows], dtype=h5py.string_dtype())
    return read_about(path)


def _add(file: Any, name: str, values: NDArray[Any]) -> None:
    """One sample a chunk, compressed where it pays."""
    large = values[0].nbytes > 1024
    chunks = (1, *values.shape[1:]) if large else True
    file.create_dataset(name, data=values, chunks=chunks, compression="lzf" if large else None)


def _all_classes(several: Sequence[tuple[str, ...]]) -> list[str]:
    different = list(dict.fromkeys(several))
    return list(different[0]) if len(different) == 1 else sorted({name for each in different for name in each})


def _renumbered(label: Label, classes: Sequence[str], kind: str) -> NDArray[Any]:
    if list(label.classes) == list(classes):
        return label.numbers
    places = np.array([classes.index(name) for name in label.classes], int)
    if kind == "classification":
        one_hot = np.zeros(len(classes), np.uint8)
        one_hot[places] = label.numbers
        return one_hot
    if kind == "segmentation":
        return np.asarray(np.array([0, *(places + 1)], np.uint16)[label.numbers])
    return np.asarray(places[label.numbers], np.int32)


def _around(several: Sequence[Sequence[float]]) -> Bounds | None:
    if not several:
        return None
    left, low, right, high = np.array(several, np.float64).T
    return float(left.min()), float(low.min()), float(right.max()), float(high.max())


def hash_of_file(path: Path) -> str:
    """The BLAKE2b hash of its bytes."""
    with path.open("rb") as file:
        return digest_of(file)


def read_about(path: Path) -> Part:
    """What a catalogue has to know of a file.

    Raises:
        DataError: it is no part.
    """
    with _opened(path) as file:
        about, images = _about_of(file), file["images"]
        _, channels, height, width = map(int, images.shape)
        return Part(
            hash_of_file(path), str(about["group"]), len(images), path.stat().st_size, str(about["kind"]),
            (channels, height, width), str(images.dtype), tuple(map(str, about["classes"])),
            _around([about["bounds"]] if about["bounds"] else []), tuple(map(str, about["sensors"])),
        )  # fmt: skip


def _about_of(file: Any) -> dict[str, Any]:
    return dict(json.loads(file.attrs["about"]))


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The file, closed when the block ends; what goes wrong inside is one error."""
    try:
        with h5py.File(path, "r") as file:
            _check(file)
            yield file
    except DataError:
        raise
    except Exception as error:  # of a file from anywhere HDF5 and JSON raise whatever they like
        # What HDF5 says tells where the file lies, which on a server nobody need know.
        raise DataError(
            f"a file is no part of a training set ({type(error).__name__}); expected one as we write"
        ) from error


def _check(file: Any) -> None:
    about = _about_of(file)
    if about["format"] != FORMAT:
        raise DataError(f"a part has the format {about['format']!r}; expected {FORMAT}, or a newer augimpact")
    names = {"images", "labels", "about"} | ({"boxes", "ends"} if about["kind"] == "object_detection" else set())
    if set(file) != names:
        raise DataError(f"a part holds {', '.join(sorted(file))}; expected {', '.join(sorted(names))}")
    for name in names:
        if not isinstance(file.get(name, getlink=True), h5py.HardLink):
            raise DataError(f"{name} of a part is a link; expected a dataset")
        found = file[name]
        if not isinstance(found, h5py.Dataset) or found.external or found.is_virtual:
            raise DataError(f"{name} of a part lies elsewhere; expected it in the file")
    images, rows = file["images"], len(file["images"])
    if images.ndim != 4 or images.dtype.kind not in "biuf" or 0 in images.shape:
        raise DataError(f"a part has images of shape {images.shape}, {images.dtype}; expected numbers (N, C, H, W)")
    if math.prod(images.shape[1:]) * images.dtype.itemsize > IMAGE_BYTES:
        raise DataError(f"a part has images of shape {images.shape[1:]}; expected at most {IMAGE_BYTES} bytes each")
    wanted = {"about": (rows,), "labels": _labels_shape(about, images.shape, file)}
    if about["kind"] == "object_detection":
        ends = file["ends"][:]
        if ends.shape != (rows + 1,) or ends[0] != 0 or (np.diff(ends) < 0).any():
            raise DataError("the boxes of a part do not belong to its images")
        wanted |= {"boxes": (int(ends[-1]), 4)}
    for name, shape in wanted.items():
        if file[name].shape != shape:
            raise DataError(f"{name} of a part have the shape {file[name].shape}; expected {shape}")


def _labels_shape(about: Mapping[str, Any], images: tuple[int, ...], file: Any) -> tuple[int, ...]:
    if about["kind"] == "classification":
        return images[0], len(about["classes"])
    return (images[0], *images[2:]) if about["kind"] == "segmentation" else (int(file["ends"][-1]),)


class PartReader:
    """Reads rows of parts; the files that were read last stay open. It may be pickled, and used by several threads."""

    def __init__(self) -> None:
        self._files: OrderedDict[Path, Any] = OrderedDict()
        self._lock, self._process = RLock(), os.getpid()

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def __setstate__(self, _state: dict[str, Any]) -> None:
        PartReader.__init__(self)

    def image(self, path: Path, row: int) -> NDArray[Any]:
        """`(C, H, W)`."""
        with self._lock:
            return np.asarray(self._file(path)["images"][row])

    def images(self, path: Path, rows: Sequence[int], out: NDArray[Any], places: Sequence[int]) -> None:
        """Puts images of these rows to these places of `out`, `(n, C, H, W)`."""
        with self._lock:
            images = self._file(path)["images"]
            for row, place in zip(rows, places, strict=True):
                images.read_direct(out, np.s_[row], np.s_[place])

    def label(self, path: Path, row: int) -> Label:
        """As it was written."""
        with self._lock:
            file = self._file(path)
            classes = tuple(_about_of(file)["classes"])
            if "ends" not in file:
                return Label(classes, np.asarray(file["labels"][row]))
            first, last = file["ends"][row : row + 2]
            return Label(classes, np.asarray(file["labels"][first:last]), np.asarray(file["boxes"][first:last]))

    def labels(self, path: Path) -> tuple[tuple[str, ...], NDArray[Any]]:
        """Of a classification all one-hot labels, and the classes that they are of."""
        with self._lock:
            file = self._file(path)
            return tuple(_about_of(file)["classes"]), np.asarray(file["labels"][:])

    def about(self, path: Path, row: int) -> dict[str, Any]:
        """What else is known of a row."""
        with self._lock:
            return dict(json.loads(self._file(path)["about"].asstr()[row]))

    def abouts(self, path: Path) -> list[dict[str, Any]]:
        """What else is known of each row."""
        with self._lock:
            return [json.loads(text) for text in self._file(path)["about"].asstr()[:]]

    def close(self) -> None:
        """Closes all files."""
        with self._lock:
            for file in self._files.values():
                with suppress(Exception):
                    file.close()
            self._files.clear()

    def _file(self, path: Path) -> Any:
        if self._process != os.getpid():
            # What another process has opened is its own.
            self._files, self._process = OrderedDict(), os.getpid()
        if path in self._files:
            self._files.move_to_end(path)
            return self._files[path]
        while len(self._files) >= OPEN_FILES:
            self._files.popitem(last=False)[1].close()
        try:
            file = h5py.File(path, "r")
        except OSError as error:
            raise DataError(f"the part {path.name} cannot be read ({error})") from error
        _check(file)
        self._files[path] = file
        return file
