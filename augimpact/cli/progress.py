"""What a person sees while a command works, and tables."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

__all__ = ["print_table", "progress_bar"]


@contextmanager
def progress_bar(first: str) -> Iterator[Any]:
    """A bar on standard error, where that is a terminal; it goes away when the block ends."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(first, total=None)
        yield lambda text, done, total: bar.update(task, description=text, completed=done, total=total)


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table for a person at a terminal; lines of tab-separated fields for a program."""
    # Asked of the stream itself: rich takes some pipes, such as those of notebooks, for terminals.
    if not sys.stdout.isatty():
        for row in (header, *rows):
            print("\t".join(row))
        return
    table = Table(*header, box=None, header_style="bold")
    for row in rows:
        table.add_row(*row)
    Console().print(table)
