"""What a user's own code gives: `FILE.py:NAME` or `package.module:NAME`.

The code runs with its folder (or the current one, for a package) first on the import path, as `python FILE.py` (or
`python -m`) would have it; the path is restored afterwards. Whatever goes wrong in it becomes one sentence that names
the line.
"""

from __future__ import annotations

import importlib
import inspect
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from augimpact.errors import ModelError, unknown
from augimpact.models.model import Model
from augimpact.user_code import importing_from, run_file

__all__ = ["build", "is_own_code"]


def is_own_code(source: str) -> bool:
    """Whether the source is meant as `FILE.py:NAME` or `package.module:NAME`.

    >>> is_own_code("nets/small.py:Net"), is_own_code("nets.small:Net"), is_own_code("resnet50")
    (True, True, False)
    """
    return ":" in source


def build(source: str, *, num_classes: int | None = None) -> nn.Module | Model:
    """What NAME is, or what it returns if it is a function or a class.

    Args:
        source: `FILE.py:NAME` or `package.module:NAME`; a torch module, a classifier, or a function without arguments
            (a module's class is one) that returns either.
        num_classes: handed to the function where it takes an argument of this name, and otherwise left out.

    Raises:
        ModelError: there is no such file, package or name, the code fails, or it gives something else.
    """
    place, _, name = source.rpartition(":")
    if not place or not name:
        raise ModelError(f"the model is {source!r}; expected FILE.py:NAME or package.module:NAME")
    with importing_from(_folder(place)), _one_error(source, place):
        found = _named(_imported(place), name, place)
        if not isinstance(found, (nn.Module, Model)) and callable(found):
            found = found(**_arguments(found, num_classes))
    if not isinstance(found, (nn.Module, Model)):
        raise ModelError(
            f"{source!r} gives a {type(found).__name__}; expected a torch.nn.Module, a Classifier, "
            "or a function without arguments that returns one"
        )
    return found


def _imported(place: str) -> ModuleType:
    """The module, run anew if it is a file: it may have been edited since."""
    if not _is_file(place):
        try:
            return importlib.import_module(place)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{place}.".startswith(f"{error.name}."):
                raise  # it is there, and what it needs is not
            raise ModelError(
                f"there is no package {place!r}; expected package.module:NAME, FILE.py:NAME, torchvision:NAME "
                "or fastai:FILE"
            ) from error
    path = Path(place)
    if not path.is_file():
        raise ModelError(f"there is no file {place!r}; expected FILE.py:NAME")
    return run_file(path)


def _named(module: ModuleType, name: str, place: str) -> Any:
    if not hasattr(module, name):
        known = [each for each in vars(module) if not each.startswith("_")]
        raise ModelError(unknown(f"name in {place!r}", name, known))
    return getattr(module, name)


def _arguments(function: Callable[..., Any], num_classes: int | None) -> dict[str, int]:
    if num_classes is None:
        return {}
    try:
        taken = "num_classes" in inspect.signature(function).parameters
    except (TypeError, ValueError):  # some of C's functions have no signature
        taken = False
    return {"num_classes": num_classes} if taken else {}


def _is_file(place: str) -> bool:
    return place.endswith(".py")


def _folder(place: str) -> Path:
    return Path(place).parent.resolve() if _is_file(place) else Path.cwd()


@contextmanager
def _one_error(source: str, place: str) -> Iterator[None]:
    """Any error of the user's code, and its exit, as a `ModelError` of one sentence."""
    try:
        yield
    except ModelError:
        raise
    except (Exception, SystemExit) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "it gave no reason"
        raise ModelError(f"{source!r} failed{_line(error, place)}: {type(error).__name__}: {reason}") from error


def _line(error: BaseException, place: str) -> str:
    """Where the error left the user's file; a syntax error tells its line itself."""
    if not _is_file(place):
        return ""
    own = Path(place).resolve()
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename).resolve() == own]
    return f" at line {lines[-1]}" if lines else ""
