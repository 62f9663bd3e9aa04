"""Datasets whose properties are loaded one by one: only those that a view names.

A subclass of `Dataset` defines `get_<property>(index, context)`; `dataset.view("image label context.crop")` is what a
`DataLoader` takes. Selections and concatenations are datasets too, and hand indices down, so that every property and
every context that a dataset has is kept, however they are composed.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from augimpact.errors import DataError, unknown

__all__ = ["ROUNDINGS", "Concatenation", "Context", "Dataset", "Selection", "View"]

# What getting one sample told on the way, such as the parameters of its augmentation.
Context = dict[str, Any]
PREFIX, CONTEXT = "get_", "context"
ROUNDINGS: dict[str, Callable[[Fraction], int]] = {"floor": math.floor, "ceil": math.ceil, "nearest": round}


class Dataset:
    """Samples with properties: a subclass has `__len__`, and `get_<property>(index, context)` for each of them.

    `get_label` gives the number of the class, where there are classes; `class_names` names them.

    >>> class Squares(Dataset):
    ...     def __len__(self):
    ...         return 4
    ...
    ...     def get_root(self, index, context):
    ...         context["even"] = index % 2 == 0
    ...         return index
    ...
    ...     def get_square(self, index, context):
    ...         return index**2
    >>> Squares().view("square root context.even")[3], list(Squares().subset([3, 1]).view("square"))
    ((9, 3, False), [9, 1])
    """

    class_names: tuple[str, ...] | None = None
    # Those of them that are what a folder is called whose samples have no class.
    stand_ins: frozenset[str] = frozenset()
    # Of the classes of masks and boxes, by number.
    annotation_names: tuple[str, ...] | None = None

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} has no __len__")

    @property
    def properties(self) -> tuple[str, ...]:
        """The names of what can be loaded."""
        return tuple(name.removeprefix(PREFIX) for name in dir(type(self)) if name.startswith(PREFIX))

    def get_index(self, index: int, context: Context) -> int:  # noqa: ARG002
        """The place of the sample in the dataset that all selections come from."""
        return index

    def load(self, name: str, index: int, context: Context) -> Any:
        """One property of one sample; see `View` for what is checked."""
        return getattr(self, PREFIX + name)(index, context)

    def load_many(self, name: str, indices: Sequence[int], contexts: Sequence[Context]) -> list[Any]:
        """One property of several samples; a subclass may do better than one by one."""
        return [self.load(name, index, context) for index, context in zip(indices, contexts, strict=True)]

    def view(self, names: str | Sequence[str]) -> View:
        """What these properties are, sample by sample; see `View`."""
        return View(self, names)

    @property
    def labels(self) -> NDArray[np.int64]:
        """The labels of all samples, without loading anything else."""
        if "label" not in self.properties:
            raise DataError(f"a {type(self).__name__} has no label; expected one with get_label")
        everything = range(len(self))
        return np.asarray(self.load_many("label", everything, [{} for _ in everything]), np.int64)

    def where(
        self, classes: Iterable[str | int] | None = None, *, exclude: Iterable[str | int] | None = None
    ) -> Selection:
        """The samples of these classes, or of all but some, by name or number.

        Raises:
            DataError: there is no such class, or no label.
        """
        labels = self.labels
        kept = np.ones(len(labels), bool)
        if classes is not None:
            kept &= np.isin(labels, self._numbers(classes))
        if exclude is not None:
            kept &= ~np.isin(labels, self._numbers(exclude))
        return Selection(self, np.flatnonzero(kept))

    def fraction(self, start: float = 0.0, end: float = 1.0, *, rounding: str = "floor") -> Selection:
        """The samples from one share of the length to another; neighbouring fractions share no sample and leave none.

        Args:
            start: from 0 to 1, as it is written: 0.29 of 100 are 29, though the float is a little less.
            end: likewise.
            rounding: of both places: `floor`, `ceil` or `nearest`.

        Raises:
            DataError: shares outside [0, 1] or in the wrong order, or an unknown rounding.
        """
        if not 0 <= start <= end <= 1:
            raise DataError(f"the fraction is from {start} to {end}; expected 0 ≤ start ≤ end ≤ 1")
        if rounding not in ROUNDINGS:
            raise DataError(unknown("rounding", rounding, ROUNDINGS))
        first, last = (ROUNDINGS[rounding](Fraction(str(share)) * len(self)) for share in (start, end))
        return Selection(self, np.arange(first, last))

    def shuffle(self, seed: int = 0) -> Selection:
        """The samples in another order, the same for the same seed and length."""
        return Selection(self, np.random.default_rng(seed).permutation(len(self)))

    def repeat(self, times: int | None = None, *, min_size: int | None = None) -> Selection:
        """The samples several times over: so often, or as often as it takes to have at least so many.

        Raises:
            DataError: neither or both are given, or they make no sense.
        """
        if (times is None) == (min_size is None):
            raise DataError(f"times is {times} and min_size {min_size}; expected one of them")
        if times is None:
            if not len(self):
                raise DataError("an empty dataset stays empty however often it is repeated")
            times = max(1, -(-operator.index(min_size or 0) // len(self)))
        if times < 0:
            raise DataError(f"times is {times}; expected a number from 0")
        return Selection(self, np.tile(np.arange(len(self)), times))

    def oversample(self, *, exact: bool = False) -> Selection:
        """Every class about as often as the most frequent one: each sample once, the rarer ones repeated at the end.

        Args:
            exact: that each class comes just as often, so that some of its samples come once more than others; else
                each is repeated as a whole, as often as stays below.
        """
        labels = self.labels
        places = [np.flatnonzero(labels == label) for label in np.unique(labels)]
        most = max(map(len, places), default=0)
        sizes = [most if exact else len(each) * (most // len(each)) for each in places]
        again = [np.resize(each, size)[len(each) :] for each, size in zip(places, sizes, strict=True)]
        return Selection(self, np.concatenate([np.arange(len(self)), *again]))

    def subset(self, indices: slice | Iterable[int]) -> Selection:
        """These samples, in this order; negative indices count from the end.

        Raises:
            IndexError: there is no such sample.
        """
        if isinstance(indices, slice):
            return Selection(self, np.arange(len(self))[indices])
        return Selection(self, np.array([_checked(index, len(self)) for index in indices], np.int64))

    def concat(self, *others: Dataset) -> Concatenation:
        """The samples of this and then of the others; their common properties."""
        return Concatenation([self, *others])

    def close(self) -> None:
        """Gives back what it holds; what it is a selection of, too."""

    def __enter__(self) -> Dataset:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _numbers(self, classes: Iterable[str | int]) -> list[int]:
        """The numbers of classes that are named, or numbered already."""
        if isinstance(classes, str):
            raise DataError(f"the classes are {classes!r}; expected several, such as [{classes!r}]")
        names = list(self.class_names or ())
        found = []
        for each in classes:
            if isinstance(each, str) and each not in names:
                raise DataError(unknown("class", each, names))
            found.append(names.index(each) if isinstance(each, str) else operator.index(each))
        return found


class Selection(Dataset):
    """Some samples of a dataset, in some order, some of them perhaps several times.

    Attributes:
        indices: of the dataset that it was first made of.
    """

    def __init__(self, parent: Dataset, indices: NDArray[np.int64]) -> None:
        # A selection of a selection is one of the same parent: a chain of them costs no more than one.
        within = parent.indices[indices] if isinstance(parent, Selection) else indices
        self.indices: NDArray[np.int64] = np.asarray(within, np.int64)
        self._parent: Dataset = parent._parent if isinstance(parent, Selection) else parent
        self.class_names, self.annotation_names = parent.class_names, parent.annotation_names
        self.stand_ins = parent.stand_ins

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def properties(self) -> tuple[str, ...]:
        """Those of the dataset that was selected from."""
        return self._parent.properties

    def load(self, name: str, index: int, context: Context) -> Any:
        """The property of the sample that stands at this place."""
        return self._parent.load(name, int(self.indices[index]), context)

    def load_many(self, name: str, indices: Sequence[int], contexts: Sequence[Context]) -> list[Any]:
        """Of several samples, in one go."""
        return self._parent.load_many(name, self.indices[np.asarray(indices, np.int64)].tolist(), contexts)

    @property
    def labels(self) -> NDArray[np.int64]:
        """The labels of the selected."""
        return self._parent.labels[self.indices]

    def close(self) -> None:
        """Closes the dataset that was selected from."""
        self._parent.close()


class Concatenation(Dataset):
    """Several datasets after each other.

    Raises:
        DataError: their classes have different names.
    """

    def __init__(self, parts: Sequence[Dataset]) -> None:
        self._parts = list(parts)
        self._starts = np.cumsum([0, *map(len, self._parts)])
        for named in ({part.class_names for part in parts}, {part.annotation_names for part in parts}):
            if len(named) > 1:
                different = " and ".join(map(str, named))
                raise DataError(f"the datasets have different classes: {different}; expected the same")
        self.class_names, self.annotation_names = parts[0].class_names, parts[0].annotation_names
        self.stand_ins = frozenset.intersection(*(part.stand_ins for part in parts))

    def __len__(self) -> int:
        return int(self._starts[-1])

    @property
    def properties(self) -> tuple[str, ...]:
        """Those that all parts have."""
        common = set.intersection(*(set(part.properties) for part in self._parts))
        return tuple(name for name in self._parts[0].properties if name in common)

    def load(self, name: str, index: int, context: Context) -> Any:
        """The property of the sample, from its part."""
        part = int(np.searchsorted(self._starts, index, "right")) - 1
        return self._parts[part].load(name, int(index - self._starts[part]), context)

    def load_many(self, name: str, indices: Sequence[int], contexts: Sequence[Context]) -> list[Any]:
        """Of several samples, in one go from each part."""
        places = np.asarray(indices, np.int64)
        owners = np.searchsorted(self._starts, places, "right") - 1
        loaded: list[Any] = [None] * len(places)
        for number in np.unique(owners):
            own = np.flatnonzero(owners == number).tolist()
            inside = (places[own] - self._starts[number]).tolist()
            values = self._parts[number].load_many(name, inside, [contexts[place] for place in own])
            for place, value in zip(own, values, strict=True):
                loaded[place] = value
        return loaded

    @property
    def labels(self) -> NDArray[np.int64]:
        """The labels of all parts."""
        return np.concatenate([part.labels for part in self._parts])

    def close(self) -> None:
        """Closes all parts."""
        for part in self._parts:
            part.close()


class View:
    """Properties of a dataset, sample by sample: what torch's `DataLoader` and fastai's `DataLoaders` take.

    An item is a tuple of what is named, in this order, or the bare value of a single name. `context` is all that
    getting the item told, `context.crop` one thing of it; nothing is loaded but what is named.

    Args:
        dataset: whose samples they are.
        names: with spaces between them, or a sequence.

    Raises:
        DataError: it has no such property.
    """

    def __init__(self, dataset: Dataset, names: str | Sequence[str]) -> None:
        self.dataset = dataset
        self.names = tuple(names.split() if isinstance(names, str) else names)
        if not self.names:
            raise DataError("a view names no property; expected some of " + ", ".join(dataset.properties))
        self._loaded = tuple(dict.fromkeys(name for name in self.names if not _is_context(name)))
        for name in self._loaded:
            if name not in dataset.properties:
                raise DataError(unknown("property", name, [*dataset.properties, CONTEXT]))

    def __len__(self) -> int:
        return len(self.dataset)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> View: ...
    def __getitem__(self, index: int | slice) -> Any:
        """One item; or, of a slice, a view of that part.

        Raises:
            IndexError: there is no such item.
        """
        if isinstance(index, slice):
            return View(self.dataset.subset(index), self.names)
        place, context = _checked(index, len(self)), Context()
        return self._item({name: self.dataset.load(name, place, context) for name in self._loaded}, context)

    def __getitems__(self, indices: Iterable[int]) -> list[Any]:
        """Several items, each property of all of them at once; torch's `DataLoader` asks for its batches so."""
        length = len(self)
        places = [_checked(index, length) for index in indices]
        contexts = [Context() for _ in places]
        columns = [self.dataset.load_many(name, places, contexts) for name in self._loaded]
        if self._loaded == self.names:
            rows = zip(*columns, strict=True)
            return [row[0] for row in rows] if len(columns) == 1 else list(rows)
        return [
            self._item({name: column[row] for name, column in zip(self._loaded, columns, strict=True)}, context)
            for row, context in enumerate(contexts)
        ]

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))

    def __repr__(self) -> str:
        return f"View({len(self)} × {' '.join(self.names)})"

    def close(self) -> None:
        """Closes the dataset."""
        self.dataset.close()

    def __enter__(self) -> View:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _item(self, loaded: dict[str, Any], context: Context) -> Any:
        values = tuple(_told(context, name) if _is_context(name) else loaded[name] for name in self.names)
        return values[0] if len(values) == 1 else values


def _is_context(name: str) -> bool:
    return name == CONTEXT or name.startswith(f"{CONTEXT}.")


def _told(context: Context, name: str) -> Any:
    """What the context has under a name with dots."""
    value: Any = context
    for key in name.split(".")[1:]:
        if not isinstance(value, dict) or key not in value:
            known = ", ".join(map(str, value)) if isinstance(value, dict) and value else "nothing"
            raise DataError(f"the context has no {name!r}; what was loaded with it told {known}")
        value = value[key]
    return value


def _checked(index: int, length: int) -> int:
    place = operator.index(index)
    if not -length <= place < length:
        raise IndexError(f"index {place}; expected one from {-length} to {length - 1}")
    return place % length
