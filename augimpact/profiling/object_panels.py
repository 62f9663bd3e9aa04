"""The panels of objects, be they of masks or boxes: by class, how many in an image, how a number is spread.

Each takes the objects of the splits, under names that may leave, and shows the splits side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from augimpact.profiling.classes import most_frequent
from augimpact.profiling.naming import AUGMENTED, short
from augimpact.profiling.objects import Numbers
from augimpact.profiling.panel import COLOURS, PART, Panel, classes_are, counted
from augimpact.profiling.statistics import quantiles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "APART", "Objects", "Splits", "areas", "by_class", "counts", "draw_quartiles", "sides", "spread",
]  # fmt: skip

# Of classes that a figure shows; and cuts of a histogram.
SHOWN, BINS = 12, 40
# Of the name of a class.
LETTERS = 18
# By how many inches a class makes a figure higher.
ROW = 0.22
# A class in a smaller share of the images is rare; an object with a smaller share of its image is small.
RARE, SMALL = 0.01, 0.001
APART = "Worry when the splits lie apart"


class Objects(NamedTuple):
    """The objects of one split, under names that may leave.

    images: how many have an annotation, be it empty.
    table: a row an object, with its `image`, and the `name` of its class.
    maps: by name.
    different: by name, the different images that give the map its form, until there are `FEWEST`.
    """

    images: int
    table: pd.DataFrame
    maps: dict[str, Numbers]
    different: dict[str, frozenset[Hashable]]


Splits = Mapping[str, Objects]


def by_class(
    panel: str, title: str, about: str, statistics: dict[str, Any], column: str, unit: str, known: Sequence[str], *,
    complete: bool,
) -> Panel:  # fmt: skip
    """What each class has of all, and how many images have the class."""
    first = next(iter(statistics.values()))["classes"]
    everywhere = {name for each in statistics.values() for name in each["classes"]}
    # What only augmentation brings, as the class of what lies outside the image, is missing nowhere.
    given = {name for split, each in statistics.items() if not split.endswith(AUGMENTED) for name in each["classes"]}
    for each in statistics.values():
        each["empty"] = [name for name in dict.fromkeys([*known, *sorted(given)]) if name not in each["classes"]]
        each["rare"] = [name for name, row in each["classes"].items() if row["images"] < RARE * each["images"]]
    ranked = sorted(everywhere, key=lambda name: (-first.get(name, {column: 0})[column], name))
    some = most_frequent(len(ranked), SHOWN)
    ways = (("empty", "missing"), ("rare", f"in less than {RARE:.0%} of the images"))
    worries = [
        f"{classes_are(each[way])} {told} in {split}"
        for split, each in statistics.items()
        for way, told in ways
        if each[way]
    ]

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2, sharey=True)
        shown, height = ranked[:SHOWN], 0.8 / len(statistics)
        figure.set_size_inches(figure.get_figwidth(), max(figure.get_figheight(), 1 + ROW * len(shown)))
        for place, (split, each) in enumerate(statistics.items()):
            at = np.arange(len(shown)) + (place - (len(statistics) - 1) / 2) * height
            rows = [each["classes"].get(name, {column: 0, "images": 0}) for name in shown]
            left.barh(at, [row[column] for row in rows], height, color=COLOURS[place], label=split)
            right.barh(at, [row["images"] / each["images"] for row in rows], height, color=COLOURS[place])
        left.set_yticks(np.arange(len(shown)), short(shown, LETTERS), fontsize=8)
        left.set_xlabel(unit)
        left.locator_params("x", integer=column != "share")
        left.set_ylabel(some)
        right.set(xlabel="share of the images", xlim=(0, 1))
        left.invert_yaxis()
        left.legend()

    verdict = f"Worry: {'; '.join(worries)}." if worries else "No class is missing or rare."
    if not complete:
        unseen = [f"{classes_are(each['empty'])} not seen yet in {split}"
                  for split, each in statistics.items() if each["empty"]]  # fmt: skip
        verdict = f"{PART}{': ' if unseen else ''}{'; '.join(unseen)}. Shares may be others in all of it."
    return Panel(panel, title, statistics, f"{about}{some and f'; the figure has {some}'}. {verdict}", draw)


def counts(panel: str, title: str, things: str, splits: Splits) -> Panel:
    """How many objects an image has; of a class, of those images that have any of it."""
    found = {split: _per_image(each) for split, each in splits.items()}
    high = max((float(each.max()) for each in found.values() if len(each)), default=0.0)
    # A whole number lies in the middle of its cell.
    edges = np.arange(0, high + 2, max(1.0, np.ceil((high + 1) / BINS))) - 0.5
    edges = np.append(edges, high + 0.5) if edges[-1] < high + 0.5 else edges
    statistics = {
        split: quantiles(found[split])
        | {
            "images": each.images,
            "total": len(each.table),
            "without": each.images - each.table["image"].nunique(),
            "histogram": np.histogram(found[split], edges)[0],
            "edges": edges,
            "classes": {
                str(name): quantiles(rows.groupby("image").size()) for name, rows in each.table.groupby("name")
            },
        }
        for split, each in splits.items()
    }

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for (split, each), colour in zip(found.items(), COLOURS, strict=False):
            shares = np.histogram(each, edges)[0] / len(each)
            axes.stairs(shares, edges, fill=True, color=colour, alpha=0.45, label=split)
            axes.axvline(float(np.mean(each)), color=colour, linewidth=1)
        axes.set(xlabel=f"{things} in an image; a line at the mean", ylabel="share of the images")
        # One number alone is enough.
        axes.locator_params("x", integer=True, min_n_ticks=1)
        axes.legend()

    told = "; ".join(
        f"in {split} {np.mean(found[split]):.3g} in the mean, up to {found[split].max():.0f}, "
        f"none in {each['without']} of {counted(splits[split].images, 'image')}"
        for split, each in statistics.items()
    )
    return Panel(
        panel, title, statistics,
        f"How many {things} an image has: {told}. Worry about images without any, and about far more than others have.",
        draw,
    )  # fmt: skip


def _per_image(objects: Objects) -> Numbers:
    """How many objects each image has; images without any come last."""
    some = objects.table.groupby("image").size().to_numpy(np.float64)
    return np.concatenate([some, np.zeros(objects.images - len(some))])


def areas(panel: str, title: str, things: str, splits: Splits) -> Panel:
    """How large the objects are."""
    return spread(
        panel, title, splits, "area", np.geomspace(1e-6, 1, BINS + 1), "area, share of the image",
        lambda values: f"{(values < SMALL).mean():.1%} are below {SMALL:.1%} of the image",
        f"{APART}, or {things} are so small that a scaled-down image loses them.",
    )  # fmt: skip


def sides(panel: str, things: str, splits: Splits) -> list[Panel]:
    """How long the bounding boxes are in each direction."""
    return [
        spread(
            f"{panel}_{side}", f"{panel.capitalize()} {side}", splits, side, np.linspace(0, 1, BINS + 1),
            f"{side} of the bounding box, share of the image's",
            lambda values: f"{(values >= 1).mean():.1%} are as long as the image",
            f"{APART}, or {things} fill the image: then it may show but a part of them.",
        )
        for side in ("width", "height")
    ]  # fmt: skip


def spread(
    panel: str, title: str, splits: Splits, column: str, edges: Numbers, unit: str,
    share: Callable[[pd.Series[float]], str], worry: str,
) -> Panel:  # fmt: skip
    """How one number of the objects is spread, over all and by class; what is beyond the edges is in the last cells."""
    values = {split: each.table[column].dropna() for split, each in splits.items()}
    histograms = {split: np.histogram(np.clip(each, edges[0], edges[-1]), edges)[0] for split, each in values.items()}
    statistics: dict[str, dict[str, Any]] = {
        split: quantiles(values[split])
        | {
            "histogram": histograms[split],
            "edges": edges,
            "classes": {str(name): quantiles(rows) for name, rows in each.table.groupby("name")[column]},
        }
        for split, each in splits.items()
    }
    everywhere = [name for each in splits.values() for name in each.table["name"].value_counts().index]
    some = most_frequent(len(set(everywhere)), SHOWN)
    names = list(dict.fromkeys(everywhere))[:SHOWN]

    def draw(figure: Figure) -> None:
        if len(names) > 1:
            figure.set_size_inches(figure.get_figwidth(), figure.get_figheight() + ROW * len(names))
            above, below = figure.subplots(2, 1, sharex=True, height_ratios=[8, len(names)])
            classes = {split: each["classes"] for split, each in statistics.items()}
            draw_quartiles(below, classes, names, (edges[0], edges[-1]))
            below.set_ylabel(some)
        else:
            above = below = figure.subplots()
        for (split, each), colour in zip(histograms.items(), COLOURS, strict=False):
            above.stairs(each / max(1, each.sum()), edges, fill=True, color=colour, alpha=0.45, label=split)
        above.set(ylabel="share of all", xlim=edges[[0, -1]])
        above.legend()
        below.set_xlabel(unit)
        if edges[0] > 0:
            above.set_xscale("log")
            below.xaxis.set_major_formatter("{x:g}")
            above.minorticks_off()
            below.minorticks_off()

    lines = f" Below, median and quartiles of {some or 'each class'}." if len(names) > 1 else ""
    told = "; ".join(
        f"in {split} the median is {each.median():.3g}, {share(each)}" if len(each) else f"in {split} there is none"
        for split, each in values.items()
    )
    return Panel(panel, title, statistics, f"{unit.capitalize()}: {told}.{lines} {worry}", draw)


def draw_quartiles(
    axes: Axes,
    classes: Mapping[str, Mapping[str, Any]],
    names: Sequence[str],
    ends: tuple[float, float] = (-np.inf, np.inf),
) -> None:
    """A line from quartile to quartile of each class and split, a dot at the median; within the ends."""
    step = 0.8 / len(classes)
    for place, each in enumerate(classes.values()):
        for row, name in enumerate(names):
            told = each.get(name)
            if told is not None and told["count"]:
                at = row + (place - (len(classes) - 1) / 2) * step
                low, median, high = np.clip([told[way] for way in ("p25", "median", "p75")], *ends)
                axes.hlines(at, low, high, color=COLOURS[place], linewidth=3, alpha=0.5)
                # Whole at an end as well.
                axes.plot(median, at, "o", color=COLOURS[place], markersize=4, clip_on=False)
    axes.set_yticks(np.arange(len(names)), short(names, LETTERS), fontsize=8)
    axes.set_ylim(len(names) - 0.5, -0.5)
