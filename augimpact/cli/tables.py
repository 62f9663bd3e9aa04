"""Tables on standard output."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["print_table"]


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table for a person at a terminal; lines of tab-separated fields for a program.

    What is in it anybody may have written: letters that steer a terminal are replaced.
    """
    rows = [tuple("".join(letter if letter.isprintable() else "�" for letter in cell) for cell in row) for row in rows]
    # Asked of the stream itself: rich takes some pipes, such as those of notebooks, for terminals.
    if not sys.stdout.isatty():
        for row in (header, *rows):
            print("\t".join(row))
        return
    table = Table(*header, box=None, header_style="bold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)
