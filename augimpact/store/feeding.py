"""What is fed to a training set: checked pair by pair, kept until a part is full."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from augimpact.data.image import read_image, turned
from augimpact.errors import DataError
from augimpact.store.labels import BACKGROUND, UNNAMED, Grid, Label, as_label
from augimpact.store.parts import PART_BYTES, PART_ROWS, Row, packed_row, write_part

if TYPE_CHECKING:
    from augimpact.store.shelf import Document, Shelf

__all__ = ["Fed", "Pending"]

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


class Pending:
    """What was fed and is not in a part yet."""

    def __init__(self, shelf: Shelf, set_id: int, kind: str) -> None:
        self._shelf, self._id, self._kind = shelf, set_id, kind
        self._lock = threading.RLock()
        self._first: Fed | None = None
        self.rows: dict[str, list[Row]] = {}

    @property
    def is_full(self) -> bool:
        """Whether a group has a part's worth of pairs."""
        for rows in filter(None, self.rows.values()):
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
        classes = tuple(each for each in known["classes"] if each != BACKGROUND)
        if not classes and self._first is not None and self._kind == "classification":
            # Numbers without names: so many as the first has.
            first = self._first.label.classes
            classes = first if first[0].startswith(UNNAMED) else ()
        fed = _fed(pair, self._kind, classes, grows=not known["fixed"])
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
        self._first = self._first or fed
        return fed

    def add(self, group: str, row: Row) -> None:
        """Takes a pair in."""
        with self._lock:
            self.rows.setdefault(group, []).append(row)

    def save(self) -> Document | None:
        """Writes a part of each group, and gives the set's document if there was any."""
        document = None
        with self._lock:
            for group in [group for group, rows in self.rows.items() if rows]:
                path = self._shelf.place_for(self._id)
                try:
                    document = self._shelf.add(self._id, path, write_part(path, self._kind, group, self.rows[group]))
                finally:
                    path.unlink(missing_ok=True)
                self.rows[group] = []
        return document


def _fed(pair: tuple[Any, ...], kind: str, classes: tuple[str, ...], *, grows: bool) -> Fed:
    image, value, *more = pair
    about: dict[str, Any] = dict(more[0]) if more else {}
    grid = getattr(image, "grid", None)
    if getattr(image, "sensor", None):
        about.setdefault("sensor", image.sensor)
    array = _as_array(image)
    if isinstance(grid, Grid):
        about.setdefault("bounds", list(grid.bounds(*array.shape[1:])))
    return Fed(array, as_label(kind, value, (array.shape[1], array.shape[2]), classes, grid, grows=grows), about)


def _as_array(image: Any) -> NDArray[Any]:
    """`(C, H, W)`, contiguous, a copy: whoever feeds may fill the same memory again.

    Raises:
        DataError: it is no such image.
    """
    if isinstance(image, (str, Path)):
        image = read_image(image)
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
