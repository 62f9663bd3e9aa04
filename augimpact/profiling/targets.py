"""Labels that are more than a class or a mask: boxes as torchvision, COCO and others have them, one-hot rows, names.

What is known is found; what only looks like boxes, or is a name, is told, so that it can be asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from augimpact.errors import DataError
from augimpact.profiling.decode import as_array

__all__ = [
    "BOXES_EXPECTED",
    "annotations_at",
    "boxes_beside",
    "boxes_like_at",
    "count_of",
    "is_one_hot_beside",
    "names_at",
    "target_of",
]

BOXES_EXPECTED = (
    "pass labels= a function of the item that gives {'boxes': left, top, right, bottom in pixels, 'labels': numbers}"
)
# What an annotation of COCO's has.
ANNOTATION = ("bbox", "category_id")
# What an image's class is called, and what its boxes.
LABELS = ("label", "labels", "class", "target", "targets", "category")
BOXES = ("bbox", "bboxes")


def boxes_beside(item: Any) -> Any:
    """What torchvision's detection datasets have as target: a mapping with boxes, or several of them."""
    if isinstance(item, Mapping):
        return item if "boxes" in item else None
    target = _target_beside(item)
    several = isinstance(target, (list, tuple)) and bool(target)
    first = target[0] if several else target
    return target if isinstance(first, Mapping) and "boxes" in first else None


def annotations_at(item: Any) -> str | None:
    """The path of COCO's list of annotations, or of several such lists, if an item has one; it may be empty.

    >>> annotations_at(("image", [{"bbox": [1, 2, 3, 4], "category_id": 7}]))
    '[1]'
    >>> annotations_at({"image": "image", "annotations": []})
    '.annotations'
    """
    if isinstance(item, Mapping):
        found = (key for key, each in item.items() if _are_annotations(each) and (each or key == "annotations"))
        return next((f".{key}" for key in found), None)
    target = _target_beside(item)
    if isinstance(target, Mapping):
        path = annotations_at(target)
        return None if path is None else f"[1]{path}"
    return "[1]" if _are_annotations(target) else None


def target_of(annotations: Any) -> Any:
    """The boxes of COCO's annotations as torchvision has them; of several lists, those of each.

    Raises:
        DataError: these are no such annotations.

    >>> target_of([{"bbox": [1, 2, 3, 4], "category_id": 7}])["boxes"].tolist()
    [[1.0, 2.0, 4.0, 6.0]]
    """
    if not _are_annotations(annotations):
        raise DataError(f"a target is no list of mappings with bbox and category_id; {BOXES_EXPECTED}")
    if annotations and isinstance(annotations[0], list):
        return [target_of(each) for each in annotations]
    try:
        rows = [[float(side) for side in each["bbox"]] for each in annotations]
        boxes = np.array(rows, np.float64).reshape(len(rows), 4)
        labels = np.array([int(each["category_id"]) for each in annotations], np.int64)
    except (TypeError, ValueError, RuntimeError) as error:
        expected = "expected left, top, width, height and a number"
        raise DataError(f"bbox and category_id of some annotations are something else; {expected}") from error
    boxes[:, 2:] += boxes[:, :2]
    return {"boxes": boxes, "labels": labels}


def boxes_like_at(item: Any, image: Any) -> str | None:
    """The path of what looks like boxes, of which it cannot be told how they are meant, if an item has such.

    Four numbers for each number of a row of classes; or what is called so.

    >>> boxes_like_at((np.zeros((8, 8, 3)), np.zeros((2, 4)), np.zeros(2, int)), np.zeros((8, 8, 3)))
    '[1]'
    """
    shapes = {path: shape for path, each in _parts(item, "") if (shape := _shape(each)) is not None}
    axes = 2 if count_of(image) is not None else 1
    # Beside one image a row of numbers is one of boxes' classes, or a class that is one-hot.
    classes = [shape for shape in shapes.values() if len(shape) == axes]
    for path, shape in shapes.items():
        named = path.rpartition(".")[2] in BOXES and (shape == (0,) or len(shape) == 2)
        if named or (len(shape) == axes + 1 and shape[-1] == 4 and shape[:-1] in classes):
            return path
    return None


def names_at(item: Any) -> str | None:
    """The path of a name, or of several, in the place of a class.

    >>> names_at(("image", "cat")), names_at({"label": "cat"}), names_at(("image", 3, "cat"))
    ('[1]', '.label', None)
    """
    if isinstance(item, Mapping):
        return next((f".{key}" for key, each in item.items() if key in LABELS and _is_text(each)), None)
    return "[1]" if _is_text(_target_beside(item)) else None


def is_one_hot_beside(label: Any, image: Any) -> bool:
    """Whether floats are a class, as the one of a row that is 1 where all others are 0; of a batch, a row an image."""
    shape = tuple(getattr(label, "shape", ()))
    if "float" not in str(getattr(label, "dtype", "")) or not shape or shape[-1] < 2:
        return False
    count = count_of(image)
    if shape[:-1] != (() if count is None else (count,)):
        return False
    values = as_array(label)
    return bool(((values == 0) | (values == 1)).all() and (values.sum(axis=-1) == 1).all())


def count_of(image: Any) -> int | None:
    """How many images there are; None of a single one."""
    if isinstance(image, (list, tuple)):
        return len(image)
    shape = () if hasattr(image, "getbands") else tuple(getattr(image, "shape", ()))
    return int(shape[0]) if len(shape) == 4 else None


def _target_beside(item: Any) -> Any:
    """The second of two."""
    return item[1] if isinstance(item, Sequence) and not isinstance(item, (str, bytes)) and len(item) == 2 else None


def _are_annotations(value: Any) -> bool:
    """Whether it is a list of annotations, or of such lists."""
    if not isinstance(value, (list, tuple)):
        return False
    several = bool(value) and all(isinstance(each, list) for each in value)
    return all(_are_of_one(each) for each in value) if several else isinstance(value, list) and _are_of_one(value)


def _are_of_one(value: Sequence[Any]) -> bool:
    return all(isinstance(each, Mapping) and all(name in each for name in ANNOTATION) for each in value)


def _parts(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The parts of an item, each list of numbers, or of rows of these, in one piece."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _parts(each, f"{path}.{key}")
    elif isinstance(value, (tuple, list)) and (not path or isinstance(value, tuple)):
        for number, each in enumerate(value):
            yield from _parts(each, f"{path}[{number}]")
    else:
        yield path, value


def _shape(value: Any) -> tuple[int, ...] | None:
    """Of an array, a row, or a list of rows that are as long as the first."""
    if not isinstance(value, list):
        shape = getattr(value, "shape", None)
        return None if shape is None else tuple(shape)
    first = value[0] if value else None
    return (len(value), len(first)) if isinstance(first, (list, tuple)) else (len(value),)


def _is_text(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return bool(value) and all(isinstance(each, str) for each in value)
    return isinstance(value, str)
