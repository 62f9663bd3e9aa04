"""Two impacts over the same samples and settings: of two classifiers, or of one before and after a change.

What is compared is paired: each sample under each setting is asked of both, so their difference is known far better
than from two independent datasets.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from augimpact.errors import DataError
from augimpact.impact.curves import (
    averages,
    bootstrapped,
    change_of,
    curves,
    groups_of,
    metrics_of,
    rows_of_paths,
    table_of,
)
from augimpact.impact.intervals import DRAWS
from augimpact.impact.outcomes import Outcomes
from augimpact.impact.ranges import safe_ranges
from augimpact.impact.robustness import NAMED, path_of, place_at

__all__ = ["DIFFERENCE", "NAMES", "Pair", "compared_curves", "compared_ranges", "only_one_right", "paired"]

NAMES = ("first", "second")
# Instead of the name of an impact.
DIFFERENCE = "difference"


class Pair(NamedTuple):
    """Two impacts whose samples are the same, in the same order."""

    first: Outcomes
    second: Outcomes


def paired(first: Outcomes, second: Outcomes) -> Pair:
    """Both, the samples of the second brought into the order of the first by their ids.

    Raises:
        DataError: other samples, settings or paths in one than in the other, or labels in one alone.
    """
    ids = [each.samples["sample_id"].astype(str).to_numpy(object) for each in (first, second)]
    orders = [np.argsort(each, kind="stable") for each in ids]
    if not np.array_equal(ids[0][orders[0]], ids[1][orders[1]]):
        alone = sorted(set(ids[0].tolist()) ^ set(ids[1].tolist()))
        which = f"sample {alone[0]!r} and {len(alone) - 1} others are in one alone" if alone else "some come twice"
        raise DataError(f"two impacts of {len(first)} and {len(second)} samples, of which {which}; expected the same")
    _check_same_settings(first, second)
    if first.has_labels != second.has_labels:
        raise DataError("only one of two impacts knows the right class of every sample; expected both or neither")
    order = np.empty(len(first), np.int64)
    order[orders[0]] = orders[1]
    return Pair(first, second.chosen(order))


def compared_curves(
    first: Outcomes,
    second: Outcomes,
    by: str | None = None,
    *,
    names: tuple[str, str] = NAMES,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """The curves of both, and their difference.

    Columns:
        impact: the name of one of the two, or `difference`.
        path, strength, setting, group, n: as `augimpact.impact.curves.curves` has them.
        the metrics, and their changes from neutral, with …_low and …_high: as there; of the difference it is the
            second's value less the first's, with the interval of a bootstrap that draws samples, each with all that
            came of it in both.
        the means of measures and drifts: of the two, and of the difference without an interval; NaN where not known.

    Args:
        first: an impact.
        second: another of the same samples and settings.
        by: a column of the first's samples, such as `class`, or None.
        names: of the two.
        confidence: of every interval.
        draws: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        DataError: what `paired` or `curves` raise, or names that are not three different ones with `difference`.

    >>> from augimpact.impact.example import example_outcomes
    >>> told = compared_curves(example_outcomes(9, holds=15), example_outcomes(9, holds=25))
    >>> told[told["strength"] == 20][["impact", "accuracy"]].values.tolist()
    [['first', 0.0], ['second', 1.0], ['difference', 1.0]]
    """
    _check_names(names)
    pair = paired(first, second)
    groups, rows = groups_of(pair.first, by), rows_of_paths(pair.first)
    metrics = [{name: each[:, rows] for name, each in metrics_of(impact).items()} for impact in pair]
    away = {name: metrics[1][name].astype(np.float32) - metrics[0][name] for name in metrics[0]}
    columns = away | {f"{name}_change": change_of(each) for name, each in away.items()}
    told = {name: groups.means(each) for name, each in columns.items()}
    told |= bootstrapped(columns, groups, confidence, draws, seed)
    means = [averages(impact, groups) for impact in pair]
    told |= {name: means[1][name] - means[0][name] for name in means[0] if name in means[1]}
    # Grouped alike, whatever else the second's table says of its samples.
    alike = [replace(impact, samples=pair.first.samples) for impact in pair]
    tables = [curves(impact, by, confidence=confidence, draws=draws, seed=seed) for impact in alike]
    tables.append(table_of(pair.first, groups, told, list(away)))
    parts = [table.assign(impact=name) for table, name in zip(tables, (*names, DIFFERENCE), strict=True)]
    together = pd.concat(parts, ignore_index=True)
    return together[["impact", *(name for name in together if name != "impact")]]


def only_one_right(
    first: Outcomes, second: Outcomes, strength: float, path: int = 0, *, names: tuple[str, str] = NAMES
) -> pd.DataFrame:
    """The samples that only one of two gets right at a strength.

    Right is the right class or, where that is not known of every sample, the impact's own neutral prediction.

    Args:
        first: an impact.
        second: another of the same samples and settings.
        strength: on the path; the nearest tested one is looked at.
        path: its number.
        names: of the two.

    Returns:
        A row a sample, in the order of the first's: `sample_id`, `path` (of the image), `class`, `right` (the name of
        the one that is), and of each what it predicts, in columns of their names.

    Raises:
        DataError: what `paired` raises, no such path, a strength outside what was tested, or names as above.

    >>> from augimpact.impact.example import example_outcomes
    >>> only_one_right(example_outcomes(2, holds=15), example_outcomes(2, holds=25), strength=20).values.tolist()
    [['00000', '00000.png', 'cat', 'second', 'dog', 'cat'], ['00001', '00001.png', 'dog', 'second', 'cat', 'dog']]
    """
    _check_names(names)
    pair = paired(first, second)
    swept = path_of(pair.first, path)
    row = int(swept.rows[place_at(swept, strength)])
    one, other = (impact.right[:, row] for impact in pair)
    differ = np.flatnonzero(one != other)
    found: dict[str, Any] = {"right": np.where(one[differ], *names)}
    for name, impact in zip(names, pair, strict=True):
        found[name] = np.array(impact.names, object)[impact.predicted[differ, row]]
    return pd.concat([pair.first.samples[NAMED].iloc[differ].reset_index(drop=True), pd.DataFrame(found)], axis=1)


def compared_ranges(
    first: Outcomes, second: Outcomes, *, names: tuple[str, str] = NAMES, **options: Any
) -> pd.DataFrame:
    """The safe ranges of both, side by side.

    Args:
        first: an impact.
        second: another of the same samples and settings.
        names: of the two.
        **options: of `augimpact.impact.ranges.safe_ranges`.

    Returns:
        A row a path, parameter and impact: `path` (its number), `parameter`, `impact`, `low`, `high`, `below` and
        `above` (why it ends there, see `RangeEnd.reason`), and `every_class_low` and `every_class_high`.

    Raises:
        DataError: what `paired` or `safe_ranges` raise, or names as above.

    >>> from augimpact.impact.example import example_outcomes
    >>> told = compared_ranges(example_outcomes(200, holds=15), example_outcomes(200, holds=25))
    >>> told[["impact", "low", "high", "above"]].values.tolist()
    [['first', -10.0, 10.0, 'worse'], ['second', -20.0, 20.0, 'worse']]
    """
    _check_names(names)
    found = [safe_ranges(impact, **options) for impact in paired(first, second)]
    rows = []
    for both in zip(*(each.paths for each in found), strict=True):
        for parameter in both[0].parameters:
            for name, each in zip(names, both, strict=True):
                ends = zip(("low", "high"), each.ranges[parameter], strict=True)
                classes = zip(("every_class_low", "every_class_high"), each.of_every_class[parameter], strict=True)
                reasons = {"below": each.below.reason, "above": each.above.reason}
                row = {"path": both[0].path, "parameter": parameter, "impact": name, **dict(ends)}
                rows.append(row | reasons | dict(classes))
    return pd.DataFrame(rows)


def _check_same_settings(first: Outcomes, second: Outcomes) -> None:
    one, other = first.settings, second.settings
    if sorted(map(str, one)) != sorted(map(str, other)) or len(one) != len(other):
        told = [f"{len(each)} settings of {', '.join(map(str, each))}" for each in (one, other)]
        raise DataError(f"one impact has {told[0]}, the other {told[1]}; expected the same sweeps")
    differ = np.argwhere(~np.isclose(one.to_numpy(np.float64), other[list(one)].to_numpy(np.float64)))
    if len(differ):
        row, column = differ[0]
        name = str(one.columns[column])
        values = f"{one.iloc[row, column]:g} in one impact and {other[name].iloc[row]:g} in the other"
        raise DataError(f"{name} of setting {row} is {values}; expected the same sweeps")
    paths = [[(each.parameters, each.rows.tolist()) for each in impact.paths] for impact in (first, second)]
    if paths[0] != paths[1]:
        raise DataError("two impacts have different paths through the same settings; expected the same sweeps")


def _check_names(names: tuple[str, str]) -> None:
    if len({*names, DIFFERENCE}) != 3:
        raise DataError(f"two impacts are named {names!r}; expected two different names, neither {DIFFERENCE!r}")
