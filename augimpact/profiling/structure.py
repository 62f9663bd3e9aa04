"""What in an item of somebody's loader is the image, and what the label: found by type, by its path, or asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from augimpact.errors import AmbiguousData, DataError, Option
from augimpact.profiling.paths import Place, key_below, part_at, steps_of
from augimpact.profiling.targets import (
    BOXES_EXPECTED,
    annotations_at,
    boxes_beside,
    boxes_like_at,
    count_of,
    doubtful_at,
    is_beside_greys,
    is_called_label,
    is_number_of,
    is_row_beside,
    is_text,
    target_of,
)

__all__ = ["Candidate", "Finder", "Found", "candidates_of", "describe", "kind_of", "value_at"]

Finder = str | Callable[[Any], Any] | None
# What an error lists at most.
LISTED = 20
# An array of whole numbers with sides so short is a row of labels, not a picture.
SMALLEST_SIDE = 5


class Candidate(NamedTuple):
    """A leaf of an item.

    path: how it is named; see `augimpact.profiling.paths`.
    kind: `image`, `label`, or `other`; what may be either is an image.
    told: its type, shape and dtype in words.
    """

    path: str
    kind: str
    told: str


class Found(NamedTuple):
    """The two parts of an item; the label is None where there is none.

    image_at, label_at: where they were found: what finds them in the next item.
    """

    image: Any
    label: Any
    image_at: Finder
    label_at: Finder


def candidates_of(item: Any) -> list[Candidate]:
    """All leaves of an item.

    >>> [(each.path, each.kind) for each in candidates_of((np.zeros((8, 8, 3)), {"label": 3, "name": "cat"}))]
    [('[0]', 'image'), ('[1].label', 'label'), ('[1].name', 'other')]
    """
    return [Candidate(path, kind_of(leaf), _told(leaf)) for path, leaf in _leaves(item, "")]


def value_at(item: Any, path: str) -> Any:
    """What a path leads to.

    Raises:
        DataError: it leads nowhere; the sentence has the item's structure.

    >>> value_at(("x", {"masks": [1, 2]}), "[1].masks[0]")
    1
    """
    value = item
    for step in steps_of(path):
        try:
            if isinstance(path, Place) and not path.leads_into(value):
                raise TypeError(type(value))
            value = part_at(value, step)
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise DataError(f"there is no {path!r} in an item of the loader:\n{describe(item)}") from error
    return value


def describe(item: Any) -> str:
    """The structure of an item, a line a leaf: path, type, shape and dtype."""
    leaves = candidates_of(item)
    lines = [f"  {_named(each)}" for each in leaves[:LISTED]]
    return "\n".join(lines + ([f"  … and {len(leaves) - LISTED} more"] if len(leaves) > LISTED else []))


def split_item(item: Any, images: Finder, labels: Finder, *, floats: bool = True) -> Found:
    """The image and the label of an item.

    Args:
        item: what a loader gives.
        images: where the image is: a path, a function of the item, or None to find it by its type.
        labels: likewise.
        floats: whether floats in the place of a label may be classes.

    Raises:
        DataError: a path leads nowhere.
        AmbiguousData: there are several images, or labels, to choose from, or no image is found.
    """
    leaves = candidates_of(item) if images is None or labels is None else []
    if images is None:
        pictures = _pictures_in(item, leaves)
        images = _first_of_two(item, pictures, labels)
        if images is None:
            raise _asked(item, "images", pictures)
        images = Place(images)
    image = images(item) if callable(images) else value_at(item, images)
    if images == "" and isinstance(images, Place) and isinstance(item, (tuple, Mapping)):
        raise DataError(f"an item of the loader has parts; expected an image alone, as before it:\n{describe(item)}")
    if labels is None:
        labels = _label_in(item, leaves, images, image, floats)
        labels = Place(labels) if isinstance(labels, str) else labels
    if labels is None:
        return Found(image, None, images, None)
    label = labels(item) if callable(labels) else value_at(item, labels)
    # Of most items it is a number or an array, which takes no look at all of it.
    if isinstance(labels, str) and isinstance(label, (list, tuple, Mapping)) and labels == annotations_at(item):
        labels = partial(_boxes_at, labels, images)
        label = labels(item)
    return Found(image, label, images, labels)


def _pictures_in(item: Any, leaves: Sequence[Candidate]) -> list[str]:
    """The paths of what may be the image, or its mask."""
    beside = "[1]" if boxes_beside(item) is not None and not isinstance(item, Mapping) else annotations_at(item)
    if beside and not isinstance(item, Mapping) and isinstance(item[0], (list, tuple)):
        return ["[0]"]
    # Whatever a target has beside its boxes is no image.
    pictures = [each.path for each in leaves if each.kind == "image" and not (beside and each.path.startswith(beside))]
    shapes = {path: tuple(getattr(value_at(item, path), "shape", ())) for path in pictures}
    batches = {shape[:1] for shape in shapes.values() if len(shape) == 4}
    # Beside a batch, a row for each image.
    rows = {path for path in pictures if len(shapes[path]) == 2 and shapes[path][:1] in batches}
    rows |= {path for path in pictures for other in pictures if is_beside_greys(shapes[path], value_at(item, other))}
    return [path for path in pictures if path not in rows]


def _label_in(item: Any, leaves: Sequence[Candidate], images: Finder, image: Any, floats: bool) -> Finder:
    """Where the label is; None if there is none."""
    if boxes_beside(item) is not None:
        return "" if isinstance(item, Mapping) else "[1]"
    path = annotations_at(item)
    if path is not None:
        return partial(_boxes_at, path, images)
    path = boxes_like_at(item, image)
    if path is not None:
        told = f"{path!r} looks like boxes, and it cannot be told how they are meant"
        raise AmbiguousData(f"{told}; {BOXES_EXPECTED}:\n{describe(item)}", "labels", [])
    others = [
        (each, value_at(item, each.path)) for each in leaves if each.path != images and not is_number_of(each.path)
    ]
    # A class, a mask, which any other image beside the first may be, or classes as a row of floats.
    found = [
        each.path
        for each, value in others
        if value is not image
        and (
            each.kind == "label"
            or (each.kind == "image" and _may_be_mask(value))
            or (floats and is_row_beside(value, image))
        )
    ]
    if len(found) > 1:
        raise _asked(item, "labels", found)
    path = doubtful_at(item, image, floats=floats)
    if path is not None and (not found or isinstance(item, Mapping)) and not any(map(is_called_label, found)):
        raise _in_doubt(item, path, found)
    return found[0] if found else None


def _boxes_at(path: str, images: Finder, item: Any) -> Any:
    """The boxes of COCO's annotations, of an item that has some."""
    target = target_of(value_at(item, path))
    image = images(item) if callable(images) else value_at(item, images or "")
    # Torch's loader leaves a batch of one without a list of its own.
    return [target] if isinstance(target, Mapping) and count_of(image) is not None else target


def _first_of_two(item: Any, pictures: Sequence[str], labels: Finder) -> str | None:
    """The path of the image, if it can be no other."""
    pictures = [path for path in pictures if path != labels]
    if len(pictures) == 2:
        # An image and its mask of classes.
        masks = [path for path in pictures if _may_be_mask(value_at(item, path))]
        pictures = [path for path in pictures if path not in masks] if len(masks) == 1 else pictures
    return pictures[0] if len(pictures) == 1 else None


def _asked(item: Any, what: str, paths: Sequence[str]) -> AmbiguousData:
    """What asks for a path; where none is likely, for that of any array."""
    arrays = [path for path, leaf in _leaves(item, "") if hasattr(leaf, "shape")]
    named = {each.path: _named(each) for each in candidates_of(item)}
    options = [Option(named[path], {what: path}) for path in paths or arrays]
    if not paths:
        asked = f"pass {what}=PATH or a function of the item"
        message = f"no {what} are found in an item of the loader; {asked}:\n{describe(item)}"
    else:
        choice = " or ".join(f"{what}={path!r}" for path in paths[:LISTED])
        message = f"the {what} of an item could be any of {len(paths)}; pass {choice}:\n{describe(item)}"
    return AmbiguousData(message, what, options)


def _in_doubt(item: Any, path: str, others: Sequence[str]) -> AmbiguousData:
    """What asks whether something is a label, or one of others."""
    value = value_at(item, path)
    what, meant = (
        ("a text", "it names a class") if is_text(value) else ("whole numbers, as floats", "these are classes")
    )
    choice = "".join(f"labels={each!r} where that is the label, or " for each in others)
    told = f"{path!r} is {what}; pass labels={path!r} where {meant}, or {choice}labels=lambda item: None"
    options = [Option(f"{each}: {_told(value_at(item, each))}", {"labels": each}) for each in (path, *others)]
    return AmbiguousData(f"{told}:\n{describe(item)}", "labels", options)


def _named(leaf: Candidate) -> str:
    return f"{leaf.path or '(the item itself)'}: {leaf.told}"


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _leaves(each, key_below(path, key))
    elif hasattr(value, "_fields"):
        for key in value._fields:
            yield from _leaves(getattr(value, key), f"{path}.{key}")
    elif isinstance(value, (tuple, list)) and not _is_batch(value):
        for number, each in enumerate(value):
            yield from _leaves(each, f"{path}[{number}]")
    else:
        yield path, value


def _is_batch(value: Sequence[Any]) -> bool:
    """Whether it is a list of many images, or of many labels, rather than the parts of an item."""
    if not isinstance(value, list) or not value:
        return False
    kinds = {kind_of(each) for each in value}
    return len(kinds) == 1 and kinds <= {"image", "label"} and (len(value) > 2 or kinds == {"label"})


def kind_of(leaf: Any) -> str:
    """What a leaf is by its type: `image`, `label` or `other`; of a list that of its first."""
    if isinstance(leaf, list):
        return kind_of(leaf[0]) if leaf else "other"
    if isinstance(leaf, (bool, int, np.integer, np.bool_)):
        return "label"
    if hasattr(leaf, "getbands"):
        return "image"
    shape = getattr(leaf, "shape", None)
    if shape is None or not hasattr(leaf, "dtype") or is_text(leaf):
        return "other"
    numeric = "complex" not in str(leaf.dtype) and "object" not in str(leaf.dtype)
    if not numeric:
        return "other"
    if len(shape) >= 2 and sorted(shape)[-2] >= SMALLEST_SIDE and min(shape[-2:]) >= 1 and len(shape) <= 4:
        return "image" if not (len(shape) == 2 and shape[-1] in (4, 5)) else "label"
    return "label" if len(shape) <= 2 and "float" not in str(leaf.dtype) else "other"


def _may_be_mask(leaf: Any) -> bool:
    """Whole numbers without channels: (H, W), (B, H, W), or with a single channel."""
    if isinstance(leaf, list):
        return _may_be_mask(leaf[0])
    if hasattr(leaf, "getbands"):
        return leaf.mode in ("L", "P", "1", "I")
    shape = tuple(leaf.shape)
    whole = not any(word in str(leaf.dtype) for word in ("float", "complex"))
    return whole and (len(shape) == 2 or (len(shape) in (3, 4) and 3 not in (shape[-1], shape[-3])))


def _told(leaf: Any) -> str:
    if isinstance(leaf, list):
        return f"list of {len(leaf)}, the first {_told(leaf[0])}" if leaf else "empty list"
    name = type(leaf).__name__
    if hasattr(leaf, "getbands"):
        return f"{name} of {leaf.width}×{leaf.height}, mode {leaf.mode}"
    if hasattr(leaf, "shape") and hasattr(leaf, "dtype"):
        return f"{name} of shape {tuple(leaf.shape)}, {str(leaf.dtype).removeprefix('torch.')}"
    return name
