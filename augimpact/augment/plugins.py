"""Python files that a user names, imported so that the augmentations in them are registered."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from os import PathLike
from pathlib import Path

from augimpact.errors import ParameterError
from augimpact.user_code import run_file

__all__ = ["PLUGINS_VARIABLE", "load_named_plugins", "load_plugins"]

# How a process learns which files were named to the one that started it; paths as in PATH.
PLUGINS_VARIABLE = "AUGIMPACT_PLUGINS"

# What each file held when it was imported last.
_loaded: dict[Path, str] = {}


def load_plugins(paths: Iterable[str | PathLike[str]]) -> None:
    """Imports Python files; one that was imported before and has not changed since is not imported again.

    The code in them runs with the rights of this process: name only files that you trust.

    Raises:
        ParameterError: a file that is missing or unreadable, or whose code fails; the sentence names file and reason.
    """
    for path in paths:
        file = Path(path).expanduser().resolve()
        try:
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
        except OSError as error:
            raise ParameterError(f"the plugin {path} cannot be read: {error.strerror}") from error
        if _loaded.get(file) != digest:
            _execute(file)
            _loaded[file] = digest


def load_named_plugins() -> None:
    """Imports what the process that started this one was told to; raises as `load_plugins` does."""
    load_plugins(filter(None, os.environ.get(PLUGINS_VARIABLE, "").split(os.pathsep)))


def _execute(file: Path) -> None:
    """Runs the file; its module stays, if nothing fails."""
    try:
        run_file(file)
    except (Exception, SystemExit) as error:
        raise ParameterError(f"the plugin {file} failed: {type(error).__name__}: {error}") from error
