"""Which labels of a split are the number of a class, and what is wrong with the others."""

from __future__ import annotations

from typing import Any

import numpy as np

from augimpact.errors import DataError
from augimpact.profiling.ranges import MANY

__all__ = ["ClassLabels"]

# What a class's number is below, where it is not known how many there are: numbers of 64 bits are kept.
MOST_LABELS = 1 << 63
SEVERAL = "the label is a row with several ones; expected a single 1 among zeros"
NONE = "the label is a row without a 1; expected a single 1 among zeros"


class ClassLabels:
    """The labels of one split, sample by sample.

    Rows of 0 and 1 are of one class each, or of any number of them, of which no panel tells. That is seen at the end:
    one row with several ones in `MANY` is at fault itself.

    Args:
        classes: how many there are, if that is known: a label beyond is an error.

    >>> labels = ClassLabels(3)
    >>> labels.number_of(0, 2), labels.number_of(1, np.array([0, 1, 0])), labels.number_of(2, None)
    (2, 1, None)
    """

    def __init__(self, classes: int | None = None) -> None:
        self._classes = classes
        self._rows = 0
        # Numbers of the samples whose rows have several ones, and none.
        self._several: list[int] = []
        self._empty: list[int] = []

    @property
    def are_of_several(self) -> bool:
        """Whether rows of 0 and 1 tell of several classes at once."""
        return MANY * len(self._several) > self._rows

    def number_of(self, sample: int, label: Any) -> int | None:
        """The number of the class; None where there is no label, and of a row without a single 1.

        Args:
            sample: its number.
            label: see `augimpact.profiling.labels.plain_label`.

        Raises:
            DataError: there is none of that number.
        """
        ones = _ones_in(label)
        if ones is not None:
            self._rows += 1
            if ones != 1:
                (self._several if ones else self._empty).append(sample)
                return None
            label = int(np.argmax(label))
        if not isinstance(label, (int, np.integer)):
            return None
        limit = MOST_LABELS if self._classes is None else self._classes
        if not 0 <= label < limit:
            expected = "a number from 0" + ("" if self._classes is None and label < 0 else f" to {limit - 1}")
            raise DataError(f"the label is {label}; expected {expected}")
        return int(label)

    def fault_of(self, label: Any) -> str | None:
        """Why a label without a number is no class; None where there is none, or that is seen at the end."""
        if label is None or _ones_in(label) is not None:
            return None
        if isinstance(label, float):
            return f"the label is {label:g}; expected the number of a class"
        if _is_row(label):
            return "the label is a row with other numbers than 0 and 1; expected a single 1 among zeros"
        return f"a label of the type {type(label).__name__} is no class, mask or boxes; expected one, or labels=…"

    def faults_of_rows(self) -> dict[int, str]:
        """What is wrong with rows without a single 1, by the samples that have them.

        Where rows tell of several classes it is one fault, told of the first of them.
        """
        if not self.are_of_several:
            return dict.fromkeys(self._several, SEVERAL) | dict.fromkeys(self._empty, NONE)
        how_many = f"{len(self._several)} labels are rows" if len(self._several) > 1 else "the label is a row"
        told = f"{how_many} with several ones: of several classes at once no panel tells; labels=… may give one"
        return {self._several[0]: told}


def _is_row(label: Any) -> bool:
    return isinstance(label, np.ndarray) and label.ndim == 1 and len(label) > 1 and label.dtype.kind in "biuf"


def _ones_in(label: Any) -> int | None:
    """How many ones a row of 0 and 1 has; None of anything else."""
    return int(np.count_nonzero(label)) if _is_row(label) and np.isin(label, (0, 1)).all() else None
