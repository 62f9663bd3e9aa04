"""Panels that were asked for, and that a dataset does not have: what each needs, and what the dataset has instead."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping

import pandas as pd

from augimpact.errors import DataError
from augimpact.profiling.annotations import Annotations
from augimpact.profiling.needs import COMBINED, NEEDS, OF_BOXES, OF_MASKS, PANEL_OF, Chosen

__all__ = ["tell_of_absent"]

logger = logging.getLogger(__name__)
# What there has to be for a panel, in the data or among the arguments; all others are of any images.
SHOWN = "samples=… and images that are not hidden"
NEEDED: Mapping[str, str] = {
    "classes": "labels that are classes",
    "mean_images": "5 different images of a class that is not hidden, or samples=…",
    "samples": SHOWN,
    "extremes": SHOWN,
    "drift": "val or an augmentation",
    "shortcuts": "labels of several classes",
    "broken": "an augmentation",
    **dict.fromkeys(OF_MASKS, "masks as labels"),
    **dict.fromkeys(OF_BOXES, "boxes as labels"),
    "box_classes": "boxes with classes as labels",
}
# A panel of what the labels are, by what they are called.
OF_LABELS = {"masks": "mask_classes", "boxes": "boxes", "classes": "classes"}


def tell_of_absent(
    chosen: Chosen,
    made: Collection[str],
    annotations: Mapping[str, Annotations],
    frames: Mapping[str, pd.DataFrame],
) -> None:
    """Warns of panels that were asked for and are not there.

    Args:
        chosen: what was asked for.
        made: names of the panels that there are.
        annotations: of each split.
        frames: of each split, with the classes as `label`.

    Raises:
        DataError: there is none of them.
    """
    # Where only some are left out, the others are no wish, unless nothing is there.
    wanted = chosen.asked if made else chosen.asked or chosen.panels
    missing = [name for name in NEEDS if name in wanted and name not in made]
    if not missing:
        return
    reasons: dict[str, list[str]] = {}
    for name in missing:
        reasons.setdefault(_needed(name, chosen), []).append(name)
    told = "; ".join(
        f"{', '.join(names)} {'needs' if len(names) == 1 else 'need'} {needed}" for needed, names in reasons.items()
    )
    if made:
        logger.warning("not all panels that features asks for are there: %s", told)
        return
    there = _labels_of(annotations, frames)
    such = ", ".join(["summary", "sizes", "brightness", *([] if there is None else [OF_LABELS[there]])])
    labels = "no labels" if there is None else f"{there} as labels"
    raise DataError(
        f"features asks for no panel that is there: {told}; this data has {labels}, and panels such as {such}"
    )


def _needed(name: str, chosen: Chosen) -> str:
    if name in chosen.panels:
        return NEEDED[name]
    # It has nothing to tell of the measures that are chosen.
    return f"one of {', '.join(dict.fromkeys(PANEL_OF[each] for each in PANEL_OF if each in COMBINED[name]))}"


def _labels_of(annotations: Mapping[str, Annotations], frames: Mapping[str, pd.DataFrame]) -> str | None:
    if any(each.masks.images for each in annotations.values()):
        return "masks"
    if any(each.boxes.images for each in annotations.values()):
        return "boxes"
    return "classes" if any((frame["label"] >= 0).any() for frame in frames.values()) else None
