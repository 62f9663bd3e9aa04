"""The numbers of classes: of names that a loader gives in their place, and of splits that count theirs differently."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augimpact.errors import DataError
from augimpact.profiling.decode import as_array
from augimpact.profiling.source import Failure, Sample, told
from augimpact.profiling.targets import is_text

__all__ = ["ClassNumbers", "numbers_in", "renumbered"]


class ClassNumbers:
    """The number of each class that a loader names by a text.

    Args:
        names: of the classes by number; if there is none, each gets the next number where it is first met.

    >>> classes = ClassNumbers()
    >>> [classes.number_of(name) for name in ("dog", "cat", "dog")], classes.names
    ([0, 1, 0], ('dog', 'cat'))
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        self._numbers = {name: number for number, name in enumerate(names)}
        self._grows = not names

    @property
    def names(self) -> tuple[str, ...]:
        """By number."""
        return tuple(self._numbers)

    def number_of(self, name: str) -> int:
        """The number of a class.

        Raises:
            DataError: it is none of those that are known.
        """
        if name not in self._numbers and not self._grows:
            raise DataError(f"the label is {name!r}; expected the name of a class that is known")
        return self._numbers.setdefault(name, len(self._numbers))

    def numbered(self, samples: Iterable[Sample | Failure]) -> Iterator[Sample | Failure]:
        """The samples, with the number of its class for each label, of an image or a box, that is a text."""
        for sample in samples:
            if isinstance(sample, Failure) or not isinstance(sample.label, (str, Mapping)):
                yield sample
                continue
            try:
                yield sample._replace(label=self._label_of(sample.label))
            except DataError as error:  # of one sample, and no reason to end the pass
                yield Failure(sample.number, told(error), sample.path)

    def _label_of(self, label: Any) -> Any:
        if isinstance(label, str):
            return self.number_of(label)
        if isinstance(label, Mapping) and is_text(label.get("labels")):
            return {**label, "labels": [self.number_of(str(name)) for name in label["labels"]]}
        return label


def numbers_in(names: Sequence[str], own: Sequence[str] | None) -> Sequence[int]:
    """The number that `names` gives each class of a split, which counts its own from 0; none where all are the same.

    Of several classes of one name each is the next of those, and one that is beyond them the last.

    >>> numbers_in(["cat", "dog", "fox"], ["cat", "fox"])
    [0, 2]
    >>> numbers_in(["crane", "cat", "crane"], ["cat", "crane", "crane"])
    [1, 0, 2]
    """
    called: dict[str, list[int]] = {}
    for number, name in enumerate(names):
        called.setdefault(name, []).append(number)
    numbers = []
    for number, name in enumerate(own or ()):
        left = called.get(name, [number])
        numbers.append(left.pop(0) if len(left) > 1 else left[0])
    return [] if numbers == [*range(len(numbers))] else numbers


def renumbered(sample: Sample | Failure, numbers: Sequence[int]) -> Sample | Failure:
    """The sample with the numbers of its classes in place of those in its split; none where all are the same."""
    if isinstance(sample, Failure) or not numbers:
        return sample
    return sample._replace(label=_renumbered(sample.label, np.array(numbers)))


def _renumbered(label: Any, numbers: NDArray[np.int64]) -> Any:
    """A class, a row or mask that is one-hot, a mask of classes, or a target with boxes."""
    if isinstance(label, int):
        return int(numbers[label]) if 0 <= label < len(numbers) else label
    if isinstance(label, Mapping):
        return _with_renumbered_boxes(label, numbers)
    if not isinstance(label, np.ndarray) or label.dtype.kind not in "biuf":
        return label
    if label.ndim == 2:
        return _each(label, numbers)
    axis = next((axis for axis in (0, -1) if label.ndim and label.shape[axis] == len(numbers)), None)
    if axis is None:
        return label
    moved = np.moveaxis(label, axis, 0)
    placed = np.zeros((int(numbers.max()) + 1, *moved.shape[1:]), label.dtype)
    placed[numbers] = moved
    return np.moveaxis(placed, 0, axis)


def _with_renumbered_boxes(target: Mapping[str, Any], numbers: NDArray[np.int64]) -> Mapping[str, Any]:
    given: Any = target.get("labels")
    try:
        several = isinstance(given, (list, tuple))
        classes = np.asarray([as_array(each) for each in given] if several else as_array(given), np.float64)
    except (TypeError, ValueError):  # whoever reads the boxes says so
        return target
    return {**target, "labels": _each(classes, numbers)}


def _each(classes: NDArray[Any], numbers: NDArray[np.int64]) -> NDArray[Any]:
    """Each number, but for those of no class, such as what is ignored."""
    known = (classes >= 0) & (classes < len(numbers)) & (classes == np.rint(classes))
    return np.where(known, numbers[np.where(known, classes, 0).astype(np.int64)], classes)
