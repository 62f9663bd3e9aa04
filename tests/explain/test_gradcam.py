"""Grad-CAM against pytorch-grad-cam, and the promise to leave the model as it was."""

from __future__ import annotations

import numpy as np
import pytest
import timm
import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn
from torchvision import models as torchvision_models

from augimpact.data.image import EXAMPLES, example
from augimpact.errors import LayerError
from augimpact.explain.gradcam import gradcam
from augimpact.models.load import load_classifier

ARCHITECTURES = {
    "built-in": lambda: load_classifier(device="cpu"),
    "resnet18": lambda: load_classifier(timm.create_model("resnet18", zero_init_last=False)),
    "resnet50": lambda: load_classifier(timm.create_model("resnet50", zero_init_last=False)),
    # It changes its features in place after the layer.
    "densenet121": lambda: load_classifier(torchvision_models.densenet121()),
}


@pytest.fixture(scope="module", params=ARCHITECTURES)
def asked(request):
    """A classifier and the photographs as it is fed them."""
    torch.manual_seed(0)
    classifier = ARCHITECTURES[request.param]()
    canvases = torch.stack([classifier.canvas(example(name)) for name in EXAMPLES])
    return classifier, classifier.prepare((canvases * 255).round().to(torch.uint8))


def reference(module: nn.Module, layer: nn.Module, batch: torch.Tensor, targets: list[int]) -> np.ndarray:
    """pytorch-grad-cam's map before it is scaled to its own minimum and maximum."""
    with GradCAM(module.eval(), [layer]) as cam:
        logits = cam.activations_and_grads(batch)
        wanted = [ClassifierOutputTarget(target) for target in targets]
        sum(target(output) for target, output in zip(wanted, logits, strict=True)).backward()
        activations = cam.activations_and_grads.activations[0].detach().numpy()
        gradients = cam.activations_and_grads.gradients[0].numpy()
        return np.maximum(cam.get_cam_image(batch, layer, wanted, activations, gradients), 0)


@pytest.mark.parametrize("target", [None, 4, 281])
def test_maps_equal_those_of_pytorch_grad_cam(asked, target):
    classifier, batch = asked
    layer = classifier.find_layer()
    ours = gradcam(classifier.module, batch, layer, target)
    with torch.no_grad():
        logits = classifier.module.eval()(batch)
    assert torch.allclose(ours.logits, logits, atol=1e-4 * float(logits.abs().max()))
    assert ours.targets.tolist() == (logits.argmax(1).tolist() if target is None else [target] * len(batch))
    # Copies: pytorch-grad-cam differentiates with respect to the input, and densenet changes features in place.
    theirs = reference(classifier.module, layer, batch.clone(), ours.targets.tolist())
    if type(classifier.module).__name__ == "DenseNet":
        # There pytorch-grad-cam sees activations that the model has rectified in place; at the layer's own, by hand:
        theirs = by_hand(classifier.module, layer, batch, ours.targets)
    scale = np.abs(theirs).max()
    assert scale > 0
    assert np.abs(ours.maps.numpy() - theirs).max() / scale <= 1e-4


def by_hand(module: nn.Module, layer: nn.Module, batch: torch.Tensor, targets: torch.Tensor) -> np.ndarray:
    kept = {}

    def keep(_module, _inputs, output):
        kept["output"] = output
        return output.clone()

    handle = layer.register_forward_hook(keep)
    logits = module.eval()(batch.clone().requires_grad_())
    handle.remove()
    (gradients,) = torch.autograd.grad(logits.gather(1, targets[:, None]).sum(), kept["output"])
    return (gradients.mean((2, 3), keepdim=True) * kept["output"]).sum(1).relu().detach().numpy()


def everything_about(module: nn.Module) -> dict[str, object]:
    parameters = dict(module.named_parameters())
    return {
        "hooks": {name: (len(each._forward_hooks), len(each._backward_hooks)) for name, each in module.named_modules()},
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
        for name in before[key]:
            left, right = before[key][name], after[key][name]
            same = torch.equal(left, right) if isinstance(left, torch.Tensor) else left == right
            assert same, (key, name)


class Breaks(nn.Module):
    def forward(self, batch):
        raise RuntimeError("the forward pass broke")


@pytest.mark.parametrize("breaks", [False, True])
def test_the_model_is_left_as_it_was(asked, breaks):
    classifier, batch = asked
    module = classifier.module
    # A state that nobody would guess: half of it trains, one parameter is frozen, one has a gradient.
    for index, each in enumerate(module.modules()):
        each.training = index % 2 == 0
    parameters = list(module.parameters())
    parameters[0].requires_grad_(False)
    parameters[1].grad = torch.ones_like(parameters[1])
    try:
        asked_module = nn.Sequential(module, Breaks()) if breaks else module
        before = everything_about(asked_module)
        grad_mode = torch.is_grad_enabled()
        if breaks:
            with pytest.raises(RuntimeError, match="the forward pass broke"):
                gradcam(asked_module, batch, classifier.find_layer())
        else:
            gradcam(asked_module, batch, classifier.find_layer())
        assert torch.is_grad_enabled() == grad_mode
        assert_same(before, everything_about(asked_module))
    finally:
        parameters[0].requires_grad_(True)
        parameters[1].grad = None


def test_it_works_where_gradients_are_switched_off(asked):
    classifier, batch = asked
    with torch.inference_mode():
        inside = gradcam(classifier.module, batch.clone(), classifier.find_layer())
        assert not torch.is_grad_enabled()
    assert inside.maps.max() > 0


def test_a_layer_that_scores_do_not_depend_on_is_refused():
    class Detached(nn.Module):
        def __init__(self):
            super().__init__()
            self.features = nn.Conv2d(3, 4, 3)
            self.aside = nn.Conv2d(3, 4, 3)

        def forward(self, batch):
            self.aside(batch)
            with torch.no_grad():
                features = self.features(batch)
            return features.mean((2, 3))

    module = Detached()
    for layer in (module.aside, module.features):
        with pytest.raises(LayerError, match="do not depend on the layer"):
            gradcam(module, torch.rand(2, 3, 8, 8), layer)
