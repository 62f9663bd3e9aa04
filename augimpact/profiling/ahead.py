"""Doing something with each of many items a little ahead of who asks, on several threads.

A task has a cost of its own, so small items share one: `grouped` makes groups of a stream, which `ahead` takes.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

__all__ = ["ahead", "grouped", "torch_on_threads"]

Item = TypeVar("Item")
Result = TypeVar("Result")
# So many items a thread may wait: enough that none is idle, few enough that memory stays bounded.
WAITING = 4


def ahead(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int = os.cpu_count() or 1
) -> Iterator[Result]:
    """What the function gives for each item, in their order; what it raises is raised where the item's turn comes.

    >>> list(ahead(lambda number: number**2, range(5)))
    [0, 1, 4, 9, 16]
    """
    waiting: deque[Future[Result]] = deque()
    iterator, ended = iter(items), None
    with ThreadPoolExecutor(threads) as pool:
        try:
            while ended is None:
                try:
                    waiting.append(pool.submit(function, next(iterator)))
                except BaseException as error:
                    # Also where the items end by an error, what was begun is given before it.
                    ended = error
                while waiting and (len(waiting) > WAITING * threads or waiting[0].done()):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for each in waiting:
                each.cancel()
    if not isinstance(ended, StopIteration):
        raise ended


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
            ended = error
            break
        if group and filled + size(item) > most:
            yield group
            group, filled = [], 0
        group.append(item)
        filled += size(item)
    if group:
        yield group
    if not isinstance(ended, StopIteration):
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
