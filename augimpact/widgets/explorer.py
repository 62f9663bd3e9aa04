"""The Explorer: controls, player and grid as one page, and between them one thread that asks the classifier."""

from __future__ import annotations

import itertools
import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import ipywidgets

from augimpact.as_code import code_of
from augimpact.data.image import UPLOAD_PIXELS
from augimpact.errors import Cancelled, UserError
from augimpact.explain.methods import METHODS, find_method
from augimpact.payload import Beside, payload_of
from augimpact.widgets.asker import Asker
from augimpact.widgets.choices import held_of, state_of
from augimpact.widgets.controls import Controls
from augimpact.widgets.gallery import Gallery
from augimpact.widgets.lasting import Lasting
from augimpact.widgets.model_list import BUILTIN, ModelList
from augimpact.widgets.player import Player
from augimpact.widgets.reader import Reader
from augimpact.widgets.surface import SurfaceView
from augimpact.widgets.worker import Worker, sentence, told

if TYPE_CHECKING:
    from torch.nn import Module

    from augimpact.models.model import Model
    from augimpact.trace import Trace

__all__ = ["Explorer"]

Cancelling = Callable[[], bool]
# What may be due, the quickest first.
ORIGINAL, PREVIEW, SWEEP, GRID = "original", "preview", "sweep", "grid"
# What is due when one of these choices changes.
DUE = {
    **dict.fromkeys(
        ("model", "device", "method", "layer", "target", "classes", "beside_model", "beside_method", "erase_fill",
         "border", "second"),
        (ORIGINAL, SWEEP),
    ),
    **dict.fromkeys(("settings", "draft"), (PREVIEW,)),
    "sweeps": (SWEEP,),
    "grids": (GRID,),
}  # fmt: skip
# What was asked with other ones of these says nothing about what is chosen now.
SUBJECT = {"image"} | {name for name, due in DUE.items() if ORIGINAL in due}
# Thumbnails that a page is sent at a time.
MOST_THUMBNAILS = 12

logger = logging.getLogger(__name__)


class Moment(NamedTuple):
    """When a task began: the choices, the image that the name in them meant, and how often *Cancel* was pressed."""

    state: dict[str, Any]
    image: Any
    cancels: int


class Explorer(ipywidgets.Box):
    """Moves sliders over a photograph and shows at once what the classifier sees and where it looks.

    The classifier is loaded and asked on a thread of its own, from the moment the page is shown.

    Args:
        image: what to begin with, see `augimpact.data.image.read_image`; the examples are offered beside it.
        classifier: a `Classifier`, or what `load_classifier` takes; by default the built-in one.
        models: more of them, to choose from.
        folder: a folder on this machine whose images are offered.
        max_pixels: of an uploaded image, by default 40 million.
        private: that those who use the page may not learn of this machine: no paths, no tracebacks.
        **choices: to begin with, as `Controls.state` has them: `ranges={"crop": [1, 0.3]}`, `frames=24`…

    Attributes:
        controls: the left side, a widget of its own.
        player: the right side, likewise; `player.trace` is the last sweep.
        surface: two parameters as a grid, once that was asked for.

    Raises:
        ImageError: the image cannot be read.
        UserError: there is no such folder, or an unknown choice.
    """

    def __init__(
        self,
        image: Any = None,
        classifier: Model | Module | str | None = None,
        *,
        models: Sequence[Model | Module | str] = (),
        folder: str | os.PathLike[str] | None = None,
        max_pixels: int = UPLOAD_PIXELS,
        private: bool = False,
        **choices: Any,
    ) -> None:
        # First of all: whatever fails below, `close` finds them.
        self._worker = Worker(on_error=self._show_error)
        self._reader = Reader(on_error=self._show_file_error)
        self._private = private
        self._gallery = Gallery(image, folder, max_pixels=max_pixels, private=private)
        first = [] if classifier is None and models else [BUILTIN if classifier is None else classifier]
        self._models = ModelList([*first, *models], private=private)
        self._asker = Asker(self._gallery, self._models)
        self._begun = False
        self._cancels = 0
        # What the page has yet to be shown. A request may overtake another, but what it owed stays owed.
        self._due: dict[str, int] = {}
        self._tickets = itertools.count()
        # Held while something new appears in the page, so that nothing of an image that is gone does.
        self._showing = threading.RLock()
        self.controls = Controls(
            state_of(self._gallery.names, self._models.names, choices),
            images={name: self._gallery.thumbnail(name) for name in self._gallery.names},
            models=self._models.names,
            files=self._gallery.files,
            max_pixels=max_pixels,
        )
        self.player = Player()
        self.surface = SurfaceView()
        self._lasting = Lasting()
        self.controls.observe(self._on_state, "state")
        self.controls.on_msg(self._on_message)
        self.surface.observe(self._on_cell, "chosen")
        shown = ipywidgets.Box([self.player, self.surface])
        shown.add_class("augimpact-shown")
        page = ipywidgets.Box([self.controls, shown])
        page.add_class("augimpact-page")
        super().__init__([page])
        self.add_class("augimpact-explorer")

    @property
    def trace(self) -> Trace | None:
        """The last sweep, or None before the first."""
        return self.player.trace

    def warm_up(self) -> None:
        """Loads the classifier and makes the first sweep now, not when a page is shown."""
        if not self._begun:
            self._begun = True
            self._request(ORIGINAL, SWEEP)

    def __repr__(self) -> str:
        return f"Explorer({self.controls.state['image']!r})"

    def close(self) -> None:
        """Takes the page away and ends its threads."""
        self._worker.close()
        self._reader.close()
        for part in (self.controls, self.player, self.surface):
            part.close()
        super().close()

    def _ipython_display_(self) -> None:
        self._lasting.display(self, self.player.shown)

    def _on_message(self, _widget: Any, message: dict[str, Any], buffers: list[Any]) -> None:
        with self._told():
            kind = message.get("kind")
            if kind == "ready":
                self.warm_up()
            elif kind == "cancel":
                self._cancels += 1
                self._due.clear()
                self._worker.cancel()
                # A frame that has begun is finished, which takes seconds with some methods.
                busy = self._worker.is_busy
                self._show_status(*(("loading", "stopping after this frame…") if busy else ("idle", "cancelled")))
            elif kind == "ping":
                self.controls.send({"kind": "pong"})
            elif kind == "upload":
                self._reader.submit(self._upload, str(message["name"]), bytes(buffers[0]))
            elif kind == "choose":
                self._reader.submit(self._choose, str(message["name"]))
            elif kind == "thumbnails":
                names = [str(name) for name in message["names"]]
                self._reader.submit(self._send_thumbnails, names[:MOST_THUMBNAILS])

    def _on_state(self, change: dict[str, Any]) -> None:
        with self._told():
            old, new = change["old"], change["new"]
            changed = {key for key in new if old.get(key) != new[key]}
            self._drop_grid(old, new, changed)
            if "image" in changed:
                self._begin_again()
                return
            due = {each for key in changed for each in DUE.get(key, ())}
            if due:
                self._request(*due)

    def _drop_grid(self, old: dict[str, Any], new: dict[str, Any], changed: set[str]) -> None:
        """Takes away the grid, or the mark in it, if it was of other choices."""
        surface = self.surface.surface
        if surface is None:
            return
        axes = {parameter.name for parameter in surface.axes}
        held = [{name: value for name, value in held_of(each).items() if name not in axes} for each in (old, new)]
        if changed & SUBJECT or held[0] != held[1]:
            with self._showing:
                self.surface.clear()
        elif any(new["settings"].get(name) != value for name, value in self.surface.chosen.items()):
            # The sliders went elsewhere: the same cell can be chosen anew.
            self.surface.chosen = {}

    def _on_cell(self, change: dict[str, Any]) -> None:
        """A person chose a setting of the grid: the sliders go there."""
        with self._told():
            chosen = {name: float(value) for name, value in change["new"].items()}
            if chosen:
                state = self.controls.state
                self.controls.state = state | {"settings": state["settings"] | chosen, "draft": False}

    def _begin_again(self) -> None:
        """Another image was chosen: nothing of the one before may appear any more."""
        with self._showing:
            self._request(ORIGINAL, SWEEP)
            self.player.clear()
            self.surface.clear()
            self.controls.flips = {}

    def _request(self, *due: str) -> None:
        for name in due:
            self._due[name] = next(self._tickets)
        self._worker.submit(self._work)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Whatever a page sent that cannot be understood is said in the page."""
        try:
            yield
        except Exception as error:
            logger.exception("a message could not be understood")
            self._show_error(error)

    # What follows runs on the reader's thread.

    def _upload(self, name: str, content: bytes) -> None:
        state = self.controls.state
        name = self._gallery.upload(name, content, keep=(state["image"], state["second"]))
        self._offer(name)
        if state["image"] == name:
            # The same name once more is no change that the state would tell.
            self._begin_again()

    def _choose(self, name: str) -> None:
        self._gallery.choose(name)
        self._offer(name)

    def _offer(self, name: str) -> None:
        self.controls.add_image(name, self._gallery.thumbnail(name), self._gallery.names)

    def _send_thumbnails(self, names: list[str]) -> None:
        for name in names:
            try:
                buffers = [self._gallery.thumbnail(name)]
            except UserError:
                # The page shows its name; choosing it says why there is no picture.
                buffers = []
            self.controls.send({"kind": "thumbnail", "name": name}, buffers=buffers)

    # What follows runs on the worker's thread.

    def _work(self, cancelled: Cancelling) -> None:
        """Does what is due."""
        began = dict(self._due)
        tasks = {ORIGINAL: self._preview_original, PREVIEW: self._preview, SWEEP: self._sweep, GRID: self._grid}
        for name, task in tasks.items():
            ticket = self._due.get(name)
            if ticket is None:
                continue
            try:
                self._load()
                task(cancelled)
            except Cancelled:
                if self.controls.status["text"].startswith("stopping"):
                    self._show_status("idle", "cancelled")
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
        state = self.controls.state
        if not self._asker.is_ready(state):
            self._show_status("loading", "loading the classifier…")
        about = self._asker.about(state)
        if self.controls.about != about:
            self.controls.about = about

    def _preview_original(self, _cancelled: Cancelling) -> None:
        """Shows the image as it was and under the setting: once begun, also while a drag brings newer settings."""
        moment = self._moment()
        self._warn_if_slow(moment.state)
        original = self._asker.explained(moment.state, {})
        shown = self._asker.explained(moment.state, self.controls.state["settings"])

        def show() -> None:
            # The last sweep was asked with other choices.
            self.player.clear()
            self.controls.flips = {}
            self.player.show_preview(shown, original)

        self._appear(moment, show)

    def _preview(self, _cancelled: Cancelling) -> None:
        """Shows the setting; once begun, also if there is a newer one: a drag brings one with every frame."""
        moment = self._moment()
        self._warn_if_slow(moment.state)
        shown = self._asker.explained(moment.state, moment.state["settings"])
        self._appear(moment, lambda: self.player.show_preview(shown, draft=moment.state["draft"]))
        self._show_status("idle", "")

    def _sweep(self, cancelled: Cancelling) -> None:
        moment = self._moment()
        if not moment.state["ranges"]:
            self._show_status("idle", "")
            return
        with self._told_when_cancelled():
            swept = self._asker.swept(moment.state, progress=self._progress("frames"), cancelled=cancelled)
            payload = payload_of(swept)

            def show() -> None:
                self.player.show(swept, payload)
                flips = next(iter(swept.traces.values())).flips() if isinstance(swept, Beside) else swept.flips()
                self.controls.flips = {name: flips[name].tolist() for name in moment.state["ranges"] if name in flips}
                self._lasting.update(swept)

            self._appear(moment, show)
        self._show_status("idle", f"{len(payload['tags'])} frames · {self._asker.device(moment.state)}")

    def _grid(self, cancelled: Cancelling) -> None:
        moment = self._moment()
        with self._told_when_cancelled():
            surface = self._asker.grid(moment.state, progress=self._progress("settings"), cancelled=cancelled)
            code = code_of(surface)

            def show() -> None:
                # A third slider has moved meanwhile: it is still owed.
                if held_of(self.controls.state) != held_of(moment.state):
                    raise Cancelled
                self.surface.show(surface, code)

            self._appear(moment, show)
        self._show_status("idle", f"{surface.predictions.size} settings · {self._asker.device(moment.state)}")

    def _moment(self) -> Moment:
        state = self.controls.state
        return Moment(state, self._gallery.source(state["image"]), self._cancels)

    def _appear(self, moment: Moment, show: Callable[[], None]) -> None:
        """Shows something, unless it was cancelled, or is of another image or model than what is chosen now."""
        with self._showing:
            now = self._moment()
            same = all(now.state[name] == moment.state[name] for name in SUBJECT)
            if not same or now.image is not moment.image or now.cancels != moment.cancels:
                raise Cancelled
            show()

    def _warn_if_slow(self, state: dict[str, Any]) -> None:
        for name in (state["method"], state["beside_method"]):
            if name and find_method(name).slow:
                self._show_status("sweeping", f"{METHODS[name].label} takes seconds for every frame…")

    def _progress(self, what: str) -> Callable[[int, int], None]:
        return lambda done, total: self._show_status("sweeping", f"{done} of {total} {what}", done, total)

    @contextmanager
    def _told_when_cancelled(self) -> Iterator[None]:
        try:
            yield
        except Cancelled:
            self._show_status("idle", "cancelled")
            raise

    def _show_status(self, kind: str, text: str, done: int = 0, total: int = 0, details: str = "") -> None:
        self.controls.status = {"kind": kind, "text": text, "done": done, "total": total, "details": details}

    def _show_error(self, error: Exception) -> None:
        private = self._private
        self._show_status("error", sentence(error, private=private), details=told(error, private=private))

    def _show_file_error(self, error: Exception) -> None:
        """In its own place, where no sweep's progress takes it away."""
        private, count = self._private, self.controls.file_error.get("count", 0) + 1
        self.controls.file_error = {
            "text": sentence(error, private=private), "details": told(error, private=private), "count": count,
        }  # fmt: skip
