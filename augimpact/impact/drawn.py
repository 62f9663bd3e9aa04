"""A part of a dataset, drawn by chance, for a first look at an impact."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from augimpact.data.samples import SampleTable
from augimpact.errors import DataError
from augimpact.impact.labels import matched_classes

__all__ = ["NO_CLASS", "drawn_samples", "labels_or_none"]

# The class of images that came without one.
NO_CLASS = "data"


def drawn_samples(data: Any, most: int, seed: int = 0) -> SampleTable:
    """Up to `most` samples, the same for the same seed.

    Args:
        data: a folder of images or its address, whose files are known by their paths, a `SampleTable`, or images or
            pairs of image and class.
        most: how many.
        seed: of the drawing.

    Raises:
        DataError: it is none of these, or empty.

    >>> table = drawn_samples([(np.full((8, 8), shade, np.uint8), "grey") for shade in range(9)], most=4)
    >>> len(table), table.class_names
    (4, ('grey',))
    """
    if isinstance(data, (str, os.PathLike)):
        data = SampleTable.from_folder(data, identity="path")
    if isinstance(data, SampleTable):
        chosen: SampleTable = data[_places(len(data), most, seed)]
        return chosen
    if isinstance(data, Mapping) or not (isinstance(data, Iterable) or hasattr(data, "__getitem__")):
        raise DataError(f"a {type(data).__name__} gives no images; expected a folder, table, dataset or list of them")
    if hasattr(data, "__len__") and hasattr(data, "__getitem__"):
        items = [data[int(place)] for place in _places(len(data), most, seed)]
    else:
        items = list(islice(data, most))
    pairs = [each if isinstance(each, (tuple, list)) and len(each) == 2 else (each, NO_CLASS) for each in items]
    if not pairs:
        raise DataError("the data is empty; expected at least one image")
    return SampleTable.from_arrays([image for image, _ in pairs], [str(label) for _, label in pairs])


def labels_or_none(table: SampleTable, names: Sequence[str]) -> dict[str, str | int] | None:
    """What `measure_impact` is told of labels: to find them, or to go without where only some are the classifier's."""
    try:
        matched_classes(table.class_names, names)
    except DataError:
        return {}
    return None


def _places(count: int, most: int, seed: int) -> Any:
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, most, replace=False))
