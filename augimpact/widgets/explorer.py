"""The Explorer: controls and player as one page, and between them one thread that asks the classifier."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets
from PIL import Image

from augimpact.augment.parameters import CATALOGUE
from augimpact.data.image import EXAMPLES, example, read_image
from augimpact.errors import Cancelled, UserError
from augimpact.explain.methods import METHODS
from augimpact.payload import payload_of
from augimpact.sweep import Sweep
from augimpact.widgets.controls import Controls
from augimpact.widgets.player import Player
from augimpact.widgets.worker import Worker

if TYPE_CHECKING:
    from torch.nn import Module

    from augimpact.models.model import Model
    from augimpact.subject import Subject
    from augimpact.trace import Trace

__all__ = ["Explorer"]

Cancelling = Callable[[], bool]
# What may be due.
ORIGINAL, PREVIEW, SWEEP = "original", "preview", "sweep"
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

    def __init__(self, image: Any = None, classifier: Model | Module | str | None = None, **choices: Any) -> None:
        # First of all: whatever fails below, `close` finds it.
        self._worker = Worker(on_error=self._show_error)
        self._images: dict[str, Image.Image] = {}
        if image is not None:
            name = Path(image).name if isinstance(image, (str, os.PathLike)) else "image"
            self._images[name] = read_image(image)
        self._images |= {name: example(name) for name in EXAMPLES}
        self._source = classifier
        self._classifier: Model | None = None
        # The image, the one that is mixed in, and what was prepared of both.
        self._subject: tuple[Image.Image, Image.Image, Subject] | None = None
        # What the page has yet to be shown. A request may overtake another, but what it owed stays owed.
        self._due: dict[str, int] = {}
        self._tickets = itertools.count()
        # Held while something new appears in the page, so that nothing of an image that is gone does.
        self._showing = threading.RLock()
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

    def close(self) -> None:
        """Takes the page away and ends its thread."""
        self._worker.close()
        super().close()

    def _on_message(self, _widget: Any, message: dict[str, Any], buffers: list[Any]) -> None:
        kind = message.get("kind")
        if kind == "ready" and self._classifier is None:
            self._request(ORIGINAL, SWEEP)
        elif kind == "cancel":
            self._due.clear()
            self._worker.cancel()
            self._show_status("idle", "cancelled")
        elif kind == "upload":
            self._upload(Path(message["name"]).name, bytes(buffers[0]))

    def _on_state(self, change: dict[str, Any]) -> None:
        old, new = change["old"], change["new"]
        changed = {key for key in new if old.get(key) != new[key]}
        if "image" in changed:
            self._begin_again()
            return
        due = {ORIGINAL, SWEEP} if changed & {"method", "target", "erase_fill", "border", "second"} else set()
        due |= {PREVIEW} if "settings" in changed else set()
        due |= {SWEEP} if "sweeps" in changed else set()
        if due:
            self._request(*due)

    def _upload(self, name: str, content: bytes) -> None:
        try:
            image = read_image(content)
        except UserError as error:
            self._show_error(UserError(str(error).replace(f"the image of {len(content)} bytes", repr(name))))
            return
        self._images[name] = image
        chosen = self.controls.state["image"]
        self.controls.add_image(name, image)
        if chosen == name:
            # The same name once more is no change that the state would tell.
            self._begin_again()

    def _begin_again(self) -> None:
        """Another image was chosen: nothing of the one before may appear any more."""
        with self._showing:
            self._request(ORIGINAL, SWEEP)
            self.player.clear()
            self.controls.flips = {}

    def _request(self, *due: str) -> None:
        for name in due:
            self._due[name] = next(self._tickets)
        self._worker.submit(self._work)

    # What follows runs on the worker's thread.

    def _work(self, cancelled: Cancelling) -> None:
        """Does what is due, the quickest first."""
        began = dict(self._due)
        if self._classifier is None:
            self._load()
        for name, task in ((ORIGINAL, self._preview_original), (PREVIEW, self._preview), (SWEEP, self._sweep)):
            ticket = self._due.get(name)
            if ticket is None:
                continue
            try:
                task(cancelled)
            except Cancelled:
                raise
            except Exception:
                # What was asked for meanwhile stays owed.
                for each, dropped in began.items():
                    if self._due.get(each) == dropped:
                        self._due.pop(each, None)
                raise
            # Asked for once more meanwhile, it is due once more.
            if self._due.get(name) == ticket:
                self._due.pop(name, None)

    def _load(self) -> None:
        self._show_status("loading", "loading the classifier…")
        from augimpact.models.load import load_classifier

        classifier = load_classifier() if self._source is None else load_classifier(self._source)
        if classifier.inputs.domain != "image":
            raise UserError(f"{classifier.name} takes time series; the Explorer shows images, expected such a model")
        self.controls.labels = list(classifier.labels)
        self._classifier = classifier

    def _preview_original(self, cancelled: Cancelling) -> None:
        subject = self._prepared()
        self._warn_if_slow()
        original = self._explained(subject, {})
        if cancelled():
            raise Cancelled
        shown = self._explained(subject, self.controls.state["settings"])
        self._appear(subject, lambda: self.player.show_preview(shown, original))

    def _preview(self, _cancelled: Cancelling) -> None:
        """Shows the setting; once begun, also if there is a newer one: a drag brings one with every frame."""
        subject = self._prepared()
        self._warn_if_slow()
        shown = self._explained(subject, self.controls.state["settings"])
        self._appear(subject, lambda: self.player.show_preview(shown))
        self._show_status("idle", "")

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
        subject = self._prepared()
        try:
            trace = analyze(subject, sweep, self._ready(), progress=progress, cancelled=cancelled, **self._options())
            payload = payload_of(trace)
            self._appear(subject, lambda: self.player.show(trace, payload))
        except Cancelled:
            self._show_status("idle", "cancelled")
            raise
        flips = trace.flips()
        self.controls.flips = {name: flips[name].tolist() for name in sweep.swept}
        self._show_status("idle", f"{len(trace)} frames · {str(self._ready().device).upper()}")

    def _appear(self, subject: Subject, show: Callable[[], None]) -> None:
        """Shows something, unless another image was chosen meanwhile."""
        with self._showing:
            known = self._subject
            if known is None or known[2] is not subject or known[0] is not self._chosen("image"):
                raise Cancelled
            show()

    def _explained(self, subject: Subject, setting: dict[str, float]) -> Trace:
        from augimpact.analysis import explain_settings

        path: dict[str, Any] = dict(setting)
        return explain_settings(subject, Sweep(frames=1, **path).settings(), self._ready(), **self._options())

    def _warn_if_slow(self) -> None:
        method = METHODS[self.controls.state["method"]]
        if method.slow:
            self._show_status("sweeping", f"{method.label} takes seconds for every frame…")

    def _options(self) -> dict[str, Any]:
        return {name: self.controls.state[name] for name in ("method", "target", "erase_fill", "border")}

    def _chosen(self, which: str) -> Image.Image:
        return self._images[self.controls.state[which]]

    def _ready(self) -> Model:
        if self._classifier is None:
            raise UserError("the classifier is not loaded")
        return self._classifier

    def _prepared(self) -> Subject:
        """The chosen image as the classifier is asked about it, prepared once."""
        from augimpact.subject import subject_of

        image, second, known = self._chosen("image"), self._chosen("second"), self._subject
        if known is None or known[0] is not image or known[1] is not second:
            subject = subject_of(image, self._ready(), self.controls.state["image"], second=second)
            known = image, second, subject
            self._subject = known
        return known[2]

    def _show_status(self, kind: str, text: str, done: int = 0, total: int = 0) -> None:
        self.controls.status = {"kind": kind, "text": text, "done": done, "total": total}

    def _show_error(self, error: Exception) -> None:
        text = str(error) if isinstance(error, UserError) else f"something went wrong: {error} ({type(error).__name__})"
        self._show_status("error", text)


def _name_of(classifier: Any) -> str:
    if classifier is None:
        return BUILTIN_LABEL
    return classifier if isinstance(classifier, str) else getattr(classifier, "name", type(classifier).__name__)
