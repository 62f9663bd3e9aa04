"""Where on a path the state of a frame changes: between two frames, or bisected to a tolerance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augimpact.errors import SweepError

__all__ = ["between_frames", "checked_tolerance", "located"]

States = NDArray[np.int64]
Predict = Callable[[pd.DataFrame], States]
COLUMNS = ["frame", "from", "to"]


def between_frames(settings: pd.DataFrame, states: States) -> pd.DataFrame:
    """A row a flip: the first `frame` of the new state, the states `from` and `to`, and the setting half way."""
    after = np.flatnonzero(np.diff(states)) + 1
    values = settings.to_numpy()
    return _table(after, states[after - 1], states[after], (values[after - 1] + values[after]) / 2, settings)


def located(settings: pd.DataFrame, states: States, predict: Predict, tolerance: float) -> pd.DataFrame:
    """The flips of a path, each known to `tolerance`: as `between_frames`, but in the middle of what is left.

    Every interval whose ends differ in state is halved until no parameter changes by more than twice the tolerance
    over it; all intervals are asked about at once, so that few batches are needed. Where the middle has a third
    state, both halves are pursued. What changes and changes back between two frames is not seen.

    Args:
        settings: a row a frame; between two rows the path is straight.
        states: of the frames, `(N,)`.
        predict: the states of settings.
        tolerance: in the unit of the parameters that change, more than 0.

    Raises:
        SweepError: the tolerance is not a positive number.
    """
    tolerance = checked_tolerance(tolerance)
    values = settings.to_numpy(dtype=np.float64)
    frame = np.flatnonzero(np.diff(states)) + 1
    low, high = values[frame - 1], values[frame]
    before, after = states[frame - 1], states[frame]
    done: list[tuple[NDArray[np.int64], States, States, NDArray[np.float64]]] = []
    while True:
        middle = (low + high) / 2
        # Half of what is left is the error of the middle; at the limits of float64 the middle is one of the ends.
        narrow = (np.abs(high - low).max(axis=1, initial=0) <= 2 * tolerance) | (
            (middle == low).all(axis=1) | (middle == high).all(axis=1)
        )
        done.append((frame[narrow], before[narrow], after[narrow], middle[narrow]))
        frame, low, high, middle = frame[~narrow], low[~narrow], high[~narrow], middle[~narrow]
        before, after = before[~narrow], after[~narrow]
        if not len(frame):
            break
        found = predict(pd.DataFrame(middle, columns=settings.columns))
        first, second = found != before, found != after
        frame = np.concatenate([frame[first], frame[second]])
        low, high = np.concatenate([low[first], middle[second]]), np.concatenate([middle[first], high[second]])
        before, after = (
            np.concatenate([before[first], found[second]]),
            np.concatenate([found[first], after[second]]),
        )
    frames, starts, ends, places = (np.concatenate(part) for part in zip(*done, strict=True))
    return _in_order(_table(frames, starts, ends, places, settings), values)


def checked_tolerance(tolerance: float) -> float:
    """The tolerance, if it is one.

    Raises:
        SweepError: it is not a number above 0.
    """
    if isinstance(tolerance, bool) or not isinstance(tolerance, (int, float, np.number)) or not tolerance > 0:
        raise SweepError(f"flip_tolerance is {tolerance!r}; expected a number above 0")
    return float(tolerance)


def _in_order(flips: pd.DataFrame, values: NDArray[np.float64]) -> pd.DataFrame:
    """Along the path: several flips between the same two frames by their distance from the first of the two."""
    frames = flips["frame"].to_numpy()
    start = values[frames - 1]
    distance = np.abs(flips.iloc[:, len(COLUMNS) :].to_numpy() - start).sum(axis=1)
    return flips.iloc[np.lexsort((distance, frames))].reset_index(drop=True)


def _table(
    frames: NDArray[np.int64], starts: States, ends: States, places: NDArray[np.float64], settings: pd.DataFrame
) -> pd.DataFrame:
    columns = dict(zip(COLUMNS, (frames, starts, ends), strict=True))
    return pd.concat([pd.DataFrame(columns), pd.DataFrame(places, columns=settings.columns)], axis=1)
