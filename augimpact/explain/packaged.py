"""The methods that the package grad-cam brings (`pytorch_grad_cam`), without what its own call does to their maps.

Its `__call__` scales every image to its own minimum and maximum, which would hide a sweep over brightness. So the
activations and gradients come from our one pass, the package's classes make maps of them, and the maps stay raw but for
the rectifier. The package is imported when a method is used. Its progress bars and warnings stay silent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from augimpact.errors import LayerError, UserError
from augimpact.explain.gradcam import Explanation
from augimpact.explain.gradient import gradient_at_input, graph_from_input
from augimpact.explain.layer_pass import activations_and_gradients, activations_of
from augimpact.explain.target import Target
from augimpact.models.hooks import evaluating
from augimpact.models.layer import Layer

__all__ = ["ablationcam", "eigencam", "fullgrad", "gradcam_plus_plus", "hirescam", "layercam", "scorecam", "xgradcam"]

# Of the spread that sums of activations may have: below, they are one number and rounding.
FLAT = 1e-4


def gradcam_plus_plus(module: nn.Module, batch: Tensor, layers: Sequence[Layer], target: Target) -> Explanation:
    """Channels weighted by their positive gradients, place by place (Chattopadhyay et al. 2018, arXiv:1710.11063).

    Arguments, result and errors as of `augimpact.explain.gradcam.gradcam`.
    """
    return _of_gradients("GradCAMPlusPlus", module, batch, layers, target)


def hirescam(module: nn.Module, batch: Tensor, layers: Sequence[Layer], target: Target) -> Explanation:
    """ReLU(Σ_k ∂y/∂A_k · A_k), place by place (Draelos and Carin 2020, arXiv:2011.08891); else as `gradcam`."""
    return _of_gradients("HiResCAM", module, batch, layers, target)


def layercam(module: nn.Module, batch: Tensor, layers: Sequence[Layer], target: Target) -> Explanation:
    """ReLU(Σ_k ReLU(∂y/∂A_k) · A_k), place by place (Jiang et al. 2021, doi:10.1109/TIP.2021.3089943).

    Arguments, result and errors as of `augimpact.explain.gradcam.gradcam`.
    """
    return _of_gradients("LayerCAM", module, batch, layers, target)


def xgradcam(module: nn.Module, batch: Tensor, layers: Sequence[Layer], target: Target) -> Explanation:
    """Channels weighted by Σ (∂y/∂A_k · A_k) / Σ A_k (Fu et al. 2020, arXiv:2008.02312); else as `gradcam`."""
    return _of_gradients("XGradCAM", module, batch, layers, target)


def eigencam(module: nn.Module, batch: Tensor, layers: Sequence[Layer], target: Target) -> Explanation:
    """The projection on the activations' first principal component (Muhammad and Yeasin 2020, arXiv:2008.00299).

    It explains no class: the target is only reported. A component has no sign of its own, and the package leaves it to
    chance, so that neighbouring frames could show opposites; here it points to where the activations are high on the
    whole, or, where they are normalised to one sum, to the fewer places. Otherwise as
    `augimpact.explain.gradcam.gradcam`.
    """
    return _of_activations("EigenCAM", module, batch, layers, target)


def scorecam(module: nn.Module, batch: Tensor, layers: Sequence[Layer], target: Target) -> Explanation:
    """Channels weighted by the score of the image under each as a mask (Wang et al. 2020, arXiv:1910.01279).

    One forward pass for every channel of every image; an image's masked copies are held at once, `(K, 3, H, W)`.
    Arguments, result and errors as of `augimpact.explain.gradcam.gradcam`; signals are refused with a `LayerError`.
    """
    _refuse_signals("scorecam", batch)
    return _of_activations("ScoreCAM", module, batch, layers, target)


def ablationcam(module: nn.Module, batch: Tensor, layers: Sequence[Layer], target: Target) -> Explanation:
    """Channels weighted by how much the score falls without each (Desai and Ramaswamy 2020, WACV).

    One forward pass for every channel of every image. The package puts a layer of its own in the place of the explained
    one meanwhile; the model's is back when the call ends, however it ends. Arguments, result and errors as of
    `augimpact.explain.gradcam.gradcam`; signals are refused with a `LayerError`.
    """
    _refuse_signals("ablationcam", batch)
    return _of_activations("AblationCAM", module, batch, layers, target)


def fullgrad(module: nn.Module, batch: Tensor, layers: Sequence[Layer], target: Target) -> Explanation:  # noqa: ARG001
    """|x · ∂y/∂x| and every |b · ∂y/∂b|, each channel from 0 to 1, summed to `(N, H, W)`.

    Srinivas and Fleuret 2019, arXiv:1905.00780. b are the biases of `nn.Conv2d` and `nn.BatchNorm2d`, but not of
    subclasses, so that a model of timm's fused `BatchNormAct2d` has few; layers are of no account. Scaling each channel
    is the method's, so that it says nothing of how strong a gradient is.

    Raises:
        LayerError: the batch is none of images.
        ModelError: the scores carry no gradient back to the input.
        TargetError: there is no such output.
    """
    _refuse_signals("fullgrad", batch)
    with evaluating(module):
        cam = _package().FullGrad(module, [])
    # Its own hooks would copy every activation; ours keep gradients alone, and each beside its bias.
    cam.activations_and_grads.release()
    calls: list[tuple[NDArray[np.float32], list[Tensor]]] = []
    with ExitStack() as stack:
        for layer, bias in zip(cam.target_layers, cam.bias_data, strict=True):
            stack.callback(layer.register_forward_hook(_keep_gradient(bias, calls)).remove)
        leaf = stack.enter_context(graph_from_input(module, batch))
        logits = module(leaf.clone())
        values, targets = target.of(logits)
        gradients = gradient_at_input(values, leaf)
    reached = [(bias, found[0].float()) for bias, found in calls if found]
    cam.bias_data = [bias for bias, _ in reached]
    maps = []
    for index in range(len(batch)):
        # One image at a time: the package scales every channel of every layer up to the input's size.
        one = slice(index, index + 1)
        image = leaf.detach()[one].float()
        image.grad = gradients[one].float()
        cam.activations_and_grads.gradients = [gradient[one] for _, gradient in reached]
        maps.append(cam.compute_cam_per_layer(image, None, False)[:, 0])
    # Its finaliser would detach what it holds in place, which parts of tensors do not allow.
    cam.activations_and_grads.gradients = []
    return Explanation(logits.detach(), (_raw(np.concatenate(maps), batch.device),), targets)


def _keep_gradient(
    bias: NDArray[np.float32], calls: list[tuple[NDArray[np.float32], list[Tensor]]]
) -> Callable[[nn.Module, object, Tensor], None]:
    def hook(_layer: nn.Module, _inputs: object, output: Tensor) -> None:
        if output.requires_grad:
            found: list[Tensor] = []
            output.register_hook(found.append)  # type: ignore[no-untyped-call]
            calls.append((bias, found))

    return hook


def _of_gradients(kind: str, module: nn.Module, batch: Tensor, layers: Sequence[Layer], target: Target) -> Explanation:
    """By a class that needs the activations and gradients of the layers, and nothing more of the model."""
    found = activations_and_gradients(module, batch, layers, target)
    maps = []
    with evaluating(module):
        cam = getattr(_package(), kind)(module, [])
        for activations, gradients in zip(found.activations, found.gradients, strict=True):
            maps.append(cam.get_cam_image(batch, None, None, _array(activations), _array(gradients), False))
    return Explanation(found.logits, tuple(_raw(each, batch.device) for each in maps), found.targets)


def _of_activations(
    kind: str, module: nn.Module, batch: Tensor, layers: Sequence[Layer], target: Target
) -> Explanation:
    """By a class that needs the activations of the layers, and perhaps to ask the model again, image by image."""
    found = activations_of(module, batch, layers, target)
    maps = []
    with torch.inference_mode(False), torch.no_grad(), evaluating(module):
        for layer, activations in zip(layers, found.activations, strict=True):
            cam = _made(kind, module, layer)
            arrays = _array(activations)
            images = [
                _image_of(cam, batch[one], layer, _asked(found.targets[one], target), arrays[one])
                for one in (slice(index, index + 1) for index in range(len(batch)))
            ]
            raw = np.concatenate(images)
            maps.append(_raw(_pointing_up(raw, arrays) if kind == "EigenCAM" else raw, batch.device))
    return Explanation(found.logits, tuple(maps), found.targets)


def _pointing_up(maps: NDArray[np.float32], activations: NDArray[np.float32]) -> NDArray[np.float32]:
    """The maps `(N, h, w)`, negated where they fall with the sum of the activations `(N, K, h, w)`.

    Behind a layer normalisation that sum is the same everywhere: there the fewer places are up.
    """
    sums = activations.sum(axis=1)
    rising = maps * (sums - sums.mean(axis=(1, 2), keepdims=True))
    if sums.std() < FLAT * activations.std() * len(activations[0]):
        rising = maps**3
    return np.where(rising.sum(axis=(1, 2), keepdims=True) < 0, -maps, maps)


def _made(kind: str, module: nn.Module, layer: Layer) -> Any:
    """The package's object without a hook on the model; with progress bars it would print one for every image."""
    made = getattr(_package(), kind)
    if kind == "EigenCAM":
        return made(module, [])
    weights = made.get_cam_weights
    silent = weights.__globals__ | {"tqdm": SimpleNamespace(tqdm=lambda steps: steps)}
    quiet = type(kind, (made,), {"get_cam_weights": FunctionType(weights.__code__, silent, weights.__name__)})
    if kind != "AblationCAM":
        return quiet(module, [])
    from pytorch_grad_cam.ablation_layer import AblationLayer, AblationLayerVit

    # The second finds the channels on the last axis. The default would be one object for all.
    return quiet(module, [], ablation_layer=(AblationLayer if layer.layout == "NCHW" else AblationLayerVit)())


def _image_of(
    cam: Any, image: Tensor, layer: Layer, asked: list[Callable[[Tensor], Tensor]], activations: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The map of one image `(1, 3, H, W)`, with the model's own layer in its place afterwards."""
    from pytorch_grad_cam.utils.find_layers import replace_layer_recursive

    try:
        found: NDArray[np.float32] = cam.get_cam_image(image, layer.module, asked, activations, None, False)
        return found
    finally:
        if hasattr(cam, "ablation_layer"):
            replace_layer_recursive(cam.model, cam.ablation_layer, layer.module)


def _asked(targets: Tensor, target: Target) -> list[Callable[[Tensor], Tensor]]:
    """For each image what the package calls on a row of logits."""
    return [partial(_value, index=index, against=target.against) for index in targets.tolist()]


def _value(logits: Tensor, index: int, against: int | None) -> Tensor:
    return logits[index] if against is None else logits[index] - logits[against]


def _refuse_signals(method: str, batch: Tensor) -> None:
    if batch.ndim != 4:
        raise LayerError(f"method {method!r} takes images (N, 3, H, W); the batch has shape {tuple(batch.shape)}")


def _array(tensor: Tensor) -> NDArray[np.float32]:
    return tensor.float().cpu().numpy()


def _raw(maps: NDArray[np.float32], device: torch.device) -> Tensor:
    """Rectified and not normalised."""
    return torch.from_numpy(np.maximum(maps, 0)).to(device, torch.float32)


def _package() -> Any:
    try:
        import pytorch_grad_cam
    except ImportError as error:
        raise UserError("this method needs the package grad-cam; install it with: pip install grad-cam") from error
    return pytorch_grad_cam
