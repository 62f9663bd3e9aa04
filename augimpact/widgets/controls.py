"""The controls as a widget: every choice a person can make, over one synced trait."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from augimpact.augment.parameters import BORDERS, CATALOGUE, ERASE_FILLS
from augimpact.explain.methods import METHODS
from augimpact.render.page import bundle, style
from augimpact.sweep import EASINGS
from augimpact.widgets.choices import MAX_PAGE_FRAMES

__all__ = ["Controls"]

HERE = Path(__file__).parent
# The page opens with these: crop, brightness, rotation, perspective and erasing. The rest is one press away.
FIRST = ("crop", "rotation", "perspective_x", "perspective_y", "brightness", "erase_w", "erase_h", "erase_x", "erase_y")


class Controls(anywidget.AnyWidget):
    """Image, classifier, a slider for every parameter, and the sweep.

    Args:
        state: what is chosen to begin with, see `augimpact.widgets.choices.state_of`.
        images: a small JPEG of each image that can be chosen, by its name.
        models: the names of the models that can be chosen.
        files: the names of further images, whose thumbnails are asked for when they are looked for.
        max_pixels: of an upload; a larger photograph is scaled down before it is sent.

    Attributes:
        state: all choices: `image` and `second` (names), `model` and `device`, `method`, `layer` (`""` is the model's
            own), `target`, `classes` (indices, none for all), `beside_model` and `beside_method` (`""` for none),
            `erase_fill`, `border`, `settings` (a value for every parameter), `ranges` (start and end of those that are
            swept), `frames`, `easing`, and `sweeps`, how many were asked for: as a part of the state a request comes
            with the choices that it is about. `grid_steps` and `grids` are the same for grids; `draft` says that a
            slider is being dragged.
        about: of the chosen model, once it is loaded: `labels` of its outputs, whether they `are_classes`, `layers`,
            the `layer` it is explained at, and `devices` of this machine.
        images: what can be chosen, each with `name` and `thumbnail` (JPEG bytes).
        status: `kind` (`idle`, `loading`, `sweeping`, `error`), `text`, `done`, `total`, `details`.
        flips: for each parameter that was swept, the values at which the prediction flips.
        chosen: the `name` of an image that was brought, for the page to choose, and a `count` of these.
        file_error: `text` and `details` of a file that could not be read, and a `count` of these.
    """

    _esm = bundle(HERE / "controls.js")
    _css = style(HERE / "controls.css")

    catalogue = traitlets.List().tag(sync=True)
    methods = traitlets.List().tag(sync=True)
    easings = traitlets.List().tag(sync=True)
    erase_fills = traitlets.List().tag(sync=True)
    borders = traitlets.List().tag(sync=True)
    limits = traitlets.Dict().tag(sync=True)
    models = traitlets.List().tag(sync=True)
    files = traitlets.List().tag(sync=True)
    about = traitlets.Dict().tag(sync=True)
    images = traitlets.List().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    status = traitlets.Dict().tag(sync=True)
    chosen = traitlets.Dict().tag(sync=True)
    file_error = traitlets.Dict().tag(sync=True)
    flips = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        state: dict[str, Any],
        *,
        images: Mapping[str, bytes],
        models: Sequence[str],
        files: Sequence[str] = (),
        max_pixels: int,
    ) -> None:
        super().__init__(
            catalogue=[
                asdict(each) | {"label": each.label, "first": each.name in FIRST or each.group == "own"}
                for each in CATALOGUE.values()
            ],
            methods=[{"name": each.name, "label": each.label} for each in METHODS.values()],
            easings=list(EASINGS),
            erase_fills=list(ERASE_FILLS),
            borders=list(BORDERS),
            limits={"frames": MAX_PAGE_FRAMES, "pixels": max_pixels},
            models=list(models),
            files=list(files),
            about={"labels": [], "are_classes": True, "layers": [], "layer": "", "devices": []},
            images=[{"name": name, "thumbnail": thumbnail} for name, thumbnail in images.items()],
            state=state,
            status={"kind": "idle", "text": "", "done": 0, "total": 0, "details": ""},
        )

    def show_status(self, kind: str, text: str, done: int = 0, total: int = 0, details: str = "") -> None:
        """Says what is under way, see `status`."""
        self.status = {"kind": kind, "text": text, "done": done, "total": total, "details": details}

    def add_image(self, name: str, thumbnail: bytes, names: Container[str]) -> None:
        """Offers another image, in place of one of the same name and of those not in `names`, and has it chosen.

        The page chooses it: what it says of all its choices may be under way, and would undo what was set here.
        """
        self.offer_image(name, thumbnail, names)
        self.chosen = {"name": name, "count": self.chosen.get("count", 0) + 1}

    def offer_image(self, name: str, thumbnail: bytes, names: Container[str]) -> None:
        """Offers another image, as `add_image` does, and leaves the choice as it is."""
        others = [each for each in self.images if each["name"] != name and each["name"] in names]
        self.images = [*others, {"name": name, "thumbnail": thumbnail}]
