"""A safe range as it is kept and told: its two ends, why it ends there, and the worst class beside all samples."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from augimpact.augment.parameters import CATALOGUE
from augimpact.profiling.panel import strict

__all__ = ["RangeEnd", "Reason", "SafeRange", "SafeRanges"]

Reason = Literal["end", "worse", "domain", "undecided"]


@dataclass(frozen=True)
class RangeEnd:
    """Where a range ends on one side, and why.

    Attributes:
        strength: the outermost that holds; neutral if none does.
        values: what the parameters are there.
        reason: `end`: the path goes no further. Else of the next tested strength: `worse`: the metric was found to be
            lower by more than the points; `domain`: a measure leaves the dataset's domain; `undecided`: the metric was
            found to be fine, but for so few samples it might be lower.
        next_strength: that next strength, or None at the path's end.
        change: of the metric from neutral there, in [−1, 1].
        bound: the one-sided lower confidence bound of the change.
        measure: if that is the reason, the one whose domain the most images leave.
        inside: the share of images that stay in it.
        needed: if it is undecided, about how many samples would decide, if the shares stayed as they are.
    """

    strength: float
    values: tuple[float, ...]
    reason: Reason = "end"
    next_strength: float | None = None
    change: float | None = None
    bound: float | None = None
    measure: str | None = None
    inside: float | None = None
    needed: int | None = None


@dataclass(frozen=True)
class SafeRange:
    """How far one may go on one path; of several parameters all change together, as on the path.

    Attributes:
        path: its number.
        parameters: that change.
        below: the end where the strength is below neutral, see `SweptPath.strengths`.
        above: the end where it is above.
        metric: `accuracy` or `agreement`.
        neutral: the metric under the neutral setting.
        points: by which it may be lower, in percentage points.
        confidence: of each bound.
        group: of which samples, `all` or the name of a class.
        count: how many samples that are.
        classes: the range of each class, the narrowest first; none where there are no two classes.
    """

    path: int
    parameters: tuple[str, ...]
    below: RangeEnd
    above: RangeEnd
    metric: str
    neutral: float
    points: float
    confidence: float
    group: str
    count: int
    classes: tuple[SafeRange, ...] = ()

    @property
    def worst(self) -> SafeRange | None:
        """The class with the narrowest range, or None where there are no two classes."""
        return self.classes[0] if self.classes else None

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """The least and the highest value of each parameter."""
        pairs = zip(self.parameters, self.below.values, self.above.values, strict=True)
        return {name: (min(one, other), max(one, other)) for name, one, other in pairs}

    @property
    def of_every_class(self) -> dict[str, tuple[float, float]]:
        """What is safe for every class, on each side by the class that ends first; the range itself if there are none.

        Each class was tested with the full confidence, and so is that all are safe (Berger 1982, Technometrics 24:295).
        """
        return _narrowest(each.ranges for each in self.classes or (self,))

    def to_dict(self) -> dict[str, Any]:
        """In plain types, for JSON; `classes` with their ranges alone, `worst` as fully as the whole."""
        plain = asdict(replace(self, classes=())) | {"ranges": self.ranges}
        if self.worst is not None:
            plain["worst"] = self.worst.to_dict()
            plain["classes"] = [{"group": each.group, "count": each.count} | each.ranges for each in self.classes]
        return dict(strict(plain))

    def __str__(self) -> str:
        sentence = (
            f"{self._told_ranges()}: {self.metric} at most {self.points:g} points below its {self.neutral:.1%}, with "
            f"{100 * self.confidence:g}% confidence ({_samples(self.count)}). {self._told_ends()}."
        )
        if self.worst is None:
            return sentence
        worst = self.worst
        told = worst._told_ends()
        return f"{sentence} Worst class {worst.group!r} ({_samples(worst.count)}): {worst._told_ranges()}. {told}."

    def _told_ranges(self) -> str:
        told = []
        for name, (low, high) in self.ranges.items():
            each = CATALOGUE[name]
            least, most = each.format(low), each.format(high)
            told.append(f"{each.label} only at {least}" if low == high else f"{each.label} from {least} to {most}")
        return " with ".join(told)

    def _told_ends(self) -> str:
        told = f"{self._told_end(self.below)}; {self._told_end(self.above)}"
        return told[0].upper() + told[1:]

    def _told_end(self, end: RangeEnd) -> str:
        """Why it ends, in words."""
        if end.next_strength is None or end.change is None or end.bound is None:
            return f"the sweep ends at {self._told_strength(end.strength)}"
        where = f"at {self._told_strength(end.next_strength)}"
        if end.reason == "domain":
            return f"{where} only {end.inside or 0:.0%} of the images have a usual {end.measure}"
        found = f"{where} {self.metric} changes by {_points(end.change)} points"
        if end.reason == "worse":
            return f"{found}, at worst {_points(end.bound)}"
        needed = f" (about {_samples(_rounded(end.needed))} would decide)" if end.needed else ""
        return f"{found}, but for so few samples perhaps {_points(end.bound)}{needed}"

    def _told_strength(self, strength: float) -> str:
        if len(self.parameters) > 1:
            return f"{strength:.0%} of the way"
        return CATALOGUE[self.parameters[0]].format(strength)


@dataclass(frozen=True, eq=False, repr=False)
class SafeRanges(Mapping[str, tuple[float, float]]):
    """The least and the highest safe value of each parameter; on several paths the narrowest.

    Attributes:
        paths: what was found on each path that passes neutral, in their order.
    """

    paths: tuple[SafeRange, ...]
    _ranges: dict[str, tuple[float, float]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ranges", _narrowest(each.ranges for each in self.paths))

    def __getitem__(self, name: str) -> tuple[float, float]:
        return self._ranges[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._ranges)

    def __len__(self) -> int:
        return len(self._ranges)

    def __repr__(self) -> str:
        return f"SafeRanges({self._ranges})"

    def __str__(self) -> str:
        return "\n".join(map(str, self.paths))

    def on(self, path: int) -> SafeRange | None:
        """What was found on the path of that number; None if it does not pass neutral."""
        return next((each for each in self.paths if each.path == path), None)

    @property
    def of_every_class(self) -> dict[str, tuple[float, float]]:
        """What is safe for every class, see `SafeRange.of_every_class`; on several paths the narrowest."""
        return _narrowest(each.of_every_class for each in self.paths)

    def as_code(self, library: str) -> str:
        """Source that augments within these ranges, for a library that `augimpact.impact.range_code` knows.

        Its numbers have four digits, none of them beyond the range.
        """
        from augimpact.impact.range_code import code_of_ranges

        return code_of_ranges({name: _inwards(low, high) for name, (low, high) in self.items()}, library)

    def to_dict(self) -> dict[str, Any]:
        """In plain types, for JSON."""
        return {"ranges": strict(self._ranges), "paths": [path.to_dict() for path in self.paths]}


def _narrowest(found: Iterable[Mapping[str, tuple[float, float]]]) -> dict[str, tuple[float, float]]:
    """Of each parameter what lies in all the ranges; they all hold neutral."""
    joined: dict[str, tuple[float, float]] = {}
    for ranges in found:
        for name, (low, high) in ranges.items():
            least, most = joined.get(name, (low, high))
            joined[name] = (max(low, least), min(high, most))
    return joined


def _inwards(low: float, high: float) -> tuple[float, float]:
    """A range in numbers of four digits, no wider than it is.

    >>> _inwards(-12.34567, 0.1 + 0.2), _inwards(1.0, 1.0)
    ((-12.34, 0.3), (1.0, 1.0))
    """
    if low == high:
        return low, high
    step = 10.0 ** (math.floor(math.log10(high - low)) - 3)
    # A hair of rounding is no step beyond.
    least, most = math.ceil(low / step - 1e-6) * step, math.floor(high / step + 1e-6) * step
    return tuple(float(f"{each:.10g}") for each in (least, most))  # type: ignore[return-value]


def _points(share: float) -> str:
    """In percentage points, with its sign.

    >>> _points(-0.072), _points(0)
    ('−7.2', '0.0')
    """
    digits = f"{abs(share) * 100:.1f}"
    return digits if float(digits) == 0 else f"{'−' if share < 0 else '+'}{digits}"


def _samples(count: int) -> str:
    return f"{count:,} sample{'' if count == 1 else 's'}"


def _rounded(count: int) -> int:
    """Upwards to two digits.

    >>> _rounded(97), _rounded(1432)
    (97, 1500)
    """
    step = 10 ** max(0, len(str(count)) - 2)
    return int(-(-count // step) * step)
