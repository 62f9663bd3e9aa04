"""Images measured where they lie, or on a device to which they are sent: several at once, of any sizes.

Pixels are decoded, counted and summed there, by `augimpact.tensor_measures`; counts come back, and an image in a small
size, of which the host makes hashes and means as it does of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from augimpact.profiling.measuring import Bytes, Measured, check_shape, measured_from
from augimpact.profiling.needs import EVERYTHING
from augimpact.profiling.source import Sample
from augimpact.tensor_measures import Row, RowPixels

__all__ = ["measured_on"]

# Numbers that torch has as well, and that are faster to turn into bytes on the device.
FLOATS = (np.float16, np.float32, np.float64)


def measured_on(
    device: torch.device,
    samples: Sequence[Sample],
    decode: Callable[[Any], Any],
    needs: Collection[str] = EVERYTHING,
) -> list[Measured]:
    """What each sample's image comes to, as `augimpact.profiling.looking` has it measured on the host.

    Args:
        device: where all of them are measured.
        samples: of any sizes, channels and types; images that lie elsewhere are sent.
        decode: makes bytes `(…, C)` of an image's values, wherever these are.
        needs: names of measurements.

    Raises:
        DataError: an image has no pixels, or values that cannot be decoded.
    """
    found: list[Measured | None] = [None] * len(samples)
    kinds: dict[tuple[Any, ...], list[int]] = {}
    for place, sample in enumerate(samples):
        check_shape(tuple(sample.image.shape))
        kinds.setdefault((type(sample.image), sample.image.dtype, sample.image.shape[-1]), []).append(place)
    for places in kinds.values():
        some = [samples[place] for place in places]
        shapes = [tuple(sample.image.shape) for sample in some]
        pixels = DevicePixels(shapes, _pixels_of([sample.image for sample in some], device, decode))
        for place, measured in zip(places, measured_from(some, shapes, pixels, needs), strict=True):
            found[place] = measured
    return [each for each in found if each is not None]


class DevicePixels(RowPixels):
    """N images of any sizes on a device, see `augimpact.profiling.measuring.Counted`.

    Args:
        shapes: of the images, `(H, W, C)` each, of as many channels.
        pixels: of all, one image after the other, `(P, C)` uint8.
    """

    def __init__(self, shapes: Sequence[tuple[int, ...]], pixels: Tensor) -> None:
        self._shapes, self._own = shapes, pixels
        super().__init__(Row([(shape[0], shape[1]) for shape in shapes], pixels.device), _as_rgb(pixels))

    @property
    def images(self) -> list[Bytes]:
        """The images on the host."""
        parts = np.split(self._own.cpu().numpy(), self.row.counts.cumsum()[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, self._shapes, strict=True)]

    @property
    def channels(self) -> list[NDArray[np.int64]]:
        """How often each value is in each channel of each, `(C, 256)`."""
        return [*(self.colours if self._own.shape[1] == 3 else self.row.histograms(self._own))]

    def reduced(self, factors: Sequence[int]) -> list[Bytes]:
        """Each image in cells of so many pixels a side, `(h, w, 3)`."""
        return self.row.reduced(self.pixels, np.array(factors))


def _pixels_of(images: Sequence[Any], device: torch.device, decode: Callable[[Any], Any]) -> Tensor:
    """Of images of one kind all pixels in bytes, `(P, C)`, on the device."""
    channels = images[0].shape[-1]
    pixels: Tensor
    if isinstance(images[0], Tensor):
        pixels = decode(torch.cat([image.to(device).reshape(-1, channels) for image in images]))
    elif images[0].dtype in FLOATS:
        pixels = decode(torch.from_numpy(_in_a_row(images)).to(device))
    else:
        pixels = torch.from_numpy(_in_a_row([decode(image) for image in images])).to(device)
    return pixels


def _in_a_row(images: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """`(P, C)` of images `(H, W, C)`, in the order in memory that most of them have: else every number is moved."""
    channels = images[0].shape[-1]
    if images[0].transpose(2, 0, 1).flags.c_contiguous:
        return np.concatenate([image.transpose(2, 0, 1).reshape(channels, -1) for image in images], axis=1).T
    return np.concatenate([image.reshape(-1, channels) for image in images])


def _as_rgb(pixels: Tensor) -> Tensor:
    """`(P, 3)`, as `augimpact.profiling.measuring.as_rgb` has it."""
    channels = pixels.shape[1]
    if channels in (3, 4):
        return pixels[:, :3]
    if channels == 1:
        return pixels.expand(-1, 3)
    # Divided: CUDA's own mean multiplies, and what lies between two numbers is rounded otherwise.
    grey = pixels.sum(dim=1, keepdim=True).to(torch.float64) / channels
    return grey.round().to(torch.uint8).expand(-1, 3)
