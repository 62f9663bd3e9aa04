"""Boxes around objects: how many, how large, where, and which of them cannot be right.

A target is read by `boxes_of`, measured by `measures_of`; `Boxes` keeps some numbers of each box.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augimpact.errors import DataError
from augimpact.profiling.decode import as_array
from augimpact.profiling.objects import GRID, DifferentImages, Numbers, Rows, covered, unknown_class

__all__ = ["FAULTS", "UNLABELLED", "Boxes", "CutTarget", "boxes_of", "measures_of"]

# The class of boxes that have none.
UNLABELLED = -1
# What may be wrong with a box, by its number; 0 is nothing.
FAULTS = ("inside", "partly outside", "wholly outside", "without area", "within the first pixel")
# In pixels: what rounding may add.
SLACK = 1e-3
MEASURED = ("class", "area", "width", "height", "aspect", "fault")


class CutTarget(dict[str, Any]):
    """A target of an image that was cut.

    Args:
        target: what is left of it, of boxes that have an area.
        given: the target as it was.
        size: height and width of the image as it was.
    """

    def __init__(self, target: Mapping[str, Any], given: Mapping[str, Any], size: tuple[int, int]) -> None:
        super().__init__(target)
        self.given, self.size = given, size


def boxes_of(
    target: Any, classes: int | None = None, ignored: Collection[int] = ()
) -> tuple[Numbers, NDArray[np.int64]] | None:
    """The boxes of a target, `(N, 4)` as left, top, right, bottom in pixels, and their classes, `(N,)`.

    Args:
        target: a mapping with `boxes`, and `labels` where they have classes; anything else has none, which is None.
            Torchvision's `BoundingBoxes` are taken in their own format.
        classes: how many there are, if that is known.
        ignored: classes whose boxes do not count.

    Raises:
        DataError: other shapes, values that are not finite, or unknown classes.

    >>> boxes_of({"boxes": [[0, 0, 4, 2]], "labels": [3]})
    (array([[0., 0., 4., 2.]]), array([3]))
    """
    if not isinstance(target, Mapping) or "boxes" not in target:
        return None
    boxes = _corners(target["boxes"])
    if target.get("labels") is None:
        return boxes, np.full(len(boxes), UNLABELLED, np.int64)
    labels = _labels(target["labels"], len(boxes))
    counted = ~np.isin(labels, list(ignored))
    for number in np.unique(labels[counted]).tolist():
        if number < 0 or (classes is not None and number >= classes):
            raise unknown_class("a box", number, classes)
    return boxes[counted], labels[counted]


def _corners(given: Any) -> Numbers:
    order = getattr(getattr(given, "format", None), "name", "XYXY")
    if order != "XYXY":
        from torchvision.ops import box_convert

        given = box_convert(given.as_subclass(type(given.data)), order.lower(), "xyxy")
    boxes = _numbers(given, "boxes")
    if not boxes.size:
        return np.empty((0, 4))
    # A batch of one.
    boxes = boxes[0] if boxes.ndim == 3 and len(boxes) == 1 else boxes
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise DataError(f"boxes of shape {boxes.shape}; expected (N, 4): left, top, right, bottom")
    if not np.isfinite(boxes).all():
        raise DataError("some corners of the boxes are not finite")
    return boxes


def _labels(given: Any, count: int) -> NDArray[np.int64]:
    numbers = _numbers(given, "labels")
    labels = numbers.reshape(-1)
    if numbers.size != count or numbers.ndim > 2:
        raise DataError(f"{count} boxes with labels of shape {numbers.shape}; expected one label for each")
    if not np.isfinite(labels).all() or (labels != np.rint(labels)).any():
        raise DataError("some labels of the boxes are not whole numbers")
    return labels.astype(np.int64)


def _numbers(given: Any, what: str) -> Numbers:
    """Of a tensor, an array, or a list of numbers or of these."""
    try:
        rows = [as_array(each) for each in given] if isinstance(given, (list, tuple)) else as_array(given)
        return np.asarray(rows, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"the {what} are {type(given).__name__} of something else than numbers: {error}") from error


def measures_of(boxes: Numbers, labels: NDArray[np.int64], size: tuple[int, int]) -> Numbers:
    """What each box is like, `(N, 6)`: a column for each of `MEASURED`.

    Its class; area, width and height in shares of the image's, as given, even where it is outside; its aspect, width
    over height; and its fault, a number of `FAULTS`. A box that is wrong way round has no area, and no aspect; one
    whose corners lie between 0 and 1 is within the first pixel, be it the wrong way round or not: it has shares.

    Args:
        boxes: `(N, 4)`, left, top, right, bottom in pixels.
        labels: `(N,)`.
        size: height and width of the image.

    >>> measures_of(np.array([[-2.0, 0, 8, 5]]), np.array([1]), (10, 20)).tolist()
    [[1.0, 0.25, 0.5, 0.5, 2.0, 1.0]]
    """
    height, width = size
    left, top, right, bottom = boxes.T
    wide, high = np.maximum(right - left, 0), np.maximum(bottom - top, 0)
    flat = (wide == 0) | (high == 0)
    aspect = np.where(flat, np.nan, wide / np.where(flat, 1, high))
    wholly = (right <= 0) | (bottom <= 0) | (left >= width) | (top >= height)
    partly = (np.minimum(left, top) < -SLACK) | (right > width + SLACK) | (bottom > height + SLACK)
    first = ((boxes >= 0) & (boxes <= 1)).all(axis=1) & (boxes != np.rint(boxes)).any(axis=1)
    fault = np.select([first, flat, wholly, partly], [4, 3, 2, 1], 0)
    return np.stack([labels, wide * high / (width * height), wide / width, high / height, aspect, fault], axis=1)


class Boxes:
    """The boxes of one split.

    Args:
        ignored: classes whose boxes do not count.
        classes: how many there are, if that is known.

    Attributes:
        images: how many have a target with boxes, be it empty.
        different: for each class the different images that have boxes of it, as far as they are counted.
        cut_off: how many boxes with an area are in no image, because these were cut.
        without_area: how many boxes are in no image that was cut, because they have no area.
    """

    def __init__(self, ignored: Collection[int] = (), classes: int | None = None) -> None:
        self.images = self.cut_off = self.without_area = 0
        self._ignored, self._classes = frozenset(ignored), classes
        self._objects, self._given = Rows("image", *MEASURED), Rows("image", *MEASURED)
        self._maps: dict[int, Numbers] = {}
        self.different = DifferentImages()

    def add(self, image: int, label: Any, size: tuple[int, int], content: Hashable = None) -> bool:
        """Takes the boxes of an image in, if it has a target with such, and tells whether it has.

        Args:
            image: its number.
            label: which may be a target.
            size: height and width of the image.
            content: what tells the image from others; by default its number.

        Raises:
            DataError: as `boxes_of` does.
        """
        found = boxes_of(label, self._classes, self._ignored)
        if found is None:
            return False
        boxes, labels = found
        if isinstance(label, CutTarget):
            self._take_given(image, label, len(boxes))
        self.images += 1
        self._objects.add(np.insert(measures_of(boxes, labels, size), 0, image, axis=1))
        height, width = size
        across = covered(boxes[:, 0] / width, boxes[:, 2] / width)
        down = covered(boxes[:, 1] / height, boxes[:, 3] / height)
        for number in np.unique(labels).tolist():
            own = labels == number
            self._maps[number] = self._maps.get(number, np.zeros((GRID, GRID))) + down[own].T @ across[own]
            self.different.add(number, image if content is None else content)
        return True

    def _take_given(self, image: int, label: CutTarget, left: int) -> None:
        """Takes in the boxes before the image was cut, of which so many are left."""
        found = boxes_of(label.given, self._classes, self._ignored)
        if found is None:
            return
        measures = measures_of(*found, label.size)
        flat = int((measures[:, MEASURED.index("area")] == 0).sum())
        self.without_area += flat
        self.cut_off += len(measures) - flat - left
        self._given.add(np.insert(measures, 0, image, axis=1))

    @property
    def given(self) -> pd.DataFrame:
        """The same as `objects`, of the boxes as they were given, before their images were cut."""
        given = self._given.frame
        return given if len(given) else self.objects

    @property
    def objects(self) -> pd.DataFrame:
        """A row a box: its image and `MEASURED`."""
        return self._objects.frame

    @property
    def maps(self) -> dict[int, Numbers]:
        """For each class how many of its boxes cover each cell in the mean image, `(GRID, GRID)`."""
        return {number: total / self.images for number, total in self._maps.items()}

    @property
    def classes(self) -> frozenset[int]:
        """The classes of which there are boxes."""
        return frozenset(self._maps) - {UNLABELLED}
