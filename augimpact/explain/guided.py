"""Guided backpropagation, and its product with Grad-CAM, by hooks: no module of the model is swapped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from augimpact.errors import ModelError
from augimpact.explain.gradcam import Explanation, gradcam_maps
from augimpact.explain.gradient import InputGradients, explanation_of, gradient_at_input, graph_from_input
from augimpact.explain.layer_pass import gradients_at, maps_of, outputs_of
from augimpact.explain.target import Target
from augimpact.models.hooks import watching
from augimpact.models.layer import Layer

__all__ = ["guided_gradcam", "guided_gradcam_gradients", "guided_gradient", "guided_gradients"]

RECTIFIERS = (nn.ReLU, nn.ReLU6, nn.LeakyReLU)


def guided_gradient(module: nn.Module, batch: Tensor, layers: Sequence[Layer], target: Target) -> Explanation:  # noqa: ARG001
    """The maximum over channels of |guided gradient|, `(N, H, W)`.

    Args:
        module: maps the batch to logits `(N, C)`; its rectifiers are modules.
        batch: `(N, 3, H, W)` or `(N, C, T)`, prepared.
        layers: of no account, as the gradient is the input's.
        target: what is explained.

    Raises:
        ModelError: the model has no module that is a rectifier, or the scores carry no gradient back to the input.
        TargetError: there is no such output.
    """
    return explanation_of(guided_gradients(module, batch, target))


def guided_gradients(module: nn.Module, batch: Tensor, target: Target) -> InputGradients:
    """The gradient of the input, where every rectifier lets only positive gradients through, at positive outputs.

    Springenberg et al. 2015, arXiv:1412.6806, section 3.4. Rectifiers are `nn.ReLU`, `nn.ReLU6` and `nn.LeakyReLU`;
    one that is called as a function is not seen. Raises as `guided_gradient` does.
    """
    with _guided(module), graph_from_input(module, batch) as leaf:
        logits = module(leaf.clone())
        values, targets = target.of(logits)
        gradients = gradient_at_input(values, leaf)
    return InputGradients(logits.detach(), gradients, targets)


def guided_gradcam(module: nn.Module, batch: Tensor, layers: Sequence[Layer], target: Target) -> Explanation:
    """The maximum over channels of |guided gradient × Grad-CAM|, `(N, H, W)`; see `guided_gradcam_gradients`.

    Args:
        module: maps the batch to logits `(N, C)`; its rectifiers are modules.
        batch: `(N, 3, H, W)` or `(N, C, T)`, prepared.
        layers: those of Grad-CAM.
        target: what is explained.

    Raises:
        ModelError: the model has no module that is a rectifier, or the scores carry no gradient back to the input.
        LayerError: the scores do not depend on a layer.
        TargetError: there is no such output.
    """
    return explanation_of(guided_gradcam_gradients(module, batch, layers, target))


def guided_gradcam_gradients(
    module: nn.Module, batch: Tensor, layers: Sequence[Layer], target: Target
) -> InputGradients:
    """The guided gradient times Grad-CAM, scaled up bilinearly (Selvaraju et al. 2017, arXiv:1610.02391, section 3.2).

    One forward pass serves both: the graph goes back from the scores to the layers once as it is, and once guided to
    the input. Of several layers the mean of the scaled maps counts, so that an image's map does not depend on others.
    Raises as `guided_gradcam` does.
    """
    with (
        _guided(module) as guide,
        watching(module, [layer.module for layer in layers]) as outputs,
        graph_from_input(module, batch) as leaf,
    ):
        logits = module(leaf.clone())
        found = outputs_of(layers, outputs)
        values, targets = target.of(logits)
        guide.guides = False
        layer_gradients = gradients_at(values, layers, found, retain_graph=True)
        guide.guides = True
        gradients = gradient_at_input(values, leaf)
    maps = gradcam_maps(maps_of(layers, found), layer_gradients)
    size = gradients.shape[2:] if gradients.ndim == 4 else (1, gradients.shape[2])
    scaled = [F.interpolate(each[:, None], size=tuple(size), mode="bilinear", align_corners=False) for each in maps]
    factor = torch.stack(scaled).mean(dim=0)
    return InputGradients(logits.detach(), gradients * (factor if gradients.ndim == 4 else factor[:, :, 0]), targets)


@dataclass
class _Guide:
    """guides: whether the rectifiers hold negative gradients back."""

    guides: bool = True


@contextmanager
def _guided(module: nn.Module) -> Iterator[_Guide]:
    """Inside the block every rectifier's output has a hook on its gradient.

    Raises:
        ModelError: the model has no module that is a rectifier.
    """
    rectifiers = [each for each in module.modules() if isinstance(each, RECTIFIERS)]
    if not rectifiers:
        raise ModelError(
            f"guided backpropagation needs modules nn.ReLU, nn.ReLU6 or nn.LeakyReLU; {type(module).__name__} has "
            "none, choose the method gradient"
        )
    guide = _Guide()
    with ExitStack() as stack:
        for each in rectifiers:
            stack.callback(each.register_forward_hook(_hold_back(guide)).remove)
        yield guide


def _hold_back(guide: _Guide) -> Callable[[nn.Module, object, Tensor], None]:
    def hook(rectifier: nn.Module, _inputs: object, output: Tensor) -> None:
        if not output.requires_grad:
            return
        # The others' own backward pass is zero where the output is not positive.
        positive = output.detach() > 0 if isinstance(rectifier, nn.LeakyReLU) else None

        def only_positive(gradient: Tensor) -> Tensor:
            if not guide.guides:
                return gradient
            kept = gradient.clamp(min=0)
            return kept if positive is None else kept * positive

        # On the tensor, after a possible in-place change: what the model does to it later is not meant.
        output.register_hook(only_positive)  # type: ignore[no-untyped-call]

    return hook
