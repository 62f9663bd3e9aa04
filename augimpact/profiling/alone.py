"""The samples of a batch that failed, each alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ["Alone", "Several", "tried"]


class Alone(NamedTuple):
    """One sample of a batch that failed.

    item: a batch of this sample alone, or what was raised in its place.
    in_batch: gives a batch as large as that which failed, of one sample only: it shows better what is where.
    """

    item: Any
    in_batch: Callable[[], Any]


class Several(NamedTuple):
    """What a loader gives in one go.

    items: a batch, or the samples of one that failed.
    fault: why the samples make no batch, where none of them is at fault.
    """

    items: list[Any]
    fault: str | None = None


def tried(function: Callable[[Any], Any], given: Any) -> Any:
    """What the function gives, or what it raised."""
    try:
        return function(given)
    except Exception as error:  # of a user's file, whatever it raises
        return error
