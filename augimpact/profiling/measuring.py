"""What an image comes to when it is measured: the little that is kept of it, in place of its pixels.

`measured_here` goes through the pixels on the host, `augimpact.profiling.on_device` where they lie on a device. Both
make `Measured` of what they found by `measured_from`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from augimpact.data.integrity import perceptual_hash
from augimpact.errors import DataError
from augimpact.measures import LEVELS, MEASURES, brightness_of, measure_picture
from augimpact.once import once
from augimpact.profiling.needs import CLIPPED, COLOURS, CONTENT, EVERYTHING, MEAN_PICTURES, PERCEPTUAL, PICTURES
from augimpact.profiling.source import Sample

__all__ = ["COUNTED", "REDUCED", "Measured", "as_rgb", "check_shape", "factor_of", "measured_from", "measured_here"]

# The side of a class's mean image.
MEAN_SIDE = 32
# What is made of the counts of colours, and what of the image in a small size.
COUNTED, REDUCED = frozenset({COLOURS, CLIPPED, CONTENT}), frozenset({CONTENT, PERCEPTUAL, MEAN_PICTURES})
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
    small: NDArray[np.float64] | None
    image: Bytes | None


def measured_here(
    samples: Sequence[Sample], decode: Callable[[Any], Any], needs: Collection[str] = EVERYTHING
) -> list[Measured]:
    """What each sample's image comes to: what may be done on any thread.

    Args:
        samples: of any sizes and channels.
        decode: makes bytes `(H, W, C)` of an image.
        needs: names of measurements, see `augimpact.profiling.needs`; others are not made.

    Raises:
        DataError: an image has no pixels, or values that cannot be decoded.
    """
    images = [decode(sample.image) for sample in samples]
    for image in images:
        check_shape(image.shape)
    forms = [_Forms(image, sample.picture) for image, sample in zip(images, samples, strict=True)]
    others = [name for name in MEASURES if name in needs and name != "brightness"]
    numbers: list[dict[str, Any]] = [
        measure_picture(form.picture, form.planes, others) if others else {} for form in forms
    ]
    if "brightness" in needs and forms:
        for found, value in zip(numbers, brightness_of(np.stack([form.colours_as_rgb for form in forms])), strict=True):
            found["brightness"] = float(value)
    is_counted, is_reduced, is_kept = (bool(part & set(needs)) for part in (COUNTED, REDUCED, PICTURES))
    return [
        measured_from(
            sample, image.shape, needs, found,
            colours=form.colours if is_counted else None,
            reduced=form.picture.reduce(factor_of(image.shape)) if is_reduced else None,
            image=image if is_kept else None,
        )
        for sample, image, form, found in zip(samples, images, forms, numbers, strict=True)
    ]  # fmt: skip


def measured_from(
    sample: Sample,
    shape: tuple[int, ...],
    needs: Collection[str],
    numbers: Mapping[str, Any],
    *,
    colours: NDArray[np.int64] | None,
    reduced: Image.Image | None,
    image: Bytes | None,
) -> Measured:
    """What is kept of an image whose pixels have been counted.

    Args:
        sample: whose image it is.
        shape: of the image.
        needs: as `measured_here` has them.
        numbers: the measures among them.
        colours: see `Measured`; needed for `COUNTED`.
        reduced: the image in cells of `factor_of` pixels, of mode "RGB"; needed for `REDUCED`.
        image: itself, if it is kept.
    """
    found, small = dict(numbers), None
    if colours is not None and CLIPPED in needs:
        clipped = colours[:, : CLIPPED_DARK + 1].sum() + colours[:, CLIPPED_LIGHT:].sum()
        found[CLIPPED] = float(clipped / colours.sum())
    if reduced is not None and colours is not None and CONTENT in needs:
        found[CONTENT] = _content_of(shape, colours, reduced)
    if reduced is not None and PERCEPTUAL in needs:
        found[PERCEPTUAL] = perceptual_hash(reduced)
    if reduced is not None and MEAN_PICTURES in needs:
        small = np.asarray(reduced.resize((MEAN_SIDE, MEAN_SIDE), Image.Resampling.BILINEAR), np.float64)
    return Measured(
        sample.number, sample.label, sample.path, tuple(shape), found, colours if COLOURS in needs else None, small,
        image,
    )  # fmt: skip


def check_shape(shape: tuple[int, ...]) -> None:
    """Refuses an image without pixels.

    Raises:
        DataError: it has none.
    """
    if 0 in shape:
        raise DataError(f"an image of shape {tuple(shape)}; expected at least one pixel")


def factor_of(shape: tuple[int, ...]) -> int:
    """By how much an image is reduced: still two cells of the largest grid that is laid over it, quick to resize.

    >>> factor_of((224, 300, 3)), factor_of((20, 20, 1))
    (3, 1)
    """
    return max(1, min(shape[:2]) // (2 * MEAN_SIDE))


class _Forms:
    """An image in all forms in which it is measured, each made when it is first needed."""

    def __init__(self, image: Bytes, picture: Image.Image | None) -> None:
        self._image = image
        if picture is not None:
            self.picture = picture

    @once
    def planes(self) -> Bytes | None:
        """The channels, `(3, H, W)`, of an RGB image whose memory is laid out so, as that of most tensors is."""
        planes = self._image.transpose(2, 0, 1)
        return planes if len(planes) == 3 and planes.flags.c_contiguous else None

    @once
    def picture(self) -> Image.Image:
        """As Pillow's of mode "RGB"; of planes several times faster than by way of an array `(H, W, 3)`."""
        if self.planes is None:
            return Image.fromarray(as_rgb(self._image))
        return Image.merge("RGB", [Image.fromarray(plane) for plane in self.planes])

    @once
    def colours(self) -> NDArray[np.int64]:
        """How often each value is in each channel, `(C, 256)`; Pillow counts where its picture is there anyway."""
        channels = self._image.shape[-1]
        if channels in (1, 3) and "picture" in vars(self):
            return np.array(self.picture.histogram()[: LEVELS * channels], np.int64).reshape(channels, LEVELS)
        # Takes a second to load.
        from augimpact.profiling.counting import colours_of

        return colours_of(self._image)

    @property
    def colours_as_rgb(self) -> NDArray[np.int64]:
        """Likewise `(3, 256)`, of the image as it is measured, see `as_rgb`."""
        channels = self._image.shape[-1]
        if channels == 1:
            return np.repeat(self.colours, 3, axis=0)
        if channels in (3, 4):
            return self.colours[:3]
        return np.array(self.picture.histogram(), np.int64).reshape(3, LEVELS)


def _content_of(shape: tuple[int, ...], colours: NDArray[np.int64], reduced: Image.Image) -> bytes:
    """Two images with the same counts in every channel, and the same when they are reduced, are one."""
    told = np.array(shape).tobytes() + colours.tobytes() + reduced.tobytes()
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
