"""One forward pass and the backward pass of what follows the layers: activations and gradients for every method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from augimpact.errors import LayerError
from augimpact.explain.target import Target
from augimpact.models.hooks import watching
from augimpact.models.layer import Layer

__all__ = [
    "LayerPass",
    "activations_and_gradients",
    "activations_of",
    "gradients_at",
    "maps_of",
    "outputs_of",
    "weighted_sum",
]


class LayerPass(NamedTuple):
    """logits: `(N, C)`. targets: `(N,)` int64. activations, gradients: one `(N, K, h, w)` per layer.

    The gradients are of the summed target values; they are empty where none were asked for.
    """

    logits: Tensor
    targets: Tensor
    activations: tuple[Tensor, ...]
    gradients: tuple[Tensor, ...] = ()


def activations_and_gradients(module: nn.Module, batch: Tensor, layers: Sequence[Layer], target: Target) -> LayerPass:
    """Everything before the first layer runs without a graph, and no parameter collects a gradient.

    Raises:
        LayerError: the scores do not depend on a layer, or its output is not what its layout says.
        TargetError: there is no such output.
    """
    with watching(module, [layer.module for layer in layers]) as outputs:
        logits = module(batch)
        found = outputs_of(layers, outputs)
        values, targets = target.of(logits)
        gradients = gradients_at(values, layers, found)
    return LayerPass(logits.detach(), targets, maps_of(layers, found), gradients)


def activations_of(module: nn.Module, batch: Tensor, layers: Sequence[Layer], target: Target) -> LayerPass:
    """The forward pass alone, without gradients; raises as `activations_and_gradients` does."""
    with watching(module, [layer.module for layer in layers], graph=False) as outputs:
        logits = module(batch)
    _, targets = target.of(logits)
    return LayerPass(logits, targets, maps_of(layers, outputs_of(layers, outputs)))


def outputs_of(layers: Sequence[Layer], outputs: Sequence[Tensor | None]) -> list[Tensor]:
    """The outputs that were watched.

    Raises:
        LayerError: the forward pass did not reach a layer.
    """
    found = []
    for layer, output in zip(layers, outputs, strict=True):
        if output is None:
            raise independent(layer)
        found.append(output)
    return found


def gradients_at(
    values: Tensor, layers: Sequence[Layer], outputs: Sequence[Tensor], *, retain_graph: bool = False
) -> tuple[Tensor, ...]:
    """∂ Σ values / ∂ output of each layer, as a map `(N, K, h, w)`.

    Raises:
        LayerError: the values do not depend on a layer.
    """
    if not values.requires_grad:
        raise independent(layers[0])
    gradients = torch.autograd.grad(values.sum(), outputs, retain_graph=retain_graph, allow_unused=True)
    for layer, gradient in zip(layers, gradients, strict=True):
        if gradient is None:
            raise independent(layer)
    return maps_of(layers, gradients)


def independent(layer: Layer) -> LayerError:
    return LayerError(f"the scores do not depend on the layer {layer.name!r}; choose another")


def weighted_sum(weights: Tensor, activations: Tensor) -> Tensor:
    """Σ_k weights_k activations_k, `(N, h, w)`, of weights `(N, K)` and activations `(N, K, h, w)`."""
    # Autocast would round the sum to a half, too.
    with torch.autocast(activations.device.type, enabled=False):
        return torch.einsum("nk,nkhw->nhw", weights, activations)


def maps_of(layers: Sequence[Layer], tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """As maps, cut loose from the graph, of at least single precision."""
    return tuple(
        layer.as_map(tensor.detach()).to(torch.promote_types(tensor.dtype, torch.float32))
        for layer, tensor in zip(layers, tensors, strict=True)
    )
