"""Panels of a profile or a reference as they stand beside the pictures of a trace: on their ground, at their frames."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from augimpact.errors import UserError
from augimpact.profiling.panel import Panel, quiet_fonts
from augimpact.profiling.reference import MeasurePanel
from augimpact.readout import numbers_of
from augimpact.render.marked import Marked
from augimpact.render.panels import Card, Chart, on_dark, on_ground

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from augimpact.trace import Trace

__all__ = ["AnyPanel", "cards_of", "marked_of"]

AnyPanel = Panel | MeasurePanel
EXPECTED = "panels, such as profile['classes'] or reference['brightness']"


def cards_of(panels: Iterable[AnyPanel], trace: Trace) -> list[Card]:
    """Each panel, as `augimpact.render.panels.beside_panels` takes it.

    Raises:
        UserError: something is no panel, or is of images and the trace of a signal.
    """
    if isinstance(panels, (str, Panel, MeasurePanel)) or not isinstance(panels, Iterable):
        raise UserError(f"panels is {panels!r}; expected a list of {EXPECTED}")
    return [_card(panel, trace) for panel in panels]


def marked_of(panel: MeasurePanel, trace: Trace) -> Marked:
    """The measure's distribution, with the frames of the trace to be marked.

    Raises:
        UserError: the trace is of a signal.
    """
    series = next((each for each in numbers_of(trace) if each["name"] == panel.name), None)
    if series is None:
        raise UserError(f"the panel {panel.name!r} is of images; this trace is of a signal")
    of = panel.distribution
    places = ["" if value is None else of.words(value) for value in series["values"]]
    return Marked(
        panel.name, of.counts, of.edges, of.low, of.high, series["values"], places, series["original"],
        series["decimals"],
    )  # fmt: skip


def _card(panel: Any, trace: Trace) -> Card:
    if isinstance(panel, MeasurePanel):
        return marked_of(panel, trace)
    if not isinstance(panel, Panel):
        raise UserError(f"panels has {panel!r}; expected {EXPECTED}")
    figure = panel.figure()
    width, height = figure.get_size_inches().tolist()
    return Chart(panel.title, (width, height), partial(_drawn, figure, pictures=panel.pictures))


def _drawn(figure: Figure, dpi: float, *, pictures: bool) -> NDArray[np.uint8]:
    """Charts are turned light on dark; pictures keep their colours, on the ground instead of on nothing."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.set_dpi(dpi)
    if pictures:
        for patch in (figure.patch, *(axes.patch for axes in figure.axes)):
            patch.set_alpha(0)
    canvas = FigureCanvasAgg(figure)
    with quiet_fonts():
        canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())
    return on_ground(pixels) if pictures else on_dark(pixels[..., :3])
