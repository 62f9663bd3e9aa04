"""A part of a dataset, drawn by chance, for a first look at an impact."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from augimpact.data.samples import SampleTable
from augimpact.errors import AmbiguousData, DataError
from augimpact.impact.labels import matched_classes
from augimpact.profiling.arguments import names_of
from augimpact.profiling.labels import is_one_hot
from augimpact.profiling.opening import source_of
from augimpact.profiling.part import READ, Picture, none_readable, part_of, pictures_in
from augimpact.profiling.reading import Reading

__all__ = ["drawn_samples", "labels_or_none"]

logger = logging.getLogger(__name__)
# The class of images that came without one.
NO_CLASS = "data"


def drawn_samples(data: Any, most: int, seed: int = 0, reading: Reading = READ) -> SampleTable:
    """Up to `most` samples, the same for the same seed; what cannot be read is left out.

    Args:
        data: what `augimpact.profile` takes, or files of images in a list; those of a folder are known by their paths,
            and the folder's own name is no class.
        most: how many.
        seed: of the drawing.
        reading: what is known of how it is read.

    Raises:
        DataError: it is none of these, or has no image that can be read.

    >>> table = drawn_samples([(np.full((8, 8), shade, np.uint8), "grey") for shade in range(9)], most=4)
    >>> len(table), table.class_names
    (4, ('grey',))
    """
    if isinstance(data, Iterator):
        data = list(islice(data, most))
    part = part_of(data, most, seed).data
    if isinstance(part, SampleTable):
        return _without_stand_ins(part)
    try:
        pictures = _pictures_of(part, most, reading)
    except AmbiguousData as question:
        # What may be a class is taken for one: over what else could an impact be told.
        if question.argument != "labels" or len(question.options) != 1:
            raise
        pictures = _pictures_of(part, most, replace(reading, labels=question.options[0].arguments["labels"]))
    names = names_of(reading.class_names, [source_of(part)])
    return SampleTable.from_arrays(
        [np.asarray(picture.image) for picture in pictures], [_class_of(picture.label, names) for picture in pictures]
    )


def _without_stand_ins(table: SampleTable) -> SampleTable:
    """The table, where no class is what a folder is called whose samples have none."""
    if not table.stand_ins:
        return table
    folders = [NO_CLASS if folder in table.stand_ins else folder for folder in table["folder"].tolist()]
    names = dict.fromkeys(NO_CLASS if name in table.stand_ins else name for name in table.class_names)
    return replace(table, frame=table.frame.assign(folder=folders), names=tuple(names))


def _pictures_of(part: Any, most: int, reading: Reading) -> list[Picture]:
    """Those that can be read.

    Raises:
        AmbiguousData: what their values mean cannot be told.
        DataError: there is none.
    """
    found, first = [], None
    for read in islice(pictures_in(part, reading), most):
        try:
            found.append(read())
        except AmbiguousData:
            raise
        except Exception as error:  # of a user's file or dataset, whatever it raises
            first = first or error
            logger.warning("an image of the data cannot be read: %s", error)
    if not found:
        raise none_readable(first)
    return found


def _class_of(label: Any, names: Sequence[str]) -> str:
    if isinstance(label, str):
        return label
    if isinstance(label, np.ndarray) and label.ndim == 1 and is_one_hot(label):
        label = int(np.argmax(label))
    if not isinstance(label, (int, np.integer)):
        return NO_CLASS
    return names[int(label)] if 0 <= label < len(names) else str(label)


def labels_or_none(table: SampleTable, names: Sequence[str]) -> dict[str, str | int] | None:
    """What `measure_impact` is told of labels: to find them, or to go without where only some are the classifier's."""
    try:
        matched_classes(table.class_names, names)
    except DataError:
        return {}
    return None
