"""What an image is like before any model sees it: five numbers an image, fast enough for a whole dataset.

`measure` takes a batch, `measure_picture` one image that is a Pillow picture already; both can leave measures out.
All but the saturation are of the luma Y = 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601). Its mean is exact; for the others
it is rounded to 8 bits just as Pillow's mode "L" has it, so that any other program finds the same numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from augimpact.errors import ImageError

__all__ = ["LEVELS", "MEASURES", "Measure", "brightness_of", "measure", "measure_picture"]

# Of red, green and blue, in thousandths.
LUMA = np.array([299, 587, 114])
LEVELS = 256
WHITE = LEVELS - 1
# What is worked on at once fits a core's cache: one image of 512², or many small ones.
CHUNK_PIXELS = 1 << 18

Numbers = NDArray[np.float64]
Bytes = NDArray[np.uint8]


class Measure(NamedTuple):
    """One measure in words: what it is, its unit, and the least and the highest value that it can have."""

    description: str
    unit: str
    minimum: float
    maximum: float


MEASURES: dict[str, Measure] = {
    "brightness": Measure("mean of the luma", "share of white", 0, 1),
    "contrast": Measure("standard deviation of the luma (RMS contrast)", "share of white", 0, 0.5),
    "sharpness": Measure("variance of the Laplacian of the luma", "squared share of white", 0, 16),
    "saturation": Measure("mean saturation in HSV", "share of full saturation", 0, 1),
    "entropy": Measure("Shannon entropy of the luma's histogram", "bits", 0, 8),
}


def measure(images: ArrayLike) -> dict[str, Numbers]:
    """Every measure of every image: the names of `MEASURES`, in that order, each with `(N,)` float64.

    - `brightness`: mean of the luma, in [0, 1].
    - `contrast`: its standard deviation, in [0, 0.5] (Peli 1990, "Contrast in complex images", JOSA A 7(10)).
    - `sharpness`: variance of the luma (in [0, 1]) under the kernel [[0, 1, 0], [1, −4, 1], [0, 1, 0]], the image's
      border pixels repeated outside it (`reflect` in SciPy); low for blurred images, but also for plain ones
      (Pech-Pacheco et al. 2000, "Diatom autofocusing in brightfield microscopy", ICPR). It depends on the resolution:
      compare images of one size.
    - `saturation`: mean of (max − min) / max over the channels of a pixel, 0 for black (Smith 1978, "Color gamut
      transform pairs", SIGGRAPH).
    - `entropy`: −Σ p log₂ p over the luma's 256 levels (Shannon 1948), in bits.

    Args:
        images: `(N, H, W, 3)` uint8, RGB; a numpy array, or a tensor that lies on the CPU, which is not copied.

    Raises:
        ImageError: another shape or type, or images without pixels.

    >>> measured = measure(np.full((2, 4, 4, 3), 255, np.uint8))
    >>> measured["brightness"].tolist(), measured["contrast"].tolist()
    ([1.0, 1.0], [0.0, 0.0])
    """
    batch: NDArray[Any] = np.asarray(images)
    if batch.dtype != np.uint8 or batch.ndim != 4 or batch.shape[-1] != 3 or 0 in batch.shape[1:3]:
        raise ImageError(f"images of shape {batch.shape} and type {batch.dtype}; expected (N, H, W, 3) of uint8")
    measured = {name: np.empty(len(batch)) for name in MEASURES}
    step = max(1, CHUNK_PIXELS // (batch.shape[1] * batch.shape[2]))
    for start in range(0, len(batch), step):
        for name, values in _measure_chunk(batch[start : start + step]).items():
            measured[name][start : start + step] = values
    return measured


def measure_picture(
    picture: Image.Image, planes: Bytes | None = None, names: Collection[str] = tuple(MEASURES)
) -> dict[str, float]:
    """Some measures of one image, in the order of `MEASURES`: equal to those of `measure`.

    Args:
        picture: of mode "RGB".
        planes: its channels, `(3, H, W)` uint8, if they are there already; only the saturation needs them.
        names: which of `MEASURES`.

    >>> measure_picture(Image.new("RGB", (8, 8), "red"), names=["saturation"])
    {'saturation': 1.0}
    """
    if planes is None and "saturation" in names:
        planes = np.stack([np.asarray(channel) for channel in picture.split()])
    return {name: float(values[0]) for name, values in _measured([picture], planes, names).items()}


def brightness_of(colours: NDArray[np.int64]) -> Numbers:
    """The mean of the luma of N images, `(N,)`, in [0, 1]: of whole numbers, and exact.

    Args:
        colours: how often each value is in each channel, `(N, 3, 256)`.

    >>> brightness_of(np.array([Image.new("RGB", (8, 8), "red").histogram()]).reshape(1, 3, 256)).tolist()
    [0.299]
    """
    sums = colours @ np.arange(LEVELS)
    return np.asarray(sums @ LUMA / (LUMA.sum() * WHITE * colours[:, 0].sum(axis=1)))


def _measure_chunk(images: Bytes) -> dict[str, Numbers]:
    # Channel by channel: arithmetic on every third byte would be several times slower.
    planes = np.ascontiguousarray(np.moveaxis(images, -1, 0))
    return _measured([Image.fromarray(image) for image in images], planes, MEASURES)


def _measured(pictures: Sequence[Image.Image], planes: Bytes | None, names: Collection[str]) -> dict[str, Numbers]:
    """The named measures of N images, `(N,)` each.

    Args:
        pictures: of mode "RGB".
        planes: `(3, N, H, W)`, or of one image `(3, H, W)`; may be missing where no saturation is asked for.
        names: of `MEASURES`.
    """
    found: dict[str, Numbers] = {}
    if "brightness" in names:
        # Pillow counts without holding Python's lock, unlike numpy where it adds.
        counts = np.array([picture.histogram() for picture in pictures])
        found["brightness"] = brightness_of(counts.reshape(-1, 3, LEVELS))
    if {"contrast", "sharpness", "entropy"} & set(names):
        luma = [picture.convert("L") for picture in pictures]
    if {"contrast", "entropy"} & set(names):
        counts = np.array([picture.histogram() for picture in luma])
        shares = counts / counts[0].sum()
    if "contrast" in names:
        found["contrast"] = _deviation(shares)
    if "sharpness" in names:
        found["sharpness"] = _sharpness(np.stack([np.asarray(picture) for picture in luma]))
    if "saturation" in names and planes is not None:
        found["saturation"] = _saturation(*planes.reshape(3, -1, *planes.shape[-2:]))
    if "entropy" in names:
        found["entropy"] = _entropy(shares)
    return found


def _deviation(histogram: Numbers) -> Numbers:
    levels = np.arange(LEVELS) / WHITE
    mean = histogram @ levels
    return np.asarray(np.sqrt((histogram * (levels - mean[:, None]) ** 2).sum(axis=1)))


def _entropy(histogram: Numbers) -> Numbers:
    shares = np.where(histogram > 0, histogram, 1)
    return np.asarray((histogram * np.log2(1 / shares)).sum(axis=1))


def _sharpness(luma: Bytes) -> Numbers:
    """The mean square of the Laplacian, which is its variance.

    The Laplacian is a sum of differences between neighbours, none across the border; each enters one pixel with one
    sign and its neighbour with the other, so that the mean is exactly 0.
    """
    flat = _laplacian(luma).reshape(len(luma), -1)
    # Whole numbers all through: the sum of their squares is exact in float64. Converted at once: piece by piece,
    # as `dtype` would have it, takes half as long again.
    numbers = flat.astype(np.float64)
    squares = np.einsum("np,np->n", numbers, numbers)
    return np.asarray(squares / flat.shape[1] / WHITE**2)


def _laplacian(luma: Bytes) -> NDArray[np.int16]:
    levels = luma.astype(np.int16)
    laplacian = np.zeros_like(levels)
    across = levels[:, :, 1:] - levels[:, :, :-1]
    laplacian[:, :, :-1] += across
    laplacian[:, :, 1:] -= across
    down = levels[:, 1:] - levels[:, :-1]
    laplacian[:, :-1] += down
    laplacian[:, 1:] -= down
    return laplacian


def _saturation(red: Bytes, green: Bytes, blue: Bytes) -> Numbers:
    high = np.maximum(np.maximum(red, green), blue)
    spread = high - np.minimum(np.minimum(red, green), blue)
    # Black has no spread; dividing by 1 keeps its saturation 0.
    share = np.divide(spread, np.maximum(high, 1), dtype=np.float32)
    return np.asarray(share.reshape(len(red), -1).mean(axis=1, dtype=np.float64))
