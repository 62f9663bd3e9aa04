"""How far something is, for whoever asks to be told, and as a bar for a person at a terminal or in a notebook."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Telling", "progress_bar", "telling"]

# Is told how much is done, and of how much.
Telling = Callable[[int, int], None]


@contextmanager
def progress_bar(first: str) -> Iterator[Any]:
    """A bar on standard error, where a person sees it; it goes away when the block ends.

    Gives a function that takes what is done now, how much of it is, and of how much.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(first, total=None)
        yield lambda text, done, total: bar.update(task, description=text, completed=done, total=total)


@contextmanager
def telling(what: str, progress: Telling | None) -> Iterator[Telling]:
    """The given function, or a bar that is called `what` where there is none."""
    if progress is not None:
        yield progress
        return
    with progress_bar(what) as step:
        yield lambda done, total: step(what, done, total)
