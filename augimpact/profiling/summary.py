"""The panel that comes first: how many images there are, of what sizes and channels, and the line to normalise them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from augimpact.measures import LEVELS
from augimpact.profiling.annotations import Annotations
from augimpact.profiling.collect import COARSE, Collected, normalisation
from augimpact.profiling.naming import AUGMENTED
from augimpact.profiling.panel import PART, Panel, counted
from augimpact.profiling.ranges import ranges_of_depths
from augimpact.profiling.statistics import quantiles

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["RGB_ORDER", "summary"]

# The order of channels in which images are measured.
RGB_ORDER = "RGB"
CHANNELS = ("red", "green", "blue", "fourth")
# What images of several kinds are normalised as: what they are measured as, and what loaders make of them; and in which
# order the channels are where the user's are turned.
MIXED = "{} (grey thrice, without a fourth channel)"
TURNED = "BGR, the channels in the order of the images"


def summary(
    splits: Mapping[str, Collected],
    annotations: Mapping[str, Annotations],
    frames: Mapping[str, pd.DataFrame],
    order: str,
    *,
    has_sizes: bool,
    complete: bool,
) -> Panel:
    """How many images there are, and of what kind; and the line that normalises them.

    Args:
        splits: what was kept of each.
        annotations: of the same.
        frames: of the same, a row a sample.
        order: of the channels in the user's own images, `RGB` or `BGR`.
        has_sizes: whether it tells of sizes.
        complete: whether all samples were seen.
    """
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
    names = [f"the {name} channel" for name in CHANNELS[:count]]
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
