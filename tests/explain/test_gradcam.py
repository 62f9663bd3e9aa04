"""Grad-CAM against pytorch-grad-cam, and by hand where that cannot be asked."""

from __future__ import annotations

import numpy as np
import pytest
import timm
import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from pytorch_grad_cam.utils.reshape_transforms import vit_reshape_transform
from torch import nn
from torchvision import models as torchvision_models

from augimpact.errors import LayerError, TargetError
from augimpact.explain.gradcam import gradcam
from augimpact.explain.target import Target
from augimpact.models.classifier import Classifier
from augimpact.models.layer import Layer
from augimpact.models.load import load_classifier


def rows_first(tensor: torch.Tensor) -> torch.Tensor:
    """pytorch-grad-cam's transform for Swin takes tokens; timm's Swin gives rows and columns, channels last."""
    return tensor.transpose(2, 3).transpose(1, 2)


ARCHITECTURES = {
    "built-in": (lambda: load_classifier(device="cpu"), None),
    "resnet18": (lambda: load_classifier(timm.create_model("resnet18", zero_init_last=False)), None),
    "resnet50": (lambda: load_classifier(timm.create_model("resnet50", zero_init_last=False)), None),
    # It changes its features in place after the layer.
    "densenet121": (lambda: load_classifier(torchvision_models.densenet121()), None),
    "vit": (lambda: load_classifier(timm.create_model("vit_tiny_patch16_224")), vit_reshape_transform),
    "swin": (lambda: load_classifier(timm.create_model("swin_tiny_patch4_window7_224")), rows_first),
}


@pytest.fixture(scope="module", params=ARCHITECTURES)
def asked(request, fed):
    """A classifier, the photographs as it is fed them, and how pytorch-grad-cam gets a map of its layer."""
    torch.manual_seed(0)
    load, transform = ARCHITECTURES[request.param]
    classifier = load()
    return classifier, fed(classifier), transform


def reference(module: nn.Module, layer: Layer, batch: torch.Tensor, targets: list[int], transform) -> np.ndarray:
    """pytorch-grad-cam's map before it is scaled to its own minimum and maximum."""
    with GradCAM(module.eval(), [layer.module], reshape_transform=transform) as cam:
        logits = cam.activations_and_grads(batch)
        wanted = [ClassifierOutputTarget(target) for target in targets]
        sum(target(output) for target, output in zip(wanted, logits, strict=True)).backward()
        activations = cam.activations_and_grads.activations[0].detach().numpy()
        gradients = cam.activations_and_grads.gradients[0].numpy()
        found = np.maximum(cam.get_cam_image(batch, layer.module, wanted, activations, gradients), 0)
        # Its finaliser cannot detach views, which a transform makes.
        cam.activations_and_grads.activations, cam.activations_and_grads.gradients = [], []
    module.zero_grad()
    return found


@pytest.mark.parametrize("target", [None, 4, 281])
def test_maps_equal_those_of_pytorch_grad_cam(asked, target):
    classifier, batch, transform = asked
    (layer,) = classifier.find_layers()
    ours = gradcam(classifier.module, batch, [layer], Target(target))
    with torch.no_grad():
        logits = classifier.module.eval()(batch)
    assert torch.allclose(ours.logits, logits, atol=1e-4 * float(logits.abs().max()))
    assert ours.targets.tolist() == (logits.argmax(1).tolist() if target is None else [target] * len(batch))
    # Copies: pytorch-grad-cam differentiates with respect to the input, and densenet changes features in place.
    theirs = reference(classifier.module, layer, batch.clone(), ours.targets.tolist(), transform)
    if type(classifier.module).__name__ == "DenseNet":
        # There pytorch-grad-cam sees activations that the model has rectified in place; at the layer's own, by hand:
        theirs = by_hand(classifier.module, layer.module, batch, ours.targets)
    (maps,) = ours.maps
    scale = np.abs(theirs).max()
    assert scale > 0
    assert maps.dtype == torch.float32
    assert np.abs(maps.numpy() - theirs).max() / scale <= 1e-4


def by_hand(module: nn.Module, layer: nn.Module, batch: torch.Tensor, *targets: torch.Tensor) -> np.ndarray:
    """Grad-CAM of the logits of the first targets, less those of the second, by plain autograd from the input on."""
    kept = {}

    def keep(_module, _inputs, output):
        kept["output"] = output
        return output.clone()

    handle = layer.register_forward_hook(keep)
    logits = module.eval()(batch.clone().requires_grad_())
    handle.remove()
    chosen = [logits.gather(1, each[:, None]).sum() for each in targets]
    (gradients,) = torch.autograd.grad(chosen[0] - sum(chosen[1:]), kept["output"])
    return (gradients.mean((2, 3), keepdim=True) * kept["output"]).sum(1).relu().detach().numpy()


@pytest.mark.parametrize("target", [Target(3, against=5), Target(None, against=5)])
def test_the_difference_of_two_classes_equals_autograd_by_hand(resnet, fed, target):
    batch = fed(resnet)
    ours = gradcam(resnet.module, batch, resnet.find_layers(), target)
    theirs = by_hand(
        resnet.module, resnet.find_layers()[0].module, batch, ours.targets, torch.full_like(ours.targets, 5)
    )
    assert theirs.max() > 0
    # A difference of near equal numbers loses some of single precision's seven digits.
    assert np.abs(ours.maps[0].numpy() - theirs).max() <= 1e-4 * theirs.max()
    alone = gradcam(resnet.module, batch, resnet.find_layers(), Target(target.index)).maps[0]
    assert (ours.maps[0] - alone).abs().max() > 0.01 * alone.max()


@pytest.mark.parametrize("names", [["layer2", "layer4"], ["layer4", "layer3.0.conv1", "layer2"], ["layer3", "layer3"]])
def test_several_layers_in_one_pass_equal_each_by_itself(resnet, fed, names):
    batch = fed(resnet)
    ours = gradcam(resnet.module, batch, resnet.find_layers(names), Target(3))
    for name, maps in zip(names, ours.maps, strict=True):
        theirs = by_hand(resnet.module, resnet.find_layers(name)[0].module, batch, ours.targets)
        assert theirs.max() > 0
        assert np.abs(maps.numpy() - theirs).max() <= 1e-4 * theirs.max()


def test_signals_are_explained_at_their_convolutions():
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv1d(2, 8, 5, padding=2),
        nn.ReLU(),
        nn.Conv1d(8, 8, 5),
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
        nn.Linear(8, 3),
    )
    batch = torch.randn(4, 2, 60)
    (maps,) = gradcam(module, batch, [Layer("1", module[1], "NCL")], Target(1)).maps
    activations = module[:2](batch).detach().requires_grad_()
    module[2:](activations)[:, 1].sum().backward()
    expected = (activations.grad.mean(2, keepdim=True) * activations).sum(1).relu().detach()
    assert maps.shape == (4, 1, 60)
    assert expected.max() > 0
    assert torch.allclose(maps[:, 0], expected, atol=1e-5 * float(expected.max()))


def test_it_works_where_gradients_are_switched_off(resnet, fed):
    batch = fed(resnet)
    outside = gradcam(resnet.module, batch, resnet.find_layers(), Target())
    with torch.inference_mode():
        inside = gradcam(resnet.module, batch.clone(), resnet.find_layers(), Target())
        assert not torch.is_grad_enabled()
    assert inside.maps[0].max() > 0
    assert torch.allclose(inside.maps[0], outside.maps[0])


def test_layers_that_scores_do_not_depend_on_and_outputs_that_do_not_exist_are_refused(resnet, fed):
    class Detached(nn.Module):
        def __init__(self):
            super().__init__()
            self.features = nn.Conv2d(3, 4, 3)
            self.aside = nn.Conv2d(3, 4, 3)
            self.unused = nn.Conv2d(3, 4, 3)
            self.used = nn.Conv2d(3, 4, 3)

        def forward(self, batch):
            self.aside(batch)
            with torch.no_grad():
                features = self.features(batch)
            return features.mean((2, 3)) + self.used(batch).mean((2, 3))

    module = Detached()
    used = Layer("used", module.used, "NCHW")
    for name in ("aside", "features", "unused"):
        layer = Layer(name, getattr(module, name), "NCHW")
        for layers in ([layer], [used, layer]):
            with pytest.raises(LayerError, match=f"do not depend on the layer '{name}'"):
                gradcam(module, torch.rand(2, 3, 8, 8), layers, Target())
    with pytest.raises(LayerError, match=r"layer 'fc' gives shape \(4, 10\); expected NCHW, that is 4 axes"):
        gradcam(resnet.module, fed(resnet), [Layer("fc", resnet.module.fc, "NCHW")], Target())
    with pytest.raises(TargetError, match="target 10 is outside the 10 outputs; expected 0 to 9"):
        gradcam(resnet.module, fed(resnet), resnet.find_layers(), Target(10))


def test_a_classifier_of_any_kind_needs_no_layer(transformer: Classifier, fed):
    (maps,) = gradcam(transformer.module, fed(transformer), transformer.find_layers(), Target()).maps
    assert maps.shape[1:] == (6, 6)
    assert maps.max() > 0
