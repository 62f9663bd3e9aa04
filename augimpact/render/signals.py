"""Signals as pictures: the curve of each channel, on one scale for all frames, for a map to be laid under."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

__all__ = ["draw_signals"]

WIDTH, HEIGHT = 800, 200
# Drawn at this many times the size and scaled down, so that lines are smooth.
SMOOTHING = 2
MARGIN = 12
PAPER, ZERO = "#3a414b", "#59626e"
CHANNEL_COLOURS = ("#ffffff", "#7fd6ff", "#ffd479", "#b6f09c", "#ffb3c7", "#d0c2ff")


def draw_signals(signals: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Pictures `(N, 200, 800, 3)` of signals `(N, C, T)`; a channel that is not finite is left out where it is not."""
    finite = signals[np.isfinite(signals)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if low == high:
        low, high = low - 1, high + 1
    height, width = HEIGHT * SMOOTHING, WIDTH * SMOOTHING
    margin = MARGIN * SMOOTHING
    # A sample stands in the middle of its share of the width, as a cell of the map does.
    across = (np.arange(signals.shape[-1]) + 0.5) * width / signals.shape[-1]
    down = margin + (high - signals.astype(np.float64)) / (high - low) * (height - 2 * margin)
    zero = margin + high / (high - low) * (height - 2 * margin)
    pictures = np.empty((len(signals), HEIGHT, WIDTH, 3), dtype=np.uint8)
    for frame, channels in enumerate(down):
        image = Image.new("RGB", (width, height), PAPER)
        pen = ImageDraw.Draw(image)
        if 0 < zero < height:
            pen.line([(0, zero), (width, zero)], ZERO, SMOOTHING)
        for index, heights in enumerate(channels):
            kept = np.isfinite(heights)
            points = list(zip(across[kept].tolist(), heights[kept].tolist(), strict=True))
            pen.line(points, CHANNEL_COLOURS[index % len(CHANNEL_COLOURS)], 2 * SMOOTHING, joint="curve")
        pictures[frame] = np.asarray(image.resize((WIDTH, HEIGHT), Image.Resampling.BOX))
    return pictures
