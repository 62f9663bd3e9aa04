"""The panels of a profile with augmentation: to raw and augmented the difference, number by number."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from augimpact.profiling.augmented import CANVAS
from augimpact.profiling.naming import AUGMENTED, DIFFERENCE
from augimpact.profiling.panel import Panel

__all__ = ["difference", "with_differences"]

# Lists that name bins or samples, and measure nothing.
NAMING = frozenset({"edges", "indices", "images"})
EACH = f"Each image is its middle square at {CANVAS}², before and after."
ALL = (
    f"With augmentation, all panels are of each image's middle square at {CANVAS}², in three channels, as it is and "
    "augmented: sizes, channels, and what lies outside the square, are told by a profile without augmentation. Only "
    "faulty boxes are told of the boxes as they were given."
)


def with_differences(panels: Iterable[Panel], splits: Collection[str]) -> list[Panel]:
    """The panels; those by split have augmented less raw of each split as well, after both.

    Their sentences say what the images are, and how far the mean is moved.

    Args:
        panels: of splits and these augmented.
        splits: all their names.
    """
    return [_compared(panel, splits) for panel in panels]


def difference(augmented: Any, raw: Any) -> Any:
    """Number by number of what both have, augmented less raw; None where there is none.

    Mappings are gone through by name, lists of equal length place by place. Texts, edges of bins and indices of
    samples are left out, and so is what is no number on either side; in a list None stands in its place.

    >>> difference({"mean": 3.0, "edges": [0, 9], "counts": [4, 6]}, {"mean": 1.0, "edges": [0, 9], "counts": [5, 5]})
    {'mean': 2.0, 'counts': [-1, 1]}
    """
    if isinstance(augmented, Mapping) and isinstance(raw, Mapping):
        found = {
            name: difference(augmented[name], each)
            for name, each in raw.items()
            if name in augmented and not (name in NAMING and _is_list(each))
        }
        return {name: each for name, each in found.items() if each is not None} or None
    if _is_list(augmented) and _is_list(raw):
        pairs = list(zip(augmented, raw, strict=True)) if len(augmented) == len(raw) else []
        each = [difference(one, other) for one, other in pairs]
        return each if any(one is not None for one in each) else None
    return _plain(augmented) - _plain(raw) if _is_number(augmented) and _is_number(raw) else None


def _compared(panel: Panel, splits: Collection[str]) -> Panel:
    given = panel.statistics
    # What is by class may have a class that is called as a split is.
    pairs = [split for split in given if split + AUGMENTED in given] if set(given) <= set(splits) else []
    if not pairs:
        return panel
    found = {split: difference(given[split + AUGMENTED], given[split]) for split in pairs}
    statistics: dict[str, Any] = {}
    for name, each in given.items():
        statistics[name] = each
        split = name.removesuffix(AUGMENTED)
        if name.endswith(AUGMENTED) and found.get(split) is not None:
            statistics[split + DIFFERENCE] = found[split]
    moved = {split: each["mean"] for split, each in found.items() if each is not None and _is_number(each.get("mean"))}
    sentence = f"{panel.sentence} {ALL if panel.name == 'summary' else EACH}"
    if moved:
        told = ", ".join(f"{mean:+.3g} in {split}" for split, mean in moved.items())
        sentence += f" Augmentation moves the mean by {told}."
    return replace(panel, statistics=statistics, sentence=sentence)


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple, np.ndarray))


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, (int, float, np.integer, np.floating))
        and not isinstance(value, bool)
        and math.isfinite(value)
    )


def _plain(value: Any) -> Any:
    """Numbers of numpy's may be unsigned, and wrap."""
    return value.item() if isinstance(value, np.generic) else value
