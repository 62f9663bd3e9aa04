"""One panel of a profile: statistics, a sentence, a figure; and how every panel draws."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "Panel", "strict"]

# Of the splits, in this order: as the page has them.
COLOURS = ("#2457d6", "#d1495b", "#1f9e89", "#b07aa1")
SIZE = (7.2, 3.4)


@dataclass(frozen=True)
class Panel:
    """What one question about a dataset comes to.

    Attributes:
        name: by which it is found.
        title: as a person reads it.
        statistics: numbers, texts, lists and mappings of these; strict JSON.
        sentence: what it shows, and when to worry.
        draw: puts it on a figure.
        pictures: whether its figure shows samples.
    """

    name: str
    title: str
    statistics: Mapping[str, Any]
    sentence: str
    draw: Callable[[Figure], None]
    pictures: bool = False

    def figure(self) -> Figure:
        """The panel as a matplotlib figure of its own."""
        from matplotlib.figure import Figure

        figure = Figure(SIZE, layout="constrained")
        self.draw(figure)
        for axes in figure.axes:
            axes.spines[["top", "right"]].set_visible(False)
        return figure

    def __repr__(self) -> str:
        return f"Panel({self.name!r})"

    def _repr_png_(self) -> bytes:
        import io

        file = io.BytesIO()
        self.figure().savefig(file, format="png", dpi=110)
        return file.getvalue()


def strict(value: Any) -> Any:
    """As JSON has it: plain types, no NaN or infinity, which become None; floats of six digits.

    >>> strict({"a": np.float32(0.5), "b": [float("nan"), np.int64(3)]})
    {'a': 0.5, 'b': [None, 3]}
    """
    if isinstance(value, Mapping):
        return {str(key): strict(each) for key, each in value.items()}
    if isinstance(value, np.ndarray):
        return strict(value.tolist())
    if isinstance(value, (list, tuple)):
        return [strict(each) for each in value]
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        number = float(value)
        return float(f"{number:.6g}") if math.isfinite(number) else None
    return value if value is None else str(value)
