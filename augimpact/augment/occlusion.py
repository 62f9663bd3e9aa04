"""Everything that hides a part of the image."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["boxes", "erase_", "fill_pattern", "grid_mask", "paste_"]

Values = NDArray[np.float64]


def boxes(x: Values, y: Values, w: Values, h: Values, side: int) -> NDArray[np.int64]:
    """Whole pixels `(N, 4)` as top, bottom, left, right of boxes given in shares of the side, cut at its end."""
    edges = np.stack([y, y + h, x, x + w], axis=1)
    pixels: NDArray[np.int64] = np.rint(np.clip(edges, 0, 1) * side).astype(np.int64)
    return pixels


def fill_pattern(image: Tensor, fill: str, seed: int) -> Tensor:
    """What is shown in place of what is hidden, `(C, H, W)`: black, the image's mean colour, or uniform noise.

    The field is drawn on the CPU from `seed` alone, so it is the same for every frame, chunk and device.
    """
    if fill == "mean":
        return image.mean(dim=(1, 2), keepdim=True).expand_as(image)
    if fill == "noise":
        return torch.rand(image.shape, generator=torch.Generator().manual_seed(seed)).to(image, non_blocking=True)
    return torch.zeros_like(image[:, :1, :1]).expand_as(image)


def erase_(batch: Tensor, w: Values, h: Values, x: Values, y: Values, pattern: Tensor) -> Tensor:
    """Shows `pattern` in place of each image inside its box, as in Zhong et al. 2017, https://arxiv.org/abs/1708.04896.

    Args:
        batch: `(N, C, H, W)`; changed in place.
        w: `(N,)`, width of the box in shares of the side; what leads beyond the image is cut.
        h: its height.
        x: its left edge.
        y: its top edge.
        pattern: `(C, H, W)`, see `fill_pattern`.
    """
    return paste_(batch, boxes(x, y, w, h, batch.shape[-1]), pattern)


def paste_(batch: Tensor, edges: NDArray[np.int64], pattern: Tensor) -> Tensor:
    """Shows `pattern` `(C, H, W)` in place of each image inside its box.

    Args:
        batch: `(N, C, H, W)`; changed in place.
        edges: `(N, 4)`, top, bottom, left, right in pixels; an empty box hides nothing.
        pattern: `(C, H, W)`.
    """
    for image, (top, bottom, left, right) in zip(batch, edges.tolist(), strict=True):
        image[:, top:bottom, left:right] = pattern[:, top:bottom, left:right]
    return batch


def grid_mask(batch: Tensor, shares: Values, cells: Values, pattern: Tensor) -> Tensor:
    """Shows `pattern` in a square in the middle of every cell of a grid; Chen et al. 2020, https://arxiv.org/abs/2001.04086.

    A pixel is hidden if its centre is in the square. With a number of cells that is not whole the last ones are cut.

    Args:
        batch: `(N, C, S, S)`.
        shares: `(N,)`, side of the square in shares of the cell's, from 0 to 1.
        cells: `(N,)`, how many cells there are from side to side, at least 1.
        pattern: `(C, S, S)`, see `fill_pattern`.
    """
    side = batch.shape[-1]
    place = (np.arange(side) + 0.5) / side * cells[:, None] % 1
    line = torch.from_numpy(abs(place - 0.5) <= shares[:, None] / 2).to(batch.device, non_blocking=True)
    return torch.where(line[:, None, :, None] & line[:, None, None, :], pattern, batch)
