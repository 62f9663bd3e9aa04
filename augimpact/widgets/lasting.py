"""What stays of a widget where there is no kernel: beside its view, the last trace as a picture, or a page's fragment.

A front end without the widget's model shows an error in its place, or nothing, whatever else the same output carries.
So displaying makes two outputs: the view, and what lasts, such as a picture that follows the last sweep. While the view
lives, `lasting.css` hides what lasts; in a saved notebook, on GitHub and in what nbconvert writes, it is what is seen.
"""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
from PIL import Image

from augimpact.payload import Beside
from augimpact.profiling.beside import marked_of
from augimpact.render.panels import marked_row

if TYPE_CHECKING:
    from ipywidgets import DOMWidget

    from augimpact.comparison import Comparison
    from augimpact.profiling.reference import Reference
    from augimpact.trace import Trace

__all__ = ["Lasting", "contact_sheet", "picture_of"]

FRAMES = 8
WIDTH, WIDE_WIDTH = 240, 480
# Frames that are wider than this many times their height get the greater width.
WIDE = 1.6
# Of the whole sheet, in pixels; what has no room beside it comes beneath.
SHEET_WIDTH = 1000
JPEG_QUALITY = 80
CLASS = "augimpact-lasting"
# Voilà gives it to each of its kernels. Its page is never saved, so nothing has to last.
VOILA_VARIABLE = "VOILA_PREHEAT"


def contact_sheet(what: Trace | Comparison, reference: Reference | None = None) -> bytes:
    """Up to eight pictures, evenly spaced from the first frame to the last, in rows on one JPEG of some 150 kB.

    Beneath them, where there is a `reference`, how its measures are distributed, with the places of these frames.
    JPEG, because nbconvert and GitHub show neither WebP nor GIF.
    """
    trace = next(iter(what.traces.values())) if isinstance(what, Beside) else what
    height, width = trace.frames.shape[1:3]
    pictures = what.pictures(width=WIDE_WIDTH if width > WIDE * height else WIDTH)
    numbers = np.unique(np.linspace(0, len(pictures) - 1, FRAMES).round().astype(int))
    chosen = pictures[numbers]
    count, height, width = chosen.shape[:3]
    columns = min(count, max(1, SHEET_WIDTH // width))
    rows = -(-count // columns)
    sheet = np.full((rows * height, columns * width, 3), 255, np.uint8)
    for index, picture in enumerate(chosen):
        top, left = index // columns * height, index % columns * width
        sheet[top : top + height, left : left + width] = picture
    if reference is not None and trace.signals is None:
        marked = [marked_of(panel, trace) for panel in reference.panels]
        sheet = np.concatenate([sheet, marked_row(marked, columns * width, numbers.tolist())])
    file = io.BytesIO()
    Image.fromarray(sheet).save(file, format="JPEG", quality=JPEG_QUALITY)
    return file.getvalue()


class Lasting:
    """Displays a widget and, beside it, what lasts of what it shows.

    There is none where nothing is ever saved: outside of a Jupyter kernel, and in Voilà.
    """

    def __init__(self) -> None:
        # However often the widget is displayed, one update reaches all of it.
        self._id = f"{CLASS}-{uuid4().hex}"
        self._displayed = False

    def display(self, widget: DOMWidget, lasts: Callable[[], dict[str, Any]]) -> None:
        """Shows the widget, and after it what lasts, by its media types; see `picture_of`."""
        from IPython import get_ipython
        from IPython.display import display

        # A widget that was closed has nothing left to show.
        bundle = widget._repr_mimebundle_() if widget._repr_mimebundle_ else {"text/plain": repr(widget)}
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        kept = getattr(get_ipython(), "kernel", None) is not None and VOILA_VARIABLE not in os.environ
        if kept:
            # By this class the style sheet knows that the output which follows is the widget's own.
            widget.add_class(CLASS)
        display(data, metadata=metadata, raw=True)
        if kept:
            self._displayed = True
            display(lasts(), raw=True, display_id=self._id)

    def update(self, what: Trace | Comparison | None, reference: Reference | None = None) -> None:
        """Puts the picture of `what` in place of the last, wherever the widget was displayed; takes 0.1 s.

        If that is None, the last one stays.
        """
        from IPython.display import update_display

        if self._displayed and what is not None:
            update_display(picture_of(what, reference), raw=True, display_id=self._id)


def picture_of(what: Trace | Comparison | None, reference: Reference | None) -> dict[str, Any]:
    """The picture of a sweep as an output of a notebook has it; of None nothing, until the first `update`."""
    if what is None:
        return {"text/plain": ""}
    return {"image/jpeg": base64.b64encode(contact_sheet(what, reference)).decode(), "text/plain": repr(what)}
