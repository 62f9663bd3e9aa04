"""The panels that show pictures: the means of classes, samples, the outermost images."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from augimpact.profiling.class_sums import FEWEST
from augimpact.profiling.collect import EXTREMES, Collected, Extreme
from augimpact.profiling.naming import WITHOUT_CLASS, Naming, natural, short
from augimpact.profiling.panel import Panel, draw_pictures
from augimpact.profiling.statistics import EQUAL, LIKE_SIZE, fences

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["extremes", "mean_images", "samples"]

# What the mean of images without a class is called where none has one.
ALL = "all"
# Classes whose means a figure shows.
SHOWN = 30
# Letters of a line of a caption, of many pictures in a row and of fewer.
FEW_LETTERS, LETTERS = 11, 18
# Pictures in a row.
IN_A_ROW = 6
# So many fit where captions say more.
CAPTIONED = 4
# Of what is no measure of the pixels, but what any image has: shown only where it is far from the others.
SHAPES = ("size", "aspect")
# What images are called that are outermost in a measure.
OUTERMOST = {"dark": "darkest", "light": "lightest", "plain": "plainest", "blurred": "most blurred"}


def mean_images(splits: Mapping[str, Collected], naming: Naming, shows_samples: bool) -> list[Panel]:
    """Mean images of classes that are not hidden, and have `FEWEST` different images.

    Of classes with fewer as well, where single images may be seen anyway. Where no image has a class, that of all.
    """
    split, collected = next(iter(splits.items()))
    bare = ALL if collected.means.keys() == {None} else WITHOUT_CLASS
    merged: dict[str, list[Any]] = {}
    for label, (count, different, total, squares) in collected.means.items():
        if label in naming.hidden or (len(different) < FEWEST and not shows_samples):
            continue
        name = bare if label is None else naming.label(label)
        known = merged.setdefault(name, [0, 0.0, 0.0])
        known[0], known[1], known[2] = known[0] + count, known[1] + total, known[2] + squares
    if not merged:
        return []
    means = {name: total / count for name, (count, total, _) in merged.items()}
    deviations = {
        name: np.sqrt(np.maximum(squares / count - (total / count) ** 2, 0))
        for name, (count, total, squares) in merged.items()
    }
    names = sorted(means, key=natural)
    statistics = {
        name: {"images": merged[name][0], "mean": means[name].mean() / 255, "deviation": deviations[name].mean() / 255}
        for name in names
    }

    def draw(figure: Figure) -> None:
        shown = names[: SHOWN // 2]
        pairs = [np.hstack([means[name], deviations[name] * 255 / max(1e-9, deviations[name].max())]) for name in shown]
        large = [_enlarged(np.clip(np.rint(pair), 0, 255).astype(np.uint8)) for pair in pairs]
        draw_pictures(figure, large, shown, IN_A_ROW // 2)

    of = {ALL: "all images", WITHOUT_CLASS: "the images without a class"}.get(names[0]) if len(names) == 1 else None
    worry = (
        "Worry when the mean gives the class away: then place or background tell it."
        if of is None
        else "Worry when more than a blur is seen in the mean: then place or background are alike in most of them."
    )
    sentence = f"The mean of {of or 'each class'} in {split}, and beside it how much it varies. {worry}"
    return [Panel("mean_images", "Mean images", statistics, sentence, draw, True)]


def _enlarged(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Three times as large."""
    image = Image.fromarray(picture)
    return np.asarray(image.resize((image.width * 3, image.height * 3), Image.Resampling.BICUBIC))


def samples(splits: Mapping[str, Collected], naming: Naming) -> list[Panel]:
    """Samples, drawn evenly, with their split, index and class."""
    thumbnails = [(split, *each) for split, collected in splits.items() for each in collected.thumbnails]
    if not thumbnails:
        return []
    labels = [naming.label(int(label)) if isinstance(label, (int, np.integer)) else "" for _, _, label, _ in thumbnails]
    places = [_place(split, index, FEW_LETTERS) for split, index, _, _ in thumbnails]
    captions = [f"{place}\n{label}" if label else place for place, label in zip(places, labels, strict=True)]

    def draw(figure: Figure) -> None:
        draw_pictures(figure, [picture for *_, picture in thumbnails], captions, IN_A_ROW)

    statistics = {
        "splits": [split for split, *_ in thumbnails],
        "indices": [index for _, index, _, _ in thumbnails],
        "classes": labels,
    }
    sentence = "Some samples of each split, drawn evenly, with their index. Worry about wrong labels."
    return [Panel("samples", "Samples", statistics, sentence, draw, True)]


def _place(split: str, index: int, letters: int) -> str:
    """Where a sample is found, in as many lines as that needs."""
    return textwrap.fill(f"{split} {index}", letters)


def extremes(splits: Mapping[str, Collected], naming: Naming, properties: Collection[str]) -> list[Panel]:
    """The outermost images themselves in these properties; by size and aspect only those that are odd."""
    frames = {split: each.frame.set_index("index") for split, each in splits.items() if each.extremes}
    shown = [
        (split, kind, extreme)
        for split, frame in frames.items()
        for kind, several in splits[split].extremes.items()
        if EXTREMES[kind][0] in properties
        for extreme in _odd_of(kind, several, frame)
    ]
    if not shown:
        return []
    captions = [_caption(split, kind, extreme, frames[split], naming) for split, kind, extreme in shown]
    statistics: dict[str, Any] = {}
    for split, kind, extreme in shown:
        found = statistics.setdefault(split, {}).setdefault(kind, {"indices": [], "values": []})
        found["indices"].append(extreme.number)
        found["values"].append(extreme.value)

    def draw(figure: Figure) -> None:
        draw_pictures(figure, [extreme.picture for _, _, extreme in shown], captions, CAPTIONED)

    sentence = f"{_told_of_outermost(properties)}. Worry when nobody could name them."
    return [Panel("extremes", "Outermost images", statistics, sentence, draw, True)]


def _told_of_outermost(properties: Collection[str]) -> str:
    """In words: the darkest, lightest, plainest and most blurred images, and those of an odd size or aspect."""
    words = [word for kind, word in OUTERMOST.items() if EXTREMES[kind][0] in properties]
    told = f"The {', '.join(words[:-1])}{' and ' if len(words) > 1 else ''}{words[-1]} images" if words else ""
    if not set(SHAPES) & set(properties):
        return told
    return f"{told}, and those of an odd size or aspect" if told else "The images of an odd size or aspect"


def _odd_of(kind: str, several: Sequence[Extreme], frame: pd.DataFrame) -> Sequence[Extreme]:
    """Of images that are outermost in their shape those beyond the fences: among equal ones some are always first."""
    name = EXTREMES[kind][0]
    if name not in SHAPES:
        return several
    width, height = (frame[side].to_numpy(np.float64) for side in ("width", "height"))
    low, high = fences(np.log2(width * height) / 2 if name == "size" else np.log2(width / height), LIKE_SIZE)
    return [extreme for extreme in several if not low - EQUAL <= np.log2(extreme.value) <= high + EQUAL]


def _caption(split: str, kind: str, extreme: Extreme, frame: pd.DataFrame, naming: Naming) -> str:
    """What it is and how much; below it where it is found, and its class."""
    # Of whole numbers alone: beside a measure they would be fractions.
    row = frame[["width", "height", "label"]].loc[extreme.number].to_dict()
    told = f"{row['width']}×{row['height']}" if EXTREMES[kind][0] in SHAPES else f"{extreme.value:.2g}"
    name = f"\n{short([naming.label(row['label'])])[0]}" if row["label"] >= 0 else ""
    return f"{kind} {told}\n{_place(split, extreme.number, LETTERS)}{name}"
