"""From four corners, or any homography, to the setting that makes it: exact, and in closed form.

The geometric parameters make H = tilt_y · tilt_x · A, with A affine and the tilts by a = perspective_x/2 and
b = perspective_y/2 (see `augimpact.augment.geometry`). The last row of H⁻¹ is then in the ratio
(−a, −(1−|a|) b, (1−|a|)(1−|b|)), which gives b, then a. What is left, A, is split by a QR decomposition into
stretch, shear_x, rotation and translation, in the order in which they are done.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from augimpact.augment.geometry import IDENTITY, LARGEST_SHARE, SMALLEST_STRETCH, homographies
from augimpact.augment.parameters import CATALOGUE, resolve
from augimpact.errors import ParameterError

__all__ = ["setting_of_corners", "setting_of_homography", "setting_of_perspective"]

Matrix = NDArray[np.float64]
# The image's own corners in shares of the side: top left, top right, bottom right, bottom left.
SQUARE = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
# Corners nearer to a line than this, in shares of the side, make no quadrilateral.
FLAT = 1e-9


def setting_of_corners(corners: ArrayLike) -> dict[str, float]:
    """The setting under which the image's corners go to these places, exactly.

    Args:
        corners: `(4, 2)`, x and y in shares of the side (0, 0 is the frame's top left, 1, 1 its bottom right), where
            the image's top left, top right, bottom right and bottom left corner go; torchvision's `endpoints` divided
            by the side.

    Raises:
        ParameterError: corners that make no convex quadrilateral, or that lead beyond a parameter's range.

    >>> setting = setting_of_corners([(0.1, 0), (1.1, 0), (1.1, 1), (0.1, 1)])
    >>> {name: round(value, 6) for name, value in setting.items() if abs(value - CATALOGUE[name].neutral) > 1e-9}
    {'translate_x': 0.1}
    """
    return setting_of_homography(_homography(SQUARE, _quadrilateral(corners)))


def setting_of_perspective(side: int, w: float, h: float, d: float) -> dict[str, float]:
    """The setting that does what `perspective_w`, `perspective_h` and `perspective_d` of an older tool did, in pixels.

    That tool called torchvision's `perspective` to take the points (0, 0), (S−1, 0), (S−1, S−1), (0, S−1) to (0, 0),
    (w, d), (w, h), (0, h). In torchvision's coordinates, an image of side S reaches from 0 to S; so the image's own
    right and bottom edge lie one pixel beyond those points, and go one pixel's worth beyond where they go.

    Args:
        side: S, of the image, in pixels; at least 2.
        w: where the right edge goes.
        h: where the bottom edge goes.
        d: how far down the top right corner goes.

    Raises:
        ParameterError: points that make no convex quadrilateral, or that lead beyond a parameter's range.

    >>> setting = setting_of_perspective(224, w=223, h=223, d=0)
    >>> all(abs(value - CATALOGUE[name].neutral) < 1e-9 for name, value in setting.items())
    True
    """
    if side < 2:
        raise ParameterError(f"the side is {side} pixels; expected at least 2")
    end = np.array([[0, 0], [w, d], [w, h], [0, h]], dtype=np.float64) / side
    return setting_of_homography(_homography(SQUARE * (side - 1) / side, _quadrilateral(end)))


def setting_of_homography(matrix: ArrayLike) -> dict[str, float]:
    """The setting whose homography is a multiple of this one: what `Frames.homographies` has, the other way about.

    Args:
        matrix: `(3, 3)`, original to frame, in coordinates from −1 to 1; of any scale.

    Returns:
        stretch_x, stretch_y, zoom, shear_x, rotation, translate_x, translate_y, perspective_x and perspective_y.
        The rotation is from −90 to 90 degrees (a stretch below 0 does the rest); zoom is 1 unless the stretch alone
        would leave its range.

    Raises:
        ParameterError: a matrix that is not `(3, 3)` or has no inverse, or that leads beyond a parameter's range.
    """
    given = np.asarray(matrix, dtype=np.float64)
    if given.shape != (3, 3) or not np.isfinite(given).all() or np.linalg.matrix_rank(given) < 3:
        raise ParameterError(f"the homography is {given.tolist()}; expected 3 × 3 numbers with an inverse")
    if given[2, 2] == 0:
        raise ParameterError("the homography takes the middle of the image to infinity; expected it to be seen")
    # Of the two signs, the one that has the middle of the image before the eye.
    given = given / given[2, 2]
    setting = _tilts(np.linalg.inv(given))
    tilt = homographies(resolve(setting))[0]
    affine = np.linalg.solve(tilt, given)
    setting = _split_affine(affine / affine[2, 2]) | setting
    for name, value in setting.items():
        parameter = CATALOGUE[name]
        if not parameter.minimum <= value <= parameter.maximum:
            _refuse(name, value, parameter.minimum, parameter.maximum)
    return setting


def _tilts(inverse: Matrix) -> dict[str, float]:
    """perspective_x and perspective_y from the last row of H⁻¹."""
    along_x, along_y, at_centre = inverse[2].tolist()
    if at_centre <= 0:
        raise ParameterError(
            "the corners put the middle of the frame beyond the horizon; expected corners nearer to it"
        )
    u = -along_y / at_centre
    half_y = u / (1 + abs(u))
    v = -along_x / at_centre * (1 - abs(half_y))
    half_x = v / (1 + abs(v))
    setting = {"perspective_x": 2 * half_x, "perspective_y": 2 * half_y}
    for name, value in setting.items():
        if abs(value) > LARGEST_SHARE:
            _refuse(name, value, -LARGEST_SHARE, LARGEST_SHARE)
    return setting


def _split_affine(affine: Matrix) -> dict[str, float]:
    """An affine matrix as translation · rotation · shear_x · zoom · stretch."""
    (a, b, shift_x), (c, d, shift_y) = affine[:2].tolist()
    sign = -1.0 if a < 0 else 1.0
    stretch_x = sign * math.hypot(a, c)
    angle = math.atan2(-sign * c, sign * a)
    cosine, sine = math.cos(angle), math.sin(angle)
    stretch_y = sine * b + cosine * d
    slant = -(cosine * b - sine * d) / stretch_y
    longest, shortest = max(abs(stretch_x), abs(stretch_y)), min(abs(stretch_x), abs(stretch_y))
    limit = CATALOGUE["stretch_x"].maximum
    zoom = 1.0
    if longest > limit or shortest < SMALLEST_STRETCH:
        zoom = float(np.clip(longest / limit, CATALOGUE["zoom"].minimum, CATALOGUE["zoom"].maximum))
    if shortest / zoom < SMALLEST_STRETCH:
        _refuse("stretch", shortest / zoom, SMALLEST_STRETCH, limit)
    return {
        "stretch_x": stretch_x / zoom,
        "stretch_y": stretch_y / zoom,
        "zoom": zoom,
        "shear_x": math.degrees(math.atan(slant)),
        "rotation": math.degrees(angle),
        "translate_x": shift_x / 2,
        "translate_y": shift_y / 2,
    }


def _refuse(name: str, value: float, least: float, most: float) -> None:
    raise ParameterError(f"these corners need {name} to be {value:g}; expected a number from {least:g} to {most:g}")


def _quadrilateral(corners: ArrayLike) -> Matrix:
    """The corners as float64, if they make a convex quadrilateral, either way round."""
    places = np.asarray(corners, dtype=np.float64)
    if places.shape != (4, 2) or not np.isfinite(places).all():
        raise ParameterError(f"the corners are {places.tolist()}; expected four pairs of finite numbers")
    sides = np.roll(places, -1, axis=0) - places
    after = np.roll(sides, -1, axis=0)
    turns = sides[:, 0] * after[:, 1] - sides[:, 1] * after[:, 0]
    if not ((turns > FLAT).all() or (turns < -FLAT).all()):
        raise ParameterError(f"the corners are {places.tolist()}; expected those of a convex quadrilateral")
    return places


def _homography(start: Matrix, end: Matrix) -> Matrix:
    """The matrix in coordinates from −1 to 1 that takes four points to four, all in shares of the side."""
    rows: list[Sequence[float]] = []
    sides: list[float] = []
    for (x, y), (u, v) in zip((start * 2 - 1).tolist(), (end * 2 - 1).tolist(), strict=True):
        rows += [(x, y, 1, 0, 0, 0, -u * x, -u * y), (0, 0, 0, x, y, 1, -v * x, -v * y)]
        sides += [u, v]
    solved = np.linalg.solve(np.array(rows), np.array(sides))
    matrix = IDENTITY.copy()
    matrix.flat[:8] = solved
    return matrix
