"""The numbers of a panel as tables for a person: what has the same parts for several things is a column each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from augimpact.profiling.panel import strict

__all__ = ["Table", "tables_of"]

# Columns that are read side by side, and numbers that are read in one cell.
COLUMNS, LISTED = 5, 12
NONE = "–"
# Lists of which panels may have the first alone, and what beside them says how many there are.
COUNTED = {"indices": "count", "failures": "count", "images": "image_count", "groups": "group_count"}
Cell = Callable[[Any], str]


class Table(NamedTuple):
    """Rows of texts, the first cell of each its name.

    title: what it is of, may be empty.
    header: a text a column.
    rows: as long as the header.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class _First(list[Any]):
    """The first values of a list.

    Args:
        values: these.
        total: how many the list has.
    """

    def __init__(self, values: Iterable[Any], total: int) -> None:
        super().__init__(values)
        self.total = total


def tables_of(statistics: Mapping[str, Any], *, begun: bool = False) -> list[Table]:
    """All numbers and texts; of long lists how long they are, of those that panels cut how long they would be.

    Args:
        statistics: of a panel.
        begun: that of long lists the first values are told as well, where there is room for them.

    >>> tables_of({"train": {"mean": 1, "std": 2}, "val": {"mean": 3, "std": None}})
    [Table(title='', header=('', 'train', 'val'), rows=(('mean', '1', '3'), ('std', '2', '–')))]
    >>> tables_of({"count": 3, "many": list(range(40))})[0].rows
    (('count', '3'), ('many', '40 values'))
    >>> tables_of({"faults": [{"index": 3, "kind": "OSError"}]})
    [Table(title='faults', header=('', 'index', 'kind'), rows=(('1', '3', 'OSError'),))]
    >>> tables_of({"many": list(range(40))}, begun=True)[0].rows[0][1]
    '0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 … and 28 more'
    >>> tables_of({"count": 5, "indices": [7, 9]})[0].rows
    (('count', '5'), ('indices', '7, 9 … and 3 more'))
    """
    return list(_tables("", _with_totals(strict(statistics)), _begun if begun else _cell))


def _with_totals(value: Any) -> Any:
    """The same, where lists that are cut know how long they would be."""
    if not isinstance(value, Mapping):
        return value
    found = {}
    for name, each in value.items():
        total = value.get(COUNTED.get(name, ""), 0)
        is_cut = isinstance(each, list) and isinstance(total, int) and total > len(each)
        found[name] = _First(each, total) if is_cut else _with_totals(each)
    return found


def _tables(title: str, value: Mapping[str, Any], cell: Cell) -> Iterator[Table]:
    parts = {name: each for name, each in value.items() if isinstance(each, Mapping) and each}
    lists = {name: each for name, each in value.items() if _are_rows(each)}
    single = tuple((name, cell(each)) for name, each in value.items() if name not in parts and name not in lists)
    if single:
        yield Table(title, ("", ""), single)
    several = {name: dict(_leaves(each)) for name, each in parts.items()}
    shared = Counter(name for each in several.values() for name in each)
    apart: dict[str, Any] = {}
    if shared and max(shared.values()) > 1:
        # What has no part in common with the others is no column beside them.
        apart = {name: parts[name] for name, each in several.items() if all(shared[part] < 2 for part in each)}
        parts, several, value = (_without(apart, each) for each in (parts, several, value))
    names = list(dict.fromkeys(name for each in several.values() for name in each))
    # A difference has all its parts from the first, if not most of them.
    first = next(iter(several.values()), {})
    alike = len(several) > 1 and all(
        2 * len(each) > len(names) or each.keys() <= first.keys() for each in several.values()
    )
    if alike and len(several) <= COLUMNS:
        yield _beside(title, names, several, cell)
    elif alike and len(names) <= COLUMNS:
        rows = tuple((name, *(cell(each.get(column)) for column in names)) for name, each in several.items())
        yield Table(title, ("", *names), rows)
    elif alike:
        # Tables of about equally many columns.
        wide = -(-len(several) // -(-len(several) // COLUMNS))
        for start in range(0, len(several), wide):
            yield _beside(title, names, dict(list(several.items())[start : start + wide]), cell)
    else:
        alike = False
        for name, each in parts.items():
            yield from _tables(_below(title, name), each, cell)
    for name, each in (value if alike else lists).items():
        yield from _lists(_below(title, name), each, cell)
    for name, each in apart.items():
        yield from _tables(_below(title, name), each, cell)


def _without(names: Container[str], value: Mapping[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in value.items() if name not in names}


def _beside(title: str, names: Sequence[str], several: Mapping[str, Mapping[str, Any]], cell: Cell) -> Table:
    rows = tuple((name, *(cell(each.get(name)) for each in several.values())) for name in names)
    return Table(title, ("", *several), rows)


def _lists(title: str, value: Any, cell: Cell) -> Iterator[Table]:
    """Each list of mappings, wherever it is: a row a mapping, called by its number."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _lists(_below(title, name), each, cell)
    elif _are_rows(value):
        found = [dict(_leaves(each)) for each in value]
        names = list(dict.fromkeys(name for each in found for name in each))
        rows = [(str(number), *(cell(each.get(name)) for name in names)) for number, each in enumerate(found, 1)]
        if isinstance(value, _First):
            rows.append(("…", f"and {value.total - len(value)} more", *[""] * (len(names) - 1)))
        yield Table(title, ("", *names), tuple(rows))


def _below(title: str, name: str) -> str:
    return f"{title}: {name}" if title else name


def _are_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, Mapping) for each in value)


def _leaves(value: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """What has no parts, by the names that lead to it; lists of mappings are tables of their own."""
    for name, each in value.items():
        if isinstance(each, Mapping) and each:
            yield from _leaves(each, f"{before}{name}, ")
        elif not _are_rows(each):
            yield before + name, each


def _begun(value: Any) -> str:
    """As `_cell`, with the first values of a long list; of lists within it their lengths are enough."""
    if not isinstance(value, list) or len(value) <= LISTED or any(isinstance(each, list) for each in value):
        return _cell(value)
    return f"{_cell(value[:LISTED])} … and {_total(value) - LISTED} more"


def _cell(value: Any) -> str:
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return NONE
    if isinstance(value, list):
        total = _total(value)
        if len(value) > LISTED:
            return f"{total} values"
        told = ", ".join(map(_cell, value)) if value else "none"
        return told if total == len(value) else f"{told} … and {total - len(value)} more"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _total(value: Sequence[Any]) -> int:
    return value.total if isinstance(value, _First) else len(value)
