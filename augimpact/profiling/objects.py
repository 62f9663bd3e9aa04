"""What masks and boxes have in common: a table of objects that grows, and a map of where they lie."""

from __future__ import annotations

from array import array

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

__all__ = ["GRID", "Numbers", "Rows", "covered"]

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


def covered(low: ArrayLike, high: ArrayLike) -> Numbers:
    """Which share of each cell the intervals from `low` to `high` cover, `(N, GRID)`; the cells divide 0 to 1 evenly.

    >>> covered([0, 1 / 64], [1 / 32, 3 / 64])[:, :3].tolist()
    [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]
    """
    edges = np.linspace(0, 1, GRID + 1)
    ends = np.minimum(np.asarray(high, np.float64)[:, None], edges[1:])
    starts = np.maximum(np.asarray(low, np.float64)[:, None], edges[:-1])
    return np.asarray(np.maximum(ends - starts, 0) * GRID)
