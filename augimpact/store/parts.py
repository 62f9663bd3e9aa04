"""A part of a training set: an HDF5 file that is written whole and never changed, one image a chunk.

A part is read as what somebody else may have made: only datasets that lie in it are looked at, for HDF5 also knows
links and storage in other files of the machine that reads.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import uuid
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple

import h5py
import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from augimpact.data.hashing import digest_of
from augimpact.errors import DataError
from augimpact.files import written_whole
from augimpact.once import once
from augimpact.store.labels import LONGEST_NAME, MOST_BOXES, MOST_CLASSES, Label

__all__ = [
    "PART_BYTES", "PART_ROWS", "Bounds", "Part", "PartReader", "Row", "bounds_of", "hash_of_file", "names_of",
    "packed_row", "read_about", "unpacked", "write_part",
]  # fmt: skip

# A part is full with so many bytes of images, or so many of them.
PART_BYTES, PART_ROWS = 64 << 20, 4096
# Of one image; what says that it has more is refused before room is made for it.
IMAGE_BYTES = 1 << 30
FORMAT = 1
# Of deflate, which every reader of HDF5 knows, as Intel's library makes it: several times faster than zlib. More of it
# takes far longer, and photographs become hardly smaller.
LEVEL = 1
OPEN_FILES = 64
Bounds = tuple[float, float, float, float]


class Row(NamedTuple):
    """An image and its label, as they are written.

    packed: the image's bytes, deflated. shape: of it, `(C, H, W)`. dtype: likewise. about: what else is known, as JSON
    has it: `id`, `name`, `bounds`, `sensor`…
    """

    packed: bytes
    shape: tuple[int, int, int]
    dtype: str
    label: Label
    about: Mapping[str, Any]


def packed_row(image: NDArray[Any], label: Label, about: Mapping[str, Any]) -> Row:
    """What may be done on any thread: an image, `(C, H, W)` contiguous, is packed, and named by its content.

    Its `id` is the hash of image and label, unless it has another.
    """
    channels, height, width = image.shape
    named = dict(about)
    if "id" not in named:
        digest = hashlib.blake2b(f"{image.shape} {image.dtype} {label.classes}".encode(), digest_size=16)
        for values in (image, label.numbers, label.boxes):
            if values is not None:
                digest.update(np.ascontiguousarray(values).data)
        named["id"] = digest.hexdigest()
    return Row(isal_zlib.compress(image.data, LEVEL), (channels, height, width), str(image.dtype), label, named)


def unpacked(packed: bytes, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """The image.

    Raises:
        DataError: the bytes are not one of that shape.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    inflating = isal_zlib.decompressobj()
    try:
        # No more than there is room for, whatever the bytes would become.
        values = inflating.decompress(packed, size)
    except Exception as error:  # of damaged bytes; the library does not say which
        raise DataError(f"an image of a part is damaged ({error})") from error
    if len(values) != size or inflating.unconsumed_tail:
        raise DataError(f"an image of a part is damaged; expected {size} bytes")
    return np.frombuffer(values, dtype).reshape(shape)


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


def write_part(path: Path, kind: str, group: str, rows: Sequence[Row], made: str | None = None) -> Part:
    """Writes a file, or none.

    Args:
        path: of the file.
        kind: of the set.
        group: of the rows.
        rows: what it holds.
        made: what tells it from another part of the same pairs; by default it is another one each time.

    Raises:
        OutputError: it cannot be written.
    """
    classes = _all_classes([row.label.classes for row in rows])
    bounds = [row.about["bounds"] for row in rows if row.about.get("bounds")]
    about = {
        "format": FORMAT,
        "made": made or uuid.uuid4().hex,
        "kind": kind,
        "group": group,
        "classes": classes,
        "bounds": _around(bounds),
        "sensors": sorted({row.about["sensor"] for row in rows if row.about.get("sensor")}),
    }
    with written_whole(path) as temporary, h5py.File(temporary, "w", libver="v110") as file:
        file.attrs["about"] = json.dumps(about)
        images = file.create_dataset("images", (len(rows), *rows[0].shape), rows[0].dtype, **_chunked(rows[0].shape))
        for number, row in enumerate(rows):
            images.id.write_direct_chunk((number, 0, 0, 0), row.packed)
        numbers = {name: number for number, name in enumerate(classes)}
        labels = [_renumbered(row.label, numbers, kind) for row in rows]
        if kind == "object_detection":
            ends = np.cumsum([0, *(len(each) for each in labels)])
            file.create_dataset("ends", data=ends)
            file.create_dataset("labels", data=np.concatenate(labels))
            boxes = [np.zeros((0, 4), np.float32) if row.label.boxes is None else row.label.boxes for row in rows]
            file.create_dataset("boxes", data=np.concatenate(boxes))
        else:
            values = np.stack(labels)
            file.create_dataset("labels", data=values, **(_chunked(values.shape[1:]) if values.ndim > 2 else {}))
        file.create_dataset("about", data=[json.dumps(dict(row.about)) for row in rows], dtype=h5py.string_dtype())
    return read_about(path)


def _chunked(shape: tuple[int, ...]) -> dict[str, Any]:
    """A sample a chunk, deflated, as every reader of HDF5 knows it."""
    return {"chunks": (1, *shape), "compression": "gzip", "compression_opts": LEVEL}


def _all_classes(several: Sequence[tuple[str, ...]]) -> list[str]:
    different = list(dict.fromkeys(several))
    return list(different[0]) if len(different) == 1 else sorted({name for each in different for name in each})


def _renumbered(label: Label, numbers: Mapping[str, int], kind: str) -> NDArray[Any]:
    places = np.array([numbers[name] for name in label.classes], int)
    if len(places) == len(numbers) and (places == np.arange(len(places))).all():
        return label.numbers
    if kind == "classification":
        one_hot = np.zeros(len(numbers), np.uint8)
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


def names_of(values: Sequence[Any], what: str) -> tuple[str, ...]:
    """Names of `classes`, `groups` or `sensors`.

    Raises:
        DataError: one is no text that a database can keep, is too long, or is there twice.
    """
    for each in values:
        if not isinstance(each, str) or not 0 < len(each) <= LONGEST_NAME or not each.strip():
            raise DataError(f"one of the {what} is {str(each)[:50]!r}; expected a text of 1 to {LONGEST_NAME} letters")
        if "\0" in each or each.encode("utf-8", "replace") != each.encode("utf-8", "surrogatepass"):
            raise DataError(f"one of the {what} is {each[:50]!r}; expected letters that UTF-8 has")
    if len(set(values)) != len(values) or len(values) > MOST_CLASSES:
        raise DataError(f"there are {len(values)} {what}; expected each once, and at most {MOST_CLASSES}")
    return tuple(values)


def bounds_of(values: Any, what: str = "bounds") -> Bounds:
    """A rectangle, which is called `what` where it is none.

    Raises:
        DataError: it is none.

    >>> bounds_of([1, 2, 3, 4])
    (1.0, 2.0, 3.0, 4.0)
    """
    expected = "least x and y, greatest x and y"
    try:
        left, low, right, high = map(float, values)
    except (TypeError, ValueError):
        raise DataError(f"{what} is {values!r}; expected {expected}") from None
    if not (left <= right and low <= high and np.isfinite([left, low, right, high]).all()):
        raise DataError(f"{what} is {values!r}; expected {expected}")
    return left, low, right, high


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
        (group,) = names_of([about["group"]], "groups")
        return Part(
            hash_of_file(path), group, len(images), path.stat().st_size, str(about["kind"]),
            (channels, height, width), str(images.dtype), names_of(about["classes"], "classes"),
            bounds_of(about["bounds"]) if about["bounds"] else None, names_of(about["sensors"], "sensors"),
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
    if rows > PART_ROWS:
        raise DataError(f"a part has {rows} images; expected at most {PART_ROWS}")
    whole = images.chunks == (1, *images.shape[1:]) and images.compression == "gzip"
    if not whole or images.shuffle or images.fletcher32 or images.scaleoffset is not None:
        raise DataError("the images of a part are packed in another way; expected each deflated")
    wanted: dict[str, tuple[int, ...]] = {"about": (rows,)}
    if about["kind"] == "object_detection":
        # What is claimed is looked at before it is read.
        ends = file["ends"][:] if file["ends"].shape == (rows + 1,) else np.zeros(0)
        if not len(ends) or ends[0] != 0 or (np.diff(ends) < 0).any() or (np.diff(ends) > MOST_BOXES).any():
            raise DataError(f"the boxes of a part do not belong to its images, or are over {MOST_BOXES} of one")
        wanted |= {"boxes": (int(ends[-1]), 4), "labels": (int(ends[-1]),)}
    elif about["kind"] == "segmentation":
        wanted |= {"labels": (rows, *images.shape[2:])}
    else:
        wanted |= {"labels": (rows, len(about["classes"]))}
    for name, shape in wanted.items():
        if file[name].shape != shape:
            raise DataError(f"{name} of a part have the shape {file[name].shape}; expected {shape}")


class _Open:
    """A part that is open, with what is asked of it again and again."""

    def __init__(self, path: Path) -> None:
        try:
            self.file = h5py.File(path, "r")
        except OSError as error:
            raise DataError(f"the part {path.name} cannot be read ({error})") from error
        _check(self.file)
        self.about = _about_of(self.file)
        self.classes = tuple(map(str, self.about["classes"]))
        self.images = self.file["images"].id

    @once
    def labels(self) -> NDArray[Any]:
        """All of a classification's, `(N, C)`."""
        return np.asarray(self.file["labels"][:])


class PartReader:
    """Reads rows of parts; the files that were read last stay open. It may be pickled, and used by several threads."""

    def __init__(self) -> None:
        self._open: OrderedDict[Path, _Open] = OrderedDict()
        self._lock, self._process = RLock(), os.getpid()

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def __setstate__(self, _state: dict[str, Any]) -> None:
        PartReader.__init__(self)

    def packed(self, path: Path, rows: Sequence[int]) -> list[bytes]:
        """The images of these rows, for `unpacked`."""
        with self._lock:
            images = self._part(path).images
            return [images.read_direct_chunk((row, 0, 0, 0))[1] for row in rows]

    def label(self, path: Path, row: int) -> Label:
        """As it was written."""
        with self._lock:
            part = self._part(path)
            if "ends" not in part.file:
                return Label(part.classes, np.asarray(part.file["labels"][row]))
            first, last = part.file["ends"][row : row + 2]
            boxes = np.asarray(part.file["boxes"][first:last])
            return Label(part.classes, np.asarray(part.file["labels"][first:last]), boxes)

    def labels(self, path: Path) -> tuple[tuple[str, ...], NDArray[Any]]:
        """Of a classification all one-hot labels, and the classes that they are of."""
        with self._lock:
            part = self._part(path)
            return part.classes, part.labels

    def about(self, path: Path, row: int) -> dict[str, Any]:
        """What else is known of a row."""
        with self._lock:
            return dict(json.loads(self._part(path).file["about"].asstr()[row]))

    def abouts(self, path: Path) -> list[dict[str, Any]]:
        """What else is known of each row."""
        with self._lock:
            return [json.loads(text) for text in self._part(path).file["about"].asstr()[:]]

    def close(self) -> None:
        """Closes all files."""
        with self._lock:
            for part in self._open.values():
                part.file.close()
            self._open.clear()

    def _part(self, path: Path) -> _Open:
        if self._process != os.getpid():
            # What another process has opened is its own.
            self._open, self._process = OrderedDict(), os.getpid()
        if path in self._open:
            self._open.move_to_end(path)
            return self._open[path]
        while len(self._open) >= OPEN_FILES:
            self._open.popitem(last=False)[1].file.close()
        self._open[path] = _Open(path)
        return self._open[path]
