"""What white is in masks: it takes all masks of a run to tell, for one alone may have any of its classes."""

from __future__ import annotations

from collections.abc import Collection

__all__ = ["WHITE", "Whites"]

# White, which stands for the class of a mask in black and white.
WHITE = 255


class Whites:
    """The numbers in the masks of all splits, by which these are numbered alike.

    White is class 1 where masks have no other numbers than 0, 1 and 255, and none has both 1 and 255: these are masks
    of one class, some written with 1 and some with 255. A mask of both has two things in it, as of an object and of
    what is void, and beside other classes 255 is a number as they are: then it is class 255 everywhere.

    >>> whites = Whites()
    >>> whites.add([0, 255])
    >>> whites.add([0, 1])
    >>> whites.number(255)
    1
    >>> whites.add([0, 1, 255])
    >>> whites.number(255)
    255
    """

    def __init__(self) -> None:
        self._is_one = True

    def add(self, classes: Collection[int]) -> None:
        """Takes in the numbers that one mask has."""
        found = set(classes)
        self._is_one &= found <= {0, 1} or found <= {0, WHITE}

    def number(self, number: int) -> int:
        """The class that a number in a mask is, as far as masks were seen."""
        return 1 if number == WHITE and self._is_one else number
