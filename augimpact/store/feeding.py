"""What is fed to a training set: checked pair by pair, kept until a part is full."""

from __future__ import annotations

import atexit
import json
import logging
import math
import os
import threading
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from augimpact.data.image import opened, read_image, turned
from augimpact.errors import DataError
from augimpact.store.labels import Grid, Label, as_label, own_classes
from augimpact.store.parts import PART_BYTES, PART_ROWS, Row, bounds_of, names_of, packed_row, write_part
from augimpact.store.tables import classes_of

if TYPE_CHECKING:
    from augimpact.store.shelf import Document, Shelf

__all__ = ["Fed", "Pending"]

logger = logging.getLogger(__name__)

# Modes of Pillow whose numbers are the picture's own.
PLAIN = ("L", "RGB", "RGBA", "I", "I;16", "F")


class Fed(NamedTuple):
    """A pair that was looked at and is not packed yet."""

    image: NDArray[Any]
    label: Label
    about: Mapping[str, Any]

    def packed(self) -> Row:
        """As it is written."""
        return packed_row(*self)


class Batch(NamedTuple):
    """Pairs that become a part, which has the same name however often it is written."""

    group: str
    rows: list[Row]
    made: str


class Pending:
    """What was fed and is not in a part yet.

    It is the process's that fed it: one that is forked from it begins with nothing.
    """

    def __init__(self, shelf: Shelf, set_id: int, kind: str) -> None:
        self._shelf, self._id, self._kind = shelf, set_id, kind
        self.clear()
        _all.add(self)

    def clear(self) -> None:
        """Forgets all of it."""
        self._process, self._lock = os.getpid(), threading.RLock()
        self._first: Fed | None = None
        self._classes: list[str] = []
        self._rows: dict[str, list[Row]] = {}
        # What was to be written, and may have been, if nobody said so.
        self._begun: list[Batch] = []

    @property
    def count(self) -> dict[str, int]:
        """How many pairs of each group."""
        found: dict[str, int] = {}
        for group, rows in [(each.group, each.rows) for each in self._begun] + list(self._rows.items()):
            found[group] = found.get(group, 0) + len(rows)
        return {group: count for group, count in found.items() if count}

    @property
    def is_full(self) -> bool:
        """Whether a group has a part's worth of pairs."""
        for rows in filter(None, self._rows.values()):
            size = math.prod(rows[0].shape) * np.dtype(rows[0].dtype).itemsize
            if len(rows) >= min(PART_ROWS, max(1, PART_BYTES // size)):
                return True
        return False

    def looked_at(self, pair: tuple[Any, ...], known: Document) -> Fed:
        """A pair as it is kept, see `TrainingSet.feed`.

        Args:
            pair: an image, a label, perhaps a mapping.
            known: the set's document.

        Raises:
            DataError: it is no image, or no such label, or not as the others are.
        """
        if self._process != os.getpid():
            self.clear()
        classes: Sequence[str] = own_classes(self._kind, known["classes"])
        if not known["fixed"]:
            classes = classes_of(classes, self._classes, self._kind)
        fed = _fed(pair, self._kind, tuple(classes), grows=not known["fixed"])
        first_image = None if self._first is None else self._first.image
        shape = known["shape"] or (None if first_image is None else first_image.shape)
        dtype = known["dtype"] or (None if first_image is None else str(first_image.dtype))
        found, tile = fed.image.shape, known["tile"]
        if shape is not None and tuple(shape) != found:
            raise DataError(f"the image has the shape {found}; expected {tuple(shape)} as the first has it")
        if dtype is not None and str(fed.image.dtype) != dtype:
            raise DataError(f"the image is of {fed.image.dtype}; expected {dtype} as the first is")
        if tile is not None and tuple(tile) != found[1:]:
            raise DataError(f"the image has {found[1:]} pixels; expected {tuple(tile)}")
        if not known["fixed"]:
            names_of(fed.label.classes, "classes")
            self._classes = classes_of(classes, fed.label.classes, self._kind)
        self._first = self._first or fed
        return fed

    def add(self, group: str, row: Row) -> None:
        """Takes a pair in."""
        with self._lock:
            self._rows.setdefault(group, []).append(row)

    def save(self) -> Document | None:
        """Writes a part of each group, and gives the set's document if there was any."""
        document = None
        if self._process != os.getpid():
            self.clear()
        with self._lock:
            self._begun += [
                Batch(group, rows[start : start + PART_ROWS], uuid.uuid4().hex)
                for group, rows in self._rows.items()
                for start in range(0, len(rows), PART_ROWS)
            ]
            self._rows = {}
            while self._begun:
                group, rows, made = self._begun[0]
                path = self._shelf.place_for(self._id)
                try:
                    document = self._shelf.add(self._id, path, write_part(path, self._kind, group, rows, made))
                finally:
                    path.unlink(missing_ok=True)
                del self._begun[0]
        return document


def _fed(pair: tuple[Any, ...], kind: str, classes: tuple[str, ...], *, grows: bool) -> Fed:
    try:
        image, value, *more = pair
        about: dict[str, Any] = dict(more[0]) if more else {}
    except (TypeError, ValueError) as error:
        raise DataError(f"a {type(pair).__name__} is no pair; expected an image, a label, perhaps a mapping") from error
    grid = getattr(image, "grid", None)
    if getattr(image, "sensor", None):
        about.setdefault("sensor", image.sensor)
    array = _as_array(image)
    if isinstance(grid, Grid):
        about.setdefault("bounds", list(grid.bounds(*array.shape[1:])))
    label = as_label(kind, value, (array.shape[1], array.shape[2]), classes, grid, grows=grows)
    return Fed(array, label, _known(about))


def _deep_picture(path: Path) -> Image.Image | None:
    """The picture of a file of more than 8 bits, which keeps them; others are RGB, whatever file they are in."""
    if not path.is_file():
        return None
    with opened(path.read_bytes()) as picture:
        return picture.copy() if picture.mode.startswith(("I", "F")) else None


def _known(about: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of a pair, as it is kept.

    Raises:
        DataError: it is nothing that JSON has.
    """
    try:
        known = dict(json.loads(json.dumps(about, allow_nan=False)))
    except (TypeError, ValueError) as error:
        raise DataError(f"what is known of it cannot be kept ({error}); expected texts, numbers, lists") from error
    if known.get("bounds"):
        known["bounds"] = list(bounds_of(known["bounds"]))
    if known.get("sensor"):
        names_of([known["sensor"]], "sensors")
    return known


def _as_array(image: Any) -> NDArray[Any]:
    """`(C, H, W)`, contiguous, a copy: whoever feeds may fill the same memory again.

    Raises:
        DataError: it is no such image.
    """
    if isinstance(image, (str, Path)):
        image = _deep_picture(Path(image)) or read_image(image)
    if isinstance(image, Image.Image):
        # As a person sees it; what is no plain picture, such as one of a palette, as RGB.
        values = np.asarray(turned(image) if image.mode in PLAIN else read_image(image))
        return np.ascontiguousarray(values[None] if values.ndim == 2 else values.transpose(2, 0, 1))
    if hasattr(image, "array"):
        image = image.array
    if hasattr(image, "compute"):
        image = image.compute()
    values = np.asarray(image.detach().cpu() if hasattr(image, "detach") else image)
    if values.ndim == 2:
        values = values[None]
    if values.ndim != 3 or 0 in values.shape or values.dtype.kind not in "biuf":
        raise DataError(f"an image of shape {values.shape} and type {values.dtype}; expected numbers (C, H, W)")
    if values.shape[-1] in (1, 3, 4) and values.shape[0] not in (1, 3, 4) and values.shape[0] > values.shape[-1]:
        raise DataError(f"an image of shape {values.shape}, which seems (H, W, C); expected (C, H, W)")
    return np.array(values, values.dtype.newbyteorder("="), order="C")


# What was fed and not saved is saved when the program ends: before the libraries that write it are taken down.
_all: WeakSet[Pending] = WeakSet()


@atexit.register
def _save_all() -> None:
    for pending in list(_all):
        try:
            pending.save()
        except Exception:  # whatever a database or a server raises, others are saved
            logger.exception("what was fed to a training set could not be saved")
