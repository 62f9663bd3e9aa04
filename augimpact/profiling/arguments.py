"""What is said to `ai.profile` about classes and numbers, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from augimpact.errors import DataError, unknown
from augimpact.profiling.source import Source

__all__ = ["check_numbers", "hidden_of", "names_of"]

# Classes that can be named: a larger number is a mistake.
MOST_NAMED = 1 << 20


def check_numbers(**given: tuple[Any, int]) -> None:
    """Each by its name, with the least that it may be; None may be left out.

    Raises:
        DataError: one is no whole number, or less.
    """
    for name, (value, least) in given.items():
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if value is not None and not (whole and value >= least):
            raise DataError(f"{name} is {value!r}; expected a whole number from {least} on")


def names_of(given: Sequence[str] | Mapping[int, str] | None, sources: Sequence[Source]) -> tuple[str, ...]:
    """The names of the classes: by default those of the first split, and after them those that only another has.

    Raises:
        DataError: a mapping that does not tell which number has which name.
    """
    if given is None:
        first = sources[0].class_names or ()
        return tuple(dict.fromkeys((*first, *(name for each in sources for name in each.class_names or () if first))))
    if isinstance(given, Mapping):
        numbered = _numbered(given)
        return tuple(str(numbered.get(number, f"class {number}")) for number in range(max(numbered, default=-1) + 1))
    return tuple(map(str, given))


def _numbered(given: Mapping[Any, Any]) -> dict[int, Any]:
    """Names by number, also of numbers by name, and of numbers that JSON has made texts."""
    swapped = bool(given) and all(isinstance(each, (int, np.integer)) for each in given.values())
    pairs = [(number, name) for name, number in given.items()] if swapped else list(given.items())
    try:
        found = {int(number): name for number, name in pairs}
    except (TypeError, ValueError):
        found = {-1: ""}
    if min(found, default=0) < 0 or max(found, default=0) >= MOST_NAMED:
        raise DataError(f"class_names is {dict(given)!r}; expected names by number, such as {{0: 'cat'}}")
    return found


def hidden_of(classes: Sequence[str | int], names: Sequence[str]) -> frozenset[int]:
    """The numbers of classes that are hidden by name or number.

    Raises:
        DataError: there is no such class; it would be shown.
    """
    if isinstance(classes, (str, int)):
        raise DataError(f"hide_classes is {classes!r}; expected several, such as [{classes!r}]")
    for each in classes:
        if each not in names if isinstance(each, str) else names and not 0 <= each < len(names):
            raise DataError(unknown("class", each, names))
    return frozenset(names.index(each) if isinstance(each, str) else int(each) for each in classes)
