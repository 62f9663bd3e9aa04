"""What an item has as its label, sample by sample, in plain numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from augimpact.errors import DataError
from augimpact.profiling.decode import as_array
from augimpact.profiling.targets import is_text

__all__ = ["count_in", "is_one_hot", "labels_in", "plain_label"]


def count_in(image: Any, label: Any, in_batches: bool, most: int | None) -> int | None:
    """How many samples an item has; None of a single one.

    Args:
        image: what it has as its image.
        label: and as its label.
        in_batches: whether items before it had several.
        most: samples that a batch has, if the loader is known to give batches.
    """
    if isinstance(image, (list, tuple)):
        return len(image)
    shape = () if hasattr(image, "getbands") else tuple(getattr(image, "shape", ()))
    if len(shape) == 4:
        return int(shape[0])
    if len(shape) == 3 and most is not None and (shape[0] == most or (in_batches and shape[0] < most)):
        return int(shape[0])
    if len(shape) != 3 or label is None:
        return None
    # Three axes are a batch of grey images where there is a label for each, or a mask of its size.
    beside = (len(label),) if isinstance(label, (list, tuple)) else tuple(getattr(label, "shape", ()))
    if beside not in (shape[:1], shape) or (not in_batches and shape[0] in (3, 4) and is_one_hot(label)):
        # Beside one image of so many channels a class, or a mask, of as many classes.
        return None
    return int(shape[0])


def is_one_hot(label: Any) -> bool:
    """Whether of its first axis only one is 1 at each place, and the others are 0; of a mask none may be 1."""
    values = as_array(label)
    return bool(np.isin(values, (0, 1)).all() and (values.sum(axis=0) <= 1).all() and values.sum() >= 1)


def labels_in(label: Any, count: int | None) -> list[Any]:
    """The label of each of so many samples, or of the one.

    Raises:
        DataError: there are not as many.
    """
    if count is None or label is None:
        return [plain_label(label)] * (count or 1)
    if isinstance(label, Mapping):
        return [{name: each[number] for name, each in label.items()} for number in range(count)]
    # Those of a list need not be alike.
    has_several = isinstance(label, (list, tuple)) or bool(getattr(label, "shape", ()))
    several = len(label) if has_several else 1
    if not has_several or several != count:
        raise DataError(
            f"{count} images with {'a single label' if several == 1 else f'{several} labels'}; expected one each"
        )
    # A tensor's numbers are several times slower one by one than an array's.
    return [plain_label(each) for each in (as_array(label) if hasattr(label, "detach") else label)]


def plain_label(label: Any) -> Any:
    """A whole number, a text, a mask `(H, W)` of whole numbers, or what it is."""
    if isinstance(label, (int, np.integer)) or (isinstance(label, float) and label.is_integer()):
        return int(label)
    if isinstance(label, str) or (is_text(label) and np.ndim(label) == 0):
        return str(label)
    if isinstance(label, Mapping) or label is None:
        return label
    if hasattr(label, "getbands"):
        label = np.asarray(label)
    if not hasattr(label, "shape"):
        return label
    array = as_array(label)
    if array.dtype.kind == "f" and np.isfinite(array).all() and (array == np.rint(array)).all():
        array = array.astype(np.int64)
    if array.size == 1 and array.ndim <= 1:
        return int(array.reshape(())) if array.dtype.kind in "iub" else float(array.reshape(()))
    if array.ndim == 3 and 1 in (array.shape[0], array.shape[-1]):
        array = array[0] if array.shape[0] == 1 else array[..., 0]
    return array
