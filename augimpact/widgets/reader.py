"""One thread that reads files for a page, one after the other, while the classifier is asked on another."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from augimpact.errors import UserError

__all__ = ["Reader"]

logger = logging.getLogger(__name__)
# So many may wait; each can hold the bytes of an upload.
MOST_WAITING = 16


class Reader:
    """Runs tasks in their order.

    Args:
        on_error: called with what a task raised, or that there are too many.
    """

    def __init__(self, on_error: Callable[[Exception], None]) -> None:
        self._on_error = on_error
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="augimpact-reader")
        self._places = threading.BoundedSemaphore(MOST_WAITING)

    def submit(self, task: Callable[..., None], *arguments: Any) -> None:
        """Runs the task when those before it are done; refuses it where too many wait."""
        if not self._places.acquire(blocking=False):
            self._on_error(UserError(f"{MOST_WAITING} files are being read already; expected fewer at a time"))
            return

        def run() -> None:
            try:
                task(*arguments)
            except Exception as error:
                logger.exception("a file could not be read")
                self._on_error(error)
            finally:
                self._places.release()

        self._thread.submit(run)

    def close(self) -> None:
        """Forgets what waits, and ends the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)
