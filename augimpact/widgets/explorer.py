"""The Explorer: controls and player as one page, and between them one thread that asks the classifier."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets
from PIL import Image

from augimpact.augment.parameters import CATALOGUE
from augimpact.data.image import EXAMPLES, example, read_image
from augimpact.errors import Cancelled, UserError
from augimpact.sweep import Sweep
from augimpact.widgets.controls import Controls
from augimpact.widgets.player import Player
from augimpact.widgets.worker import Worker

if TYPE_CHECKING:
    from torch.nn import Module

    from augimpact.analysis import Subject
    from augimpact.models.classifier import Classifier
    from augimpact.trace import Trace

__all__ = ["Explorer"]

Cancelling = Callable[[], bool]
BUILTIN_LABEL = "EfficientNet-Lite0 · ImageNet"


class Explorer(ipywidgets.Box):
    """Moves sliders over a photograph and shows at once what the classifier sees and where it looks.

    The classifier is loaded and asked on a thread of its own, from the moment the page is shown.

    Args:
        image: what to begin with, see `augimpact.data.image.read_image`; the examples are offered beside it.
        classifier: a `Classifier`, or what `load_classifier` takes; by default the built-in one.
        **choices: to begin with, as `Controls.state` has them: `ranges={"crop": [1, 0.3]}`, `frames=24`…

    Attributes:
        controls: the left side, a widget of its own.
        player: the right side, likewise; `player.trace` is the last sweep.
    """

    def __init__(self, image: Any = None, classifier: Classifier | Module | str | None = None, **choices: Any) -> None:
        self._images: dict[str, Image.Image] = {}
        if image is not None:
            name = Path(image).name if isinstance(image, (str, os.PathLike)) else "image"
            self._images[name] = read_image(image)
        self._images |= {name: example(name) for name in EXAMPLES}
        self._source = classifier
        self._classifier: Classifier | None = None
        self._subject: tuple[str, Subject] | None = None
        self._worker = Worker(on_error=self._show_error)
        self.controls = Controls(_name_of(classifier), self._images, **choices)
        self.player = Player()
        self.controls.observe(self._on_state, "state")
        self.controls.on_msg(self._on_message)
        page = ipywidgets.Box([self.controls, self.player])
        page.add_class("augimpact-page")
        super().__init__([page])
        self.add_class("augimpact-explorer")

    @property
    def trace(self) -> Trace | None:
        """The last sweep, or None before the first."""
        return self.player.trace

    def _on_message(self, _widget: Any, message: dict[str, Any], buffers: list[Any]) -> None:
        kind = message.get("kind")
        if kind == "ready" and self._classifier is None:
            self._worker.submit(self._load, self._preview_original, self._sweep)
        elif kind == "sweep":
            self._worker.submit(self._sweep)
        elif kind == "cancel":
            self._worker.cancel()
        elif kind == "upload":
            self._upload(Path(message["name"]).name, bytes(buffers[0]))

    def _on_state(self, change: dict[str, Any]) -> None:
        old, new = change["old"], change["new"]
        if any(old[key] != new[key] for key in ("image", "method", "target")):
            if old["image"] != new["image"]:
                self.player.clear()
                self.controls.flips = {}
            self._worker.submit(self._load, self._preview_original, self._sweep)
        elif old["settings"] != new["settings"]:
            self._worker.submit(self._load, self._preview)

    def _upload(self, name: str, content: bytes) -> None:
        try:
            image = read_image(content)
        except UserError as error:
            self._show_error(UserError(str(error).replace(f"the image of {len(content)} bytes", repr(name))))
            return
        self._images[name] = image
        self._subject = None
        if self.controls.state["image"] == name:
            # The same name once more: choosing it is no change that the state would tell.
            self._worker.submit(self._load, self._preview_original, self._sweep)
        self.controls.add_image(name, image)

    # What follows runs on the worker's thread.

    def _load(self, _cancelled: Cancelling) -> None:
        if self._classifier is not None:
            return
        self._show_status("loading", "loading the classifier…")
        from augimpact.models.load import load_classifier

        self._classifier = load_classifier() if self._source is None else load_classifier(self._source)

    def _preview(self, cancelled: Cancelling) -> None:
        state = self.controls.state
        self.player.show_preview(self._explained(state["settings"], cancelled))
        self._show_status("idle", "")

    def _preview_original(self, cancelled: Cancelling) -> None:
        original = self._explained({}, cancelled)
        shown = self._explained(self.controls.state["settings"], cancelled)
        self.player.show_preview(shown, original)

    def _sweep(self, cancelled: Cancelling) -> None:
        from augimpact.analysis import analyze

        state = self.controls.state
        if not state["ranges"]:
            self._show_status("idle", "")
            return
        path: dict[str, Any] = {
            name: value for name, value in state["settings"].items() if value != CATALOGUE[name].neutral
        }
        path |= {name: tuple(ends) for name, ends in state["ranges"].items()}
        sweep = Sweep(frames=state["frames"], easing=state["easing"], **path)

        def progress(done: int, total: int) -> None:
            self._show_status("sweeping", f"{done} of {total} frames", done, total)

        progress(0, sweep.frames)
        try:
            trace = analyze(
                self._prepared(),
                sweep,
                self._ready(),
                method=state["method"],
                target=state["target"],
                progress=progress,
                cancelled=cancelled,
            )
        except Cancelled:
            self._show_status("idle", "cancelled")
            raise
        self.player.show(trace)
        flips = trace.flips()
        self.controls.flips = {name: flips[name].tolist() for name in sweep.swept}
        self._show_status("idle", f"{len(trace)} frames · {str(self._ready().device).upper()}")

    def _explained(self, setting: dict[str, float], cancelled: Cancelling) -> Trace:
        from augimpact.analysis import explain_settings

        state = self.controls.state
        path: dict[str, Any] = dict(setting)
        return explain_settings(
            self._prepared(),
            Sweep(frames=1, **path).settings(),
            self._ready(),
            method=state["method"],
            target=state["target"],
            cancelled=cancelled,
        )

    def _ready(self) -> Classifier:
        if self._classifier is None:
            raise UserError("the classifier is not loaded")
        return self._classifier

    def _prepared(self) -> Subject:
        """The chosen image as the classifier is asked about it, prepared once."""
        from augimpact.analysis import Subject

        name = self.controls.state["image"]
        if self._subject is None or self._subject[0] != name:
            self._subject = name, Subject.of(self._images[name], self._ready(), name)
        return self._subject[1]

    def _show_status(self, kind: str, text: str, done: int = 0, total: int = 0) -> None:
        self.controls.status = {"kind": kind, "text": text, "done": done, "total": total}

    def _show_error(self, error: Exception) -> None:
        text = str(error) if isinstance(error, UserError) else f"something went wrong: {error} ({type(error).__name__})"
        self._show_status("error", text)


def _name_of(classifier: Any) -> str:
    if classifier is None:
        return BUILTIN_LABEL
    return classifier if isinstance(classifier, str) else getattr(classifier, "name", type(classifier).__name__)
