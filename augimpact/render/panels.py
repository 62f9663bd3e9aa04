"""Panels beside pictures: charts that stand still, and distributions in which each picture is marked.

They stand in columns at the right, on the ground that the captions have. What stands still is drawn once; for each
picture only its marks are painted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from augimpact.render.marked import Marked
from augimpact.render.picture import INK, MUTED, PAGE, fitted, font, ground, rgb

__all__ = ["Card", "Chart", "beside_panels", "marked_row", "on_dark", "on_ground"]

Bytes = NDArray[np.uint8]
# In pixels. A chart is no lower than this, and no wider.
LEAST_CHART, CHART_WIDTH = 140, 350
TITLE, GAP, NOTE_LINE = 22, 12, 13
SHADED, DOTTED = "shaded: the middle 98 % of the data", "dotted: the original"
LUMA = np.array([0.213, 0.715, 0.072], np.float32)


@dataclass(frozen=True, eq=False)
class Chart:
    """A figure that stands still.

    Attributes:
        title: what is written above it.
        size: its width and height in inches.
        draw: given pixels an inch, the figure as it looks on this ground, `(h, w, 3)`.
    """

    title: str
    size: tuple[float, float]
    draw: Callable[[float], Bytes]

    def fitting(self, room: int) -> tuple[int, int]:
        """Its width and height in pixels under its title, where there is so much room in height."""
        width, height = self.size
        dpi = min(CHART_WIDTH / width, max(room - TITLE, LEAST_CHART) / height)
        return round(width * dpi), TITLE + round(height * dpi)

    def still(self, width: int, height: int) -> Bytes:
        """All of it, `(height, width, 3)`."""
        canvas = ground(width, height)
        title = fitted(self.title, font(12, bold=True), width)
        ImageDraw.Draw(canvas).text((0, 8), title, INK, font(12, bold=True), anchor="lm")
        canvas.paste(Image.fromarray(self.draw(width / self.size[0])), (0, TITLE))
        return np.array(canvas)


@dataclass(frozen=True, eq=False)
class _Note:
    """What the signs in distributions mean, in lines."""

    lines: Sequence[str]
    width: int

    @property
    def height(self) -> int:
        return NOTE_LINE * len(self.lines)

    def still(self, width: int, height: int) -> Bytes:
        canvas = ground(width, height)
        for index, line in enumerate(self.lines):
            ImageDraw.Draw(canvas).text((0, index * NOTE_LINE), line, MUTED, font(10), anchor="la")
        return np.array(canvas)


Card = Chart | Marked
_Column = list[Chart | Marked | _Note]


def beside_panels(pictures: Bytes, cards: Sequence[Card]) -> Bytes:
    """Pictures `(N, height, width, 3)` with panels at their right, in as many columns as these need.

    They are as high as the pictures, or as the lowest panel can be; then the pictures stand at the top.
    """
    if not cards:
        return pictures
    count, height, width = pictures.shape[:3]
    places, size = _arranged(cards, height)
    size = size[0], max(height, size[1])
    drawn = np.empty((count, size[1], width + size[0], 3), np.uint8)
    drawn[:, height:, :width] = rgb(PAGE)
    drawn[:, :height, :width] = pictures
    drawn[:, :, width:] = _still(places, size)
    for index, picture in enumerate(drawn[:, :, width:]):
        _paint(picture, places, [index])
    return drawn


def marked_row(cards: Sequence[Marked], width: int, pictures: Sequence[int]) -> Bytes:
    """Distributions side by side, `(h, width, 3)`, each with the marks of all these pictures, by their numbers."""
    inner = width - 2 * GAP
    across = min(len(cards), max(1, (inner + GAP) // (Marked.width * 3 // 4 + GAP)))
    wide, high = (inner + GAP) // across - GAP, Marked.least_height * 4 // 3
    places = [
        _Place(card, GAP + index % across * (wide + GAP), GAP + index // across * (high + GAP), wide, high)
        for index, card in enumerate(cards)
    ]
    note = _note_of(cards, inner)
    places.append(_Place(note, GAP, places[-1].top + high + GAP, inner, note.height))
    row = _still(places, (width, places[-1].top + note.height + GAP))
    _paint(row, places, pictures)
    return row


def on_dark(figure: Bytes) -> Bytes:
    """A chart that is dark on white, `(h, w, 3)`, as light on the pictures' ground; each colour keeps its hue.

    >>> on_dark(np.array([[[255, 255, 255], [0, 0, 0], [36, 87, 214]]], np.uint8)).tolist()
    [[[20, 23, 27], [232, 235, 239], [120, 166, 239]]]
    """
    inverted = 255 - figure.astype(np.float32)
    # The hue turned by half a circle, as CSS's `hue-rotate` has it, undoes what inverting did to it.
    turned = (2 * (inverted @ LUMA)[..., None] - inverted).clip(0, 255) / 255
    dark, light = (np.array(rgb(colour), np.float32) for colour in (PAGE, INK))
    return np.rint(dark + turned * (light - dark)).astype(np.uint8)


def on_ground(figure: Bytes) -> Bytes:
    """What is seen through, `(h, w, 4)`, on the pictures' ground, `(h, w, 3)`."""
    image = Image.fromarray(figure)
    canvas = ground(*image.size)
    canvas.paste(image, mask=image.getchannel("A"))
    return np.asarray(canvas)


class _Place(NamedTuple):
    card: Chart | Marked | _Note
    left: int
    top: int
    width: int
    height: int


def _arranged(cards: Sequence[Card], height: int) -> tuple[list[_Place], tuple[int, int]]:
    """Where each card stands, and width and height of all: columns are filled one after the other."""
    room = max(height - 2 * GAP, Marked.least_height)
    columns = _columns(cards, room)
    stretched = min(_stretched(column, room) for column in columns)
    places, left = [], GAP
    for column in columns:
        top = GAP
        width = max(_least(card, room)[0] for card in column)
        for card in column:
            wide, high = (width, stretched) if isinstance(card, Marked) else _least(card, room)
            places.append(_Place(card, left, top, wide, high))
            top += high + GAP
        left += width + GAP
    return places, (left, GAP + max(place.top + place.height for place in places))


def _columns(cards: Sequence[Card], room: int) -> list[_Column]:
    """The cards by columns; the note stands at the foot of the first that has a distribution."""
    columns = _filled(cards, room, len(cards))
    if all(isinstance(card, Marked) for card in cards):
        # As many in each, as far as that goes.
        columns = _filled(cards, room, -(-len(cards) // len(columns)))
    return columns


def _filled(cards: Sequence[Card], room: int, most: int) -> list[_Column]:
    """Columns of at most so many cards, and the note."""
    note = _note_of(cards, Marked.width)
    first = next((place for place, card in enumerate(cards) if isinstance(card, Marked)), None)
    columns: list[_Column] = [[]]
    free, noted = room, columns[0]
    for place, card in enumerate(cards):
        # The note comes with the first distribution.
        high = _least(card, room)[1] + (GAP + note.height if place == first else 0)
        if columns[-1] and (high > free or len(columns[-1]) == most):
            columns.append([])
            free = room
        columns[-1].append(card)
        free -= high + GAP
        noted = columns[-1] if place == first else noted
    if first is not None:
        noted.append(note)
    return columns


def _least(card: Chart | Marked | _Note, room: int) -> tuple[int, int]:
    """Width, and how high it is at least."""
    if isinstance(card, Chart):
        return card.fitting(room)
    return card.width, card.height if isinstance(card, _Note) else card.least_height


def _stretched(column: _Column, room: int) -> int:
    """How high distributions can be that share this column."""
    count = sum(isinstance(card, Marked) for card in column)
    taken = sum(_least(card, room)[1] for card in column if not isinstance(card, Marked)) + GAP * (len(column) - 1)
    free = (room - taken) // count if count else Marked.most_height
    return max(Marked.least_height, min(Marked.most_height, free))


def _note_of(cards: Sequence[Card], width: int) -> _Note:
    some_original = any(isinstance(card, Marked) and card.original is not None for card in cards)
    told = [SHADED, DOTTED] if some_original else [SHADED]
    line = "  ·  ".join(told)
    return _Note([line] if font(10).getlength(line) <= width else told, width)


def _still(places: Sequence[_Place], size: tuple[int, int]) -> Bytes:
    """All that stands still, `(height, width, 3)`."""
    canvas = np.array(ground(*size))
    for card, left, top, width, height in places:
        canvas[top : top + height, left : left + width] = card.still(width, height)
    return canvas


def _paint(picture: Bytes, places: Sequence[_Place], pictures: Sequence[int]) -> None:
    """Marks pictures, by their numbers, in the distributions of one picture."""
    for card, left, top, width, height in places:
        if isinstance(card, Marked):
            card.paint(picture[top : top + height, left : left + width], pictures)
