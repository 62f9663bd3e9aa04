"""`ai.profile` as a notebook has it: what cannot be told is raised, and asked beneath the cell.

The error ends the cell, so that *Run all* never goes on with a guess; a `Question` then appears beneath it. Outside of
a kernel `profile` is the plain function, and no widget is imported.
"""

from __future__ import annotations

import ast
import linecache
import sys
from collections.abc import Callable, Iterator
from functools import partial, wraps
from types import FrameType
from typing import Any, ParamSpec

from augimpact.errors import AmbiguousData, DataError
from augimpact.profiling.extract import profile as plain_profile
from augimpact.profiling.result import Profile

__all__ = ["answered_profile", "profile"]

P = ParamSpec("P")
_answered: list[Profile] = []


def answered_profile() -> Profile:
    """The profile that the last answered question beneath a cell led to.

    Raises:
        DataError: none was answered.
    """
    if not _answered:
        raise DataError("no question of profile was answered; expected one, beneath a notebook's cell")
    return _answered[-1]


def _asking(plain: Callable[P, Profile]) -> Callable[P, Profile]:
    """The function, which in a notebook has a person asked for what is missing, besides raising it."""

    @wraps(plain)
    def asked(*args: P.args, **kwargs: P.kwargs) -> Profile:
        try:
            return plain(*args, **kwargs)
        except AmbiguousData as error:
            shell = _shell_of_kernel()
            if shell is None:
                raise
            if error.options:
                read_once = any(map(_is_read_once, (*args, *kwargs.values())))
                run = None if read_once else partial(plain, *args, **kwargs)
                _show_beneath(shell, error, run, _call_in(sys._getframe(1)))
            # How it was found out would only push the question out of sight.
            raise error.with_traceback(None) from None

    # Where it is found, for whoever sends it to another process by its name.
    asked.__module__ = __name__
    return asked


profile = _asking(plain_profile)


def _shell_of_kernel() -> Any:
    """IPython's shell where a front end can show widgets, else None."""
    module = sys.modules.get("IPython")
    shell = None if module is None else module.get_ipython()
    return None if getattr(shell, "kernel", None) is None else shell


def _is_read_once(data: Any) -> bool:
    """Whether what was taken from it is gone: a generator, or a loader of one."""
    return isinstance(data, Iterator) or isinstance(getattr(data, "dataset", None), Iterator)


def _show_beneath(shell: Any, error: AmbiguousData, run: Callable[..., Profile] | None, call: ast.Call | None) -> None:
    """Shows the question when the cell has ended with this error; an error that was caught asks nobody."""

    def show_once(result: Any) -> None:
        shell.events.unregister("post_run_cell", show_once)
        if error in _chain(result.error_in_exec):
            _show(error, run, call)

    shell.events.register("post_run_cell", show_once)


def _show(error: AmbiguousData, run: Callable[..., Profile] | None, call: ast.Call | None) -> None:
    from IPython.display import display

    from augimpact.widgets.question import Question

    question = Question(error, run, call)
    question.observe(lambda change: _answered.__setitem__(slice(None), [change["new"]]), "profile")
    display(question)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and those that it came of."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _call_in(frame: FrameType) -> ast.Call | None:
    """The call of `profile` that a frame is at, as it was written; None where that cannot be told."""
    first, last, start, end = list(frame.f_code.co_positions())[frame.f_lasti // 2]
    if first is None or last is None or start is None or end is None:
        return None
    lines = [line.encode() for line in linecache.getlines(frame.f_code.co_filename)[first - 1 : last]]
    if not lines:
        return None
    # In bytes; the end first, as it may be in the same line.
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][start:]
    try:
        call = ast.parse(b"".join(lines).strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None
    named = isinstance(call, ast.Call) and ast.unparse(call.func).rpartition(".")[2] == "profile"
    return call if named and isinstance(call, ast.Call) else None
