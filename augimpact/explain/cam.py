"""Class activation maps, where the network is built for them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple

import torch
from torch import Tensor, nn

from augimpact.errors import LayerError
from augimpact.explain.gradcam import Explanation
from augimpact.explain.layer_pass import outputs_of, weighted_sum
from augimpact.explain.target import Target
from augimpact.models.chosen import ChosenOutputs
from augimpact.models.hooks import evaluating
from augimpact.models.layer import Layer

__all__ = ["cam"]

# Beyond this, in shares of the highest value, two means are not the same; in half precision, beyond four roundings.
SAME = 1e-4


class _Call(NamedTuple):
    """linear: the module that was called last. fed: `(N, K)`. gave: `(N, C)`."""

    linear: nn.Linear
    fed: Tensor
    gave: Tensor


def cam(module: nn.Module, batch: Tensor, layers: Sequence[Layer], target: Target) -> Explanation:
    """Logits and class activation maps of a batch, in one forward pass and no backward pass.

    With A the layer's output and w^c the weights that lead from its spatial mean to class c, the map is
    ReLU(Σ_k w^c_k A_k) (Zhou et al. 2016, arXiv:1512.04150, eq. 2; there it is not rectified). For "A rather than B"
    the weights are w^A − w^B. It is h·w times Grad-CAM.

    Raises:
        LayerError: what the last linear layer is fed is not the layer's spatial mean, or gives not the scores.
        TargetError: there is no such output.
    """
    calls: list[_Call] = []
    outputs: list[Tensor | None] = [None] * len(layers)
    with ExitStack() as stack:
        for index, layer in enumerate(layers):
            stack.callback(layer.module.register_forward_hook(_keep(outputs, index)).remove)
        for each in module.modules():
            if isinstance(each, nn.Linear):
                stack.callback(each.register_forward_hook(_note(calls)).remove)
        with torch.inference_mode(False), torch.no_grad(), evaluating(module):
            logits = module(batch)
    _, targets = target.of(logits)
    last = _last_linear(module, calls, logits)
    weights = _chosen(module, last.linear.weight.detach(), dim=0)
    chosen = weights[targets] if target.against is None else weights[targets] - weights[target.against]
    maps = []
    for layer, output in zip(layers, outputs_of(layers, outputs), strict=True):
        activations = layer.as_map(output).to(torch.promote_types(output.dtype, torch.float32))
        if not _same(activations.mean(dim=(2, 3)), last.fed):
            raise LayerError(
                f"CAM needs the layer whose spatial mean the last linear layer is fed; {layer.name!r} is not, "
                "choose another or the method gradcam"
            )
        maps.append(weighted_sum(chosen.to(activations.dtype), activations).relu_())
    return Explanation(logits, tuple(maps), targets)


def _keep(outputs: list[Tensor | None], index: int):  # type: ignore[no-untyped-def] # torch's own type of a hook
    def keep(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        # No copy: where a model rectifies its features in place, their mean is of what they have become.
        outputs[index] = output

    return keep


def _note(calls: list[_Call]):  # type: ignore[no-untyped-def] # torch's own type of a hook
    def note(linear: nn.Linear, inputs: tuple[Tensor], output: Tensor) -> None:
        calls[:] = [_Call(linear, inputs[0], output)]

    return note


def _last_linear(module: nn.Module, calls: Sequence[_Call], logits: Tensor) -> _Call:
    if not calls:
        raise LayerError(
            f"CAM needs a linear layer that comes last; {type(module).__name__} has none, choose the method gradcam"
        )
    if not _same(_chosen(module, calls[-1].gave, dim=1), logits):
        raise LayerError(
            f"CAM needs scores that come straight from the last linear layer; those of {type(module).__name__} do not, "
            "choose the method gradcam"
        )
    return calls[-1]


def _chosen(module: nn.Module, values: Tensor, dim: int) -> Tensor:
    """What belongs to the outputs that the module gives, where these are a choice."""
    return module.choose(values, dim) if isinstance(module, ChosenOutputs) else values


def _same(left: Tensor, right: Tensor) -> bool:
    if left.shape != right.shape:
        return False
    tolerance = max(SAME, 4 * torch.finfo(right.dtype).eps)
    return bool((left - right).abs().amax() <= tolerance * right.abs().amax())
