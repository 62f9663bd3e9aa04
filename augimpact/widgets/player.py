"""The player as a widget: a trace's frames travel once, as JPEG bytes beside maps; the browser does the rest."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from augimpact.errors import UserError
from augimpact.formats import file_bytes
from augimpact.payload import payload_of, still_of
from augimpact.render.look import COLOUR_MAPS
from augimpact.render.overlay import colour_table
from augimpact.render.page import bundle, style
from augimpact.trace import Trace

__all__ = ["Player"]

logger = logging.getLogger(__name__)

HERE = Path(__file__).parent
MIME = {
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".png": "image/png",
    ".html": "text/html",
    ".csv": "text/csv",
    ".json": "application/json",
    ".npz": "application/octet-stream",
}


class Player(anywidget.AnyWidget):
    """Plays a trace: original beside augmented, maps blended in the browser, curves, and files to download.

    Args:
        trace: what `augimpact.analyze` returned; None shows an empty stage until `show` is called.
        frame: where to begin; from the first it plays by itself, from any other it rests.

    Attributes:
        frame: the frame on which the player rests, from 0; it can be set, and follows where a person rests.
    """

    _esm = bundle(HERE / "player.js")
    _css = style(HERE.parent / "render" / "player.css")

    payload = traitlets.Dict().tag(sync=True)
    preview = traitlets.Dict().tag(sync=True)
    colour_maps = traitlets.Dict().tag(sync=True)
    frame = traitlets.Int(0).tag(sync=True)

    def __init__(self, trace: Trace | None = None, *, frame: int = 0, **options: Any) -> None:
        super().__init__(colour_maps={name: colour_table(name).tobytes() for name in COLOUR_MAPS}, **options)
        self.trace: Trace | None = None
        self.on_msg(self._on_message)
        if trace is not None:
            self.show(trace)
        self.frame = frame

    def show(self, trace: Trace, payload: dict[str, Any] | None = None) -> None:
        """Replaces what is played, from its first frame; `payload` is that of the trace, where it is at hand."""
        payload = payload_of(trace) if payload is None else payload
        # One message for both, so that the page never looks for a frame of one trace in the other.
        with self.hold_sync():
            self.trace, self.frame, self.payload = trace, 0, payload

    def show_preview(self, trace: Trace, original: Trace | None = None) -> None:
        """Shows the one frame of `trace` until a person plays or scrubs; beside it `original`, where it is new."""
        self.preview = still_of(trace) | ({"neutral": still_of(original)} if original is not None else {})

    def clear(self) -> None:
        """Forgets the trace, as when another image is chosen."""
        self.trace = None
        self.payload = {}

    def _on_message(self, _widget: Any, message: dict[str, Any], _buffers: list[Any]) -> None:
        if message.get("kind") == "save":
            threading.Thread(target=self._save, args=(message,), daemon=True).start()

    def _save(self, request: dict[str, Any]) -> None:
        """Makes the file off the kernel's main thread, and hands its bytes to the browser."""
        asked = {"request": request.get("request")}
        try:
            trace, suffix = self.trace, request["suffix"]
            if trace is None:
                raise UserError("there is no sweep to save yet")
            content = file_bytes(trace, suffix, request)
            stem = Path(trace.recipe["image"]["name"]).stem.replace(" ", "-")
            name = "-".join([stem, *trace.changed[:3]]) + suffix
            self.send({"kind": "file", "name": name, "mime": MIME[suffix]} | asked, buffers=[content])
        except Exception as error:
            logger.exception("a file could not be made")
            self.send({"kind": "error", "text": f"the file could not be made: {error}"} | asked)
