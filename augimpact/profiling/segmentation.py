"""Masks of classes: which pixels are whose, and the objects that they form.

An object is a connected part of one class, neighbours by edge or corner. A mask is read by `mask_of` and measured by
`objects_of` and `map_of`: `Masks.measured` does all that on any thread. `Masks.take` keeps some numbers of each object,
and of each class in an image.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augimpact.errors import DataError
from augimpact.profiling.needs import EVERYTHING, OBJECTS, POSITIONS
from augimpact.profiling.objects import DifferentImages, Numbers, Rows, covered, unknown_class
from augimpact.profiling.white import WHITE, Whites

__all__ = [
    "NOTHING", "ONE_MASK_EXPECTED", "SHORT_SIDE", "MaskNumbers", "Masks", "map_of", "mask_of", "objects_of",
]  # fmt: skip

# A pixel that does not count.
NOTHING = -1
# An array of another size than the image, with a side so short, is a list of something, and no mask.
SHORT_SIDE = 5
# What has more classes in one image holds something else: depths, or numbers of objects.
MOST_CLASSES = 256
# What is to be done about masks that have a layer for each object.
ONE_MASK_EXPECTED = (
    "pass labels= a function of the item that gives one mask (H, W) of classes, such as layers.any(0) where all "
    "objects are of one class, or {'boxes': torchvision.ops.masks_to_boxes(layers), 'labels': numbers}"
)
MEASURED = ("class", "area", "width", "height", "convexity", "erosion")


def mask_of(
    label: Any, size: tuple[int, int], classes: int | None = None, ignored: Collection[int] = ()
) -> NDArray[np.int64] | None:
    """The class of each pixel, −1 where none counts; None of a label that is no mask.

    Args:
        label: whole numbers `(H, W)`, or one-hot `(C, H, W)` or `(H, W, C)`. White in a mask of nothing but black and
            white (0 and 255) stays 255 here: of one mask alone it cannot be told what it is.
        size: height and width of the image.
        classes: how many there are, if that is known.
        ignored: classes that do not count.

    Raises:
        DataError: another size than the image's, unknown classes, or several at one pixel.

    >>> mask_of(np.array([[0, 1], [7, 1]]), (2, 2), ignored=[7]).tolist()
    [[0, 1], [-1, 1]]
    """
    if not isinstance(label, np.ndarray) or label.ndim not in (2, 3) or label.dtype.kind not in "biu":
        return None
    if label.ndim == 3:
        mask = _of_one_hot(label, size)
    else:
        if label.shape != size and (min(label.shape) < SHORT_SIDE or label.shape[1] <= SHORT_SIDE):
            return None
        _check_size(label.shape, size)
        mask = label.astype(np.int64)
    found = _classes_in(mask)[0]
    if len(found) > MOST_CLASSES:
        raise DataError(f"the mask has {len(found)} classes; expected at most {MOST_CLASSES} in an image")
    # A one-hot mask may leave pixels without a class.
    allowed = {*ignored, *([NOTHING] if label.ndim == 3 else [])}
    if (classes is None or classes <= 2) and WHITE not in allowed and set(found.tolist()) <= {0, WHITE}:
        allowed |= {WHITE}
    for number in found.tolist():
        if number not in allowed and (number < 0 or (classes is not None and number >= classes)):
            raise unknown_class("the mask", number, classes)
    return np.where(np.isin(mask, list(ignored)), NOTHING, mask) if ignored else mask


def _check_size(shape: tuple[int, ...], size: tuple[int, int]) -> None:
    if shape == size:
        return
    told = f"the mask is {shape[1]} × {shape[0]}; expected {size[1]} × {size[0]} as its image is"
    if shape == size[::-1]:
        told += ": where the EXIF of the image's file turns it, that of the mask's file has to say the same"
    raise DataError(told)


def _of_one_hot(label: NDArray[Any], size: tuple[int, int]) -> NDArray[np.int64]:
    last = label.shape[:2] == size and label.shape[1:] != size
    channels = np.moveaxis(label, -1, 0) if last else label
    _check_size(channels.shape[1:], size)
    if not np.isin(label, (0, 1) if label.max(initial=0) <= 1 else (0, WHITE)).all():
        raise DataError(f"a mask of shape {label.shape} that is not one-hot; expected one class at each pixel")
    there = channels != 0
    counts = there.sum(axis=0)
    if counts.max(initial=0) > 1:
        told = "the one-hot mask has several classes at one pixel; expected one"
        raise DataError(f"{told}, or, where each layer is an object, {ONE_MASK_EXPECTED}")
    return np.where(counts == 1, there.argmax(axis=0), NOTHING)


def objects_of(mask: NDArray[np.int64]) -> Numbers:
    """What each object is like, `(N, 6)`: a column for each of `MEASURED`.

    Its class; its area, and width and height of its bounding box, in shares of the image's; its convexity, the area
    over that of the convex hull of its pixels as squares; and its erosion, the share of its area that it loses by a
    3 × 3 square, where the image's edge takes nothing away.

    >>> square = np.zeros((10, 10), np.int64)
    >>> square[2:6, 3:7] = 1
    >>> objects_of(np.where(square, 1, -1)).tolist()
    [[1.0, 0.16, 0.4, 0.4, 1.0, 0.75]]
    """
    from scipy import ndimage
    from skimage.measure import label

    numbers = label(mask, background=NOTHING, connectivity=2).astype(np.int32)
    areas = np.bincount(numbers.reshape(-1))[1:]
    count = len(areas)
    if not count:
        return np.empty((0, len(MEASURED)))
    classes = np.empty(count + 1)
    classes[numbers] = mask
    sides = np.array([[rows.stop - rows.start, columns.stop - columns.start]
                      for rows, columns in ndimage.find_objects(numbers)])  # fmt: skip
    # What is alike all around stays; beyond the edge it is as on it.
    inner = ndimage.minimum_filter(numbers, 3, mode="nearest") == ndimage.maximum_filter(numbers, 3, mode="nearest")
    left = np.bincount(numbers[inner], minlength=count + 1)[1:]
    height, width = mask.shape
    convexity = areas / _hull_areas(numbers, areas, sides)
    return np.stack(
        [classes[1:], areas / mask.size, sides[:, 1] / width, sides[:, 0] / height, convexity, 1 - left / areas], axis=1
    )


def _hull_areas(numbers: NDArray[np.int32], areas: NDArray[np.int64], sides: NDArray[np.int64]) -> Numbers:
    """The area of each object's convex hull, in pixels."""
    from scipy.spatial import ConvexHull

    # The hull's corners are among those where a row enters or leaves the object.
    padded = np.pad(numbers, ((0, 0), (1, 1)))
    rows, columns = np.nonzero(padded[:, 1:] != padded[:, :-1])
    owners = np.concatenate([padded[rows, columns], padded[rows, columns + 1]])
    corners = np.tile(np.stack([rows, columns], axis=1), (2, 1))
    order = np.argsort(owners, kind="stable")
    starts = np.searchsorted(owners[order], np.arange(1, len(areas) + 2))
    found = areas.astype(np.float64)
    # A full box is its own hull.
    for place in np.flatnonzero(areas < sides.prod(axis=1)):
        own = corners[order[starts[place] : starts[place + 1]]]
        found[place] = ConvexHull(np.concatenate([own, own + np.array([1, 0])])).volume
    return found


def map_of(there: NDArray[np.bool_]) -> Numbers:
    """Which share of each of 32 × 32 cells is there, `(GRID, GRID)`."""
    down, across = (_cells(side) for side in there.shape)
    return np.asarray(down.T @ there.astype(np.float32) @ across, np.float64)


@lru_cache(maxsize=64)
def _cells(side: int) -> NDArray[np.float32]:
    """Which share of each cell each of so many pixels in a row covers, `(side, GRID)`."""
    return covered(np.arange(side) / side, np.arange(1, side + 1) / side).astype(np.float32)


def _classes_in(mask: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The numbers that are there, sorted, and how often each is."""
    low, high = int(mask.min(initial=0)), int(mask.max(initial=0))
    if high - low >= mask.size:
        return np.unique(mask, return_counts=True)
    # Counting is several times faster than sorting.
    counts = np.bincount((mask - low).reshape(-1))
    (there,) = np.nonzero(counts)
    return there + low, counts[there]


class MaskNumbers(NamedTuple):
    """What is kept of one mask.

    classes: that are there, `(K,)`.
    pixels: of each, `(K,)`.
    partly: those that do not cover all of the mask.
    objects: as `objects_of` has them; none if they were not needed.
    maps: by class, as `map_of` has them, if they were needed.
    """

    classes: NDArray[np.int64]
    pixels: NDArray[np.int64]
    partly: frozenset[int]
    objects: Numbers
    maps: dict[int, Numbers]


class Masks:
    """The masks of one split.

    Args:
        ignored: classes that do not count.
        classes: how many there are, if that is known.
        needs: what is measured beside each class's pixels: `OBJECTS` and `POSITIONS` of `augimpact.profiling.needs`.
        whites: tell what white is, of the masks of all splits; by default of these alone.

    Attributes:
        images: how many have a mask.
    """

    def __init__(
        self,
        ignored: Collection[int] = (),
        classes: int | None = None,
        needs: Collection[str] = EVERYTHING,
        whites: Whites | None = None,
    ) -> None:
        self.images = 0
        self._whites = Whites() if whites is None else whites
        self._ignored, self._classes, self._needs = frozenset(ignored), classes, needs
        self._objects = Rows("image", *MEASURED)
        self._pixels = Rows("image", "class", "pixels")
        self._found: set[int] = set()
        self._maps: dict[int, Numbers] = {}
        self._different = DifferentImages()

    def measured(self, label: Any, size: tuple[int, int]) -> MaskNumbers | None:
        """What is kept of a label, if it is a mask. Changes nothing, so that any thread may do it.

        Raises:
            DataError: as `mask_of` does.
        """
        mask = mask_of(label, size, self._classes, self._ignored)
        if mask is None:
            return None
        found, counts = _classes_in(mask)
        counted = found != NOTHING
        found, counts = found[counted], counts[counted]
        objects = objects_of(mask) if OBJECTS in self._needs else np.empty((0, len(MEASURED)))
        mapped = found.tolist() if POSITIONS in self._needs else []
        partly = frozenset(found[counts < mask.size].tolist())
        return MaskNumbers(found, counts, partly, objects, {number: map_of(mask == number) for number in mapped})

    def take(self, image: int, numbers: MaskNumbers, content: Hashable = None) -> None:
        """Takes in what was measured of an image's mask.

        Args:
            image: its number.
            numbers: of the mask.
            content: what tells the image from others; by default its number.
        """
        self.images += 1
        classes = numbers.classes
        self._found.update(classes.tolist())
        self._whites.add(classes.tolist())
        self._pixels.add(np.stack([np.full(len(classes), image), classes, numbers.pixels], axis=1))
        self._objects.add(np.insert(numbers.objects, 0, image, axis=1))
        for number, each in numbers.maps.items():
            self._maps[number] = self._maps.get(number, 0.0) + each
        for number in numbers.partly:
            self._different.add(number, image if content is None else content)

    def add(self, image: int, label: Any, size: tuple[int, int]) -> None:
        """Measures a label and takes it in, if it is a mask; raises as `mask_of` does."""
        numbers = self.measured(label, size)
        if numbers is not None:
            self.take(image, numbers)

    @property
    def objects(self) -> pd.DataFrame:
        """A row an object: its image and `MEASURED`."""
        return self._read(self._objects.frame)

    @property
    def pixels(self) -> pd.DataFrame:
        """A row for each class that is in an image: image, class, pixels."""
        return self._read(self._pixels.frame)

    @property
    def maps(self) -> dict[int, Numbers]:
        """For each class the mean share of each cell that it covers, `(GRID, GRID)`."""
        found: dict[int, Numbers] = {}
        for number, total in self._maps.items():
            known = self._whites.number(number)
            found[known] = found.get(known, 0.0) + total / self.images
        return found

    @property
    def different(self) -> Mapping[int, frozenset[Hashable]]:
        """For each class the different images of which its map has a form: not those that it covers altogether."""
        found: dict[int, frozenset[Hashable]] = {}
        for number, images in self._different.items():
            known = self._whites.number(number)
            found[known] = found.get(known, frozenset()) | images
        return found

    @property
    def classes(self) -> frozenset[int]:
        """The classes that are in any mask."""
        return frozenset(map(self._whites.number, self._found))

    def _read(self, frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(**{"class": frame["class"].map(self._whites.number).astype(np.int64)})
