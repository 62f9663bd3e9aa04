"""How steady a classifier is along one path of settings: pure functions of what every frame gave."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from augimpact.errors import ParameterError, SweepError

__all__ = ["StablePlace", "confidence_area", "nearest_to_neutral", "stable_places", "stable_run"]


def confidence_area(scores: ArrayLike, positions: ArrayLike) -> float:
    """The area under one class's score over the path, divided by the path's length: its mean score on the way.

    Between frames the score is taken as straight (the trapezoidal rule), so that frames at unequal distances count by
    the way between them. Scores in [0, 1] give an area in [0, 1]. The area of a single frame is its score.

    Args:
        scores: `(N,)`.
        positions: `(N,)`, where each frame lies on the path, in any unit, never turning back.

    Raises:
        SweepError: no frames, unequal lengths, positions that turn back or are all the same.

    >>> confidence_area([1, 1, 0], [0, 30, 40])
    0.875
    """
    heights = np.asarray(scores, dtype=np.float64)
    places = np.asarray(positions, dtype=np.float64)
    if heights.ndim != 1 or heights.shape != places.shape or len(heights) == 0:
        raise SweepError(f"scores of shape {heights.shape} at positions of shape {places.shape}; expected (N,) of both")
    if len(heights) == 1:
        return float(heights[0])
    steps = np.diff(places)
    length = places[-1] - places[0]
    if not (np.isfinite(length) and length != 0 and (steps * np.sign(length) >= 0).all()):
        raise SweepError(f"positions from {places[0]:g} to {places[-1]:g} turn back or stand still; expected a path")
    # Shares of the way add up to 1, so the area is a mean and stays within the scores.
    return float(((heights[1:] + heights[:-1]) / 2 * (steps / length)).sum())


def stable_run(states: ArrayLike, start: int) -> tuple[int, int]:
    """The first and the last frame, both included, of the unbroken run around `start` that share its state.

    Args:
        states: `(N,)` whole numbers, such as the predicted class of each frame.
        start: the index of a frame, from 0.

    Raises:
        SweepError: the states are not a row, or there is no such frame.

    >>> stable_run([7, 3, 3, 3, 7, 3], start=2)
    (1, 3)
    """
    row = np.asarray(states)
    if row.ndim != 1:
        raise SweepError(f"states of shape {row.shape}; expected (N,)")
    if not 0 <= start < len(row):
        raise SweepError(f"start is {start}; expected the index of one of {len(row)} frames")
    others = np.flatnonzero(row != row[start])
    before, after = others[others < start], others[others > start]
    return int(before[-1]) + 1 if len(before) else 0, int(after[0]) - 1 if len(after) else len(row) - 1


def nearest_to_neutral(settings: ArrayLike, neutral: ArrayLike, spans: ArrayLike) -> int:
    """The frame whose setting is nearest to neutral, the first of several that are.

    Each parameter's distance is measured in shares of its span, so that degrees and factors weigh alike; together they
    make a Euclidean distance.

    Args:
        settings: `(N, P)`, a row a frame.
        neutral: `(P,)`, the neutral value of each parameter.
        spans: `(P,)`, the width of each parameter's range, above 0.

    Raises:
        SweepError: no frames, or shapes that do not fit.
        ParameterError: a span that is not above 0.

    >>> nearest_to_neutral([[-30, 1.0], [5, 1.1], [30, 1.2]], neutral=[0, 1], spans=[360, 3])
    1
    """
    rows: NDArray[np.float64] = np.asarray(settings, dtype=np.float64)
    middle, widths = np.asarray(neutral, dtype=np.float64), np.asarray(spans, dtype=np.float64)
    if rows.ndim != 2 or len(rows) == 0 or not rows.shape[1:] == middle.shape == widths.shape:
        shapes = f"settings of shape {rows.shape}, neutral of {middle.shape} and spans of {widths.shape}"
        raise SweepError(f"{shapes}; expected (N, P), (P,) and (P,)")
    if not (widths > 0).all():
        raise ParameterError(f"a span is {widths[~(widths > 0)][0]:g}; expected a number above 0")
    return int((((rows - middle) / widths) ** 2).sum(axis=1).argmin())


class StablePlace(NamedTuple):
    """place: `(P,)`, where a stable run has been. flips: whether the state changes there."""

    place: NDArray[np.float64]
    flips: bool


def stable_places(
    settings: NDArray[np.float64],
    states: NDArray[np.int64],
    *,
    neutral: NDArray[np.float64],
    spans: NDArray[np.float64],
    state: int | None,
    flip_frames: NDArray[np.int64],
    flip_places: NDArray[np.float64],
) -> list[StablePlace]:
    """The places of the run about neutral, its two ends with it; not numbers where there is no such run.

    Args:
        settings: `(N, P)`, a row a frame.
        states: `(N,)`, of the frames.
        neutral: `(P,)`.
        spans: `(P,)`, see `nearest_to_neutral`.
        state: of the neutral setting itself, that the run must have; None where it is not known.
        flip_frames: `(F,)`, the first frame after each flip, along the path.
        flip_places: `(F, P)`, where the flips are.
    """
    start = _beside_neutral(settings, states, neutral, spans, state)
    if start is None:
        return [StablePlace(np.full(settings.shape[1], np.nan), False)]
    first, last = stable_run(states, start)
    # Of several flips between two frames the one next to the run ends it.
    before, after = np.flatnonzero(flip_frames == first), np.flatnonzero(flip_frames == last + 1)
    # A path may turn back: then it goes furthest somewhere on the way.
    places = [StablePlace(setting, False) for setting in settings[first : last + 1]]
    return places + [StablePlace(flip_places[each], True) for each in (*before[-1:], *after[:1])]


def _beside_neutral(
    settings: NDArray[np.float64],
    states: NDArray[np.int64],
    neutral: NDArray[np.float64],
    spans: NDArray[np.float64],
    state: int | None,
) -> int | None:
    """The frame nearest to neutral, or its neighbour on the other side of it, that has the state; None if neither."""
    if ((settings.min(axis=0) > neutral) | (settings.max(axis=0) < neutral)).any():
        return None
    nearest = nearest_to_neutral(settings, neutral, spans)
    if state is None or states[nearest] == state:
        return nearest
    for each in (nearest - 1, nearest + 1):
        if not 0 <= each < len(states) or states[each] != state:
            continue
        if ((settings[nearest] - neutral) * (settings[each] - neutral) <= 0).all():
            return each
    return None
