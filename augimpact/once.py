"""What is computed when it is first asked for, and then kept, on any number of threads at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

__all__ = ["once"]

Value = TypeVar("Value")


class once(Generic[Value]):  # noqa: N801 - it is read as the decorator that it is
    """A property that keeps its value, as `functools.cached_property` does from Python 3.12 on.

    That of 3.11 has one lock for all objects of a class, so that threads that compute it of different objects wait for
    each other.

    >>> class Square:
    ...     @once
    ...     def area(self) -> int:
    ...         print("computed")
    ...         return 9
    >>> square = Square()
    >>> square.area + square.area
    computed
    18
    """

    def __init__(self, function: Callable[[Any], Value]) -> None:
        self._function, self._name = function, function.__name__
        self.__doc__ = function.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Value: ...
    def __get__(self, instance: object | None, owner: type) -> Self | Value:
        if instance is None:
            return self
        # From now on it is found before this is asked.
        value = vars(instance)[self._name] = self._function(instance)
        return value
