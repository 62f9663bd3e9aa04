"""An impact along one sweep: which sweep a path is, and the band of a dataset's scores over the frames of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augimpact.augment.parameters import CATALOGUE
from augimpact.impact.outcomes import Outcomes, SweptPath
from augimpact.sweep import EASINGS, Sweep

__all__ = ["Bands", "Walk", "held_on", "walk_of"]

# Percentiles of the samples' scores between which the band lies.
LOW, HIGH = 10, 90
# A path of few places is walked with more frames, about so many, between them.
ABOUT_FRAMES = 48
# In shares of what is swept: nearer to each other, two settings are one.
EQUAL = 1e-6


class Walk(NamedTuple):
    """A sweep that passes the places of a path.

    ranges: the first and the last value of each parameter that changes.
    held: the parameters that are elsewhere than neutral throughout.
    frames, easing: as of a `Sweep`.
    step: how many frames lie from one place to the next; 0 where the frames do not meet the places.
    """

    ranges: dict[str, list[float]]
    held: dict[str, float]
    frames: int
    easing: str
    step: int

    def frame_at(self, path: SweptPath, strength: float) -> int:
        """The number of the frame at, or nearest to, a tested strength."""
        place = int(np.abs(path.strengths - strength).argmin())
        if self.step:
            return place * self.step
        settings = self.sweep().settings()[list(path.parameters)].to_numpy(np.float64)
        span = np.maximum(np.ptp(path.values, axis=0), np.finfo(float).tiny)
        return int((np.abs(settings - path.values[place]) / span).max(axis=1).argmin())

    def sweep(self) -> Sweep:
        """The same as a sweep."""
        path: dict[str, Any] = self.held | {name: tuple(ends) for name, ends in self.ranges.items()}
        return Sweep(frames=self.frames, easing=self.easing, **path)


def walk_of(outcomes: Outcomes, path: SweptPath) -> Walk:
    """The sweep that passes all places of a path, with frames between them where they are few.

    Of a path that no easing of two ends gives it is the straight way from the first to the last.

    >>> from augimpact.impact.example import example_outcomes
    >>> outcomes = example_outcomes(2)
    >>> walk = walk_of(outcomes, outcomes.paths[0])
    >>> walk.ranges, walk.frames, walk.frame_at(outcomes.paths[0], 20)
    ({'rotation': [-30.0, 30.0]}, 49, 40)
    """
    ends = [path.values[0].tolist(), path.values[-1].tolist()]
    ranges = {name: [first, last] for name, first, last in zip(path.parameters, *ends, strict=True)}
    held, count = held_on(outcomes, path), len(path.rows)
    for easing in EASINGS:
        walk = Walk(ranges, held, count, easing, 1)
        if _same(walk.sweep().settings()[list(path.parameters)].to_numpy(np.float64), path):
            step = max(1, round((ABOUT_FRAMES - 1) / max(1, count - 1)))
            return walk._replace(frames=(count - 1) * step + 1, step=step)
    return Walk(ranges, held, max(count, ABOUT_FRAMES), EASINGS[0], 0)


def held_on(outcomes: Outcomes, path: SweptPath) -> dict[str, float]:
    """The parameters that are elsewhere than neutral on a path and do not change on it."""
    others = outcomes.settings.drop(columns=list(path.parameters))
    values = {str(name): float(column.iloc[path.rows[0]]) for name, column in others.items()}
    return {name: value for name, value in values.items() if value != CATALOGUE[name].neutral}


class Bands:
    """Where the scores of a dataset lie along other sweeps; of each path worked out once.

    Args:
        outcomes: of N samples.
        model: the name of the model that was asked, for the legend.
    """

    def __init__(self, outcomes: Outcomes, model: str = "") -> None:
        self._outcomes, self._model = outcomes, model
        self._known: dict[int, tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]] = {}

    def over(self, settings: pd.DataFrame, swept: Sequence[str]) -> dict[str, Any]:
        """The band over a sweep, if that changes the same one parameter as some path.

        Args:
            settings: a row a frame of that sweep.
            swept: which parameters change in it.

        Returns:
            `mean`, `low` and `high` of the samples' scores of their own class (the 10th and the 90th percentile) at
            every frame, on straight lines between what was tested and None outside; and `legend`, which says so. Empty
            where no path changes that parameter alone with the same others held, or no frame lies in what was tested.

        >>> from augimpact.impact.example import example_outcomes
        >>> sweep = Sweep(rotation=(-15, 40), frames=3)
        >>> band = Bands(example_outcomes(50, holds=15)).over(sweep.settings(), sweep.swept)
        >>> np.round(band["mean"][:2], 3).tolist(), band["mean"][2]
        ([0.55, 0.725], None)
        """
        number = _path_of_sweep(self._outcomes, settings, swept)
        if number is None:
            return {}
        strengths, lines = self._lines(number)
        wanted = settings[swept[0]].to_numpy(np.float64)
        inside = (wanted >= strengths[0] - EQUAL) & (wanted <= strengths[-1] + EQUAL)
        if not inside.any():
            return {}
        band: dict[str, Any] = {"legend": _legend(self._outcomes, self._model)}
        for name, line in lines.items():
            values = np.interp(wanted, strengths, line)
            band[name] = [float(value) if known else None for value, known in zip(values, inside, strict=True)]
        return band

    def _lines(self, number: int) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
        """The strengths of a path, rising, and what the scores are there."""
        if number not in self._known:
            path = self._outcomes.paths[number]
            order = np.argsort(path.strengths, kind="stable")
            scores = self._outcomes.scores[:, path.rows[order]]
            low, high = np.percentile(scores, [LOW, HIGH], axis=0)
            lines = {"mean": scores.mean(axis=0, dtype=np.float64), "low": low, "high": high}
            self._known[number] = path.strengths[order], lines
        return self._known[number]


def _legend(outcomes: Outcomes, model: str) -> str:
    what = "their right class" if outcomes.has_labels else "what they are taken for when neutral"
    asked = f", {model}" if model else ""
    return f"{len(outcomes):,} images of the dataset{asked}: mean score of {what}, and its 10th to 90th percentile"


def _path_of_sweep(outcomes: Outcomes, settings: pd.DataFrame, swept: Sequence[str]) -> int | None:
    if len(swept) != 1:
        return None
    fixed = settings.drop(columns=list(swept)).iloc[0]
    held = {str(name): float(value) for name, value in fixed.items() if value != _neutral(str(name))}
    for number, path in enumerate(outcomes.paths):
        if path.parameters == tuple(swept) and _close(held_on(outcomes, path), held):
            return number
    return None


def _neutral(name: str) -> float | None:
    return float(CATALOGUE[name].neutral) if name in CATALOGUE else None


def _close(one: Mapping[str, float], other: Mapping[str, float]) -> bool:
    return one.keys() == other.keys() and all(abs(one[name] - other[name]) <= EQUAL for name in one)


def _same(values: NDArray[np.float64], path: SweptPath) -> bool:
    return values.shape == path.values.shape and np.allclose(values, path.values, rtol=0, atol=EQUAL)
