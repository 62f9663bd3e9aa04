"""The panels of any dataset of images: how its images are; and all of them in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augimpact.measures import LEVELS, MEASURES
from augimpact.profiling.annotations import Annotations
from augimpact.profiling.classes import classes
from augimpact.profiling.collect import Collected
from augimpact.profiling.naming import AUGMENTED, Naming
from augimpact.profiling.needs import SIZES, Chosen
from augimpact.profiling.panel import COLOURS, Panel
from augimpact.profiling.pictures import extremes, mean_images, samples
from augimpact.profiling.problems import drift, duplicates, errors, odd, shortcuts
from augimpact.profiling.sizes import sizes
from augimpact.profiling.statistics import quantiles
from augimpact.profiling.summary import RGB_ORDER, summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["general_panels"]

BINS = 40
# Channels in their own colours; and how many values of each may stick out of the figure.
RGB = ("red", "green", "blue")
CHANNELS = {"red": "#d62728", "green": "#2ca02c", "blue": "#1f77b4", "grey": "#7f7f7f"}
PEAKS = 3


def general_panels(
    splits: Mapping[str, Collected],
    annotations: Mapping[str, Annotations],
    naming: Naming,
    *,
    shows_samples: bool,
    chosen: Chosen,
    complete: bool,
    order: str = RGB_ORDER,
) -> list[Panel]:
    """Those that every dataset has, in the order in which they are read.

    Args:
        splits: in which what the chosen panels need was kept.
        annotations: of the same samples, which have classes of their own.
        naming: of classes and samples.
        shows_samples: if single ones may be seen.
        chosen: which panels are made, and of what they tell.
        complete: whether all samples were seen.
        order: of the channels in the user's own images, `RGB` or `BGR`.
    """
    frames = {split: collected.frame for split, collected in splits.items()}
    # The same images once more, augmented, are no other split of classes, and no duplicates.
    raw = {split: frame for split, frame in frames.items() if not split.endswith(AUGMENTED)}
    told = chosen.properties
    makers: dict[str, Callable[[], list[Panel]]] = {
        "summary": lambda: [
            summary(splits, annotations, frames, order, has_sizes=SIZES not in chosen.left_out, complete=complete)
        ],
        "classes": lambda: classes(raw, naming, complete=complete),
        "sizes": lambda: [sizes(frames, naming)],
        **{name: partial(_of_measure, name, frames) for name in MEASURES},
        "colours": lambda: [_colours(splits)],
        "mean_images": lambda: mean_images(splits, naming, shows_samples),
        "samples": lambda: samples(splits, naming),
        "extremes": lambda: extremes(splits, naming, told),
        "duplicates": lambda: [duplicates(raw, [split for split in raw if splits[split].is_coarse])],
        "odd": lambda: [odd(frames, told)],
        "drift": lambda: drift(frames, told),
        "shortcuts": lambda: shortcuts(frames, naming, told),
        "errors": lambda: [errors(splits, naming, shows_samples)],
    }
    return [panel for name, make in makers.items() if name in chosen.panels for panel in make()]


def _of_measure(name: str, frames: Mapping[str, pd.DataFrame]) -> list[Panel]:
    about = MEASURES[name]
    values = {split: frame[name].to_numpy(np.float64) for split, frame in frames.items()}
    high = max((float(each.max()) for each in values.values() if len(each)), default=1.0)
    edges = np.linspace(about.minimum, max(high, 1e-6) if about.maximum > 8 else about.maximum, BINS + 1)
    statistics = {
        split: quantiles(each) | {"histogram": np.histogram(each, edges)[0], "edges": edges}
        for split, each in values.items()
    }

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for (split, each), colour in zip(values.items(), COLOURS, strict=False):
            if len(each):
                shares = np.histogram(each, edges)[0] / len(each)
                axes.stairs(shares, edges, fill=True, color=colour, alpha=0.45, label=split)
                axes.axvline(float(np.median(each)), color=colour, linewidth=1)
        axes.set(xlabel=f"{name}: {about.description}, {about.unit}", ylabel="share of the images")
        axes.legend(fontsize=8)

    medians = ", ".join(f"{np.median(each):.3g} in {split}" for split, each in values.items() if len(each))
    worry = "Worry when the splits lie apart, or a model will see other values."
    sentence = f"The {about.description} of each image; median {medians}. {worry}"
    return [Panel(name, name.capitalize(), statistics, sentence, draw)]


def _colours(splits: Mapping[str, Collected]) -> Panel:
    statistics = {
        split: {f"{channels} channels": counts for channels, counts in collected.colours.items()}
        for split, collected in splits.items()
    }
    curves = {split: _curves(collected.colours) for split, collected in splits.items()}
    top = _top([shares for each in curves.values() for shares in each.values()])
    cut = "" if top is None else " Peaks above the figure are cut off."

    def draw(figure: Figure) -> None:
        rows = -(-len(splits) // 2)
        figure.set_size_inches(figure.get_figwidth(), figure.get_figheight() * (1 + 0.7 * (rows - 1)))
        grid = figure.subplots(rows, min(2, len(splits)), sharey=True, squeeze=False).ravel()
        for axes, (split, each) in zip(grid, curves.items(), strict=False):
            for name, shares in each.items():
                axes.plot(np.arange(LEVELS), shares, color=CHANNELS.get(name), linewidth=1, label=name)
            axes.set(xlabel=f"value, 0 to 255, in {split}", xlim=(0, LEVELS - 1))
        for axes in grid[len(splits) :]:
            axes.axis("off")
        # Shared by all.
        grid[0].set_ylim(0, top)
        grid[0].legend()
        for axes in grid[:: min(2, len(splits))]:
            axes.set_ylabel("share of the pixels")
        if top is not None:
            grid[0].text(0.98, 0.98, "peaks are cut off", size=7, ha="right", va="top", transform=grid[0].transAxes)

    return Panel(
        "colours", "Colours", statistics,
        f"How often each value is in a channel.{cut} Worry about peaks at the ends: what is clipped is lost.",
        draw,
    )  # fmt: skip


def _curves(colours: Mapping[int, NDArray[np.int64]]) -> dict[str, NDArray[np.float64]]:
    """The share of each value by the name of the channel; the red of images with a fourth channel is red as well."""
    counts: dict[str, NDArray[np.int64]] = {}
    for several in colours.values():
        numbered = [f"{number} of {len(several)}" for number in range(1, len(several) + 1)]
        names = {1: ["grey"], 3: RGB, 4: [*RGB, "fourth"]}.get(len(several), numbered)
        for name, each in zip(names, several, strict=True):
            counts[name] = counts.get(name, np.zeros(LEVELS, np.int64)) + each
    return {name: each / max(1, each.sum()) for name, each in counts.items()}


def _top(curves: Sequence[NDArray[np.float64]]) -> float | None:
    """Where a figure ends so that a few values that are in most pixels do not flatten all others; None is above all."""
    usual = max((float(np.sort(each)[-1 - PEAKS]) for each in curves), default=0.0)
    highest = max((float(each.max()) for each in curves), default=0.0)
    return 1.1 * usual if 0 < 2 * usual < highest else None
