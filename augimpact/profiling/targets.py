"""Labels that are more than a class or a mask: boxes as torchvision, COCO and others have them, one-hot rows, names.

What is known is found; what only looks like boxes, or is a name, is told, so that it can be asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from augimpact.errors import DataError
from augimpact.profiling.decode import as_array
from augimpact.profiling.paths import key_below, steps_of

__all__ = [
    "BOXES_EXPECTED",
    "annotations_at",
    "boxes_beside",
    "boxes_like_at",
    "count_of",
    "doubtful_at",
    "has_fractions",
    "is_beside_greys",
    "is_called_label",
    "is_number_of",
    "is_row_beside",
    "is_text",
    "target_of",
]

BOXES_EXPECTED = (
    "pass labels= a function of the item that gives {'boxes': left, top, right, bottom in pixels, "
    "'labels': numbers or names}"
)
# What an annotation of COCO's has.
ANNOTATION = ("bbox", "category_id")
# The corners of a box of VOC's.
SIDES = ("xmin", "ymin", "xmax", "ymax")
# What an image's class is called, what its mask, and what its boxes.
LABELS = ("label", "labels", "class", "target", "targets", "category")
MASKS = ("mask", "masks", "segmentation")
BOXES = ("bbox", "bboxes")
# What numbers the items of a dataset: no two have the same.
NUMBERS = ("id", "idx", "index", "image_id", "img_id")
# Numbers of a row that is a box and what else is known of it: its class, and the image of a batch that it is in.
ROW_OF_BOX = (5, 6)


def boxes_beside(item: Any) -> Any:
    """What torchvision's detection datasets have as target: a mapping with boxes, or several of them."""
    if isinstance(item, Mapping):
        return item if "boxes" in item else None
    target = _target_beside(item)
    several = isinstance(target, (list, tuple)) and bool(target)
    first = target[0] if several else target
    return target if isinstance(first, Mapping) and "boxes" in first else None


def annotations_at(item: Any) -> str | None:
    """The path of COCO's list of annotations, which may be empty, or of VOC's mapping; or of several of them.

    None if an item has none.

    >>> annotations_at(("image", [{"bbox": [1, 2, 3, 4], "category_id": 7}]))
    '[1]'
    >>> annotations_at({"image": "image", "annotations": []})
    '.annotations'
    >>> annotations_at(("image", {"annotation": {"object": []}}))
    '[1]'
    """
    if _is_of_voc(item):
        return ""
    if isinstance(item, Mapping):
        found = (key for key, each in item.items() if _are_annotations(each) and (each or key == "annotations"))
        return next((key_below("", key) for key in found), None)
    target = _target_beside(item)
    if _is_of_voc(target[0] if isinstance(target, (list, tuple)) and target else target):
        return "[1]"
    if isinstance(target, Mapping):
        path = annotations_at(target)
        return None if path is None else f"[1]{path}"
    return "[1]" if _are_annotations(target) else None


def target_of(annotations: Any) -> Any:
    """The boxes of COCO's annotations, or VOC's, as torchvision has them; of several, those of each.

    Raises:
        DataError: these are no such annotations.

    >>> target_of([{"bbox": [1, 2, 3, 4], "category_id": 7}])["boxes"].tolist()
    [[1.0, 2.0, 4.0, 6.0]]
    """
    if _is_of_voc(annotations):
        return _target_of_voc(annotations["annotation"])
    if isinstance(annotations, (list, tuple)) and annotations and _is_of_voc(annotations[0]):
        return [target_of(each) for each in annotations]
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

    Four numbers for each number of a row of classes; rows of five or six numbers; or what is called so, also for each
    of several objects.

    >>> boxes_like_at((np.zeros((8, 8, 3)), np.zeros((2, 4)), np.zeros(2, int)), np.zeros((8, 8, 3)))
    '[1]'
    """
    parts = dict(_parts(item, ""))
    objects = next((path for path, each in parts.items() if _are_objects_with_boxes(each)), None)
    if objects is not None:
        return objects
    shapes = {path: shape for path, each in parts.items() if (shape := _shape(each)) is not None}
    axes = 2 if count_of(image) is not None else 1
    # Beside one image a row of numbers is one of boxes' classes, or a class that is one-hot.
    classes = [shape for shape in shapes.values() if len(shape) == axes]
    for path, shape in shapes.items():
        named = str(*steps_of(path)[-1:]).rpartition(".")[2] in BOXES and (shape == (0,) or len(shape) == 2)
        # Beside a batch they may be a row an image, of anything.
        in_rows = len(shape) == 2 and shape[-1] in ROW_OF_BOX and shape[0] != count_of(image)
        in_rows = in_rows and not is_beside_greys(shape, image)
        if named or in_rows or (len(shape) == axes + 1 and shape[-1] == 4 and shape[:-1] in classes):
            return path
    return None


def _are_objects_with_boxes(value: Any) -> bool:
    several = isinstance(value, (list, tuple)) and bool(value)
    return several and all(isinstance(each, Mapping) and any(name in each for name in BOXES) for each in value)


def is_called_label(path: str) -> bool:
    """Whether the path is that of something called a label or a mask."""
    return path.rpartition(".")[2] in LABELS + MASKS


def is_number_of(path: str) -> bool:
    """Whether the path is that of something called as what numbers the items, which is no label.

    >>> is_number_of(".image_id"), is_number_of("[1].label"), is_number_of("[1]")
    (True, False, False)
    """
    return path.rpartition(".")[2] in NUMBERS


def doubtful_at(item: Any, image: Any, *, floats: bool = True) -> str | None:
    """The path of what stands in the place of a label, and may be one or not, if an item has such.

    Names; and floats that are whole numbers, of which there is one an image, or one a pixel.

    Args:
        item: what a loader gives.
        image: the image in it.
        floats: whether floats may be classes.

    >>> picture = np.zeros((8, 8, 3))
    >>> [doubtful_at((picture, label), picture) for label in ("cat", 1.0, 0.3, np.ones((8, 8)))]
    ['[1]', '[1]', None, '[1]']
    """
    return next(
        (
            path
            for path, each in _places_of_label(item)
            if is_text(each) or (floats and _are_doubtful_floats(each, image))
        ),
        None,
    )


def has_fractions(item: Any) -> bool:
    """Whether floats in the place of a label are no whole numbers: then no floats there are classes.

    >>> has_fractions(("image", 0.3)), has_fractions(("image", 1.0))
    (True, False)
    """
    numbers = [_floats_of(each) for _, each in _places_of_label(item)]
    return any(bool((each != np.rint(each)).any()) for each in numbers if each is not None)


def _places_of_label(item: Any) -> Iterator[tuple[str, Any]]:
    """Path and value of what stands in the place of a label."""
    if isinstance(item, Mapping):
        yield from ((f".{key}", each) for key, each in item.items() if key in LABELS + MASKS)
    else:
        yield "[1]", _target_beside(item)


def _floats_of(value: Any) -> Any:
    """The numbers of floats; None of anything else."""
    if not isinstance(value, float) and "float" not in str(getattr(value, "dtype", "")):
        return None
    return as_array(value) if hasattr(value, "shape") else np.asarray(value)


def is_row_beside(label: Any, image: Any) -> bool:
    """Whether floats are classes, as each 1 in a row of zeros and ones; of a batch, a row an image."""
    shape = tuple(getattr(label, "shape", ()))
    if "float" not in str(getattr(label, "dtype", "")) or not shape or shape[-1] < 2:
        return False
    count = count_of(image)
    if shape[:-1] != (() if count is None else (count,)) and not is_beside_greys(shape, image):
        return False
    values = as_array(label)
    return bool(((values == 0) | (values == 1)).all() and (values == 1).any())


def is_beside_greys(shape: tuple[int, ...], image: Any) -> bool:
    """Whether something of this shape may have a row for each of several grey images: no mask has as many."""
    of_image = tuple(getattr(image, "shape", ()))
    return len(of_image) == 3 and len(shape) == 2 and shape[0] == of_image[0] and shape != of_image[:2]


def count_of(image: Any) -> int | None:
    """How many images there are; None of a single one."""
    if isinstance(image, (list, tuple)):
        return len(image)
    shape = () if hasattr(image, "getbands") else tuple(getattr(image, "shape", ()))
    return int(shape[0]) if len(shape) == 4 else None


def _target_beside(item: Any) -> Any:
    """The second of two."""
    return item[1] if isinstance(item, Sequence) and not isinstance(item, (str, bytes)) and len(item) == 2 else None


def _is_of_voc(value: Any) -> bool:
    """Whether it is what VOC's files have, as torchvision reads them; without an object they name none."""
    annotation = value.get("annotation") if isinstance(value, Mapping) else None
    if not isinstance(annotation, Mapping):
        return False
    objects = annotation.get("object", [] if "filename" in annotation else None)
    return isinstance(objects, list) and all(isinstance(each, Mapping) and "bndbox" in each for each in objects)


def _target_of_voc(annotation: Mapping[str, Any]) -> dict[str, Any]:
    objects = annotation.get("object", [])
    try:
        corners = [[float(each["bndbox"][side]) for side in SIDES] for each in objects]
        labels = [str(each["name"]) for each in objects]
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"bndbox and name of some objects are something else; expected {', '.join(SIDES)}") from error
    return {"boxes": np.array(corners, np.float64).reshape(len(corners), 4), "labels": labels}


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
            yield from _parts(each, key_below(path, key))
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


def is_text(value: Any) -> bool:
    """Whether it is a text, or several of them."""
    if isinstance(value, (list, tuple)):
        return bool(value) and all(isinstance(each, str) for each in value)
    return isinstance(value, str) or getattr(getattr(value, "dtype", None), "kind", "") == "U"


def _are_doubtful_floats(value: Any, image: Any) -> bool:
    numbers = _floats_of(value)
    if numbers is None:
        return False
    count, shape = count_of(image), numbers.shape[:-1] if numbers.shape[-1:] == (1,) else numbers.shape
    # Of images the sides, in either order of the axes.
    of_image = tuple(getattr(image, "shape", ())) if not hasattr(image, "getbands") else (image.height, image.width)
    sides = [of_image[-2:], of_image[-3:-1]]
    if shape not in ((), (count,), of_image[:1]) and shape[-2:] not in sides:
        return False
    return bool(numbers.size and np.isfinite(numbers).all() and (numbers == np.rint(numbers)).all())
