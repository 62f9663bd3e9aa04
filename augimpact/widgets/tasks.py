"""What a page is owed: pictures, sweeps and grids, made on one thread, the quickest first, shown while they hold."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from augimpact.as_code import code_of
from augimpact.errors import AmbiguousData, Cancelled, UserError
from augimpact.explain.methods import METHODS, find_method
from augimpact.payload import Beside, payload_of
from augimpact.profiling.panel import counted
from augimpact.widgets.asking import Cancelling, DataAsking, ModelAsking
from augimpact.widgets.choices import held_of
from augimpact.widgets.controls import Controls
from augimpact.widgets.gallery import Gallery
from augimpact.widgets.lasting import Lasting
from augimpact.widgets.player import Player
from augimpact.widgets.surface import SurfaceView
from augimpact.widgets.worker import UNREADABLE, Worker, sentence_about_data

if TYPE_CHECKING:
    from augimpact.comparison import Comparison
    from augimpact.trace import Trace
    from augimpact.widgets.impact_tab import ImpactTab

__all__ = ["DUE", "MEASURE", "ORIGINAL", "SUBJECT", "SWEEP", "Tasks"]

logger = logging.getLogger(__name__)
# What may be due, the quickest first.
ORIGINAL, PREVIEW, SWEEP, GRID, REFERENCE = "original", "preview", "sweep", "grid", "reference"
# What only data gives: last of all, and not ended by what ends a sweep.
MEASURE = "measure"
OF_DATA = (REFERENCE, MEASURE)
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
# The data is measured once nobody has asked for anything for so many seconds; how far that is, is told so often.
QUIET, TOLD_EVERY = 0.3, 0.5
STOPPING, CANCELLED = "stopping after this frame…", "cancelled"
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
        data: what frames are compared with.
        private: that nobody who uses the page may learn of this machine.
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
        asker: ModelAsking,
        data: DataAsking,
        *,
        private: bool,
        on_error: Callable[[Exception], None],
    ) -> None:
        self.showing = threading.RLock()
        # Where the impact of the data is shown, once there is such a place.
        self.impact: ImpactTab | None = None
        self._rest: tuple[int, int] | None = None
        self._controls = controls
        self._player = player
        self._surface = surface
        self._lasting = lasting
        self._gallery = gallery
        self._asker = asker
        self._data = data
        self._private = private
        # Of the frames, in pixels; None where they are no pictures.
        self._shows_images = False
        self._worker = Worker(on_error=on_error)
        # A request may overtake another, but what is owed stays owed.
        self._due: dict[str, int] = {}
        self._tickets = itertools.count()
        self._cancels = 0

    def request(self, *due: str) -> None:
        """Has these done, with the choices that there are when they begin."""
        # What the data is compared with may be of another size.
        after = (REFERENCE,) if self._data.exists and SWEEP in due else ()
        for name in (*due, *after):
            self._due[name] = next(self._tickets)
        self._worker.submit(self._work)

    def rest_on(self, frame: int, sweeps: int) -> None:
        """The sweep that is the so manieth to be asked for rests on a frame once it is shown, and does not play."""
        self._rest = frame, sweeps

    def cancel(self) -> None:
        """Nothing of what was asked for appears any more, but the picture itself where there is nothing yet."""
        self._cancels += 1
        # That the data is measured nobody sees but by what it gives.
        is_owed = self._player.shown is None and not _slow_methods(self._controls.state)
        kept = {*OF_DATA, ORIGINAL} if is_owed else {*OF_DATA}
        still = {name: ticket for name, ticket in self._due.items() if name in kept}
        self._due.clear()
        self._due.update(still)
        self._worker.cancel()
        # A frame that has begun is finished, which takes seconds with some methods.
        busy = self._worker.is_busy
        self._controls.show_status(*(("loading", STOPPING) if busy else ("idle", CANCELLED)))
        if still:
            self._worker.submit(self._work)

    def close(self) -> None:
        """Ends the thread when what runs has stopped."""
        self._worker.close()
        self._asker.close()

    def _work(self, cancelled: Cancelling) -> None:
        """Does what is due."""
        began = dict(self._due)
        tasks = {
            ORIGINAL: self._preview_original, PREVIEW: self._preview, SWEEP: self._sweep, GRID: self._grid,
            REFERENCE: self._measure_data, MEASURE: self._measure_impact,
        }  # fmt: skip
        for name, task in tasks.items():
            ticket = self._due.get(name)
            if ticket is None:
                continue
            try:
                if name != REFERENCE:
                    self._load()
                task(cancelled)
            except Cancelled:
                if self._controls.status["text"].startswith(STOPPING):
                    self._controls.show_status("idle", CANCELLED)
                raise
            except Exception as error:
                # What was asked for meanwhile stays owed.
                for each, dropped in began.items():
                    if self._due.get(each) == dropped:
                        self._due.pop(each, None)
                if MEASURE in began and self.impact is not None:
                    self.impact.show_error(error)
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
            self._shows_images = not _is_of_signals(original)
            self._show_data(moment.state)
            self._player.show_preview(shown, original)

        self._appear(moment, show)
        if SWEEP not in self._due:
            # It was cancelled.
            self._controls.show_status("idle", CANCELLED)

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
                rest = self._rest if self._rest is not None and self._rest[1] == moment.state["sweeps"] else None
                self._player.show(swept, payload, frame=None if rest is None else rest[0])
                flips = next(iter(swept.traces.values())).flips() if isinstance(swept, Beside) else swept.flips()
                self._controls.flips = {name: flips[name].tolist() for name in moment.state["ranges"] if name in flips}
                self._lasting.update(swept, self._player.reference)
                if self.impact is not None:
                    self.impact.follow(swept)

            self._appear(moment, show)
        frames = counted(len(payload["tags"]), "frame")
        self._controls.show_status("idle", f"{frames} · {self._asker.device(moment.state)}")

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

    def _measure_data(self, cancelled: Cancelling) -> None:
        """Measures the data for the frames that are shown, if that was not done before; the last thing that is done."""
        state = self._controls.state
        # It is asked for anew with the next sweep.
        wanted = self._wanted(state) if self._asker.is_ready(state) else None
        if wanted is None or self._data.known(wanted) is not None:
            return
        _wait_for_quiet(cancelled)
        told = time.monotonic()

        def tell(done: int, total: int) -> None:
            nonlocal told
            if time.monotonic() - told > TOLD_EVERY:
                told = time.monotonic()
                self._player.announce_reference(f"Measuring the data: {done} of {total} images…")

        try:
            self._data.measure(wanted, tell, cancelled)
        except UserError as error:
            logger.exception("the data could not be measured")
            # What cannot be read may name files; what is asked for is said to whoever can tell it.
            asks = isinstance(error, AmbiguousData)
            said = sentence_about_data(error, private=self._private, hidden=UNREADABLE) if asks else UNREADABLE
            self._player.announce_reference(f"The data cannot be shown: {said}.", pending=False)
            return
        with self.showing:
            if self._wanted(self._controls.state) == wanted:
                self._show_data(state)

    def _measure_impact(self, cancelled: Cancelling) -> None:
        if self.impact is not None:
            self.impact.measure(self._asker.model(self._controls.state), cancelled)

    def _wanted(self, state: dict[str, Any]) -> Any:
        """For which input of a model the data is measured; None where there is none, or no frame of an image."""
        return self._data.wanted(state) if self._shows_images else None

    def _show_data(self, state: dict[str, Any]) -> None:
        """Shows what is known of the data for these frames, or that it will be."""
        wanted = self._wanted(state)
        reference = None if wanted is None else self._data.known(wanted)
        if reference is not None:
            if self._player.reference is not reference:
                self._player.show_reference(reference)
                self._lasting.update(self._player.shown, reference)
        elif wanted is not None:
            self._player.announce_reference("The data is measured after this sweep…")
        else:
            self._player.show_reference(None)

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
        for name in _slow_methods(state):
            self._controls.show_status("sweeping", f"{METHODS[name].label} takes seconds for every frame…")

    def _progress(self, what: str) -> Callable[[int, int], None]:
        return lambda done, total: self._controls.show_status("sweeping", f"{done} of {total} {what}", done, total)

    @contextmanager
    def _told_when_cancelled(self) -> Iterator[None]:
        try:
            yield
        except Cancelled:
            self._controls.show_status("idle", CANCELLED)
            raise


def _slow_methods(state: dict[str, Any]) -> list[str]:
    """Those of the chosen methods that take seconds for every frame."""
    return [name for name in (state["method"], state["beside_method"]) if name and find_method(name).slow]


def _is_of_signals(shown: Trace | Comparison) -> bool:
    trace = next(iter(shown.traces.values())) if isinstance(shown, Beside) else shown
    return trace.signals is not None


def _wait_for_quiet(cancelled: Cancelling) -> None:
    """Returns when nobody has asked for anything for a while: each frame of a drag shall find the thread free."""
    until = time.monotonic() + QUIET
    while time.monotonic() < until:
        if cancelled():
            raise Cancelled
        time.sleep(QUIET / 20)
