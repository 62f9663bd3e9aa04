"""What classes and samples are called in everything that leaves a profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from augimpact.profiling.class_names import Unnamed
from augimpact.profiling.panel import shortened

__all__ = ["AUGMENTED", "DIFFERENCE", "Naming", "natural", "short"]

# What the name of a split ends with whose images are augmented.
AUGMENTED = ", augmented"
# What the name of a split ends with where panels have augmented less raw.
DIFFERENCE = ", difference"


@dataclass(frozen=True)
class Naming:
    """What classes and samples are called in everything that leaves.

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
        """The name of a class."""
        if number in self.hidden:
            return "hidden"
        known = number < len(self.classes) and not self.anonymous
        return self.classes[number] if known else f"class {number}"

    def labels(self, frame: pd.DataFrame) -> pd.Series[str]:
        """The name of each sample's class; samples without a label are left out."""
        known = frame["label"][frame["label"] >= 0]
        names = {number: self.label(number) for number in known.unique()}
        # As objects: what a folder is called may be no text that Arrow could hold.
        return pd.Series([names[number] for number in known.tolist()], known.index, dtype=object)


def short(names: Sequence[str] | pd.Index[Any], letters: int = 24) -> list[str]:
    """Names as they fit under a bar."""
    return [shortened(str(name), letters) for name in names]


def natural(name: str) -> tuple[Any, ...]:
    """Numbers in names by their value."""
    import re

    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name) if part)
