"""The sums of which a mean image of each class is made."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["FEWEST", "ClassSums", "Sums"]

# A mean image of fewer different images than this could be taken for one of them.
FEWEST = 5
# Classes of which sums are kept; of so many a figure shows the most frequent.
MOST_CLASSES = 1000


class Sums(NamedTuple):
    """Of the small images of a class: how many there are, their sum, and that of their squares, `(32, 32, 3)`.

    different: hashes of them, until there are `FEWEST`.
    """

    images: int
    different: frozenset[int]
    total: NDArray[np.int64]
    squares: NDArray[np.int64]


class ClassSums(dict[int | None, Sums]):
    """By class; None is that of images without one. They are whole numbers, and exact.

    >>> sums = ClassSums()
    >>> sums.add(3, np.full((2, 2, 3), 7, np.uint8))
    >>> sums[3].images, int(sums[3].total.max())
    (1, 7)
    """

    def add(self, label: int | None, small: NDArray[np.uint8]) -> None:
        """Adds an image to those of its class."""
        if label not in self:
            if len(self) >= MOST_CLASSES:
                return
            self[label] = Sums(0, frozenset(), *np.zeros((2, *small.shape), np.int64))
        images, different, total, squares = self[label]
        if len(different) < FEWEST:
            different |= {hash(small.tobytes())}
        from augimpact.profiling.counting import add_image

        add_image(small, total, squares)
        self[label] = Sums(images + 1, different, total, squares)

    def forget_classes(self) -> None:
        """Makes one of all classes: that of images without one."""
        if not self:
            return
        images, different, totals, squares = zip(*self.values(), strict=True)
        together = frozenset[int]().union(*different)
        self.clear()
        self[None] = Sums(sum(images), together, sum(totals), sum(squares))
