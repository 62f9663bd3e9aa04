"""The histogram of a dataset's values, in which pictures are marked where they lie: drawn once, painted for each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from augimpact.once import once
from augimpact.render.picture import INK, MARGIN, MUTED, PAGE, fitted, font, ground, rgb
from augimpact.render.values import fine_number

__all__ = ["Marked", "axis_ends"]

Bytes = NDArray[np.uint8]
# As the player has them in the dark.
ACCENT, WARN, LINE = rgb("#7aa2ff"), rgb("#f0a35e"), rgb("#2f3640")
BAND, BARS, ORIGIN = rgb(PAGE, "#7aa2ff", 0.14), rgb(PAGE, MUTED, 0.5), rgb(PAGE, INK, 0.6)
# In pixels: the lines above the histogram, the line below it, and how high it is at least.
HEAD, LIMITS, LEAST = 32, 15, 26
# How wide a marker is, a dot of the original is high, and a bar has to be for a gap beside it.
MARKER, DOT, WIDE_BAR = 3, 2, 4
# An arrowhead for what lies beyond an end of the axis: its width, half of its height, and the share of the histogram
# that lies above its tip, of a picture and of the original.
ARROW, HALF_ARROW, MARKED_AT, ORIGINAL_AT = 8, 5, 0.35, 0.78
BAR_SHARE = 0.96
# The axis grows by no more than so many times what the data takes; what lies beyond is an arrowhead at its end.
MOST_GROWTH = 1


@dataclass(frozen=True, eq=False)
class Marked:
    """One measure of N pictures among the data.

    Attributes:
        name: of what is measured.
        counts: how many values of the data each bin holds.
        edges: of the bins, one more.
        low: where the shaded part begins, inside of which a value is within the data.
        high: where it ends.
        values: N numbers, the pictures' own; None for what is not known.
        places: N texts, where these lie among the data.
        original: the value of the image as it was, or None.
        decimals: with which a value is written.
    """

    name: str
    counts: Sequence[int]
    edges: Sequence[float]
    low: float
    high: float
    values: Sequence[float | None]
    places: Sequence[str]
    original: float | None
    decimals: int

    width = 200
    least_height, most_height = HEAD + LEAST + LIMITS, HEAD + 5 * LEAST + LIMITS

    def column(self, value: float, width: int) -> int:
        """The column of pixels, from 0, in which a value stands in a panel that is so wide."""
        low, high = self._ends
        share = (value - low) / (high - low) if high > low else 0.5
        return round(min(1.0, max(0.0, share)) * (width - 1))

    def still(self, width: int, height: int) -> Bytes:
        """What is the same for all pictures, `(height, width, 3)`: name, histogram, and the ends of its axis."""
        canvas = ground(width, height)
        pen = ImageDraw.Draw(canvas)
        floor = height - LIMITS
        pen.text((0, 8), self.name, INK, font(12, bold=True), anchor="lm")
        pen.rectangle((self.column(self.low, width), HEAD, self.column(self.high, width), floor - 1), fill=BAND)
        self._draw_bars(pen, width, floor)
        if self.original is not None and not self._beyond(self.original):
            column = self.column(self.original, width)
            for top in range(HEAD, floor, 2 * DOT):
                pen.line((column, top, column, min(top + DOT, floor) - 1), fill=ORIGIN)
        pen.line((0, floor, width, floor), fill=LINE)
        for end, left, anchor in zip(self._ends, (0, width), ("lm", "rm"), strict=True):
            pen.text((left, floor + 9), self._limit(end), MUTED, font(10), anchor=anchor)
        drawn = np.array(canvas)
        if self.original is not None and (side := self._beyond(self.original)):
            _point(drawn, side, ORIGINAL_AT, ORIGIN)
        return drawn

    def paint(self, panel: Bytes, pictures: Sequence[int]) -> None:
        """Marks pictures, by their numbers, in what `still` drew; and says where they lie."""
        height, width = panel.shape[:2]
        known = [(index, value) for index in pictures if (value := self.values[index]) is not None]
        for _, value in known:
            colour = ACCENT if self._holds(value) else WARN
            left = self.column(value, width) - MARKER // 2
            if side := self._beyond(value):
                _point(panel, side, MARKED_AT, colour)
            else:
                panel[HEAD : height - LIMITS, max(0, left) : left + MARKER] = colour
        if not known:
            return
        first, second, inside = self._told(known, len(pictures))
        head = Image.fromarray(panel[:HEAD])
        pen = ImageDraw.Draw(head)
        bold, small = font(12, bold=True), font(11)
        room = width - bold.getlength(self.name) - MARGIN
        pen.text((width, 8), fitted(first, bold, room), INK if inside else WARN, bold, anchor="rm")
        pen.text((width, 23), fitted(second, small, width), MUTED if inside else WARN, small, anchor="rm")
        panel[:HEAD] = np.asarray(head)

    @once
    def _ends(self) -> tuple[float, float]:
        return axis_ends(self.edges, [*self.values, self.original])

    def _beyond(self, value: float) -> int:
        """Whether it lies before the axis (−1), on it (0) or after it (1)."""
        low, high = self._ends
        return (value > high) - (value < low)

    def _holds(self, value: float) -> bool:
        return self.low <= value <= self.high

    def _told(self, known: Sequence[tuple[int, float]], of: int) -> tuple[str, str, bool]:
        """The value, where it lies, and whether that is inside; of several how many are, and from where to where."""
        values = [value for _, value in known]
        if of == 1:
            return fine_number(values[0], self.decimals), self.places[known[0][0]], self._holds(values[0])
        inside = sum(map(self._holds, values))
        ends = " – ".join(fine_number(end, self.decimals) for end in (min(values), max(values)))
        return f"{inside} of {of} inside", ends, inside == len(values)

    def _draw_bars(self, pen: ImageDraw.ImageDraw, width: int, floor: int) -> None:
        most = max(1, *self.counts)
        for count, edges in zip(self.counts, pairwise(self.edges), strict=True):
            left, right = (self.column(edge, width) for edge in edges)
            right = max(left, right - (2 if right - left >= WIDE_BAR else 1))
            if count:
                pen.rectangle((left, floor - round(BAR_SHARE * count / most * (floor - HEAD)), right, floor), fill=BARS)

    def _limit(self, end: float) -> str:
        """With as many decimals as tell a hundredth of the data's width."""
        span = self.edges[-1] - self.edges[0] or 1
        text = fine_number(end, min(6, max(2, 1 - math.floor(math.log10(span)))))
        return text if text.strip("−0.") else "0"


def _point(panel: Bytes, side: int, above: float, colour: tuple[int, int, int]) -> None:
    """An arrowhead whose tip is at the left (−1) or right (1) edge of the histogram, below such a share of it."""
    height, width = panel.shape[:2]
    tip = HEAD + round(above * (height - LIMITS - HEAD))
    for row in range(-HALF_ARROW, HALF_ARROW + 1):
        length = round(ARROW * (1 - abs(row) / (HALF_ARROW + 1)))
        left = width - ARROW if side > 0 else ARROW - length
        panel[tip + row, left : left + length] = colour


def axis_ends(edges: Sequence[float], marked: Sequence[float | None]) -> tuple[float, float]:
    """The ends of an axis that holds the data, and what is marked in it as far as that is no too long way.

    >>> axis_ends([0, 1, 2], [-1, 2.5, None]), axis_ends([0, 1, 2], [99])
    ((-1, 2.5), (0, 4))
    """
    least, highest = edges[0], edges[-1]
    room = MOST_GROWTH * (highest - least)
    known = [each for each in marked if each is not None]
    return max(least - room, min([least, *known])), min(highest + room, max([highest, *known]))
