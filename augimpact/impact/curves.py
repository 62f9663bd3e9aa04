"""How accuracy, agreement, scores, measures and drift go with the strength of an augmentation, as one tidy table.

Samples are brought into groups once; all that is told of a group is a sum over its rows. Within a group they lie in the
order of their ids, so that the same samples in another order give the very same table, the bootstrap's intervals with
it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augimpact.errors import DataError, unknown
from augimpact.impact.intervals import DRAWS, paired_bootstrap, wilson
from augimpact.impact.outcomes import Outcomes

__all__ = [
    "ALL",
    "Groups",
    "averages",
    "bootstrapped",
    "change_of",
    "curves",
    "groups_of",
    "metrics_of",
    "rows_of_paths",
    "table_of",
]

# The name of the one group that holds all samples.
ALL = "all"
Numbers = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Groups:
    """Which samples belong together.

    Attributes:
        names: of the G groups, sorted; or `all` alone.
        order: `(N,)` places of all samples, group by group, within a group by their ids.
        starts: `(G,)` where each group begins in that order.
    """

    names: tuple[str, ...]
    order: Places
    starts: Places

    @property
    def counts(self) -> Places:
        """`(G,)` samples of each group, at least one."""
        return np.diff(self.starts, append=len(self.order))

    def sums(self, values: NDArray[Any]) -> Numbers:
        """`(G, K)`: of the rows of each group of `values`, `(N, K)`."""
        ordered = values[self.order]
        kind = np.int64 if ordered.dtype == bool else np.float64
        return np.asarray(np.add.reduceat(ordered, self.starts, axis=0, dtype=kind), np.float64)

    def means(self, values: NDArray[Any]) -> Numbers:
        """`(G, K)`: of what is a number in each group of `values`; NaN where nothing is."""
        known = np.isfinite(values)
        count = self.sums(known)
        return self.sums(np.where(known, values, 0)) / np.where(count > 0, count, np.nan)

    def members(self) -> Iterator[Places]:
        """The places of each group's samples."""
        return iter(np.split(self.order, self.starts[1:]))


def groups_of(outcomes: Outcomes, by: str | None) -> Groups:
    """The samples by the text of one of their columns, or all in one group where `by` is None.

    Raises:
        DataError: no samples, or no such column.
    """
    if not len(outcomes):
        raise DataError("an impact of 0 samples; expected at least one")
    names: list[str] = [ALL]
    codes = np.zeros(len(outcomes), np.int64)
    if by is not None:
        if by not in outcomes.samples:
            raise DataError(unknown("column of samples", by, map(str, outcomes.samples.columns)))
        texts = np.array([str(value) for value in outcomes.samples[by]], object)
        codes, found = pd.factorize(texts, sort=True)
        names = [str(name) for name in found]
    ids = pd.factorize(outcomes.samples["sample_id"].to_numpy(object), sort=True)[0]
    order = np.lexsort((ids, codes))
    return Groups(tuple(names), order, np.searchsorted(codes[order], np.arange(len(names))))


def metrics_of(outcomes: Outcomes) -> dict[str, NDArray[Any]]:
    """What curves are drawn of, `(N, S)` each: `accuracy` if labels are known, `agreement`, `score`."""
    known = {"accuracy": outcomes.correct} if outcomes.has_labels else {}
    return known | {"agreement": outcomes.agrees, "score": outcomes.scores}


def curves(
    outcomes: Outcomes, by: str | None = None, *, confidence: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> pd.DataFrame:
    """A row for every group at every place of every path.

    Columns:
        path: the number of the path.
        strength: where on it, see `SweptPath.strengths`.
        setting: the number of the setting.
        group: the text of the samples' column `by`, or `all`.
        n: samples of the group.
        accuracy, accuracy_low, accuracy_high: the share of right predictions and its Wilson interval; only where the
            right class of every sample is known.
        agreement, …_low, …_high: the share that is predicted as under the neutral setting, with its Wilson interval.
        score, …_low, …_high: the mean score, with its bootstrap interval.
        accuracy_change, agreement_change, score_change, each with …_low and …_high: the difference from the neutral
            setting, with the interval of a bootstrap that draws samples, each with all that came of it. Where no
            sample changed it has no width, and where few did it is a little narrow.
        measure_…: the mean of each measure of the augmented images.
        drift_…: the mean of each drift, over the samples where it could be told; NaN if none.

    Args:
        outcomes: of N samples under S settings.
        by: a column of the samples, such as `class`, or None.
        confidence: of every interval.
        draws: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        DataError: no samples, no such column, or a confidence that is none.

    >>> from augimpact.impact.example import example_outcomes
    >>> told = curves(example_outcomes(20, strengths=(-20, 0, 10)), by="class")
    >>> told[["strength", "group", "n", "accuracy", "accuracy_change"]].values.tolist()[:3]
    [[-20.0, 'cat', 10, 0.0, -1.0], [0.0, 'cat', 10, 1.0, 0.0], [10.0, 'cat', 10, 1.0, 0.0]]
    """
    groups, rows = groups_of(outcomes, by), rows_of_paths(outcomes)
    values = {name: each[:, rows] for name, each in metrics_of(outcomes).items()}
    told = _shares(values, groups, confidence)
    resampled = {"score": values["score"]} | {f"{name}_change": change_of(each) for name, each in values.items()}
    told |= bootstrapped(resampled, groups, confidence, draws, seed)
    return table_of(outcomes, groups, told | averages(outcomes, groups), list(values))


def rows_of_paths(outcomes: Outcomes) -> Places:
    """The numbers of the settings that some path passes, the neutral one before all."""
    return np.unique(np.concatenate([[0], *(path.rows for path in outcomes.paths)]))


def change_of(values: NDArray[Any]) -> NDArray[np.float32]:
    """The difference of every column from the first, the neutral one."""
    numbers = values.astype(np.float32)
    return np.asarray(numbers - numbers[:, :1], np.float32)


def averages(outcomes: Outcomes, groups: Groups) -> dict[str, Numbers]:
    """The means of measures and drifts of each group, `(G, R)` each, at the R tested rows."""
    rows = rows_of_paths(outcomes)
    named = {f"measure_{name}": each for name, each in outcomes.measures.items()}
    named |= {f"drift_{name}": each for name, each in outcomes.drifts.items()}
    return {name: groups.means(each[:, rows]) for name, each in named.items()}


def bootstrapped(
    columns: Mapping[str, NDArray[Any]], groups: Groups, confidence: float, draws: int, seed: int
) -> dict[str, Numbers]:
    """`…_low` and `…_high`, `(G, R)` each, of the means of columns `(N, R)`: all from one bootstrap of every group."""
    found = []
    for members in groups.members():
        stacked = np.concatenate([each[members].astype(np.float32) for each in columns.values()], axis=1)
        bounds = paired_bootstrap(stacked, confidence, draws, seed)
        found.append([np.split(each, len(columns)) for each in bounds])
    by_end = np.array(found).transpose(1, 2, 0, 3)
    ends = zip(("_low", "_high"), by_end, strict=True)
    return {f"{name}{end}": each for end, values in ends for name, each in zip(columns, values, strict=True)}


def table_of(outcomes: Outcomes, groups: Groups, told: Mapping[str, Numbers], metrics: Sequence[str]) -> pd.DataFrame:
    """What is told of each group at the R tested rows, `(G, R)` each, as rows of groups along the paths.

    First come the metrics and their changes, each before its interval; then what else there is.
    """
    named = [f"{metric}{kind}{end}" for kind in ("", "_change") for metric in metrics for end in ("", "_low", "_high")]
    in_order = {name: told[name] for name in [*named, *(name for name in told if name not in named)]}
    rows, parts = rows_of_paths(outcomes), []
    for number, path in enumerate(outcomes.paths):
        where, count = np.searchsorted(rows, path.rows), len(path.rows)
        columns: dict[str, Any] = {
            "path": np.full(count * len(groups.names), number),
            "strength": np.tile(path.strengths, len(groups.names)),
            "setting": np.tile(path.rows, len(groups.names)),
            "group": np.repeat(np.array(groups.names, object), count),
            "n": np.repeat(groups.counts, count),
        }
        parts.append(pd.DataFrame(columns | {name: each[:, where].reshape(-1) for name, each in in_order.items()}))
    return pd.concat(parts, ignore_index=True)


def _shares(values: Mapping[str, NDArray[Any]], groups: Groups, confidence: float) -> dict[str, Numbers]:
    """Means and changes of metrics, and the intervals of those that are shares, `(G, R)` each."""
    told = {}
    for name, each in values.items():
        total = groups.sums(each)
        told[name] = total / groups.counts[:, None]
        told[f"{name}_change"] = (total - total[:, :1]) / groups.counts[:, None]
        if each.dtype == bool:
            told[f"{name}_low"], told[f"{name}_high"] = wilson(total, groups.counts[:, None], confidence)
    return told
