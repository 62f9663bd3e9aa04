"""Grad-CAM for the price of a forward pass: the graph begins at the layer that is explained, not at the image."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from augimpact.errors import LayerError
from augimpact.models.probe import evaluating

__all__ = ["Explanation", "gradcam"]


class Explanation(NamedTuple):
    """logits: `(N, C)`. maps: `(N, h, w)`, at the layer's resolution, not normalised. targets: `(N,)` class indices."""

    logits: Tensor
    maps: Tensor
    targets: Tensor


def gradcam(module: nn.Module, batch: Tensor, layer: nn.Module, target: int | None = None) -> Explanation:
    """Logits and Grad-CAM maps of a batch, in one forward pass and the backward pass of what follows `layer`.

    With A the layer's output and y the target's logit, the map is ReLU(Σ_k α_k A_k), where α_k is the mean over all
    places of ∂y/∂A_k (Selvaraju et al. 2017, arXiv:1610.02391, eq. 1 and 2).

    Everything before the layer runs without a graph. At the layer a hook cuts the output loose, lets it require a
    gradient and switches gradients on, and the summed target logits are differentiated with respect to it alone, so
    that no parameter collects a gradient. Hooks and training modes are as before when the call ends, however it ends.

    Args:
        module: maps the batch to logits `(N, C)`.
        batch: `(N, 3, H, W)`, prepared; channels last is fastest on a CPU.
        layer: a submodule with output `(N, K, h, w)`.
        target: the class to explain, or None for each image's own top class.

    Raises:
        LayerError: the logits do not depend on the layer, or its output has no spatial extent.
    """
    branches: list[Tensor] = []

    def branch(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        leaf = output.detach().requires_grad_()
        torch.set_grad_enabled(True)
        branches.append(leaf)
        # A leaf may not be changed in place, as some models do with their features; its copy may.
        return leaf.clone()

    handle = layer.register_forward_hook(branch)
    try:
        # Leaving the no_grad block restores the mode that `branch` changed.
        with torch.inference_mode(False), evaluating(module), torch.no_grad():
            logits = module(batch)
            if not branches or not logits.requires_grad:
                raise LayerError(
                    f"the scores do not depend on the layer of type {type(layer).__name__}; choose another"
                )
            targets = (
                logits.detach().argmax(dim=1)
                if target is None
                else torch.full_like(logits[:, 0], target, dtype=torch.int64)
            )
            chosen = logits.gather(1, targets[:, None]).sum()
            (gradients,) = torch.autograd.grad(chosen, branches[-1])
    finally:
        handle.remove()
    activations = branches[-1].detach()
    if activations.ndim != 4:
        raise LayerError(f"the layer's output has shape {tuple(activations.shape)}; expected (N, channels, h, w)")
    weights = gradients.mean(dim=(2, 3))
    maps = torch.einsum("nk,nkhw->nhw", weights, activations).relu_()
    return Explanation(logits.detach(), maps, targets)
