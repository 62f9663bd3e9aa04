"""What masks and boxes say beyond classes: which of the two a dataset has is seen by its labels.

`segmentation` and `detection` measure the objects, in tables of like columns; `object_panels` and `positions` make
panels of these. Masks take long, and are measured where their images are, on any thread; then both are taken in, in
order.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from augimpact.profiling.detection import FAULTS, UNLABELLED, Boxes
from augimpact.profiling.measuring import Measured
from augimpact.profiling.naming import AUGMENTED, WITHOUT_CLASS, Naming
from augimpact.profiling.needs import EVERYTHING
from augimpact.profiling.object_panels import APART, Objects, Splits, areas, by_class, counts, sides, spread
from augimpact.profiling.objects import GRID, Numbers
from augimpact.profiling.panel import COLOURS, Panel
from augimpact.profiling.positions import positions
from augimpact.profiling.segmentation import MaskNumbers, Masks
from augimpact.profiling.source import Sample
from augimpact.profiling.white import Whites

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Annotations", "annotation_panels"]

# What is less convex is ragged, or has holes; what loses more by erosion is thin; beyond it a box is a strip.
RAGGED, THIN, STRIP = 0.5, 0.9, 5.0
# What boxes have that are no pixels; and what is to be done about it.
FIRST = "within_the_first_pixel"
PIXELS = "pixels are expected, of a function that labels= takes and that multiplies by the image's width and height"
# Cuts of a histogram, and images that a list names.
BINS, LISTED = 40, 12
# What the class is called that is none.
BACKGROUND = frozenset({"background", "bg"})


class Annotations:
    """The annotations of one split, sample by sample.

    Args:
        ignored: classes of masks and boxes that do not count.
        classes: how many there are, if that is known: one beyond is an error.
        needs: what is measured of masks, see `augimpact.profiling.needs`.
        whites: tell what white is in masks, of those of all splits; by default of these alone.
    """

    def __init__(
        self,
        ignored: Sequence[int] = (),
        classes: int | None = None,
        needs: Collection[str] = EVERYTHING,
        whites: Whites | None = None,
    ) -> None:
        self.ignored = frozenset(ignored)
        self.masks, self.boxes = Masks(ignored, classes, needs, whites), Boxes(ignored, classes)

    @property
    def classes(self) -> frozenset[int]:
        """The classes that were seen."""
        return self.masks.classes | self.boxes.classes

    def measured(self, sample: Sample) -> MaskNumbers | None:
        """What is kept of a sample's mask, if it has one. Changes nothing, so that any thread may do it.

        Raises:
            DataError: the mask cannot be used.
        """
        return self.masks.measured(sample.label, tuple(sample.image.shape[:2]))

    def take(self, seen: Measured, mask: MaskNumbers | None, content: Hashable = None) -> bool:
        """Takes in the mask or the boxes of a sample, and tells whether it has either.

        Args:
            seen: what was measured of it.
            mask: of its mask, if it has one.
            content: what tells its image, before augmentation, from others; by default its number.

        Raises:
            DataError: the boxes cannot be used.
        """
        if mask is not None:
            self.masks.take(seen.number, mask, content)
            return True
        return self.boxes.add(seen.number, seen.label, (seen.shape[0], seen.shape[1]), content)


def annotation_panels(
    splits: Mapping[str, Annotations], naming: Naming, *, shows_samples: bool, complete: bool
) -> list[Panel]:
    """Those of masks, or of boxes; none where there are only classes.

    Args:
        splits: all annotations.
        naming: of their classes.
        shows_samples: whether single samples may be seen.
        complete: whether all samples were seen.
    """
    masks = {split: each.masks for split, each in splits.items() if each.masks.images}
    boxes = {split: each.boxes for split, each in splits.items() if each.boxes.images}
    left_out = naming.hidden.union(*(each.ignored for each in splits.values()))
    known = {number: naming.label(number) for number in naming.known if number not in left_out}
    made = _of_masks(masks, naming, list(known.values()), shows_samples, complete) if masks else []
    if boxes:
        if _is_background(naming.classes[:1]) and not any(0 in each.classes for each in boxes.values()):
            # Detectors count it as a class, of which there is no box.
            known.pop(0, None)
        made += _of_boxes(boxes, naming, list(known.values()), shows_samples, complete)
    return made


def _is_background(names: Sequence[str]) -> bool:
    return any(name.strip("_ ").casefold() in BACKGROUND for name in names)


def _of_masks(
    masks: Mapping[str, Masks], naming: Naming, known: Sequence[str], shows_samples: bool, complete: bool
) -> list[Panel]:
    splits = {split: _named(each, naming) for split, each in masks.items()}
    pixels = {split: _with_names(each.pixels, naming) for split, each in masks.items()}
    return [
        _mask_classes(pixels, splits, known, complete),
        counts("mask_objects", "Objects", "objects", splits),
        areas("object_area", "Object area", "objects", splits),
        *sides("object", "objects", splits),
        spread(
            "object_convexity", "Object convexity", splits, "convexity", np.linspace(0, 1, BINS + 1),
            "area of the object over that of its convex hull",
            lambda values: f"{(values < RAGGED).mean():.1%} are below {RAGGED:g}",
            "Worry about low values: objects that are ragged, torn, or full of holes.",
        ),
        spread(
            "object_erosion", "Object erosion", splits, "erosion", np.linspace(0, 1, BINS + 1),
            "share of the object's area that a 3 × 3 erosion takes",
            lambda values: f"{(values > THIN).mean():.1%} lose more than {THIN:.0%}",
            "Worry about high values: objects so thin or small that a scaled-down mask loses them.",
        ),
        positions(
            "mask_positions", "Mask positions", "in which share of the images a class covers a place", splits,
            shows_samples=shows_samples, have_gaps=True,
        ),
    ]  # fmt: skip


def _of_boxes(
    boxes: Mapping[str, Boxes], naming: Naming, known: Sequence[str], shows_samples: bool, complete: bool
) -> list[Panel]:
    splits = {split: _named(each, naming) for split, each in boxes.items()}
    return [
        *_box_classes(splits, known, complete),
        counts("boxes", "Boxes", "boxes", splits),
        areas("box_area", "Box area", "boxes", splits),
        *sides("box", "boxes", splits),
        spread(
            "box_aspect", "Box aspect", splits, "aspect", np.geomspace(1 / 16, 16, BINS + 1), "width over height",
            lambda values: f"{((values > STRIP) | (values < 1 / STRIP)).mean():.1%} are beyond 1 : {STRIP:g}",
            f"{APART}, or boxes are strips: anchors and crops seldom fit those.",
        ),
        positions(
            "box_positions", "Box positions", "how many boxes cover a place, in the mean image", splits,
            shows_samples=shows_samples,
        ),
        _faults(boxes),
    ]  # fmt: skip


def _named(found: Masks | Boxes, naming: Naming) -> Objects:
    maps: dict[str, Numbers] = {}
    different: dict[str, frozenset[Hashable]] = {}
    for number, each in found.maps.items():
        name = _name(number, naming)
        maps[name] = maps.get(name, np.zeros((GRID, GRID))) + each
        different[name] = different.get(name, frozenset()) | found.different.get(number, frozenset())
    return Objects(found.images, _with_names(found.objects, naming), maps, different)


def _with_names(table: pd.DataFrame, naming: Naming) -> pd.DataFrame:
    # As objects, see `Naming.labels`.
    names = [_name(number, naming) for number in table["class"].tolist()]
    return table.assign(name=pd.Series(names, table.index, dtype=object))


def _name(number: int, naming: Naming) -> str:
    return WITHOUT_CLASS if number == UNLABELLED else naming.label(number)


def _mask_classes(pixels: Mapping[str, pd.DataFrame], splits: Splits, known: Sequence[str], complete: bool) -> Panel:
    found: dict[str, Any] = {}
    for split, table in pixels.items():
        total = max(1.0, table["pixels"].sum())
        found[split] = {
            str(name): {"share": float(rows["pixels"].sum() / total), "images": rows["image"].nunique()}
            for name, rows in table.groupby("name")
        }
    statistics = {split: {"images": splits[split].images, "classes": each} for split, each in found.items()}
    return by_class(
        "mask_classes", "Classes of the masks", "Which share of the pixels is whose, and which images have it",
        statistics, "share", "share of the pixels", known, complete=complete,
    )  # fmt: skip


def _box_classes(splits: Splits, known: Sequence[str], complete: bool) -> list[Panel]:
    if all((each.table["class"] == UNLABELLED).all() for each in splits.values()):
        return []
    statistics = {
        split: {
            "images": each.images,
            "classes": {
                str(name): {"boxes": len(rows), "images": rows["image"].nunique()}
                for name, rows in each.table.groupby("name")
            },
        }
        for split, each in splits.items()
    }
    return [by_class(
        "box_classes", "Classes of the boxes", "How many boxes each class has, and which images have it",
        statistics, "boxes", "boxes", known, complete=complete,
    )]  # fmt: skip


def _faults(boxes: Mapping[str, Boxes]) -> Panel:
    """What is wrong with the boxes as they were given: augmented, they are clipped to the image."""
    wrong = {name.replace(" ", "_"): number for number, name in enumerate(FAULTS) if number}
    tables = {split: each.given for split, each in boxes.items() if not split.endswith(AUGMENTED)}
    statistics: dict[str, dict[str, Any]] = {
        split: {"boxes": len(table)}
        | {way: _images_of(table.loc[table["fault"] == number, "image"]) for way, number in wrong.items()}
        for split, table in tables.items()
    }
    counts = {split: [each[way]["count"] for way in wrong] for split, each in statistics.items()}

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        width = 0.8 / len(counts)
        for place, (split, each) in enumerate(counts.items()):
            at = np.arange(len(wrong)) + (place - (len(counts) - 1) / 2) * width
            axes.bar(at, each, width, color=COLOURS[list(boxes).index(split)], label=split)
        axes.set_xticks(np.arange(len(wrong)), FAULTS[1:])
        axes.set(ylabel="boxes", ylim=(0, None if any(map(any, counts.values())) else 1))
        axes.locator_params("y", integer=True)
        axes.legend()

    told = "; ".join(
        f"in {split} {', '.join(f'{count} {name}' for count, name in zip(each, FAULTS[1:], strict=True))}"
        for split, each in counts.items()
    )
    in_shares = [split for split, each in statistics.items() if each[FIRST]["count"] > each["boxes"] / 2]
    shares = f" Most boxes in {' and '.join(in_shares)} have shares of width and height: {PIXELS}." if in_shares else ""
    return Panel(
        "box_faults", "Faulty boxes", statistics,
        f"Boxes that leave their image, have no area, or are smaller than a pixel: {told}. Worry about each of the "
        f"last three, and about many of the first: order, unit or size of the corners may be wrong.{shares}", draw,
    )  # fmt: skip


def _images_of(boxes: pd.Series[int]) -> dict[str, Any]:
    """How many boxes there are, and in which images."""
    images = boxes.unique()
    return {"count": len(boxes), "image_count": len(images), "images": images[:LISTED]}
