"""An impact as a page has it: curves of all samples and of each class, and what came of the least robust samples.

Statistics are computed here, of all samples; the page draws, sorts and filters. Numbers travel as little-endian
buffers, so that tens of thousands of samples of a thousand classes are some megabytes, sent once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augimpact.errors import DataError
from augimpact.impact.curves import Groups, bootstrapped, groups_of, metrics_of, rows_of_paths
from augimpact.impact.intervals import wilson
from augimpact.impact.outcomes import Outcomes, SweptPath
from augimpact.impact.ranges import safe_ranges
from augimpact.impact.result import Impact
from augimpact.impact.robustness import confusion, first_flips, sides
from augimpact.impact.safe_range import SafeRange

__all__ = ["MOST_LISTED", "ordered_strengths", "robust_last", "sample_names", "view_of"]

# Samples that travel one by one, and pairs of a confusion at each strength.
MOST_LISTED, MOST_PAIRS = 2000, 12
# Of the bootstrap of mean scores: a thousand classes shall not take long.
CONFIDENCE, DRAWS = 0.95, 400
FULL = 65535
Places = NDArray[np.int64]


def view_of(impact: Impact, most: int = MOST_LISTED, *, sealed: bool = False) -> dict[str, Any]:
    """What the page is sent.

    Args:
        impact: of N samples.
        most: how many of them travel one by one.
        sealed: that samples are numbered, and neither named nor shown.

    Returns:
        `caption`, `note` (which samples are listed, where not all are), `total` (N), `has_labels`, `sealed`, `metrics`,
        `resting` (by metric `(1 + G,)` float32: of all and of each group under the neutral setting), `names` (classes
        that are predicted), `groups` (name and count of each class of the dataset, none where there are no two),
        `samples` (of the n listed: `rows` among all, `groups`, `labels` and `neutral` predictions as buffers of 32
        bits, and `names`), and `paths`, each with its K places in the order of their strengths; see `_path`.

    Raises:
        DataError: there are no samples.

    >>> from augimpact.impact.example import example_outcomes
    >>> shown = view_of(Impact(example_outcomes(20), pd.DataFrame({"path": []}), {"name": "a model"}))
    >>> shown["caption"], shown["groups"], len(shown["paths"][0]["strengths"])
    ('a model · 20 images · 7 settings', [['cat', 10], ['dog', 10]], 7)
    """
    outcomes = impact.outcomes
    places = robust_last(outcomes, np.arange(outcomes.predicted.shape[1]))[:most]
    listed = outcomes.chosen(places)
    pairs = [_confusions(outcomes, number) for number in range(len(outcomes.paths))]
    classes = _Classes(outcomes, listed, pairs)
    every, by_class = groups_of(outcomes, None), groups_of(outcomes, "class")
    known = [every, by_class] if len(by_class.names) > 1 else [every]
    intervals = _intervals(outcomes, known)
    names = by_class.names if len(known) > 1 else ()
    resting = {name: _resting(each, known) for name, each in metrics_of(outcomes).items()}
    return {
        "caption": _caption(impact),
        "note": _note(len(outcomes), len(listed)),
        "total": len(outcomes),
        "has_labels": outcomes.has_labels,
        "sealed": sealed,
        "metrics": list(resting),
        "resting": {name: values.astype("<f4").tobytes() for name, values in resting.items()},
        "names": classes.names,
        "groups": [[name, int(count)] for name, count in zip(names, by_class.counts, strict=False)],
        "samples": _samples(listed, places, names, classes, sealed=sealed),
        "paths": [
            _path(number, outcomes, listed, intervals, classes) | {"pairs": classes.told(found)}
            for number, found in enumerate(pairs)
        ],
    }


def robust_last(outcomes: Outcomes, rows: Places) -> Places:
    """The places of the samples, those first that are right under the fewest settings; of equal ones by mean score.

    >>> from augimpact.impact.example import example_outcomes
    >>> robust_last(example_outcomes(4, wrong=0.3), np.arange(7)).tolist()
    [3, 1, 0, 2]
    """
    right = outcomes.right[:, rows].mean(axis=1)
    score = outcomes.scores[:, rows].mean(axis=1, dtype=np.float64)
    ids = pd.factorize(outcomes.samples["sample_id"].to_numpy(object), sort=True)[0]
    return np.lexsort((ids, score, right))


def ordered_strengths(path: SweptPath) -> Places:
    """The places of a path by their strengths."""
    return np.argsort(path.strengths, kind="stable")


def sample_names(samples: pd.DataFrame) -> list[str]:
    """What a person calls each sample: the name of its file, without where that lies.

    >>> sample_names(pd.DataFrame({"path": ["/data/cats/1.png", "zip://cats/2.png::/data/pets.zip", "array:7"]}))
    ['1.png', '2.png', 'image 7']
    """
    return [_name_of(str(path)) for path in samples["path"]]


def _name_of(path: str) -> str:
    kind, _, number = path.partition(":")
    if kind == "array" and number.isdecimal():
        return f"image {number}"
    return PurePath(path.partition("::")[0]).name or "image"


class _Classes:
    """Of the classifier's classes those that are seen, numbered anew."""

    def __init__(self, outcomes: Outcomes, listed: Outcomes, pairs: Sequence[Sequence[pd.DataFrame]]) -> None:
        numbers = {name: number for number, name in reversed(list(enumerate(outcomes.names)))}
        found = [numbers[name] for some in pairs for table in some for end in ("from", "to") for name in table[end]]
        seen = np.unique(np.concatenate([listed.predicted.reshape(-1), listed.labels[listed.labels >= 0], found]))
        self._seen = seen.astype(np.int64)
        self.names = [outcomes.names[number] for number in self._seen]
        self._places = {name: place for place, name in reversed(list(enumerate(self.names)))}

    def places(self, predicted: NDArray[Any]) -> Places:
        """Where among the names; what is not known stays −1."""
        return np.where(predicted < 0, -1, np.searchsorted(self._seen, predicted))

    def told(self, tables: Sequence[pd.DataFrame]) -> list[list[list[int]]]:
        """The pairs at each place, as from, to and count."""
        return [
            [[self._places[row["from"]], self._places[row["to"]], int(row["count"])] for _, row in table.iterrows()]
            for table in tables
        ]


def _samples(
    listed: Outcomes, places: Places, groups: Sequence[str], classes: _Classes, *, sealed: bool
) -> dict[str, Any]:
    numbers = {name: number for number, name in enumerate(groups)}
    of_group = [numbers.get(str(name), -1) for name in listed.samples["class"]]
    return {
        "rows": places.astype("<u4").tobytes(),
        "groups": np.array(of_group, "<i4").tobytes(),
        "labels": classes.places(listed.labels).astype("<i4").tobytes(),
        "neutral": classes.places(listed.predicted[:, 0]).astype("<i4").tobytes(),
        "names": [f"image {row}" for row in places.tolist()] if sealed else sample_names(listed.samples),
    }


def _path(
    number: int,
    outcomes: Outcomes,
    listed: Outcomes,
    intervals: Mapping[str, NDArray[np.float64]],
    classes: _Classes,
) -> dict[str, Any]:
    """One path of K places.

    Returns:
        `label`, `axis`, `unit`, `neutral` (its strength, or None), `strengths`, `told` and `marks` (each in words and
        short), `curves` (by metric `(1 + G, 3, K)` float32: of all and of each group the value and both ends of its
        interval), `changed` (`(3, K)` int32: of all samples how many flipped, are no longer right, are right now),
        `safe` and, where that is None, `unsafe` (why), `predicted` (`(n, K)` numbers of names, of 16 or 32 bits),
        `scores` (`(n, K)` shares of 65535), `order` (of the listed samples, the least robust first) and `first`
        (`(n, 2)` float32: the strengths below and above neutral at which each flips first, NaN if none).
    """
    path = outcomes.paths[number]
    order = ordered_strengths(path)
    rows = path.rows[order]
    tested = np.searchsorted(rows_of_paths(outcomes), rows)
    width = "<u2" if len(classes.names) <= FULL else "<u4"
    return {
        "label": " and ".join(each.label for each in path.catalogue),
        "axis": path.axis,
        "unit": path.catalogue[0].unit if len(path.parameters) == 1 else "",
        "neutral": _neutral(path),
        "strengths": path.strengths[order].tolist(),
        "told": [path.told(place) for place in order.tolist()],
        "marks": [_mark(path, place) for place in order.tolist()],
        "curves": {name: each[..., tested].astype("<f4").tobytes() for name, each in intervals.items()},
        "changed": _changed(outcomes, rows).astype("<i4").tobytes(),
        **_safe(outcomes, path),
        "predicted": classes.places(listed.predicted[:, rows]).astype(width).tobytes(),
        "scores": np.rint(listed.scores[:, rows].clip(0, 1) * FULL).astype("<u2").tobytes(),
        "order": robust_last(listed, path.rows).astype("<u4").tobytes(),
        "first": _first(listed, number).astype("<f4").tobytes(),
    }


def _intervals(outcomes: Outcomes, known: Sequence[Groups]) -> dict[str, NDArray[np.float64]]:
    """By metric, `(G, 3, R)`: of all groups the value and its interval at the R tested rows, as `curves` has them."""
    rows = rows_of_paths(outcomes)
    found = {}
    for name, each in metrics_of(outcomes).items():
        values = each[:, rows]
        found[name] = np.concatenate([_interval(name, values, groups) for groups in known])
    return found


def _interval(name: str, values: NDArray[Any], groups: Groups) -> NDArray[np.float64]:
    total, count = groups.sums(values), groups.counts[:, None]
    if values.dtype == bool:
        ends = wilson(total, count, CONFIDENCE)
        return np.stack([total / count, ends.low, ends.high], axis=1)
    bounds = bootstrapped({name: values}, groups, CONFIDENCE, DRAWS, seed=0)
    return np.stack([total / count, bounds[f"{name}_low"], bounds[f"{name}_high"]], axis=1)


def _changed(outcomes: Outcomes, rows: Places) -> Places:
    right = outcomes.right
    before, after = right[:, :1], right[:, rows]
    flipped = ~outcomes.agrees[:, rows]
    return np.stack([each.sum(axis=0) for each in (flipped, before & ~after, after & ~before)])


def _confusions(outcomes: Outcomes, number: int) -> list[pd.DataFrame]:
    path = outcomes.paths[number]
    return [
        confusion(outcomes, strength, number).head(MOST_PAIRS)
        for strength in path.strengths[ordered_strengths(path)].tolist()
    ]


def _first(listed: Outcomes, number: int) -> NDArray[np.float64]:
    try:
        return first_flips(listed, number)[["below", "above"]].to_numpy(np.float64)
    except DataError:  # a path without a place for neutral
        return np.full((len(listed), 2), np.nan)


def _neutral(path: SweptPath) -> float | None:
    try:
        return sides(path).neutral
    except DataError:
        return None


def _resting(values: NDArray[Any], known: Sequence[Groups]) -> NDArray[np.float64]:
    """Of all samples, and of each group, what a metric is under the neutral setting, which no path need pass."""
    return np.concatenate([groups.sums(values[:, :1])[:, 0] / groups.counts for groups in known])


def _safe(outcomes: Outcomes, path: SweptPath) -> dict[str, Any]:
    try:
        return {"safe": _told_range(safe_ranges(replace(outcomes, paths=(path,))).paths[0], path)}
    except DataError as error:  # a path that does not pass neutral
        return {"safe": None, "unsafe": str(error)}


def _told_range(safe: SafeRange, path: SweptPath) -> dict[str, Any]:
    """`low` and `high`, the `sentence`, and by class the same ends as `classes`."""
    ends = {each.group: [each.below.strength, each.above.strength] for each in safe.classes}
    told = {name: [_strength(path, end) for end in both] for name, both in ends.items()}
    low, high = safe.below.strength, safe.above.strength
    return {
        "low": low,
        "high": high,
        "ends": [_strength(path, low), _strength(path, high)],
        "sentence": str(safe),
        "classes": told,
    }


def _mark(path: SweptPath, place: int) -> str:
    return _strength(path, float(path.strengths[place]))


def _strength(path: SweptPath, strength: float) -> str:
    return path.catalogue[0].format(strength) if len(path.parameters) == 1 else f"{strength:.0%}"


def _caption(impact: Impact) -> str:
    count, settings = impact.outcomes.predicted.shape
    failed = f" · {len(impact.errors):,} could not be measured" if len(impact.errors) else ""
    model = PurePath(str(impact.recipe["name"])).name
    return f"{model} · {_images(count)} · {settings} settings{failed}"


def _note(count: int, listed: int) -> str:
    return f"The {listed:,} least robust of {count:,} images are listed." if listed < count else ""


def _images(count: int) -> str:
    return f"{count:,} image{'' if count == 1 else 's'}"
