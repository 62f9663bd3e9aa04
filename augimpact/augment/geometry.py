"""Everything that moves pixels, as one homography and one resampling a frame.

A homography maps homogeneous coordinates (x, y, 1) of the original image to those of the frame. Both run from −1
to 1 over the side, x to the right, y down, as `torch.nn.functional.grid_sample` has them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["IDENTITY", "homographies", "warp"]

IDENTITY = np.eye(3)
# At a share of exactly 1 an edge would become a point, and the way back to the original would be lost.
LARGEST_SHARE = 0.999
# A coordinate that no part of an image has.
OUTSIDE = 4.0

Matrices = NDArray[np.float64]
Values = NDArray[np.float64]


def homographies(settings: Mapping[str, Values]) -> Matrices:
    """One matrix a setting, `(N, 3, 3)`: the crop first, then the rotation, then the perspective.

    `settings` gives every geometric parameter N values; see `augimpact.augment.parameters.resolve`.
    """
    cropped = _crop(settings["crop"], settings["crop_x"], settings["crop_y"])
    turned = _rotation(settings["rotation"])
    tilted_x = _perspective(settings["perspective_x"])
    # The same tilt with the axes exchanged.
    tilted_y = _perspective(settings["perspective_y"])[:, [1, 0, 2]][:, :, [1, 0, 2]]
    return tilted_y @ tilted_x @ turned @ cropped


def warp(image: Tensor, matrices: Matrices) -> Tensor:
    """The image under each homography, `(N, C, S, S)`, bilinear, black outside the original.

    Frames whose matrix is the identity are copies of the image, bit for bit. The memory is laid out channels last.

    Args:
        image: `(C, S, S)`.
        matrices: `(N, 3, 3)`, original to frame.
    """
    batch = image[None].contiguous(memory_format=torch.channels_last).expand(len(matrices), -1, -1, -1)
    moved = np.flatnonzero((matrices != IDENTITY).any(axis=(1, 2)))
    if len(moved) == 0:
        # A copy even of a single frame: what is made of the batch is changed in place, the image never is.
        return batch.clone(memory_format=torch.channels_last)
    inverses: Matrices = np.linalg.inv(matrices[moved]).astype(np.float64)
    grid = _sampling_grid(inverses, image.shape[-1], image.device)
    warped = F.grid_sample(batch[: len(moved)], grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    if len(moved) == len(matrices):
        return warped
    frames = batch.clone(memory_format=torch.channels_last)
    frames[torch.from_numpy(moved).to(image.device)] = warped
    return frames


def _sampling_grid(inverses: Matrices, side: int, device: torch.device) -> Tensor:
    """Where each pixel of each frame is found in the original, `(N, S, S, 2)`."""
    matrices = torch.from_numpy(inverses).to(device, torch.float32)
    centres = (torch.arange(side, device=device, dtype=torch.float32) * 2 + 1) / side - 1
    grid = torch.empty(len(inverses), side, side, 2, device=device)
    for axis in (0, 1):
        torch.add(*_terms(matrices[:, axis], centres), out=grid[..., axis])
    if (inverses[:, 2] != IDENTITY[2]).any():
        depth = torch.add(*_terms(matrices[:, 2], centres))[..., None]
        grid.div_(depth)
        # Behind the eye a point would be seen upside down; nothing is there, as outside the image.
        grid.masked_fill_(depth <= 0, OUTSIDE)
    return grid


def _terms(row: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
    """The part of `row · (x, y, 1)` that changes along x, `(N, 1, S)`, and the rest, `(N, S, 1)`."""
    along_x = row[:, 0, None] * centres
    along_y = row[:, 1, None] * centres + row[:, 2, None]
    return along_x[:, None, :], along_y[:, :, None]


def _crop(share: Values, centre_x: Values, centre_y: Values) -> Matrices:
    matrices = _identities(len(share))
    for axis, centre in enumerate((centre_x, centre_y)):
        inside = np.clip(centre, share / 2, 1 - share / 2) * 2 - 1
        matrices[:, axis, axis] = 1 / share
        matrices[:, axis, 2] = -inside / share
    return matrices


def _rotation(degrees: Values) -> Matrices:
    radians = np.deg2rad(degrees)
    matrices = _identities(len(degrees))
    matrices[:, 0, 0] = matrices[:, 1, 1] = np.cos(radians)
    matrices[:, 0, 1] = np.sin(radians)
    matrices[:, 1, 0] = -np.sin(radians)
    return matrices


def _perspective(share: Values) -> Matrices:
    """The square onto the trapezium whose right (negative: left) edge is shorter by `share`.

    With u = (x + 1)/2 a right edge of length 1 − v asks for u' = u / (1 − v + v u) and y' = (1 − v) y / (1 − v + v u).
    Written in x, with p = v/2, these are the entries below. The left edge is its mirror image.
    """
    half = np.clip(share, -LARGEST_SHARE, LARGEST_SHARE) / 2
    size = np.abs(half)
    matrices = _identities(len(share))
    matrices[:, 0, 0] = matrices[:, 2, 2] = 1 - size
    matrices[:, 0, 2] = matrices[:, 2, 0] = half
    matrices[:, 1, 1] = 1 - 2 * size
    return matrices


def _identities(count: int) -> Matrices:
    return np.tile(IDENTITY, (count, 1, 1))
