"""What an image's bytes are multiplied by, so that the sum of them tells it from every other image.

Each place has a weight of its own: what a line is weighted by, times what a column is, modulo 2⁶⁴. Such a sum tells
images apart as the product of two random functions does (Carter and Wegman 1979, "Universal classes of hash functions",
JCSS 18): two that differ anywhere have one sum with a chance of some 10⁻¹⁶. In any order of adding it is the same, on
the host and on a device.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["weights"]

LINES, COLUMNS = 0, 1 << 32
Weights = NDArray[np.uint64]


def weights(lines: int, columns: int) -> tuple[Weights, Weights]:
    """The weights of so many lines and of so many columns; more of them begin with the same.

    >>> [each.shape for each in weights(3 * 224, 300)]
    [(672,), (300,)]
    """
    return _drawn(LINES, _whole(lines))[:lines], _drawn(COLUMNS, _whole(columns))[:columns]


def _whole(count: int) -> int:
    """A power of two: few tables are kept."""
    return 1 << (count - 1).bit_length()


@cache
def _drawn(first: int, count: int) -> Weights:
    """Numbers of 64 bits that look drawn by chance: SplitMix64 (Steele, Lea and Flood 2014)."""
    drawn = np.arange(first + 1, first + 1 + count, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        drawn = (drawn ^ (drawn >> np.uint64(shift))) * np.uint64(factor)
    drawn ^= drawn >> np.uint64(31)
    drawn.flags.writeable = False
    return drawn
