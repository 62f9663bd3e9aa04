"""What goes wrong with the first items of some data: the fault of a few, or of all, which is a question to be asked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from augimpact.errors import AmbiguousData, UserError
from augimpact.profiling.structure import Finder, candidates_of

if TYPE_CHECKING:
    from augimpact.profiling.source import Failure

__all__ = ["Early", "is_of_all"]

# Items that may fail before one can be used: of so many it is the fault of all, and the others are not asked.
TRIED = 16


class Early:
    """Failures before the first item that can be used: they wait until it is known whether it is the fault of all."""

    def __init__(self) -> None:
        self._held: list[Failure] = []
        self._first: Exception | None = None
        self._tried = 0

    @property
    def are_enough(self) -> bool:
        """Whether no other item is to be asked."""
        return self._tried >= TRIED

    def doubt(self, error: Exception) -> None:
        """Takes what an item raised that may be as all others are."""
        self._first = self._first or error
        self._tried += 1

    def told(self, failures: Iterable[Failure]) -> list[Failure]:
        """Takes failures, and gives those that wait no more."""
        self._held += failures
        return [] if self._first is not None else self._released()

    def settled(self) -> list[Failure]:
        """What waited, now that an item can be used."""
        self._first, self._tried = None, 0
        return self._released()

    def ended(self) -> list[Failure]:
        """What waited, where no item follows; a sentence that tells how the data is to be read is raised."""
        if isinstance(self._first, UserError):
            raise self._first
        return self._released()

    def _released(self) -> list[Failure]:
        released, self._held = self._held, []
        return released


def is_of_all(error: Exception, item: Any, labels: Finder, *, is_known: bool) -> bool:
    """Whether it is a question of all items: what may be a label, where there was none so far, and of the first others.

    Where nothing is an image, that may be the fault of the item.
    """
    if not isinstance(error, AmbiguousData):
        return False
    if is_known:
        return labels is None and error.argument == "labels"
    return error.argument != "images" or any(each.kind == "image" for each in candidates_of(item))
