"""What a page is owed: pictures, sweeps and grids, made on one thread, the quickest first, shown while they hold."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from augimpact.as_code import code_of
from augimpact.errors import Cancelled
from augimpact.explain.methods import METHODS, find_method
from augimpact.payload import Beside, payload_of
from augimpact.widgets.asker import Asker
from augimpact.widgets.choices import held_of
from augimpact.widgets.controls import Controls
from augimpact.widgets.gallery import Gallery
from augimpact.widgets.lasting import Lasting
from augimpact.widgets.player import Player
from augimpact.widgets.surface import SurfaceView
from augimpact.widgets.worker import Worker

__all__ = ["DUE", "ORIGINAL", "SUBJECT", "SWEEP", "Tasks"]

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
STOPPING = "stopping after this frame…"
# What was asked with other ones of these says nothing about what is chosen now.
SUBJECT = {"image"} | {name for name, due in DUE.items() if ORIGINAL in due}


class Moment(NamedTuple):
    """When a task began: the choices, the image that the name in them meant, and how often *Cancel* was pressed."""

    state: dict[str, Any]
    image: Any
    cancels: int


class Tasks:
    """Does what a page is owed.

    Args:
        controls: where the choices are read when a task begins, and where it says how far it is.
        player: shows previews and sweeps.
        surface: shows grids.
        lasting: keeps the picture of the last sweep.
        gallery: knows which image a name means.
        asker: asks the models.
        on_error: told what a task raised, on the worker's thread.

    Attributes:
        showing: a lock that is held while something new appears, so that nothing of an image that is gone does.
    """

    def __init__(
        self,
        controls: Controls,
        player: Player,
        surface: SurfaceView,
        lasting: Lasting,
        gallery: Gallery,
        asker: Asker,
        on_error: Callable[[Exception], None],
    ) -> None:
        self.showing = threading.RLock()
        self._controls = controls
        self._player = player
        self._surface = surface
        self._lasting = lasting
        self._gallery = gallery
        self._asker = asker
        self._worker = Worker(on_error=on_error)
        # A request may overtake another, but what is owed stays owed.
        self._due: dict[str, int] = {}
        self._tickets = itertools.count()
        self._cancels = 0

    def request(self, *due: str) -> None:
        """Has these done, with the choices that there are when they begin."""
        for name in due:
            self._due[name] = next(self._tickets)
        self._worker.submit(self._work)

    def cancel(self) -> None:
        """Nothing of what was asked for appears any more."""
        self._cancels += 1
        self._due.clear()
        self._worker.cancel()
        # A frame that has begun is finished, which takes seconds with some methods.
        busy = self._worker.is_busy
        self._controls.show_status(*(("loading", STOPPING) if busy else ("idle", "cancelled")))

    def close(self) -> None:
        """Ends the thread when what runs has stopped."""
        self._worker.close()

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
                if self._controls.status["text"].startswith(STOPPING):
                    self._controls.show_status("idle", "cancelled")
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
        state = self._controls.state
        if not self._asker.is_ready(state):
            self._controls.show_status("loading", "loading the classifier…")
        about = self._asker.about(state)
        if self._controls.about != about:
            self._controls.about = about

    def _preview_original(self, _cancelled: Cancelling) -> None:
        """Shows the image as it was and under the setting: once begun, also while a drag brings newer settings."""
        moment = self._moment()
        self._warn_if_slow(moment.state)
        original = self._asker.explained(moment.state, {})
        shown = self._asker.explained(moment.state, self._controls.state["settings"])

        def show() -> None:
            # The last sweep was asked with other choices.
            self._player.clear()
            self._controls.flips = {}
            self._player.show_preview(shown, original)

        self._appear(moment, show)

    def _preview(self, _cancelled: Cancelling) -> None:
        """Shows the setting; once begun, also if there is a newer one: a drag brings one with every frame."""
        moment = self._moment()
        self._warn_if_slow(moment.state)
        shown = self._asker.explained(moment.state, moment.state["settings"])
        self._appear(moment, lambda: self._player.show_preview(shown, draft=moment.state["draft"]))
        self._controls.show_status("idle", "")

    def _sweep(self, cancelled: Cancelling) -> None:
        moment = self._moment()
        if not moment.state["ranges"]:
            self._controls.show_status("idle", "")
            return
        with self._told_when_cancelled():
            swept = self._asker.swept(moment.state, progress=self._progress("frames"), cancelled=cancelled)
            payload = payload_of(swept)

            def show() -> None:
                self._player.show(swept, payload)
                flips = next(iter(swept.traces.values())).flips() if isinstance(swept, Beside) else swept.flips()
                self._controls.flips = {name: flips[name].tolist() for name in moment.state["ranges"] if name in flips}
                self._lasting.update(swept)

            self._appear(moment, show)
        self._controls.show_status("idle", f"{len(payload['tags'])} frames · {self._asker.device(moment.state)}")

    def _grid(self, cancelled: Cancelling) -> None:
        moment = self._moment()
        with self._told_when_cancelled():
            surface = self._asker.grid(moment.state, progress=self._progress("settings"), cancelled=cancelled)
            code = code_of(surface)

            def show() -> None:
                # A third slider has moved meanwhile: it is still owed.
                if held_of(self._controls.state) != held_of(moment.state):
                    raise Cancelled
                self._surface.show(surface, code)

            self._appear(moment, show)
        self._controls.show_status("idle", f"{surface.predictions.size} settings · {self._asker.device(moment.state)}")

    def _moment(self) -> Moment:
        state = self._controls.state
        return Moment(state, self._gallery.source(state["image"]), self._cancels)

    def _appear(self, moment: Moment, show: Callable[[], None]) -> None:
        """Shows something, unless it was cancelled, or is of another image or model than what is chosen now."""
        with self.showing:
            now = self._moment()
            same = all(now.state[name] == moment.state[name] for name in SUBJECT)
            if not same or now.image is not moment.image or now.cancels != moment.cancels:
                raise Cancelled
            show()

    def _warn_if_slow(self, state: dict[str, Any]) -> None:
        for name in (state["method"], state["beside_method"]):
            if name and find_method(name).slow:
                self._controls.show_status("sweeping", f"{METHODS[name].label} takes seconds for every frame…")

    def _progress(self, what: str) -> Callable[[int, int], None]:
        return lambda done, total: self._controls.show_status("sweeping", f"{done} of {total} {what}", done, total)

    @contextmanager
    def _told_when_cancelled(self) -> Iterator[None]:
        try:
            yield
        except Cancelled:
            self._controls.show_status("idle", "cancelled")
            raise
