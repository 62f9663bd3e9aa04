"""Turns at computing, for the threads of one process that all want its cores; and at somebody's data.

Eight sweeps side by side, each with OpenMP threads of its own, take many times as long as one after the other; in turns
they take as long. A sweep hands its turn on after each chunk, so that a frame of a drag waits for one chunk at most.
"""

from __future__ import annotations

import bisect
import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from threading import Condition
from typing import Any

from augimpact.errors import Cancelled

__all__ = ["Gate", "Turn", "at_once", "turns_at"]

# Waits for a turn, for the block, while what it is given does not say that it was cancelled.
Turn = Callable[[Callable[[], bool]], AbstractContextManager[None]]

# Seconds after which whoever waits looks whether anybody still waits for it.
LOOK = 0.05


class Gate:
    """One thread at a time; the lowest rank first, and of one rank who has waited longest."""

    def __init__(self) -> None:
        self._condition = Condition()
        self._waiting: list[tuple[int, int]] = []
        self._tickets = itertools.count()
        self._taken = False

    @contextmanager
    def turn(self, rank: int, cancelled: Callable[[], bool]) -> Iterator[None]:
        """A turn, for the block.

        Raises:
            Cancelled: while it waited `cancelled` said so.
        """
        self._enter(rank, cancelled)
        try:
            yield
        finally:
            self._leave()

    def hand_on(self, rank: int, cancelled: Callable[[], bool]) -> None:
        """Within a turn: lets those go first who come before, and goes on.

        Raises:
            Cancelled: likewise; the turn is then still held.
        """
        with self._condition:
            if not self._waiting or self._waiting[0][0] > rank:
                return
        self._leave()
        try:
            self._enter(rank, cancelled)
        except Cancelled:
            # The block of this turn ends, and with it what it takes for its own.
            self._enter(-1, lambda: False)
            raise

    def _enter(self, rank: int, cancelled: Callable[[], bool]) -> None:
        mine = rank, next(self._tickets)
        with self._condition:
            bisect.insort(self._waiting, mine)
            try:
                while self._taken or self._waiting[0] != mine:
                    self._condition.wait(LOOK)
                    if cancelled():
                        raise Cancelled
                self._taken = True
            finally:
                self._waiting.remove(mine)
                self._condition.notify_all()

    def _leave(self) -> None:
        with self._condition:
            self._taken = False
            self._condition.notify_all()


def at_once(_cancelled: Callable[[], bool]) -> AbstractContextManager[None]:
    """A turn for which nobody waits."""
    return nullcontext()


def turns_at(data: Any) -> Turn:
    """Turns at reading some data: several threads may read files, but somebody's dataset need not be made for them."""
    from augimpact.data.dataset import Dataset, View
    from augimpact.data.samples import SampleTable

    if isinstance(data, (str, os.PathLike, SampleTable, Dataset, View)):
        return at_once
    return partial(Gate().turn, 0)
