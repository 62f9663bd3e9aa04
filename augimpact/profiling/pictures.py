"""The panels that show pictures: the means of classes, samples, the outermost images."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from augimpact.profiling.class_sums import FEWEST, Sums
from augimpact.profiling.classes import most_frequent
from augimpact.profiling.collect import EXTREMES, Collected, Extreme
from augimpact.profiling.naming import AUGMENTED, WITHOUT_CLASS, Naming, natural, short
from augimpact.profiling.panel import Panel, draw_pictures
from augimpact.profiling.statistics import EQUAL, LIKE_SIZE, fences

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["extremes", "mean_images", "samples"]

# What the mean of images without a class is called where none has one.
ALL = "all"
# Classes whose means a figure shows.
MEANS = 15
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


class _Mean(NamedTuple):
    """Of the small images of a class: how many, their mean, and by how much they vary, `(32, 32, 3)`, 0 to 255."""

    images: int
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]


def mean_images(splits: Mapping[str, Collected], naming: Naming, shows_samples: bool) -> list[Panel]:
    """Mean images of classes that are not hidden, and have `FEWEST` different images, of the first split.

    Of classes with fewer as well, where single images may be seen anyway. Where no image has a class, that of all.
    """
    split = next(iter(splits))
    sums = {each: splits[each].means for each in (split, split + AUGMENTED) if each in splits}
    bare = ALL if sums[split].keys() == {None} else WITHOUT_CLASS
    shown = {label: bare if label is None else naming.label(label) for label in sums[split].keys() - naming.hidden}
    told = {label: name for label, name in shown.items() if shows_samples or not _is_of_few(sums[split][label])}
    if not told:
        return []
    means = {
        each: {
            name: _mean_of(of_split[label])
            for label, name in sorted(told.items(), key=lambda item: natural(item[1]))
            # Augmented, one image is several different ones, and several may be one.
            if label in of_split and (shows_samples or not _is_of_few(of_split[label]))
        }
        for each, of_split in sums.items()
    }
    statistics = {each: {name: _told_of(mean) for name, mean in found.items()} for each, found in means.items()}
    ranked = sorted((name for name in means[split] if name != bare), key=lambda name: -means[split][name].images)
    in_figure = {bare, *ranked[:MEANS]}

    def draw(figure: Figure) -> None:
        pictures, captions = [], []
        for name in means[split]:
            if name in in_figure:
                several = {each: found[name] for each, found in means.items() if name in found}
                most = max(mean.deviation.max() for mean in several.values())
                pictures += [_beside(mean, most) for mean in several.values()]
                captions += [f"{name}\n{each}" if len(means) > 1 else name for each in several]
        draw_pictures(figure, pictures, captions, CAPTIONED if len(means) > 1 else IN_A_ROW // 2)

    if ranked:
        of = most_frequent(len(ranked), MEANS) or "each class"
        of += f" of at least {FEWEST} different images" if len(told) < len(shown) else ""
        worry = "Worry when the mean gives the class away: then place or background tell it."
    else:
        of = "all images" if bare == ALL else "the images without a class"
        worry = "Worry when more than a blur is seen in the mean: then place or background are alike in most of them."
    sentence = f"The mean of {of} in {' and in '.join(means)}, and beside it how much it varies. {worry}"
    return [Panel("mean_images", "Mean images", statistics, sentence, draw, True)]


def _is_of_few(sums: Sums) -> bool:
    return len(sums.different) < FEWEST


def _mean_of(sums: Sums) -> _Mean:
    mean = sums.total / sums.images
    return _Mean(sums.images, mean, np.sqrt(np.maximum(sums.squares / sums.images - mean**2, 0)))


def _told_of(found: _Mean) -> dict[str, float]:
    return {"images": found.images, "mean": found.mean.mean() / 255, "deviation": found.deviation.mean() / 255}


def _beside(found: _Mean, most: float) -> NDArray[np.uint8]:
    """The mean, and beside it how much it varies, the most as white."""
    pair = np.hstack([found.mean, found.deviation * 255 / max(1e-9, most)])
    return _enlarged(np.clip(np.rint(pair), 0, 255).astype(np.uint8))


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
