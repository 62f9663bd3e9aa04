"""How the scores change with every pixel: the gradient of the input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn

from augimpact.errors import ModelError
from augimpact.explain.gradcam import Explanation
from augimpact.explain.target import Target
from augimpact.models.hooks import evaluating
from augimpact.models.layer import Layer

__all__ = ["InputGradients", "explanation_of", "gradient", "gradient_at_input", "graph_from_input", "input_gradients"]


class InputGradients(NamedTuple):
    """logits: `(N, C)`. gradients: of the target's value, in the batch's own shape. targets: `(N,)` int64."""

    logits: Tensor
    gradients: Tensor
    targets: Tensor


def gradient(module: nn.Module, batch: Tensor, layers: Sequence[Layer], target: Target) -> Explanation:  # noqa: ARG001
    """The maximum over channels of |∂y/∂x|, `(N, H, W)` (Simonyan et al. 2013, arXiv:1312.6034, section 3.1).

    Args:
        module: maps the batch to logits `(N, C)`.
        batch: `(N, 3, H, W)` or `(N, C, T)`, prepared.
        layers: of no account, as the gradient is the input's.
        target: what is explained.

    Raises:
        ModelError: the scores carry no gradient back to the input.
        TargetError: there is no such output.
    """
    return explanation_of(input_gradients(module, batch, target))


def input_gradients(module: nn.Module, batch: Tensor, target: Target) -> InputGradients:
    """The logits of a batch and ∂y/∂x; parameters collect nothing. Raises as `gradient` does."""
    with graph_from_input(module, batch) as leaf:
        logits = module(leaf.clone())
        values, targets = target.of(logits)
        gradients = gradient_at_input(values, leaf)
    return InputGradients(logits.detach(), gradients, targets)


@contextmanager
def graph_from_input(module: nn.Module, batch: Tensor) -> Iterator[Tensor]:
    """Evaluation mode and a graph inside the block, and the batch as its leaf: feed a clone, which may be changed.

    The precision is the model's own also where autocast is on: rounded to half at every layer on their way back, the
    gradients of pixels would correlate with the true ones by 0.93 to 0.98 only.
    """
    single = torch.autocast(batch.device.type, enabled=False)
    with torch.inference_mode(False), evaluating(module), torch.enable_grad(), single:
        yield (batch.clone() if batch.is_inference() else batch).detach().requires_grad_()


def gradient_at_input(values: Tensor, leaf: Tensor) -> Tensor:
    """∂ Σ values / ∂ leaf.

    Raises:
        ModelError: the values do not depend on it.
    """
    found = torch.autograd.grad(values.sum(), leaf, allow_unused=True)[0] if values.requires_grad else None
    if found is None:
        raise ModelError("the scores carry no gradient back to the input; choose a method of a layer, such as gradcam")
    return found


def explanation_of(found: InputGradients) -> Explanation:
    """With the one map max over channels of |gradient|; of signals `(N, 1, T)`."""
    maps = found.gradients.abs().amax(dim=1)
    return Explanation(found.logits, (maps[:, None] if maps.ndim == 2 else maps,), found.targets)
