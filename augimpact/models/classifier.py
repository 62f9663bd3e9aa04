"""A classifier: a module, how its inputs are prepared, what its classes are called, which layer is explained."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

from torch import nn

from augimpact.errors import ModelError, TargetError
from augimpact.models.chosen import ChosenOutputs
from augimpact.models.model import Model, inputs_of, names_of
from augimpact.models.outputs import Outputs
from augimpact.once import once

__all__ = ["Classifier"]


class Classifier(Model):
    """A module with everything that is needed to ask it about an image. The module itself is never changed.

    Args:
        module: maps `(N, 3, size, size)`, or `(N, channels, length)`, to logits `(N, C)`.
        labels: the names of the C outputs; by default `class 0`, `class 1`…
        mean: of the training data, per channel, for images in [0, 1]; by default ImageNet's, for signals 0.
        std: likewise; for signals by default 1.
        size: the side of the module's input, in pixels.
        crop: the share of the shorter side that evaluation keeps, in (0, 1].
        squash: evaluation resizes both sides alike (True), or keeps the aspect and crops the centre (False).
        interpolation: of the resizing: `bilinear`, `bicubic` or `lanczos`.
        signal: `(channels, length)` of a model of time series; then the arguments about images do not count.
        layer: the name of the layer to explain, or several; by default the last with spatial output.
        name: what the classifier is called in captions and recipes.

    Raises:
        ModelError: the module is none, or a value makes no sense.
    """

    def __init__(
        self,
        module: nn.Module,
        labels: Sequence[str] | None = None,
        *,
        mean: Sequence[float] | float | None = None,
        std: Sequence[float] | float | None = None,
        size: int = 224,
        crop: float = 1.0,
        squash: bool = False,
        interpolation: str = "bilinear",
        signal: tuple[int, int] | None = None,
        layer: str | Sequence[str] | None = None,
        name: str | None = None,
    ) -> None:
        inputs = inputs_of(signal, mean, std, size=size, crop=crop, squash=squash, interpolation=interpolation)
        super().__init__(module, inputs, layer, name)
        self._labels = None if labels is None else tuple(str(label) for label in names_of(labels, "labels"))
        self._chosen: tuple[int, ...] | None = None

    @once
    def outputs(self) -> Outputs:
        """The classes."""
        found = self.probe.outputs
        names = self._labels if self._labels is not None else tuple(f"class {index}" for index in range(found))
        if len(names) != found:
            raise ModelError(f"{len(names)} labels were given for a model of {found} classes")
        return Outputs.of_classes(names if self._chosen is None else [names[index] for index in self._chosen])

    def index_of(self, target: str | int) -> int:
        """The index of a class given by its name or its index; raises `TargetError` where there is none."""
        return self.outputs.index_of(target)

    def restricted_to(self, classes: Sequence[str | int]) -> Classifier:
        """The same classifier with only these classes, in this order: scores are the softmax over them alone.

        Raises:
            TargetError: a class that there is not, one twice, or fewer than two.
        """
        indices = tuple(self.index_of(each) for each in names_of(classes, "classes"))
        if len(set(indices)) != len(indices) or len(indices) < 2:
            raise TargetError(f"classes are {', '.join(map(str, classes))}; expected two or more, each once")
        other = copy(self)
        other._chosen = indices if self._chosen is None else tuple(self._chosen[index] for index in indices)
        vars(other).pop("outputs", None)
        vars(other).pop("asked", None)
        return other

    @property
    def chosen(self) -> list[str] | None:
        """The names of the chosen classes, or None for all."""
        return None if self._chosen is None else list(self.labels)

    @once
    def asked(self) -> nn.Module:
        """The module, or its logits of the chosen classes alone."""
        return self.module if self._chosen is None else ChosenOutputs(self.module, self._chosen)
