"""Which panels there are, and what each is made from: what no chosen panel needs is not measured.

A measurement is named as its column in the table of samples is, or by one of the words below.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from augimpact.errors import DataError, unknown
from augimpact.measures import MEASURES

__all__ = [
    "CLIPPED", "COLOURS", "CONTENT", "EVERYTHING", "MEAN_PICTURES", "NEEDS", "OBJECTS", "OUTERMOST", "PERCEPTUAL",
    "PICTURES", "POSITIONS", "THUMBNAILS", "chosen_panels", "needs_of",
]  # fmt: skip

# Columns beside the measures: the share of values at either end, and the hashes of content and look.
CLIPPED, CONTENT, PERCEPTUAL = "clipped", "content", "perceptual"
# How often each value is; the means of classes; pictures of drawn samples, and of the outermost ones.
COLOURS, MEAN_PICTURES, THUMBNAILS, OUTERMOST = "colours", "mean_pictures", "thumbnails", "outermost"
PICTURES = frozenset({THUMBNAILS, OUTERMOST})
# Of masks: the objects that they form, and where each class lies.
OBJECTS, POSITIONS = "objects", "positions"

# Sizes, labels, the pixels of a mask's classes and boxes come with finding out whether a sample can be used.
OF_IMAGES: Mapping[str, frozenset[str]] = {
    "summary": frozenset({COLOURS}),
    "broken": frozenset({*MEASURES, CLIPPED}),
    "classes": frozenset(),
    "sizes": frozenset(),
    **{name: frozenset({name}) for name in MEASURES},
    "colours": frozenset({COLOURS}),
    "mean_images": frozenset({MEAN_PICTURES}),
    "samples": frozenset({THUMBNAILS}),
    "extremes": frozenset({"brightness", "entropy", "sharpness", OUTERMOST}),
    # Plain images are told from others by their entropy.
    "duplicates": frozenset({CONTENT, PERCEPTUAL, "entropy"}),
    "odd": frozenset({"brightness", "entropy", "sharpness"}),
    "drift": frozenset(MEASURES),
    "shortcuts": frozenset(MEASURES),
    "errors": frozenset(),
}
OF_ANNOTATIONS: Mapping[str, frozenset[str]] = {
    "mask_classes": frozenset(),
    **dict.fromkeys(
        ("mask_objects", "object_area", "object_width", "object_height", "object_convexity", "object_erosion"),
        frozenset({OBJECTS}),
    ),
    "mask_positions": frozenset({POSITIONS}),
    **dict.fromkeys(
        ("box_classes", "boxes", "box_area", "box_width", "box_height", "box_aspect", "box_positions", "box_faults"),
        frozenset(),
    ),
}
# In the order in which panels are read.
NEEDS: Mapping[str, frozenset[str]] = {**OF_IMAGES, **OF_ANNOTATIONS}
EVERYTHING: frozenset[str] = frozenset().union(*NEEDS.values())


def chosen_panels(features: Sequence[str] | None) -> frozenset[str]:
    """The names of the panels that are made, where a dataset has them.

    Args:
        features: names of panels that are made; or, with a `-` before each, that are not; None is all.

    Raises:
        DataError: there is no such panel, or they are no names.

    >>> sorted(chosen_panels(["brightness", "colours", "-colours"]))
    ['brightness']
    """
    if isinstance(features, str):
        raise DataError(f"features is {features!r}; expected several, such as [{features!r}]")
    if not isinstance(features, Iterable | None) or not all(isinstance(name, str) for name in features or ()):
        raise DataError(f"features is {features!r}; expected names of panels, such as ['brightness']")
    given = list(features or ())
    left_out = {name.removeprefix("-") for name in given if name.startswith("-")}
    wanted = {name for name in given if not name.startswith("-")}
    for name in (*left_out, *wanted):
        if name not in NEEDS:
            # Masks and boxes have panels of like names, which few mean.
            meant = OF_ANNOTATIONS if name.startswith(("mask", "object", "box")) else OF_IMAGES
            raise DataError(unknown("feature", name, meant))
    return frozenset((wanted or set(NEEDS)) - left_out)


def needs_of(panels: Collection[str]) -> frozenset[str]:
    """What is measured for these panels.

    >>> sorted(needs_of(["colours", "brightness", "classes"]))
    ['brightness', 'colours']
    """
    return frozenset().union(*(NEEDS[name] for name in panels))
