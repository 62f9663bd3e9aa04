"""What belongs to an image follows it: masks of classes and boxes, by the homography of its frame."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from augimpact.augment.geometry import IDENTITY, sampling_grid
from augimpact.errors import ParameterError

__all__ = ["move_boxes", "move_masks"]

Matrices = NDArray[np.float64]
# Half spaces a·(x, y, w) ≥ 0 of what is seen: before the eye, and from −1 to 1 in x and y.
BEFORE = np.array([[0.0, 0.0, 1.0]])
SEEN = np.array([[1.0, 0, 1], [-1, 0, 1], [0, 1, 1], [0, -1, 1]])
# The least depth of what is before the eye.
NEAREST = 1e-9


def move_masks(mask: Tensor, matrices: Matrices, *, outside: int = 0) -> Tensor:
    """The mask under each homography, `(N, S, S)`, of the same type: each pixel has the class that lies nearest.

    Args:
        mask: `(S, S)` whole numbers below 2²⁴ in size.
        matrices: `(N, 3, 3)`, original to frame.
        outside: the class of what is beyond the original.

    Raises:
        ParameterError: the mask is not square.

    >>> move_masks(torch.tensor([[1, 2], [3, 4]]), np.diag([-1.0, 1, 1])[None])[0].tolist()
    [[2, 1], [4, 3]]
    """
    if mask.ndim != 2 or mask.shape[0] != mask.shape[1]:
        raise ParameterError(f"the mask has shape {tuple(mask.shape)}; expected (side, side)")
    masks = mask[None].repeat(len(matrices), 1, 1)
    moved = np.flatnonzero((matrices != IDENTITY).any(axis=(1, 2)))
    if len(moved):
        inverses = np.asarray(np.linalg.inv(matrices[moved]), np.float64)
        grid, _ = sampling_grid(inverses, mask.shape[-1], mask.device, "black")
        # From 1 on, so that 0 is what lies outside.
        numbers = mask.to(torch.float32)
        least = numbers.min()
        shifted = (numbers - least + 1).expand(len(moved), 1, *mask.shape)
        found = F.grid_sample(shifted, grid, mode="nearest", padding_mode="zeros", align_corners=False)[:, 0]
        classes = torch.where(found > 0, found - 1 + least, float(outside)).round().to(mask.dtype)
        masks[torch.from_numpy(moved).to(mask.device)] = classes
    return masks


def move_boxes(
    boxes: NDArray[Any], matrix: NDArray[np.float64], side: float, *, least: float = 0.0
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The boxes around what is seen of each box under a homography, and which boxes these are.

    Each box is a quadrilateral in the frame; what of it lies before the eye and inside the frame is enclosed anew.

    Args:
        boxes: `(N, 4)`: left, top, right, bottom in pixels.
        matrix: `(3, 3)`, original to frame.
        side: of image and frame, in pixels.
        least: a box is dropped where less than this share of its quadrilateral's area is seen, or nothing.

    Returns:
        `(M, 4)` boxes inside the frame and `(M,)` their places among the given ones.

    >>> move_boxes([[0, 0, 10, 20]], np.diag([-1.0, 1, 1]), 100)[0].tolist()
    [[90.0, 0.0, 100.0, 20.0]]
    """
    kept, places = [], []
    for place, box in enumerate(np.asarray(boxes, np.float64).reshape(-1, 4)):
        left, top, right, bottom = box / side * 2 - 1
        corners = np.array([[left, top, 1], [right, top, 1], [right, bottom, 1], [left, bottom, 1]]) @ matrix.T
        before = _clipped(corners, BEFORE, NEAREST)
        seen = _clipped(before, SEEN)
        whole, part = _area(before), _area(seen)
        if part > 0 and part >= least * whole:
            points = np.clip((seen[:, :2] / seen[:, 2:] + 1) / 2 * side, 0, side)
            kept.append([*points.min(axis=0), *points.max(axis=0)])
            places.append(place)
    return np.array(kept, np.float64).reshape(-1, 4), np.array(places, np.int64)


def _clipped(corners: NDArray[np.float64], half_spaces: NDArray[np.float64], least: float = 0) -> NDArray[np.float64]:
    """The part of a convex polygon, in homogeneous coordinates, in which a·p ≥ `least` for each of the half spaces.

    Source: Sutherland and Hodgman 1974, *Reentrant polygon clipping*.
    """
    for half_space in half_spaces:
        if not len(corners):
            break
        distances = corners @ half_space - least
        points = []
        for index, (point, distance) in enumerate(zip(corners, distances, strict=True)):
            other, beyond = corners[index - 1], distances[index - 1]
            if (distance >= 0) != (beyond >= 0):
                points.append(other + (point - other) * (beyond / (beyond - distance)))
            if distance >= 0:
                points.append(point)
        corners = np.array(points).reshape(-1, 3)
    return corners


def _area(corners: NDArray[np.float64]) -> float:
    """Of a polygon in homogeneous coordinates before the eye, by the shoelace formula."""
    if len(corners) < 3:
        return 0.0
    x, y = (corners[:, :2] / corners[:, 2:]).T
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)
