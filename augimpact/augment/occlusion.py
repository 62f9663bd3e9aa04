"""Everything that hides a part of the image. Each function changes the batch it is given, and returns it."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["boxes", "erase_", "fill_pattern"]


def boxes(x: NDArray[np.float64], y: NDArray[np.float64], w: NDArray[np.float64], h: NDArray[np.float64],
          side: int) -> NDArray[np.int64]:  # fmt: skip
    """Whole pixels `(N, 4)` as top, bottom, left, right of boxes given in shares of the side, cut at its end."""
    edges = np.stack([y, y + h, x, x + w], axis=1)
    pixels: NDArray[np.int64] = np.rint(np.clip(edges, 0, 1) * side).astype(np.int64)
    return pixels


def fill_pattern(image: Tensor, fill: str, seed: int) -> Tensor:
    """What an erased box shows, `(C, H, W)`: black, the image's mean colour, or one field of uniform noise.

    The field is drawn on the CPU from `seed` alone, so it is the same for every frame, chunk and device.
    """
    if fill == "mean":
        return image.mean(dim=(1, 2), keepdim=True).expand_as(image)
    if fill == "noise":
        return torch.rand(image.shape, generator=torch.Generator().manual_seed(seed)).to(image)
    return torch.zeros_like(image[:, :1, :1]).expand_as(image)


def erase_(batch: Tensor, edges: NDArray[np.int64], pattern: Tensor) -> Tensor:
    """Shows `pattern` `(C, H, W)` in place of each image inside its box.

    Args:
        batch: `(N, C, H, W)`; changed in place.
        edges: `(N, 4)`, top, bottom, left, right in pixels; an empty box hides nothing.
        pattern: `(C, H, W)`, see `fill_pattern`.
    """
    for image, (top, bottom, left, right) in zip(batch, edges.tolist(), strict=True):
        image[:, top:bottom, left:right] = pattern[:, top:bottom, left:right]
    return batch
