"""What an impact says, as panels: how far one may go, the curves, what flips and to what, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from augimpact.impact.curves import curves
from augimpact.impact.outcomes import Outcomes, SweptPath
from augimpact.impact.ranges import domain_shares
from augimpact.impact.robustness import confusion, flip_distribution, most_and_least_robust, place_at
from augimpact.impact.safe_range import SafeRange, SafeRanges
from augimpact.profiling.naming import short
from augimpact.profiling.panel import COLOURS, Panel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from augimpact.impact.result import Impact

__all__ = ["impact_panels"]

# Classes of a figure, pairs of a confusion, samples of a list.
MOST_CLASSES, MOST_PAIRS, MOST_SAMPLES = 24, 8, 8
# Height of a row of bars, in inches.
ROW, MARGINS = 0.24, 0.9


def impact_panels(impact: Impact, ranges: SafeRanges | None) -> list[Panel]:
    """The panels of one impact, in the order in which they are read.

    Args:
        impact: of N samples.
        ranges: its safe ranges; what they allow is shaded on the curves. None where no path passes neutral.
    """
    outcomes, table = impact.outcomes, impact.curves()
    by_class = curves(outcomes, "class") if outcomes.samples["class"].nunique() > 1 else None
    panels: list[Panel] = []
    for number, path in enumerate(outcomes.paths):
        of_path, safe = table[table["path"] == number], None if ranges is None else ranges.on(number)
        panels += [] if safe is None else [_range(number, path, safe)]
        panels += [_curve(number, path, of_path, safe), _change(number, path, of_path, safe)]
        if by_class is not None:
            panels.append(_classes(number, path, by_class[by_class["path"] == number], outcomes))
        # Of what flips on the way outwards there is nothing to say where the way does not begin at neutral.
        panels += [] if safe is None else [_flips(number, path, outcomes)]
        panels.append(_confusion(number, path, outcomes))
        panels += [_domain(number, path, outcomes)] if outcomes.measures else []
        panels += [_drift(number, path, of_path)] if outcomes.drifts else []
    panels.append(_robust(outcomes))
    return [*panels, _errors(impact)] if len(impact.errors) else panels


def _range(number: int, path: SweptPath, safe: SafeRange) -> Panel:
    rows = [safe, *safe.classes[:MOST_CLASSES]]

    def draw(figure: Figure) -> None:
        figure.set_size_inches(figure.get_figwidth(), MARGINS + ROW * len(rows))
        axes = figure.subplots()
        for place, each in enumerate(rows):
            colour = COLOURS[0] if each is safe else COLOURS[1]
            ends = each.below.strength, each.above.strength
            axes.plot(ends, (place, place), color=colour, linewidth=7, solid_capstyle="butt")
            axes.plot(ends, (place, place), ".", color=colour, markersize=8)
        names = ["all images", *(each.group for each in rows[1:])]
        axes.set_yticks(range(len(rows)), short(names))
        axes.set_ylim(len(rows) - 0.5, -0.5)
        low, high = float(path.strengths.min()), float(path.strengths.max())
        axes.set(xlabel=path.axis, xlim=(low - 0.02 * (high - low), high + 0.02 * (high - low)))

    return Panel(
        f"range_{number}", f"{_title(path)}: safe range", safe.to_dict(),
        f"{safe} The bars are how far one may go, of all images and of each class alone. Worry about a recipe that "
        "goes further, and about classes whose bar is short.",
        draw,
    )  # fmt: skip


def _curve(number: int, path: SweptPath, table: pd.DataFrame, safe: SafeRange | None) -> Panel:
    metrics = [name for name in ("accuracy", "agreement", "score") if name in table]

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        _shade(axes, safe)
        for place, name in enumerate(metrics):
            _band(axes, table, name, COLOURS[place])
        axes.set(xlabel=path.axis, ylim=(0, 1.02))
        axes.legend()

    first, worst = metrics[0], table.iloc[int(table[metrics[0]].argmin())]
    shaded = "" if safe is None else f"; it is {safe.neutral:.1%} when neutral, and the safe range is shaded"
    return Panel(
        f"curve_{number}", f"{_title(path)}: {first}", _columns(table, metrics),
        f"How the classifier fares along the sweep, with 95% intervals of {int(table['n'].iloc[0]):,} images: {first} "
        f"is least {worst[first]:.1%} at {_at(path, worst)}{shaded}. Worry where it falls steeply beside it.",
        draw,
    )  # fmt: skip


def _change(number: int, path: SweptPath, table: pd.DataFrame, safe: SafeRange | None) -> Panel:
    metric = "accuracy" if "accuracy" in table else "agreement"

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        _shade(axes, safe)
        _band(axes, table, f"{metric}_change", COLOURS[0])
        if safe is not None:
            axes.axhline(-safe.points / 100, color=COLOURS[1], linewidth=1, linestyle="--")
        axes.set(xlabel=path.axis, ylabel="difference from neutral")

    limit = "" if safe is None else f"; dashed is the limit of {safe.points:g} points"
    return Panel(
        f"change_{number}", f"{_title(path)}: change of {metric}", _columns(table, [f"{metric}_change"]),
        f"The difference of {metric} from the same images when neutral, with the 95% interval of a paired bootstrap"
        f"{limit}. Worry where the band lies well below zero.",
        draw,
    )  # fmt: skip


def _classes(number: int, path: SweptPath, table: pd.DataFrame, outcomes: Outcomes) -> Panel:
    metric = "accuracy" if outcomes.has_labels else "agreement"
    # A sweep that comes back has some settings twice.
    grid = table.drop_duplicates(["group", "setting"]).pivot(index="group", columns="setting", values=metric)[path.rows]
    order = grid.mean(axis=1).sort_values().index
    shown = grid.loc[order[:MOST_CLASSES]]

    def draw(figure: Figure) -> None:
        figure.set_size_inches(figure.get_figwidth(), MARGINS + ROW * len(shown))
        axes = figure.subplots()
        image = axes.imshow(shown, aspect="auto", vmin=0, vmax=1, cmap="viridis")
        axes.set_yticks(range(len(shown)), short(list(shown.index)))
        places = np.unique(np.linspace(0, len(path.rows) - 1, 7).round().astype(int))
        axes.set_xticks(places, [f"{path.strengths[place]:.3g}" for place in places])
        axes.set(xlabel=path.axis)
        figure.colorbar(image, label=metric)

    weakest = ", ".join(map(str, order[:3]))
    return Panel(
        f"classes_{number}", f"{_title(path)}: classes", {str(name): row.tolist() for name, row in grid.iterrows()},
        f"{metric.capitalize()} of each class along the sweep, the least robust first: {weakest}. Worry about classes "
        "that break long before the others: a range that is safe on average is not for them.",
        draw,
    )  # fmt: skip


def _flips(number: int, path: SweptPath, outcomes: Outcomes) -> Panel:
    table = flip_distribution(outcomes, number)

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for _, side in table.groupby("side", sort=False):
            side = side.sort_values("strength")
            axes.plot(side["strength"], side["share"], color=COLOURS[0])
            axes.fill_between(side["strength"], side["low"], side["high"], color=COLOURS[0], alpha=0.18, linewidth=0)
        axes.set(xlabel=path.axis, ylabel="share of images that flipped", ylim=(0, 1.02))

    least = table.iloc[int(table["share"].argmax())] if len(table) else None
    told = "nothing flips" if least is None else f"by {_at(path, least)} {least['share']:.1%} did"
    return Panel(
        f"flips_{number}", f"{_title(path)}: first flips", {"rows": table.to_dict("records")},
        f"Which share of the images has another prediction than when neutral somewhere on the way there: {told}. "
        "Worry if many flip at strengths that training uses.",
        draw,
    )  # fmt: skip


def _confusion(number: int, path: SweptPath, outcomes: Outcomes) -> Panel:
    strengths = path.strengths
    found = {float(each): confusion(outcomes, each, number) for each in (strengths.min(), strengths.max())}

    def draw(figure: Figure) -> None:
        several = figure.subplots(len(found), 1, squeeze=False)[:, 0]
        figure.set_size_inches(figure.get_figwidth(), (MARGINS + ROW * MOST_PAIRS) * len(found))
        for axes, (strength, table) in zip(several, found.items(), strict=True):
            rows = table.head(MOST_PAIRS)
            pairs = [f"{one} → {other}" for one, other in zip(rows["from"], rows["to"], strict=True)]
            axes.barh(range(len(rows)), rows["count"], color=COLOURS[1])
            axes.set_yticks(range(len(rows)), short(pairs))
            axes.invert_yaxis()
            axes.set(xlabel=f"images at {path.told(place_at(path, strength))}")

    first = [f"{row['from']} to {row['to']} ({row['count']})" for table in found.values() for row in _records(table, 1)]
    return Panel(
        f"confusion_{number}", f"{_title(path)}: what flips to what",
        {f"{strength:g}": _records(table, 50) for strength, table in found.items()},
        f"What the classifier takes images for at the ends of the sweep that it took for something else when neutral, "
        f"most often {' and '.join(first) or 'nothing'}. Worry about pairs whose confusion costs something.",
        draw,
    )  # fmt: skip


def _domain(number: int, path: SweptPath, outcomes: Outcomes) -> Panel:
    shares = {name: values[path.rows] for name, values in domain_shares(outcomes).items()}

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for (name, values), colour in zip(shares.items(), (*COLOURS, "#b08d4a"), strict=True):
            axes.plot(path.strengths, values, color=colour, label=name)
        axes.set(xlabel=path.axis, ylabel="images inside", ylim=(0, 1.02))
        axes.legend()

    least = min(shares, key=lambda name: float(shares[name].min()))
    return Panel(
        f"domain_{number}", f"{_title(path)}: inside the data's domain",
        {"strength": path.strengths} | shares,
        "Which share of the augmented images has a brightness, contrast, sharpness, saturation and entropy between the "
        f"1st and 99th percentile of the images as they are; {least} leaves it most, down to "
        f"{float(shares[least].min()):.0%}. Worry where curves fall: such images are none that the data has.",
        draw,
    )  # fmt: skip


def _drift(number: int, path: SweptPath, table: pd.DataFrame) -> Panel:
    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for name, colour in (("drift_overlap", COLOURS[0]), ("drift_shift", COLOURS[1])):
            axes.plot(table["strength"], table[name], color=colour, label=name.removeprefix("drift_"))
        axes.set(xlabel=path.axis, ylim=(0, 1.02))
        axes.legend()

    named = [str(name) for name in table if str(name).startswith("drift_")]
    return Panel(
        f"drift_{number}", f"{_title(path)}: where it looks", _columns(table, named),
        "How far the maps moved on the object: the mean distance of their centres in shares of the side (shift), and "
        "what the places looked at most have in common (overlap). Worry where the prediction stays and the overlap "
        "does not: the classifier is right for another reason.",
        draw,
    )  # fmt: skip


def _robust(outcomes: Outcomes) -> Panel:
    samples, classes = most_and_least_robust(outcomes)
    shown = pd.concat([classes.head(MOST_CLASSES // 2), classes.tail(MOST_CLASSES // 2)]).drop_duplicates()

    def draw(figure: Figure) -> None:
        figure.set_size_inches(figure.get_figwidth(), MARGINS + ROW * len(shown))
        axes = figure.subplots()
        error = [shown["right"] - shown["low"], shown["high"] - shown["right"]]
        axes.barh(range(len(shown)), shown["right"], 0.62, xerr=np.abs(error), color=COLOURS[0], ecolor="#667080")
        axes.set_yticks(range(len(shown)), short(list(shown["group"])))
        axes.invert_yaxis()
        axes.set(xlabel="share of all frames that are right", xlim=(0, 1))

    named = samples[["sample_id", "path", "class", "right", "score"]]
    return Panel(
        "robust", "Most and least robust",
        {
            "classes": _records(classes, len(classes)),
            "least": _records(named.tail(MOST_SAMPLES)[::-1], MOST_SAMPLES),
            "most": _records(named, MOST_SAMPLES),
        },
        f"Over all frames the classifier is right most often about {classes['group'].iloc[0]}, least often about "
        f"{classes['group'].iloc[-1]}. Worry about samples at the low end: mislabelled perhaps, or unlike the rest.",
        draw,
    )  # fmt: skip


def _errors(impact: Impact) -> Panel:
    kinds = impact.errors["error"].str.replace(r"\d+", "…", regex=True).value_counts()

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.barh(range(len(kinds)), kinds, color=COLOURS[1])
        axes.set_yticks(range(len(kinds)), short(list(kinds.index)))
        axes.invert_yaxis()
        axes.set(xlabel="images")

    return Panel(
        "errors", "Left out", {"rows": _records(impact.errors, 50), "count": len(impact.errors)},
        f"{len(impact.errors)} images could not be measured. Worry about each: it is missing from every number here.",
        draw,
    )  # fmt: skip


def _band(axes: Axes, table: pd.DataFrame, name: str, colour: str) -> None:
    table = table.sort_values("strength")
    axes.plot(table["strength"], table[name], color=colour, label=name)
    axes.fill_between(table["strength"], table[f"{name}_low"], table[f"{name}_high"], color=colour, alpha=0.18,
                      linewidth=0)  # fmt: skip


def _shade(axes: Axes, safe: SafeRange | None) -> None:
    if safe is not None:
        axes.axvspan(safe.below.strength, safe.above.strength, color=COLOURS[2], alpha=0.12, linewidth=0)


def _columns(table: pd.DataFrame, metrics: Sequence[str]) -> Mapping[str, Any]:
    """Strengths and metrics with their intervals, as lists."""
    ends = ("", "_low", "_high")
    names = [f"{name}{end}" for name in metrics for end in ends if f"{name}{end}" in table]
    return {name: table[name].tolist() for name in ("strength", "n", *names)}


def _records(table: pd.DataFrame, most: int) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in table.head(most).to_dict("records")]


def _title(path: SweptPath) -> str:
    return " and ".join(each.label for each in path.catalogue)


def _at(path: SweptPath, row: Any) -> str:
    """The setting of a row of a table, in words."""
    return path.told(int(np.abs(path.strengths - float(row["strength"])).argmin()))
