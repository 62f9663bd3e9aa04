"""What stays of a widget where there is no kernel: beside its view, the last trace as a picture.

A front end without the widget's model shows an error in its place, or nothing, whatever else the same output carries.
So displaying makes two outputs: the view, and a picture that follows the last sweep. While the view lives,
`lasting.css` hides the picture; in a saved notebook, on GitHub and in what nbconvert writes, it is what is seen.
"""

from __future__ import annotations

import base64
import io
import os
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from ipywidgets import DOMWidget

    from augimpact.comparison import Comparison
    from augimpact.trace import Trace

__all__ = ["Lasting", "contact_sheet"]

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


def contact_sheet(what: Trace | Comparison) -> bytes:
    """Up to eight pictures, evenly spaced from the first frame to the last, in rows on one JPEG of some 150 kB.

    JPEG, because nbconvert and GitHub show neither WebP nor GIF.
    """
    frames = what.frames if hasattr(what, "frames") else next(iter(what.traces.values())).frames
    height, width = frames.shape[1:3]
    pictures = what.pictures(width=WIDE_WIDTH if width > WIDE * height else WIDTH)
    chosen = pictures[np.unique(np.linspace(0, len(pictures) - 1, FRAMES).round().astype(int))]
    count, height, width = chosen.shape[:3]
    columns = min(count, max(1, SHEET_WIDTH // width))
    rows = -(-count // columns)
    sheet = Image.new("RGB", (columns * width, rows * height), "white")
    for index, picture in enumerate(chosen):
        row, column = divmod(index, columns)
        sheet.paste(Image.fromarray(picture), (column * width, row * height))
    file = io.BytesIO()
    sheet.save(file, format="JPEG", quality=JPEG_QUALITY)
    return file.getvalue()


class Lasting:
    """Displays a widget and, beside it, the picture of what it shows.

    There is none where nothing is ever saved: outside of a Jupyter kernel, and in Voilà.
    """

    def __init__(self) -> None:
        # However often the widget is displayed, one update reaches every picture.
        self._id = f"{CLASS}-{uuid4().hex}"
        self._displayed = False

    def display(self, widget: DOMWidget, what: Trace | Comparison | None) -> None:
        """Shows the widget, and the picture of `what`; if that is None, nothing until the first `update`."""
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
            display(_output(what), raw=True, display_id=self._id)

    def update(self, what: Trace | Comparison) -> None:
        """Puts the picture of `what` in place of the last, wherever the widget was displayed; takes 0.1 s."""
        from IPython.display import update_display

        if self._displayed:
            update_display(_output(what), raw=True, display_id=self._id)


def _output(what: Trace | Comparison | None) -> dict[str, Any]:
    if what is None:
        return {"text/plain": ""}
    return {"image/jpeg": base64.b64encode(contact_sheet(what)).decode(), "text/plain": repr(what)}
