"""What an image comes to when it is measured: the little that is kept of it, in place of its pixels.

Whatever has counted the pixels (`Counted`): `counting` on the host, `on_device` where they lie on a device.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from augimpact.data.integrity import perceptual_hash
from augimpact.errors import DataError
from augimpact.measures import Pixels, measures_of
from augimpact.profiling.needs import CLIPPED, COLOURS, CONTENT, EVERYTHING, MEAN_PICTURES, PERCEPTUAL, PICTURES
from augimpact.profiling.source import Sample

__all__ = ["Counted", "Measured", "as_rgb", "factor_of", "measured_from", "measured_here", "shapes_of"]

# The side of a class's mean image.
MEAN_SIDE = 32
# What is made of the counts of colours, and what of the image in a small size.
COUNTED, REDUCED = frozenset({COLOURS, CLIPPED}), frozenset({PERCEPTUAL, MEAN_PICTURES})
CLIPPED_DARK, CLIPPED_LIGHT = 2, 253
Bytes = NDArray[np.uint8]


class Measured(NamedTuple):
    """What was measured of a sample, as far as it was needed, and what `Sample` tells beside its image.

    shape: of the image, `(H, W, C)`.
    numbers: the measures, the share of clipped pixels, the hashes of content and look, by their names in `needs`.
    colours: how often each value is in each channel, `(C, 256)`.
    small: the image at 32 × 32, `(32, 32, 3)`.
    image: itself, if a picture of it may be kept.
    """

    number: int
    label: Any
    path: str | None
    shape: tuple[int, ...]
    numbers: Mapping[str, Any]
    colours: NDArray[np.int64] | None
    small: Bytes | None
    image: Bytes | None


class Counted(Pixels, Protocol):
    """N images whose pixels can be counted, on the host or on a device."""

    @property
    def images(self) -> Sequence[Bytes]:
        """The images, `(H, W, C)` each, on the host."""

    @property
    def channels(self) -> Sequence[NDArray[np.int64]]:
        """How often each value is in each channel of each, `(C, 256)`."""

    @property
    def weighted(self) -> NDArray[np.uint64]:
        """The sum of all values of each, by the weights of their places, `(N,)`; see `augimpact.profiling.content`."""

    def reduced(self, factors: Sequence[int]) -> Sequence[Bytes]:
        """Each in cells of so many pixels a side, `(h, w, 3)`."""


def measured_from(
    samples: Sequence[Sample], shapes: Sequence[tuple[int, ...]], counted: Counted, needs: Collection[str] = EVERYTHING
) -> list[Measured]:
    """What is kept of each sample's image.

    Args:
        samples: N of them.
        shapes: of their images, `(H, W, C)` each.
        counted: the images.
        needs: names of measurements, see `augimpact.profiling.needs`; others are not made.
    """
    wanted = frozenset(needs)
    nothing: list[Any] = [None] * len(samples)
    measures = measures_of(counted, wanted)
    colours = counted.channels if COUNTED & wanted else nothing
    factors = [factor_of(shape) for shape in shapes]
    reduced = counted.reduced(factors) if REDUCED & wanted else nothing
    weighted = counted.weighted if CONTENT in wanted else nothing
    images = counted.images if PICTURES & wanted else nothing
    return [
        _kept(
            sample, shape, wanted, {name: float(values[place]) for name, values in measures.items()},
            colours[place], weighted[place], reduced[place], images[place],
        )
        for place, (sample, shape) in enumerate(zip(samples, shapes, strict=True))
    ]  # fmt: skip


def _kept(
    sample: Sample,
    shape: tuple[int, ...],
    needs: frozenset[str],
    numbers: dict[str, Any],
    colours: NDArray[np.int64] | None,
    weighted: np.uint64 | None,
    reduced: Bytes | None,
    image: Bytes | None,
) -> Measured:
    picture = None if reduced is None else Image.fromarray(reduced)
    small = None
    if colours is not None and CLIPPED in needs:
        clipped = colours[:, : CLIPPED_DARK + 1].sum() + colours[:, CLIPPED_LIGHT:].sum()
        numbers[CLIPPED] = float(clipped / colours.sum())
    if weighted is not None:
        numbers[CONTENT] = _content_of(shape, weighted)
    if picture is not None and PERCEPTUAL in needs:
        numbers[PERCEPTUAL] = perceptual_hash(picture)
    if picture is not None and MEAN_PICTURES in needs:
        small = np.asarray(picture.resize((MEAN_SIDE, MEAN_SIDE), Image.Resampling.BILINEAR))
    return Measured(
        sample.number, sample.label, sample.path, shape, numbers, colours if COLOURS in needs else None, small, image
    )


def measured_here(
    samples: Sequence[Sample], decode: Callable[[Any], Any], needs: Collection[str] = EVERYTHING
) -> list[Measured]:
    """What each sample's image comes to, counted on the host; any thread may do it.

    Args:
        samples: of any sizes and numbers of channels.
        decode: makes bytes `(H, W, C)` of an image.
        needs: names of measurements.

    Raises:
        DataError: an image has no pixels, or values that cannot be decoded.
    """
    # Takes half a second to load, with the code that it has compiled.
    from augimpact.profiling.counting import CountedPixels

    shapes = shapes_of(samples)
    return measured_from(samples, shapes, CountedPixels([decode(sample.image) for sample in samples]), needs)


def shapes_of(samples: Sequence[Sample]) -> list[tuple[int, ...]]:
    """The shapes of their images, `(H, W, C)` each.

    Raises:
        DataError: one has no pixels.
    """
    shapes = [tuple(sample.image.shape) for sample in samples]
    for shape in shapes:
        if 0 in shape:
            raise DataError(f"an image of shape {shape}; expected at least one pixel")
    return shapes


def factor_of(shape: tuple[int, ...]) -> int:
    """By how much an image is reduced: still two cells of the largest grid that is laid over it, quick to resize.

    >>> factor_of((224, 300, 3)), factor_of((20, 20, 1))
    (3, 1)
    """
    return max(1, min(shape[:2]) // (2 * MEAN_SIDE))


def _content_of(shape: tuple[int, ...], weighted: np.uint64) -> bytes:
    """Images are one if their shapes, and in 8 bits all values of all channels, are equal."""
    told = np.array(shape).tobytes() + weighted.tobytes()
    return hashlib.blake2b(told, digest_size=8).digest()


def as_rgb(image: Bytes) -> Bytes:
    """`(H, W, 3)`, as it is measured: grey thrice, without a fourth channel, of more than that their mean thrice."""
    channels = image.shape[-1]
    if channels == 3:
        return image
    if channels == 4:
        return np.ascontiguousarray(image[..., :3])
    grey = image[..., 0] if channels == 1 else np.rint(image.mean(axis=-1)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=-1)
