"""Doing something with each of many items a little ahead of who asks, on as many threads as there are cores."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["ahead"]

Item = TypeVar("Item")
Result = TypeVar("Result")
# So many items a thread may wait: enough that none is idle, few enough that memory stays bounded.
WAITING = 4


def ahead(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """What the function gives for each item, in their order; what it raises is raised where the item's turn comes.

    >>> list(ahead(lambda number: number**2, range(5)))
    [0, 1, 4, 9, 16]
    """
    threads = os.cpu_count() or 1
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
                if len(waiting) > WAITING * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for each in waiting:
                each.cancel()
    if not isinstance(ended, StopIteration):
        raise ended
