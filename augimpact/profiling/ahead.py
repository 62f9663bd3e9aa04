"""Doing something with each of many items a little ahead of who asks, on several threads.

A task has a cost of its own, so small items share one: `grouped` makes groups of a stream, which `ahead` takes.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["ahead", "grouped", "torch_on_threads"]

Item = TypeVar("Item")
Result = TypeVar("Result")
# So many items a thread may wait: enough that none is idle, few enough that memory stays bounded.
WAITING = 4
# And so many bytes of them, where there is more than one for each thread.
BYTES = 1 << 28


def ahead(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    threads: int = os.cpu_count() or 1,
    size: Callable[[Item], int] = lambda _: 0,
) -> Iterator[Result]:
    """What the function gives for each item, in their order; what it raises is raised where the item's turn comes.

    Args:
        function: of an item.
        items: they are taken on the thread that asks.
        threads: how many compute. The one that asks is one of them: it takes its part before it waits for another, for
            one more than there are cores would only have all wait for Python's lock.
        size: of an item, in bytes.

    >>> list(ahead(lambda number: number**2, range(5)))
    [0, 1, 4, 9, 16]
    """
    waiting: deque[_Task[Item, Result]] = deque()
    iterator, ended = iter(items), None
    with ThreadPoolExecutor(max(1, threads - 1)) as pool:
        try:
            while ended is None:
                try:
                    item = next(iterator)
                    waiting.append(_Task(function, item, size(item), pool.submit(function, item)))
                except BaseException as error:
                    # Also where the items end by an error, what was begun is given before it.
                    ended = error
                while waiting and (_is_enough(waiting, threads) or waiting[0].future.done()):
                    yield _first(waiting, helps=threads > 1)
            while waiting:
                yield _first(waiting, helps=threads > 1)
        finally:
            for each in waiting:
                each.future.cancel()
    if not isinstance(ended, StopIteration):
        raise ended


@dataclass
class _Task(Generic[Item, Result]):
    """What a thread of the pool computes, unless the one that asks was faster to begin with it."""

    function: Callable[[Item], Result]
    item: Item
    size: int
    future: Future[Result]

    def try_here(self) -> bool:
        """Computes it here unless somebody has begun; whether it did. Ctrl-C does not wait for its turn."""
        if not self.future.cancel():
            return False
        self.future = Future()
        try:
            self.future.set_result(self.function(self.item))
        except Exception as error:
            self.future.set_exception(error)
        return True


def _is_enough(waiting: Collection[_Task[Item, Result]], threads: int) -> bool:
    return len(waiting) > WAITING * threads or (len(waiting) > threads and sum(task.size for task in waiting) > BYTES)


def _first(waiting: deque[_Task[Item, Result]], *, helps: bool) -> Result:
    """Takes the first away and gives what it came to; until that is there, what nobody has begun is computed here."""
    while helps and not waiting[0].future.done() and any(task.try_here() for task in waiting):
        pass
    return waiting.popleft().future.result()


def grouped(items: Iterable[Item], size: Callable[[Item], int], most: int) -> Iterator[list[Item]]:
    """Items one after the other in groups, each as large as it can be up to `most`, and of one item at least.

    Where the items end by an error, those before it are given first.

    >>> list(grouped([3, 1, 1, 9, 2], size=lambda number: number, most=5))
    [[3, 1, 1], [9], [2]]
    """
    group: list[Item] = []
    filled = 0
    iterator = iter(items)
    while True:
        try:
            item = next(iterator)
        except BaseException as error:
            # One that was kept would keep this frame, and in it the last group, until the garbage is collected.
            ended = None if isinstance(error, StopIteration) else error
            break
        if group and filled + size(item) > most:
            yield group
            group, filled = [], 0
        group.append(item)
        filled += size(item)
    if group:
        yield group
    if ended is not None:
        raise ended


@contextmanager
def torch_on_threads(count: int) -> Iterator[None]:
    """Within it torch, if it is loaded, computes on so many threads where it is asked by this one, or by a new one.

    Its own threads wait for each other at the end of every operation. Beside ours, which fill all cores, that makes the
    stacking of a loader's batch many times slower.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
