"""One picture a frame for reports: the map over the frame, its caption, and the strip of class scores beneath."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from augimpact.render.look import Look
from augimpact.render.overlay import blend
from augimpact.render.values import SCORE_AXIS, ValueAxis

__all__ = ["CLASS_COLOURS", "INK", "MARGIN", "MUTED", "PAGE", "draw", "fitted", "font", "ground", "rgb"]

# One colour for each class that is shown, the same in pictures and in the page.
CLASS_COLOURS = ("#2f6bff", "#e0566a", "#24a98f", "#b583b0", "#b08d4a", "#8793a1")
INK, MUTED, PAGE, WELL = "#e8ebef", "#97a1ae", "#14171b", "#252b33"
# What is narrower than this is enlarged, so that its caption can be read.
CAPTION_WIDTH = 220
CELL_WIDTH = 88
MARGIN, LINE = 8, 22


def draw(
    frames: NDArray[np.uint8],
    maps: NDArray[np.float32],
    *,
    settings: Sequence[str],
    predictions: Sequence[str],
    top_scores: NDArray[np.float32],
    labels: Sequence[str],
    scores: NDArray[np.float32],
    look: Look,
    value_axis: ValueAxis = SCORE_AXIS,
) -> NDArray[np.uint8]:
    """The pictures, `(N, height, width, 3)` uint8.

    Args:
        frames: `(N, H, W, 3)` uint8.
        maps: `(N, h, w)`, stretched over the frames.
        settings: what was done to each frame, in words.
        predictions: the name of each frame's top class, or of what a regression tells.
        top_scores: `(N,)`, its score or value.
        labels: the names of the M classes or outputs of the strip.
        scores: `(N, M)`, theirs.
        look: how they are drawn.
        value_axis: where scores end, and how they are written; by default as probabilities.
    """
    blended = blend(frames, maps, look)
    if not look.caption:
        return np.stack([np.asarray(image) for image in blended])
    zoom = math.ceil(CAPTION_WIDTH / blended[0].width)
    if zoom > 1:
        size = blended[0].width * zoom, blended[0].height * zoom
        blended = [image.resize(size, Image.Resampling.NEAREST) for image in blended]
    width = blended[0].width
    # The classes come by importance: where there is no room for all names, the last are left out.
    shown = max(2, width // CELL_WIDTH)
    strip = _Strip(labels[:shown], width, value_axis)
    pictures = np.empty((len(blended), blended[0].height + LINE + strip.height, width, 3), dtype=np.uint8)
    for frame, image in enumerate(blended):
        footer = ground(width, LINE + strip.height)
        pen = ImageDraw.Draw(footer)
        _caption(pen, width, f"{predictions[frame]}  {value_axis.text(top_scores[frame])}", settings[frame])
        strip.draw(pen, scores[frame, :shown])
        pictures[frame, : image.height] = np.asarray(image)
        pictures[frame, image.height :] = np.asarray(footer)
    return pictures


def _caption(pen: ImageDraw.ImageDraw, width: int, prediction: str, setting: str) -> None:
    """The prediction at the left, the setting at the right; where both do not fit, the setting's name is cut."""
    prediction = fitted(prediction, font(13, bold=True), width - 2 * MARGIN)
    left = MARGIN + font(13, bold=True).getlength(prediction)
    pen.text((MARGIN, LINE / 2 + 1), prediction, INK, font(13, bold=True), anchor="lm")
    setting = fitted(setting, font(12), width - MARGIN - left - 2 * MARGIN, keeps_end=True)
    pen.text((width - MARGIN, LINE / 2 + 1), setting, MUTED, font(12), anchor="rm")


class _Strip:
    """A row of cells, one a class: the higher the score, the stronger its colour; name and number beneath.

    Of values the length of a bar tells: colours are compared with one another, and there may be only one.
    """

    height = 34

    def __init__(self, labels: Sequence[str], width: int, axis: ValueAxis) -> None:
        self.axis = axis
        count = max(len(labels), 1)
        edges = np.linspace(MARGIN, width - MARGIN, count + 1).round().astype(int).tolist()
        self.spans = list(pairwise(edges))
        small = font(10)
        digits = max(small.getlength(f" {axis.text(end)}") for end in (axis.minimum, axis.maximum)) + 4
        self.names = [
            fitted(label, small, right - left - digits)
            for label, (left, right) in zip(labels, self.spans, strict=False)
        ]

    def draw(self, pen: ImageDraw.ImageDraw, scores: NDArray[np.float32]) -> None:
        for index, (name, score, share) in enumerate(zip(self.names, scores, self.axis.shares(scores), strict=True)):
            left, right = self.spans[index]
            colour = CLASS_COLOURS[index % len(CLASS_COLOURS)]
            strength = 0.0 if self.axis.bars else float(share)
            pen.rectangle((left, LINE, right - 4, LINE + 10), fill=rgb(WELL, colour, strength))
            if self.axis.bars and share > 0:
                pen.rectangle((left, LINE, left + (right - 4 - left) * float(share), LINE + 10), fill=colour)
            pen.text((left, LINE + 21), f"{name} {self.axis.text(score)}", MUTED, font(10), anchor="lm")


def rgb(colour: str, other: str = PAGE, share: float = 0) -> tuple[int, int, int]:
    """Red, green and blue of a colour, into which a share of another is mixed.

    >>> rgb("#14171b"), rgb("#000000", "#ff0000", 0.5)
    ((20, 23, 27), (128, 0, 0))
    """
    ends = (bytes.fromhex(each[1:]) for each in (colour, other))
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(*ends, strict=True))
    return red, green, blue


def ground(width: int, height: int) -> Image.Image:
    """What captions and panels lie on."""
    return Image.new("RGB", (width, height), PAGE)


@cache
def font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans as matplotlib carries it: it has the signs that captions need, on every machine."""
    import matplotlib

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name, size)


def fitted(text: str, typeface: ImageFont.FreeTypeFont, width: float, *, keeps_end: bool = False) -> str:
    """The text, cut with an ellipsis where it is wider than there is room, at its end or at its beginning.

    >>> fitted("brightness 0.25", font(12), 60), fitted("brightness 0.25", font(12), 60, keeps_end=True)
    ('brightn…', '…ss 0.25')
    """
    if typeface.getlength(text) <= width:
        return text
    while text and typeface.getlength(text + "…") > width:
        text = text[1:] if keeps_end else text[:-1]
    if not text:
        return ""
    return f"…{text.lstrip()}" if keeps_end else f"{text.rstrip()}…"
