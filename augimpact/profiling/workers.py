"""What was raised where a loader's samples are made, often another process, of which only texts come here."""

from __future__ import annotations

import re

__all__ = ["Elsewhere", "elsewhere", "kind_and_message"]

# What torch says in place of an error's message: the kind, and below it all that Python would have printed of it.
WRAPPED = re.compile(r"Caught (\w+) [^\n]*\.\nOriginal (?=Traceback \(most recent call last\):\n)")
HEADER = re.compile(r"^(?:Original )?Traceback \(most recent call last\):\n", re.MULTILINE)


class Elsewhere(Exception):  # noqa: N818 - stands for an error of any kind
    """Stands for an exception whose class may not be known here, as the name of that class and its message."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(kind, message)
        self.kind, self.message = kind, message


def elsewhere(error: Exception) -> Elsewhere:
    """What stands for an exception, and comes whole from another process."""
    return Elsewhere(*kind_and_message(error))


def kind_and_message(error: Exception) -> tuple[str, str]:
    """The name of an exception's class, and what it says; of one that torch has wrapped, those of the first.

    >>> kind_and_message(OSError("no such file"))
    ('OSError', 'no such file')
    """
    if isinstance(error, Elsewhere):
        return error.kind, error.message
    said = str(error)
    wrapped = WRAPPED.search(said)
    if wrapped is None:
        return type(error).__name__, said
    # What led to an error stands above it, with a header of its own.
    last = said[[*HEADER.finditer(said)][-1].end() :]
    found = re.search(rf"^(?:[\w.<>]+\.)?{wrapped[1]}(?:: |$)", last, re.MULTILINE)
    return wrapped[1], "" if found is None else last[found.end() :].strip()
