"""One thread that computes for a page: the newest request wins, and stops the one before it at its next chunk."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable

from augimpact.errors import AmbiguousData, Cancelled, DataError, UnreadableData, UserError

__all__ = ["UNREADABLE", "Worker", "sentence", "sentence_about_data", "told"]

logger = logging.getLogger(__name__)
UNREADABLE = "none of its images can be read"
# A job asks the function it is given whether to stop.
Job = Callable[[Callable[[], bool]], None]


class Worker:
    """Runs jobs off the main thread, one at a time. Requests that were overtaken before they began never run.

    Args:
        on_error: called on the worker's thread with what a job raised.
    """

    def __init__(self, on_error: Callable[[Exception], None]) -> None:
        self._on_error = on_error
        self._condition = threading.Condition()
        self._waiting: Job | None = None
        self._closed = False
        self._stop = threading.Event()
        self._busy = False
        self._thread: threading.Thread | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a job runs."""
        return self._busy

    def submit(self, job: Job) -> None:
        """Runs this job, in place of all that was asked before."""
        with self._condition:
            self._stop.set()
            self._waiting = job
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="augimpact-worker", daemon=True)
                self._thread.start()
            self._condition.notify()

    def cancel(self) -> None:
        """Stops what runs at its next chunk, and forgets what waits."""
        with self._condition:
            self._stop.set()
            self._waiting = None

    def close(self) -> None:
        """Ends the thread when what runs has stopped."""
        with self._condition:
            self._stop.set()
            self._closed = True
            self._condition.notify()

    def _run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._waiting is not None or self._closed)
                job, self._waiting = self._waiting, None
                if job is None or self._closed:
                    return
                self._stop = stop = threading.Event()
            self._busy = True
            try:
                job(stop.is_set)
            except Cancelled:
                logger.debug("a job was cancelled")
            except Exception as error:
                logger.exception("a job failed")
                try:
                    self._on_error(error)
                except Exception:
                    # Whatever telling it does, the next job is run.
                    logger.exception("that a job failed could not be told")
            finally:
                self._busy = False


def told(error: Exception, *, private: bool) -> str:
    """What there is to know of an error beyond its sentence.

    Args:
        error: what was raised.
        private: leaves out all that may name a place on this machine: of what was raised there are the kinds, and in
            which function.
    """
    if not private:
        return "".join(traceback.format_exception(error))
    lines = []
    cause: BaseException | None = error
    while cause is not None:
        at = traceback.extract_tb(cause.__traceback__)
        lines.append(type(cause).__name__ + (f" in {at[-1].name}" if at else ""))
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "\n".join([*lines, "The server's log has the traceback."])


def sentence(error: Exception, *, private: bool) -> str:
    """What a person is told of an error; see `told`."""
    if isinstance(error, UserError):
        return str(error)
    kind = type(error).__name__
    return f"something went wrong ({kind})" if private else f"something went wrong: {error} ({kind})"


def sentence_about_data(error: Exception, *, private: bool, hidden: str) -> str:
    """What a person is told of an error of the data beside a page, or of what has to be told of it, and where.

    Args:
        error: what was raised.
        private: whether those who read it may learn nothing of this machine: what is wrong with data names its files.
        hidden: what is said instead, unless it is only that no image can be read.
    """
    if private and isinstance(error, DataError):
        return UNREADABLE if isinstance(error, UnreadableData) else hidden
    if isinstance(error, AmbiguousData):
        asked, _, _ = str(error).partition(":\n")
        return f"{asked}, as an entry of data_options"
    return sentence(error, private=private)
