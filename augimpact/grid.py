"""Two parameters against each other: a grid of settings, and the surface of scores over it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augimpact.augment.parameters import Parameter, resolve
from augimpact.errors import SweepError
from augimpact.files import written_whole
from augimpact.formats import Format, format_of, write_code, write_csv, write_document
from augimpact.models.outputs import Outputs
from augimpact.render.values import ValueAxis
from augimpact.sweep import MAX_FRAMES, catalogue_of, settings_frame

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["SURFACE_FORMATS", "Grid", "Surface", "surface_payload"]

# More classes than this are not told apart by colour.
COLOURED = 10


class Grid:
    """Every combination of two parameters' values; others may be held.

    Args:
        **parameters: two as `(start, end, steps)`, the first of which runs from left to right and the second upwards;
            any other as a number.

    Raises:
        SweepError: not two of them run, fewer than 2 steps, or more settings than 2000.
        ParameterError: an unknown parameter, or a value outside its range.

    >>> grid = Grid(rotation=(-90, 90, 3), brightness=(0.5, 2, 2), zoom=1.2)
    >>> grid.axes, grid.shape
    (('rotation', 'brightness'), (2, 3))
    """

    def __init__(self, /, **parameters: Any) -> None:
        self.catalogue = catalogue_of(parameters)
        self.parameters: Mapping[str, Any] = dict(parameters)
        running = {name: value for name, value in parameters.items() if np.ndim(value)}
        if len(running) != 2:
            raise SweepError(f"a grid of {len(running)} running parameters; expected two, each as (start, end, steps)")
        self.axes: tuple[str, str] = tuple(running)  # type: ignore[assignment]
        self.values = tuple(_steps(self.catalogue[name], value) for name, value in running.items())
        self._held = {name: float(value) for name, value in parameters.items() if not np.ndim(value)}
        if np.prod(self.shape) > MAX_FRAMES:
            raise SweepError(f"a grid of {self.shape[1]} × {self.shape[0]} settings; expected at most {MAX_FRAMES}")
        self._resolved = resolve(self._columns(), self.catalogue)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.values[1]), len(self.values[0])

    def settings(self, catalogue: Mapping[str, Parameter] | None = None) -> pd.DataFrame:
        """One row a setting, the first parameter running fastest; a column for every parameter of the catalogue.

        Raises:
            ParameterError: the grid changes what the given catalogue does not have.
        """
        return settings_frame(self._resolved, int(np.prod(self.shape)), self.parameters, catalogue or self.catalogue)

    def recipe(self) -> dict[str, Any]:
        """What makes this grid again, in plain types."""
        return {
            "parameters": {name: np.asarray(value, dtype=float).tolist() for name, value in self.parameters.items()}
        }

    def __repr__(self) -> str:
        return f"Grid({', '.join(f'{name}={value!r}' for name, value in self.parameters.items())})"

    def _columns(self) -> dict[str, Any]:
        across, up = np.meshgrid(*self.values)
        return self._held | dict(zip(self.axes, (across.ravel(), up.ravel()), strict=True))


@dataclass(frozen=True, eq=False)
class Surface:
    """What a model says over a grid of R rows and K columns.

    Attributes:
        axes: the two parameters, across and up.
        across: `(K,)` values of the first.
        up: `(R,)` values of the second.
        scores: `(R, K, C)` float32.
        outputs: what the C outputs mean.
        target: the output whose score is drawn.
        recipe: what made it.
    """

    axes: tuple[Parameter, Parameter]
    across: NDArray[np.float64]
    up: NDArray[np.float64]
    scores: NDArray[np.float32]
    outputs: Outputs
    target: int
    recipe: dict[str, Any] = field(repr=False)

    def __repr__(self) -> str:
        rows, columns, _ = self.scores.shape
        image = self.recipe["image"]["name"]
        return f"Surface({columns} × {rows} settings of {image!r}, {self.axes[0].name} × {self.axes[1].name})"

    @property
    def predictions(self) -> NDArray[np.int64]:
        """The state of each setting, `(R, K)`: its top class, or whether the target has reached its threshold."""
        return self.outputs.states(self.scores.reshape(-1, self.scores.shape[-1]), self.target).reshape(
            self.scores.shape[:2]
        )

    def ranked(self) -> tuple[NDArray[np.int64], list[str], list[int]]:
        """The states by how often they occur, the most frequent first.

        Returns:
            The rank of each setting's state, `(R, K)`; the name of each rank; how many settings have it.
        """
        states, places, counts = np.unique(self.predictions, return_inverse=True, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        names = [self.outputs.state_name(int(states[index]), self.target) for index in order]
        return rank[places].reshape(self.predictions.shape), names, counts[order].tolist()

    def value_axis(self) -> ValueAxis:
        """What the target's score or value is drawn on: its range, or more where values pass it."""
        low, high = self.outputs.axis([self.target])
        values = self.scores[..., self.target]
        if self.outputs.are_classes:
            return ValueAxis(low, high)
        unit = self.outputs.units[self.target]
        if low <= values.min() and values.max() <= high:
            return ValueAxis(low, high, unit, bars=True)
        return ValueAxis.around([low, high, values.min(), values.max()], unit, bars=True)

    def table(self) -> pd.DataFrame:
        """One row a setting: both parameters, the state, its score, and the target's."""
        across, up = np.meshgrid(self.across, self.up)
        states = self.predictions.ravel()
        table = pd.DataFrame({self.axes[0].name: across.ravel(), self.axes[1].name: up.ravel()})
        table["prediction"] = [self.outputs.state_name(int(state), self.target) for state in states]
        if self.outputs.are_classes:
            table["score"] = self.scores.max(axis=-1).ravel()
        table["target"] = self.outputs.names[self.target]
        table["target_score"] = self.scores[..., self.target].ravel()
        return table.rename_axis("setting")

    def figure(self) -> Figure:
        """The target's score, and what is predicted, over the grid."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(11, 4.6), layout="constrained")
        figure.suptitle(f"{self.recipe['image']['name']} · {self.recipe['classifier']['name']}", fontsize=10)
        left, right = figure.subplots(1, 2, sharex=True, sharey=True)
        axis = self.value_axis()
        mesh = left.pcolormesh(
            self.across,
            self.up,
            self.scores[..., self.target],
            vmin=axis.minimum,
            vmax=axis.maximum,
            cmap="viridis",
            shading="nearest",
        )
        figure.colorbar(mesh, ax=left)
        left.set_title(f"{'score' if self.outputs.are_classes else 'value'} of {self.outputs.names[self.target]}")
        self._draw_predictions(right)
        for axes in (left, right):
            axes.set_xlabel(_axis_label(self.axes[0]))
            for parameter, draw in ((self.axes[0], axes.axvline), (self.axes[1], axes.axhline)):
                draw(parameter.neutral, color="white", linewidth=0.8, linestyle=":")
        left.set_ylabel(_axis_label(self.axes[1]))
        # From start to end as the grid was asked for, whether neutral lies inside or not.
        left.set_xlim(_edges(self.across))
        left.set_ylim(_edges(self.up))
        return figure

    def _draw_predictions(self, axes: Any) -> None:
        """The states as coloured areas, the most frequent ones named."""
        from matplotlib import colormaps
        from matplotlib.colors import ListedColormap
        from matplotlib.patches import Patch

        ranks, names, _ = self.ranked()
        colours = [colormaps["tab10"](index) for index in range(COLOURED)] + ["#999999"]
        shown = np.minimum(ranks, COLOURED)
        axes.pcolormesh(
            self.across, self.up, shown, cmap=ListedColormap(colours), vmin=-0.5, vmax=COLOURED + 0.5, shading="nearest"
        )
        patches = [Patch(color=colours[index], label=name) for index, name in enumerate(names[:COLOURED])]
        if len(names) > COLOURED:
            patches.append(Patch(color=colours[-1], label=f"{len(names) - COLOURED} others"))
        axes.legend(handles=patches, loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=8, frameon=False)
        axes.set_title("prediction")

    def save(self, path: str | Path) -> Path:
        """Writes the figure (`.png`, `.svg`, `.pdf`), the table (`.csv`), all of it (`.json`) or the code (`.py`).

        Raises:
            OutputError: the suffix is none of these, or the file cannot be written.
        """
        write = format_of(path, formats=SURFACE_FORMATS).write
        with written_whole(path) as temporary, temporary.open("wb") as file:
            write(self, file)
        return Path(path)

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        self.figure().savefig(file, format="png", dpi=100)
        return file.getvalue()


def surface_payload(surface: Surface) -> dict[str, Any]:
    """All that the browser needs to draw a surface of R rows and K columns.

    Returns:
        `axes`, across and up: each with `name`, `label`, `unit`, `neutral` and its `values`; `scores`: R × K numbers of
        32 bits (little-endian), the target's, lowest row first; `best`: likewise the score of what is predicted, None
        for values; `ranks`: R × K numbers of 16 bits, which state, by how often it occurs; `names` and `counts` of
        these states; `target`, `kind` (`score` or `value`), `value_axis`, `threshold` (None for classes).
    """
    ranks, names, counts = surface.ranked()
    outputs, target = surface.outputs, surface.target
    return {
        "axes": [
            {
                "name": parameter.name,
                "label": parameter.label,
                "unit": parameter.unit,
                "neutral": float(parameter.neutral),
                "values": values.tolist(),
            }
            for parameter, values in zip(surface.axes, (surface.across, surface.up), strict=True)
        ],
        "scores": surface.scores[..., target].astype("<f4").tobytes(),
        "best": surface.scores.max(axis=-1).astype("<f4").tobytes() if outputs.are_classes else None,
        "ranks": ranks.astype("<u2").tobytes(),
        "names": names,
        "counts": counts,
        "target": outputs.names[target],
        "kind": "score" if outputs.are_classes else "value",
        "value_axis": surface.value_axis().payload(),
        "threshold": None if outputs.are_classes else outputs.thresholds[target],
    }


def _figure_as(kind: str) -> Format:
    def write(surface: Surface, file: BinaryIO) -> None:
        surface.figure().savefig(file, format=kind, dpi=150)

    return Format(write)


def _write_json(surface: Surface, file: BinaryIO) -> None:
    write_document(file, {"recipe": surface.recipe, "settings": surface.table().to_dict(orient="records")})


SURFACE_FORMATS: Mapping[str, Format] = {
    ".png": _figure_as("png"),
    ".svg": _figure_as("svg"),
    ".pdf": _figure_as("pdf"),
    ".csv": Format(lambda surface, file: write_csv(file, surface.table())),
    ".json": Format(_write_json),
    ".py": Format(lambda surface, file: write_code(file, surface)),
}


def _steps(parameter: Parameter, value: Any) -> NDArray[np.float64]:
    expected = f"expected (start, end, steps) with two different ends and 2 to {MAX_FRAMES} steps"
    if np.ndim(value) != 1 or len(value) != 3:
        raise SweepError(f"{parameter.name} is {value!r}; {expected}")
    start, end = parameter.check(value[:2])
    steps = float(value[2])
    if not 2 <= steps <= MAX_FRAMES or steps != int(steps) or start == end:
        raise SweepError(f"{parameter.name} is {value!r}; {expected}")
    return np.linspace(start, end, int(steps))


def _edges(values: NDArray[np.float64]) -> tuple[float, float]:
    """The outer edges of the first and the last cell, in this order."""
    half = (values[1] - values[0]) / 2
    return float(values[0] - half), float(values[-1] + half)


def _axis_label(parameter: Parameter) -> str:
    return f"{parameter.label} ({parameter.unit})" if parameter.unit else parameter.label
