"""The panel of where masks and boxes lie: a map of each class, unless it could be taken for that of one image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from augimpact.profiling.class_sums import FEWEST
from augimpact.profiling.naming import HIDDEN
from augimpact.profiling.object_panels import LETTERS, Objects, Splits
from augimpact.profiling.objects import GRID, Numbers
from augimpact.profiling.panel import Panel, draw_nothing, shortened

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["maps_left_out", "positions"]

# Maps that a figure shows.
MAPS = 4
# What a line of text below them takes, in inches.
LINE = 0.2


def maps_left_out(objects: Objects, shown: Sequence[str], *, shows_samples: bool, have_gaps: bool) -> frozenset[str]:
    """The names of classes whose maps are not told: they could be taken for the annotation of one image, or are hidden.

    Args:
        objects: of a split.
        shown: the classes of which a map is to be told.
        shows_samples: whether single samples may be seen.
        have_gaps: whether the maps of all classes have a sum of 1. Where those that are not told are of few images
            together, or of hidden classes alone, the others give them away: then the largest is not told either.
    """
    few = {name for name, images in objects.different.items() if 0 < len(images) < FEWEST and not shows_samples}
    left_out = few | {HIDDEN}
    told = [name for name in shown if name in objects.maps and name not in left_out]
    others = frozenset().union(*(images for name, images in objects.different.items() if name not in told))
    are_seen = objects.maps.keys() - told == {HIDDEN} or (0 < len(others) < FEWEST and not shows_samples)
    if have_gaps and told and are_seen:
        left_out.add(max(told, key=lambda name: float(objects.maps[name].sum())))
    return frozenset(left_out)


def positions(
    panel: str, title: str, unit: str, splits: Splits, *, shows_samples: bool, have_gaps: bool = False
) -> Panel:
    """Where classes lie: of the largest a map of 32 × 32 cells, of each the centre, in shares of the image's sides.

    Args:
        panel: its name.
        title: in words.
        unit: what a map shows.
        splits: all objects.
        shows_samples: whether single samples may be seen.
        have_gaps: see `maps_left_out`.
    """
    weights: dict[str, float] = {}
    for each in splits.values():
        for name, picture in each.maps.items():
            weights[name] = weights.get(name, 0.0) + float(picture.sum())
    ranked = sorted(weights.keys() - {HIDDEN}, key=lambda name: (-weights[name], name))
    shown = ranked[:MAPS]
    left_out = {
        split: maps_left_out(each, shown, shows_samples=shows_samples, have_gaps=have_gaps)
        for split, each in splits.items()
    }
    maps = {
        split: {name: each.maps[name] for name in shown if name in each.maps and name not in left_out[split]}
        for split, each in splits.items()
    }
    statistics = {
        split: {
            name: {"centre": _centre(each.maps[name])} | ({"map": maps[split][name]} if name in maps[split] else {})
            for name in ranked
            if name in each.maps
        }
        for split, each in splits.items()
    }
    some = f"the {MAPS} largest of {len(ranked)} classes" if len(ranked) > MAPS else ""
    missing = {split: len(names.intersection(shown)) for split, names in left_out.items()}

    def draw(figure: Figure) -> None:
        if not shown:
            draw_nothing(figure)
            return
        side = figure.get_figwidth() / max(2, len(shown))
        figure.set_size_inches(figure.get_figwidth(), (side + 0.3) * len(splits) + 0.2)
        grid = figure.subplots(len(splits), len(shown), squeeze=False)
        for line, split in enumerate(splits):
            for axes, name in zip(grid[line], shown, strict=True):
                axes.set(xticks=[], yticks=[])
                if name in left_out[split]:
                    axes.set(aspect="equal")
                    axes.text(0.5, 0.5, "left out", fontsize=7, ha="center", va="center")
                else:
                    high = max((float(each[name].max()) for each in maps.values() if name in each), default=0.0)
                    picture = maps[split].get(name, np.zeros((GRID, GRID)))
                    axes.imshow(picture, cmap="viridis", vmin=0, vmax=high or 1, extent=(0, 1, 1, 0))
                    axes.set_xlabel(f"0 to {high:.2g}", fontsize=7)
                if not line:
                    axes.set_title(shortened(name, LETTERS), fontsize=7)
            grid[line, 0].set_ylabel(split, fontsize=7)
        if some:
            figure.set_size_inches(figure.get_figwidth(), figure.get_figheight() + LINE)
            figure.supxlabel(some, fontsize=7)

    told = ", ".join(f"{count} in {split}" for split, count in missing.items() if count)
    of_few = (
        f" Maps of fewer than {FEWEST} different images, or that would show those or hidden classes as gaps, are left "
        f"out: {told}{'' if shows_samples else '; samples=1 has those of few images shown'}."
        if told
        else ""
    )
    return Panel(
        panel, title, statistics,
        f"From blue to yellow, {unit}{some and f', of {some}'}. "
        f"Worry when a class is always in one place: a model may learn the place.{of_few}",
        draw, True,
    )  # fmt: skip


def _centre(picture: Numbers) -> list[float] | None:
    """Of what a map shows, x and y; None of nothing."""
    total = picture.sum()
    if not total:
        return None
    middles = (np.arange(GRID) + 0.5) / GRID
    return [float(picture.sum(axis=axis) @ middles / total) for axis in (0, 1)]
