"""Images measured where they lie, or on a device to which they are sent: several at once, of any sizes.

Pixels are decoded, counted and summed there, by `augimpact.tensor_measures`; counts come back, and an image in a small
size, of which the host makes hashes and means as it does of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from augimpact.profiling.content import weights
from augimpact.profiling.decode import as_array
from augimpact.profiling.measuring import Bytes, Measured, measured_from, measured_here, shapes_of
from augimpact.profiling.needs import EVERYTHING
from augimpact.profiling.source import Sample
from augimpact.tensor_measures import CHUNK_PIXELS, Row, RowPixels

__all__ = ["OnDevice"]

# Numbers that torch has as well, and that are faster to turn into bytes on the device.
FLOATS = (np.float16, np.float32, np.float64)
# What a GPU may say at any time, without any fault of an image: then the host measures it.
TROUBLES = (torch.OutOfMemoryError, torch.AcceleratorError)
# Groups that are measured at once: while the host is busy with what came back of one, the device has another.
AT_ONCE = 2


class OnDevice:
    """Measures images on a device; what is too large for it, or for which it has no room, on the host.

    Any thread may call it; a few may at once, for each pixel takes some hundred bytes while it is counted.

    Args:
        device: where; images that lie elsewhere are sent.
        decode: makes bytes `(…, C)` of an image's values, wherever these are.
        needs: names of measurements.
    """

    def __init__(self, device: torch.device, decode: Callable[[Any], Any], needs: Collection[str] = EVERYTHING) -> None:
        self._device, self._decode, self._needs = device, decode, needs
        self._turns = threading.Semaphore(AT_ONCE)

    def __call__(self, samples: Sequence[Sample]) -> list[Measured]:
        """What each sample's image comes to, as `measured_here` finds it.

        Raises:
            DataError: an image has no pixels, or values that cannot be decoded.
        """
        kinds: dict[tuple[Any, ...] | None, list[int]] = {}
        for place, (sample, shape) in enumerate(zip(samples, shapes_of(samples), strict=True)):
            is_small = shape[0] * shape[1] <= CHUNK_PIXELS
            kind = (type(sample.image), sample.image.dtype, shape[2]) if is_small else None
            kinds.setdefault(kind, []).append(place)
        found: dict[int, Measured] = {}
        for kind, places in kinds.items():
            some = [samples[place] for place in places]
            measured = self._here(some) if kind is None else self._there(some)
            found |= dict(zip(places, measured, strict=True))
        return [found[place] for place in range(len(samples))]

    def _there(self, samples: Sequence[Sample]) -> list[Measured]:
        """Of images of one kind."""
        try:
            with self._turns:
                pixels = _pixels_of([sample.image for sample in samples], self._device, self._decode)
                shapes = shapes_of(samples)
                return measured_from(samples, shapes, DevicePixels(shapes, pixels), self._needs)
        except TROUBLES:
            return self._here(samples)

    def _here(self, samples: Sequence[Sample]) -> list[Measured]:
        fetched = [sample._replace(image=as_array(sample.image)) for sample in samples]
        return measured_here(fetched, self._decode, self._needs)


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

    @property
    def weighted(self) -> NDArray[np.uint64]:
        """The sum of all values of each, by the weights of their places, `(N,)`."""
        row, channels = self.row, self._own.shape[1]
        heights, widths = row.sizes.T
        # With a sign whole numbers are multiplied and added, modulo 2⁶⁴, as without one.
        down, across = (
            torch.from_numpy(each.astype(np.int64)).to(row.device)
            for each in weights(channels * int(heights.max()), int(widths.max()))
        )
        height, sums = row.of_images(heights), torch.zeros(row.total, dtype=torch.int64, device=row.device)
        for channel in range(channels):
            sums += self._own[:, channel] * down[row.y + channel * height]
        return row.sums(sums * across[row.x]).astype(np.uint64)

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
    # Divided by a tensor: by a number CUDA multiplies, and rounds otherwise.
    count = torch.full((), channels, dtype=torch.float64, device=pixels.device)
    grey = pixels.sum(dim=1, keepdim=True) / count
    return grey.round().to(torch.uint8).expand(-1, 3)
