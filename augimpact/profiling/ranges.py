"""What black and white are in the numbers of images, and what may be answered where they do not tell."""

from __future__ import annotations

import numpy as np

from augimpact.errors import DataError, Option

__all__ = ["RANGES", "SLACK", "check_span", "ranges_of"]

# What black and white are, by the name of the range; `normalized` is [0, 1] less a mean, over a deviation.
RANGES = {"unit": (0.0, 1.0), "byte": (0.0, 255.0), "signed": (-1.0, 1.0), "normalized": None}
# By how much a float may miss its range: what interpolation overshoots.
SLACK = 1e-3
# What most images are normalised with that are; and whatever a person types.
IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
TYPED = (
    Option("other values of black and white", {"value_range": None}),
    Option("normalised with another mean and deviation", {"mean": None, "std": None}),
)


def check_span(span: tuple[float, float]) -> None:
    """Refuses what no range is.

    Raises:
        DataError: it is not two numbers, black and white.
    """
    try:
        low, high = map(float, span)
    except (TypeError, ValueError):
        low = high = 0.0
    if not (low < high and np.isfinite([low, high]).all()):
        raise DataError(f"the range is {span!r}; expected two numbers, black and white")


def ranges_of(low: float, high: float, channels: int) -> list[Option]:
    """In which ways values from `low` to `high` can be read."""
    within = {name: limits for name, limits in RANGES.items() if limits is not None}
    known = [
        Option(f"{name}: black is {black:g}, white {white:g}".replace("-", "−"), {"value_range": name})
        for name, (black, white) in within.items()
        if black - SLACK <= low and high <= white * (1 + SLACK)
    ]
    if channels == 3:
        mean, std = (np.array(IMAGENET[name]) for name in ("mean", "std"))
        if (-mean / std).min() - SLACK <= low and high <= ((1 - mean) / std).max() + SLACK:
            known.append(Option("normalised with ImageNet's mean and deviation", IMAGENET))
    return [*known, *TYPED]
