"""Training sets in a notebook: searched, looked at, profiled, and opened in the Explorer."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from augimpact.errors import Cancelled
from augimpact.store.catalog import Catalog
from augimpact.store.labels import KINDS
from augimpact.store.pairs import Pair
from augimpact.store.training_set import TrainingSet
from augimpact.widgets.gallery import THUMBNAIL_SIDE, thumbnail
from augimpact.widgets.reader import Reader
from augimpact.widgets.worker import sentence

__all__ = ["SetBrowser"]

PICTURES = 12
# Of the samples of a group, those that are profiled: enough for every panel, in some seconds.
PROFILED = 2000
ANY = "any kind"
# Of a band that is no byte, what is shown as black and as white.
SHOWN = (1, 99)
STYLE = """<style>
.augimpact-sets { color: var(--jp-ui-font-color1, inherit); }
.augimpact-sets td, .augimpact-sets th { padding: 1px 12px 1px 0; text-align: left; vertical-align: top; }
.augimpact-sets .augimpact-set-words { font: 13px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
.augimpact-sets .augimpact-set-error { color: var(--jp-error-color1, #b3261e); }
</style>"""


class SetBrowser(ipywidgets.VBox):
    """The sets of a catalogue: a search, and of the chosen one its document, pictures, panels, and the Explorer.

    Args:
        catalog: by default that on this machine's disk.
        classifier: that the Explorer begins with, as it takes it.

    Attributes:
        found: the sets that are listed.
        chosen: one of them, or None.
        board: the panels of a group once they were asked for, an `augimpact.Board`.
        explorer: once a picture was opened.

    Raises:
        DataError: the catalogue cannot be read.
    """

    def __init__(self, catalog: Catalog | None = None, classifier: Any = None) -> None:
        self._catalog, self._classifier = catalog or Catalog(), classifier
        self._reader = Reader(on_error=self._show_error)
        self.found: list[TrainingSet] = []
        self.chosen: TrainingSet | None = None
        self.board: Any = None
        self.explorer: Any = None
        self._text = ipywidgets.Text(placeholder="words of names and classes", continuous_update=False)
        self._kind = ipywidgets.Dropdown(options=[ANY, *KINDS])
        self._list = ipywidgets.Select(options=[], rows=6, layout={"width": "auto"})
        self._group = ipywidgets.Dropdown(description="group")
        self._profile = ipywidgets.Button(description="panels", tooltip="measures the group's images")
        self._about, self._said = ipywidgets.HTML(), ipywidgets.HTML()
        self._pictures = ipywidgets.Box(layout={"flex_flow": "row wrap"})
        self._panels, self._opened = ipywidgets.VBox(), ipywidgets.VBox()
        self._tools = ipywidgets.HBox([self._group, self._profile])
        search = ipywidgets.HBox([self._text, self._kind])
        super().__init__(
            [ipywidgets.HTML(STYLE), search, self._list, self._about, self._tools, self._said, self._pictures,
             self._panels, self._opened]
        )  # fmt: skip
        self.add_class("augimpact-sets")
        for each in (self._text, self._kind):
            each.observe(lambda _change: self.search(), "value")
        self._list.observe(self._on_chosen, "index")
        self._group.observe(lambda _change: self._show_pictures(), "value")
        self._profile.on_click(lambda _button: self._reader.submit(self._show_panels))
        self.search()

    def search(self) -> None:
        """Lists what the words and the kind find, and chooses the first."""
        kind = None if self._kind.value == ANY else self._kind.value
        self.found = self._catalog.search(self._text.value, mltype=kind)
        self._list.options = [_line(each) for each in self.found] or ["nothing is found"]
        self._list.index = None
        if self.found:
            self._list.index = 0
        else:
            self._show(None)

    def open_pair(self, pair: Pair) -> None:
        """Opens the image of a pair in the Explorer, beneath."""
        from augimpact.widgets.explorer import Explorer

        if self.explorer is not None:
            self.explorer.close()
        self.explorer = Explorer(picture_of(pair.array()), self._classifier)
        self._opened.children = [self.explorer]

    def close(self) -> None:
        """Takes it away and ends its thread."""
        self._reader.close()
        if self.explorer is not None:
            self.explorer.close()
        super().close()

    def _on_chosen(self, change: dict[str, Any]) -> None:
        index = change["new"]
        if index is not None and index < len(self.found):
            self._show(self.found[index])

    def _show(self, chosen: TrainingSet | None) -> None:
        self.chosen, self.board = chosen, None
        self._panels.children = ()
        self._said.value = ""
        self._about.value = "" if chosen is None else _table(chosen.document())
        groups = () if chosen is None else tuple(chosen.count)
        self._group.options = groups
        self._group.value = groups[0] if groups else None
        self._tools.layout.display = None if groups else "none"
        self._show_pictures()

    def _show_pictures(self) -> None:
        if self.chosen is None or self._group.value is None:
            self._pictures.children = ()
            return
        try:
            pairs = self.chosen.group(self._group.value)
            # Spread over the group, for neighbours are often alike.
            places = np.linspace(0, len(pairs) - 1, min(PICTURES, len(pairs))).astype(int)
            self._pictures.children = [self._thumbnail(pairs[int(place)]) for place in places]
        except Exception as error:  # of a server, whatever it raises
            self._show_error(error)

    def _thumbnail(self, pair: Pair) -> ipywidgets.VBox:
        button = ipywidgets.Button(description="open", tooltip=_told(pair), layout={"width": f"{THUMBNAIL_SIDE}px"})
        button.on_click(lambda _button: self.open_pair(pair))
        return ipywidgets.VBox([ipywidgets.Image(value=thumbnail(picture_of(pair.array())), format="jpeg"), button])

    def _show_panels(self) -> None:
        from augimpact.profiling.extract import profile
        from augimpact.widgets.board import Board

        if self.chosen is None:
            return
        asked = self.chosen, self._group.value

        def tell(done: int, total: int) -> None:
            if asked != (self.chosen, self._group.value):
                raise Cancelled
            if done % 50 == 0:
                self._said.value = f"<p class='augimpact-set-words'>{done:,} of {total:,} images…</p>"

        self._profile.disabled = True
        try:
            found = profile(asked[0].dataset(asked[1]), max_samples=PROFILED, progress=tell)
        except Cancelled:
            return
        finally:
            self._profile.disabled = False
        if asked == (self.chosen, self._group.value):
            self.board = Board(found)
            self._panels.children = [self.board]
            self._said.value = ""

    def _show_error(self, error: Exception) -> None:
        told = escape(sentence(error, private=False))
        self._said.value = f"<p class='augimpact-set-words augimpact-set-error'>{told}</p>"


def picture_of(image: NDArray[Any]) -> Image.Image:
    """An image `(C, H, W)` as a person sees it.

    Its first three bands, or its only one: of bytes as they are, of others each from its 1st to its 99th percentile.
    """
    bands = image[:3] if len(image) >= 3 else np.repeat(image[:1], 3, axis=0)
    if bands.dtype != np.uint8:
        values = bands.astype(np.float64)
        low, high = np.nanpercentile(values, SHOWN, axis=(1, 2), keepdims=True)
        units = (np.nan_to_num(values) - low) / np.where(high > low, high - low, 1)
        bands = np.rint(np.clip(units, 0, 1) * 255).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(bands.transpose(1, 2, 0)))


def _line(each: TrainingSet) -> str:
    return f"{each.id} · {each.name} · {each.mltype} · {sum(each.count.values()):,} pairs · {each.userId}"


def _table(document: dict[str, Any]) -> str:
    rows: list[tuple[str, str]] = [
        ("pairs", ", ".join(f"{group} {count:,}" for group, count in document["count"].items()) or "none"),
        ("classes", _few(document["classes"])),
        ("images", f"{'×'.join(map(str, document['shape']))} {document['dtype']}" if document["shape"] else "none"),
        ("description", document["description"]), ("source", document["source"]),
        ("sensors", ", ".join(document["sensors"])),
        ("place", ", ".join(f"{each:.6g}" for each in document["bbox"] or ())),
        ("published", "yes" if document["public"] else "no"), ("on this machine", f"{document['percent_cached']} %"),
    ]  # fmt: skip
    lines = [f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows if value]
    return f"<table class='augimpact-set-words'>{''.join(lines)}</table>"


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:20]) + (f" and {len(names) - 20:,} more" if len(names) > 20 else "")


def _told(pair: Pair) -> str:
    data = pair.data
    return ", ".join(f"{name}: {data[name]}" for name in ("name", "label") if name in data)[:200]
