"""Files for a page: made off the kernel's main thread, handed to the browser as bytes, never written to a disk."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from anywidget import AnyWidget

from augimpact.errors import UserError

__all__ = ["MIME", "FileMaker", "file_name"]

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


class FileMaker:
    """Answers a page's requests for files, one at a time.

    Args:
        widget: whose page asks; it is sent `{"kind": "file", "name": …, "mime": …}` with the bytes, or
            `{"kind": "error", "text": …}`, each with the request's own number.
    """

    def __init__(self, widget: AnyWidget) -> None:
        self._widget = widget
        self._busy = threading.Lock()

    def hand_over(self, request: Mapping[str, Any], make: Callable[[str], tuple[str, bytes]]) -> None:
        """Makes a file on a thread of its own.

        Args:
            request: `suffix`, which names the kind of file, and `request`, a number.
            make: given the suffix, the name of the file and its content; what it raises is told.
        """
        asked = {"request": request.get("request")}
        if not self._busy.acquire(blocking=False):
            self._widget.send({"kind": "error", "text": "a file is being made already; one at a time"} | asked)
            return

        def answer() -> None:
            try:
                suffix = str(request.get("suffix"))
                name, content = make(suffix)
                self._widget.send({"kind": "file", "name": name, "mime": MIME[suffix]} | asked, buffers=[content])
            except Exception as error:
                logger.exception("a file could not be made")
                # What is not meant for people may name places on this machine.
                reason = str(error) if isinstance(error, UserError) else type(error).__name__
                self._widget.send({"kind": "error", "text": f"the file could not be made: {reason}"} | asked)
            finally:
                self._busy.release()

        threading.Thread(target=answer, daemon=True).start()


def file_name(image: str, parameters: tuple[str, ...], suffix: str) -> str:
    """What a file is called that shows what parameters do to an image.

    >>> file_name("my cat.jpg", ("rotation", "crop"), ".gif")
    'my-cat-rotation-crop.gif'
    """
    stem = image.rsplit("/", 1)[-1].rsplit(".", 1)[0].replace(" ", "-")
    return "-".join([stem, *parameters]) + suffix
