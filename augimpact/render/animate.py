"""Pictures in, one file out that moves: GIF, WebP; or a film strip."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from augimpact.errors import UserError, unknown

__all__ = ["LOOPS", "MILLISECONDS", "check_playback", "shared_palette", "write_gif", "write_strip", "write_webp"]

LOOPS = ("back and forth", "forward", "once")
MILLISECONDS = 80
HOLD = 800
STRIP_FRAMES = 8
# What is wider than this many times its height, as the drawing of a signal, is wide.
WIDE = 1.6
# The palette is found from a sample of the pixels. Colours are told apart by the five upper bits of their channels: of
# 32,768 cells each is given its place in the palette once.
SAMPLED_PIXELS = 60_000
# One of a GIF's 256 is kept for what does not change.
COLOURS = 255
STAYS = 0.6
BITS = 5
CELLS = 1 << BITS
ROUNDS = 10

Pictures = NDArray[np.uint8]
File = Path | BinaryIO


def write_gif(
    file: File,
    pictures: Pictures,
    *,
    milliseconds: int = MILLISECONDS,
    hold: int = HOLD,
    loop: str = LOOPS[0],
) -> None:
    """A GIF of pictures `(N, height, width, 3)` with one palette for all.

    Neighbours that are equal to the last pixel become one frame that is shown for longer.

    Args:
        file: a path or a binary file.
        pictures: uint8.
        milliseconds: how long a frame is shown; GIF counts in hundredths of a second.
        hold: how long the last frame is shown.
        loop: `back and forth` plays to the end and back, `forward` begins again, `once` stops at the end.

    Raises:
        UserError: a time that is not positive, or another loop.
    """
    order, durations = schedule(len(pictures), milliseconds, hold, loop)
    palette = shared_palette(pictures, COLOURS)
    # The place behind the last colour means: as it was.
    drawn, some_stays = _drawn(_indexed(pictures, palette), order, len(palette))
    images = [Image.fromarray(each) for each in drawn]
    for image in images:
        image.putpalette(palette.tobytes())
    repeat = {} if loop == "once" else {"loop": 0}
    stays = {"transparency": len(palette), "disposal": 1} if some_stays else {}
    first, *others = images
    first.save(
        file, format="GIF", save_all=True, append_images=others, duration=durations, optimize=False, **repeat, **stays
    )


def write_webp(
    file: File,
    pictures: Pictures,
    *,
    milliseconds: int = MILLISECONDS,
    hold: int = HOLD,
    loop: str = LOOPS[0],
) -> None:
    """An animated WebP in true colour; arguments and errors as for `write_gif`."""
    order, durations = schedule(len(pictures), milliseconds, hold, loop)
    images = [Image.fromarray(picture) for picture in pictures]
    first, *others = (images[index] for index in order)
    repeat = 1 if loop == "once" else 0
    first.save(
        file, format="WEBP", save_all=True, append_images=others, duration=durations, loop=repeat, quality=80, method=0
    )


def write_strip(file: File, pictures: Pictures) -> None:
    """A PNG of up to eight pictures, evenly spaced from the first to the last: side by side, or wide ones as a pile."""
    chosen = np.unique(np.linspace(0, len(pictures) - 1, STRIP_FRAMES).round().astype(int))
    height, width = pictures.shape[1:3]
    axis = 0 if width > WIDE * height else 1
    Image.fromarray(np.concatenate(pictures[chosen], axis=axis)).save(file, format="PNG")


def shared_palette(pictures: Pictures, colours: int = 256) -> NDArray[np.uint8]:
    """The palette `(≤ colours, 3)` that serves all pictures: a median cut's, improved by k-means.

    >>> shared_palette(np.zeros((2, 4, 4, 3), np.uint8)).max()
    np.uint8(0)
    """
    # An odd step, so that it does not fall into step with the columns.
    step = max(1, pictures.size // 3 // SAMPLED_PIXELS) | 1
    sample = pictures.reshape(-1, 3)[::step]
    quantized = Image.fromarray(sample[None]).quantize(colours, method=Image.Quantize.MEDIANCUT)
    palette = np.array(quantized.getpalette(), dtype=np.float32).reshape(-1, 3)[:colours]
    cells = _cells(sample)
    weights = np.bincount(cells)
    used = np.flatnonzero(weights)
    weights = weights[used]
    sums = [np.bincount(cells, weights=sample[:, channel])[used] for channel in range(3)]
    means = np.stack([each / weights for each in sums], axis=1).astype(np.float32)
    for _ in range(ROUNDS):
        nearest = _nearest(means, palette)
        totals = np.bincount(nearest, weights=weights, minlength=len(palette))
        taken = totals > 0
        for channel in range(3):
            total = np.bincount(nearest, weights=weights * means[:, channel], minlength=len(palette))
            palette[taken, channel] = total[taken] / totals[taken]
    return np.rint(palette).astype(np.uint8)


def _drawn(indices: NDArray[np.uint8], order: Sequence[int], unchanged: int) -> tuple[list[NDArray[np.uint8]], bool]:
    """What is drawn of each frame over the one before it, and whether any pixel of it is `unchanged`.

    What stays is long runs of one value, which are short in a file. Where less than `STAYS` of the pixels stay, these
    runs break others and the file would grow.
    """
    drawn, some = [indices[order[0]]], False
    for before, index in pairwise(order):
        stays = indices[index] == indices[before]
        share = stays.mean()
        if share == 1:
            # The same once more, by which Pillow knows that it is to be shown for longer.
            drawn.append(drawn[-1])
        elif share < STAYS:
            drawn.append(indices[index])
        else:
            drawn.append(np.where(stays, np.uint8(unchanged), indices[index]))
            some = True
    return drawn, some


def _indexed(pictures: Pictures, palette: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Each pixel's place in the palette: the nearest to the middle of the cell that its colour lies in."""
    middles = (np.arange(CELLS, dtype=np.float32) + 0.5) * (256 / CELLS) - 0.5
    grid = np.stack(np.meshgrid(middles, middles, middles, indexing="ij"), axis=-1).reshape(-1, 3)
    table = _nearest(grid, palette.astype(np.float32)).astype(np.uint8)
    # Picture by picture, so that what is made on the way stays in the cache.
    return np.stack([table[_cells(picture)] for picture in pictures])


def _cells(colours: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """The number of the cell that each colour `(…, 3)` lies in."""
    upper = colours >> (8 - BITS)
    cells = upper[..., 0].astype(np.uint16)
    for channel in (1, 2):
        cells <<= BITS
        cells |= upper[..., channel]
    return cells


def _nearest(colours: NDArray[np.float32], palette: NDArray[np.float32]) -> NDArray[np.intp]:
    """The palette entry at the least distance: the colour's own square is the same for all entries and left out."""
    return np.asarray(((palette**2).sum(axis=1) - 2 * colours @ palette.T).argmin(axis=1))


def check_playback(milliseconds: int, hold: int, loop: str) -> None:
    """Whether frames can be played so; arguments as for `write_gif`.

    Raises:
        UserError: a time that is not positive, or another loop.
    """
    if loop not in LOOPS:
        raise UserError(unknown("loop", loop, LOOPS))
    if milliseconds <= 0 or hold <= 0:
        raise UserError(f"frames of {milliseconds} ms with the last held {hold} ms; expected more than 0")


def schedule(count: int, milliseconds: int, hold: int, loop: str) -> tuple[Sequence[int], list[int]]:
    """The order of the frames, and how long each is shown."""
    check_playback(milliseconds, hold, loop)
    order = list(range(count))
    if loop == "back and forth":
        order += range(count - 2, 0, -1)
    return order, [hold if index == count - 1 else milliseconds for index in order]
