"""Grad-CAM for the price of a forward pass: the graph begins at the layer that is explained, not at the image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn

from augimpact.explain.layer_pass import activations_and_gradients, weighted_sum
from augimpact.explain.target import Target
from augimpact.models.layer import Layer

__all__ = ["Explanation", "gradcam", "gradcam_maps"]


class Explanation(NamedTuple):
    """logits: `(N, C)`. targets: `(N,)` int64, the outputs that are explained.

    maps: one `(N, h, w)` per layer, at the layer's resolution, ≥ 0, not normalised; a method of the input gives exactly
    one, at the input's resolution.
    """

    logits: Tensor
    maps: tuple[Tensor, ...]
    targets: Tensor


def gradcam(module: nn.Module, batch: Tensor, layers: Sequence[Layer], target: Target) -> Explanation:
    """Logits and Grad-CAM maps of a batch, in one forward pass and the backward pass of what follows the layers.

    With A the layer's output and y the target's logit, the map is ReLU(Σ_k α_k A_k), where α_k is the mean over all
    places of ∂y/∂A_k (Selvaraju et al. 2017, arXiv:1610.02391, eq. 1 and 2).

    Everything before the first layer runs without a graph, the summed target values are differentiated with respect to
    the layers alone, and no parameter collects a gradient. Hooks and training modes are as before when the call ends,
    however it ends.

    Args:
        module: maps the batch to logits `(N, C)`.
        batch: `(N, 3, H, W)` or `(N, C, T)`, prepared; channels last is fastest on a CPU.
        layers: at least one; their order is that of the maps.
        target: what is explained.

    Raises:
        LayerError: the logits do not depend on a layer, or its output is not what its layout says.
        TargetError: there is no such output.
    """
    found = activations_and_gradients(module, batch, layers, target)
    return Explanation(found.logits, gradcam_maps(found.activations, found.gradients), found.targets)


def gradcam_maps(activations: Sequence[Tensor], gradients: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """ReLU(Σ_k α_k A_k), `(N, h, w)`, of each layer's activations and gradients `(N, K, h, w)`."""
    return tuple(
        weighted_sum(gradient.mean(dim=(2, 3)), activation).relu_()
        for activation, gradient in zip(activations, gradients, strict=True)
    )
