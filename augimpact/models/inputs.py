"""How a model is fed: the region and size of its images, or the shape of its signals, and their normalisation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from augimpact.errors import ModelError, SignalError, unknown

__all__ = ["IMAGENET_MEAN", "IMAGENET_STD", "RESAMPLING", "ImageInput", "SignalInput", "scaled"]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
RESAMPLING = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
# The canvas on which frames are made has this many times the side of the model's input.
CANVAS_SCALE = 2


def scaled(frames: Tensor, side: int, interpolation: str) -> Tensor:
    """8-bit frames `(N, 3, S, S)` with this side, in bytes: `(N, 3, side, side)`; with antialiasing.

    Args:
        frames: of any size.
        side: in pixels.
        interpolation: one of `RESAMPLING`; Lanczos' is done bicubically.
    """
    mode = "bilinear" if interpolation == "bilinear" else "bicubic"
    if frames.device.type == "cpu":
        return F.interpolate(frames, size=(side, side), mode=mode, antialias=True)
    # Only the CPU scales bytes; elsewhere the same is done in floats and rounded to the same bytes.
    found = F.interpolate(frames.float(), size=(side, side), mode=mode, antialias=True)
    return found.round_().clamp_(0, 255).to(torch.uint8)


class _Moments:
    """Mean and inverse deviation as tensors on one device, kept from call to call."""

    def __init__(self, mean: Sequence[float], std: Sequence[float], shape: tuple[int, ...], scale: float) -> None:
        if not all(value > 0 for value in std):
            raise ModelError(f"std is {', '.join(f'{value:g}' for value in std)}; expected numbers above 0")
        self.mean = torch.tensor(mean).reshape(shape) * scale
        self.gain = 1 / (torch.tensor(std).reshape(shape) * scale)

    def on(self, device: torch.device) -> tuple[Tensor, Tensor]:
        if self.mean.device != device:
            self.mean, self.gain = self.mean.to(device), self.gain.to(device)
        return self.mean, self.gain


@dataclass(frozen=True)
class ImageInput:
    """Images as a model's evaluation prepares them.

    Args:
        size: the side of the module's input, in pixels.
        mean: of the training images, in [0, 1], per channel.
        std: likewise.
        crop: the share of the shorter side that evaluation keeps, in (0, 1].
        squash: evaluation resizes both sides alike (True), or keeps the aspect and crops the centre (False).
        interpolation: of the resizing: `bilinear`, `bicubic` or `lanczos`.

    Raises:
        ModelError: a value makes no sense.
    """

    size: int = 224
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    crop: float = 1.0
    squash: bool = False
    interpolation: str = "bilinear"
    _moments: _Moments = field(init=False, repr=False, compare=False)

    domain = "image"

    def __post_init__(self) -> None:
        if self.interpolation not in RESAMPLING:
            raise ModelError(unknown("interpolation", self.interpolation, RESAMPLING))
        if not 0 < self.crop <= 1:
            raise ModelError(f"crop is {self.crop!r}; expected a share in (0, 1]")
        if self.size < 1:
            raise ModelError(f"size is {self.size!r}; expected the side of the input in pixels")
        # Bytes in 0…255 are what is normalised.
        object.__setattr__(self, "_moments", _Moments(self.mean, self.std, (-1, 1, 1), 255))

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one input, without the batch."""
        return 3, self.size, self.size

    def canvas(self, image: Image.Image, device: torch.device, side: int | None = None) -> Tensor:
        """The region that evaluation keeps, at twice the input's side, `(3, S, S)` in [0, 1].

        The image is resampled once, with antialiasing, straight from its own pixels. Where these are no more than the
        input's, the side is the input's own, if no other is given: nothing is gained by enlarging them twice, and an
        image of the very size of the input reaches the model bit for bit.
        """
        left, top, right, bottom = box = self._region(image)
        if side is None:
            side = self.size if max(right - left, bottom - top) <= self.size else CANVAS_SCALE * self.size
        pixels = np.asarray(image.resize((side, side), RESAMPLING[self.interpolation], box=box))
        return torch.from_numpy(pixels.copy()).to(device).permute(2, 0, 1).float().div_(255)

    def sees(self, image: Image.Image) -> Tensor:
        """What a model is fed of an image, before it is normalised: `(3, size, size)` in [0, 1]."""
        canvas = self.canvas(image, torch.device("cpu")).mul_(255).round_().to(torch.uint8)
        return scaled(canvas[None], self.size, self.interpolation)[0].float().div_(255)

    def scaled(self, frames: Tensor) -> Tensor:
        """Frames at the input's size, in bytes; see `scaled`."""
        return scaled(frames, self.size, self.interpolation)

    def normalised(self, small: Tensor) -> Tensor:
        """What the module is fed, `(N, 3, size, size)`, of frames that are scaled."""
        mean, gain = self._moments.on(small.device)
        return small.to(torch.float32, memory_format=torch.channels_last).sub_(mean).mul_(gain)

    def prepare(self, frames: Tensor) -> Tensor:
        """What the module is fed, `(N, 3, size, size)` normalised, of 8-bit frames `(N, 3, S, S)`.

        The frames are the very ones that a person sees; they are scaled down with antialiasing.
        """
        return self.normalised(self.scaled(frames))

    def _region(self, image: Image.Image) -> tuple[float, float, float, float]:
        """The box of the image that evaluation's resize and centre crop keep, in its own pixels."""
        width, height = image.size
        share = self.size / math.floor(self.size / self.crop + 1e-6)
        kept_x, kept_y = (share * (side if self.squash else min(width, height)) for side in (width, height))
        left, top = (width - kept_x) / 2, (height - kept_y) / 2
        return left, top, left + kept_x, top + kept_y

    def recipe(self) -> dict[str, Any]:
        """What tells this input apart, in plain types."""
        return {"size": self.size, "interpolation": self.interpolation}


@dataclass(frozen=True)
class SignalInput:
    """Time series of a fixed number of channels and samples.

    Args:
        channels: C.
        length: T, in samples.
        mean: of the training signals, per channel; by default 0.
        std: likewise; by default 1.

    Raises:
        ModelError: a value makes no sense.
    """

    channels: int
    length: int
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    _moments: _Moments = field(init=False, repr=False, compare=False)

    domain = "signal"

    def __post_init__(self) -> None:
        if self.channels < 1 or self.length < 2:
            raise ModelError(
                f"signals of {self.channels} channels and {self.length} samples; expected at least 1 and 2"
            )
        object.__setattr__(self, "_moments", _Moments(self.mean, self.std, (-1, 1), 1))

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one input, without the batch."""
        return self.channels, self.length

    def canvas(self, signal: NDArray[np.float32], device: torch.device) -> Tensor:
        """The signal `(C, T)` as a tensor.

        Raises:
            SignalError: it has another shape than the model's input.
        """
        if signal.shape != self.shape:
            raise SignalError(
                f"a signal of shape {signal.shape}; expected {self.shape} (channels, samples; a sample a line in .csv)"
            )
        return torch.from_numpy(signal).to(device)

    def prepare(self, signals: Tensor) -> Tensor:
        """What the module is fed, `(N, C, T)` normalised."""
        mean, gain = self._moments.on(signals.device)
        return (signals - mean) * gain

    def recipe(self) -> dict[str, Any]:
        """What tells this input apart, in plain types."""
        return {"channels": self.channels, "length": self.length}
