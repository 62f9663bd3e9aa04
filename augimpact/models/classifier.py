"""A classifier: a module, how its images are prepared, what its outputs are called, which layer is explained."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import copy
from functools import cached_property
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from augimpact.errors import LayerError, ModelError, TargetError, unknown
from augimpact.models.probe import Probe, probe

__all__ = ["Classifier"]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
RESAMPLING = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
# The canvas on which frames are made has this many times the side of the model's input.
CANVAS_SCALE = 2


class Classifier:
    """A module with everything that is needed to ask it about an image. The module itself is never changed.

    Args:
        module: maps `(N, 3, size, size)` to logits `(N, C)`.
        labels: the names of the C outputs; by default `class 0`, `class 1`…
        mean: of the training images, in [0, 1], per channel.
        std: likewise.
        size: the side of the module's input, in pixels.
        crop: the share of the shorter side that evaluation keeps, in (0, 1].
        squash: evaluation resizes both sides alike (True), or keeps the aspect and crops the centre (False).
        interpolation: of the resizing: `bilinear`, `bicubic` or `lanczos`.
        layer: the name of the layer to explain; by default the last with spatial output.
        name: what the classifier is called in captions and recipes.

    Raises:
        ModelError: the module is none, or a value makes no sense.
    """

    def __init__(
        self,
        module: nn.Module,
        labels: Sequence[str] | None = None,
        *,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
        size: int = 224,
        crop: float = 1.0,
        squash: bool = False,
        interpolation: str = "bilinear",
        layer: str | None = None,
        name: str | None = None,
    ) -> None:
        if not isinstance(module, nn.Module):
            raise ModelError(f"the model is a {type(module).__name__}; expected a torch.nn.Module")
        if interpolation not in RESAMPLING:
            raise ModelError(unknown("interpolation", interpolation, RESAMPLING))
        if not 0 < crop <= 1:
            raise ModelError(f"crop is {crop!r}; expected a share in (0, 1]")
        if size < 1:
            raise ModelError(f"size is {size!r}; expected the side of the input in pixels")
        self.module = module
        self.mean = tuple(float(value) for value in mean)
        self.std = tuple(float(value) for value in std)
        self.size = int(size)
        self.crop = float(crop)
        self.squash = squash
        self.interpolation = interpolation
        self.name = name or type(module).__name__
        self._labels = None if labels is None else tuple(str(label) for label in labels)
        self._layer = layer
        self._moments: tuple[Tensor, Tensor] | None = None

    def __repr__(self) -> str:
        return f"Classifier({self.name!r}, size={self.size})"

    @property
    def device(self) -> torch.device:
        """Where the module's parameters are."""
        return next((parameter.device for parameter in self.module.parameters()), torch.device("cpu"))

    @cached_property
    def probe(self) -> Probe:
        """What one forward pass showed: the number of classes and the layers with spatial output."""
        found = probe(self.module, self.size)
        if self._labels is not None and len(self._labels) != found.outputs:
            raise ModelError(f"{len(self._labels)} labels were given for a model of {found.outputs} classes")
        return found

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the outputs."""
        if self._labels is None:
            self._labels = tuple(f"class {index}" for index in range(self.probe.outputs))
        return self._labels

    @property
    def layer(self) -> str:
        """The name of the layer that is explained."""
        return self._layer or self.probe.default_layer()

    def find_layer(self, name: str | None = None) -> nn.Module:
        """The layer of this name, or the classifier's own.

        Raises:
            LayerError: there is none, or its output has no spatial extent.
        """
        name = name or self.layer
        modules: dict[str, nn.Module] = dict(self.module.named_modules())
        if name not in modules:
            raise LayerError(unknown("layer", name, self.probe.layers))
        if name not in self.probe.layers:
            last = ", ".join(self.probe.layers[-6:])
            raise LayerError(f"layer {name!r} has no spatial output (N, C, h, w); among those that have: {last}")
        return modules[name]

    def with_layer(self, name: str) -> Classifier:
        """The same classifier, explained at this layer; raises as `find_layer` does."""
        self.find_layer(name)
        other = copy(self)
        other._layer = name
        return other

    def index_of(self, target: str | int) -> int:
        """The index of a class given by its name or its index.

        Raises:
            TargetError: the classifier has no such class.
        """
        if isinstance(target, (int, np.integer)):
            if not 0 <= target < len(self.labels):
                raise TargetError(
                    f"target {target} is outside the {len(self.labels)} classes; expected 0 to {len(self.labels) - 1}"
                )
            return int(target)
        if target in self.labels:
            return self.labels.index(target)
        if target.isdecimal():
            return self.index_of(int(target))
        folded = [label.lower() for label in self.labels]
        if target.lower() in folded:
            return folded.index(target.lower())
        raise TargetError(unknown("class", target, self.labels))

    def canvas(self, image: Image.Image) -> Tensor:
        """The region that evaluation keeps, at twice the input's side, `(3, S, S)` in [0, 1] on the device.

        The image is resampled once, with antialiasing, straight from its own pixels.
        """
        side = CANVAS_SCALE * self.size
        pixels = np.asarray(image.resize((side, side), RESAMPLING[self.interpolation], box=self._region(image)))
        return torch.from_numpy(pixels.copy()).to(self.device).permute(2, 0, 1).float().div_(255)

    def prepare(self, frames: Tensor) -> Tensor:
        """What the module is fed, `(N, 3, size, size)` normalised, of 8-bit frames `(N, 3, S, S)`.

        The frames are the very ones that a person sees; they are scaled down with antialiasing.
        """
        size = (self.size, self.size)
        mode = "bilinear" if self.interpolation == "bilinear" else "bicubic"
        if frames.device.type == "cpu":
            small = F.interpolate(frames, size=size, mode=mode, antialias=True)
        else:
            # Only the CPU scales bytes; elsewhere the same is done in floats and rounded to the same bytes.
            small = F.interpolate(frames.float(), size=size, mode=mode, antialias=True).round_().clamp_(0, 255)
        shift, scale = self._shift_and_scale(frames.device)
        return small.to(torch.float32, memory_format=torch.channels_last).sub_(shift).mul_(scale)

    def _shift_and_scale(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Mean and inverse deviation for bytes in 0…255, kept from call to call."""
        if self._moments is None or self._moments[0].device != device:
            mean, std = (torch.tensor(values)[:, None, None] * 255 for values in (self.mean, self.std))
            self._moments = mean.to(device), (1 / std).to(device)
        return self._moments

    def _region(self, image: Image.Image) -> tuple[float, float, float, float]:
        """The box of the image that evaluation's resize and centre crop keep, in its own pixels."""
        width, height = image.size
        share = self.size / math.floor(self.size / self.crop + 1e-6)
        kept_x, kept_y = (share * (side if self.squash else min(width, height)) for side in (width, height))
        left, top = (width - kept_x) / 2, (height - kept_y) / 2
        return left, top, left + kept_x, top + kept_y

    def recipe(self) -> dict[str, Any]:
        """What names this classifier in a recipe."""
        return {"name": self.name, "layer": self.layer, "classes": len(self.labels), "size": self.size}
