"""Class activation maps against numpy, and against Grad-CAM, of which they are a multiple."""

from __future__ import annotations

import numpy as np
import pytest
import timm
import torch
from torch import nn
from torchvision import models as torchvision_models

from augimpact.errors import LayerError
from augimpact.explain.cam import cam
from augimpact.explain.gradcam import gradcam
from augimpact.explain.target import Target
from augimpact.models.classifier import Classifier
from augimpact.models.load import load_classifier


@pytest.mark.parametrize("name", ["built-in", "resnet18", "swin_tiny_patch4_window7_224"])
@pytest.mark.parametrize("target", [Target(), Target(7), Target(7, against=2)])
def test_it_is_grad_cam_times_the_number_of_places(name, target, classifier, resnet, fed):
    known = {"built-in": classifier, "resnet18": resnet}
    asked = known.get(name) or load_classifier(timm.create_model(name, num_classes=10))
    layers = asked.find_layers()
    batch = fed(asked)
    (ours,) = cam(asked.module, batch, layers, target).maps
    (theirs,) = gradcam(asked.module, batch, layers, target).maps
    assert ours.max() > 0
    # Two ways of summing some thousand products in single precision.
    assert (ours - theirs * theirs[0].numel()).abs().max() <= 1e-4 * ours.max()


def test_it_equals_numpy(resnet, fed):
    batch = fed(resnet)
    features = nn.Sequential(*list(resnet.module.children())[:-2])
    with torch.no_grad():
        activations = features(batch).numpy()
    weights = resnet.module.fc.weight.detach().numpy()
    found = cam(resnet.module, batch, resnet.find_layers(), Target(1))
    expected = np.maximum(np.tensordot(activations, weights[1], axes=(1, 0)), 0)
    assert np.abs(found.maps[0].numpy() - expected).max() <= 1e-5 * expected.max()
    with torch.no_grad():
        assert torch.allclose(found.logits, resnet.module(batch), atol=1e-5)
    difference = cam(resnet.module, batch, resnet.find_layers(), Target(1, against=4)).maps[0].numpy()
    expected = np.maximum(np.tensordot(activations, weights[1] - weights[4], axes=(1, 0)), 0)
    assert np.abs(difference - expected).max() <= 1e-5 * expected.max()


def test_a_layer_that_is_not_averaged_into_the_last_linear_layer_is_refused(resnet, fed):
    with pytest.raises(LayerError, match=r"CAM needs the layer whose spatial mean .* 'layer3' is not"):
        cam(resnet.module, fed(resnet), resnet.find_layers("layer3"), Target())
    vgg = Classifier(torchvision_models.vgg11(num_classes=10).eval(), size=64)
    with pytest.raises(LayerError, match=r"'features' is not, choose another or the method gradcam"):
        cam(vgg.module, fed(vgg), vgg.find_layers(), Target())


def test_a_model_without_a_last_linear_layer_is_refused():
    convolution = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 2, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    followed = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2), nn.Softmax(1))
    for module, message in ((convolution, "Sequential has none"), (followed, "straight from the last linear layer")):
        classifier = Classifier(module, size=16)
        with pytest.raises(LayerError, match=message):
            cam(module, torch.rand(2, 3, 16, 16), classifier.find_layers("0"), Target())
