"""A map laid over its frame, in colour."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from augimpact.render.look import Look

__all__ = ["blend", "brightest", "colour_table", "enlarged", "full_scale", "opacity_table"]

# Cells from which on a map is as fine as pixels, and the share of them that is told apart.
FINE = 64 * 64
FINE_PERCENTILE = 99.5


@cache
def colour_table(name: str) -> NDArray[np.uint8]:
    """The colour map as `(256, 3)` bytes, from matplotlib."""
    from matplotlib import colormaps

    return np.asarray(colormaps[name](np.arange(256), bytes=True)[:, :3], dtype=np.uint8)


def opacity_table(opacity: float) -> NDArray[np.uint8]:
    """How much each place in the colour table covers of the frame, `(256,)` bytes.

    With an opacity of o, a place of share v covers o · (o² + (1 − o²) · √v): where the map is high all of o, where it
    says nothing a little, so that what the classifier did not look at is seen as it is. An opacity of 1 covers all.

    >>> opacity_table(0.5)[[0, 255]].tolist(), opacity_table(1)[[0, 255]].tolist()
    ([32, 128], [255, 255])
    """
    shares = np.arange(256) / 255
    covered = opacity * (opacity**2 + (1 - opacity**2) * np.sqrt(shares))
    return np.floor(255 * covered + 0.5).astype(np.uint8)


def brightest(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """The value of each map `(N, h, w)` beyond which nothing is told apart, `(N,)`, at least 0.

    It is the highest; of maps as fine as pixels the upper half percent counts as one, for a few gradients far above all
    the others would leave the rest dark.
    """
    if maps.shape[1] * maps.shape[2] < FINE:
        return np.asarray(maps.max(axis=(1, 2), initial=0), dtype=np.float32)
    return np.maximum(np.percentile(maps, FINE_PERCENTILE, axis=(1, 2)), 0).astype(np.float32)


def full_scale(maps: NDArray[np.float32], scale: str) -> NDArray[np.float32]:
    """The value of each map that is shown in the brightest colour, `(N,)`: the sweep's highest, or each frame's own."""
    highest = brightest(maps)
    return np.full_like(highest, highest.max(initial=0)) if scale == "sweep" else highest


def blend(frames: NDArray[np.uint8], maps: NDArray[np.float32], look: Look) -> list[Image.Image]:
    """Each frame under its map, which is scaled up bilinearly and coloured, and covers most where it is high.

    Args:
        frames: `(N, H, W, 3)` uint8.
        maps: `(N, h, w)`, each stretched over the whole frame; what is below 0 is shown as 0.
        look: its opacity, colour map, scale and width count here.
    """
    palette = colour_table(look.colour_map).tobytes()
    covering = opacity_table(look.opacity)
    told_apart = np.minimum(maps, brightest(maps)[:, None, None])
    blended = []
    for frame, values, full in zip(frames, told_apart, full_scale(maps, look.scale), strict=True):
        image = Image.fromarray(frame)
        if look.width is not None:
            height = max(1, round(image.height * look.width / image.width))
            image = image.resize((look.width, height), Image.Resampling.BICUBIC)
        places = enlarged(values, float(full), image.size)
        coloured = Image.fromarray(places)
        coloured.putpalette(palette)
        blended.append(Image.composite(coloured.convert("RGB"), image, Image.fromarray(covering[places])))
    return blended


def enlarged(values: NDArray[np.float32], full: float, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A map at the size of its frame, as places in a colour table.

    Args:
        values: `(h, w)`.
        full: the value that takes place 255; 0 and less take 0.
        size: width and height of the frame in pixels.
    """
    shares = np.maximum(values, 0, dtype=np.float32) / np.float32(full or 1)
    large = Image.fromarray(shares * np.float32(255)).resize(size, Image.Resampling.BILINEAR)
    return np.clip(np.asarray(large) + 0.5, 0, 255).astype(np.uint8)
