"""How often each value is in each channel of an image: compiled, as a pass over images in memory does little else."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from augimpact.measures import LEVELS

__all__ = ["colours_of"]

# It is counted into so many tables in turn: neighbours are alike, and a number that was just added to is not ready yet.
TABLES = 4


def colours_of(image: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How often each value is in each channel, `(C, 256)`; other threads run meanwhile.

    Args:
        image: `(H, W, C)`, in any order in memory.

    >>> counts = colours_of(np.full((2, 3, 1), 7, np.uint8))
    >>> counts.shape, int(counts[0, 7]), int(counts.sum())
    ((1, 256), 6, 6)
    """
    channels = image.shape[-1]
    tables = np.zeros((channels, TABLES, LEVELS), np.int64)
    # Of planes, and of pixels side by side, it is the same memory.
    _count(image.transpose(2, 0, 1).reshape(channels, -1), tables)
    return np.asarray(tables.sum(axis=1))


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def _count(levels: NDArray[np.uint8], tables: NDArray[np.int64]) -> None:
    for channel in range(len(levels)):
        for place in range(levels.shape[1]):
            tables[channel, place % TABLES, levels[channel, place]] += 1
