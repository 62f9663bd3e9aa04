"""What two impacts say beside each other, as panels: safe ranges, both curves and their difference, who gains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from augimpact.impact.comparing import DIFFERENCE, Pair, compared_curves
from augimpact.impact.outcomes import SweptPath
from augimpact.impact.safe_range import SafeRange, SafeRanges
from augimpact.profiling.naming import short
from augimpact.profiling.panel import COLOURS, Panel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["compared_panels"]

MOST_CLASSES = 24
# In inches: of a row, of what is around rows, and of two charts above each other.
ROW, MARGINS, TWO = 0.24, 0.9, 4.4
Names = tuple[str, str]
ENDS = ("", "_low", "_high")


def compared_panels(pair: Pair, names: Names, ranges: tuple[SafeRanges, SafeRanges] | None) -> list[Panel]:
    """The panels of two impacts, in the order in which they are read.

    Args:
        pair: two impacts of the same samples.
        names: of the two.
        ranges: their safe ranges. None where no path passes neutral.
    """
    metric = "accuracy" if pair.first.has_labels else "agreement"
    table = compared_curves(*pair, names=names)
    several = pair.first.samples["class"].nunique() > 1
    by_class = compared_curves(*pair, "class", names=names) if several else None
    panels: list[Panel] = []
    for number, path in enumerate(pair.first.paths):
        safe = [each.on(number) for each in ranges or ()]
        if found := [each for each in safe if each is not None]:
            panels.append(_ranges(number, path, names, found))
        panels.append(_curves(number, path, names, metric, table[table["path"] == number]))
        if by_class is not None:
            panels.append(_classes(number, path, names, metric, by_class[by_class["path"] == number]))
        panels.append(_alone(number, path, names, pair))
    return panels


def _ranges(number: int, path: SweptPath, names: Names, found: Sequence[SafeRange]) -> Panel:
    def draw(figure: Figure) -> None:
        figure.set_size_inches(figure.get_figwidth(), MARGINS + 2 * ROW * len(found))
        axes = figure.subplots()
        for place, (each, colour) in enumerate(zip(found, COLOURS, strict=False)):
            ends = each.below.strength, each.above.strength
            axes.plot(ends, (place, place), color=colour, linewidth=9, solid_capstyle="butt")
            axes.plot(ends, (place, place), ".", color=colour, markersize=10)
        axes.set_yticks(range(len(names)), short(names))
        low, high = float(path.strengths.min()), float(path.strengths.max())
        margin = 0.02 * (high - low)
        axes.set(xlabel=path.axis, xlim=(low - margin, high + margin), ylim=(len(names) - 0.5, -0.5))

    told = " ".join(f"{name!r}: {each}" for name, each in zip(names, found, strict=True))
    return Panel(
        f"ranges_{number}", f"{_title(path)}: both safe ranges",
        {name: each.to_dict() for name, each in zip(names, found, strict=True)},
        f"{told} Each is measured from its own neutral value: worry where the one that goes further begins lower.",
        draw,
    )  # fmt: skip


def _curves(number: int, path: SweptPath, names: Names, metric: str, table: pd.DataFrame) -> Panel:
    parts = {str(name): part.sort_values("strength") for name, part in table.groupby("impact", sort=False)}

    def draw(figure: Figure) -> None:
        figure.set_size_inches(figure.get_figwidth(), TWO)
        both, away = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        for name, colour in zip(names, COLOURS, strict=False):
            _band(both, parts[name], metric, colour, name)
        both.set(ylabel=metric, ylim=(0, 1.02))
        both.legend()
        _band(away, parts[DIFFERENCE], metric, COLOURS[2], DIFFERENCE)
        away.axhline(0, color="#667080", linewidth=1)
        away.set(xlabel=path.axis, ylabel="difference")

    told, count = parts[DIFFERENCE], int(table["n"].iloc[0])
    gained = told.iloc[int(told[metric].argmax())]
    lost = told.iloc[int(told[metric].argmin())]
    return Panel(
        f"compared_{number}", f"{_title(path)}: {metric} of both",
        {
            name: {column: part[column].tolist() for column in ("strength", *(f"{metric}{end}" for end in ENDS))}
            for name, part in parts.items()
        },
        f"Above {metric} of each, below that of {names[1]!r} less that of {names[0]!r} over the same {count:,} images, "
        f"with 95% intervals of each strength alone. {names[1]!r} is furthest ahead at {_at(path, gained)}, by "
        f"{_told(gained, metric)}, and least so at {_at(path, lost)}, by {_told(lost, metric)}. Where the lower band "
        "holds zero either may be the better one. Worry where it lies below.",
        draw,
    )  # fmt: skip


def _classes(number: int, path: SweptPath, names: Names, metric: str, table: pd.DataFrame) -> Panel:
    away = table[table["impact"] == DIFFERENCE]
    # A sweep that comes back has some settings twice.
    grid = away.drop_duplicates(["group", "setting"]).pivot(index="group", columns="setting", values=metric)[path.rows]
    mean = grid.mean(axis=1).sort_values(kind="stable")
    order = mean.index
    # Of many classes those that lose most and those that gain most.
    half = MOST_CLASSES // 2
    shown = grid.loc[order if len(order) <= MOST_CLASSES else [*order[:half], *order[-half:]]]
    widest = max(float(np.abs(shown.to_numpy()).max()), 0.01)

    def draw(figure: Figure) -> None:
        figure.set_size_inches(figure.get_figwidth(), MARGINS + ROW * len(shown))
        axes = figure.subplots()
        image = axes.imshow(shown, aspect="auto", vmin=-widest, vmax=widest, cmap="RdBu")
        axes.set_yticks(range(len(shown)), short(list(shown.index)))
        places = np.unique(np.linspace(0, len(path.rows) - 1, 9).round().astype(int))
        axes.set_xticks(places, [f"{path.strengths[place]:.3g}" for place in places])
        axes.set(xlabel=path.axis)
        figure.colorbar(image, label=DIFFERENCE)

    least, most = str(order[0]), str(order[-1])
    return Panel(
        f"compared_classes_{number}", f"{_title(path)}: which classes gain",
        {str(name): row.tolist() for name, row in grid.iterrows()},
        f"{metric.capitalize()} of {names[1]!r} less that of {names[0]!r}, class by class: over the sweep {most} gains "
        f"most ({_points(float(mean.iloc[-1]))} points), {least} least ({_points(float(mean.iloc[0]))} points). Worry "
        "about classes that pay for what the others gain.",
        draw,
    )  # fmt: skip


def _alone(number: int, path: SweptPath, names: Names, pair: Pair) -> Panel:
    one, other = (impact.right[:, path.rows] for impact in pair)
    order = np.argsort(path.strengths, kind="stable")
    counts = {names[0]: (one & ~other).sum(axis=0)[order], names[1]: (other & ~one).sum(axis=0)[order]}

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for (name, values), colour in zip(counts.items(), COLOURS, strict=False):
            axes.plot(path.strengths[order], values, color=colour, label=name)
        axes.set(xlabel=path.axis, ylabel="images that it alone gets right")
        axes.legend()

    furthest = int(np.argmax(counts[names[0]]))
    many, where = int(counts[names[0]][furthest]), path.told(int(order[furthest]))
    return Panel(
        f"only_one_{number}", f"{_title(path)}: right in one alone",
        {"strength": path.strengths[order].tolist(), "alone": {name: each.tolist() for name, each in counts.items()}},
        f"How many of {len(pair.first):,} images only one of the two gets right; {names[0]!r} alone at most {many}, at "
        f"{where}. Worry where both numbers are high: as many images were lost as gained, and accuracy hides it.",
        draw,
    )  # fmt: skip


def _band(axes: Axes, table: pd.DataFrame, metric: str, colour: str, label: str) -> None:
    axes.plot(table["strength"], table[metric], color=colour, label=label)
    ends = table[f"{metric}_low"], table[f"{metric}_high"]
    axes.fill_between(table["strength"], *ends, color=colour, alpha=0.18, linewidth=0)


def _title(path: SweptPath) -> str:
    return " and ".join(each.label for each in path.catalogue)


def _at(path: SweptPath, row: Mapping[str, Any] | pd.Series[Any]) -> str:
    return path.told(int(np.abs(path.strengths - float(row["strength"])).argmin()))


def _told(row: pd.Series[Any], metric: str) -> str:
    """A difference and its interval.

    >>> _told(pd.Series({"accuracy": 0.25, "accuracy_low": -0.125, "accuracy_high": 0.5}), "accuracy")
    '+25.0 points (−12.5 to +50.0)'
    """
    value, low, high = (_points(float(row[f"{metric}{end}"])) for end in ENDS)
    return f"{value} points ({low} to {high})"


def _points(share: float) -> str:
    digits = f"{abs(100 * share):.1f}"
    return digits if float(digits) == 0 else f"{'−' if share < 0 else '+'}{digits}"
