"""What is fed to a training set: checked pair by pair, kept until a part is full."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from augimpact.data.hashing import hash_of
from augimpact.data.image import read_image
from augimpact.errors import DataError
from augimpact.store.labels import UNNAMED, Grid, Label, as_label
from augimpact.store.parts import PART_BYTES, PART_ROWS, Row, write_part

if TYPE_CHECKING:
    from augimpact.store.shelf import Document, Shelf

__all__ = ["Pending", "row_of"]


class Pending:
    """What was fed and is not in a part yet."""

    def __init__(self, shelf: Shelf, set_id: int, kind: str) -> None:
        self._shelf, self._id, self._kind = shelf, set_id, kind
        self._lock = threading.RLock()
        self.rows: dict[str, list[Row]] = {}

    @property
    def is_full(self) -> bool:
        """Whether a group has a part's worth of pairs."""
        return any(len(rows) >= PART_ROWS or sum(row.image.nbytes for row in rows[-1:]) * len(rows) >= PART_BYTES
                   for rows in self.rows.values())  # fmt: skip

    @property
    def classes(self) -> tuple[str, ...]:
        """Of one-hot labels without names those that the first stands for."""
        first = next((rows[0] for rows in self.rows.values() if rows), None)
        is_numbered = (
            first is not None and self._kind == "classification" and first.label.classes[0].startswith(UNNAMED)
        )
        return first.label.classes if first is not None and is_numbered else ()

    def add(self, group: str, row: Row, shape: Any, dtype: Any, tile: Any) -> None:
        """Takes a pair in.

        Raises:
            DataError: it is not as the others are.
        """
        with self._lock:
            first = next((rows[0] for rows in self.rows.values() if rows), None)
            shape = first.image.shape if shape is None and first is not None else shape
            dtype = str(first.image.dtype) if dtype is None and first is not None else dtype
            found = row.image.shape
            if shape is not None and tuple(shape) != found:
                raise DataError(f"the image has the shape {found}; expected {tuple(shape)} as the first has it")
            if dtype is not None and str(row.image.dtype) != dtype:
                raise DataError(f"the image is of {row.image.dtype}; expected {dtype} as the first is")
            if tile is not None and tuple(tile) != found[1:]:
                raise DataError(f"the image has {found[1:]} pixels; expected {tuple(tile)}")
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


def row_of(pair: tuple[Any, ...], kind: str, classes: tuple[str, ...], *, grows: bool) -> Row:
    """A pair as it is kept, see `TrainingSet.feed`; it is known by the hash of its content, if by no other `id`.

    Raises:
        DataError: it is no image, or no such label.
    """
    image, value, *more = pair
    about: dict[str, Any] = dict(more[0]) if more else {}
    grid = getattr(image, "grid", None)
    if getattr(image, "sensor", None):
        about.setdefault("sensor", image.sensor)
    array = _as_array(image)
    if isinstance(grid, Grid):
        about.setdefault("bounds", list(grid.bounds(*array.shape[1:])))
    label = as_label(kind, value, (array.shape[1], array.shape[2]), classes, grid, grows=grows)
    about.setdefault("id", _identity(array, label))
    return Row(array, label, about)


def _identity(array: NDArray[Any], label: Label) -> str:
    """The hash of the content: of equal images with equal labels the same."""
    boxes = b"" if label.boxes is None else label.boxes.tobytes()
    told = f"{array.shape} {array.dtype} {label.classes}".encode()
    return hash_of(told + array.tobytes() + label.numbers.tobytes() + boxes)


def _as_array(image: Any) -> NDArray[Any]:
    """`(C, H, W)`.

    Raises:
        DataError: it is no such image.
    """
    if isinstance(image, (str, Path)):
        image = read_image(image)
    if isinstance(image, Image.Image):
        values = np.asarray(image)
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
    return np.ascontiguousarray(values)
