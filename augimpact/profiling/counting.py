"""The pixels of images counted by compiled code, which other threads need not wait for: most of what a pass does.

Each image is gone through a few times as a whole. The many short steps that other libraries take would each hand
Python's lock to another thread, and get it back late: two threads were slower than one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from augimpact.measures import LEVELS
from augimpact.once import once
from augimpact.profiling.content import weights

__all__ = ["CountedPixels", "add_image"]

# Values are counted into so many tables in turn: neighbours are alike, and a number that was just added to is not ready
# yet.
TABLES = 4
# Numbers of channels of which the first three, or the only one, are measured.
AS_THEY_ARE = (1, 3, 4)
Numbers = NDArray[np.float64]
Counts = NDArray[np.int64]
Bytes = NDArray[np.uint8]


class CountedPixels:
    """`augimpact.measures.Pixels` of N images of any sizes and numbers of channels.

    Grey is measured as RGB of three equal channels, two channels or more than four as grey of their mean; a fourth
    channel is left out.

    Args:
        images: `(H, W, C)` each, of at least one pixel, in any order in memory.

    >>> pixels = CountedPixels([np.full((2, 3, 1), 7, np.uint8), np.full((1, 1, 3), 255, np.uint8)])
    >>> [counts.shape for counts in pixels.channels], pixels.colours[:, 0, 7].tolist()
    ([(1, 256), (3, 256)], [6, 0])
    """

    def __init__(self, images: Sequence[Bytes]) -> None:
        self.images = images

    @once
    def channels(self) -> list[Counts]:
        """How often each value is in each channel of each image, `(C, 256)`."""
        # Of planes, and of pixels side by side, it is the same memory.
        return [_counts(_sealed(image.transpose(2, 0, 1).reshape(image.shape[2], -1))) for image in self.images]

    @once
    def colours(self) -> Counts:
        """Likewise of the images as they are measured, `(N, 3, 256)`."""
        counts = np.empty((len(self.images), 3, LEVELS), np.int64)
        for place, own in enumerate(self.channels):
            counts[place] = own[:3] if len(own) in AS_THEY_ARE else _counts(_sealed(self._seen[place].reshape(1, -1)))
        return counts

    @property
    def luma(self) -> Counts:
        """How often each level of the luma is, `(N, 256)`."""
        return np.stack([counts for counts, _, _ in self._sums])

    @property
    def edges(self) -> Numbers:
        """Mean square of the Laplacian, `(N,)`."""
        return np.array([squares for _, squares, _ in self._sums]) / self._areas

    @property
    def saturation(self) -> Numbers:
        """Mean of (max − min) / max, `(N,)`."""
        return np.array([saturation for _, _, saturation in self._sums]) / self._areas

    @property
    def weighted(self) -> NDArray[np.uint64]:
        """The sum of all values of each, by the weights of their places, `(N,)`."""
        lines = [_sealed(planes.reshape(-1, planes.shape[2])) for planes in self._planes]
        return np.array([_weighted(each, *weights(*each.shape)) for each in lines], np.uint64)

    def reduced(self, factors: Sequence[int]) -> list[Bytes]:
        """Each image in cells of so many pixels a side, `(h, w, 3)`: as Pillow's `reduce` rounds their means."""
        means = [
            planes.transpose(1, 2, 0) if factor == 1 else _means(_sealed(planes), factor)
            for planes, factor in zip(self._seen, factors, strict=True)
        ]
        return [np.ascontiguousarray(np.broadcast_to(each, (*each.shape[:2], 3))) for each in means]

    @once
    def _planes(self) -> list[Bytes]:
        """The channels of each, `(C, H, W)`, one after the other in memory, as those of most tensors are."""
        return [np.ascontiguousarray(image.transpose(2, 0, 1)) for image in self.images]

    @once
    def _seen(self) -> list[Bytes]:
        """What is measured of each: red, green and blue; or grey alone."""
        return [planes[:3] if len(planes) in AS_THEY_ARE else _mean_channel(planes) for planes in self._planes]

    @once
    def _sums(self) -> list[tuple[Counts, int, float]]:
        return [_summed(_sealed(planes)) for planes in self._seen]

    @property
    def _areas(self) -> Numbers:
        return np.array([float(planes[0].size) for planes in self._seen])


def _sealed(levels: Bytes) -> Bytes:
    """The same, not to be written: for code that is compiled anew for each kind of memory they are one kind."""
    sealed = levels.view()
    sealed.flags.writeable = False
    return sealed


def _mean_channel(planes: Bytes) -> Bytes:
    return np.asarray(np.rint(planes.mean(axis=0, keepdims=True)), np.uint8)


def _compiled(function: Callable[..., Any], *, nogil: bool = True) -> Callable[..., Any]:
    """Machine code of it; kept for the next process where there is a place for that."""
    # Only the saturation is of floats, and its sum may be taken in any order.
    options = {"nogil": nogil, "fastmath": {"reassoc"}}
    try:
        made = numba.njit(function, cache=True, **options)
    except RuntimeError:  # neither the package's folder nor the user's can be written
        return numba.njit(function, **options)  # type: ignore[no-any-return]

    def run(*given: Any) -> Any:
        try:
            return made(*given)
        except OSError:  # it was compiled, and could not be kept: the disk is full
            return made(*given)

    return run


def add_image(image: Bytes, total: Counts, squares: Counts) -> None:
    """Adds an image to a sum of such, and its squares to theirs; all are `(H, W, C)`."""
    _add(image.reshape(-1), total.reshape(-1), squares.reshape(-1))


@partial(_compiled, nogil=False)
def _add(image: Bytes, total: Counts, squares: Counts) -> None:
    # Quicker than it would be to get the lock back.
    for place in range(len(image)):
        value = np.int64(image[place])
        total[place] += value
        squares[place] += value * value


@_compiled
def _counts(levels: Bytes) -> Counts:
    """How often each value is in each row of `(C, P)`."""
    counts = np.zeros((len(levels), LEVELS), np.int64)
    for row in range(len(levels)):
        tables = np.zeros((TABLES, LEVELS), np.int64)
        for place in range(levels.shape[1]):
            tables[place % TABLES, levels[row, place]] += 1
        counts[row] = tables.sum(axis=0)
    return counts


@_compiled
def _summed(planes: Bytes) -> tuple[Counts, int, float]:
    """Of RGB or grey `(C, H, W)`: how often each level of the luma is, squares of its Laplacian, and saturations."""
    height, width = planes.shape[1:]
    luma = np.empty((height, width), np.int32)
    saturation = 0.0
    if len(planes) == 1:
        luma[:] = planes[0]
    else:
        red, green, blue = planes[0], planes[1], planes[2]
        for y in range(height):
            # As Pillow's mode "L" has it, in 65536ths.
            for x in range(width):
                luma[y, x] = (red[y, x] * 19595 + green[y, x] * 38470 + blue[y, x] * 7471 + 32768) >> 16
            for x in range(width):
                high = max(red[y, x], green[y, x], blue[y, x])
                low = min(red[y, x], green[y, x], blue[y, x])
                saturation += float(np.float32(high - low) / np.float32(max(high, 1)))
    tables = np.zeros((TABLES, LEVELS), np.int64)
    squares = 0
    for y in range(height):
        row, above, below = luma[y], luma[max(y - 1, 0)], luma[min(y + 1, height - 1)]
        for x in range(width):
            tables[x % TABLES, row[x]] += 1
        # Beyond the border the edge goes on. A single column is both ends.
        for x in range(0, width, max(width - 1, 1)):
            left, right = row[max(x - 1, 0)], row[min(x + 1, width - 1)]
            edge = above[x] + below[x] + left + right - 4 * row[x]
            squares += edge * edge
        for x in range(1, width - 1):
            edge = above[x] + below[x] + row[x - 1] + row[x + 1] - 4 * row[x]
            squares += edge * edge
    return tables.sum(axis=0), squares, saturation


@_compiled
def _weighted(lines: Bytes, down: NDArray[np.uint64], across: NDArray[np.uint64]) -> np.uint64:
    """The sum of `(L, W)`, by the weights of lines and of columns, modulo 2⁶⁴."""
    total = np.uint64(0)
    for y in range(len(lines)):
        line = np.uint64(0)
        for x in range(lines.shape[1]):
            line += np.uint64(lines[y, x]) * across[x]
        total += line * down[y]
    return total


@_compiled
def _means(planes: Bytes, factor: int) -> Bytes:
    """The means of cells of so many pixels a side, `(h, w, C)`, rounded as Pillow does: by a division in 24 bits."""
    channels, height, width = planes.shape
    means = np.empty((-(-height // factor), -(-width // factor), channels), np.uint8)
    # Cells that are as wide as the others; one may be left over.
    whole = width // factor
    columns, sums = np.empty(width, np.int32), np.empty(whole, np.int64)
    for channel in range(channels):
        for down in range(means.shape[0]):
            top, bottom = down * factor, min((down + 1) * factor, height)
            columns[:] = 0
            for y in range(top, bottom):
                for x in range(width):
                    columns[x] += planes[channel, y, x]
            area = (bottom - top) * factor
            sums[:] = area // 2
            for inside in range(factor):
                for across in range(whole):
                    sums[across] += columns[across * factor + inside]
            share = (1 << 24) // area
            for across in range(whole):
                means[down, across, channel] = (sums[across] * share) >> 24
            if whole < means.shape[1]:
                area = (bottom - top) * (width - whole * factor)
                total = columns[whole * factor :].sum() + area // 2
                means[down, whole, channel] = (total * ((1 << 24) // area)) >> 24
    return means
