"""A page's way to a cluster: a question goes out as a Dask task, and its answer comes back, whatever happens between.

Cancelling needs no message of its own: a task that nobody waits for any more is told to its worker by the scheduler, so
that a page that was closed, or whose kernel died, stops what it asked for as well. Where there is no worker, or no
scheduler, the page is told and the question waits; a worker that dies has it asked once more elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from distributed import Client, Future, wait
from distributed.scheduler import KilledWorker

from augimpact.errors import Cancelled, ModelError
from augimpact.impact.scheduler import connect
from augimpact.widgets.asking import Cancelling, Telling
from augimpact.widgets.on_worker import answer, keep_pictures
from augimpact.widgets.questions import Answer, Question, WorkerError

__all__ = ["TOPICS", "Link"]

# Pages share so many of the scheduler's topics: it keeps each for ever, with its last thousand events.
TOPICS = 32
# Seconds between two looks at whether a question was cancelled, and at whether there are workers.
STEP, LOOK = 0.02, 1.0
# Seconds to wait for a scheduler at a time.
PATIENCE = 3
NO_SCHEDULER = "the cluster does not answer; this page goes on as soon as it does…"
NO_WORKER = "the cluster has no worker now; this page goes on as soon as one is there…"
DIED = "workers died one after the other at this; expected fewer frames, a smaller model, or workers with more memory"
# How often pictures are sent for one question, and how often it may begin.
MOST_SENT, MOST_BEGUN = 4, 2


class Lost(Exception):  # noqa: N818 - what happened, and not to be told
    """The scheduler is gone."""


class Again(Exception):  # noqa: N818 - likewise
    """The worker that a question was meant for is gone, and Dask may wait for it for ever."""


@dataclass
class Heard:
    """How far a question is, as its worker told."""

    number: int = -1
    begun: int = 0
    at: tuple[int, int] | None = None

    def tell(self, progress: Telling | None) -> None:
        """Hands on what is new."""
        at, self.at = self.at, None
        if progress is not None and at is not None:
            progress(*at)


class Link:
    """Asks one question at a time, for one thread.

    Args:
        address: of the scheduler.
        page: which asks.
        topic: on which workers tell how far they are.
        on_wait: told a sentence while a question waits for the cluster, and an empty one when it is answered.
    """

    def __init__(self, address: str, page: str, topic: str, on_wait: Callable[[str], object]) -> None:
        self._address, self._page, self._topic, self._on_wait = address, page, topic, on_wait
        self._client: Client | None = None
        self._heard = Heard()
        # Who has the model and the image at hand.
        self._last_worker: str | None = None
        self._waits = self._closed = False

    def ask(
        self,
        question: Question,
        contents: Callable[[Sequence[str]], Mapping[str, bytes]],
        *,
        progress: Telling | None = None,
        cancelled: Cancelling | None = None,
    ) -> Any:
        """The result.

        Args:
            question: with a number that no other has.
            contents: the files of pictures that a worker lacks, by their digest.
            progress: told how far it is.
            cancelled: asked all the while whether to stop.

        Raises:
            Cancelled: it was cancelled.
            UserError: as the worker raised it; or several workers died.
            WorkerError: what else went wrong there.
        """
        while True:
            try:
                return self._asked(question, contents, progress, cancelled)
            except Again:
                self._last_worker = None
            except Lost:
                self._forget()
                if self._closed:
                    raise Cancelled from None
                self._say(NO_SCHEDULER)
                _pause(cancelled)
            finally:
                if self._waits and self._client is not None:
                    self._say("")

    def close(self) -> None:
        """Ends the connection, and what was asked over it."""
        self._closed = True
        self._forget()

    def _asked(
        self,
        question: Question,
        contents: Callable[[Sequence[str]], Mapping[str, bytes]],
        progress: Telling | None,
        cancelled: Cancelling | None,
    ) -> Any:
        client = self._connected()
        where = self._last_worker if progress is None else None
        for _ in range(MOST_SENT):
            self._heard = Heard(question.number)
            # `distributed.wait` asks the current client.
            with client.as_current():
                asked = self._submitted(client, question, where, quick=progress is None)
                said = self._said(client, asked, progress, cancelled)
            self._last_worker = said.worker
            if said.failure is not None:
                raise said.failure.raised()
            if not said.unseen:
                return said.result
            # The worker may be gone meanwhile; another then says that it lacks them.
            client.run(keep_pictures, contents(said.unseen), workers=[said.worker], on_error="return")
            where = said.worker
        raise WorkerError("no worker keeps the image that was sent")

    def _submitted(self, client: Client, question: Question, where: str | None, *, quick: bool) -> Future:
        """The task, for a worker if it is there; what is quick goes before the rest."""
        return client.submit(
            answer, question, key=f"augimpact-{question.kind}-{question.page}-{time.monotonic_ns()}", pure=False,
            priority=10 if quick else 0, workers=None if where is None else [where],
            allow_other_workers=where is not None,
        )  # fmt: skip

    def _said(self, client: Client, future: Future, progress: Telling | None, cancelled: Cancelling | None) -> Answer:
        looked = time.monotonic()
        try:
            while not _done(future, LOOK if cancelled is None else STEP):
                if cancelled is not None and cancelled():
                    raise Cancelled
                if self._heard.begun > MOST_BEGUN:
                    raise ModelError(DIED)
                self._heard.tell(progress)
                if time.monotonic() - looked > LOOK:
                    looked = time.monotonic()
                    self._look(client, quick=progress is None)
            said: Answer = future.result()
            self._heard.tell(progress)
            return said
        except KilledWorker as error:
            raise ModelError(DIED) from error
        except (CancelledError, OSError) as error:
            raise Lost from error
        finally:
            # The client may be cut off, or closed.
            with suppress(Exception):
                if future.status == "pending":
                    future.cancel()
                # Its worker need not keep it.
                future.release()

    def _look(self, client: Client, *, quick: bool) -> None:
        """Tells the page if there is nobody to answer it."""
        if client.status != "running":
            raise Lost
        workers = client.nthreads()
        if quick and self._last_worker is not None and self._last_worker not in workers:
            raise Again
        if not workers:
            self._say(NO_WORKER)
        elif self._waits:
            self._say("")

    def _say(self, sentence: str) -> None:
        self._waits = bool(sentence)
        self._on_wait(sentence)

    def _connected(self) -> Client:
        if self._closed:
            raise Cancelled
        if self._client is not None and self._client.status == "running":
            return self._client
        self._forget()
        try:
            self._client = connect(self._address, PATIENCE)
        except ModelError as error:
            raise Lost from error
        self._client.subscribe_topic(self._topic, self._hear)
        return self._client

    def _hear(self, event: tuple[float, Sequence[Any]]) -> None:
        """On the client's thread."""
        page, number, done, total = event[1]
        if page != self._page or number != self._heard.number:
            return
        if done < 0:
            self._heard.begun += 1
        else:
            self._heard.at = done, total

    def _forget(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            # It may be cut off in the middle of anything.
            with suppress(Exception):
                client.close(timeout=1)


def _done(future: Future, seconds: float) -> bool:
    try:
        wait(future, timeout=seconds)
    except TimeoutError:
        return False
    return True


def _pause(cancelled: Cancelling | None) -> None:
    until = time.monotonic() + LOOK
    while time.monotonic() < until:
        if cancelled is not None and cancelled():
            raise Cancelled
        time.sleep(STEP)
