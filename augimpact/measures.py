"""What an image is like before any model sees it: five numbers an image, fast enough for a whole dataset.

`measure` takes a batch. What lies on a GPU is measured there, by `augimpact.tensor_measures`, and what a pass over a
dataset sees by compiled code: whatever counts the pixels (`Pixels`), the numbers made of the counts are the same.
All but the saturation are of the luma Y = 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601). Its mean is exact; for the others
it is rounded to 8 bits just as Pillow's mode "L" has it, so that any other program finds the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from augimpact.errors import ImageError
from augimpact.once import once

__all__ = ["LEVELS", "MEASURES", "Measure", "Pixels", "brightness_of", "measure", "measures_of"]

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


class Pixels(Protocol):
    """What all pixels of N RGB images come to; each is counted when it is first asked for."""

    @property
    def colours(self) -> NDArray[np.int64]:
        """How often each value is in each channel, `(N, 3, 256)`."""

    @property
    def luma(self) -> NDArray[np.int64]:
        """How often each level of the luma in 8 bits is, `(N, 256)`."""

    @property
    def edges(self) -> Numbers:
        """Mean square of the Laplacian of these levels, `(N,)`; beyond the border the edge goes on."""

    @property
    def saturation(self) -> Numbers:
        """Mean of (max − min) / max over the channels of a pixel, 0 for black, `(N,)`."""


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
        images: `(N, H, W, 3)` uint8, RGB; a numpy array, or a tensor, which is measured on its own device if that is
            CUDA's.

    Raises:
        ImageError: another shape or type, or images without pixels.

    >>> measured = measure(np.full((2, 4, 4, 3), 255, np.uint8))
    >>> measured["brightness"].tolist(), measured["contrast"].tolist()
    ([1.0, 1.0], [0.0, 0.0])
    """
    place = getattr(getattr(images, "device", None), "type", "cpu")
    if place == "cuda":
        from augimpact.tensor_measures import measure_tensor

        return measure_tensor(images)  # type: ignore[arg-type]
    if place != "cpu":
        images = images.cpu()  # type: ignore[union-attr]
    batch: NDArray[Any] = np.asarray(images)
    if batch.dtype != np.uint8 or batch.ndim != 4 or batch.shape[-1] != 3 or 0 in batch.shape[1:3]:
        raise ImageError(f"images of shape {batch.shape} and type {batch.dtype}; expected (N, H, W, 3) of uint8")
    measured = {name: np.empty(len(batch)) for name in MEASURES}
    step = max(1, CHUNK_PIXELS // (batch.shape[1] * batch.shape[2]))
    for start in range(0, len(batch), step):
        chunk = batch[start : start + step]
        # Channel by channel: arithmetic on every third byte would be several times slower.
        planes = np.ascontiguousarray(np.moveaxis(chunk, -1, 0))
        for name, values in measures_of(_Pictures([Image.fromarray(image) for image in chunk], planes)).items():
            measured[name][start : start + step] = values
    return measured


def measures_of(pixels: Pixels, names: Collection[str] = tuple(MEASURES)) -> dict[str, Numbers]:
    """Some measures of N images, in the order of `MEASURES`, `(N,)` each.

    Args:
        pixels: counted.
        names: which of `MEASURES`.
    """
    made: dict[str, Callable[[], Numbers]] = {
        "brightness": lambda: brightness_of(pixels.colours),
        "contrast": lambda: _deviation(_shares(pixels.luma)),
        "sharpness": lambda: np.asarray(pixels.edges / WHITE**2),
        "saturation": lambda: pixels.saturation,
        "entropy": lambda: _entropy(_shares(pixels.luma)),
    }
    return {name: make() for name, make in made.items() if name in names}


def brightness_of(colours: NDArray[np.int64]) -> Numbers:
    """The mean of the luma of N images, `(N,)`, in [0, 1]: of whole numbers, and exact.

    Args:
        colours: how often each value is in each channel, `(N, 3, 256)`.

    >>> brightness_of(np.array([Image.new("RGB", (8, 8), "red").histogram()]).reshape(1, 3, 256)).tolist()
    [0.299]
    """
    # In floats, where products are several times quicker, whole numbers below 2⁵³ stay exact.
    sums = colours.astype(np.float64) @ np.arange(LEVELS, dtype=np.float64)
    return np.asarray(sums @ LUMA / (LUMA.sum() * WHITE * colours[:, 0].sum(axis=1)))


class _Pictures:
    """`Pixels` of pictures of mode "RGB" and one size, counted by Pillow, which lets other threads run meanwhile.

    Args:
        pictures: N of them.
        planes: their channels, `(3, N, H, W)`.
    """

    def __init__(self, pictures: Sequence[Image.Image], planes: Bytes) -> None:
        self._pictures, self._planes = pictures, planes

    @once
    def colours(self) -> NDArray[np.int64]:
        return np.array([picture.histogram() for picture in self._pictures], np.int64).reshape(-1, 3, LEVELS)

    @once
    def luma(self) -> NDArray[np.int64]:
        return np.array([picture.histogram() for picture in self._greys], np.int64)

    @once
    def edges(self) -> Numbers:
        return _mean_square_laplacian(np.stack([np.asarray(picture) for picture in self._greys]))

    @once
    def saturation(self) -> Numbers:
        return _saturation(*self._planes)

    @once
    def _greys(self) -> list[Image.Image]:
        return [picture.convert("L") for picture in self._pictures]


def _shares(counts: NDArray[np.int64]) -> Numbers:
    return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def _deviation(histogram: Numbers) -> Numbers:
    levels = np.arange(LEVELS) / WHITE
    mean = histogram @ levels
    return np.asarray(np.sqrt((histogram * (levels - mean[:, None]) ** 2).sum(axis=1)))


def _entropy(histogram: Numbers) -> Numbers:
    shares = np.where(histogram > 0, histogram, 1)
    return np.asarray((histogram * np.log2(1 / shares)).sum(axis=1))


def _mean_square_laplacian(luma: Bytes) -> Numbers:
    """It is the Laplacian's variance.

    The Laplacian is a sum of differences between neighbours, none across the border; each enters one pixel with one
    sign and its neighbour with the other, so that the mean is exactly 0.
    """
    flat = _laplacian(luma).reshape(len(luma), -1)
    # Whole numbers all through: the sum of their squares is exact in float64. Converted at once: piece by piece,
    # as `dtype` would have it, takes half as long again.
    numbers = flat.astype(np.float64)
    squares = np.einsum("np,np->n", numbers, numbers)
    return np.asarray(squares / flat.shape[1])


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
