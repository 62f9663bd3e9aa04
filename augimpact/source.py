"""Values and calls as Python source that a person likes to read, and that gives the very same values back."""

from __future__ import annotations

import keyword
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["WIDTH", "Call", "Name", "quoted", "source_of"]

# Columns; a line is longer only where something in it cannot be broken.
WIDTH = 100
STEP = "    "
# From here on not every whole float is the only one that is written so.
WHOLE = 2**53


class Name(str):
    """A name that stands in the source as it is; never one that comes from outside."""

    __slots__ = ()


@dataclass(frozen=True)
class Call:
    """A function, by a name that stands in the source as it is, and its arguments."""

    function: str
    positional: Sequence[Any] = ()
    named: Mapping[str, Any] = field(default_factory=dict)


def source_of(value: Any, *, indent: str = "", before: int = 0, after: int = 0) -> str:
    r"""The source of a value: a `Call`, a `Name`, or what JSON knows; over several lines where one does not hold it.

    Args:
        value: anything else becomes its text, quoted.
        indent: of the line on which it begins.
        before: columns that are taken on that line.
        after: columns that must be left on its last line.

    >>> source_of(Call("ai.Sweep", named={"rotation": (-45.0, 0.1), "class": 'a "b"'}))
    'ai.Sweep(rotation=(-45, 0.1), **{"class": \'a "b"\'})'
    """
    flat = _flat(value)
    if before + len(flat) + after <= WIDTH:
        return flat
    inner = indent + STEP
    if isinstance(value, str) and not isinstance(value, Name):
        lines = [quoted(part) for part in _parts(value, WIDTH - len(inner))]
        begin, end = "(", ")"
    elif isinstance(value, Call):
        lines = [
            head + source_of(each, indent=inner, before=len(inner + head), after=len(tail) + 1) + tail + ","
            for head, each, tail in _arguments(value)
        ]
        begin, end = f"{value.function}(", ")"
    elif isinstance(value, (list, tuple)) and value:
        items = [source_of(each, indent=inner, before=len(inner), after=1) for each in value]
        lines = list(_filled(items, WIDTH - len(inner)))
        begin, end = ("(", ")") if isinstance(value, tuple) else ("[", "]")
    else:
        return flat
    return "\n".join([begin, *(inner + line for line in lines), indent + end])


def quoted(text: str) -> str:
    r"""The text as a literal, in double quotes where it has no quotes itself.

    >>> print(quoted("cat"), quoted("cat's"), quoted('a "b"'), quoted("a\nb"))
    "cat" "cat's" 'a "b"' "a\nb"
    """
    literal = repr(str(text))
    return literal if "'" in text or '"' in text else f'"{literal[1:-1]}"'


def _flat(value: Any) -> str:
    """The source on one line."""
    if isinstance(value, Name):
        return str(value)
    if isinstance(value, Call):
        return f"{value.function}({', '.join(head + _flat(each) + tail for head, each, tail in _arguments(value))})"
    if value is None or isinstance(value, (bool, int)):
        return repr(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, tuple):
        return f"({', '.join(map(_flat, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, list):
        return f"[{', '.join(map(_flat, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_flat(key)}: {_flat(each)}' for key, each in value.items())}}}"
    return quoted(str(value))


def _number(value: float) -> str:
    """A float, as a whole number where it is one: the shortest text that gives it back exactly."""
    if not math.isfinite(value):
        return f'float("{value}")'
    # Zero may have a sign.
    is_whole = value.is_integer() and abs(value) < WHOLE and str(value) != "-0.0"
    return repr(int(value)) if is_whole else repr(float(value))


def _arguments(call: Call) -> Iterator[tuple[str, Any, str]]:
    """What stands before each argument, the argument, and what stands behind it."""
    for value in call.positional:
        yield "", value, ""
    for name, value in call.named.items():
        if name.isidentifier() and not keyword.iskeyword(name):
            yield f"{name}=", value, ""
        else:
            yield f"**{{{quoted(name)}: ", value, "}"


def _filled(items: Sequence[str], room: int) -> Iterator[str]:
    """The items with commas, as many on a line as fit."""
    line = ""
    for item in items:
        if line and len(line) + len(item) + 2 > room:
            yield line
            line = ""
        line += f"{' ' if line else ''}{item},"
    yield line


def _parts(text: str, room: int) -> Iterator[str]:
    """The text in parts whose literals fit."""
    part, taken = "", 2
    for character in text:
        # A quote may have to be escaped, which depends on what is beside it.
        length = 2 if character in "'\"" else len(repr(character)) - 2
        if taken + length > room:
            yield part
            part, taken = "", 2
        part += character
        taken += length
    yield part
