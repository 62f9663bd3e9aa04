"""Everything that moves pixels, as one homography and one resampling a frame.

A homography maps homogeneous coordinates (x, y, 1) of the original image to those of the frame. Both run from −1
to 1 over the side, x to the right, y down, as `torch.nn.functional.grid_sample` has them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from augimpact.augment.parameters import CATALOGUE

__all__ = ["IDENTITY", "LARGEST_SHARE", "SMALLEST_STRETCH", "homographies", "sampling_grid", "warp"]

IDENTITY = np.eye(3)
# At a share of exactly 1 an edge would become a point, and the way back to the original would be lost.
LARGEST_SHARE = 0.999
# At exactly 0 the image would become a line, and the way back would be lost as well.
SMALLEST_STRETCH = 0.01
# A coordinate that no part of an image has.
OUTSIDE = 4.0
# The least depth by which a coordinate is divided where something is seen beyond the border: still finite in float32.
NEAREST = 1e-6
PADDING = {"black": "zeros", "mean": "zeros", "edge": "border", "reflect": "reflection"}

Matrices = NDArray[np.float64]
Values = NDArray[np.float64]


def homographies(settings: Mapping[str, Values]) -> Matrices:
    """One matrix a setting, `(N, 3, 3)`: crop, stretch, zoom, shear, rotation, translation, perspective, in this order.

    `settings` gives every geometric parameter N values; see `augimpact.augment.parameters.resolve`.
    """
    product = _identities(len(settings["rotation"]))
    for names, step in _STEPS:
        if any((settings[name] != CATALOGUE[name].neutral).any() for name in names):
            product = step(*(settings[name] for name in names)) @ product
    return product


def warp(image: Tensor, matrices: Matrices, border: str = "black") -> Tensor:
    """The image under each homography, `(N, C, S, S)`, bilinear.

    Frames whose matrix is the identity are copies of the image, bit for bit. The memory is laid out channels last.

    Args:
        image: `(C, S, S)` in [0, 1].
        matrices: `(N, 3, 3)`, original to frame.
        border: what is seen outside the original: `black`, its `mean` colour, its `edge` drawn out without end, or the
            image mirrored at its edges again and again (`reflect`; the outermost pixel is repeated, as in
            scikit-image's `symmetric`). Behind the eye, where a steep perspective shows nothing of the image's
            plane, `edge` shows the edges towards the horizon, and `reflect` the mean colour, which is what endless
            mirror images come to.
    """
    batch = image[None].contiguous(memory_format=torch.channels_last).expand(len(matrices), -1, -1, -1)
    moved = np.flatnonzero((matrices != IDENTITY).any(axis=(1, 2)))
    if len(moved) == 0:
        # A copy even of a single frame: what is made of the batch is changed in place, the image never is.
        return batch.clone(memory_format=torch.channels_last)
    warped = _resample(batch[: len(moved)], np.linalg.inv(matrices[moved]).astype(np.float64), border)
    if len(moved) == len(matrices):
        return warped
    frames = batch.clone(memory_format=torch.channels_last)
    frames[torch.from_numpy(moved).to(image.device, non_blocking=True)] = warped
    return frames


def _resample(batch: Tensor, inverses: Matrices, border: str) -> Tensor:
    """One image, given as often as there are matrices from frame to original, `(N, C, S, S)`, under each of them."""
    grid, behind = sampling_grid(inverses, batch.shape[-1], batch.device, border)
    mean = batch[:1].mean(dim=(2, 3), keepdim=True) if border in ("mean", "reflect") else None
    if mean is not None and border == "mean":
        batch = (batch[:1] - mean).expand_as(batch)
    warped = F.grid_sample(batch, grid, mode="bilinear", padding_mode=PADDING[border], align_corners=False)
    if mean is None:
        return warped
    if border == "mean":
        return warped.add_(mean).clamp_(0, 1)
    return warped if behind is None else torch.where(behind, mean, warped)


def sampling_grid(inverses: Matrices, side: int, device: torch.device, border: str) -> tuple[Tensor, Tensor | None]:
    """Where each pixel of each frame is found in the original, `(N, S, S, 2)`, and which are behind the eye.

    The second is `(N, 1, S, S)`, or None where all frames are affine.
    """
    matrices = torch.from_numpy(inverses.astype(np.float32)).to(device, non_blocking=True)
    centres = (torch.arange(side, device=device, dtype=torch.float32) * 2 + 1) / side - 1
    grid = torch.empty(len(inverses), side, side, 2, device=device)
    for axis in (0, 1):
        torch.add(*_terms(matrices[:, axis], centres), out=grid[..., axis])
    if not (inverses[:, 2] != IDENTITY[2]).any():
        return grid, None
    depth = torch.add(*_terms(matrices[:, 2], centres))[..., None]
    behind = depth <= 0
    if border == "edge":
        # What lies at the horizon goes on beyond it.
        grid.div_(depth.clamp_min_(NEAREST))
    else:
        grid.div_(depth if PADDING[border] == "zeros" else depth.clamp_min_(NEAREST))
        # Behind the eye a point would be seen upside down; nothing is there, as outside the image.
        grid.masked_fill_(behind, OUTSIDE)
    return grid, behind.permute(0, 3, 1, 2)


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


def _stretch(factor_x: Values, factor_y: Values) -> Matrices:
    matrices = _identities(len(factor_x))
    for axis, factor in enumerate((factor_x, factor_y)):
        held = np.maximum(np.abs(factor), SMALLEST_STRETCH)
        matrices[:, axis, axis] = np.where(factor < 0, -held, held)
    return matrices


def _zoom(factor: Values) -> Matrices:
    return _stretch(factor, factor)


def _shear(degrees_x: Values, degrees_y: Values) -> Matrices:
    """Along x first, then y, as torchvision's `affine` has it."""
    along_x, along_y = _identities(len(degrees_x)), _identities(len(degrees_x))
    along_x[:, 0, 1] = -np.tan(np.deg2rad(degrees_x))
    along_y[:, 1, 0] = -np.tan(np.deg2rad(degrees_y))
    return along_y @ along_x


def _rotation(degrees: Values) -> Matrices:
    radians = np.deg2rad(degrees)
    matrices = _identities(len(degrees))
    matrices[:, 0, 0] = matrices[:, 1, 1] = np.cos(radians)
    matrices[:, 0, 1] = np.sin(radians)
    matrices[:, 1, 0] = -np.sin(radians)
    return matrices


def _translation(share_x: Values, share_y: Values) -> Matrices:
    matrices = _identities(len(share_x))
    # The side is 2 long.
    matrices[:, 0, 2] = 2 * share_x
    matrices[:, 1, 2] = 2 * share_y
    return matrices


def _perspective_x(share: Values) -> Matrices:
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


def _perspective_y(share: Values) -> Matrices:
    """The same tilt with the axes exchanged."""
    return _perspective_x(share)[:, [1, 0, 2]][:, :, [1, 0, 2]]


def _identities(count: int) -> Matrices:
    return np.tile(IDENTITY, (count, 1, 1))


# What is done first stands first.
_STEPS: tuple[tuple[tuple[str, ...], Callable[..., Matrices]], ...] = (
    (("crop", "crop_x", "crop_y"), _crop),
    (("stretch_x", "stretch_y"), _stretch),
    (("zoom",), _zoom),
    (("shear_x", "shear_y"), _shear),
    (("rotation",), _rotation),
    (("translate_x", "translate_y"), _translation),
    (("perspective_x",), _perspective_x),
    (("perspective_y",), _perspective_y),
)
