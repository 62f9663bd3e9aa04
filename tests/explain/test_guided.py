"""Guided backpropagation and guided Grad-CAM against captum, and by hand where captum knows no such rectifier."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from captum.attr import GuidedBackprop, LayerAttribution, LayerGradCam
from torch import nn

from augimpact.errors import ModelError
from augimpact.explain.guided import guided_gradcam, guided_gradcam_gradients, guided_gradient, guided_gradients
from augimpact.explain.target import Target

# captum says at each use that it sets hooks.
pytestmark = pytest.mark.filterwarnings("ignore:Setting backward hooks on ReLU activations")


def not_in_place(module: nn.Module) -> nn.Module:
    """A copy for captum, whose hooks refuse rectifiers that work in place."""
    copy = deepcopy(module)
    for each in copy.modules():
        if isinstance(each, nn.ReLU):
            each.inplace = False
    return copy


@pytest.mark.parametrize("in_place", [True, False])
def test_guided_gradients_equal_captums_guided_backpropagation(resnet, fed, in_place):
    batch = fed(resnet)
    plain = not_in_place(resnet.module)
    found = guided_gradients(resnet.module if in_place else plain, batch, Target())
    theirs = GuidedBackprop(plain).attribute(batch.clone().requires_grad_(), found.targets)
    assert found.gradients.shape == batch.shape
    assert theirs.abs().max() > 0
    assert (found.gradients - theirs).abs().max() <= 1e-4 * theirs.abs().max()
    (maps,) = guided_gradient(resnet.module, batch, [], Target()).maps
    assert (maps - theirs.abs().amax(1)).abs().max() <= 1e-4 * theirs.abs().max()


@pytest.mark.parametrize("names", [["layer4"], ["layer2", "layer3"]])
def test_guided_grad_cam_equals_the_product_of_captums_two(resnet, fed, names):
    batch = fed(resnet)
    plain = not_in_place(resnet.module)
    layers = resnet.find_layers(names)
    found = guided_gradcam_gradients(resnet.module, batch, layers, Target(3))
    guided = GuidedBackprop(plain).attribute(batch.clone().requires_grad_(), 3)
    scaled = [
        LayerAttribution.interpolate(
            LayerGradCam(plain, plain.get_submodule(name)).attribute(batch, 3, relu_attributions=True),
            tuple(batch.shape[2:]),
            "bilinear",
        )
        for name in names
    ]
    expected = (guided * torch.stack(scaled).mean(0)).detach()
    assert expected.abs().max() > 0
    assert (found.gradients - expected).abs().max() <= 1e-4 * expected.abs().max()
    (maps,) = guided_gradcam(resnet.module, batch, layers, Target(3)).maps
    assert (maps - expected.abs().amax(1)).abs().max() <= 1e-4 * expected.abs().max()


@pytest.mark.parametrize("rectifier", [nn.ReLU(), nn.ReLU6(), nn.LeakyReLU(0.2), nn.ReLU6(inplace=True)])
def test_a_small_network_equals_the_chain_rule_by_hand(rectifier):
    torch.manual_seed(0)
    first, second, last = nn.Linear(6, 40), nn.Linear(40, 40), nn.Linear(40, 3)
    # Large enough that some values lie beyond 6, where the gradient of ReLU6 is zero.
    batch = 12 * torch.randn(5, 6)
    module = nn.Sequential(nn.Flatten(), first, rectifier, second, deepcopy(rectifier), last)
    found = guided_gradients(module, batch[:, :, None], Target(1, against=2)).gradients[:, :, 0]
    with torch.no_grad():
        top = 6 if isinstance(rectifier, nn.ReLU6) else torch.inf
        one = first(batch)
        two = second(rectifier(one.clone()))
        back = (last.weight[1] - last.weight[2]).expand(5, 40)
        back = back.clamp(min=0) * ((two > 0) & (two < top))
        back = (back @ second.weight).clamp(min=0) * ((one > 0) & (one < top))
        expected = back @ first.weight
    assert expected.abs().max() > 0
    assert torch.allclose(found, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))


def test_a_model_without_rectifiers_is_told_so(transformer, fed):
    for method in (guided_gradient, guided_gradcam):
        with pytest.raises(ModelError, match=r"needs modules nn.ReLU, .* VisionTransformer has none"):
            method(transformer.module, fed(transformer, 1), transformer.find_layers(), Target())


def test_signals_are_explained_too():
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv1d(2, 8, 5, stride=2), nn.ReLU(), nn.Conv1d(8, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 13, 3)
    )
    batch = torch.randn(4, 2, 33)
    from augimpact.models.layer import Layer

    found = guided_gradcam_gradients(module, batch, [Layer("3", module[3], "NCL")], Target(1))
    guided = GuidedBackprop(module).attribute(batch.clone().requires_grad_(), 1)
    cams = LayerGradCam(module, module[3]).attribute(batch, 1, relu_attributions=True)
    expected = (guided * nn.functional.interpolate(cams, size=33, mode="linear")).detach()
    assert expected.abs().max() > 0
    assert (found.gradients - expected).abs().max() <= 1e-4 * expected.abs().max()
