"""The samples of whatever is a dataset, as a table."""

from __future__ import annotations

import os
from typing import Any

from augimpact.data.images import ImageDataset
from augimpact.data.samples import SampleTable
from augimpact.errors import DataError

__all__ = ["table_of"]


def table_of(dataset: Any) -> SampleTable:
    """The samples of a dataset, known by their content where that is to be read.

    Raises:
        DataError: it is no dataset, or an empty one.
    """
    if isinstance(dataset, ImageDataset):
        if dataset.augmentation is not None:
            raise DataError("the dataset augments its images already; expected it without an augmentation")
        dataset = dataset.table
    if isinstance(dataset, (str, os.PathLike)):
        is_csv = os.fspath(dataset).lower().endswith(".csv")
        table = SampleTable.from_csv(dataset) if is_csv else SampleTable.from_folder(dataset)
    elif isinstance(dataset, SampleTable):
        table = dataset
    elif hasattr(dataset, "imgs") and hasattr(dataset, "classes"):
        table = SampleTable.from_image_folder(dataset)
    elif hasattr(dataset, "train_ds") and hasattr(dataset, "vocab"):
        table = SampleTable.from_fastai(dataset)
    else:
        table = _table_of_pairs(dataset)
    if not len(table):
        first = f"; the first error was: {table.errors['error'].iloc[0]}" if len(table.errors) else ""
        raise DataError(f"the dataset is empty; expected at least one sample{first}")
    return table


def _table_of_pairs(dataset: Any) -> SampleTable:
    try:
        pairs = [(image, label) for image, label in dataset]
    except (TypeError, ValueError) as error:
        raise DataError(
            f"a {type(dataset).__name__} is no dataset; expected a folder, a SampleTable, or pairs of image and class"
        ) from error
    return SampleTable.from_arrays([image for image, _ in pairs], [label for _, label in pairs])
