"""How far a map moved, measured in the original image's coordinates.

When an image is turned, a classifier that still looks at the same thing has a map that turned with it. So each frame's
map is first carried back by the homography that made the frame, and only then compared with the map of the neutral
frame, where both can be seen. Coordinates run from −1 to 1 over the side, x to the right, y down, and a map's cells
tile that square, as `torch.nn.functional.grid_sample` has it with `align_corners=False`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from augimpact.errors import ParameterError

__all__ = ["TOP_SHARE", "Drift", "carry_back", "drift"]

# The share of the visible area that counts as where the classifier looked most.
TOP_SHARE = 0.2
# A coarse map is compared on at least so many points along each axis, for what stayed visible may be a part of a cell.
LEAST_POINTS = 64
# Differences below this share of a map's peak are the rounding of float32, not something to look at.
FLAT = 1e-6

CORNERS = np.array([[-1, 1, -1, 1], [-1, -1, 1, 1], [1, 1, 1, 1]], dtype=np.float64)
WHOLE = ((-1.0, 1.0), (-1.0, 1.0))

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]
Box = tuple[tuple[float, float], tuple[float, float]]


class Drift(NamedTuple):
    """How each of N frames compares with the neutral one, each `(N,)` float64; NaN where that cannot be said.

    shift: distance between the centroids of the two maps, in shares of the image's side; 0 where nothing moved.
    overlap: the area that the top 20 % of both maps have in common, as a share of that area; in [0, 1].
    correlation: Pearson's correlation of the two maps; in [−1, 1].
    visible: share of the original's area that the frame still shows; in [0, 1], never NaN.
    """

    shift: Numbers
    overlap: Numbers
    correlation: Numbers
    visible: Numbers


def drift(
    maps: ArrayLike, homographies: ArrayLike, neutral_map: ArrayLike, neutral_homography: ArrayLike | None = None
) -> Drift:
    """Each frame's map against the neutral one, over what both frames show of the original.

    Both maps are read, bilinearly, at the same points of the original, evenly spaced over the region that both frames
    show: inside the frame and in front of the eye. Border cells reach to the frame's edge. Negative values count as 0,
    and nothing changes when a map is multiplied by a positive number. The top 20 % of a map are the points of highest
    value that cover 20 % of the region, or all points above 0 where those cover less; points of equal value at the
    threshold count in part. Where the two tops differ in size, the overlap is a share of the larger one.

    `shift`, `overlap` and `correlation` are NaN where the frames have nothing in common, and where one of the maps is
    zero, flat or not a number over the region: such a map looks nowhere, so it cannot have moved.

    A network whose deep layers look beside the centres of their cells adds a shift of its own when the image turns.
    With the built-in classifier half a turn moved the maps of 150 photographs by 0.03 of the side in one direction.

    Args:
        maps: `(N, h, w)`, raw; a signal's have h = 1.
        homographies: `(N, 3, 3)`, original to frame, see `augimpact.augment.geometry`.
        neutral_map: `(h', w')`, of the neutral frame.
        neutral_homography: `(3, 3)`, original to neutral frame; by default the identity.

    Raises:
        ParameterError: shapes that do not fit, or a homography without an inverse.

    >>> left, right = np.eye(3)[[0]], np.eye(3)[[2]]
    >>> mirror = np.diag([-1, 1, 1])
    >>> moved = drift([left, right], [np.eye(3), mirror], left)
    >>> moved.shift.round(6).tolist(), moved.overlap.round(6).tolist()
    ([0.0, 0.0], [1.0, 1.0])
    """
    stack, matrices = _checked(maps, homographies)
    reference, own = _checked(
        np.asarray(neutral_map)[None],
        np.asarray(np.eye(3) if neutral_homography is None else neutral_homography)[None],
    )
    neutral = _positive(reference[0])
    boxes = _visible_boxes(matrices)
    found = np.full((len(Drift._fields), len(stack)), np.nan)
    # Frame by frame: a frame has thousands of points, so the memory is bounded and little time is lost.
    for frame, (values, matrix, box) in enumerate(zip(stack, matrices, boxes, strict=True)):
        x, y = _points(box, _fine((max(stack.shape[1], len(neutral)), max(stack.shape[2], neutral.shape[1]))))
        here = _project(matrix, x, y)
        there = _project(own[0], x, y)
        both = here.inside & there.inside
        visible = here.inside.mean() * _area(box) / _area(WHOLE)
        found[3, frame] = visible
        if visible > 0 and both.any():
            moved = _sample(_positive(values), here.x[both], here.y[both])
            still = _sample(neutral, there.x[both], there.y[both])
            across, down = np.broadcast_arrays(x, y)
            found[:3, frame] = _compare(moved, still, across[both], down[both])
    return Drift(*found)


def carry_back(maps: ArrayLike, homographies: ArrayLike, shape: tuple[int, int]) -> Numbers:
    """Each map in the original's coordinates, `(N, *shape)`; NaN at points that its frame does not show.

    Args:
        maps: `(N, h, w)`, raw; the values stay as they are.
        homographies: `(N, 3, 3)`, original to frame.
        shape: rows and columns of what comes back, whose cells tile the original.

    Raises:
        ParameterError: shapes that do not fit, or a homography without an inverse.

    >>> carry_back([[[1.0, 2.0]]], [np.diag([-1, 1, 1])], shape=(1, 2)).tolist()
    [[[2.0, 1.0]]]
    """
    stack, matrices = _checked(maps, homographies)
    x, y = _points(WHOLE, shape)
    carried = np.full((len(stack), *shape), np.nan)
    for values, matrix, back in zip(stack, matrices, carried, strict=True):
        seen = _project(matrix, x, y)
        back[seen.inside] = _sample(values.astype(np.float64), seen.x[seen.inside], seen.y[seen.inside])
    return carried


class _Projected(NamedTuple):
    """Where points of the original lie in a frame, each `(rows, columns)`, and whether that is inside it."""

    x: Numbers
    y: Numbers
    inside: Mask


def _checked(maps: ArrayLike, homographies: ArrayLike) -> tuple[NDArray[Any], Numbers]:
    stack, matrices = np.asarray(maps), np.asarray(homographies, dtype=np.float64)
    if stack.ndim != 3 or matrices.shape != (len(stack), 3, 3) or 0 in stack.shape[1:]:
        shapes = f"maps of shape {stack.shape} with homographies of shape {matrices.shape}"
        raise ParameterError(f"{shapes}; expected (N, h, w) and (N, 3, 3)")
    finite: Mask = np.asarray(np.isfinite(matrices).all(axis=(1, 2)))
    without = np.linalg.det(np.where(finite[:, None, None], matrices, 0)) == 0
    if without.any():
        wrong = matrices[without][0].tolist()
        raise ParameterError(f"the homography {wrong} has no inverse; expected one that shows the original")
    return stack, matrices


def _positive(values: NDArray[Any]) -> Numbers:
    """The part above 0 in shares of its peak; NaN where a value is not finite."""
    finite = np.isfinite(values)
    kept = np.where(finite, np.maximum(values, 0), np.nan).astype(np.float64)
    peak = kept.max(initial=0, where=finite)
    return kept / peak if peak > 0 else kept


def _fine(shape: tuple[int, int]) -> tuple[int, int]:
    """As many points a cell as make up `LEAST_POINTS` along each axis."""
    rows, columns = (size * -(-LEAST_POINTS // size) for size in shape)
    return rows, columns


def _points(box: Box, shape: tuple[int, int]) -> tuple[Numbers, Numbers]:
    """The centres of the cells that tile the box: x `(1, columns)` and y `(rows, 1)`."""
    rows, columns = shape
    (left, right), (top, bottom) = box
    x = left + (right - left) * (np.arange(columns) + 0.5) / columns
    y = top + (bottom - top) * (np.arange(rows) + 0.5) / rows
    return x[None, :], y[:, None]


def _visible_boxes(matrices: Numbers) -> list[Box]:
    """For each frame the smallest upright box of the original that holds all that the frame shows of it."""
    corners: Numbers = np.linalg.inv(matrices) @ CORNERS
    return [_box_around(each) for each in corners]


def _box_around(corners: Numbers) -> Box:
    """Of the frame's corners in the original, `(3, 4)` homogeneous."""
    if (corners[2] <= 0).any():
        # The frame reaches beyond the original's horizon, and its corners bound nothing.
        return WHOLE
    x, y = np.clip(corners[:2] / corners[2], -1, 1)
    return (float(x.min()), float(x.max())), (float(y.min()), float(y.max()))


def _area(box: Box) -> float:
    (left, right), (top, bottom) = box
    return (right - left) * (bottom - top)


def _project(matrix: Numbers, x: Numbers, y: Numbers) -> _Projected:
    across, down, depth = (row[0] * x + (row[1] * y + row[2]) for row in matrix)
    # What is not in front of the eye is nowhere in the frame.
    depth[depth <= 0] = np.nan
    across /= depth
    down /= depth
    return _Projected(across, down, (np.abs(across) <= 1) & (np.abs(down) <= 1))


def _sample(values: Numbers, x: Numbers, y: Numbers) -> Numbers:
    """The map at places of the frame, `(K,)`: bilinear between the centres of cells, even beyond the outermost."""
    rows, columns = values.shape
    top, bottom, downwards = _neighbours(y, rows)
    left, right, rightwards = _neighbours(x, columns)
    flat: Numbers = values.reshape(-1)
    top *= columns
    bottom *= columns
    upper: Numbers = flat[top + left]
    upper += (flat[top + right] - upper) * rightwards
    lower: Numbers = flat[bottom + left]
    lower += (flat[bottom + right] - lower) * rightwards
    upper += (lower - upper) * downwards
    return upper


def _neighbours(places: Numbers, size: int) -> tuple[NDArray[np.intp], NDArray[np.intp], Numbers]:
    """Along one axis of `size` cells: the cell before, the cell after, and how far each place is between them."""
    position = np.clip((places + 1) * (size / 2) - 0.5, 0, size - 1)
    before = position.astype(np.intp)
    return before, np.minimum(before + 1, size - 1), position - before


def _compare(moved: Numbers, still: Numbers, x: Numbers, y: Numbers) -> tuple[float, float, float]:
    """Shift, overlap and correlation of two maps at the same K points of the original, all `(K,)`."""
    if not (np.ptp(moved) > FLAT and np.ptp(still) > FLAT):
        return np.nan, np.nan, np.nan
    away = [moved @ axis / moved.sum() - still @ axis / still.sum() for axis in (x, y)]
    # The side is 2 long in these coordinates.
    return float(np.hypot(*away) / 2), _overlap(_top(moved), _top(still)), _correlation(moved, still)


def _top(values: Numbers) -> Numbers:
    """How far each point belongs to the top, from 0 to 1, `(K,)`."""
    count = max(1, round(TOP_SHARE * len(values)))
    threshold = np.partition(values, -count)[-count]
    if threshold <= 0:
        return (values > 0).astype(np.float64)
    above, equal = values > threshold, values == threshold
    return np.asarray(above + equal * ((count - above.sum()) / equal.sum()))


def _overlap(one: Numbers, other: Numbers) -> float:
    return float(np.minimum(one, other).sum() / max(one.sum(), other.sum()))


def _correlation(one: Numbers, other: Numbers) -> float:
    one, other = one - one.mean(), other - other.mean()
    return float(np.clip(one @ other / np.sqrt((one @ one) * (other @ other)), -1, 1))
