"""Which panels there are, and what each is made from: what no chosen panel needs is not measured.

A measurement is named as its column in the table of samples is, or by one of the words below.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from augimpact.errors import DataError, unknown
from augimpact.measures import MEASURES

__all__ = [
    "CLIPPED", "COLOURS", "COMBINED", "CONTENT", "EVERYTHING", "MEAN_PICTURES", "NEEDS", "OBJECTS", "OF_BOXES",
    "OF_MASKS", "OUTERMOST", "PANEL_OF", "PERCEPTUAL", "PICTURES", "POSITIONS", "PROPERTIES", "SIZES", "THUMBNAILS",
    "Chosen", "chosen_panels",
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
    # Plain images are told from others by their entropy, and by the colours of all what rounding leaves nothing of.
    "duplicates": frozenset({CONTENT, PERCEPTUAL, "entropy", COLOURS}),
    "odd": frozenset({"brightness", "entropy", "sharpness"}),
    "drift": frozenset(MEASURES),
    "shortcuts": frozenset(MEASURES),
    "errors": frozenset(),
}
OF_MASKS: Mapping[str, frozenset[str]] = {
    "mask_classes": frozenset(),
    **dict.fromkeys(
        ("mask_objects", "object_area", "object_width", "object_height", "object_convexity", "object_erosion"),
        frozenset({OBJECTS}),
    ),
    # Maps are told of enough different images.
    "mask_positions": frozenset({POSITIONS, CONTENT}),
}
OF_BOXES: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("box_classes", "boxes", "box_area", "box_width", "box_height", "box_aspect"), frozenset()),
    "box_positions": frozenset({CONTENT}),
    "box_faults": frozenset(),
}
# In the order in which panels are read.
NEEDS: Mapping[str, frozenset[str]] = {**OF_IMAGES, **OF_MASKS, **OF_BOXES}
EVERYTHING: frozenset[str] = frozenset().union(*NEEDS.values())
# What images are compared by, in the order in which it is told; the panel of sizes is that of the last two.
SIZES = "sizes"
PROPERTIES = (*MEASURES, "aspect", "size")
PANEL_OF: Mapping[str, str] = {name: name if name in MEASURES else SIZES for name in PROPERTIES}
# Panels that tell of several at once, and of which. What is clipped has no panel of its own, and is always told.
ODD_IN = frozenset({"brightness", "entropy", "sharpness", "aspect", "size"})
COMBINED: Mapping[str, frozenset[str]] = {
    "extremes": ODD_IN,
    "odd": ODD_IN,
    "drift": frozenset(PROPERTIES),
    "shortcuts": frozenset(PROPERTIES),
    "broken": frozenset({*MEASURES, CLIPPED}),
}


@dataclass(frozen=True)
class Chosen:
    """What a profile shows.

    Attributes:
        panels: names of those that are made, where a dataset has them.
        properties: those of which the panels tell that tell of several, in the order of `PROPERTIES`.
        asked: panels that were named to be made; none where all are but some.
        left_out: panels that were named not to be made.
    """

    panels: frozenset[str] = frozenset(NEEDS)
    properties: tuple[str, ...] = PROPERTIES
    asked: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()

    @property
    def needs(self) -> frozenset[str]:
        """What is measured for these panels.

        >>> sorted(chosen_panels(["colours", "odd", "brightness"]).needs)
        ['brightness', 'colours']
        """
        unwanted = MEASURES.keys() - set(self.properties)
        return frozenset().union(*(NEEDS[name] - unwanted if name in COMBINED else NEEDS[name] for name in self.panels))


def chosen_panels(features: Sequence[str] | None) -> Chosen:
    """Which panels are made, where a dataset has them, and of what they tell.

    Panels of several properties tell of those of which a panel is named; of all that are not left out, if none is. One
    that has nothing to tell is not made.

    Args:
        features: names of panels that are made; or, with a `-` before each, that are not; None is all.

    Raises:
        DataError: there is no such panel, they are no names, or they leave no panel.

    >>> sorted(chosen_panels(["brightness", "colours", "-colours"]).panels)
    ['brightness']
    >>> chosen_panels(["-brightness", "-sizes"]).properties
    ('contrast', 'sharpness', 'saturation', 'entropy')
    """
    if isinstance(features, str):
        raise DataError(f"features is {features!r}; expected several, such as [{features!r}]")
    if not isinstance(features, Iterable | None) or not all(isinstance(name, str) for name in features or ()):
        raise DataError(f"features is {features!r}; expected names of panels, such as ['brightness']")
    given = list(features or ())
    left_out = frozenset(name.removeprefix("-") for name in given if name.startswith("-"))
    wanted = frozenset(name for name in given if not name.startswith("-"))
    for name in (*left_out, *wanted):
        if name not in NEEDS:
            # Masks and boxes have panels of like names, which few mean.
            meant = {**OF_MASKS, **OF_BOXES} if name.startswith(("mask", "object", "box")) else OF_IMAGES
            raise DataError(unknown("feature", name, meant))
    asked = wanted - left_out
    of_named = tuple(name for name in PROPERTIES if PANEL_OF[name] in asked)
    properties = of_named or tuple(name for name in PROPERTIES if PANEL_OF[name] not in left_out)
    silent = {name for name, each in COMBINED.items() if not each & {*properties, CLIPPED}}
    panels = (asked if wanted else frozenset(NEEDS) - left_out) - silent
    if not panels:
        raise DataError(f"features is {given!r}, which leaves no panel; expected at least one")
    return Chosen(panels, properties, asked, left_out)
