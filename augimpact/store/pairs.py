"""Pairs of a training set: read one by one when they are asked for, in batches, or as another dataset's samples."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from augimpact.data.images import ImageDataset
from augimpact.data.pipeline import ImagePipeline
from augimpact.once import once

if TYPE_CHECKING:
    import dask.array

    from augimpact.data.images import Augmentation
    from augimpact.store.training_set import TrainingSet

__all__ = ["TEST", "TRAIN", "VALIDATION", "Contents", "Pair", "Pairs", "Place", "Trainer"]

TRAIN, TEST, VALIDATION = "train", "test", "validation"


class Place(NamedTuple):
    """Where a pair lies: the number of its part, and its row there."""

    part: int
    row: int


class Pair:
    """An image and its label, neither read before it is asked for.

    Attributes:
        group: that it is of.
    """

    def __init__(self, training_set: TrainingSet, place: Place) -> None:
        self._set, self._place = training_set, place
        self.group = str(training_set._parts[place.part]["group"])

    @property
    def data(self) -> dict[str, Any]:
        """What is known of it, as JSON has it: `id`, `group`, `label`, and what it was fed with."""
        about = self._set._reader.about(self._set._path(self._place.part), self._place.row)
        if self._set.mltype == "segmentation":
            return about | {"group": self.group}
        boxes = isinstance(self.y, dict)
        return about | {
            "group": self.group,
            "label": {k: v.tolist() for k, v in self.y.items()} if boxes else self.y.tolist(),
        }

    @property
    def image(self) -> dask.array.Array:
        """`(C, H, W)`, which is read by `.compute()`."""
        import dask
        import dask.array

        read = dask.delayed(self.array, pure=False)
        return dask.array.from_delayed(read(), self._set.shape, self._set.dtype)

    def array(self) -> NDArray[Any]:
        """The image, read now."""
        return np.asarray(self._set._images([self._place])[0])

    @property
    def y(self) -> Any:
        """The label, see `augimpact.store.labels.given_back`."""
        return self._set._labels([self._place])[0]

    def __repr__(self) -> str:
        return f"Pair({self.group}, {self._set.shape}, {self._set.dtype})"


class Pairs(Sequence[Pair]):
    """Some pairs of a set."""

    def __init__(self, training_set: TrainingSet, places: Sequence[Place]) -> None:
        self._set, self.places = training_set, list(places)

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, key: int) -> Pair: ...
    @overload
    def __getitem__(self, key: slice) -> list[Pair]: ...
    def __getitem__(self, key: int | slice) -> Pair | list[Pair]:
        if isinstance(key, slice):
            return [Pair(self._set, place) for place in self.places[key]]
        return Pair(self._set, self.places[key])

    def dataset(
        self,
        pipeline: ImagePipeline | None = None,
        *,
        augmentation: Augmentation | None = None,
        bands: Sequence[int] | None = None,
    ) -> ImageDataset:
        """These as a modular dataset; see `TrainingSet.dataset`."""
        return ImageDataset(self._set._table(self.places, bands), pipeline, augmentation=augmentation)

    def arrays(self, numbers: Sequence[int]) -> tuple[NDArray[Any], Any]:
        """Images `(n, C, H, W)` and their labels: one array of one-hots or masks, a list of boxes."""
        places = [self.places[number] for number in numbers]
        labels = self._set._labels(places)
        return self._set._images(places), labels if self._set.mltype == "object_detection" else np.stack(labels)


class Slice(Sequence[Any]):
    """A group of a trainer: `(x, y)` by number, several of them by a slice; iterated in batches of arrays."""

    def __init__(self, pairs: Pairs, size: int, shuffle: bool, seed: int) -> None:
        self._pairs, self._size, self._shuffle = pairs, size, shuffle
        self._generator = np.random.default_rng(seed)

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return [(pair.array(), pair.y) for pair in self._pairs[key]]
        pair = self._pairs[key]
        return pair.array(), pair.y

    def batches(self) -> Iterator[tuple[NDArray[Any], Any]]:
        """Arrays of images and labels; one batch at a time is in memory."""
        order = self._generator.permutation(len(self)) if self._shuffle else np.arange(len(self))
        for first in range(0, len(order), self._size):
            yield self._pairs.arrays(order[first : first + self._size].tolist())


class Trainer:
    """What a model is trained with; see `TrainingSet.batch`. Iterated it gives the batches of `train`."""

    def __init__(self, training_set: TrainingSet, size: int, shuffle: bool, seed: int) -> None:
        self._set, self._size, self._shuffle, self._seed = training_set, size, shuffle, seed

    def __getitem__(self, group: str) -> Slice:
        return Slice(Pairs(self._set, self._set._groups.get(group, [])), self._size, self._shuffle, self._seed)

    @once
    def train(self) -> Slice:
        """The group `train`."""
        return self[TRAIN]

    @once
    def test(self) -> Slice:
        """The group `test`."""
        return self[TEST]

    @once
    def validation(self) -> Slice:
        """The group `validation`."""
        return self[VALIDATION]

    def __iter__(self) -> Iterator[tuple[NDArray[Any], Any]]:
        return self.train.batches()


class Contents(Mapping[str, bytes]):
    """The images and masks of pairs as the bytes of `.npy` files, made when they are asked for."""

    def __init__(self, training_set: TrainingSet, where: Mapping[str, Place], bands: Sequence[int] | None) -> None:
        self._set, self._where, self._bands = training_set, where, bands

    def __contains__(self, path: object) -> bool:
        return str(path).removesuffix("/mask") in self._where

    def __getitem__(self, path: str) -> bytes:
        place = self._where[path.removesuffix("/mask")]
        if path.endswith("/mask"):
            (values,) = self._set._labels([place])
        else:
            values = self._set._images([place])[0].transpose(1, 2, 0)
            values = values if self._bands is None else values[..., list(self._bands)]
        buffer = io.BytesIO()
        np.save(buffer, np.ascontiguousarray(values), allow_pickle=False)
        return buffer.getvalue()

    def __iter__(self) -> Iterator[str]:
        return iter(self._where)

    def __len__(self) -> int:
        return len(self._where)
