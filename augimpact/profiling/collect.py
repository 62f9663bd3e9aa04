"""What one pass over a dataset keeps: some numbers a sample, a picture a class, and histograms; never the images."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from augimpact.data.integrity import perceptual_hash
from augimpact.errors import DataError
from augimpact.measures import MEASURES, measure
from augimpact.profiling.source import Failure, Sample

__all__ = ["THUMBNAIL", "Collected"]

# The side of a class's mean image, and of the pictures of samples.
MEAN_SIDE, THUMBNAIL = 32, 96
LEVELS = 256
# Samples whose numbers are kept in lists before they become arrays.
BLOCK = 4096
CLIPPED_DARK, CLIPPED_LIGHT = 2, 253
NUMBERS = ("index", "label", "width", "height", "channels", *MEASURES, "clipped", "content", "perceptual")


class Collected:
    """The statistics of one split, sample by sample.

    Some 100 bytes are kept of each sample, so that quantiles and distances are exact.

    Args:
        samples: how many thumbnails are kept, drawn evenly from all with the seed; 0 keeps no picture of a sample.
        seed: of that draw.
        classes: how many there are, if that is known: a label beyond is an error.
    """

    def __init__(self, *, samples: int = 0, seed: int = 0, classes: int | None = None) -> None:
        self.errors: list[Failure] = []
        self.colours: dict[int, NDArray[np.int64]] = {}
        self.means: dict[int | None, tuple[int, NDArray[np.float64], NDArray[np.float64]]] = {}
        self.thumbnails: list[tuple[int, Any, NDArray[np.uint8]]] = []
        self._samples, self._classes = samples, classes
        self._random = np.random.default_rng(seed)
        self._seen = 0
        self._rows: list[tuple[Any, ...]] = []
        self._blocks: list[pd.DataFrame] = []
        self._paths: dict[int, str] = {}

    def add(self, sample: Sample | Failure) -> bool:
        """Takes one sample in; whether it was one."""
        if isinstance(sample, Failure):
            self.errors.append(sample)
            return False
        try:
            label = self._checked(sample.label)
            self._measure(sample, label)
        except Exception as error:  # one sample that is not as others are shall not end the pass
            self.errors.append(Failure(sample.number, f"{type(error).__name__}: {error}", sample.path))
            return False
        return True

    @property
    def frame(self) -> pd.DataFrame:
        """A row a sample: its index, label, size, measures, share of clipped pixels, hashes."""
        self._pack()
        if not self._blocks:
            return pd.DataFrame({name: [] for name in NUMBERS})
        return pd.concat(self._blocks, ignore_index=True)

    @property
    def paths(self) -> Mapping[int, str]:
        """Where samples lie, by index."""
        return self._paths

    def __len__(self) -> int:
        return self._seen

    def _checked(self, label: Any) -> int | None:
        """The number of the class, where there is one."""
        if not isinstance(label, (int, np.integer)) or isinstance(label, bool):
            return int(label) if isinstance(label, bool) else None
        if label < 0 or (self._classes is not None and label >= self._classes):
            expected = "a number from 0" + ("" if self._classes is None else f" to {self._classes - 1}")
            raise DataError(f"the label is {label}; expected {expected}")
        return int(label)

    def _measure(self, sample: Sample, label: int | None) -> None:
        image = sample.image
        shown = as_rgb(image)
        measured = measure(shown[None])
        grey = shown[..., 0] if image.shape[-1] == 1 else None
        clipped = _clipped_share(shown if grey is None else grey)
        row = (
            sample.number, -1 if label is None else label, image.shape[1], image.shape[0], image.shape[2],
            *(float(values[0]) for values in measured.values()), clipped,
            hashlib.blake2b(np.array(image.shape).tobytes() + image.tobytes(), digest_size=8).digest(),
            perceptual_hash(Image.fromarray(shown)),
        )  # fmt: skip
        self._count_colours(image)
        small = np.asarray(Image.fromarray(shown).resize((MEAN_SIDE, MEAN_SIDE), Image.Resampling.BILINEAR), np.float64)
        count, total, squares = self.means.get(label, (0, 0.0, 0.0))
        self.means[label] = (count + 1, total + small, squares + small**2)
        self._keep_thumbnail(sample, shown)
        if sample.path is not None:
            self._paths[sample.number] = sample.path
        self._rows.append(row)
        self._seen += 1
        if len(self._rows) >= BLOCK:
            self._pack()

    def _count_colours(self, image: NDArray[np.uint8]) -> None:
        channels = image.shape[-1]
        known = self.colours.setdefault(channels, np.zeros((channels, LEVELS), np.int64))
        for channel in range(channels):
            known[channel] += np.bincount(image[..., channel].reshape(-1), minlength=LEVELS)

    def _keep_thumbnail(self, sample: Sample, shown: NDArray[np.uint8]) -> None:
        """Reservoir sampling (Vitter 1985, algorithm R): each sample is kept with the same chance."""
        place = self._seen if self._seen < self._samples else int(self._random.integers(0, self._seen + 1))
        if place >= self._samples:
            return
        picture = Image.fromarray(shown)
        picture.thumbnail((THUMBNAIL, THUMBNAIL))
        kept = (sample.number, sample.label, np.asarray(picture))
        if place < len(self.thumbnails):
            self.thumbnails[place] = kept
        else:
            self.thumbnails.append(kept)

    def _pack(self) -> None:
        if self._rows:
            frame = pd.DataFrame(self._rows, columns=list(NUMBERS))
            kinds = dict.fromkeys((*MEASURES, "clipped"), np.float32)
            small = {"label": np.int32, "width": np.int32, "height": np.int32, "channels": np.int16}
            self._blocks.append(frame.astype(kinds | small | {"perceptual": np.uint64}))
            self._rows.clear()


def as_rgb(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`(H, W, 3)`, as it is measured: grey thrice, without a fourth channel, of more than that their mean thrice."""
    channels = image.shape[-1]
    if channels == 3:
        return image
    if channels == 4:
        return np.ascontiguousarray(image[..., :3])
    grey = image[..., 0] if channels == 1 else np.rint(image.mean(axis=-1)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=-1)


def _clipped_share(values: NDArray[np.uint8]) -> float:
    """Of the numbers that are almost black or almost white."""
    dark = np.count_nonzero(values <= CLIPPED_DARK)
    return float(dark + np.count_nonzero(values >= CLIPPED_LIGHT)) / values.size


def normalisation(colours: Mapping[int, NDArray[np.int64]]) -> tuple[Sequence[float], Sequence[float]] | None:
    """Mean and standard deviation of each channel over all pixels, from 0 to 1; None of images of several kinds."""
    if len(colours) != 1:
        return None
    (counts,) = colours.values()
    levels = np.arange(LEVELS) / (LEVELS - 1)
    shares = counts / counts.sum(axis=1, keepdims=True)
    mean = shares @ levels
    deviation = np.sqrt((shares * (levels - mean[:, None]) ** 2).sum(axis=1))
    return mean.tolist(), deviation.tolist()
