"""The player as a widget: a trace's frames travel once, as JPEG bytes beside raw maps; the browser does the rest."""

from __future__ import annotations

import io
import logging
import threading
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
from numpy.typing import NDArray
from PIL import Image

from augimpact.augment.parameters import CATALOGUE
from augimpact.errors import UserError
from augimpact.formats import file_bytes
from augimpact.render.look import COLOUR_MAPS
from augimpact.render.overlay import colour_table
from augimpact.render.page import bundle, style
from augimpact.trace import Trace

__all__ = ["Player", "payload_of"]

logger = logging.getLogger(__name__)

HERE = Path(__file__).parent
JPEG_QUALITY = 88
MIME = {
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".png": "image/png",
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
        self.preview = _still(trace) | ({"neutral": _still(original)} if original is not None else {})

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


def payload_of(trace: Trace) -> dict[str, Any]:
    """All that the browser needs to play the trace."""
    matter = trace.classes_that_matter()
    height, width = trace.maps.shape[1:]
    axis = _axis(trace)
    return {
        "jpegs": [_jpeg(frame) for frame in trace.frames],
        "maps": _raw(trace.maps),
        "height": height,
        "width": width,
        "tags": [caption or "original" for caption in trace.captions()],
        "predictions": [trace.labels[index] for index in trace.predictions],
        "top_scores": trace.scores.max(axis=1).tolist(),
        "labels": [trace.labels[index] for index in matter],
        "scores": trace.scores[:, matter].tolist(),
        "flips": _flips(trace, axis),
        "axis": axis,
        "neutral": None if trace.neutral is None else _still(trace.neutral),
    }


def _axis(trace: Trace) -> dict[str, Any]:
    """What the curves are drawn over: the first parameter that is swept, else the number of the frame."""
    for name in trace.changed:
        values = trace.settings[name]
        if values.nunique() > 1:
            return {"label": CATALOGUE[name].label, "unit": CATALOGUE[name].unit, "values": values.tolist()}
    return {"label": "frame", "unit": "", "values": list(range(1, len(trace) + 1))}


def _flips(trace: Trace, axis: dict[str, Any]) -> list[dict[str, Any]]:
    """The first frame after each flip, and the place on the axis half way to it."""
    values = np.asarray(axis["values"], dtype=np.float64)
    frames = trace.flips()["frame"].tolist()
    return [{"frame": frame, "at": float(values[frame - 1 : frame + 1].mean())} for frame in frames]


def _still(trace: Trace) -> dict[str, Any]:
    """The first frame of a trace by itself."""
    matter = trace[:1].classes_that_matter()
    height, width = trace.maps.shape[1:]
    return {
        "jpeg": _jpeg(trace.frames[0]),
        "map": _raw(trace.maps[:1]),
        "height": height,
        "width": width,
        "tag": trace.captions()[0] or "original",
        "prediction": trace.labels[trace.predictions[0]],
        "score": float(trace.scores[0].max()),
        "labels": [trace.labels[index] for index in matter],
        "scores": trace.scores[0, matter].tolist(),
    }


def _jpeg(frame: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(frame).save(file, format="JPEG", quality=JPEG_QUALITY)
    return file.getvalue()


def _raw(maps: NDArray[np.float32]) -> bytes:
    return np.ascontiguousarray(maps, dtype="<f4").tobytes()
