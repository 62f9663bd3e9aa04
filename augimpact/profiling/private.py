"""What may be told of single samples: where they lie, and what went wrong with those that could not be used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

from augimpact.profiling.collect import Collected
from augimpact.profiling.naming import Naming
from augimpact.profiling.source import MOST_TOLD, Failure

__all__ = ["told_failure", "told_paths"]


def told_paths(collected: Collected, naming: Naming) -> Mapping[int, str]:
    """Where samples lie: none if names are hidden, and none that is, or names, what is of a hidden class."""
    if naming.anonymous:
        return {}
    return {
        index: path
        for index, path in collected.paths.items()
        if index not in collected.hidden and not _names_hidden(path, naming)
    }


def told_failure(failure: Failure, naming: Naming, *, has_path: bool) -> Failure:
    """The failure with as much of its error as may be told, which may be the kind alone.

    Args:
        failure: of any sample.
        naming: hides all messages and paths with all names. Of which class a sample is that could not be read is not
            known: where classes are hidden its path is not told, nor a message that may name it, or one of them.
        has_path: whether paths may be told at all.
    """
    silent = naming.anonymous or (naming.hidden and _may_name(failure, naming))
    path = failure.path if has_path and not naming.hidden and not naming.anonymous else None
    return Failure(failure.number, failure.kind if silent else failure.error, path)


def _may_name(failure: Failure, naming: Naming) -> bool:
    file = "" if failure.path is None else PurePath(failure.path).name
    # A name may have been cut within.
    is_cut = len(failure.message) >= MOST_TOLD
    names_file = "/" in failure.message or "\\" in failure.message or (file and file in failure.message)
    return bool(is_cut or names_file or _names_hidden(failure.error, naming))


def _names_hidden(text: str, naming: Naming) -> bool:
    names = [naming.classes[number] for number in naming.hidden if number < len(naming.classes)]
    return any(name in text or _plain(name) in _plain(text) for name in names)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
