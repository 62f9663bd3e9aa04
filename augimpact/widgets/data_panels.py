"""Under the player: all panels of the data that frames are compared with, made when somebody asks for them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import ipywidgets

from augimpact.errors import Cancelled
from augimpact.widgets.given_data import GivenData
from augimpact.widgets.opener import Opener
from augimpact.widgets.worker import sentence_about_data

if TYPE_CHECKING:
    from augimpact.profiling.result import Profile

__all__ = ["DataPanels"]

logger = logging.getLogger(__name__)
# Of the data so many images are looked at, drawn by chance: some seconds of all cores.
MOST_SAMPLES, SEED = 5000, 0
TOLD_EVERY = 0.3
OFFER, HIDE, CANCEL = "Show all panels of the data", "Hide the panels of the data", "Cancel"
ABOUT = "classes, sizes, colours, duplicates, odd images, what gives the class away"
SIZES = (
    "These panels measure the images at the size they are stored in, unlike the card above, which measures them "
    "as the classifier sees them."
)
PRIVATE_ERROR = "the data cannot be profiled; the server's log says why"
# Of data whose images are sealed no mean of them is shown either.
PICTURES = "mean_images"


class DataPanels:
    """Offers the profile of some data, and shows it as a `Board`.

    Args:
        given: the data.
        found: told of the profile once it is there.

    Attributes:
        box: what is shown: a button, what it says of itself, and the board once it is there.
        button: begins, or cancels what was begun; hides the board once it is there, and shows it again. Its note says
            how far it is, or what went wrong.
        shown: the board and what is said of it, or None before.
    """

    def __init__(self, given: GivenData, found: Callable[[Profile], None] | None = None) -> None:
        self._given, self._found = given, found
        # Of what runs; set, it ends soon, and shows nothing any more.
        self._cancelled: threading.Event | None = None
        self.shown: ipywidgets.VBox | None = None
        self.button = Opener(OFFER, ABOUT, self._on_click)
        self.box = ipywidgets.VBox([self.button])
        self.box.add_class("augimpact-data-panels")

    def close(self) -> None:
        """Ends what was begun, and takes it all away."""
        self._cancel()
        for part in (*self.box.children, self.box):
            part.close()

    def _on_click(self) -> None:
        if self._cancel():
            self._say("cancelled")
            self._offer()
            return
        if self.shown is not None:
            opens = self.shown.layout.display == "none"
            self.shown.layout.display = None if opens else "none"
            self._say("" if opens else ABOUT)
            self._offer()
            return
        self._cancelled = cancelled = threading.Event()
        self.button.description = CANCEL
        self._say("reading the data…")
        threading.Thread(target=self._run, args=(cancelled,), name="augimpact-data-panels", daemon=True).start()

    def _cancel(self) -> bool:
        """Whether something ran."""
        cancelled, self._cancelled = self._cancelled, None
        if cancelled is not None:
            cancelled.set()
        return cancelled is not None

    def _say(self, text: str) -> None:
        self.button.note = text

    def _offer(self) -> None:
        """Says what a click does now."""
        hidden = self.shown is None or self.shown.layout.display == "none"
        self.button.description, self.button.opened = OFFER if hidden else HIDE, not hidden

    # What follows runs on a thread of its own.

    def _run(self, cancelled: threading.Event) -> None:
        try:
            self._show(cancelled)
        except Cancelled:
            logger.debug("the panels of the data were cancelled")
        except Exception as error:  # said in the page, whatever a user's file raises
            logger.exception("the data could not be profiled")
            if not cancelled.is_set():
                self._say(sentence_about_data(error, private=self._given.private, hidden=PRIVATE_ERROR))
        finally:
            if self._cancelled is cancelled:
                self._cancelled = None
                self._offer()

    def _show(self, cancelled: threading.Event) -> None:
        from augimpact.profiling.extract import profile
        from augimpact.profiling.part import part_of
        from augimpact.widgets.board import Board

        told = 0.0

        def tell(done: int, total: int) -> None:
            nonlocal told
            if cancelled.is_set():
                raise Cancelled
            if time.monotonic() - told > TOLD_EVERY:
                told = time.monotonic()
                self._say(f"{done:,} of {total:,} images")

        with self._given.turn(cancelled.is_set):
            part = part_of(self._given.source, MOST_SAMPLES, SEED)
            found = profile(
                part.data,
                max_samples=MOST_SAMPLES,
                features=[f"-{PICTURES}"] if self._given.sealed else None,
                # That of the classifier is busy.
                device="cpu",
                progress=tell,
                **self._given.options,
            )
        board = Board(found)
        if cancelled.is_set():
            raise Cancelled
        is_drawn = part.total is not None and part.total > MOST_SAMPLES
        drawn = f"{MOST_SAMPLES:,} images, drawn by chance. " if is_drawn else ""
        self.shown = ipywidgets.VBox([ipywidgets.HTML(f"<p>{drawn}{SIZES}</p>"), board])
        # The button stays where it is, and who pressed it stays on it.
        self.box.children = [*self.box.children, self.shown]
        self._say("")
        if self._found is not None:
            self._found(found)
