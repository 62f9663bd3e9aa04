"""What classifiers and regressors share: a module that is never changed, what it is fed, what its outputs mean."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any, Self

import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from augimpact.errors import LayerError, ModelError, unknown
from augimpact.models.hooks import alone
from augimpact.models.inputs import IMAGENET_MEAN, IMAGENET_STD, ImageInput, SignalInput
from augimpact.models.layer import Layer
from augimpact.models.outputs import Outputs
from augimpact.models.probe import Probe, probe
from augimpact.once import once

__all__ = ["Model", "inputs_of", "names_of"]


class Model:
    """A module with everything that is needed to ask it about an image or a signal.

    Attributes:
        module: the user's own, never changed.
        inputs: how it is fed.
        name: what it is called in captions and recipes.
        origin: the arguments of `augimpact.load_classifier` that make it again, or None for objects.
    """

    def __init__(
        self, module: nn.Module, inputs: ImageInput | SignalInput, layer: str | Sequence[str] | None, name: str | None
    ) -> None:
        if not isinstance(module, nn.Module):
            raise ModelError(f"the model is a {type(module).__name__}; expected a torch.nn.Module")
        self.module = module
        self.inputs = inputs
        self.name = name or type(module).__name__
        self.origin: dict[str, Any] | None = None
        self._layers = (layer,) if isinstance(layer, str) else tuple(layer or ())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, input={self.inputs.shape})"

    @property
    def device(self) -> torch.device:
        """Where the module's parameters are."""
        return next((parameter.device for parameter in self.module.parameters()), torch.device("cpu"))

    @once
    def probe(self) -> Probe:
        """What one forward pass showed: the number of outputs and the layers with spatial output."""
        with alone(self.module):
            return probe(self.module, self.inputs.shape)

    @property
    def outputs(self) -> Outputs:
        """What the outputs of `asked` mean."""
        raise NotImplementedError

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the outputs."""
        return self.outputs.names

    @property
    def chosen(self) -> list[str] | None:
        """The names of the outputs that were chosen from all of the module's, or None where none were."""
        return None

    @property
    def asked(self) -> nn.Module:
        """What maps a batch to the outputs that `outputs` names: the module itself, or a choice of its outputs."""
        return self.module

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of the layers that are explained."""
        return self._layers or (self.probe.default_layer(),)

    def find_layers(self, names: str | Sequence[str] | None = None) -> tuple[Layer, ...]:
        """The layers of these names, or the model's own.

        Raises:
            LayerError: there is none of that name, or its output has no spatial extent.
        """
        if names is not None and not isinstance(names, (str, Sequence)):
            raise LayerError(f"layer {names!r}; expected a name, or several")
        wanted = self.layers if names is None else (names,) if isinstance(names, str) else tuple(names)
        if not wanted:
            raise LayerError("no layer is named; expected the name of at least one")
        layouts = self.probe.layouts
        for name in wanted:
            if name not in layouts:
                if name not in dict(self.module.named_modules()):
                    raise LayerError(unknown("layer", name, layouts))
                some = (
                    f"among those that have: {', '.join(list(layouts)[-6:])}" if layouts else "none of this model has"
                )
                raise LayerError(f"layer {name!r} has no spatial output; {some}")
        return tuple(Layer(name, self.module.get_submodule(name), layouts[name]) for name in wanted)

    def with_layer(self, names: str | Sequence[str]) -> Self:
        """The same model, explained at this layer or these; raises as `find_layers` does."""
        self.find_layers(names)
        other = copy(self)
        other._layers = (names,) if isinstance(names, str) else tuple(names)
        return other

    def canvas(self, content: Image.Image | NDArray[Any]) -> Tensor:
        """What frames are made of, on the model's device; see `ImageInput.canvas` and `SignalInput.canvas`."""
        return self.inputs.canvas(content, self.device)  # type: ignore[arg-type]

    def sees(self, image: Image.Image) -> Tensor:
        """What a model of images is fed of one, before it is normalised; see `ImageInput.sees`.

        Raises:
            ModelError: it takes signals.
        """
        if not isinstance(self.inputs, ImageInput):
            raise ModelError("the model takes signals; expected a model of images")
        return self.inputs.sees(image)

    def prepare(self, frames: Tensor) -> Tensor:
        """What the module is fed; see `ImageInput.prepare` and `SignalInput.prepare`."""
        return self.inputs.prepare(frames)

    def recipe(self) -> dict[str, Any]:
        """What names this model in a recipe; one that tells no places apart, and cannot be explained, has no layers."""
        try:
            layers = list(self.layers)
        except LayerError:
            layers = []
        about = {"name": self.name, "layers": layers, "outputs": len(self.outputs.names)}
        return about | self.inputs.recipe() | {"origin": self.origin}


def names_of(names: Sequence[Any], what: str) -> Sequence[Any]:
    """The names, if they are several.

    Raises:
        ModelError: one text, whose letters would be taken for names.
    """
    if isinstance(names, (str, bytes)) or not hasattr(names, "__len__"):
        raise ModelError(f"{what} are {names!r}; expected a list of names")
    return names


def inputs_of(
    signal: tuple[int, int] | None,
    mean: Sequence[float] | float | None,
    std: Sequence[float] | float | None,
    *,
    size: int,
    crop: float,
    squash: bool,
    interpolation: str,
) -> ImageInput | SignalInput:
    """The input that a constructor's arguments describe; `signal` is channels and length of a model of time series."""
    if signal is not None:
        channels, length = signal
        return SignalInput(channels, length, _per_channel(mean, channels, 0.0), _per_channel(std, channels, 1.0))
    return ImageInput(
        size=int(size),
        mean=IMAGENET_MEAN if mean is None else _per_channel(mean, 3, 0.0),
        std=IMAGENET_STD if std is None else _per_channel(std, 3, 1.0),
        crop=float(crop),
        squash=squash,
        interpolation=interpolation,
    )


def _per_channel(values: Sequence[float] | float | None, channels: int, usual: float) -> tuple[float, ...]:
    if values is None:
        return (usual,) * channels
    if isinstance(values, (int, float)):
        return (float(values),) * channels
    numbers = tuple(float(value) for value in values)
    if len(numbers) not in (1, channels):
        raise ModelError(f"{len(numbers)} values for the mean or deviation of {channels} channels; expected {channels}")
    return numbers if len(numbers) == channels else numbers * channels
