"""The controls as a widget: every choice a person can make, over one synced trait."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from PIL import Image

from augimpact.augment.parameters import BORDERS, CATALOGUE, ERASE_FILLS, neutral_setting
from augimpact.errors import UserError, unknown
from augimpact.explain.methods import METHODS
from augimpact.render.page import bundle, style
from augimpact.sweep import DEFAULT_FRAMES, EASINGS

__all__ = ["Controls"]

HERE = Path(__file__).parent
THUMBNAIL_SIDE = 112


class Controls(anywidget.AnyWidget):
    """Image, classifier, a slider for every parameter, and the sweep.

    Attributes:
        state: all choices: `image` and `second` (names), `method`, `target`, `erase_fill`, `border`, `settings` (a
            value for every parameter), `ranges` (start and end of those that are swept), `frames`, `easing`, and
            `sweeps`, how many were asked for: as a part of the state a request comes with the choices that it is about.
        labels: the names of the classes, once the classifier is loaded.
        images: what can be chosen, each with `name` and `thumbnail` (JPEG bytes).
        status: `kind` (`idle`, `loading`, `sweeping`, `error`), `text`, `done`, `total`.
        flips: for each parameter that was swept, the values at which the prediction flips.
    """

    _esm = bundle(HERE / "controls.js")
    _css = style(HERE / "controls.css")

    catalogue = traitlets.List().tag(sync=True)
    methods = traitlets.List().tag(sync=True)
    easings = traitlets.List().tag(sync=True)
    erase_fills = traitlets.List().tag(sync=True)
    borders = traitlets.List().tag(sync=True)
    labels = traitlets.List().tag(sync=True)
    classifier = traitlets.Unicode().tag(sync=True)
    images = traitlets.List().tag(sync=True)
    state = traitlets.Dict().tag(sync=True)
    status = traitlets.Dict().tag(sync=True)
    flips = traitlets.Dict().tag(sync=True)

    def __init__(self, classifier: str, images: Mapping[str, Image.Image], **choices: Any) -> None:
        state = {
            "image": next(iter(images)),
            # Mixing an image with itself shows nothing.
            "second": list(images)[-1],
            "method": next(iter(METHODS)),
            "target": "follow",
            "erase_fill": ERASE_FILLS[0],
            "border": BORDERS[0],
            "settings": neutral_setting(),
            "ranges": {"rotation": list(CATALOGUE["rotation"].sweep)},
            "frames": DEFAULT_FRAMES,
            "easing": EASINGS[0],
            "sweeps": 0,
        }
        for name in choices:
            if name not in state:
                raise UserError(unknown("choice", name, state))
        choices["settings"] = neutral_setting() | choices.get("settings", {})
        super().__init__(
            catalogue=[asdict(each) | {"label": each.label} for each in CATALOGUE.values()],
            methods=[{"name": each.name, "label": each.label} for each in METHODS.values()],
            easings=list(EASINGS),
            classifier=classifier,
            images=[{"name": name, "thumbnail": _thumbnail(image)} for name, image in images.items()],
            erase_fills=list(ERASE_FILLS),
            borders=list(BORDERS),
            state=state | choices,
            status={"kind": "idle", "text": "", "done": 0, "total": 0},
        )

    def add_image(self, name: str, image: Image.Image) -> None:
        """Offers another image, in place of one of the same name, and chooses it."""
        others = [each for each in self.images if each["name"] != name]
        self.images = [*others, {"name": name, "thumbnail": _thumbnail(image)}]
        self.state = self.state | {"image": name}


def _thumbnail(image: Image.Image) -> bytes:
    """A small JPEG of the image's middle square."""
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    small = image.resize((THUMBNAIL_SIDE, THUMBNAIL_SIDE), box=(left, top, left + side, top + side), reducing_gap=2)
    file = io.BytesIO()
    small.save(file, format="JPEG", quality=80)
    return file.getvalue()
