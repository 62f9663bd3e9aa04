"""What every method promises: to leave the model as it was, to work in half precision, to be found by its name."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn
from torchvision import models as torchvision_models

from augimpact.errors import UserError
from augimpact.explain.methods import METHODS, find_method
from augimpact.explain.target import Target
from augimpact.models.classifier import Classifier

OWN = ["gradcam", "cam", "gradient", "guided-gradient", "guided-gradcam"]


def everything_about(module: nn.Module) -> dict[str, object]:
    parameters = dict(module.named_parameters())
    return {
        "modules": {name: (id(each), type(each), *vars(each)) for name, each in module.named_modules()},
        "hooks": {
            name: [
                len(hooks)
                for hooks in (
                    each._forward_hooks,
                    each._forward_pre_hooks,
                    each._backward_hooks,
                    each._backward_pre_hooks,
                )
            ]
            for name, each in module.named_modules()
        },
        "training": {name: each.training for name, each in module.named_modules()},
        "requires_grad": {name: each.requires_grad for name, each in parameters.items()},
        "gradients": {name: None if each.grad is None else each.grad.clone() for name, each in parameters.items()},
        "identity": {name: (id(each), each.data_ptr()) for name, each in parameters.items()},
        "layout": {name: each.stride() for name, each in parameters.items()},
        "values": {name: each.clone() for name, each in module.state_dict().items()},
    }


def assert_same(before: dict, after: dict) -> None:
    assert before.keys() == after.keys()
    for key in before:
        assert before[key].keys() == after[key].keys()
        for name in before[key]:
            left, right = before[key][name], after[key][name]
            same = torch.equal(left, right) if isinstance(left, torch.Tensor) else left == right
            assert same, (key, name)


class Breaks(nn.Module):
    """Passes its input on, until it has been asked often enough."""

    def __init__(self, after: int):
        super().__init__()
        self.after = after
        self.calls = 0

    def forward(self, batch):
        self.calls += 1
        if self.calls > self.after:
            raise RuntimeError("the forward pass broke")
        return batch


def in_a_state_that_nobody_would_guess(module: nn.Module) -> nn.Module:
    """Half of it trains, one parameter is frozen, one has a gradient, and there is a hook."""
    for index, each in enumerate(module.modules()):
        each.training = index % 2 == 0
    parameters = list(module.parameters())
    parameters[0].requires_grad_(False)
    parameters[1].grad = torch.ones_like(parameters[1])
    next(module.children()).register_forward_hook(lambda *_: None)
    return module


@pytest.mark.parametrize("name", METHODS)
# The methods that ask again break at first, or when they have the layer's place taken by another.
@pytest.mark.parametrize("breaks_after", [None, 0, 2])
def test_the_model_is_left_as_it_was_however_the_call_ends(name, breaks_after):
    torch.manual_seed(0)
    resnet = in_a_state_that_nobody_would_guess(torchvision_models.resnet18(num_classes=10))
    breaks = Breaks(1000 if breaks_after is None else breaks_after)
    module = nn.Sequential(resnet, breaks)
    layers = Classifier(resnet, size=64).find_layers("layer4" if name == "cam" else "layer1")
    before = everything_about(module)
    threads = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
    asks_often = name in ("scorecam", "ablationcam")
    breaks.calls = 0
    if breaks_after is None or (breaks_after and not asks_often):
        METHODS[name].explain(resnet if name == "cam" else module, torch.rand(1, 3, 64, 64), layers, Target(1))
    else:
        with pytest.raises(RuntimeError, match="the forward pass broke"):
            METHODS[name].explain(module, torch.rand(1, 3, 64, 64), layers, Target(1))
    assert (torch.is_grad_enabled(), torch.is_inference_mode_enabled()) == threads
    assert_same(before, everything_about(module))


@pytest.mark.parametrize("fixture", ["classifier", "resnet"])
@pytest.mark.parametrize("name", OWN)
def test_half_precision_gives_nearly_the_same_maps(name, fixture, fed, request):
    asked = request.getfixturevalue(fixture)
    batch = fed(asked)
    plain = METHODS[name].explain(asked.module, batch, asked.find_layers(), Target(5))
    with torch.autocast("cpu", torch.bfloat16):
        half = METHODS[name].explain(asked.module, batch, asked.find_layers(), Target(5))
    assert half.maps[0].dtype == torch.float32
    for one, other in zip(plain.maps[0], half.maps[0], strict=True):
        assert torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1] > 0.99


@pytest.mark.parametrize("name", METHODS)
def test_every_method_gives_maps_of_its_layers_or_of_its_input(name, resnet, fed):
    method = METHODS[name]
    batch = nn.functional.interpolate(fed(resnet, 1), size=64, mode="area")
    layers = resnet.find_layers("layer4" if name == "cam" else "layer2")
    found = method.explain(resnet.module, batch, layers, Target())
    (maps,) = found.maps
    side = 64 if method.of_input else 2 if name == "cam" else 8
    assert maps.shape == (1, side, side)
    with torch.no_grad():
        logits = resnet.module.eval()(batch)
    assert torch.allclose(found.logits, logits, atol=1e-4)
    assert found.targets.tolist() == logits.argmax(1).tolist()
    assert not found.logits.requires_grad
    assert not maps.requires_grad


def test_an_unknown_method_is_named_with_the_nearest():
    with pytest.raises(UserError, match="unknown method 'grad-cam'; did you mean gradcam"):
        find_method("grad-cam")


def test_the_table_of_methods_needs_neither_torch_nor_the_package():
    code = "import sys, augimpact.explain.methods; print(sorted({'torch', 'pytorch_grad_cam'} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
