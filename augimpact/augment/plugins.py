"""Python files that a user names, imported so that the augmentations in them are registered."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterable
from os import PathLike
from pathlib import Path

from augimpact.errors import ParameterError

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
            _execute(file, digest)
            _loaded[file] = digest


def load_named_plugins() -> None:
    """Imports what the process that started this one was told to; raises as `load_plugins` does."""
    load_plugins(filter(None, os.environ.get(PLUGINS_VARIABLE, "").split(os.pathsep)))


def _execute(file: Path, digest: str) -> None:
    """Runs the file as a module of a name of its own, which stays if nothing fails."""
    name = f"augimpact_plugin_{hashlib.sha256(str(file).encode()).hexdigest()[:12]}_{digest[:12]}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ParameterError(f"the plugin {file} cannot be loaded; expected the name of a Python file, ending in .py")
    module = importlib.util.module_from_spec(spec)
    # Before it runs, so that dataclasses and pickle find it.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise ParameterError(f"the plugin {file} failed: {type(error).__name__}: {error}") from error
