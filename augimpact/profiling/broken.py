"""The panel of what augmentation broke: images that became blank, clipped or blurred, and boxes that are lost."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from augimpact.measures import MEASURES
from augimpact.profiling.annotations import Annotations
from augimpact.profiling.collect import Collected
from augimpact.profiling.naming import AUGMENTED
from augimpact.profiling.needs import CLIPPED
from augimpact.profiling.panel import COLOURS, Panel
from augimpact.profiling.statistics import PLAIN

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["broken_panel"]

# Indices that a list holds.
LISTED = 30
# By how much more of an image is clipped, what share of its sharpness is left, beside what less contrast takes.
MORE, LEFT = 0.2, 0.1
# The sharpness of rounding to bytes: errors of variance 1/12 under a kernel whose weights have squares of 20 in all.
ROUNDING = 20 / 12 / 255**2
# The ways in which an image may be broken, and in what it is seen.
BROKEN_IN = {"blank": {"entropy"}, "clipped": {CLIPPED}, "blurred": {"sharpness", "contrast"}}


def broken_panel(
    splits: Mapping[str, Collected], annotations: Mapping[str, Annotations], properties: Collection[str]
) -> Panel:
    """What augmentation broke in each split, image by image.

    Blank has less than `PLAIN` bits of entropy left, clipped a fifth more of its values at either end, blurred a tenth
    or less of its sharpness, which goes with the square of the contrast: what that explains is not lost.

    Boxes are told as `without_area`; as `cut_off`, of which nothing is in the middle square; and of the others as
    `before`, `after` and `lost`, which is before less after.

    Args:
        splits: and those augmented.
        annotations: of the same.
        properties: of which it tells; in others nothing is broken.
    """
    pairs = [split for split in splits if split + AUGMENTED in splits]
    statistics: dict[str, dict[str, Any]] = {}
    ways: dict[str, dict[str, int]] = {}
    for split in pairs:
        one, other = (splits[each].frame.set_index("index") for each in (split, split + AUGMENTED))
        found = _broken(one, other.reindex(one.index), properties)
        ways[split] = {way: found[way]["count"] for way in BROKEN_IN if way in found}
        boxes = _lost(annotations[split], annotations[split + AUGMENTED])
        statistics[split] = found | ({"boxes": boxes} if boxes else {})

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        width = 0.8 / len(pairs)
        for place, (split, counts) in enumerate(ways.items()):
            at = np.arange(len(counts)) + (place - (len(pairs) - 1) / 2) * width
            axes.bar(at, list(counts.values()), width, color=COLOURS[1 + place], label=split)
        axes.set_xticks(np.arange(len(ways[pairs[0]])), list(ways[pairs[0]]))
        axes.set_ylabel("images")
        axes.locator_params("y", integer=True)
        if len(pairs) > 1:
            axes.legend()

    told = "; ".join(_told(split, statistics[split], counts) for split, counts in ways.items())
    return Panel(
        "broken", "What augmentation broke", statistics,
        f"{told[0].upper()}{told[1:]}. Worry when it is more than a few: the model learns nothing from them.", draw,
    )  # fmt: skip


def _broken(one: pd.DataFrame, other: pd.DataFrame, properties: Collection[str]) -> dict[str, Any]:
    tests: dict[str, Callable[[], pd.Series[bool]]] = {
        "blank": lambda: (other["entropy"] < PLAIN) & (one["entropy"] >= PLAIN),
        "clipped": lambda: other[CLIPPED] - one[CLIPPED] > MORE,
        "blurred": lambda: (
            (other["sharpness"] - ROUNDING).clip(lower=0)
            < LEFT * (one["sharpness"] - ROUNDING) * (other["contrast"] / one["contrast"]).clip(upper=1) ** 2
        ),
    }
    ways = {way: tests[way]() for way, names in BROKEN_IN.items() if names <= {*properties, CLIPPED}}
    return {
        "images": len(one),
        **{
            way: {"count": int(found.sum()), "indices": one.index[found][:LISTED].tolist()}
            for way, found in ways.items()
        },
        "difference": {name: float((other[name] - one[name]).mean()) for name in MEASURES if name in properties},
    }


def _lost(one: Annotations, other: Annotations) -> dict[str, int]:
    before, after = len(one.boxes.objects), len(other.boxes.objects)
    left_out = {"cut_off": one.boxes.cut_off, "without_area": one.boxes.without_area}
    found = {"before": before, "after": after, "lost": before - after} | left_out
    return found if any(found.values()) else {}


def _told(split: str, found: Mapping[str, Any], counts: Mapping[str, int]) -> str:
    told = f"of {found['images']} images of {split} augmentation left "
    told += ", ".join(f"{count} {way}" for way, count in counts.items())
    boxes = found.get("boxes")
    if boxes:
        told += f", and of {boxes['before']} boxes {boxes['lost']} are lost"
        ways = (("cut_off", "of which nothing is in the middle square"), ("without_area", "without area"))
        beside = [f"{boxes[way]} {words}" for way, words in ways if boxes[way]]
        told += f", beside {' and '.join(beside)}" if beside else ""
    return told
