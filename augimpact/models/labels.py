"""The names of a classifier's outputs, as a person gives them: a sequence, a text file, or names with commas."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from augimpact.errors import ModelError

__all__ = ["read_labels"]


def read_labels(labels: str | os.PathLike[str] | Sequence[str]) -> tuple[str, ...]:
    """The names in the order of the outputs.

    Args:
        labels: a sequence of names; the path of a text file (UTF-8) with one name a line; or a text with the names
            separated by commas.

    Raises:
        ModelError: there are no names, one of them is empty, or the file cannot be read.

    >>> read_labels("cat, dog")
    ('cat', 'dog')
    """
    if isinstance(labels, os.PathLike):
        return _from_file(Path(labels))
    if not isinstance(labels, str):
        return _checked([str(label) for label in labels], "the sequence of labels", "label")
    # A file may have a comma in its name, a list of names is hardly ever a file's.
    if _is_file(labels):
        return _from_file(Path(labels))
    if "," not in labels:
        raise ModelError(f"labels are {labels!r}; expected a text file with one name a line, or names with commas")
    return _checked([label.strip() for label in labels.split(",")], f"labels {labels!r}", "label")


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # longer than a path may be
        return False


def _from_file(path: Path) -> tuple[str, ...]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise ModelError(f"the labels {str(path)!r} cannot be read: {reason}") from error
    return _checked([line.strip() for line in text.rstrip().splitlines()], f"the labels {str(path)!r}", "line")


def _checked(labels: list[str], where: str, each: str) -> tuple[str, ...]:
    """The labels, if each has a name: a line left out would shift the names of all the outputs after it."""
    if not labels:
        raise ModelError(f"{where}: there are none; expected the name of every output")
    if "" in labels:
        raise ModelError(f"{where}: {each} {labels.index('') + 1} is empty; expected the name of an output")
    return tuple(labels)
