"""What a look at two forward passes tells about a module: its outputs, its layers, and the one to explain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn

from augimpact.errors import LayerError, ModelError
from augimpact.models.hooks import evaluating, watching
from augimpact.models.layer import Layer, layout_of

__all__ = ["Probe", "probe"]

# How many of the last layers are asked whether the scores depend on their places.
ASKED = 16


class Probe(NamedTuple):
    """outputs: the number of classes. layers: the names of those that tell places apart, in the order of execution.

    default: the last of them on whose places the scores depend, before its places are pooled; None where there is no
    such layer. Of a model that goes on with tokens it is the last normalisation: a vision transformer that reads its
    scores off the class token gets there by attention, so that its places count last before the last attention.

    layouts: the layout of each layer, see `Layer`.
    """

    outputs: int
    layers: tuple[str, ...]
    default: str | None
    layouts: Mapping[str, str]

    def default_layer(self) -> str:
        """The layer that is explained where none is named.

        Raises:
            LayerError: there is no such layer.
        """
        if self.default is None:
            raise LayerError("no layer of this model tells places apart, so that none can be explained")
        return self.default


def probe(module: nn.Module, shape: int | Sequence[int]) -> Probe:
    """Runs one random input through the module and notes what comes out where, and what the scores depend on.

    Args:
        module: maps a batch to scores `(N, classes)`.
        shape: of the input without its batch: `(3, S, S)` or `(C, T)`; a number S is an image's side.

    Raises:
        ModelError: the forward pass fails, or does not give one row of scores.
    """
    shape = (3, shape, shape) if isinstance(shape, int) else tuple(shape)
    # The generator is its own, and so no random number of the caller's is used up.
    batch = torch.rand(1, *shape, generator=torch.Generator().manual_seed(0)).to(
        next((each.device for each in module.parameters()), None)
    )
    scores, found = _look(module, batch)
    layers = {
        name: Layer(name, each, layout)
        for name, (each, seen) in found.items()
        if (layout := layout_of(seen, len(shape))) is not None
    }
    default = _default(module, batch, layers, found)
    return Probe(scores.shape[1], tuple(layers), default, {name: each.layout for name, each in layers.items()})


def _look(module: nn.Module, batch: Tensor) -> tuple[Tensor, dict[str, tuple[nn.Module, tuple[int, ...]]]]:
    """The scores, and every submodule with the shape of its last output, in the order in which they finished."""
    found: dict[str, tuple[nn.Module, tuple[int, ...]]] = {}

    def note(name: str) -> Callable[[nn.Module, object, object], None]:
        def hook(each: nn.Module, _inputs: object, output: object) -> None:
            found.pop(name, None)
            if isinstance(output, Tensor):
                found[name] = (each, tuple(output.shape))

        return hook

    pools = tuple(f"{name}." for name, each in module.named_modules() if name and _only_pools(each))
    handles = [
        each.register_forward_hook(note(name))
        for name, each in module.named_modules()
        if name and not _only_pools(each) and not name.startswith(pools)
    ]
    try:
        with torch.inference_mode(False), torch.no_grad(), evaluating(module):
            scores = module(batch)
    except Exception as error:
        kind = "an image" if batch.ndim == 4 else "a signal"
        raise ModelError(f"the model cannot take {kind} of shape {tuple(batch.shape)}: {error}") from error
    finally:
        for handle in handles:
            handle.remove()
    if not isinstance(scores, Tensor) or scores.ndim != 2:
        given = f"shape {tuple(scores.shape)}" if isinstance(scores, Tensor) else type(scores).__name__
        raise ModelError(f"the model returns {given}; expected scores of shape (N, classes)")
    return scores, found


def _default(
    module: nn.Module,
    batch: Tensor,
    layers: Mapping[str, Layer],
    found: Mapping[str, tuple[nn.Module, tuple[int, ...]]],
) -> str | None:
    """The layer that is explained where none is named."""
    if not layers:
        return None
    last = list(layers.values())[-1]
    if last.layout == "NLC":
        fit = [each for each in layers.values() if "Norm" in type(each.module).__name__]
    else:
        # A map of a square image is square; what is not, may be something else with four axes.
        fit = [each for each in layers.values() if each.layout != "NLC" and _is_square(each, found[each.name][1])]
    asked = (fit or list(layers.values()))[-ASKED:]
    told = _places_that_count(module, batch, asked)
    return told[-1] if told else None


def _is_square(layer: Layer, shape: tuple[int, ...]) -> bool:
    return layer.layout != "NCHW" or shape[2] == shape[3]


def _places_that_count(module: nn.Module, batch: Tensor, layers: Sequence[Layer]) -> list[str]:
    """The layers on whose places the scores depend: some of them have a gradient that is not zero.

    Where the scores depend on nothing at all, all that are connected count.
    """
    with _zeros_let_through(module), watching(module, [each.module for each in layers]) as outputs:
        scores = module(batch)
        reached = [(layer, output) for layer, output in zip(layers, outputs, strict=True) if output is not None]
        if not scores.requires_grad or not reached:
            return []
        gradients = torch.autograd.grad(scores.amax(), [output for _, output in reached], allow_unused=True)
    connected = [
        (layer.name, layer.as_map(gradient))
        for (layer, _), gradient in zip(reached, gradients, strict=True)
        if gradient is not None
    ]
    return [name for name, places in connected if places.any()] or [name for name, _ in connected]


@contextmanager
def _zeros_let_through(module: nn.Module) -> Iterator[None]:
    """Inside the block, linear layers of zeros give something random: so begins many a head, as torchvision's ViT's."""

    def hook(_linear: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        fed = inputs[0]
        weights = torch.rand(fed.shape[-1], generator=torch.Generator().manual_seed(0)).to(fed)
        return output + (fed * weights).sum(dim=-1, keepdim=True)

    with ExitStack() as stack:
        for each in module.modules():
            if isinstance(each, nn.Linear) and not each.weight.any():
                stack.callback(each.register_forward_hook(hook).remove)
        yield


def _only_pools(module: nn.Module) -> bool:
    """Whether the layer merely pools, drops or turns around what the layer before it computed."""
    return any(word in type(module).__name__ for word in ("Pool", "Dropout", "Permute"))
