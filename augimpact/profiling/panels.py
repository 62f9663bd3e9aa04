"""The panels of any dataset of images: what there is of it, and how its images are; and all of them in their order."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augimpact.measures import LEVELS, MEASURES
from augimpact.profiling.annotations import Annotations
from augimpact.profiling.classes import classes
from augimpact.profiling.collect import COARSE, Collected, normalisation
from augimpact.profiling.naming import AUGMENTED, Naming
from augimpact.profiling.needs import SIZES, Chosen
from augimpact.profiling.panel import COLOURS, PART, Panel, counted
from augimpact.profiling.pictures import extremes, mean_images, samples
from augimpact.profiling.problems import drift, duplicates, errors, odd, shortcuts
from augimpact.profiling.ranges import ranges_of_depths
from augimpact.profiling.sizes import sizes
from augimpact.profiling.statistics import quantiles

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["general_panels"]

BINS = 40
# Channels in their own colours; and how many values of each may stick out of the figure.
RGB = ("red", "green", "blue")
CHANNELS = {"red": "#d62728", "green": "#2ca02c", "blue": "#1f77b4", "grey": "#7f7f7f"}
PEAKS = 3
# The order of channels in which images are measured.
RGB_ORDER = "RGB"
# What images of several kinds are normalised as: what they are measured as, and what loaders make of them; and in which
# order the channels are where the user's are turned.
MIXED = "{} (grey thrice, without a fourth channel)"
TURNED = "BGR, the channels in the order of the images"


def general_panels(
    splits: Mapping[str, Collected],
    annotations: Mapping[str, Annotations],
    naming: Naming,
    *,
    shows_samples: bool,
    chosen: Chosen,
    complete: bool,
    order: str = RGB_ORDER,
) -> list[Panel]:
    """Those that every dataset has, in the order in which they are read.

    Args:
        splits: in which what the chosen panels need was kept.
        annotations: of the same samples, which have classes of their own.
        naming: of classes and samples.
        shows_samples: if single ones may be seen.
        chosen: which panels are made, and of what they tell.
        complete: whether all samples were seen.
        order: of the channels in the user's own images, `RGB` or `BGR`.
    """
    frames = {split: collected.frame for split, collected in splits.items()}
    # The same images once more, augmented, are no other split of classes, and no duplicates.
    raw = {split: frame for split, frame in frames.items() if not split.endswith(AUGMENTED)}
    told = chosen.properties
    makers: dict[str, Callable[[], list[Panel]]] = {
        "summary": lambda: [
            _summary(splits, annotations, frames, order, has_sizes=SIZES not in chosen.left_out, complete=complete)
        ],
        "classes": lambda: classes(raw, naming, complete=complete),
        "sizes": lambda: [sizes(frames, naming)],
        **{name: partial(_of_measure, name, frames) for name in MEASURES},
        "colours": lambda: [_colours(splits)],
        "mean_images": lambda: mean_images(splits, naming, shows_samples),
        "samples": lambda: samples(splits, naming),
        "extremes": lambda: extremes(splits, naming, told),
        "duplicates": lambda: [duplicates(raw, [split for split in raw if splits[split].is_coarse])],
        "odd": lambda: [odd(frames, told)],
        "drift": lambda: drift(frames, told),
        "shortcuts": lambda: shortcuts(frames, naming, told),
        "errors": lambda: [errors(splits, naming, shows_samples)],
    }
    return [panel for name, make in makers.items() if name in chosen.panels for panel in make()]


def _summary(
    splits: Mapping[str, Collected],
    annotations: Mapping[str, Annotations],
    frames: Mapping[str, pd.DataFrame],
    order: str,
    *,
    has_sizes: bool,
    complete: bool,
) -> Panel:
    statistics: dict[str, Any] = {}
    for split, collected in splits.items():
        frame = frames[split]
        found = normalisation(collected.colours)
        statistics[split] = {
            "images": len(frame),
            "errors": len(collected.errors),
            "labels": max(len(annotations[split].classes), int(frame.loc[frame["label"] >= 0, "label"].nunique())),
            "without_label": _without_label(frame),
            "channels": {str(number): int(count) for number, count in frame["channels"].value_counts().items()},
            **({side: quantiles(frame[side]) for side in ("width", "height")} if has_sizes else {}),
        } | ({} if found is None else _normalisation(*found, collected, order))
        if collected.evidence.doubtful_depth is not None:
            statistics[split]["highest_of_16_bits"] = collected.evidence.doubtful_depth

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.axis("off")
        columns: dict[str, Callable[[Mapping[str, Any]], Any]] = {
            "images": lambda each: each["images"],
            "errors": lambda each: each["errors"],
            **({"classes": lambda each: each["labels"]} if any(each["labels"] for each in statistics.values()) else {}),
            **({"median size": _median_size} if has_sizes else {}),
        }
        rows = [[split, *(told(each) for told in columns.values())] for split, each in statistics.items()]
        # The names of splits are the longest, and after them a size.
        widths = [0.32, *(0.2 if name == "median size" else 0.16 for name in columns)]
        table = axes.table(rows, colLabels=["", *columns], colWidths=widths, loc="center")
        table.scale(1, 1.6)

    part = "" if complete else f"{PART}. "
    more = _how_labelled(statistics) + _how_normalised(statistics) + _how_deep(statistics)
    told = f"{_how_many(statistics)}. {part}{more}"
    worry = "Worry about errors, and sizes that differ much." if has_sizes else "Worry about errors."
    return Panel("summary", "Summary", statistics, told + worry, draw)


def _without_label(frame: pd.DataFrame) -> int:
    """How many images have none; 0 where none has one."""
    lacking = int((frame["label"] < 0).sum())
    return lacking if lacking < len(frame) else 0


def _how_labelled(statistics: Mapping[str, Any]) -> str:
    """In which splits some images have no class."""
    raw = {split: each["without_label"] for split, each in statistics.items() if not split.endswith(AUGMENTED)}
    told = [f"{count} of {statistics[split]['images']} in {split}" for split, count in raw.items() if count]
    return f"Without a class are {' and '.join(told)}. " if told else ""


def _median_size(told: Mapping[str, Any]) -> str:
    return f"{told['width']['median']:.0f} × {told['height']['median']:.0f}" if told["images"] else "–"


def _how_many(statistics: Mapping[str, Any]) -> str:
    """The images of each split; those that are augmented are the same once more."""
    raw = [split for split in statistics if not split.endswith(AUGMENTED)]
    first, *more = raw
    told = " and ".join([
        f"{counted(statistics[first]['images'], 'image')} in {first}",
        *(f"{statistics[split]['images']} in {split}" for split in more),
    ])  # fmt: skip
    return told + (", and the same augmented" if len(raw) < len(statistics) else "")


def _how_normalised(statistics: Mapping[str, Any]) -> str:
    """The line to copy, and of what it is; why there is none."""
    split, first = next(iter(statistics.items()))
    if "normalize" in first:
        kind = f", as {first['normalize_as']}" if "normalize_as" in first else ""
        return f"{first['normalize']} puts those of {split} around 0{kind}. "
    if "coarse_channels" in first:
        where = _in_channels(first["coarse_channels"], len(first["std"]))
        return (
            f"There is no Normalize for {split}: rounded to 8 bits, the deviation{where} is less than {COARSE} of "
            f"{LEVELS} levels; pass value_range=(black, white) nearer to the least and the highest value. "
        )
    if "std" in first:
        flat = [place for place, each in enumerate(first["std"]) if each == 0]
        return f"There is no Normalize for {split}: all values{_in_channels(flat, len(first['std']))} are equal. "
    kinds = sorted(map(int, first["channels"]))
    told = f"{', '.join(map(str, kinds[:-1]))} and {kinds[-1]}" if len(kinds) > 1 else ""
    return f"There is no Normalize for {split}: images of {told} channels have none in common. " if told else ""


def _in_channels(places: Sequence[int], count: int) -> str:
    """Of which channels something is, if not of all."""
    names = [f"the {name} channel" for name in (*RGB, "fourth")[:count]]
    if count not in (3, 4):
        names = [f"channel {number}" for number in range(1, count + 1)]
    return f" of {' and '.join(names[place] for place in places)}" if len(places) < count else ""


def _how_deep(statistics: Mapping[str, Any]) -> str:
    """In which splits 16 bits may not all be used: what is measured is darker then than what a person sees."""
    raw = {split: each for split, each in statistics.items() if not split.endswith(AUGMENTED)}
    found = {split: each["highest_of_16_bits"] for split, each in raw.items() if "highest_of_16_bits" in each}
    if not found:
        return ""
    least = next(iter(ranges_of_depths(max(found.values())).values()))
    where = " and ".join(found)
    return (
        f"No value of the images in 16 bits in {where} is above {max(found.values())}, and white is taken as 65535: "
        f"if it is {least[1]}, pass value_range={least}. "
    )


def _normalisation(mean: Sequence[float], std: Sequence[float], collected: Collected, order: str) -> dict[str, Any]:
    """Mean and deviation, red first; and the line to copy, in the order of the user's channels, if there is one.

    Args:
        mean: of each channel.
        std: of each.
        collected: what was kept of the images.
        order: of the first three channels, `RGB` or `BGR`.
    """
    found: dict[str, Any] = {"mean": mean, "std": std}
    if collected.evidence.is_rounded:
        # Whose mean and deviation are more those of rounding than of the images.
        coarse = [place for place, each in enumerate(std) if each < COARSE / (LEVELS - 1)]
        if coarse:
            return found | {"coarse_channels": coarse}
    # Nothing can be divided by 0.
    if not all(std):
        return found
    is_turned = order != RGB_ORDER and len(mean) >= 3
    places = [2, 1, 0, *range(3, len(mean))] if is_turned else range(len(mean))
    found["normalize"] = _normalize([mean[place] for place in places], [std[place] for place in places])
    if len(collected.colours) > 1:
        found["normalize_as"] = MIXED.format(order)
    elif is_turned:
        found["normalize_as"] = TURNED
    return found


def _normalize(mean: Sequence[float], std: Sequence[float]) -> str:
    # A mean has to be as exact as the deviation by which its error is divided.
    digits = [
        (max(_decimals(low), _decimals(deviation)), _decimals(deviation))
        for low, deviation in zip(mean, std, strict=True)
    ]
    told = [
        ", ".join(f"{each:.{places[number]}f}" for each, places in zip(numbers, digits, strict=True))
        for number, numbers in enumerate((mean, std))
    ]
    return f"Normalize(mean=[{told[0]}], std=[{told[1]}])"


def _decimals(value: float) -> int:
    """How many show three digits of it; at least three."""
    return max(3, 2 - math.floor(math.log10(value))) if value > 0 else 3


def _of_measure(name: str, frames: Mapping[str, pd.DataFrame]) -> list[Panel]:
    about = MEASURES[name]
    values = {split: frame[name].to_numpy(np.float64) for split, frame in frames.items()}
    high = max((float(each.max()) for each in values.values() if len(each)), default=1.0)
    edges = np.linspace(about.minimum, max(high, 1e-6) if about.maximum > 8 else about.maximum, BINS + 1)
    statistics = {
        split: quantiles(each) | {"histogram": np.histogram(each, edges)[0], "edges": edges}
        for split, each in values.items()
    }

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for (split, each), colour in zip(values.items(), COLOURS, strict=False):
            if len(each):
                shares = np.histogram(each, edges)[0] / len(each)
                axes.stairs(shares, edges, fill=True, color=colour, alpha=0.45, label=split)
                axes.axvline(float(np.median(each)), color=colour, linewidth=1)
        axes.set(xlabel=f"{name}: {about.description}, {about.unit}", ylabel="share of the images")
        axes.legend(fontsize=8)

    medians = ", ".join(f"{np.median(each):.3g} in {split}" for split, each in values.items() if len(each))
    worry = "Worry when the splits lie apart, or a model will see other values."
    sentence = f"The {about.description} of each image; median {medians}. {worry}"
    return [Panel(name, name.capitalize(), statistics, sentence, draw)]


def _colours(splits: Mapping[str, Collected]) -> Panel:
    statistics = {
        split: {f"{channels} channels": counts for channels, counts in collected.colours.items()}
        for split, collected in splits.items()
    }
    curves = {split: _curves(collected.colours) for split, collected in splits.items()}
    top = _top([shares for each in curves.values() for shares in each.values()])
    cut = "" if top is None else " Peaks above the figure are cut off."

    def draw(figure: Figure) -> None:
        rows = -(-len(splits) // 2)
        figure.set_size_inches(figure.get_figwidth(), figure.get_figheight() * (1 + 0.7 * (rows - 1)))
        grid = figure.subplots(rows, min(2, len(splits)), sharey=True, squeeze=False).ravel()
        for axes, (split, each) in zip(grid, curves.items(), strict=False):
            for name, shares in each.items():
                axes.plot(np.arange(LEVELS), shares, color=CHANNELS.get(name), linewidth=1, label=name)
            axes.set(xlabel=f"value, 0 to 255, in {split}", xlim=(0, LEVELS - 1))
        for axes in grid[len(splits) :]:
            axes.axis("off")
        # Shared by all.
        grid[0].set_ylim(0, top)
        grid[0].legend()
        for axes in grid[:: min(2, len(splits))]:
            axes.set_ylabel("share of the pixels")
        if top is not None:
            grid[0].text(0.98, 0.98, "peaks are cut off", size=7, ha="right", va="top", transform=grid[0].transAxes)

    return Panel(
        "colours", "Colours", statistics,
        f"How often each value is in a channel.{cut} Worry about peaks at the ends: what is clipped is lost.",
        draw,
    )  # fmt: skip


def _curves(colours: Mapping[int, NDArray[np.int64]]) -> dict[str, NDArray[np.float64]]:
    """The share of each value by the name of the channel; the red of images with a fourth channel is red as well."""
    counts: dict[str, NDArray[np.int64]] = {}
    for several in colours.values():
        numbered = [f"{number} of {len(several)}" for number in range(1, len(several) + 1)]
        names = {1: ["grey"], 3: RGB, 4: [*RGB, "fourth"]}.get(len(several), numbered)
        for name, each in zip(names, several, strict=True):
            counts[name] = counts.get(name, np.zeros(LEVELS, np.int64)) + each
    return {name: each / max(1, each.sum()) for name, each in counts.items()}


def _top(curves: Sequence[NDArray[np.float64]]) -> float | None:
    """Where a figure ends so that a few values that are in most pixels do not flatten all others; None is above all."""
    usual = max((float(np.sort(each)[-1 - PEAKS]) for each in curves), default=0.0)
    highest = max((float(each.max()) for each in curves), default=0.0)
    return 1.1 * usual if 0 < 2 * usual < highest else None
