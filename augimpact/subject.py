"""An image or a signal as one model is asked about it, so that it need not be prepared again for every question."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from augimpact.augment.apply import augment
from augimpact.augment.parameters import CATALOGUE, MIXING, Parameter
from augimpact.augment.signal import augment_signal
from augimpact.augment.signal_parameters import SIGNAL_CATALOGUE
from augimpact.data.image import DEFAULT_SECOND, EXAMPLE, content_hash, read_image
from augimpact.data.signal import read_signal, signal_hash
from augimpact.errors import ImageError
from augimpact.models.inputs import ImageInput, SignalInput
from augimpact.models.model import Model
from augimpact.once import once
from augimpact.render.signals import draw_signals

__all__ = ["ImageSubject", "SignalSubject", "Subject", "subject_of"]

Values = Mapping[str, NDArray[np.float64]]
# Frames that a CPU augments at a time: so few that they stay in its caches.
AUGMENTED = {"cpu": 4}


@dataclass(frozen=True, eq=False)
class Subject(ABC):
    """What is swept.

    Attributes:
        canvas: on the model's device: an image `(3, S, S)` in [0, 1], or a signal `(C, T)`.
        recipe: name, source, hash and size.
        inputs: how the model is fed for which it was prepared.
    """

    canvas: Tensor
    recipe: dict[str, Any]
    inputs: ImageInput | SignalInput

    def second_recipe(self) -> dict[str, Any] | None:
        """What was mixed in, or None."""
        return None

    @property
    @abstractmethod
    def catalogue(self) -> Mapping[str, Parameter]:
        """The parameters that can change."""

    @property
    @abstractmethod
    def content(self) -> tuple[tuple[int, ...], torch.dtype]:
        """Shape and type of what is kept of one frame."""

    def room(self, count: int, device: torch.device) -> Tensor:
        """Empty memory for the content of `count` frames; on the host such that a GPU can write to it directly."""
        shape, dtype = self.content
        pinned = device.type == "cpu" and self.canvas.device.type == "cuda"
        return torch.empty((count, *shape), dtype=dtype, device=device, pin_memory=pinned)

    @abstractmethod
    def fill(self, content: Tensor, values: Values, *, erase_fill: str, border: str, seed: int) -> list[NDArray[Any]]:
        """Makes the frames of N settings in `content`; gives their homographies, in parts."""

    @abstractmethod
    def batch(self, content: Tensor) -> Tensor:
        """The content as a model's input prepares it."""

    @abstractmethod
    def pictures(self, content: NDArray[Any]) -> NDArray[np.uint8]:
        """The content as a person sees it, `(N, H, W, 3)`."""


@dataclass(frozen=True, eq=False)
class ImageSubject(Subject):
    """An image; `second` is the one that is mixed in, as `augimpact.data.image.read_image` takes it."""

    inputs: ImageInput
    second: Any

    @property
    def catalogue(self) -> Mapping[str, Parameter]:
        """Those of images."""
        return CATALOGUE

    @property
    def content(self) -> tuple[tuple[int, ...], torch.dtype]:
        """`(S, S, 3)` bytes."""
        return (*self.canvas.shape[1:], 3), torch.uint8

    def fill(self, content: Tensor, values: Values, *, erase_fill: str, border: str, seed: int) -> list[NDArray[Any]]:
        """Bytes, as they are shown."""
        matrices = []
        mixing = any((values[name] != CATALOGUE[name].neutral).any() for name in MIXING)
        size = AUGMENTED.get(self.canvas.device.type, len(content))
        for first in range(0, len(content), size):
            some = {name: each[first : first + size] for name, each in values.items()}
            images, moved_by = augment(
                self.canvas, some, erase_fill=erase_fill, border=border, second=self._mixed_in if mixing else None,
                seed=seed,
            )  # fmt: skip
            # Made for this and used up on the way.
            content[first : first + size] = images.mul_(255).round_().permute(0, 2, 3, 1)
            matrices.append(moved_by)
        return matrices

    def batch(self, content: Tensor) -> Tensor:
        """`(N, 3, S, S)`, without a copy."""
        return content.permute(0, 3, 1, 2)

    def pictures(self, content: NDArray[Any]) -> NDArray[np.uint8]:
        """The frames themselves."""
        return np.asarray(content, dtype=np.uint8)

    def second_recipe(self) -> dict[str, Any] | None:
        """Its name, if it has one, and its hash."""
        if "_mixed_in" not in vars(self):
            return None
        return {"source": _source(self._second), "hash": self._second_hash}

    @property
    def _second(self) -> Any:
        return DEFAULT_SECOND if self.second is None else self.second

    @once
    def _mixed_in(self) -> Tensor:
        return self.inputs.canvas(read_image(self._second), self.canvas.device, self.canvas.shape[-1])

    @once
    def _second_hash(self) -> str:
        return content_hash(read_image(self._second))


@dataclass(frozen=True, eq=False)
class SignalSubject(Subject):
    """A time series."""

    @property
    def catalogue(self) -> Mapping[str, Parameter]:
        """Those of signals."""
        return SIGNAL_CATALOGUE

    @property
    def content(self) -> tuple[tuple[int, ...], torch.dtype]:
        """`(C, T)` float32."""
        return tuple(self.canvas.shape), torch.float32

    def fill(self, content: Tensor, values: Values, *, erase_fill: str, border: str, seed: int) -> list[NDArray[Any]]:
        """Float32."""
        signals, matrices = augment_signal(self.canvas, values, erase_fill=erase_fill, border=border, seed=seed)
        content.copy_(signals)
        return [matrices]

    def batch(self, content: Tensor) -> Tensor:
        """The signals themselves."""
        return content

    def pictures(self, content: NDArray[Any]) -> NDArray[np.uint8]:
        """The curves, all on one scale."""
        return draw_signals(content)


def subject_of(content: Any, model: Model, name: str | None = None, *, second: Any = None) -> Subject:
    """Reads and prepares an image or a signal, whichever the model takes.

    Args:
        content: see `augimpact.data.image.read_image` and `augimpact.data.signal.read_signal`; or a `Subject`.
        model: the one that will be asked.
        name: what it is called; by default as its file, if it is one.
        second: the image that mixing mixes in; by default an example photograph.

    Raises:
        ImageError, SignalError: it cannot be read, or has another shape than the model's input.
    """
    if isinstance(content, Subject):
        if content.inputs != model.inputs or content.canvas.device != model.device or second is not None:
            raise ImageError("the subject was prepared for another model or second image; expected it made for these")
        return content
    source = _source(content)
    if name is None:
        name = "image" if source is None and model.inputs.domain == "image" else "signal"
        name = name if source is None else Path(source.removeprefix(EXAMPLE)).name
    if isinstance(model.inputs, SignalInput):
        signal = read_signal(content)
        recipe = {"name": name, "source": source, "hash": signal_hash(signal), "size": list(signal.shape)}
        return SignalSubject(model.canvas(signal), recipe, model.inputs)
    picture = read_image(content)
    recipe = {"name": name, "source": source, "hash": content_hash(picture), "size": list(picture.size)}
    return ImageSubject(model.canvas(picture), recipe, model.inputs, second)


def _source(content: Any) -> str | None:
    """Where a file is, so that it is found from anywhere; the name of an example; None for objects."""
    if not isinstance(content, (str, os.PathLike)):
        return None
    name = os.fspath(content)
    return name if name.startswith(EXAMPLE) else str(Path(name).absolute())
