"""What one pass over a dataset keeps: some numbers a sample, a picture a class, and histograms; never the images."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from augimpact.errors import DataError
from augimpact.measures import LEVELS, MEASURES
from augimpact.profiling.class_labels import ClassLabels
from augimpact.profiling.class_sums import ClassSums
from augimpact.profiling.measuring import Measured, as_rgb
from augimpact.profiling.needs import (
    CLIPPED,
    CONTENT,
    EVERYTHING,
    MEAN_PICTURES,
    OUTERMOST,
    PERCEPTUAL,
    THUMBNAILS,
)
from augimpact.profiling.ranges import Evidence
from augimpact.profiling.source import Failure

__all__ = ["COARSE", "THUMBNAIL", "Collected", "normalisation"]

# The side of the pictures of samples.
THUMBNAIL = 96
# In levels of a byte. Rounding changes a deviation of so much by some 1 %, and of what deviates by less it may leave
# nothing.
COARSE = 2
# Samples whose numbers are kept in lists before they become arrays.
BLOCK = 4096
# Of which measure, and of which end of it, the outermost samples are shown; how many of each.
EXTREMES = {"dark": ("brightness", 1), "light": ("brightness", -1), "plain": ("entropy", 1),
            "blurred": ("sharpness", 1), "small": ("size", 1), "large": ("size", -1), "narrow": ("aspect", 1),
            "wide": ("aspect", -1)}  # fmt: skip
KEPT = 4
ALWAYS = ("index", "label", "width", "height", "channels")
# Numbers of channels that loaders convert to RGB.
RGB_LIKE = frozenset({1, 3, 4})
# Columns that are there if something needs them.
MEASURED = (*MEASURES, CLIPPED, CONTENT, PERCEPTUAL)
KINDS: dict[str, Any] = {
    "index": np.int64, CONTENT: object, "label": np.int64, "width": np.int32, "height": np.int32, "channels": np.int32,
    **dict.fromkeys((*MEASURES, CLIPPED), np.float64), PERCEPTUAL: np.uint64,
}  # fmt: skip


class Extreme(NamedTuple):
    """A sample that is further out than nearly all: by what it is sorted, its measure, number, label and thumbnail."""

    key: float
    value: float
    number: int
    label: Any
    picture: NDArray[np.uint8]


class Collected:
    """The statistics of one split, sample by sample.

    Some 100 bytes are kept of each sample, so that quantiles and distances are exact.

    Args:
        samples: how many thumbnails are kept, drawn evenly from all with the seed; 0 keeps no picture of a sample.
        seed: of that draw.
        classes: how many there are, if that is known: a label beyond is an error.
        needs: what is kept, as `measured_from` has it.
        evidence: of the ranges of the images, which grows while they are decoded.

    Attributes:
        hidden: the numbers of the samples of which no more is told than that they are there.
    """

    def __init__(
        self,
        *,
        samples: int = 0,
        seed: int = 0,
        classes: int | None = None,
        needs: Collection[str] = EVERYTHING,
        evidence: Evidence | None = None,
    ) -> None:
        self.errors: list[Failure] = []
        self.hidden: set[int] = set()
        self.evidence = evidence or Evidence()
        self._labels = ClassLabels(classes)
        self.colours: dict[int, NDArray[np.int64]] = {}
        self.means = ClassSums()
        self.thumbnails: list[tuple[int, Any, NDArray[np.uint8]]] = []
        self.extremes: dict[str, list[Extreme]] = {}
        self._samples, self._needs = samples, needs
        self._columns = (*ALWAYS, *(name for name in MEASURED if name in needs))
        self._random = np.random.default_rng(seed)
        self._seen = 0
        self._rows: list[tuple[Any, ...]] = []
        self._blocks: list[pd.DataFrame] = []
        self._paths: dict[int, str] = {}

    def add(self, seen: Measured | Failure, annotated: bool = False, hidden: bool = False) -> None:
        """Takes one sample in.

        Args:
            seen: what was measured of it.
            annotated: whether it has a mask or boxes, and so its label is none.
            hidden: whether it is to be hidden.
        """
        if isinstance(seen, Failure):
            self.errors.append(seen)
            return
        number, path = seen.number, seen.path
        try:
            label = None if annotated else self._labels.number_of(number, seen.label)
        except DataError as error:
            self.errors.append(Failure(number, f"DataError: {error}", path))
            return
        if not annotated and label is None:
            # The image counts, without the label.
            fault = self._labels.fault_of(seen.label)
            if fault is not None:
                self.errors.append(Failure(number, f"DataError: {fault}", path))
        if hidden:
            self.hidden.add(number)
        self._take(seen, label)

    def end(self) -> None:
        """Decides, once all were taken in, what only all of them tell."""
        if self._labels.are_of_several:
            # Then a single 1 is not what an image is of either.
            self._forget_classes()
        for number, fault in self._labels.faults_of_rows().items():
            self.errors.append(Failure(number, f"DataError: {fault}", self._paths.get(number)))
        self.errors.sort(key=lambda failure: failure.number)

    @property
    def frame(self) -> pd.DataFrame:
        """A row a sample: its index, label, size; and measures, share of clipped pixels, hashes, where needed."""
        self._pack()
        if not self._blocks:
            return pd.DataFrame({name: [] for name in self._columns})
        return pd.concat(self._blocks, ignore_index=True)

    @property
    def is_coarse(self) -> bool:
        """Whether rounding to 8 bits leaves so little, in all channels, that different images may be one."""
        deviations = [_moments(counts)[1].max() for counts in self.colours.values()]
        return self.evidence.is_rounded and max(deviations, default=math.inf) < COARSE / (LEVELS - 1)

    @property
    def paths(self) -> Mapping[int, str]:
        """Where samples lie, by index."""
        return self._paths

    def __len__(self) -> int:
        return self._seen

    def _forget_classes(self) -> None:
        self._pack()
        for block in self._blocks:
            block["label"] = np.int64(-1)
        self.thumbnails = [(number, None, picture) for number, _, picture in self.thumbnails]
        self.extremes = {
            kind: [extreme._replace(label=None) for extreme in kept] for kind, kept in self.extremes.items()
        }
        self.means.forget_classes()

    def _take(self, seen: Measured, label: int | None) -> None:
        height, width, channels = seen.shape
        always = (seen.number, -1 if label is None else label, width, height, channels)
        self._rows.append((*always, *(seen.numbers[name] for name in self._columns[len(always) :])))
        if seen.colours is not None:
            if channels not in self.colours:
                self.colours[channels] = np.zeros((channels, LEVELS), np.int64)
            self.colours[channels] += seen.colours
        # Also of masks, whose images have one mean: it may be of a single one.
        if seen.small is not None and MEAN_PICTURES in self._needs and seen.number not in self.hidden:
            self.means.add(label, seen.small)
        if self._samples and seen.image is not None and seen.number not in self.hidden:
            if OUTERMOST in self._needs:
                self._keep_extremes(seen, seen.image, label)
            if THUMBNAILS in self._needs:
                self._keep_thumbnail(seen.number, seen.image, label)
        if seen.path is not None:
            self._paths[seen.number] = seen.path
        self._seen += 1
        if len(self._rows) >= BLOCK:
            self._pack()

    def _keep_extremes(self, seen: Measured, image: NDArray[np.uint8], label: int | None) -> None:
        """Of each extreme of what was measured the few that are it most, the first first."""
        numbers = {**seen.numbers, **shape_of(image)}
        for kind, (name, sign) in EXTREMES.items():
            if name not in numbers:
                continue
            kept, key = self.extremes.setdefault(kind, []), sign * numbers[name]
            if len(kept) < KEPT or key < kept[-1].key:
                kept.append(Extreme(key, numbers[name], seen.number, label, _thumbnail(image)))
                kept.sort(key=lambda extreme: extreme.key)
                del kept[KEPT:]

    def _keep_thumbnail(self, number: int, image: NDArray[np.uint8], label: int | None) -> None:
        """Reservoir sampling (Vitter 1985, algorithm R): each that is not hidden is kept with the same chance."""
        before = self._seen - len(self.hidden)
        place = before if before < self._samples else int(self._random.integers(0, before + 1))
        if place >= self._samples:
            return
        kept = (number, label, _thumbnail(image))
        if place < len(self.thumbnails):
            self.thumbnails[place] = kept
        else:
            self.thumbnails.append(kept)

    def _pack(self) -> None:
        if self._rows:
            columns = zip(self._columns, zip(*self._rows, strict=True), strict=True)
            self._blocks.append(pd.DataFrame({name: np.array(values, KINDS[name]) for name, values in columns}))
            self._rows.clear()


def shape_of(image: NDArray[np.uint8]) -> dict[str, float]:
    """The side of a square of its size, and width over height."""
    height, width = image.shape[:2]
    return {"size": math.sqrt(height * width), "aspect": width / height}


def _thumbnail(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    picture = Image.fromarray(as_rgb(image))
    picture.thumbnail((THUMBNAIL, THUMBNAIL))
    return np.asarray(picture)


def normalisation(colours: Mapping[int, NDArray[np.int64]]) -> tuple[Sequence[float], Sequence[float]] | None:
    """Mean and standard deviation of each channel over all pixels, from 0 to 1.

    Images of 1, 3 and 4 channels, mixed, are taken as RGB, as `as_rgb` has them; of other mixtures there are none.
    """
    if len(colours) == 1:
        (counts,) = colours.values()
    elif colours and set(colours) <= RGB_LIKE:
        counts = np.sum([np.broadcast_to(each, (3, LEVELS)) if len(each) == 1 else each[:3]
                         for each in colours.values()], axis=0)  # fmt: skip
    else:
        return None
    mean, deviation = _moments(counts)
    return mean.tolist(), deviation.tolist()


def _moments(counts: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of each channel, `(C,)`, of how often each value is there, `(C, 256)`."""
    levels = np.arange(LEVELS) / (LEVELS - 1)
    shares = counts / counts.sum(axis=1, keepdims=True)
    mean = shares @ levels
    return mean, np.sqrt((shares * (levels - mean[:, None]) ** 2).sum(axis=1))
