"""A part of some data, drawn by chance, and its images as a person sees them, whatever gives them."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import chain, islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from augimpact.data.dataset import Dataset, View
from augimpact.data.image import read_image
from augimpact.data.locations import read_bytes
from augimpact.data.samples import SampleTable
from augimpact.errors import DataError
from augimpact.profiling.alone import tried
from augimpact.profiling.decode import Decoder, as_array
from augimpact.profiling.opening import refuse_mistakes, source_of
from augimpact.profiling.reading import Reading
from augimpact.profiling.source import Failure, Sample

__all__ = ["READ", "Part", "Picture", "part_of", "pictures_in"]

# How a file of numpy's begins.
ARRAY = b"\x93NUMPY"
# What is an image by itself in the first place of an item.
FILES = (str, os.PathLike, bytes, bytearray, memoryview, Image.Image)
# Of which nothing is known.
READ = Reading()


class Part(NamedTuple):
    """A part of some data.

    data: a `SampleTable`, items by index, or an iterable, of which the first are meant.
    least: how many samples it has at least; 0 where that is not known.
    total: how many there are; None where that is not known.
    """

    data: Any
    least: int
    total: int | None


class Picture(NamedTuple):
    """An image, and its label as the data has it: of a table the name of its class."""

    image: Image.Image
    label: Any


class _Chosen:
    """Some items of a dataset.

    dataset: which, as torch's own `Subset` has it.
    """

    def __init__(self, dataset: Any, places: NDArray[np.int64]) -> None:
        self.dataset, self._places = dataset, places
        self._ahead: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> Any:
        return self._ahead.pop(index) if index in self._ahead else self.dataset[int(self._places[index])]

    def first(self) -> Any:
        """The first item, which is not read again when it is asked for; None where it cannot be read."""
        if len(self) and not isinstance(item := tried(self.__getitem__, 0), Exception):
            self._ahead[0] = item
        return self._ahead.get(0)


def part_of(data: Any, most: int, seed: int = 0) -> Part:
    """Up to `most` samples of some data, the same for the same seed; of what tells no length the first are meant.

    Args:
        data: a folder of images or its address, a `SampleTable`, a dataset, a loader, or any iterable.
        most: how many.
        seed: of the drawing.

    Raises:
        DataError: it is none of these.

    >>> part = part_of(list(range(100)), most=3)
    >>> len(part.data), part.least, part.total
    (3, 3, 100)
    """
    if most < 1:
        raise DataError(f"most is {most!r}; expected at least one image")
    if isinstance(data, (str, os.PathLike)):
        data = SampleTable.from_folder(data, identity="path")
    if isinstance(data, SampleTable):
        return Part(data[_places(len(data), most, seed)], min(most, len(data)), len(data))
    if isinstance(data, (Dataset, View)):
        whole, places = data if isinstance(data, Dataset) else data.dataset, _places(len(data), most, seed)
        drawn = whole if len(places) == len(data) else whole.subset(places)
        return Part(drawn if isinstance(data, Dataset) else drawn.view(data.names), len(places), len(data))
    refuse_mistakes(data)
    if isinstance(data, Mapping) or not (isinstance(data, Iterable) or hasattr(data, "__getitem__")):
        kind = type(data).__name__
        raise DataError(f"data of type {kind} gives no images; expected a folder, table, dataset or list of them")
    if not _is_indexed(data):
        return Part(data, 0, None)
    if len(data) <= most:
        return Part(data, len(data), len(data))
    return Part(_Chosen(data, _places(len(data), most, seed)), most, len(data))


def pictures_in(data: Any, reading: Reading = READ) -> Iterator[Callable[[], Picture]]:
    """How each image of some data is read, one after the other; what cannot be read raises when it is.

    Args:
        data: what `part_of` gives.
        reading: what is known of how it is read.

    Raises:
        AmbiguousData: what in an item is the image, or its label, cannot be told.
        DataError: the items are none that have images.
    """
    if isinstance(data, SampleTable):
        for path, name in zip(data["path"].tolist(), data.classes, strict=True):
            yield partial(_of_table, data, path, name)
        return
    first = None
    if _is_indexed(data):
        data = data if isinstance(data, _Chosen) else _Chosen(data, np.arange(len(data)))
        first = data.first()
    elif isinstance(data, Iterator):
        several = list(islice(data, 1))
        first, data = several[0] if several else None, chain(several, data)
    if reading.images is not None or not isinstance(_parts(first)[0], FILES):
        decoder = reading.decoder()
        for sample in source_of(data).samples(decoder, reading.images, reading.labels):
            yield partial(_of_sample, sample, decoder)
    elif isinstance(data, _Chosen):
        for index in range(len(data)):
            yield partial(_of_index, data, index)
    else:
        for item in data:
            yield partial(_of_item, item)


def _is_indexed(data: Any) -> bool:
    """Whether items are asked for by index, and are one sample each."""
    is_ours = isinstance(data, (Dataset, View))
    return (
        not is_ours
        and all(hasattr(data, name) for name in ("__getitem__", "__len__"))
        and not hasattr(data, "batch_size")
    )


def _places(count: int, most: int, seed: int) -> NDArray[np.int64]:
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, most, replace=False))


def _parts(item: Any) -> tuple[Any, Any]:
    """Image and label of an item that has both, or the image alone."""
    if not isinstance(item, (tuple, list)) or not item:
        return item, None
    return item[0], item[1] if len(item) == 2 else None


def _of_table(table: SampleTable, path: str, name: str) -> Picture:
    content = table.contents[path] if path in table.contents else read_bytes(path, table.options)
    return Picture(read_image(np.load(io.BytesIO(content)) if content.startswith(ARRAY) else content), name)


def _of_index(data: Any, index: int) -> Picture:
    return _of_item(data[index])


def _of_item(item: Any) -> Picture:
    image, label = _parts(item)
    return Picture(read_image(image), label)


def _of_sample(sample: Sample | Failure, decoder: Decoder) -> Picture:
    if isinstance(sample, Failure):
        raise DataError(sample.error)
    return Picture(read_image(as_array(decoder.bytes_of(sample.image))), sample.label)
