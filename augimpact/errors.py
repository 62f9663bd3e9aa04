"""What can go wrong by a user's hand, each kind a `ValueError` whose message is one sentence for that user."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

__all__ = [
    "AmbiguousData",
    "Cancelled",
    "DataError",
    "ImageError",
    "LayerError",
    "LeakageError",
    "ModelError",
    "Option",
    "OutputError",
    "ParameterError",
    "SignalError",
    "SweepError",
    "TargetError",
    "UnreadableData",
    "UserError",
    "unknown",
]


class UserError(ValueError):
    """The base of every error that a user can mend; its message names the value and what was expected."""


class ImageError(UserError):
    """An image that is missing, unreadable or too large."""


class DataError(UserError):
    """A table of samples, a view, a split or a copy of a dataset that cannot be made of what was given."""


class Option(NamedTuple):
    """One answer to a question.

    told: what it is, in words.
    arguments: to pass, by name; what is None is for a person to type.
    """

    told: str
    arguments: Mapping[str, Any]


class AmbiguousData(DataError):  # noqa: N818 - a question that has answers
    """What in a dataset cannot be told, and is never guessed: it has to be passed.

    Attributes:
        argument: what is asked for: `images`, `labels`, `layout` or `value_range`.
        options: what may be answered.
    """

    def __init__(self, message: str, argument: str, options: Sequence[Option]) -> None:
        super().__init__(message)
        self.argument = argument
        self.options = tuple(options)

    def __reduce__(self) -> tuple[Any, ...]:
        """So that it comes whole from another process."""
        return type(self), (str(self), self.argument, self.options)


class UnreadableData(DataError):  # noqa: N818 - it is the data that is told of
    """Data of which no image can be read."""


class LeakageError(DataError):
    """Samples of one physical item, or of equal content, that are assigned to different purposes."""


class SignalError(UserError):
    """A time series that is missing, unreadable, or of another shape than the model's input."""


class ParameterError(UserError):
    """An augmentation parameter that does not exist, or a value outside its range."""


class SweepError(UserError):
    """A path through settings that cannot be walked: no frames, arrays of unequal length, an unknown easing."""


class ModelError(UserError):
    """A model that cannot be found, fetched or used as a classifier."""


class LayerError(UserError):
    """A layer that does not exist, or whose output has no spatial extent."""


class TargetError(UserError):
    """A class to explain that the classifier does not have."""


class OutputError(UserError):
    """A file that cannot be written, or whose suffix names no known format."""


class Cancelled(Exception):  # noqa: N818 - a request that was carried out, not an error
    """A running analysis was asked to stop and did."""


def unknown(kind: str, name: object, known: Iterable[str], *, listed: int = 12) -> str:
    """One sentence for a `name` that is none of the `known` ones, with the nearest of them.

    >>> unknown("parameter", "rotatoin", ["rotation", "crop"])
    "unknown parameter 'rotatoin'; did you mean rotation?"
    >>> unknown("easing", "x", ["linear", "cosine"])
    "unknown easing 'x'; expected one of linear, cosine"
    """
    names = list(known)
    if not names:
        return f"unknown {kind} {name!r}; there are none"
    by_folded = {each.lower(): each for each in names}
    close = difflib.get_close_matches(str(name).lower(), by_folded, n=3, cutoff=0.6)
    if close:
        return f"unknown {kind} {name!r}; did you mean {' or '.join(by_folded[each] for each in close)}?"
    shown = ", ".join(names[:listed]) + (f" and {len(names) - listed} more" if len(names) > listed else "")
    return f"unknown {kind} {name!r}; expected one of {shown}"
