"""Files for a page: made off the kernel's main thread, handed to the browser as bytes, never written to a disk."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from anywidget import AnyWidget

__all__ = ["MIME", "file_name", "hand_over"]

logger = logging.getLogger(__name__)

MIME = {
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".mp4": "video/mp4",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".pdf": "application/pdf",
    ".html": "text/html",
    ".csv": "text/csv",
    ".json": "application/json",
    ".npz": "application/octet-stream",
    ".py": "text/x-python",
}


def hand_over(widget: AnyWidget, request: Mapping[str, Any], make: Callable[[str], tuple[str, bytes]]) -> None:
    """Answers a page's request for a file.

    Args:
        widget: whose page asked; it is sent `{"kind": "file", "name": …, "mime": …}` with the bytes, or
            `{"kind": "error", "text": …}`, each with the request's own number.
        request: `suffix`, which names the kind of file, and `request`, a number.
        make: given the suffix, the name of the file and its content; what it raises becomes the error's text.
    """

    def answer() -> None:
        asked = {"request": request.get("request")}
        try:
            suffix = str(request.get("suffix"))
            name, content = make(suffix)
            widget.send({"kind": "file", "name": name, "mime": MIME[suffix]} | asked, buffers=[content])
        except Exception as error:
            logger.exception("a file could not be made")
            widget.send({"kind": "error", "text": f"the file could not be made: {error}"} | asked)

    threading.Thread(target=answer, daemon=True).start()


def file_name(image: str, parameters: tuple[str, ...], suffix: str) -> str:
    """What a file is called that shows what parameters do to an image.

    >>> file_name("my cat.jpg", ("rotation", "crop"), ".gif")
    'my-cat-rotation-crop.gif'
    """
    stem = image.rsplit("/", 1)[-1].rsplit(".", 1)[0].replace(" ", "-")
    return "-".join([stem, *parameters]) + suffix
