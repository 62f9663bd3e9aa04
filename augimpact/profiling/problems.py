"""The panels of what may be wrong with a dataset: duplicates, odd images, drift, shortcuts, errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augimpact.data.integrity import NEAR, link, near_pairs
from augimpact.profiling.collect import Collected
from augimpact.profiling.naming import AUGMENTED, Naming
from augimpact.profiling.panel import COLOURS, Panel
from augimpact.profiling.private import told_failure
from augimpact.profiling.source import Failure
from augimpact.profiling.statistics import drift_between, information_about, odd_ones

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["drift", "duplicates", "errors", "odd", "shortcuts"]

# Indices and groups that a list holds.
LISTED = 30
# Differences that are worth a word: of the KS statistic, of the share of explained information.
DRIFTED, SHORTCUT = 0.1, 0.2


def duplicates(frames: Mapping[str, pd.DataFrame]) -> Panel:
    """Images that are there several times, exactly or nearly, across splits and labels."""
    everything = pd.concat([frame.assign(split=split) for split, frame in frames.items()], ignore_index=True)
    content = pd.factorize(everything["content"])[0]
    firsts = np.unique(content, return_index=True)[1]
    pairs = near_pairs(everything["perceptual"].to_numpy(np.uint64)[firsts], NEAR)
    plain = everything["entropy"].to_numpy()[firsts] < 1e-3
    # All uniform pictures have one perceptual hash.
    pairs = pairs[~(plain[pairs[:, 0]] | plain[pairs[:, 1]])] if len(pairs) else pairs
    groups = link(pairs, len(firsts))[content]

    def of(numbers: NDArray[np.int64], column: str | None = None) -> pd.Series[bool]:
        sizes = pd.Series(numbers).map(pd.Series(numbers).value_counts())
        if column is None:
            return sizes > 1
        known = everything[column].where(everything[column] != -1)
        return (sizes > 1) & (known.groupby(numbers).transform("nunique") > 1)

    exact, near = of(content), of(groups)
    statistics = {
        "exact": int(exact.sum()),
        "near": int((near & ~exact).sum()),
        "in_several_splits": int(of(groups, "split").sum()),
        "with_several_labels": int(of(groups, "label").sum()),
        "groups": [
            {"split": list(rows["split"]), "index": list(rows["index"])}
            for _, rows in everything[near].groupby(groups[near.to_numpy()])
        ][:LISTED],
    }
    bars = {name.replace("_", " "): count for name, count in statistics.items() if name != "groups"}

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.barh(list(bars), [int(str(count)) for count in bars.values()], color=COLOURS[0])
        axes.set_xlabel("images")
        axes.locator_params("x", integer=True)
        axes.invert_yaxis()

    told = f"{statistics['exact']} images are there more than once, {statistics['near']} nearly"
    leak = statistics["in_several_splits"]
    worry = f" Worry: {leak} of them are in several splits." if leak else " None of them is in two splits."
    return Panel("duplicates", "Duplicates", statistics, f"{told}.{worry}", draw)


def odd(frames: Mapping[str, pd.DataFrame]) -> Panel:
    """How many images are odd, in each way."""
    statistics = {split: odd_ones(frame) for split, frame in frames.items()}
    kinds = list(next(iter(statistics.values())))

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        width = 0.8 / len(statistics)
        for place, (split, found) in enumerate(statistics.items()):
            heights = [found[kind]["count"] for kind in kinds]
            axes.bar(np.arange(len(kinds)) + place * width, heights, width, color=COLOURS[place], label=split)
        axes.set_xticks(np.arange(len(kinds)), [kind.replace("_", " ") for kind in kinds], fontsize=8)
        axes.set_ylabel("images")
        axes.locator_params("y", integer=True)
        axes.legend(fontsize=8)

    total = sum(found[kind]["count"] for found in statistics.values() for kind in kinds)
    told = f"{total} images are dark, light, blurred, plain, or of an odd size or aspect."
    return Panel("odd", "Odd images", statistics, told, draw)


def drift(frames: Mapping[str, pd.DataFrame]) -> list[Panel]:
    """How far the second split is from the first, by each property; of a single one, itself augmented."""
    if len(frames) < 2:
        return []
    raw = [split for split in frames if not split.endswith(AUGMENTED)]
    first, second = (raw if len(raw) > 1 else list(frames))[:2]
    one, other = frames[first], frames[second]
    found = drift_between(one, other)
    statistics = {"between": [first, second], "measures": found}
    ranked = sorted(found, key=lambda name: -(found[name]["ks"] or 0))

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.barh(ranked, [found[name]["ks"] or 0 for name in ranked], color=COLOURS[0])
        axes.invert_yaxis()
        axes.set(xlabel=f"Kolmogorov-Smirnov statistic between {first} and {second}", xlim=(0, 1))

    far = [name for name in ranked if (found[name]["ks"] or 0) > DRIFTED and (found[name]["p"] or 0) < 0.01]
    worry = f"Worry: {', '.join(far)} differ." if far else "None of them differs much."
    return [Panel("drift", "Drift", statistics, f"How far {second} is from {first}, by each property. {worry}", draw)]


def shortcuts(frames: Mapping[str, pd.DataFrame], naming: Naming) -> list[Panel]:
    """What each property tells of the class."""
    frame = next(iter(frames.values()))
    labels = naming.labels(frame)
    if labels.nunique() < 2:
        return []
    found = information_about(frame.loc[labels.index], labels)
    ranked = sorted(found, key=lambda name: -found[name])

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.barh(ranked, [found[name] for name in ranked], color=COLOURS[0])
        axes.invert_yaxis()
        axes.set(xlabel="share of the labels' entropy that it tells", xlim=(0, 1))

    telling = [name for name in ranked if found[name] > SHORTCUT]
    worry = f"Worry: {', '.join(telling)} alone tell much of it." if telling else "None tells much of it."
    return [
        Panel("shortcuts", "Shortcuts", {"information": found}, f"What a property says of the class. {worry}", draw)
    ]


def errors(splits: Mapping[str, Collected], naming: Naming, shows_samples: bool) -> Panel:
    """The samples that could not be used, the first ones each with its kind of error.

    What the error says may name a file: that is there only where samples may be seen, and names are not hidden.
    """
    statistics: dict[str, dict[str, Any]] = {
        split: {
            "count": len(collected.errors),
            "indices": [failure.number for failure in collected.errors[:LISTED]],
            "kinds": dict(Counter(failure.kind for failure in collected.errors)),
            "failures": [_listed(failure, naming, shows_samples) for failure in collected.errors[:LISTED]],
        }
        for split, collected in splits.items()
    }  # fmt: skip

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.bar(list(statistics), [each["count"] for each in statistics.values()], color=COLOURS[1])
        axes.set_ylabel("samples that failed")
        axes.locator_params("y", integer=True)

    total = sum(each["count"] for each in statistics.values())
    told = f"{total} samples could not be used. Worry about each." if total else "Every sample could be used."
    return Panel("errors", "Errors", statistics, told, draw)


def _listed(failure: Failure, naming: Naming, shows_samples: bool) -> dict[str, Any]:
    """One that failed, as a row."""
    message = told_failure(failure, naming, has_path=False).message if shows_samples else ""
    return {"index": failure.number, "kind": failure.kind} | ({"message": message} if message else {})
