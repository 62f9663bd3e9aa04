"""The Explorer: controls, player and grid as one page, and between them one thread that asks the classifier."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import ipywidgets

from augimpact.data.image import UPLOAD_PIXELS
from augimpact.errors import UserError
from augimpact.widgets.asker import Asker
from augimpact.widgets.asking import DataAsking, ModelAsking
from augimpact.widgets.choices import held_of, opened_state, state_of
from augimpact.widgets.controls import Controls
from augimpact.widgets.data_panels import DataPanels
from augimpact.widgets.dataset import DataBeside
from augimpact.widgets.gallery import Gallery
from augimpact.widgets.given_data import GivenData
from augimpact.widgets.impact_tab import PLAYER, ImpactTab
from augimpact.widgets.lasting import Lasting, picture_of
from augimpact.widgets.model_list import BUILTIN, ModelList
from augimpact.widgets.player import Player
from augimpact.widgets.reader import Reader
from augimpact.widgets.surface import SurfaceView
from augimpact.widgets.tasks import DUE, MEASURE, ORIGINAL, SUBJECT, SWEEP, Tasks
from augimpact.widgets.worker import sentence, told

if TYPE_CHECKING:
    from torch.nn import Module

    from augimpact.impact.along import Walk
    from augimpact.models.model import Model
    from augimpact.trace import Trace

__all__ = ["Explorer"]

# Thumbnails that a page is sent at a time.
MOST_THUMBNAILS = 12

logger = logging.getLogger(__name__)


class Explorer(ipywidgets.Box):
    """Moves sliders over a photograph and shows at once what the classifier sees and where it looks.

    The classifier is loaded and asked on a thread of its own, from the moment the page is shown.

    Args:
        image: what to begin with, see `augimpact.data.image.read_image`; the examples are offered beside it.
        classifier: a `Classifier`, or what `load_classifier` takes; by default the built-in one.
        models: more of them, to choose from.
        folder: a folder on this machine whose images are offered.
        data: what every frame is compared with: whatever `augimpact.profile` takes. Some hundreds of its images are
            measured once the first sweep is shown; all its panels appear under the player when they are asked for.
        data_options: how it is read, where that cannot be told: arguments of `augimpact.profile`, such as
            `{"labels": "[1]"}`; `images`, `labels`, `class_names`, `layout`, `value_range`, `mean`, `std`, `channels`.
        impact: what a sweep does to the classifier over a dataset, shown in a tab of its own and as a band behind the
            curves: an `Impact`, or the folder of one. With `data` it can be measured in the page as well.
        show_data: whether images of `data` may be shown where an impact is measured over them, and means of them.
        scheduler: the address of a Dask cluster, as tcp://HOST:8786, whose workers then compute; no torch is imported
            here. Models are names and data is a folder that they know.
        max_pixels: of an uploaded image, by default 40 million.
        private: that those who use the page may not learn of this machine: no paths, no tracebacks.
        **choices: to begin with, as `Controls.state` has them: `ranges={"crop": [1, 0.3]}`, `frames=24`…

    Attributes:
        controls: the left side, a widget of its own.
        player: the right side, likewise; `player.trace` is the last sweep.
        surface: two parameters as a grid, once that was asked for.

    Raises:
        ImageError: the image cannot be read.
        UserError: there is no such folder, of images, data or an impact, or an unknown choice.
    """

    def __init__(
        self,
        image: Any = None,
        classifier: Model | Module | str | None = None,
        *,
        models: Sequence[Model | Module | str] = (),
        folder: str | os.PathLike[str] | None = None,
        data: Any = None,
        data_options: Mapping[str, Any] | None = None,
        impact: Any = None,
        show_data: bool = True,
        scheduler: str | None = None,
        max_pixels: int = UPLOAD_PIXELS,
        private: bool = False,
        **choices: Any,
    ) -> None:
        # First of all: whatever fails below, `close` finds it.
        self._reader = Reader(on_error=self._show_file_error)
        self._private = private
        self._gallery = Gallery(image, folder, max_pixels=max_pixels, private=private)
        first = [] if classifier is None and models else [BUILTIN if classifier is None else classifier]
        self._models = ModelList([*first, *models], private=private)
        given = GivenData(data, data_options, private=private, sealed=not show_data)
        if given.options and scheduler is not None:
            raise UserError("data_options are of data in this process; with scheduler= it is a folder of images")
        asker, beside = self._asking([*first, *models], given, scheduler, max_pixels)
        self._begun = False
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
        self._tasks = Tasks(
            self.controls, self.player, self.surface, self._lasting, self._gallery, asker, beside,
            private=private, on_error=self._show_error,
        )  # fmt: skip
        self.controls.observe(self._on_state, "state")
        self.controls.on_msg(self._on_message)
        self.surface.observe(self._on_cell, "chosen")
        if scheduler is not None:
            # An impact is measured by a model of this process, and a profile by its cores.
            given = GivenData(None, private=private)
        # What can be gone through but once the frames are compared with.
        offered = given.exists and not isinstance(data, Iterator)
        self._panels = DataPanels(given, found=self.player.show_profile) if offered else None
        beneath = [] if self._panels is None else [self._panels.box]
        shown = ipywidgets.Box([self.player, self.surface, *beneath])
        self._impact = None if impact is None and not given.exists else ImpactTab(self, impact, given)
        if self._impact is not None:
            self._put_tab(self._impact, shown)
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
            self._tasks.request(ORIGINAL, SWEEP)

    def open_image(
        self, name: str, source: Any, walk: Walk, frame: int, conditions: Mapping[str, Any] | None = None
    ) -> None:
        """Offers an image, shows it under a sweep, and rests on one of its frames.

        Args:
            name: what it is called.
            source: its path, or a Pillow image.
            walk: the sweep, see `augimpact.impact.along.Walk`.
            frame: of the sweep, from 0.
            conditions: of the choices that frames depend on, those that shall change: `erase_fill`, `border`.

        Raises:
            ImageError: it cannot be read.
        """
        name = self._gallery.offer(name, source, keep=(self.controls.state["image"], self.controls.state["second"]))
        self.controls.offer_image(name, self._gallery.thumbnail(name), self._gallery.names)
        state = opened_state(self.controls.state, name, walk, conditions or {})
        self._tasks.rest_on(frame, state["sweeps"])
        if self._impact is not None:
            self._impact.tabs.selected = PLAYER
        self.controls.state = state

    def _put_tab(self, tab: ImpactTab, shown: ipywidgets.Box) -> None:
        for part in shown.children:
            part.add_class("augimpact-in-player")
        shown.children = [tab.tabs, *shown.children, tab.box]
        shown.add_class("augimpact-tabbed")
        self._tasks.impact = tab
        tab.bind(lambda: self._tasks.request(MEASURE))

    def _asking(
        self, models: Sequence[Any], given: GivenData, scheduler: str | None, max_pixels: int
    ) -> tuple[ModelAsking, DataAsking]:
        """Who answers: this process, or a cluster."""
        if scheduler is None:
            return Asker(self._gallery, self._models), DataBeside(given, self._models)
        from augimpact.widgets.remote import RemoteAsker, RemoteData, offer_of

        offer = offer_of(models, given.source, private=self._private, max_pixels=max_pixels)
        asker = RemoteAsker(self._gallery, offer, scheduler, self._show_waiting)
        return asker, RemoteData(asker, offer)

    def __repr__(self) -> str:
        return f"Explorer({self.controls.state['image']!r})"

    def close(self) -> None:
        """Takes the page away and ends its threads."""
        self._reader.close()
        # What failed to begin has no more than this.
        if hasattr(self, "_impact"):
            self._tasks.close()
            if self._impact is not None:
                self._impact.close()
            for part in (self.controls, self.player, self.surface, self._panels):
                if part is not None:
                    part.close()
        super().close()

    def _ipython_display_(self) -> None:
        self._lasting.display(self, lambda: picture_of(self.player.shown, self.player.reference))

    def _on_message(self, _widget: Any, message: dict[str, Any], buffers: list[Any]) -> None:
        with self._told():
            kind = message.get("kind")
            if kind == "ready":
                self.warm_up()
            elif kind == "cancel":
                self._tasks.cancel()
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
                self._tasks.request(*due)

    def _drop_grid(self, old: dict[str, Any], new: dict[str, Any], changed: set[str]) -> None:
        """Takes away the grid, or the mark in it, if it was of other choices."""
        surface = self.surface.surface
        if surface is None:
            return
        axes = {parameter.name for parameter in surface.axes}
        held = [{name: value for name, value in held_of(each).items() if name not in axes} for each in (old, new)]
        if changed & SUBJECT or held[0] != held[1]:
            with self._tasks.showing:
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
        with self._tasks.showing:
            self._tasks.request(ORIGINAL, SWEEP)
            self.player.clear()
            self.surface.clear()
            self.controls.flips = {}

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

    def _show_waiting(self, sentence: str) -> None:
        self.controls.show_status("loading" if sentence else "idle", sentence)

    def _show_error(self, error: Exception) -> None:
        private = self._private
        self.player.trouble = text = sentence(error, private=private)
        self.controls.show_status("error", text, details=told(error, private=private))

    def _show_file_error(self, error: Exception) -> None:
        """In its own place, where no sweep's progress takes it away."""
        private, count = self._private, self.controls.file_error.get("count", 0) + 1
        self.controls.file_error = {
            "text": sentence(error, private=private), "details": told(error, private=private), "count": count,
        }  # fmt: skip
