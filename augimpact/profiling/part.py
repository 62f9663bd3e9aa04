"""A part of some data, drawn by chance, and its images as a person sees them, whatever gives them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Set, ValuesView
from functools import partial
from itertools import chain, islice
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from augimpact.data.dataset import Dataset, View
from augimpact.data.image import read_image
from augimpact.data.samples import SampleTable
from augimpact.errors import DataError, UnreadableData
from augimpact.profiling.decode import Decoder, as_array
from augimpact.profiling.opening import refuse_mistakes, source_of
from augimpact.profiling.reading import Reading
from augimpact.profiling.source import Failure, Sample, Source
from augimpact.profiling.subset import Subset, is_indexed, places_in

__all__ = ["READ", "Part", "Picture", "none_readable", "part_of", "pictures_in"]

# What is a file of an image in the first place of an item: a name, or the bytes.
FILES = (str, os.PathLike, bytes, bytearray, memoryview)
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
    """An image, and its label as the data has it: of a table the number of its class."""

    image: Image.Image
    label: Any


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
        return Part(data[places_in(len(data), most, seed)], min(most, len(data)), len(data))
    if isinstance(data, (Dataset, View)):
        whole, places = data if isinstance(data, Dataset) else data.dataset, places_in(len(data), most, seed)
        drawn = whole if len(places) == len(data) else whole.subset(places)
        return Part(drawn if isinstance(data, Dataset) else drawn.view(data.names), len(places), len(data))
    refuse_mistakes(data)
    if isinstance(data, Mapping) or not (isinstance(data, Iterable) or hasattr(data, "__getitem__")):
        kind = type(data).__name__
        raise DataError(f"data of type {kind} gives no images; expected a folder, table, dataset or list of them")
    # What has no order has no places either.
    data = list(data) if isinstance(data, (Set, ValuesView)) else data
    if not is_indexed(data):
        return Part(data, 0, None)
    if len(data) <= most:
        return Part(data, len(data), len(data))
    return Part(Subset(data, places_in(len(data), most, seed)), most, len(data))


def pictures_in(
    data: Any, reading: Reading = READ, on_wait: Callable[[], object] = lambda: None
) -> Iterator[Callable[[], Picture]]:
    """How each image of some data is read, one after the other; what cannot be read raises when it is.

    `AmbiguousData` is then a question of all images.

    Files that are named one by one, or are there as bytes, are read as `read_image` does, whatever is known of others.

    Args:
        data: what `part_of` gives.
        reading: what is known of how it is read.
        on_wait: called again and again while images wait for what tells their range. What it raises ends the
            iteration.

    Raises:
        AmbiguousData: what in an item is the image, or its label, cannot be told.
        DataError: the items are none that have images.
    """
    first = None
    if isinstance(data, Iterator):
        several = list(islice(data, 1))
        first, data = several[0] if several else None, chain(several, data)
    elif not isinstance(data, (SampleTable, Dataset, View)) and is_indexed(data):
        data = data if isinstance(data, Subset) else Subset(data, np.arange(len(data)))
        first = data.first()
    if isinstance(_parts(first)[0], FILES) and reading.images is None:
        if isinstance(data, Subset):
            yield from (partial(_of_index, data, index) for index in range(len(data)))
        else:
            yield from (partial(_of_item, item) for item in data)
        return
    source, decoder = source_of(data), reading.decoder()
    if source.ready and reading.images is None:
        decoder = decoder.of_files()
        count = source.length or 0
        for index in range(count):
            yield partial(_of_file, source, decoder, index, is_last=index == count - 1)
        return
    for sample in source.samples(decoder, reading.images, reading.labels, on_wait=on_wait):
        yield partial(_of_sample, sample, decoder.bytes_of)


def none_readable(error: Exception | None) -> UnreadableData:
    """What is raised where no image could be read.

    Args:
        error: the first that there was.
    """
    reason = f"; the first error was: {error}" if error else ""
    return UnreadableData(f"the data has no image that can be read{reason}; expected at least one")


def _parts(item: Any) -> tuple[Any, Any]:
    """Image and label of an item that has both, or the image alone."""
    if not isinstance(item, (tuple, list)) or not item:
        return item, None
    return item[0], item[1] if len(item) == 2 else None


def _of_index(data: Any, index: int) -> Picture:
    return _of_item(data[index])


def _of_item(item: Any) -> Picture:
    image, label = _parts(item)
    return Picture(read_image(image), label)


def _of_file(source: Source, decoder: Decoder, index: int, *, is_last: bool) -> Picture:
    (sample,) = source.samples_at([index])
    try:
        return _of_sample(sample, decoder.learned)
    finally:
        if is_last:
            decoder.refuse_doubt()


def _of_sample(sample: Sample | Failure, decode: Callable[[Any], Any]) -> Picture:
    if isinstance(sample, Failure):
        raise DataError(sample.error)
    return Picture(read_image(as_array(decode(sample.image))), sample.label)
