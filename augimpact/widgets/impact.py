"""An impact as a widget: curves with bands, classes to switch on, a strength to move, and the samples that break there.

All of it travels once, see `augimpact.impact.view`; then the page asks only for thumbnails, and tells what is opened.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from augimpact.render.page import bundle, style
from augimpact.widgets.reader import Reader
from augimpact.widgets.sample_images import SampleImages
from augimpact.widgets.worker import sentence

if TYPE_CHECKING:
    from augimpact.impact.result import Impact
    from augimpact.widgets.explorer import Explorer

__all__ = ["ImpactView"]

HERE = Path(__file__).parent
# Thumbnails that a page is sent at a time.
MOST_THUMBNAILS = 24


class ImpactView(anywidget.AnyWidget):
    """Shows what a sweep does to a classifier over a dataset, and opens the samples that break.

    Args:
        impact: what `augimpact.measure_impact` returned, or `Impact.load`; None shows an empty card until `show` is
            called.
        explorer: in whose player a sample is opened, at the strength at which it was chosen.
        data: the dataset, where its images are no files of their own.
        private: that those who use the page may not learn where files lie.

    Attributes:
        impact: what is shown, or None.
        opened: the sample that a person chose last: `sample` (its row in `impact.outcomes.samples`), `path` (the
            number of the path), `strength`, and `count`, so that the same one can be chosen again. Empty before.
        task: what else the page offers and says: `offer` and `about` of a measurement, `kind`, `text`, `done`, `total`.

    Raises:
        DataError: the impact has no samples.

    >>> import augimpact as ai
    >>> from augimpact.data.image import example
    >>> photographs = [(example(name), name) for name in ("cat", "coffee")]
    >>> impact = ai.measure_impact(photographs, ai.Sweep(rotation=(-90, 90), frames=3), progress=lambda *_: None)
    >>> ImpactView(impact, data=photographs).payload["caption"]
    'efficientnet-lite0 · 2 images · 3 settings'
    """

    _esm = bundle(HERE / "impact.js")
    _css = style(HERE.parent / "render" / "impact.css")

    payload = traitlets.Dict().tag(sync=True)
    opened = traitlets.Dict().tag(sync=True)
    task = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        impact: Impact | None = None,
        explorer: Explorer | None = None,
        *,
        data: Any = None,
        private: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.impact: Impact | None = None
        self._explorer = explorer
        self._private = private
        self._images: SampleImages | None = None
        self._reader = Reader(on_error=self._show_error)
        self.on_msg(self._on_message)
        self.observe(self._on_opened, "opened")
        if impact is not None:
            self.show(impact, data)

    def show(
        self, impact: Impact, data: Any = None, payload: dict[str, Any] | None = None, *, sealed: bool = False
    ) -> None:
        """Replaces what is shown; `payload` is that of the impact, where it is at hand. Sealed, no sample is opened.

        Raises:
            DataError: the impact has no samples.
        """
        from augimpact.impact.dataset import table_of
        from augimpact.impact.view import view_of

        payload = view_of(impact, sealed=sealed) if payload is None else payload
        table = None if data is None else table_of(data)
        images = None if sealed else SampleImages(impact.outcomes, table, private=self._private)
        with self.hold_sync():
            self.impact, self._images = impact, images
            self.opened, self.payload = {}, payload

    def say(self, kind: str = "idle", text: str = "", done: int = 0, total: int = 0) -> None:
        """Says what is under way, beside what is offered; see `task`."""
        kept = {name: self.task.get(name, "") for name in ("offer", "about")}
        self.task = kept | {"kind": kind, "text": text, "done": done, "total": total}

    def close(self) -> None:
        """Takes it away and ends its thread."""
        self._reader.close()
        super().close()

    def __repr__(self) -> str:
        return f"ImpactView({self.impact!r})"

    @traitlets.validate("opened")  # type: ignore[untyped-decorator]
    def _check_opened(self, proposal: dict[str, Any]) -> dict[str, Any]:
        opened = proposal["value"]
        if opened:
            self._place_of(opened)
        return dict(opened)

    def _place_of(self, opened: dict[str, Any]) -> tuple[int, int, float]:
        """Sample, path and strength.

        Raises:
            TraitError: what is to be opened is none of the impact's.
        """
        outcomes = None if self.impact is None else self.impact.outcomes
        try:
            sample, path, strength = int(opened["sample"]), int(opened["path"]), float(opened["strength"])
            known = outcomes is not None and 0 <= sample < len(outcomes) and 0 <= path < len(outcomes.paths)
        except (KeyError, TypeError, ValueError):
            known = False
        if not known:
            raise traitlets.TraitError(f"opened is {opened!r}; expected the sample, path and strength of an impact")
        return sample, path, strength

    def _on_message(self, _widget: Any, message: dict[str, Any], _buffers: list[Any]) -> None:
        if message.get("kind") == "thumbnails":
            rows = [int(row) for row in message.get("rows", [])][:MOST_THUMBNAILS]
            self._reader.submit(self._send_thumbnails, rows)

    def _on_opened(self, change: dict[str, Any]) -> None:
        if change["new"] and self._explorer is not None:
            self._reader.submit(self._open, self._explorer, *self._place_of(change["new"]))

    # What follows runs on the reader's thread.

    def _open(self, explorer: Explorer, sample: int, path: int, strength: float) -> None:
        from augimpact.impact.along import walk_of

        if self.impact is None or self._images is None:
            return
        outcomes = self.impact.outcomes
        walk = walk_of(outcomes, outcomes.paths[path])
        frame = walk.frame_at(outcomes.paths[path], strength)
        conditions = self.impact.recipe.get("plan", {}).get("conditions", {})
        explorer.open_image(self._images.name(sample), self._images.source(sample), walk, frame, conditions)
        self.say()

    def _send_thumbnails(self, rows: list[int]) -> None:
        images, count = self._images, 0 if self.impact is None else len(self.impact.outcomes)
        known = [row for row in rows if 0 <= row < count]
        buffers = [] if images is None else [images.thumbnail(row) for row in known]
        self.send({"kind": "thumbnails", "rows": known}, buffers=buffers)

    def _show_error(self, error: Exception) -> None:
        self.say("error", sentence(error, private=self._private))
