"""What classes and samples are called in everything that leaves a profile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from augimpact.once import once
from augimpact.profiling.class_names import Unnamed
from augimpact.profiling.panel import shortened

__all__ = ["AUGMENTED", "DIFFERENCE", "HIDDEN", "WITHOUT_CLASS", "Naming", "natural", "short"]

# What the name of a split ends with whose images are augmented.
AUGMENTED = ", augmented"
# What the name of a split ends with where panels have augmented less raw.
DIFFERENCE = ", difference"
# What hidden classes are called together; and what is of no class, beside what is of one.
HIDDEN, WITHOUT_CLASS = "hidden", "without a class"


@dataclass(frozen=True)
class Naming:
    """What classes and samples are called in everything that leaves.

    Classes of one name are told apart by their numbers, and so is one that is called as hidden classes are together.

    Args:
        classes: the names by number, as far as they are known.
        hidden: numbers of classes that are told as one, without a name.
        anonymous: that no class and no file is named.
    """

    classes: Sequence[str] = ()
    hidden: frozenset[int] = frozenset()
    anonymous: bool = False

    @property
    def known(self) -> list[int]:
        """The numbers that somebody named, so that there is a class of that number even where no label has it."""
        return [number for number, name in enumerate(self.classes) if not isinstance(name, Unnamed)]

    def label(self, number: int) -> str:
        """The name of a class.

        >>> naming = Naming(["crane", "owl", "crane", "hidden"], frozenset({1}))
        >>> [naming.label(number) for number in range(5)]
        ['crane (0)', 'hidden', 'crane (2)', 'hidden (3)', 'class 4']
        """
        return HIDDEN if number in self.hidden else self._told.get(number, f"class {number}")

    @once
    def _told(self) -> Mapping[int, str]:
        """The names that may be told, by number."""
        if self.anonymous:
            return {}
        # That a class is called as a hidden one is would tell that one's name.
        return _apart({number: name for number, name in enumerate(self.classes) if number not in self.hidden})

    def labels(self, frame: pd.DataFrame) -> pd.Series[str]:
        """The name of each sample's class; samples without a label are left out."""
        known = frame["label"][frame["label"] >= 0]
        names = {number: self.label(number) for number in known.unique()}
        # As objects: what a folder is called may be no text that Arrow could hold.
        return pd.Series([names[number] for number in known.tolist()], known.index, dtype=object)


def _apart(names: Mapping[int, str]) -> Mapping[int, str]:
    """The names, with the number behind each that several have, or that means something else."""
    told = {number: str(name) for number, name in names.items()}
    while True:
        often = Counter([HIDDEN, WITHOUT_CLASS, *told.values()])
        alike = [number for number, name in told.items() if often[name] > 1]
        if not alike:
            return told
        # Once more where a class is called as another is with its number.
        told |= {number: f"{told[number]} ({number})" for number in alike}


def short(names: Sequence[str] | pd.Index[Any], letters: int = 24) -> list[str]:
    """Names as they fit under a bar."""
    return [shortened(str(name), letters) for name in names]


def natural(name: str) -> tuple[Any, ...]:
    """Numbers in names by their value."""
    import re

    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name) if part)
