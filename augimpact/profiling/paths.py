"""Paths within an item, written as it would be in Python: `[0]`, `[1].masks`, `.image`; the item itself is empty.

A key of a mapping is a name after a dot; one with a dot or a bracket in it is quoted, `["input.jpg"]`, and a number is
in brackets as a place is, `[0]`. Whatever else is a key is called by its text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

__all__ = ["Place", "key_below", "part_at", "steps_of"]

STEP = re.compile(
    r"""\[(?P<number>-?\d+)\]
    | \[(?P<quote>["'])(?P<quoted>(?:\\.|(?!(?P=quote)).)*)(?P=quote)\]
    | \.?(?P<name>[^.\[\]]+)""",
    re.VERBOSE | re.DOTALL,
)
PLAIN = re.compile(r"[^.\[\]]+")


class Place(str):
    """A path that was found by the types of an item's parts: it leads through tuples, lists and mappings alone.

    An array has rows, and a text letters, that are no parts of an item.

    >>> Place("[0]").leads_into((1, 2)), Place("[0]").leads_into(np.zeros(2))
    (True, False)
    """

    __slots__ = ()

    def leads_into(self, value: Any) -> bool:
        """Whether a step of it may lead to a part of a value."""
        return isinstance(value, (tuple, list, Mapping)) or hasattr(value, "_fields")


def key_below(path: str, key: Any) -> str:
    r"""The path of what a mapping has under a key.

    >>> key_below("[0]", "masks"), key_below("", "input.jpg"), key_below("", 7), key_below("", 'a "b".c')
    ('[0].masks', '["input.jpg"]', '[7]', '["a \\"b\\".c"]')
    """
    if isinstance(key, (int, np.integer)):
        return f"{path}[{int(key)}]"
    text = str(key)
    if PLAIN.fullmatch(text):
        return f"{path}.{text}"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'{path}["{escaped}"]'


@lru_cache
def steps_of(path: str) -> tuple[int | str, ...]:
    """The places and names that lead to something, one after the other.

    >>> steps_of('[1].masks[0]["a.b"]')
    (1, 'masks', 0, 'a.b')
    """
    return tuple(_step(found) for found in STEP.finditer(path))


def part_at(value: Any, step: int | str) -> Any:
    """What is one step below.

    Raises:
        KeyError: there is no such part; of what is no mapping `AttributeError`, `IndexError` or `TypeError`.
    """
    if not isinstance(value, Mapping):
        return value[step] if isinstance(step, int) else getattr(value, step)
    if step in value or isinstance(step, int):
        return value[step]
    return value[next((key for key in value if str(key) == step), step)]


def _step(found: re.Match[str]) -> int | str:
    if found["number"] is not None:
        return int(found["number"])
    return found["name"] if found["quoted"] is None else re.sub(r"\\(.)", r"\1", found["quoted"], flags=re.DOTALL)
