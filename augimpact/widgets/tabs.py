"""Tabs of a page: what is shown and what is hidden is the browser's to do, at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from augimpact.errors import unknown
from augimpact.render.page import bundle, style

__all__ = ["Tabs"]

HERE = Path(__file__).parent


class Tabs(anywidget.AnyWidget):
    """A row of tabs, one of them selected.

    The box that it lies in, of the class `augimpact-tabbed`, shows of its other children those that have the class
    `augimpact-in-NAME` of the selected tab, and those that have none of these; the names are those in `tabs.css`.

    Args:
        names: of the tabs, the first is selected.
        label: what they are, for who cannot see it.

    Attributes:
        selected: the name of the tab that is shown; it can be set, and follows a person.

    Raises:
        TraitError: there is no such tab.
    """

    _esm = bundle(HERE / "tabs.js")
    _css = style(HERE / "tabs.css", HERE / "lasting.css")

    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    selected = traitlets.Unicode().tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)

    def __init__(self, names: Sequence[str], label: str = "views") -> None:
        super().__init__(names=list(names), selected=names[0], label=label)

    @traitlets.validate("selected")  # type: ignore[untyped-decorator]
    def _check_selected(self, proposal: dict[str, Any]) -> str:
        name = str(proposal["value"])
        if self.names and name not in self.names:
            raise traitlets.TraitError(unknown("tab", name, self.names))
        return name
