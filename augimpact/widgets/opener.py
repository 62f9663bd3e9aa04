"""A button that opens something beneath it, and what is said beside it: also to who cannot see that."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from augimpact.render.page import bundle, style

__all__ = ["Opener"]

HERE = Path(__file__).parent


class Opener(anywidget.AnyWidget):
    """A button and a note.

    Args:
        description: of the button.
        note: what stands beside it; what is said there later is read out.
        pressed: called when a person presses it.

    Attributes:
        opened: whether what it opens is seen.
    """

    _esm = bundle(HERE / "opener.js")
    _css = style(HERE / "opener.css")

    description = traitlets.Unicode().tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)
    opened = traitlets.Bool(False).tag(sync=True)

    def __init__(self, description: str, note: str, pressed: Callable[[], None]) -> None:
        super().__init__(description=description, note=note)
        self._pressed = pressed
        self.on_msg(self._on_message)

    def click(self) -> None:
        """What pressing it does."""
        self._pressed()

    def _on_message(self, _widget: Any, message: dict[str, Any], _buffers: list[Any]) -> None:
        if message.get("kind") == "press":
            self.click()
