"""The panel of classes: how often each is there, and how two splits differ in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from augimpact.profiling.naming import Naming, natural, short
from augimpact.profiling.panel import COLOURS, PART, Panel, classes_are
from augimpact.profiling.statistics import CHANCE, class_distance

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["SHOWN", "classes", "most_frequent"]

# Of classes that a figure shows.
SHOWN = 30
# A class with fewer samples than this share of an even one is starved.
STARVED = 0.25
# A Jensen-Shannon distance that is worth a word; small splits differ by more by chance alone.
WORTH = 0.1


def classes(frames: Mapping[str, pd.DataFrame], naming: Naming, *, complete: bool) -> list[Panel]:
    """How often each class is there in each split; none where nothing has a class.

    Of what was not seen to its end nothing is a worry: folders are read class by class. With a split of which no sample
    has a class nothing is compared; starved are classes of the first that has some.
    """
    counts = {split: naming.labels(frame).value_counts() for split, frame in frames.items()}
    if not any(map(len, counts.values())):
        return []
    known = [naming.label(number) for number in naming.known]
    found = {*known, *(str(name) for each in counts.values() for name in each.index)}
    names = pd.Index(sorted(found, key=natural), dtype=object)
    table = pd.DataFrame({split: each.reindex(names).fillna(0).astype(int) for split, each in counts.items()})
    statistics: dict[str, Any] = {"counts": {split: table[split].to_dict() for split in table}}
    bare = [split for split, each in counts.items() if not len(each)]
    first = next(table[split] for split in table if split not in bare)
    even = first.sum() / max(1, (first > 0).sum())
    statistics["starved"] = [str(name) for name in first.index if 0 < first[name] < STARVED * even]
    # What another split has is new there.
    statistics["empty"] = [str(name) for name in table.index[(table == 0).all(axis=1)]]
    worries = [f"{classes_are(statistics[key])} {key}" for key in ("starved", "empty") if statistics[key]]
    worries += [f"{split} has no labels that are classes" for split in bare]
    if table.shape[1] > 1 and not bare:
        statistics["comparison"] = class_distance(first, table.iloc[:, 1])
        told, split = statistics["comparison"], table.columns[1]
        where = {"new": f"in {split} alone", "missing": f"missing in {split}"}
        worries += [f"{classes_are(told[key])} {place}" for key, place in where.items() if told[key]]
        if told["p"] is not None and told["p"] < CHANCE and told["jensen_shannon"] > WORTH:
            worries.append(f"shares differ by a Jensen-Shannon distance of {told['jensen_shannon']:.2f}")

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        shown = table.iloc[np.argsort(-first.to_numpy(), kind="stable")][:SHOWN]
        width = 0.8 / table.shape[1]
        for place, split in enumerate(table):
            total = max(1, int(table[split].sum()))
            at = np.arange(len(shown)) + (place - (table.shape[1] - 1) / 2) * width
            axes.bar(at, shown[split] / total, width, color=COLOURS[place], label=split)
        axes.set_xticks(np.arange(len(shown)), short(shown.index), rotation=60, ha="right", fontsize=7)
        axes.set_ylabel("share of the split")
        axes.set_xlabel(some)
        axes.legend(fontsize=8)

    some = most_frequent(len(table))
    about = f"How often each class is there{some and f'; the figure has {some}'}."
    verdict = f"Worry: {'; '.join(worries)}." if worries else "Nothing stands out."
    if not complete:
        unseen = f": {classes_are(statistics['empty'])} not seen yet" if statistics["empty"] else ""
        verdict = f"{PART}{unseen}. Shares may be others in all of it."
    return [Panel("classes", "Classes", statistics, f"{about} {verdict}", draw)]


def most_frequent(classes: int, shown: int = SHOWN) -> str:
    """Which of so many classes a figure shows, if not all.

    >>> most_frequent(40, 15), most_frequent(15, 15)
    ('the 15 most frequent of 40 classes', '')
    """
    return f"the {shown} most frequent of {classes} classes" if classes > shown else ""
