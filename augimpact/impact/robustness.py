"""Which samples and classes hold out: where each first flips, what it flips to, and who is robust most and least.

A path is walked outwards from neutral, on each side of it. Only its places were tested: a sample that flips first at
one of them flipped somewhere after the one before.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augimpact.errors import DataError
from augimpact.impact.curves import groups_of
from augimpact.impact.intervals import wilson
from augimpact.impact.outcomes import Outcomes, SweptPath

__all__ = [
    "Ranked",
    "Sides",
    "confusion",
    "first_flips",
    "flip_distribution",
    "most_and_least_robust",
    "path_of",
    "place_at",
    "sides",
]

Places = NDArray[np.int64]
Numbers = NDArray[np.float64]
# What of a sample names it.
NAMED = ["sample_id", "path", "class"]
# In shares of what a path sweeps: nearer to each other, two places are one.
EQUAL = 1e-9


class Sides(NamedTuple):
    """Where neutral divides a path.

    neutral: its strength, which need not be a tested one.
    below: the numbers of the places whose strength is below it, outwards from neutral.
    above: those of the places above it, likewise.
    """

    neutral: float
    below: Places
    above: Places


class Ranked(NamedTuple):
    """samples, classes: tables, the most robust first and the least robust last."""

    samples: pd.DataFrame
    classes: pd.DataFrame


def sides(path: SweptPath) -> Sides:
    """The two sides of a path, seen from neutral.

    The neutral strength is the neutral value of the one parameter that changes, even if the path never comes there; of
    several it is the share of the way at which all of them are neutral.

    Raises:
        DataError: several parameters are nowhere on the way neutral together.

    >>> sides(SweptPath(("rotation",), np.arange(5), np.array([[-20.0], [-10], [0], [10], [20]])))
    Sides(neutral=0.0, below=array([1, 0]), above=array([3, 4]))
    """
    strengths = path.strengths
    neutral = float(path.catalogue[0].neutral) if len(path.parameters) == 1 else _share_at_neutral(path)
    near = np.abs(strengths - neutral) <= EQUAL * max(float(np.ptp(strengths)), np.finfo(float).tiny)
    order = np.argsort(np.abs(strengths - neutral), kind="stable")
    below, above = (order[((strengths < neutral) & ~near)[order]], order[((strengths > neutral) & ~near)[order]])
    return Sides(neutral, below, above)


def path_of(outcomes: Outcomes, path: int) -> SweptPath:
    """One of the paths, by its number.

    Raises:
        DataError: there is none of that number.
    """
    if not 0 <= path < len(outcomes.paths):
        raise DataError(f"path is {path!r}; expected the number of one of {len(outcomes.paths)} paths, from 0")
    return outcomes.paths[path]


def place_at(path: SweptPath, strength: float) -> int:
    """The number of the tested place that is nearest to a strength, the first of several that are.

    Raises:
        DataError: the strength lies outside what was tested, or is no number.
    """
    strengths = path.strengths
    low, high = float(strengths.min()), float(strengths.max())
    slack = EQUAL * (high - low)
    if not low - slack <= strength <= high + slack:
        raise DataError(f"{path.axis} is {strength:g}; expected what was tested, from {low:g} to {high:g}")
    return int(np.abs(strengths - strength).argmin())


def first_flips(outcomes: Outcomes, path: int = 0) -> pd.DataFrame:
    """At which strength the prediction of each sample first differs from the neutral one.

    Args:
        outcomes: of N samples.
        path: its number.

    Returns:
        N rows: `sample_id`, `path` (of the image), `class`, and the strengths `below` and `above` neutral: of the
        nearest tested place on that side where the prediction is another one; NaN if there is none. What comes back
        further out does not count.

    Raises:
        DataError: no such path, or one that has no place for neutral, see `sides`.

    >>> from augimpact.impact.example import example_outcomes
    >>> first_flips(example_outcomes(2, holds=15))[["sample_id", "below", "above"]].values.tolist()
    [['00000', -20.0, 20.0], ['00001', -20.0, 20.0]]
    """
    swept = path_of(outcomes, path)
    table = outcomes.samples[NAMED].reset_index(drop=True)
    flipped = ~outcomes.agrees
    _, below, above = sides(swept)
    first = [_first(flipped[:, swept.rows[places]], swept.strengths[places]) for places in (below, above)]
    return table.assign(below=first[0], above=first[1])


def flip_distribution(outcomes: Outcomes, path: int = 0, confidence: float = 0.95) -> pd.DataFrame:
    """Which share of the samples has flipped by each tested strength.

    At a place it is the share of all samples whose first flip is at that place or nearer to neutral on its side, so it
    never goes down outwards. Every sample is followed to the end of the path, and those that never flip stay among
    all: then 1 − share is also the estimate of Kaplan and Meier (1958, JASA 53:457). A flip counts from the place at
    which it is seen, though it happened since the place before; what flips back between two places is not seen.

    Returns:
        A row a tested place but neutral, by their strength: `strength`, `side` (`below` or `above`), `flipped` (how
        many), `share`, and `low` and `high` of its Wilson interval.

    Raises:
        DataError: as `first_flips`, or a confidence that is none.

    >>> from augimpact.impact.example import example_outcomes
    >>> flip_distribution(example_outcomes(2, holds=15))[["strength", "side", "share"]].values.tolist()[:3]
    [[-30.0, 'below', 1.0], [-20.0, 'below', 1.0], [-10.0, 'below', 0.0]]
    """
    swept = path_of(outcomes, path)
    flipped = ~outcomes.agrees
    parts = []
    for name, places in zip(("below", "above"), sides(swept)[1:], strict=True):
        count = np.logical_or.accumulate(flipped[:, swept.rows[places]], axis=1).sum(axis=0)
        parts.append(pd.DataFrame({"strength": swept.strengths[places], "side": name, "flipped": count}))
    table = pd.concat(parts).sort_values("strength", kind="stable", ignore_index=True)
    low, high = wilson(table["flipped"], len(outcomes), confidence)
    return table.assign(share=table["flipped"] / len(outcomes), low=low, high=high)


def confusion(outcomes: Outcomes, strength: float, path: int = 0) -> pd.DataFrame:
    """What samples are taken for at a strength that were taken for something else under the neutral setting.

    Args:
        outcomes: of N samples.
        strength: on the path; the nearest tested one is looked at.
        path: its number.

    Returns:
        A row a pair of classes, the most frequent first: `from`, `to`, `count`, `share` (of the samples that were
        `from`), and the `strength` that was looked at. No rows if nothing flips.

    Raises:
        DataError: no such path, or a strength that lies outside what was tested.

    >>> from augimpact.impact.example import example_outcomes
    >>> confusion(example_outcomes(5, holds=15), strength=19).values.tolist()
    [['cat', 'dog', 3, 1.0, 20.0], ['dog', 'cat', 2, 1.0, 20.0]]
    """
    swept = path_of(outcomes, path)
    place = place_at(swept, strength)
    before, after = outcomes.predicted[:, 0], outcomes.predicted[:, swept.rows[place]]
    classes = len(outcomes.names)
    flips = before != after
    pairs, counts = np.unique(before[flips].astype(np.int64) * classes + after[flips], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    start, end = np.divmod(pairs[order], classes)
    names = np.array(outcomes.names, object)
    share = counts[order] / np.bincount(before, minlength=classes)[start]
    return pd.DataFrame({
        "from": names[start], "to": names[end], "count": counts[order], "share": share,
        "strength": float(swept.strengths[place]),
    })  # fmt: skip


def most_and_least_robust(
    outcomes: Outcomes,
    path: int | None = None,
    *,
    strength: float | None = None,
    by: str = "class",
    confidence: float = 0.95,
) -> Ranked:
    """Samples and classes by how often the classifier is right about them along a path.

    Right is the right class, or, where that is not known of every sample, the neutral prediction. Every tested place
    counts alike.

    Args:
        outcomes: of N samples.
        path: its number; None takes all settings of all paths, each once.
        strength: on the path; then only the nearest tested place counts.
        by: the column of the samples that classes are.
        confidence: of the classes' intervals.

    Returns:
        `samples`: `sample_id`, `path` (of the image), `class`, `right` (share of the places), `score` (mean over them,
        by which samples of equal share are ranked).
        `classes`: `group`, `n`, `right`, with `low` and `high` of Wilson's interval for n samples, and `score`. Over
        several places it is wider than need be: a share of places varies less than a yes or no.

    Raises:
        DataError: no samples, no such path, column or strength, or a strength without a path.

    >>> from augimpact.impact.example import example_outcomes
    >>> ranked = most_and_least_robust(example_outcomes(5, (-20, -10, 0, 10), holds=15))
    >>> ranked.classes[["group", "right"]].values.tolist()
    [['cat', 0.75], ['dog', 0.75]]
    """
    if path is None and strength is not None:
        raise DataError(f"the strength is {strength:g} without a path; expected the number of a path as well")
    if path is None:
        rows = np.unique(np.concatenate([each.rows for each in outcomes.paths]))
    else:
        swept = path_of(outcomes, path)
        rows = np.unique(swept.rows) if strength is None else swept.rows[[place_at(swept, strength)]]
    groups = groups_of(outcomes, by)
    right = outcomes.right[:, rows].mean(axis=1)
    score = outcomes.scores[:, rows].mean(axis=1, dtype=np.float64)
    samples = outcomes.samples[NAMED].reset_index(drop=True).assign(right=right, score=score)
    totals = groups.sums(np.stack([right, score], axis=1))
    low, high = wilson(np.minimum(totals[:, 0], groups.counts), groups.counts, confidence)
    classes = pd.DataFrame({
        "group": np.array(groups.names, object), "n": groups.counts, "right": totals[:, 0] / groups.counts,
        "low": low, "high": high, "score": totals[:, 1] / groups.counts,
    })  # fmt: skip
    return Ranked(_ranked(samples, "sample_id"), _ranked(classes, "group"))


def _ranked(table: pd.DataFrame, name: str) -> pd.DataFrame:
    return table.sort_values(["right", "score", name], ascending=[False, False, True], ignore_index=True)


def _first(flipped: NDArray[np.bool_], strengths: Numbers) -> Numbers:
    """`(N,)`: of the first place of each row that is flipped, the strength; NaN where none is."""
    if not len(strengths):
        return np.full(len(flipped), np.nan)
    return np.where(flipped.any(axis=1), strengths[flipped.argmax(axis=1)], np.nan)


def _share_at_neutral(path: SweptPath) -> float:
    """The share of the way at which all parameters are neutral, on the straight lines between the places."""
    neutral = np.array([each.neutral for each in path.catalogue], np.float64)
    span = np.maximum(np.ptp(path.values, axis=0), np.finfo(float).tiny)
    # From neutral, in shares of what is swept.
    values = (path.values - neutral) / span
    starts = values[:-1] if len(values) > 1 else values
    steps = np.diff(values, axis=0) if len(values) > 1 else np.zeros_like(values)
    length = (steps**2).sum(axis=1)
    # Where each piece comes nearest to neutral.
    share = np.clip(-(steps * starts).sum(axis=1) / np.where(length > 0, length, 1), 0, 1)
    away = np.abs(starts + share[:, None] * steps).max(axis=1)
    nearest = int(away.argmin())
    if away[nearest] > EQUAL:
        named = " and ".join(path.parameters)
        raise DataError(f"{named} are nowhere on their path neutral together; expected a path that passes neutral")
    return float((nearest + share[nearest]) / max(1, len(path.rows) - 1))
