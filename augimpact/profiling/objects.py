"""What masks and boxes have in common: a table of objects that grows, and a map of where they lie."""

from __future__ import annotations

from array import array
from collections.abc import Hashable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from augimpact.errors import DataError
from augimpact.profiling.class_sums import FEWEST

__all__ = ["GRID", "DifferentImages", "Numbers", "Rows", "covered", "unknown_class"]

Numbers = NDArray[np.float64]
# Cells along each side of a map of positions.
GRID = 32


class Rows:
    """A table that grows: 8 bytes a number."""

    def __init__(self, *columns: str) -> None:
        self._columns = columns
        self._numbers = array("d")

    def add(self, rows: ArrayLike) -> None:
        """Adds rows, `(N, columns)`."""
        self._numbers.frombytes(np.asarray(rows, np.float64).tobytes())

    @property
    def frame(self) -> pd.DataFrame:
        """All of them; images and classes as whole numbers."""
        table = pd.DataFrame(np.array(self._numbers).reshape(-1, len(self._columns)), columns=list(self._columns))
        return table.astype(dict.fromkeys(("image", "class"), np.int64))


class DifferentImages(dict[int, frozenset[Hashable]]):
    """By class, which different images make its map, until there are `FEWEST`.

    >>> different = DifferentImages()
    >>> different.add(3, b"content")
    >>> different.add(3, b"content")
    >>> len(different[3])
    1
    """

    def add(self, number: int, image: Hashable) -> None:
        """Adds what tells an image from others to those of a class."""
        known = self.get(number, frozenset())
        if len(known) < FEWEST:
            self[number] = known | {image}


def covered(low: ArrayLike, high: ArrayLike) -> Numbers:
    """Which share of each cell the intervals from `low` to `high` cover, `(N, GRID)`; the cells divide 0 to 1 evenly.

    >>> covered([0, 1 / 64], [1 / 32, 3 / 64])[:, :3].tolist()
    [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]
    """
    edges = np.linspace(0, 1, GRID + 1)
    ends = np.minimum(np.asarray(high, np.float64)[:, None], edges[1:])
    starts = np.maximum(np.asarray(low, np.float64)[:, None], edges[:-1])
    return np.asarray(np.maximum(ends - starts, 0) * GRID)


def unknown_class(what: str, number: int, classes: int | None) -> DataError:
    """That a mask or a box has a class that there is not.

    Args:
        what: has it, in words.
        number: of the class.
        classes: how many there are, if that is known.

    >>> print(unknown_class("a box", 7, 3))
    a box has class 7; expected from 0 to 2, or ignored=[7]
    """
    expected = f"{what} has class {number}; expected from 0" + ("" if classes is None else f" to {classes - 1}")
    if number != classes:
        return DataError(f"{expected}, or ignored=[{number}]")
    # As many names as there are classes besides that which is ignored.
    return DataError(
        f"{expected}, as class_names counts from 0, and ignored classes, too: class_names={{{number}: 'name'}} names "
        f"number {number}, ignored=[{number}] leaves it out"
    )
