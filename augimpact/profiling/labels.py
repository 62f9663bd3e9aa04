"""What an item has as its label, sample by sample, in plain numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from augimpact.errors import AmbiguousData, DataError, Option
from augimpact.profiling.decode import GREYS, MOST_CHANNELS, as_array
from augimpact.profiling.segmentation import SHORT_SIDE
from augimpact.profiling.targets import is_text
from augimpact.profiling.white import WHITE

__all__ = ["classes_in", "count_in", "is_one_hot", "labels_in", "plain_label"]

# Channels that most images have, beside one.
USUAL_CHANNELS = (3, 4)


def count_in(
    image: Any, label: Any, in_batches: bool | None, most: int | None, layout: str | None = None
) -> int | None:
    """How many samples an item has; None of a single one.

    Args:
        image: what it has as its image.
        label: and as its label.
        in_batches: whether items before it had several; None of the first.
        most: samples that a batch has, if the loader is known to give batches.
        layout: of an image, if it was told.

    Raises:
        AmbiguousData: it may be an image of several channels, or as many grey ones.
    """
    if isinstance(image, (list, tuple)):
        return len(image)
    shape = () if hasattr(image, "getbands") else tuple(getattr(image, "shape", ()))
    if len(shape) == 4:
        return int(shape[0])
    if len(shape) == 3 and most is not None and (shape[0] == most or (in_batches and shape[0] < most)):
        return int(shape[0])
    if len(shape) != 3 or label is None or layout not in (None, GREYS):
        return None
    # Three axes are a batch of grey images where there is a label for each, or a mask of its size.
    beside = (len(label),) if isinstance(label, (list, tuple)) else tuple(getattr(label, "shape", ()))
    if beside not in (shape[:1], shape) or shape[-1] < SHORT_SIDE:
        return None
    if in_batches is None and layout is None:
        return _count_in_first(shape, label, is_row=beside != shape)
    return int(shape[0]) if layout or in_batches else None


def _count_in_first(shape: tuple[int, ...], label: Any, *, is_row: bool) -> int | None:
    """How many images there are in three axes beside a row, or masks, of as many labels."""
    count, numbers = int(shape[0]), None if is_text(label) else as_array(label)
    if count > MOST_CHANNELS or (numbers is not None and not is_row and not is_one_hot(numbers)):
        return count
    if numbers is not None and count in USUAL_CHANNELS and is_one_hot(numbers):
        # Beside one image of so many channels a class, or a mask, of as many classes.
        return None
    is_listed = isinstance(label, (list, tuple)) and count in USUAL_CHANNELS
    if not is_listed and (numbers is None or not np.isin(numbers, (0, 1)).all()):
        return count
    told = f"images of shape {shape} with {count} labels each may be of {count} channels, or {count} grey images"
    options = [
        Option(f"CHW: one image of {count} channels", {"layout": "CHW"}),
        Option(f"{GREYS}: {count} grey images", {"layout": GREYS}),
    ]
    raise AmbiguousData(f"{told}; pass layout='CHW' or layout={GREYS!r}", "layout", options)


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


def classes_in(label: Any) -> frozenset[int]:
    """All numbers of classes that a label may mean, more than it does where that is not certain.

    >>> [sorted(classes_in(label)) for label in (3, np.array([0, 1, 1]), [5, 7], {"boxes": [], "labels": [2]})]
    [[3], [1, 2], [5, 7], [2]]
    """
    if isinstance(label, Mapping):
        return classes_in(label.get("labels"))
    try:
        values = np.asarray(as_array(label) if label is not None else [], np.float64)
    except (TypeError, ValueError):
        return frozenset()
    found = {int(each) for each in np.unique(values[np.isfinite(values)]).tolist()}
    if isinstance(label, np.ndarray) and label.ndim in (1, 3) and len(label) > 1 and found <= {0, 1, WHITE}:
        # Rows and masks that are one-hot, or of several classes at once; of a mask the shorter axis has the classes.
        axes = [axis for axis in (0, -1) if label.shape[axis] == min(label.shape[0], label.shape[-1])]
        found = {int(number) for axis in axes for number in np.unique(np.nonzero(label)[axis])}
    # White in a mask of black and white is class 1.
    return frozenset(found | ({1} if WHITE in found else set()))


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
