"""The player as a widget: a trace's frames travel once, as JPEG bytes beside maps; the browser does the rest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from augimpact.errors import UserError
from augimpact.formats import FORMATS, Format, file_bytes
from augimpact.payload import Beside, payload_of, still_of
from augimpact.profiling.reference import MeasurePanel
from augimpact.readout import numbers_of
from augimpact.render.look import COLOUR_MAPS
from augimpact.render.overlay import colour_table
from augimpact.render.page import bundle, style
from augimpact.trace import Trace
from augimpact.widgets.handing_over import FileMaker, file_name
from augimpact.widgets.lasting import Lasting, picture_of

if TYPE_CHECKING:
    from augimpact.comparison import Comparison
    from augimpact.profiling.beside import AnyPanel
    from augimpact.profiling.reference import Reference
    from augimpact.profiling.result import Profile

__all__ = ["Player"]

HERE = Path(__file__).parent
# What a page may say of a file: how it is seen there.
WISHES = ("opacity", "colour_map", "scale", "loop")


class Player(anywidget.AnyWidget):
    """Plays a trace: original beside augmented, maps blended in the browser, curves, numbers, and files to download.

    Args:
        shown: what `augimpact.analyze` returned, or `augimpact.compare` of two variants, which stand beside each other;
            None shows an empty stage until `show` is called.
        frame: where to begin; from the first it plays by itself, from any other it rests.
        reference: a dataset's distributions, under which every frame is marked where it lies; see
            `augimpact.reference_of`. Saved pages carry them, and animations if that is chosen.
        profile: of a dataset, whose panels may be chosen to stand beside the pictures of animations, too.

    Attributes:
        frame: the frame on which the player rests, from 0; it can be set, and follows where a person rests.
        trace: what is played, of two the first; None before.
        shown: what was given: the trace, or the comparison.
        reference: the dataset's distributions, or None.
        profile: whose panels are offered, or None.
        trouble: why nothing is shown, which is seen as long as nothing is.
    """

    _esm = bundle(HERE / "player.js")
    _css = style(HERE.parent / "render" / "player.css", HERE / "lasting.css")

    payload = traitlets.Dict().tag(sync=True)
    preview = traitlets.Dict().tag(sync=True)
    colour_maps = traitlets.Dict().tag(sync=True)
    frame = traitlets.Int(0).tag(sync=True)
    # How the measures of a dataset are distributed; without any `measures`, why, and whether they are `pending`.
    distributions = traitlets.Dict().tag(sync=True)
    # Those that can stand beside the pictures of an animation, by name and title, and whether they usually do.
    panels = traitlets.List(traitlets.Dict()).tag(sync=True)
    # Where the scores of a dataset lie at every frame, see `augimpact.impact.along.Bands`; empty where it is not known.
    band = traitlets.Dict().tag(sync=True)
    trouble = traitlets.Unicode().tag(sync=True)
    # The suffixes of the files that can be made of what is shown.
    formats = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(
        self,
        shown: Trace | Comparison | None = None,
        *,
        frame: int = 0,
        reference: Reference | None = None,
        profile: Profile | None = None,
        **options: Any,
    ) -> None:
        super().__init__(colour_maps={name: colour_table(name).tobytes() for name in COLOUR_MAPS}, **options)
        self.shown: Trace | Comparison | None = None
        self.reference: Reference | None = None
        self.profile = profile
        self._lasting = Lasting()
        self._files = FileMaker(self)
        self.on_msg(self._on_message)
        self.show_reference(reference)
        if shown is not None:
            self.show(shown)
        self.frame = frame

    @property
    def trace(self) -> Trace | None:
        """What is played; of a comparison its first trace."""
        return next(iter(self.shown.traces.values())) if isinstance(self.shown, Beside) else self.shown

    def show(
        self, shown: Trace | Comparison, payload: dict[str, Any] | None = None, *, frame: int | None = None
    ) -> None:
        """Replaces what is played, from its first frame, or resting on the given one.

        `payload` is that of what is shown, where it is at hand.

        Raises:
            UserError: the comparison is not of two traces of equal length.
        """
        payload = payload_of(shown) if payload is None else payload
        first = 0
        if frame is not None:
            payload, first = payload | {"rests": True}, min(frame, len(payload["tags"]) - 1)
        # One message for all, so that the page never looks for a frame of one trace in the other.
        with self.hold_sync():
            self.shown, self.frame, self.payload, self.formats = shown, first, payload, list(_formats_of(shown))
            self.band, self.trouble = {}, ""
            self._offer_panels()
        self._lasting.update(shown, self.reference)

    def show_preview(
        self, shown: Trace | Comparison, original: Trace | Comparison | None = None, *, draft: bool = False
    ) -> None:
        """Shows the one frame of `shown` until a person plays or scrubs; beside it `original`, where it is new.

        A draft is smaller; see `augimpact.payload.still_of`.
        """
        self.trouble = ""
        preview = still_of(shown, draft=draft)
        if draft and self.reference is not None:
            # In the data a drag is followed, too; it takes 2 ms.
            first = next(iter(shown.traces.values())) if isinstance(shown, Beside) else shown
            preview["numbers"] = numbers_of(first[:1])
        self.preview = preview | ({"neutral": still_of(original)} if original is not None else {})

    def show_reference(self, reference: Reference | None) -> None:
        """Shows where the frames lie in a dataset; None takes it away."""
        self.reference = reference
        self.distributions = {} if reference is None else reference.payload()
        self._offer_panels()
        self._lasting.update(self.shown, reference)

    def announce_reference(self, text: str, *, pending: bool = True) -> None:
        """Says why nothing of a dataset is shown, and keeps its place if that is still to come."""
        self.reference = None
        self.distributions = {"caption": text, "measures": [], "pending": pending}
        self._offer_panels()

    def show_profile(self, profile: Profile | None) -> None:
        """Offers the panels of a dataset for the pictures of animations; None takes them away."""
        self.profile = profile
        self._offer_panels()

    def show_band(self, band: dict[str, Any]) -> None:
        """Draws where the scores of a dataset lie behind the curves of what is played; see `band`."""
        self.band = band

    def clear(self) -> None:
        """Forgets all that it shows, as when another image is chosen; the dataset stays."""
        with self.hold_sync():
            self.shown, self.payload, self.preview, self.band, self.trouble = None, {}, {}, {}, ""

    def __repr__(self) -> str:
        return f"Player({self.shown!r})"

    def _ipython_display_(self) -> None:
        self._lasting.display(self, lambda: picture_of(self.shown, self.reference))

    def _on_message(self, _widget: Any, message: dict[str, Any], _buffers: list[Any]) -> None:
        if message.get("kind") != "save":
            return
        # That which was seen when it was asked for.
        shown, trace, reference, panels = self.shown, self.trace, self.reference, self._choices()

        def make(suffix: str) -> tuple[str, bytes]:
            if shown is None or trace is None:
                raise UserError("there is no sweep to save yet")
            wishes = {name: message[name] for name in WISHES if name in message} | {"reference": reference}
            wishes["panels"] = [panels[name] for name in message.get("panels", ()) if name in panels]
            content = file_bytes(shown, suffix, wishes, _formats_of(shown))
            return file_name(trace.recipe["image"]["name"], trace.changed[:3], suffix), content

        self._files.hand_over(message, make)

    def _offer_panels(self) -> None:
        self.panels = [
            {"name": name, "title": panel.title, "usual": isinstance(panel, MeasurePanel)}
            for name, panel in self._choices().items()
        ]

    def _choices(self) -> dict[str, AnyPanel]:
        """What can stand beside a picture: measures, in which its frame is marked, and what else is known of data."""
        of_images = self.trace is None or self.trace.signals is None
        # Other threads may set these meanwhile.
        reference, profile = self.reference, self.profile
        marked = reference.panels if reference is not None and of_images else ()
        found: dict[str, AnyPanel] = {panel.name: panel for panel in marked}
        others = () if profile is None else profile.panels
        return found | {panel.name: panel for panel in others if panel.name not in found}


def _formats_of(shown: Trace | Comparison) -> Mapping[str, Format]:
    if not isinstance(shown, Beside):
        return FORMATS
    # Whoever made it has loaded torch already; a player alone does not.
    from augimpact.comparison import COMPARISON_FORMATS

    return COMPARISON_FORMATS
