"""The Explorer's second tab: the impact over a dataset, loaded beside the page's work and measured between it.

Until the tab is opened nothing of it reaches the page but the tabs themselves; the impact is read, on a thread of its
own, once the first sweep is shown, for its band behind the curves.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets

from augimpact.errors import Cancelled
from augimpact.payload import Beside
from augimpact.widgets.given_data import GivenData
from augimpact.widgets.impact_beside import ImpactBeside, about_measuring
from augimpact.widgets.reader import Reader
from augimpact.widgets.tabs import Tabs
from augimpact.widgets.worker import sentence_about_data

if TYPE_CHECKING:
    from augimpact.comparison import Comparison
    from augimpact.models.model import Model
    from augimpact.trace import Trace
    from augimpact.widgets.explorer import Explorer
    from augimpact.widgets.impact import ImpactView

__all__ = ["IMPACT", "PLAYER", "ImpactTab"]

logger = logging.getLogger(__name__)
PLAYER, IMPACT = "player", "impact"
OFFER = "Measure impact over the data"
TOLD_EVERY = 0.3
LOADING, WAITING, STOPPING = "reading the impact…", "waiting for the classifier…", "stopping…"
PRIVATE_ERROR = "the impact cannot be read or measured; the server's log says why"


class ImpactTab:
    """Holds the tabs, and the impact's view once somebody looks.

    Args:
        explorer: whose tab it is; it opens samples, and its controls say what would be measured.
        impact: an `Impact`, the folder of one, or None.
        given: the data that can be measured, if there is some.

    Attributes:
        tabs: `player` and `impact`.
        box: where the view appears.
        view: the view, or None before the tab was opened.

    Raises:
        UserError: the folder has no impact.
    """

    def __init__(self, explorer: Explorer, impact: Any, given: GivenData) -> None:
        self._beside = ImpactBeside(impact, given)
        self._explorer, self._private = explorer, given.private
        self._reader = Reader(on_error=self.show_error)
        # Held while the band of a sweep is put beside it.
        self._following = threading.Lock()
        self._request: Callable[[], None] = _nothing
        self._stopped = False
        # Whether a measurement was asked for and has not ended.
        self._measures = False
        self._begun = False
        self.view: ImpactView | None = None
        self.tabs = Tabs((PLAYER, IMPACT))
        self.box = ipywidgets.Box()
        self.box.add_class("augimpact-in-impact")
        self.tabs.observe(self._on_selected, "selected")

    def bind(self, request: Callable[[], None]) -> None:
        """`request` has `measure` called on the page's worker."""
        self._request = request
        self._explorer.controls.observe(self._on_state, "state")

    def follow(self, shown: Trace | Comparison) -> None:
        """Puts the band of the dataset behind the curves of a sweep that has just appeared."""
        with self._following:
            trace = next(iter(shown.traces.values())) if isinstance(shown, Beside) else shown
            band = self._beside.band(trace)
            # Another sweep may have appeared meanwhile, and what was behind the last is not behind this one.
            if self._explorer.player.shown is shown and self._explorer.player.band != band:
                self._explorer.player.show_band(band)
        self._begin()

    def measure(self, model: Model, cancelled: Callable[[], bool]) -> None:
        """Measures what the controls say, on the page's worker.

        Raises:
            Cancelled: something else was asked for; it stays due, and goes on where it was.
        """
        told = 0.0

        def tell(done: int, total: int) -> None:
            nonlocal told
            if time.monotonic() - told > TOLD_EVERY and not self._stopped:
                told = time.monotonic()
                self._say("running", f"{done:,} of {total:,} frames", done, total)

        try:
            if self._stopped:
                raise Cancelled
            self._beside.measure(self._explorer.controls.state, model, tell, lambda: cancelled() or self._stopped)
        except Cancelled:
            if not self._stopped:
                raise
            self._measures = False
            self._beside.forget()
            self._say("idle", "cancelled")
            return
        except Exception as error:  # said in the tab, whatever a user's file or model raises
            logger.exception("the impact could not be measured")
            self.show_error(error)
            return
        self._measures = False
        self._reader.submit(self._show)

    def close(self) -> None:
        """Ends its threads and removes what was kept."""
        self._stopped = True
        self._reader.close()
        self._beside.forget()
        if self.view is not None:
            self.view.close()
        self.tabs.close()
        self.box.close()

    def _begin(self) -> None:
        """Has the impact read, once."""
        if not self._begun:
            self._begun = True
            self._reader.submit(self._load)

    def _on_selected(self, change: dict[str, Any]) -> None:
        if change["new"] != IMPACT or self.view is not None:
            return
        from augimpact.widgets.impact import ImpactView

        self.view = ImpactView(explorer=self._explorer, private=self._private)
        self.view.on_msg(self._on_message)
        self.view.task = self._offered()
        self._say("loading", LOADING)
        self.box.children = [self.view]
        self._begun = True
        self._reader.submit(self._show)

    def _on_message(self, _widget: Any, message: dict[str, Any], _buffers: list[Any]) -> None:
        if message.get("kind") == "measure" and self._beside.can_measure:
            self._stopped, self._measures = False, True
            self._say("running", WAITING)
            self._request()
        elif message.get("kind") == "cancel":
            self._stopped = True
            # It may have ended while the message was on its way.
            self._say(*(("running", STOPPING) if self._measures else ("idle", "")))

    def _on_state(self, _change: dict[str, Any]) -> None:
        if self.view is None:
            return
        offered = self._offered()
        if any(self.view.task.get(name) != value for name, value in offered.items()):
            self.view.task = self.view.task | offered

    def _offered(self) -> dict[str, str]:
        about = about_measuring(self._explorer.controls.state) if self._beside.can_measure else ""
        return {"offer": OFFER if self._beside.can_measure else "", "about": about}

    def _say(self, kind: str, text: str = "", done: int = 0, total: int = 0) -> None:
        if self.view is not None:
            self.view.say(kind, text, done, total)

    def show_error(self, error: Exception) -> None:
        """Says why nothing is measured or read."""
        self._measures = False
        self._say("error", sentence_about_data(error, private=self._private, hidden=PRIVATE_ERROR))

    # What follows runs on the reader's thread.

    def _load(self) -> None:
        self._beside.load()
        shown = self._explorer.player.shown
        if shown is not None:
            self.follow(shown)

    def _show(self) -> None:
        from augimpact.impact.view import view_of

        self._load()
        impact = self._beside.known
        if impact is not None and self.view is not None and self.view.impact is not impact:
            sealed = self._beside.is_sealed
            self.view.show(impact, self._beside.data, view_of(impact, sealed=sealed), sealed=sealed)
        self._say("idle")


def _nothing() -> None:
    """Before it is bound nobody measures."""
