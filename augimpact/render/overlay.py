"""A map laid over its frame, in colour."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from augimpact.errors import UserError, unknown

__all__ = ["COLOUR_MAPS", "SCALES", "blend", "colour_table", "full_scale"]

COLOUR_MAPS = ("inferno", "viridis", "turbo", "magma")
SCALES = ("sweep", "frame")


@cache
def colour_table(name: str) -> NDArray[np.uint8]:
    """The colour map as `(256, 3)` bytes, from matplotlib.

    Raises:
        UserError: it is none of `COLOUR_MAPS`.
    """
    if name not in COLOUR_MAPS:
        raise UserError(unknown("colour map", name, COLOUR_MAPS))
    from matplotlib import colormaps

    return np.asarray(colormaps[name](np.arange(256), bytes=True)[:, :3], dtype=np.uint8)


def full_scale(maps: NDArray[np.float32], scale: str) -> NDArray[np.float32]:
    """The value of each map that is shown in the brightest colour, `(N,)`: the sweep's highest, or each frame's own.

    Raises:
        UserError: `scale` is none of `SCALES`.
    """
    if scale not in SCALES:
        raise UserError(unknown("scale", scale, SCALES))
    highest = maps.max(axis=(1, 2), initial=0)
    return np.full_like(highest, highest.max(initial=0)) if scale == "sweep" else highest


def blend(
    frames: NDArray[np.uint8],
    maps: NDArray[np.float32],
    *,
    opacity: float = 0.5,
    colour_map: str = "inferno",
    scale: str = "sweep",
) -> list[Image.Image]:
    """Each frame under its map, which is scaled up bilinearly and coloured.

    Args:
        frames: `(N, S, S, 3)` uint8.
        maps: `(N, h, w)`; nothing below 0 is shown.
        opacity: of the map, in [0, 1].
        colour_map: one of `COLOUR_MAPS`.
        scale: `sweep` shows all maps on one scale, so that frames can be compared; `frame` each on its own.

    Raises:
        UserError: an option is none of those.
    """
    if not 0 <= opacity <= 1:
        raise UserError(f"opacity is {opacity!r}; expected a number from 0 to 1")
    palette = colour_table(colour_map).tobytes()
    full = full_scale(maps, scale)
    return [
        Image.blend(Image.fromarray(frame), _coloured(values / (most or 1), frame.shape[1::-1], palette), opacity)
        for frame, values, most in zip(frames, maps, full, strict=True)
    ]


def _coloured(shares: NDArray[np.float32], size: tuple[int, ...], palette: bytes) -> Image.Image:
    """A map in [0, 1] at the size of its frame, in colour."""
    large = Image.fromarray(shares * np.float32(255)).resize((size[0], size[1]), Image.Resampling.BILINEAR)
    coloured = Image.fromarray(np.clip(np.asarray(large) + 0.5, 0, 255).astype(np.uint8))
    coloured.putpalette(palette)
    return coloured.convert("RGB")
