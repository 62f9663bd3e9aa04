"""A map laid over its frame, in colour."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from augimpact.render.look import Look

__all__ = ["blend", "colour_table", "full_scale"]


@cache
def colour_table(name: str) -> NDArray[np.uint8]:
    """The colour map as `(256, 3)` bytes, from matplotlib."""
    from matplotlib import colormaps

    return np.asarray(colormaps[name](np.arange(256), bytes=True)[:, :3], dtype=np.uint8)


def full_scale(maps: NDArray[np.float32], scale: str) -> NDArray[np.float32]:
    """The value of each map that is shown in the brightest colour, `(N,)`: the sweep's highest, or each frame's own."""
    highest = maps.max(axis=(1, 2), initial=0)
    return np.full_like(highest, highest.max(initial=0)) if scale == "sweep" else highest


def blend(frames: NDArray[np.uint8], maps: NDArray[np.float32], look: Look) -> list[Image.Image]:
    """Each frame under its map, which is scaled up bilinearly and coloured.

    Args:
        frames: `(N, S, S, 3)` uint8.
        maps: `(N, h, w)`; nothing below 0 is shown.
        look: its opacity, colour map, scale and width count here.
    """
    palette = colour_table(look.colour_map).tobytes()
    blended = []
    for frame, values, full in zip(frames, maps, full_scale(maps, look.scale), strict=True):
        image = Image.fromarray(frame)
        if look.width is not None:
            image = image.resize((look.width, look.width), Image.Resampling.BICUBIC)
        blended.append(Image.blend(image, _coloured(values / (full or 1), image.size, palette), look.opacity))
    return blended


def _coloured(shares: NDArray[np.float32], size: tuple[int, int], palette: bytes) -> Image.Image:
    """A map in [0, 1] at the size of its frame, in colour."""
    large = Image.fromarray(shares * np.float32(255)).resize(size, Image.Resampling.BILINEAR)
    coloured = Image.fromarray(np.clip(np.asarray(large) + 0.5, 0, 255).astype(np.uint8))
    coloured.putpalette(palette)
    return coloured.convert("RGB")
