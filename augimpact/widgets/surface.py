"""Two parameters against each other as a widget: scores and predictions over a grid, one setting to choose."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from augimpact.errors import UserError
from augimpact.formats import file_bytes
from augimpact.grid import SURFACE_FORMATS, Surface, surface_payload
from augimpact.render.overlay import colour_table
from augimpact.render.page import bundle, style
from augimpact.widgets.handing_over import FileMaker, file_name

__all__ = ["SurfaceView"]

HERE = Path(__file__).parent
RENDER = HERE.parent / "render"


class SurfaceView(anywidget.AnyWidget):
    """Shows a surface: the target's score and what is predicted, side by side; hover, choose, save.

    Args:
        surface: what `augimpact.analyze_grid` returned; None shows an empty card until `show` is called.
        code: the Python that makes this surface, offered to be copied; none by default.

    Attributes:
        chosen: the setting that is marked, by both parameters' names, as in `{"rotation": 30.0, "brightness": 1.5}`;
            empty where none is. A person sets it by click or Enter; it can be set, and then marks the cell nearest to
            it. Set to `{}`, it lets the same setting be chosen anew.

    Raises:
        TraitError: `chosen` names other parameters than those of the surface, or gives no numbers.
    """

    _esm = bundle(HERE / "surface.js")
    _css = style(RENDER / "player.css", RENDER / "surface.css")

    payload = traitlets.Dict().tag(sync=True)
    colours = traitlets.Bytes().tag(sync=True)
    chosen = traitlets.Dict().tag(sync=True)

    def __init__(self, surface: Surface | None = None, *, code: str = "", **options: Any) -> None:
        self.surface: Surface | None = None
        super().__init__(colours=colour_table("viridis").tobytes(), **options)
        self._files = FileMaker(self)
        self.on_msg(self._on_message)
        if surface is not None:
            self.show(surface, code)

    def show(self, surface: Surface, code: str = "") -> None:
        """Replaces what is shown; nothing of it is chosen."""
        payload = surface_payload(surface) | ({"code": code} if code else {})
        # One message for both, so that the page never looks for a setting of one grid in the other.
        with self.hold_sync():
            self.surface, self.chosen, self.payload = surface, {}, payload

    def clear(self) -> None:
        """Forgets the surface, as when another image is chosen."""
        with self.hold_sync():
            self.surface, self.chosen, self.payload = None, {}, {}

    @traitlets.validate("chosen")  # type: ignore[untyped-decorator]
    def _check_chosen(self, proposal: dict[str, Any]) -> dict[str, float]:
        # What comes from a page, or from the page of an earlier surface, becomes nobody's setting unseen.
        chosen, axes = proposal["value"], self.surface.axes if self.surface else ()
        numbers = all(isinstance(each, (int, float)) and math.isfinite(each) for each in chosen.values())
        if chosen and not (numbers and chosen.keys() == {parameter.name for parameter in axes}):
            expected = " and ".join(f"a number for {parameter.name}" for parameter in axes) or "a surface first"
            raise traitlets.TraitError(f"chosen is {chosen!r}; expected {expected}")
        return {name: float(value) for name, value in chosen.items()}

    def _on_message(self, _widget: Any, message: dict[str, Any], _buffers: list[Any]) -> None:
        if message.get("kind") != "save":
            return
        # That which was seen when it was asked for.
        surface = self.surface

        def make(suffix: str) -> tuple[str, bytes]:
            if surface is None:
                raise UserError("there is no grid to save yet")
            name = file_name(
                surface.recipe["image"]["name"], tuple(parameter.name for parameter in surface.axes), suffix
            )
            return name, file_bytes(surface, suffix, {}, SURFACE_FORMATS)

        self._files.hand_over(message, make)
