"""The panels of what may be wrong with a dataset: duplicates, odd images, drift, shortcuts, errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augimpact.data.integrity import NEAR, link, near_pairs
from augimpact.profiling.collect import Collected
from augimpact.profiling.naming import AUGMENTED, Naming
from augimpact.profiling.panel import COLOURS, Panel, counted, draw_nothing
from augimpact.profiling.private import told_failure
from augimpact.profiling.source import Failure
from augimpact.profiling.statistics import (
    CHANCE,
    ODD,
    chance_about,
    count_odd,
    drift_between,
    information_about,
    odd_ones,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["drift", "duplicates", "errors", "odd", "shortcuts"]

# Indices and groups that a list holds.
LISTED = 30
# Differences that are worth a word: of the KS statistic, of the share of explained information.
DRIFTED, SHORTCUT = 0.1, 0.2
# With fewer samples than this even large differences may be chance.
FEWEST = 20


def duplicates(frames: Mapping[str, pd.DataFrame], coarse: Collection[str] = ()) -> Panel:
    """Images that are there several times, across splits and labels: exactly, in all values of 8 bits, or nearly.

    Args:
        frames: a row a sample, by split.
        coarse: splits whose images are not compared, for rounding to 8 bits left too little of them.
    """
    everything = pd.concat([frame.assign(split=split) for split, frame in frames.items()], ignore_index=True)
    everything = everything[~everything["split"].isin(coarse)].reset_index(drop=True)
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
    together = [rows for _, rows in everything[near].groupby(groups[near.to_numpy()])]
    counts = {
        "exact": int(exact.sum()),
        "near": int((near & ~exact).sum()),
        "in_several_splits": int(of(groups, "split").sum()),
        "with_several_labels": int(of(groups, "label").sum()),
        # Of these, those of which an equal image is there: a look may be that of different things.
        "exact_in_several_splits": int(of(content, "split").sum()),
        "exact_with_several_labels": int(of(content, "label").sum()),
    }
    statistics = {
        **counts,
        "not_compared": sum(len(frames[split]) for split in coarse),
        "group_count": len(together),
        "groups": [{"split": list(rows["split"]), "index": list(rows["index"])} for rows in together[:LISTED]],
    }
    bars = {name.replace("_", " "): count for name, count in counts.items()}

    def draw(figure: Figure) -> None:
        if not any(bars.values()):
            draw_nothing(figure)
            return
        axes = figure.subplots()
        axes.barh(list(bars), list(bars.values()), color=COLOURS[0])
        axes.set_xlabel("images")
        axes.locator_params("x", integer=True)
        axes.invert_yaxis()

    # What there is one of in all cannot be several.
    asked = {
        "in_several_splits": ("in several splits", everything["split"].nunique()),
        "with_several_labels": ("under several labels", everything["label"][everything["label"] >= 0].nunique()),
    }
    sentences = [_told_of_copies(statistics, asked)] if len(everything) else []
    if coarse:
        told = f"The images of {' and '.join(coarse)} are not compared: rounded to 8 bits, too little is left of them."
        sentences.append(told)
    return Panel("duplicates", "Duplicates", statistics, " ".join(sentences), draw)


def _told_of_copies(statistics: Mapping[str, Any], asked: Mapping[str, tuple[str, int]]) -> str:
    exact, near = statistics["exact"], statistics["near"]
    if not exact and not near:
        return "No image is there more than once, or nearly."
    told = f"{counted(exact, 'image')} are there more than once, {near} nearly."
    found = {name: (statistics[name], statistics[f"exact_{name}"]) for name in asked}
    equal = [f"{copies} are {asked[name][0]}" for name, (_, copies) in found.items() if copies]
    alike = [f"{every - copies} are {asked[name][0]}" for name, (every, copies) in found.items() if every > copies]
    worries = [f"of those that are equal {' and '.join(equal)}"] if equal else []
    worries += [f"of those that only look alike {' and '.join(alike)}, if they show the same"] if alike else []
    if worries:
        return f"{told} Worry: {'; '.join(worries)}."
    nowhere = [where for where, several in asked.values() if several > 1]
    return f"{told} None of them is {' or '.join(nowhere)}." if nowhere else told


def odd(frames: Mapping[str, pd.DataFrame], properties: Collection[str]) -> Panel:
    """How many images are odd, in each way in which these properties may be."""
    statistics: dict[str, dict[str, Any]] = {
        split: {"images": count_odd(frame, properties), **odd_ones(frame, properties)}
        for split, frame in frames.items()
    }
    ways = [way for way, name in ODD.items() if name in properties]

    def draw(figure: Figure) -> None:
        if not any(found["images"] for found in statistics.values()):
            draw_nothing(figure)
            return
        axes = figure.subplots()
        width = 0.8 / len(statistics)
        for place, (split, found) in enumerate(statistics.items()):
            heights = [found[kind]["count"] for kind in ways]
            at = np.arange(len(ways)) + (place - (len(statistics) - 1) / 2) * width
            axes.bar(at, heights, width, color=COLOURS[place], label=split)
        axes.set_xticks(np.arange(len(ways)), [kind.replace("_", " ") for kind in ways], fontsize=8)
        axes.set_ylabel("images")
        axes.locator_params("y", integer=True)
        axes.legend(fontsize=8)

    raw, augmented = (
        sum(found["images"] for split, found in statistics.items() if split.endswith(AUGMENTED) == is_augmented)
        for is_augmented in (False, True)
    )
    be = "is" if raw == 1 else "are"
    told = f"{counted(raw, 'image')} {be} {_one_of(ways)}"
    more = f"; augmented, {augmented}" if any(split.endswith(AUGMENTED) for split in frames) else ""
    return Panel("odd", "Odd images", statistics, f"{told}{more}.", draw)


def _one_of(ways: Sequence[str]) -> str:
    """In words: dark, light, blurred, plain, or of an odd size or aspect."""
    told = [way for way in ("dark", "light", "blurred", "plain") if way in ways]
    told += ["of an odd size or aspect"] if "odd_size" in ways else []
    return f"{', '.join(told[:-1])}{',' if len(told) > 2 else ''} or {told[-1]}" if len(told) > 1 else told[0]


def drift(frames: Mapping[str, pd.DataFrame], properties: Collection[str]) -> list[Panel]:
    """How far the second split, and the first augmented, are from the first, by each of these properties."""
    first, *others = frames
    pairs = [split for split in others if split == first + AUGMENTED or not split.endswith(AUGMENTED)]
    # Between the splits first, whether or not they are augmented.
    pairs = sorted(pairs, key=lambda split: split.endswith(AUGMENTED))[:2]
    if not pairs:
        return []
    found = {split: drift_between(frames[first], frames[split], properties) for split in pairs}
    second, *augmented = pairs
    statistics: dict[str, Any] = {"between": [first, second], "measures": found[second]}
    if augmented:
        statistics["augmented"] = {"between": [first, *augmented], "measures": found[augmented[0]]}
    ranked = sorted(found[second], key=lambda name: -(found[second][name]["ks"] or 0))

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        height = 0.8 / len(found)
        for place, (split, each) in enumerate(found.items()):
            at = np.arange(len(ranked)) + (place - (len(found) - 1) / 2) * height
            colour = COLOURS[list(frames).index(split)]
            axes.barh(at, [each[name]["ks"] or 0 for name in ranked], height, color=colour, label=split)
        axes.set_yticks(np.arange(len(ranked)), ranked)
        axes.invert_yaxis()
        axes.set(xlabel=f"Kolmogorov-Smirnov statistic between {first} and {' or '.join(found)}", xlim=(0, 1))
        if len(found) > 1:
            axes.legend()

    sentences = [
        f"How far {split} is from {first}, by each property. {_verdict(frames[first], frames[split], each)}"
        for split, each in found.items()
    ]
    return [Panel("drift", "Drift", statistics, " ".join(sentences), draw)]


def _verdict(first: pd.DataFrame, second: pd.DataFrame, found: Mapping[str, Mapping[str, float | None]]) -> str:
    """What differs; if nothing can be seen to, whether there are samples enough to see it."""
    ranked = sorted(found, key=lambda name: -(found[name]["ks"] or 0))
    far = [name for name in ranked if (found[name]["ks"] or 0) > DRIFTED and (found[name]["p"] or 0) < CHANCE]
    if far:
        return f"Worry: {', '.join(far)} {'differs' if len(far) == 1 else 'differ'}."
    if min(len(first), len(second)) < FEWEST:
        return f"There are too few samples to tell, {len(first)} and {len(second)}."
    return "None of them differs much."


def shortcuts(frames: Mapping[str, pd.DataFrame], naming: Naming, properties: Collection[str]) -> list[Panel]:
    """What each of these properties tells of the class, in the first split."""
    first = next(iter(frames))
    given = [each for each in (first, first + AUGMENTED) if each in frames]
    labels = {each: naming.labels(frames[each]) for each in given}
    if any(each.nunique() < 2 for each in labels.values()):
        return []
    found: dict[str, dict[str, dict[str, float]]] = {}
    for split, each in labels.items():
        rows = frames[split].loc[each.index]
        found[split] = {
            "information": information_about(rows, each, properties),
            "p": chance_about(rows, each, properties),
        }
    told = {split: each["information"] for split, each in found.items()}
    ranked = sorted(told[first], key=lambda name: -told[first][name])

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        height = 0.8 / len(told)
        for place, (split, each) in enumerate(told.items()):
            at = np.arange(len(ranked)) + (place - (len(told) - 1) / 2) * height
            axes.barh(at, [each[name] for name in ranked], height, color=COLOURS[place], label=split)
        axes.set_yticks(np.arange(len(ranked)), ranked)
        axes.invert_yaxis()
        axes.set(xlabel="share of the labels' entropy that it tells", xlim=(0, 1))
        if len(told) > 1:
            axes.legend()

    verdicts = {split: _verdict_on_shortcuts(**each, samples=len(labels[split])) for split, each in found.items()}
    sentences = [
        f"What a property says of the class{f', in {split}' if len(told) > 1 else ''}. {verdict}"
        for split, verdict in verdicts.items()
    ]
    return [Panel("shortcuts", "Shortcuts", found, " ".join(sentences), draw)]


def _verdict_on_shortcuts(information: Mapping[str, float], p: Mapping[str, float], samples: int) -> str:
    """What tells much of the class; if nothing does, whether there are samples enough to see it."""
    ranked = sorted(information, key=lambda name: -information[name])
    telling = [name for name in ranked if information[name] > SHORTCUT and p[name] < CHANCE]
    if telling:
        return f"Worry: {', '.join(telling)} alone {'tells' if len(telling) == 1 else 'tell'} much of it."
    return f"There are too few samples to tell, {samples}." if samples < FEWEST else "None tells much of it."


def errors(splits: Mapping[str, Collected], naming: Naming, shows_samples: bool) -> Panel:
    """The samples that could not be used, or whose labels could not, the first ones each with its kind of error.

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
        if not any(each["count"] for each in statistics.values()):
            draw_nothing(figure)
            return
        axes = figure.subplots()
        axes.bar(list(statistics), [each["count"] for each in statistics.values()], color=COLOURS[1])
        axes.set_ylabel("samples that failed")
        axes.locator_params("y", integer=True)

    return Panel("errors", "Errors", statistics, _told_of_failures(splits), draw)


def _told_of_failures(splits: Mapping[str, Collected]) -> str:
    """Of how many samples there are errors: one that fails before augmentation and after it is one."""
    total = 0
    for split, collected in splits.items():
        before = splits.get(split.removesuffix(AUGMENTED), collected) if split.endswith(AUGMENTED) else None
        known = set() if before is None else {failure.number for failure in before.errors}
        total += sum(failure.number not in known for failure in collected.errors)
    if not total:
        return "Every sample could be used."
    of = "or its label, could not be used. Worry about it" if total == 1 else (
        "or their labels, could not be used. Worry about each"
    )  # fmt: skip
    return f"{counted(total, 'sample')}, {of}."


def _listed(failure: Failure, naming: Naming, shows_samples: bool) -> dict[str, Any]:
    """One that failed, as a row."""
    message = told_failure(failure, naming, has_path=False).message if shows_samples else ""
    return {"index": failure.number, "kind": failure.kind} | ({"message": message} if message else {})
