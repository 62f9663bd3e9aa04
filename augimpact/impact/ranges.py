"""Safe ranges: how far an augmentation may go before a classifier suffers, or images leave what the dataset holds.

A path is walked outwards from neutral, and on each side the first strength that fails ends the range. A strength holds
if

- accuracy (or agreement) is, with the asked confidence, at most so many points below neutral: the one-sided lower bound
  of the paired difference (`intervals.tango_lower`) is not below the margin. That is a test of non-inferiority, and
  tests in an order that is fixed beforehand, stopped at the first that fails, need no correction for their number
  (Maurer, Hothorn and Lehmacher 1995; Hsu and Berger 1999, JASA 94:468): on each side of each path the chance that the
  range reaches to a strength that is truly worse is one minus the confidence;
- and of every measure the images stay in the dataset's domain: the share of samples whose augmented image lies between
  the 1st and the 99th percentile of the neutral images is at least `inside` of the share that the neutral images have.
  This compares shares as they were found, without a test.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from augimpact.errors import DataError, unknown
from augimpact.impact.curves import Groups, groups_of
from augimpact.impact.intervals import samples_needed, tango_lower
from augimpact.impact.outcomes import Outcomes, SweptPath
from augimpact.impact.robustness import EQUAL, Sides, sides
from augimpact.impact.safe_range import RangeEnd, Reason, SafeRange, SafeRanges
from augimpact.profiling.reference import HIGH, LOW

__all__ = ["METRICS", "RangeEnd", "SafeRange", "SafeRanges", "domain_shares", "margin_of", "safe_ranges"]

logger = logging.getLogger(__name__)
METRICS = ("accuracy", "agreement")
Numbers = NDArray[np.float64]


class _Asked(NamedTuple):
    """metric: one of `METRICS`. margin: a share by which it may be lower. confidence: of each bound."""

    metric: str
    margin: float
    confidence: float


class _Domain(NamedTuple):
    """Of each setting, `(S,)`: whether it is kept, the measure that most images leave, and the share that do not."""

    kept: NDArray[np.bool_]
    measure: list[str]
    inside: Numbers


def safe_ranges(
    outcomes: Outcomes,
    points: float = 5.0,
    confidence: float = 0.95,
    by_domain: bool = True,
    inside: float = 0.9,
    metric: str | None = None,
    by: str | None = "class",
) -> SafeRanges:
    """The widest range around neutral that holds, of every path that passes neutral, for all samples and each class.

    What holds is said at the top of this module. Only tested strengths are judged; the range ends at one of them, or at
    neutral. Of a class the metric is that of its samples, the domain that of all. The worst class is that of the
    narrowest range, of several such the one that loses most at the next strength.

    Args:
        outcomes: of N samples.
        points: percentage points, above 0, by which the metric may be lower than under the neutral setting.
        confidence: of the one-sided bounds, above 0 and below 1.
        by_domain: whether images must stay in the dataset's domain; where no measures were taken it says nothing.
        inside: from 0 to 1, see the top of this module.
        metric: `accuracy` or `agreement`; by default accuracy if the right class of every sample is known.
        by: the column of the samples that classes are; None looks for no worst class.

    Raises:
        DataError: no path passes neutral (if some do not, a warning tells which), accuracy without labels, no samples,
            no such column or metric, or a number outside its range.

    >>> from augimpact.impact.example import example_outcomes
    >>> found = safe_ranges(example_outcomes(200, holds=15))
    >>> found, found.paths[0].above.reason, found.paths[0].above.next_strength
    (SafeRanges({'rotation': (-10.0, 10.0)}), 'worse', 20.0)
    """
    asked = _Asked(_metric_of(outcomes, metric), margin_of(points), confidence)
    if not 0 <= inside <= 1:
        raise DataError(f"inside is {inside!r}; expected a share from 0 to 1")
    domain = _domain_of(outcomes, inside) if by_domain else None
    every, classes = groups_of(outcomes, None), groups_of(outcomes, by)
    found = []
    for number in _passing_neutral(outcomes):
        (overall,) = _ranges_on(outcomes, number, every, asked, domain)
        if by is not None and len(classes.names) > 1:
            ranked = sorted(_ranges_on(outcomes, number, classes, asked, domain), key=_narrowness)
            overall = replace(overall, classes=tuple(ranked))
        found.append(overall)
    return SafeRanges(tuple(found))


def domain_shares(outcomes: Outcomes) -> dict[str, Numbers]:
    """Of each measure the share of samples, `(S,)`, whose image lies in the dataset's domain under each setting.

    The domain is from the 1st to the 99th percentile (numpy's) of the neutral images, both with it. What is no number
    lies outside; a measure of which no neutral image has a number is left out.

    >>> from augimpact.impact.example import example_outcomes
    >>> domain_shares(example_outcomes(100, strengths=(0, 10)))["brightness"].tolist()
    [0.98, 0.98]
    """
    shares = {}
    for name, values in outcomes.measures.items():
        neutral = values[:, 0].astype(np.float64)
        if np.isfinite(neutral).any():
            low, high = np.quantile(neutral[np.isfinite(neutral)], [LOW, HIGH])
            shares[name] = ((values >= low) & (values <= high)).mean(axis=0)
    return shares


def _domain_of(outcomes: Outcomes, inside: float) -> _Domain | None:
    shares = domain_shares(outcomes)
    if not shares:
        return None
    names, stack = list(shares), np.stack(list(shares.values()))
    # Of very few neutral images none may lie between the percentiles; then nothing is asked.
    neutral = np.broadcast_to(stack[:, :1], stack.shape)
    relative = np.divide(stack, neutral, out=np.ones_like(stack), where=neutral > 0)
    worst = relative.argmin(axis=0)
    columns = np.arange(stack.shape[1])
    kept = relative[worst, columns] >= inside - EQUAL
    return _Domain(kept, [names[each] for each in worst], stack[worst, columns])


@dataclass(frozen=True, eq=False)
class _Walk:
    """What G groups lose at the K places of a path, and what ends their ranges.

    Attributes:
        gained, lost: `(G, K)` samples that are right there but not when neutral, and the other way round.
        right: `(G,)` samples that are right when neutral.
        bounds: `(G, K)` lower bounds of the change.
    """

    number: int
    path: SweptPath
    sides: Sides
    groups: Groups
    asked: _Asked
    domain: _Domain | None
    gained: Numbers
    lost: Numbers
    right: Numbers
    bounds: Numbers

    def range_of(self, group: int) -> SafeRange:
        count = int(self.groups.counts[group])
        return SafeRange(
            path=self.number,
            parameters=self.path.parameters,
            below=self._end(group, count, self.sides.below),
            above=self._end(group, count, self.sides.above),
            metric=self.asked.metric,
            neutral=float(self.right[group]) / count,
            points=100 * self.asked.margin,
            confidence=self.asked.confidence,
            group=self.groups.names[group],
            count=count,
        )

    def _end(self, group: int, count: int, places: NDArray[np.int64]) -> RangeEnd:
        """The end on one side, whose places are given outwards from neutral."""
        holds = self.bounds[group, places] >= -self.asked.margin
        if self.domain is not None:
            holds &= self.domain.kept[self.path.rows[places]]
        steps = len(places) if holds.all() else int(holds.argmin())
        strength, values = self.sides.neutral, [each.neutral for each in self.path.catalogue]
        if steps:
            last = places[steps - 1]
            strength, values = float(self.path.strengths[last]), self.path.values[last].tolist()
        reached = RangeEnd(strength, tuple(float(value) for value in values))
        return reached if steps == len(places) else self._failed(reached, group, count, int(places[steps]))

    def _failed(self, reached: RangeEnd, group: int, count: int, place: int) -> RangeEnd:
        """The end before a place that does not hold."""
        gained, lost = float(self.gained[group, place]), float(self.lost[group, place])
        change, row = (gained - lost) / count, int(self.path.rows[place])
        leaves = self.domain is not None and not self.domain.kept[row]
        # More samples would help against neither of the first two.
        reason: Reason = "worse" if change < -self.asked.margin else "domain" if leaves else "undecided"
        ended = replace(
            reached,
            reason=reason,
            next_strength=float(self.path.strengths[place]),
            change=change,
            bound=float(self.bounds[group, place]),
        )
        if reason == "domain" and self.domain is not None:
            return replace(ended, measure=self.domain.measure[row], inside=float(self.domain.inside[row]))
        if reason == "undecided":
            needed = samples_needed(gained, lost, count, self.asked.margin, self.asked.confidence)
            return replace(ended, needed=needed)
        return ended


def _ranges_on(
    outcomes: Outcomes, number: int, groups: Groups, asked: _Asked, domain: _Domain | None
) -> list[SafeRange]:
    """The range of each group on the path of that number."""
    path = outcomes.paths[number]
    right = outcomes.correct if asked.metric == "accuracy" else outcomes.agrees
    before, after = right[:, :1], right[:, path.rows]
    gained, lost = groups.sums(after & ~before), groups.sums(before & ~after)
    bounds = tango_lower(gained, lost, groups.counts[:, None], asked.confidence)
    walk = _Walk(number, path, sides(path), groups, asked, domain, gained, lost, groups.sums(before)[:, 0], bounds)
    return [walk.range_of(group) for group in range(len(groups.names))]


def _narrowness(found: SafeRange) -> tuple[float, float, str]:
    """By which the narrowest range comes first."""
    changes = [end.change for end in (found.below, found.above) if end.change is not None]
    return abs(found.above.strength - found.below.strength), min(changes, default=0.0), found.group


def _passing_neutral(outcomes: Outcomes) -> list[int]:
    """The numbers of the paths that have ranges.

    Raises:
        DataError: none has.
    """
    numbers, problems = [], []
    for number, path in enumerate(outcomes.paths):
        try:
            _check_passes_neutral(outcomes, path)
            numbers.append(number)
        except DataError as error:
            problems.append(error)
    if problems and not numbers:
        raise problems[0]
    for problem in problems:
        logger.warning("no safe range: %s", problem)
    return numbers


def _check_passes_neutral(outcomes: Outcomes, path: SweptPath) -> None:
    """Neutral lies between its ends, and what does not change on it is neutral."""
    named, neutral = ", ".join(path.parameters), sides(path).neutral
    low, high = float(path.strengths.min()), float(path.strengths.max())
    slack = EQUAL * (high - low)
    if not low - slack <= neutral <= high + slack:
        raise DataError(
            f"the path of {named} goes from {low:g} to {high:g}; expected one that passes neutral, {neutral:g}"
        )
    held = outcomes.settings.drop(columns=list(path.parameters))
    for name, values in held.items():
        value, usual = float(values.iloc[path.rows[0]]), float(values.iloc[0])
        if value != usual:
            raise DataError(f"the path of {named} holds {name} at {value:g}; expected it neutral, {usual:g}")


def _metric_of(outcomes: Outcomes, metric: str | None) -> str:
    if metric is None:
        return "accuracy" if outcomes.has_labels else "agreement"
    if metric not in METRICS:
        raise DataError(unknown("metric", metric, METRICS))
    if metric == "accuracy" and not outcomes.has_labels:
        missing = int((outcomes.labels < 0).sum())
        raise DataError(f"the right class of {missing} samples is not known; expected the metric agreement")
    return metric


def margin_of(points: float) -> float:
    """Percentage points as a share.

    Raises:
        DataError: they are none.
    """
    if not 0 < points <= 100:
        raise DataError(f"points is {points!r}; expected percentage points, above 0 and up to 100")
    return points / 100
