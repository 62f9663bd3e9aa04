"""What black and white are in the numbers of images, what these tell of it, and what may be answered where they do not.

A range is never taken from the first images alone: what fits several, or is doubtful, is left open until something
tells, and whatever contradicts later is a question; only what does so after many others, and seldom, is at fault.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from augimpact.errors import AmbiguousData, DataError, Option

__all__ = ["FLOAT", "RANGES", "SIGNED", "SLACK", "UNSIGNED", "Evidence", "ranges_of_depths", "span_of"]

# What black and white are, by the name of the range; `normalized` is [0, 1] less a mean, over a deviation.
RANGES = {"unit": (0.0, 1.0), "byte": (0.0, 255.0), "signed": (-1.0, 1.0), "normalized": None}
# By how much a float may miss its range: what interpolation overshoots.
SLACK = 1e-3
# Kinds of numbers that may have several ranges: floats, and whole numbers that can be negative, or not.
FLOAT, SIGNED, UNSIGNED = "float", "signed", "unsigned"
# What white may be in each, where black is 0. Tensors of bytes are often kept as numbers with a sign.
WHITES = {FLOAT: (1.0, 255.0), SIGNED: (255.0,), UNSIGNED: (65535.0,)}
# What bytes have that are not almost black, and those of [0, 1] that were made lighter have not.
DARK = 16.0
# Highest values that tell nothing: of 16 bits cameras and scanners often fill 10, 12 or 14.
DOUBTS = {FLOAT: (1 + SLACK, DARK), SIGNED: (0.0, DARK), UNSIGNED: (0.0, 2.0**14 - 1)}
DEPTHS = (8, 10, 12, 14, 16)
# What computed tomographs give, in Hounsfield units of 12 bits; and all that 16 bits with a sign hold.
TOMOGRAPHY, WORD = (-1024, 3071), (-32768, 32767)
# Of so many images one may contradict the others and be at fault itself.
MANY = 100
# What most images are normalised with that are; and whatever a person types.
IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
OTHER = Option("other values of black and white", {"value_range": None})
OTHER_MEAN = Option("normalised with another mean and deviation", {"mean": None, "std": None})


def span_of(given: Any) -> tuple[float, float]:
    """Black and white as two numbers, of any sequence of them.

    Raises:
        DataError: it is none.

    >>> span_of([0, 4095])
    (0.0, 4095.0)
    """
    try:
        low, high = map(float, given)
    except (TypeError, ValueError, OverflowError):
        low = high = 0.0
    if not (low < high and np.isfinite([low, high]).all()):
        names = ", ".join(RANGES)
        raise DataError(f"the range is {given!r}; expected one of {names}, or two numbers: black, and a higher white")
    return low, high


def ranges_of_depths(highest: float) -> dict[int, tuple[int, int]]:
    """The ranges that whole numbers up to the highest may have, by the bits that these take.

    >>> ranges_of_depths(3000)
    {12: (0, 4095), 14: (0, 16383), 16: (0, 65535)}
    """
    return {bits: (0, (1 << bits) - 1) for bits in DEPTHS if highest < 1 << bits}


class Evidence:
    """What the values of images that were seen tell of their ranges; any thread may add to it.

    Attributes:
        is_decided: whether floats that were seen can be read in one way only.
        is_doubtful: whether some values are such that nothing tells what white is.
        is_rounded: whether some had to be rounded, for a byte has fewer levels.
    """

    def __init__(self) -> None:
        self.is_rounded = False
        self._lock = threading.Lock()
        self._fitting: dict[str, tuple[float, ...]] = dict(WHITES)
        self._highest = dict.fromkeys(WHITES, 0.0)
        self._seen = dict.fromkeys(WHITES, 0)
        self._contradicting = dict.fromkeys(WHITES, 0)

    @property
    def is_decided(self) -> bool:  # noqa: D102
        return len(self._fitting[FLOAT]) == 1 and not self.is_doubtful

    @property
    def is_doubtful(self) -> bool:  # noqa: D102
        return bool(self._doubtful())

    @property
    def doubtful_depth(self) -> int | None:
        """The highest of the whole numbers of 16 bits, if that does not tell how many of these are used."""
        return int(self._highest[UNSIGNED]) if UNSIGNED in self._doubtful() else None

    def white(self, kind: str) -> float:
        """What white is, as far as it is known: while everything is black every range says so."""
        return self._fitting[kind][0]

    def add(self, kind: str, low: float, high: float, channels: int | None) -> None:
        """Rules out the ranges that an image does not fit; one in `MANY` tells nothing: it has none that others have.

        Args:
            kind: of its numbers, one of `WHITES`.
            low: its least value.
            high: its highest.
            channels: that it has; None of a file, which nobody normalises.

        Raises:
            AmbiguousData: no range is left, or it has to be given.
        """
        with self._lock:
            self._seen[kind] += 1
            if low < -SLACK:
                if self._is_fault(kind):
                    return
                message = _of_negative(kind, low, high, channels)
                raise AmbiguousData(message, "value_range", _options(kind, low, high, channels))
            fitting = tuple(white for white in self._fitting[kind] if high <= white * (1 + SLACK))
            # Above 1 it is not [0, 1]; within it [0, 255] is only likely while all is black.
            if 0 < high <= 1 + SLACK and 1.0 in fitting:
                fitting = (1.0,)
            if not fitting:
                if self._is_fault(kind):
                    return
                message = self._of_too_high(kind, high)
                raise AmbiguousData(message, "value_range", _options(kind, low, high, channels))
            self._fitting[kind], self._highest[kind] = fitting, max(self._highest[kind], high)

    def _is_fault(self, kind: str) -> bool:
        """Whether an image that contradicts those before it is at fault, and not what is known of these."""
        self._contradicting[kind] += 1
        return MANY * self._contradicting[kind] <= self._seen[kind]

    def refuse_doubt(self, channels: int | None) -> None:
        """To be called where nothing more is waited for.

        Args:
            channels: of an image; None of files, which nobody normalises, and of which 16 bits are all used.

        Raises:
            AmbiguousData: what the values mean is still doubtful.
        """
        for kind in self._doubtful():
            high = self._highest[kind]
            if kind != UNSIGNED or channels is not None:
                raise AmbiguousData(_of_doubt(kind, high, channels), "value_range", _options(kind, 0.0, high, channels))

    def _doubtful(self) -> list[str]:
        return [kind for kind, (above, most) in DOUBTS.items() if above < self._highest[kind] <= most]

    def _of_too_high(self, kind: str, high: float) -> str:
        if self._highest[kind] > 0:
            told = " or ".join(f"[0, {white:g}]" for white in self._fitting[kind])
            return f"an image has values up to {high:.5g} after others in {told}; pass value_range=(black, white)"
        likely = [f"value_range={each} if white is {each[1]}, or " for each in ranges_of_depths(high).values()][:1]
        return f"the images have values up to {high:.5g}; pass {''.join(likely)}value_range=(black, white)"


def _of_negative(kind: str, low: float, high: float, channels: int | None) -> str:
    if kind == FLOAT:
        normalised = "" if channels is None else "mean=… and std=… if they were normalised, "
        return (
            f"the images have values from {low:.3g} to {high:.3g}; "
            f"pass {normalised}value_range='signed' if black is −1 and white 1, or value_range=(black, white)"
        )
    message = f"the images have whole numbers from {low:.5g} to {high:.5g}; pass value_range=(black, white)"
    return f"{message}, such as {TOMOGRAPHY} of computed tomography" if _is_tomography(low, high) else message


def _is_tomography(low: float, high: float) -> bool:
    return TOMOGRAPHY[0] <= low < -DARK and high <= TOMOGRAPHY[1]


def _of_doubt(kind: str, high: float, channels: int | None) -> str:
    if kind == UNSIGNED:
        least = next(iter(ranges_of_depths(high).values()))
        return (
            f"the images have whole numbers up to {high:.5g} in 16 bits or more, which does not tell what white is; "
            f"pass value_range={least} if it is {least[1]}, value_range=(0, 65535) if all 16 bits are used, "
            "or value_range=(black, white)"
        )
    if kind == SIGNED:
        return (
            f"the images have whole numbers up to {high:.5g}, too low to tell that they are bytes; "
            "pass value_range='byte' if black is 0 and white 255, or value_range=(black, white)"
        )
    ways = ["value_range='byte' if black is 0 and white 255", "value_range=(black, white)"]
    ways += [] if channels is None else ["mean=… and std=… if they were normalised"]
    return (
        f"the images have values up to {high:.5g}, too high for [0, 1] and too low to tell that they "
        f"are bytes; pass {', '.join(ways[:-1])}{',' * (len(ways) > 2)} or {ways[-1]}"
    )


def _options(kind: str, low: float, high: float, channels: int | None) -> list[Option]:
    """In which ways values from `low` to `high` can be read."""
    within = {name: limits for name, limits in RANGES.items() if limits is not None}
    known = [
        Option(_told(name, black, white), {"value_range": name})
        for name, (black, white) in within.items()
        # What has no negative number needs none.
        if black - SLACK <= low and high <= white * (1 + SLACK) and (low < 0 or black == 0)
    ]
    if low >= 0 and (kind == UNSIGNED or high > WHITES[FLOAT][-1]):
        known += [
            Option(_told(f"{bits} bits", *limits), {"value_range": limits})
            for bits, limits in ranges_of_depths(high).items()
            # Those of bytes have a name.
            if bits > 8
        ]
    if _is_tomography(low, high):
        told = _told("computed tomography, in Hounsfield units", *TOMOGRAPHY)
        known.append(Option(told, {"value_range": TOMOGRAPHY}))
    if WORD[0] <= low < -DARK and high <= WORD[1]:
        known.append(Option(_told("16 bits with a sign", *WORD), {"value_range": WORD}))
    if kind != FLOAT or channels is None:
        return [*known, OTHER]
    if channels == 3:
        mean, std = (np.array(IMAGENET[name]) for name in ("mean", "std"))
        if (-mean / std).min() - SLACK <= low and high <= ((1 - mean) / std).max() + SLACK:
            known.append(Option("normalised with ImageNet's mean and deviation", IMAGENET))
    return [*known, OTHER, OTHER_MEAN]


def _told(name: str, black: float, white: float) -> str:
    return f"{name}: black is {black:.5g}, white {white:.5g}".replace("-", "−")
