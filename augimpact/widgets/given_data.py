"""The data that somebody gave to a page: how it is read, in turns, and what the page may show of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from augimpact.widgets.gate import turns_at

if TYPE_CHECKING:
    from augimpact.profiling.reading import Reading

__all__ = ["GivenData"]


class GivenData:
    """What the parts of a page know of its data.

    Args:
        source: what `augimpact.profile` takes; None where there is no data.
        options: how it is read, arguments of `augimpact.profile`; see `augimpact.profiling.reading.Reading`.
        private: that nobody who uses the page may learn where it lies and what it is called.
        sealed: that no image of it is shown, nor a mean of them.

    Attributes:
        turn: is waited for where the source is read, for its parts do so on threads of their own.

    Raises:
        DataError: there is no such option, or its value makes no sense.
    """

    def __init__(
        self,
        source: Any,
        options: Mapping[str, Any] | None = None,
        *,
        private: bool = False,
        sealed: bool = False,
    ) -> None:
        self.source, self.options = source, dict(options or {})
        self.private, self.sealed = private, sealed
        self.turn = turns_at(source)
        if self.options:
            _ = self.reading

    @property
    def exists(self) -> bool:
        """Whether there is data."""
        return self.source is not None

    @property
    def reading(self) -> Reading:
        """The options, for whoever reads."""
        # What decodes is needed by no page before it reads.
        from augimpact.profiling.reading import Reading

        return Reading.of(self.options)
