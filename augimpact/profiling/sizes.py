"""The panel of sizes: how wide and high the images are, and how large those of each class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augimpact.profiling.classes import SHOWN, most_frequent
from augimpact.profiling.naming import Naming, natural
from augimpact.profiling.object_panels import ROW, draw_quartiles
from augimpact.profiling.panel import COLOURS, Panel
from augimpact.profiling.statistics import quantiles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["sizes"]

# Cuts of the histogram.
BINS = 40
SIDE = "size (the side of a square of the same area)"


def sizes(frames: Mapping[str, pd.DataFrame], naming: Naming) -> Panel:
    """Width, height and aspect of the images; the size by class, where there are classes."""
    by_class = {split: _by_class(frame, naming) for split, frame in frames.items()}
    statistics: dict[str, dict[str, Any]] = {}
    for split, frame in frames.items():
        wide, high = (frame[name].to_numpy(np.float64) for name in ("width", "height"))
        statistics[split] = {
            "width": quantiles(wide),
            "height": quantiles(high),
            "aspect": quantiles(wide / high),
            # Pairs of numbers are compared as complex ones several times as fast as frames compare their rows.
            "sizes": len(np.unique(wide + 1j * high)),
        } | ({"size_by_class": by_class[split]} if by_class[split] else {})
    several = max(each["sizes"] for each in statistics.values())
    told = f"Width, height and aspect of the images, in {several} {'size' if several == 1 else 'sizes'}. "
    everywhere = sorted({name for each in by_class.values() for name in each}, key=natural)
    shown = _most_frequent(next(iter(by_class.values())), everywhere)
    some = most_frequent(len(everywhere))
    told += f"Below, median and quartiles of the {SIDE} of {some or 'each class'}. " if everywhere else ""

    def draw(figure: Figure) -> None:
        if not everywhere:
            left, right = figure.subplots(1, 2)
            _draw_shapes(left, right, frames)
            return
        figure.set_size_inches(figure.get_figwidth(), figure.get_figheight() + 0.6 + ROW * len(shown))
        # Of the legend and the label as well, whatever number of classes there is.
        places = [["shapes", "aspects"], ["classes", "classes"]]
        axes: dict[str, Axes] = figure.subplot_mosaic(places, height_ratios=[8, len(shown) + 1])
        _draw_shapes(axes["shapes"], axes["aspects"], frames)
        draw_quartiles(axes["classes"], by_class, shown)
        axes["classes"].set_xlabel(f"{SIDE}, pixels")
        axes["classes"].set_ylabel(some)

    return Panel("sizes", "Sizes", statistics, f"{told}Worry when a model scales them all alike.", draw)


def _by_class(frame: pd.DataFrame, naming: Naming) -> dict[str, dict[str, float | None]]:
    """Quantiles of the size, by the name of the class."""
    labels = frame["label"].to_numpy()
    order = np.argsort(labels, kind="stable")
    side = np.sqrt(frame["width"].to_numpy(np.float64) * frame["height"].to_numpy())[order]
    numbers = np.unique(labels[labels >= 0])
    # Before the first are those without a label.
    parts = np.split(side, np.searchsorted(labels[order], numbers))[1:]
    found: dict[str, list[NDArray[np.float64]]] = {}
    for number, part in zip(numbers.tolist(), parts, strict=True):
        found.setdefault(naming.label(number), []).append(part)
    return {name: quantiles(np.concatenate(found[name])) for name in sorted(found, key=natural)}


def _most_frequent(counted: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> list[str]:
    """So many as are shown, in their order."""
    ranked = sorted(names, key=lambda name: -counted[name]["count"] if name in counted else 0)[:SHOWN]
    return [name for name in names if name in ranked]


def _draw_shapes(left: Axes, right: Axes, frames: Mapping[str, pd.DataFrame]) -> None:
    aspects = {split: (frame["width"] / frame["height"]).to_numpy() for split, frame in frames.items()}
    edges = np.histogram_bin_edges(np.concatenate([*aspects.values()]), BINS)
    for (split, frame), colour in zip(frames.items(), COLOURS, strict=False):
        shapes = frame.groupby(["width", "height"]).size()
        wide, high = shapes.index.get_level_values(0), shapes.index.get_level_values(1)
        left.scatter(wide, high, 6 + 40 * shapes / max(1, shapes.max()), color=colour, alpha=0.6, label=split)
        if len(frame):
            shares = np.histogram(aspects[split], edges)[0] / len(frame)
            right.stairs(shares, edges, fill=True, color=colour, alpha=0.6)
    left.set(xlabel="width, pixels", ylabel="height, pixels")
    right.set(xlabel="width over height", ylabel="share of the images")
    left.legend(fontsize=8)
