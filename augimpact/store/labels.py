"""What a label is, of each of the three kinds of training sets: checked as it comes in, given back as arrays.

A part knows the classes that it was written with; a set's own are all of its parts', so that numbers are translated
when labels are read (`given_back`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from skimage.draw import polygon

from augimpact.errors import DataError

__all__ = [
    "BACKGROUND", "KINDS", "LONGEST_NAME", "MOST_BOXES", "MOST_CLASSES", "Grid", "Label", "are_numbered", "as_label",
    "given_back", "own_classes",
]  # fmt: skip

KINDS = ("classification", "object_detection", "segmentation")
BACKGROUND = "background"
# What the class of boxes or features is called where nobody says; of one-hot labels with a number.
UNNAMED = "class"
NUMBERED = re.compile(f"{UNNAMED}\\d+")
LONGEST_NAME, MOST_CLASSES = 200, 10_000
# Of one image.
MOST_BOXES = 1 << 16


class Grid(NamedTuple):
    """Where an image's pixels lie: x = left + width × column, y = top + height × row, of a pixel's upper left corner.

    `height` is negative where rows run from north to south.
    """

    left: float
    width: float
    top: float
    height: float

    def bounds(self, rows: int, columns: int) -> tuple[float, float, float, float]:
        """The least x and y, and the greatest."""
        across = sorted((self.left, self.left + columns * self.width))
        down = sorted((self.top, self.top + rows * self.height))
        return across[0], down[0], across[1], down[1]


class Label(NamedTuple):
    """A label as it is kept.

    classes: that it may be of, in the order of its numbers; of a mask without the background, which is 0.
    numbers: of a class `(C,)` one-hot; of boxes the class of each, `(n,)`; of a mask `(H, W)`.
    boxes: `(n, 4)` pixels, or None.
    """

    classes: tuple[str, ...]
    numbers: NDArray[Any]
    boxes: NDArray[np.float32] | None = None


def own_classes(kind: str, classes: Sequence[str]) -> tuple[str, ...]:
    """The classes of a document without the background, which a segmentation has beside its own."""
    return tuple(each for each in classes if kind != "segmentation" or each != BACKGROUND)


def are_numbered(classes: Sequence[str]) -> bool:
    """Whether they have no names: labels were numbers.

    >>> are_numbered(["class1", "class2"]), are_numbered(["cat"])
    (True, False)
    """
    return bool(classes) and all(NUMBERED.fullmatch(each) for each in classes)


def as_label(
    kind: str,
    value: Any,
    size: tuple[int, int],
    classes: Sequence[str] = (),
    grid: Grid | None = None,
    *,
    grows: bool = False,
) -> Label:
    """A label as a user gives it.

    Args:
        kind: of `KINDS`.
        value: of a classification one-hot, `[0, 1, 0]`, where a single number is of a binary one, or a class's name; of
            boxes `[[minx, miny, maxx, maxy], …]` in pixels, or such lists by the names of classes; of a segmentation
            GeoJSON features, whose class is their property `class` or `label`, or `(H, W)` numbers of classes, 0 the
            background; with names beside them as `{"mask": …, "classes": […]}`.
        size: height and width of the image.
        classes: those of the set, if there are any.
        grid: of the image; without one features are in pixels.
        grows: whether a label may be of other classes. Then it is of its own alone, so that an equal pair has an equal
            label whatever came before, and numbers and names do not mix, for a number would mean another class later.

    Raises:
        DataError: it is no such label.

    >>> as_label("classification", "dog", (8, 8), ["cat", "dog"]).numbers.tolist()
    [0, 1]
    """
    known = tuple(classes)
    if kind == "classification":
        return _one_hot(value, known, grows)
    if kind == "object_detection":
        return _boxes(value, tuple(sorted(map(str, value))) if grows and isinstance(value, Mapping) else known)
    return _mask(value, size, known, grid or Grid(0, 1, 0, 1), grows)


def _one_hot(value: Any, classes: tuple[str, ...], grows: bool) -> Label:
    if isinstance(value, str):
        if grows and (not are_numbered(classes) or NUMBERED.fullmatch(value)):
            classes = (value,)
        if value not in classes:
            raise DataError(f"the class is {value!r}; expected one of {', '.join(classes) or 'those given at first'}")
        numbers = np.array([name == value for name in classes], np.uint8)
        # Of two classes one number tells which: a set of a single class is a binary one.
        return Label(classes, numbers)
    given = np.atleast_1d(np.asarray(value))
    if given.ndim != 1 or given.dtype.kind not in "biuf" or not np.isin(given, (0, 1)).all():
        raise DataError(f"the label is {value!r}; expected zeros and a one, such as [0, 1, 0]")
    if len(given) > 1 and given.sum() != 1:
        raise DataError(f"the label is {value!r}; expected exactly one 1")
    names = classes or tuple(f"{UNNAMED}{number}" for number in range(1, len(given) + 1))
    if grows and len(names) == 1 and not are_numbered(names):
        # None of a class that others may join: that would be another label then.
        raise DataError(f"the label is {value!r} after classes by name; expected a name")
    if len(names) != len(given):
        raise DataError(f"the label has {len(given)} numbers; expected one for each of {len(names)} classes")
    return Label(names, given.astype(np.uint8))


def _boxes(value: Any, classes: tuple[str, ...]) -> Label:
    if not isinstance(value, Mapping):
        if len(classes) > 1:
            raise DataError(f"boxes came as a list; expected them by the names of {len(classes)} classes")
        value = {(classes or (UNNAMED,))[0]: value}
    names = classes or tuple(sorted(map(str, value)))
    found, numbers = [np.zeros((0, 4), np.float32)], [np.zeros(0, np.int32)]
    for name, boxes in value.items():
        if name not in names:
            raise DataError(f"there are boxes of the class {name!r}; expected {', '.join(names)}")
        try:
            several = np.asarray(boxes, np.float32).reshape(-1, 4)
        except (TypeError, ValueError):
            raise DataError(f"the boxes of {name!r} are {boxes!r}; expected [[minx, miny, maxx, maxy], …]") from None
        if not np.isfinite(several).all() or (several[:, :2] > several[:, 2:]).any():
            raise DataError(f"a box of {name!r} ends before it begins; expected [minx, miny, maxx, maxy]")
        if len(several) > MOST_BOXES:
            raise DataError(f"there are {len(several)} boxes of {name!r}; expected at most {MOST_BOXES} in an image")
        found.append(several)
        numbers.append(np.full(len(several), names.index(name), np.int32))
    return Label(names, np.concatenate(numbers), np.concatenate(found))


def _mask(value: Any, size: tuple[int, int], classes: tuple[str, ...], grid: Grid, grows: bool) -> Label:
    if isinstance(value, Mapping) and value.get("type") == "FeatureCollection":
        value = value["features"]
    if isinstance(value, Sequence) and all(isinstance(each, Mapping) for each in value):
        return _drawn(value, size, classes, grid, grows)
    if isinstance(value, Mapping) and set(value) == {"mask", "classes"}:
        named = tuple(map(str, value["classes"]))
        _check_named(named, classes, grows)
        return Label(named, _mask(value["mask"], size, named, grid, grows=False).numbers)
    numbers = np.asarray(value)
    if numbers.shape != size or numbers.dtype.kind not in "biu" or (numbers < 0).any():
        raise DataError(
            f"a mask of shape {numbers.shape} and type {numbers.dtype}; expected {size} numbers of classes, or features"
        )
    most = int(numbers.max(initial=0))
    names = classes
    if grows or not classes:
        if classes and not are_numbered(classes):
            raise DataError("a mask of numbers after classes by name; expected features, or names beside the numbers")
        # In the order of the numbers also where they are put in that of the names.
        width = len(classes[0]) - len(UNNAMED) if classes else 5
        names = tuple(f"{UNNAMED}{number:0{width}}" for number in range(1, min(most, MOST_CLASSES) + 1))
    if most > len(names):
        raise DataError(f"the mask has the class {most}; expected at most {len(names)}")
    return Label(names, numbers.astype(np.uint16))


def _drawn(
    features: Sequence[Mapping[str, Any]], size: tuple[int, int], classes: tuple[str, ...], grid: Grid, grows: bool
) -> Label:
    """GeoJSON features as a mask: a pixel is of the last feature in which its centre lies."""
    named = [_class_of(each, classes) for each in features]
    own = tuple(sorted(set(named)))
    _check_named(own, classes, grows)
    names = own if grows or not classes else classes
    mask = np.zeros(size, np.uint16)
    for name, feature in zip(named, features, strict=True):
        for rings in _polygons_of(feature):
            inside = np.zeros(size, bool)
            for ring in rings:
                # What lies in an inner ring is outside again.
                points = np.asarray(ring, np.float64)
                rows = (points[:, 1] - grid.top) / grid.height - 0.5
                columns = (points[:, 0] - grid.left) / grid.width - 0.5
                inside[polygon(rows, columns, size)] ^= True
            mask[inside] = names.index(name) + 1
    return Label(names, mask)


def _check_named(own: Sequence[str], classes: tuple[str, ...], grows: bool) -> None:
    for name in own:
        is_known = name in classes or not classes or (grows and not are_numbered(classes))
        if name == BACKGROUND or not is_known:
            expected = ", ".join(classes) or "another name"
            raise DataError(f"there is a feature of the class {name!r}; expected {expected}")


def _class_of(feature: Mapping[str, Any], classes: tuple[str, ...]) -> str:
    properties = feature.get("properties") or {}
    usual = classes[0] if len(classes) == 1 else UNNAMED
    return str(properties.get("class", properties.get("label", usual)))


def _polygons_of(feature: Mapping[str, Any]) -> list[Any]:
    geometry = feature.get("geometry", feature) or {}
    kind, places = geometry.get("type"), geometry.get("coordinates")
    if kind not in ("Polygon", "MultiPolygon") or not places:
        raise DataError(f"a feature is a {kind!r}; expected Polygon or MultiPolygon with coordinates")
    return [places] if kind == "Polygon" else list(places)


def given_back(kind: str, label: Label, classes: Sequence[str]) -> Any:
    """The label as it is used: with the numbers of the set's classes.

    Returns:
        One-hot `(C,)` uint8; boxes `(n, 4)` float32, or these by the names of the classes if there are several; a mask
        `(H, W)` uint16 in which 0 is the background and n the n-th class.
    """
    if kind == "object_detection":
        boxes = np.zeros((0, 4), np.float32) if label.boxes is None else label.boxes
        if len(classes) <= 1:
            return boxes
        own = np.array(label.classes, object)[label.numbers.astype(int)] if len(label.numbers) else np.zeros(0, object)
        return {name: boxes[own == name] for name in classes}
    places = [classes.index(name) for name in label.classes]
    if kind == "segmentation":
        if places == list(range(len(places))):
            return label.numbers
        return np.array([0, *(place + 1 for place in places)], np.uint16)[label.numbers]
    if places == list(range(len(classes))):
        return label.numbers
    one_hot = np.zeros(len(classes), np.uint8)
    one_hot[places] = label.numbers
    return one_hot
