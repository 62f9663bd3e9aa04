"""Code that a user wrote: running a file, with what lies beside it, so that no other meets a trace of it; its hash."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

__all__ = ["code_hash", "importing_from", "run_file", "unwrapped"]

ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def run_file(path: Path) -> ModuleType:
    """The file as a module, run anew: it may have been edited since.

    It stays registered under a name of its own, as dataclasses and pickle look a class's module up. The code runs with
    the rights of this process, and whatever it raises is raised.
    """
    path = path.resolve()
    name = f"augimpact_user_{path.stem}_{hashlib.blake2b(str(path).encode(), digest_size=6).hexdigest()}"
    specification = importlib.util.spec_from_file_location(name, path)
    if specification is None or specification.loader is None:
        raise ImportError(f"{path.name} cannot be loaded; expected the name of a Python file, ending in .py")
    module = importlib.util.module_from_spec(specification)
    before = sys.modules.get(name)
    sys.modules[name] = module
    try:
        with importing_from(path.parent):
            specification.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        if before is not None:
            sys.modules[name] = before
        raise
    return module


@contextmanager
def importing_from(folder: Path) -> Iterator[None]:
    """Inside the block the folder comes first on the import path, as `python FILE.py` has it.

    Afterwards the path is as it was, and what was imported from the folder is forgotten again: another folder may have
    a module of the same name, and a file may be edited before it is run once more.
    """
    entry, known = str(folder), set(sys.modules)
    sys.path.insert(0, entry)
    try:
        yield
    finally:
        if entry in sys.path:
            sys.path.remove(entry)
        tops = {name.partition(".")[0] for name in set(sys.modules) - known}
        own = {top for top in tops - known if _lies_in(top, folder)}
        for name in set(sys.modules) - known:
            if name.partition(".")[0] in own:
                del sys.modules[name]


def code_hash(written: Callable[..., Any]) -> str:
    """A hash of the file in which something was written; of its own lines where there is no file, as in a notebook.

    What it reads from elsewhere, such as a variable of another cell, is not in it.

    >>> code_hash(run_file) == code_hash(code_hash) != code_hash(print)
    True
    """
    found = hashlib.blake2b(digest_size=12)
    while isinstance(written, partial):
        given = [*written.args, *(value for _, value in sorted(written.keywords.items()))]
        # An object is told by its type: where it lies in memory is another place each time.
        told = [code_hash(each) if callable(each) else ADDRESS.sub("", repr(each)) for each in given]
        found.update(repr((sorted(written.keywords), told)).encode())
        written = written.func
    written = unwrapped(written)
    found.update(_text_of(written if inspect.isroutine(written) or inspect.isclass(written) else type(written)))
    return found.hexdigest()


def unwrapped(written: Callable[..., Any]) -> Callable[..., Any]:
    """What was written, without what was put around it."""
    while isinstance(written, partial):
        written = written.func
    found: Callable[..., Any] = inspect.unwrap(written)
    return found


def _text_of(written: Any) -> bytes:
    try:
        file = inspect.getsourcefile(written)
        if file is not None and Path(file).is_file():
            return Path(file).read_bytes()
        return inspect.getsource(written).encode()
    except (OSError, TypeError):  # typed at a prompt, or made by C
        code = getattr(written, "__code__", None)
        if code is None:
            return repr(written).encode()
        constants = [each for each in code.co_consts if not isinstance(each, CodeType)]
        return bytes(code.co_code) + repr((code.co_names, constants)).encode()


def _lies_in(top: str, folder: Path) -> bool:
    """Whether the module is `folder/top.py` or a package `folder/top/`."""
    module = sys.modules.get(top)
    places = [*getattr(module, "__path__", []), *filter(None, [getattr(module, "__file__", None)])]
    return any(Path(place).resolve().parent == folder for place in places)
