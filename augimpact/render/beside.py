"""Several sequences of pictures as one, side by side under their titles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import ImageDraw

from augimpact.render.picture import INK, MARGIN, PAGE, fitted, font, ground, rgb

__all__ = ["beside"]

TITLE_HEIGHT, GAP = 26, 8


def beside(sequences: Sequence[NDArray[np.uint8]], titles: Sequence[str]) -> NDArray[np.uint8]:
    """One sequence `(N, height, width, 3)` of M sequences `(N, h, w, 3)` of equal length, each under its title.

    Where they differ in height, the lower ones stand at the top.
    """
    height = max(each.shape[1] for each in sequences)
    columns = []
    for pictures, title in zip(sequences, titles, strict=True):
        width = pictures.shape[2]
        column = np.empty((len(pictures), TITLE_HEIGHT + height, width, 3), dtype=np.uint8)
        column[:] = rgb(PAGE)
        header = ground(width, TITLE_HEIGHT)
        text = fitted(title, font(13, bold=True), width - 2 * MARGIN)
        ImageDraw.Draw(header).text((MARGIN, TITLE_HEIGHT / 2), text, INK, font(13, bold=True), anchor="lm")
        column[:, :TITLE_HEIGHT] = np.asarray(header)
        column[:, TITLE_HEIGHT : TITLE_HEIGHT + pictures.shape[1]] = pictures
        columns.append(column)
        gap = np.empty((len(pictures), TITLE_HEIGHT + height, GAP, 3), dtype=np.uint8)
        gap[:] = rgb(PAGE)
        columns.append(gap)
    return np.concatenate(columns[:-1], axis=2)
