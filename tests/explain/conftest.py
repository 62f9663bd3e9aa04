"""Classifiers of several kinds, and the photographs as they are fed them."""

from __future__ import annotations

import pytest
import timm
import torch
from torch import nn
from torchvision import models as torchvision_models

from augimpact.data.image import EXAMPLES, example
from augimpact.models.classifier import Classifier


@pytest.fixture(scope="session")
def fed():
    """The photographs as a classifier is fed them, `(N, 3, size, size)`."""

    def feed(classifier: Classifier, count: int = len(EXAMPLES)) -> torch.Tensor:
        canvases = torch.stack([classifier.canvas(example(name)) for name in list(EXAMPLES)[:count]])
        return classifier.prepare((canvases * 255).round().to(torch.uint8))

    return feed


@pytest.fixture(scope="session")
def resnet() -> Classifier:
    """ResNet-18 with random weights, and statistics of its batch normalisations as if it had been trained."""
    torch.manual_seed(0)
    return Classifier(settled(torchvision_models.resnet18(num_classes=10)), size=96)


@pytest.fixture(scope="session")
def transformer() -> Classifier:
    """A vision transformer of six blocks with random weights."""
    torch.manual_seed(0)
    return Classifier(timm.create_model("vit_tiny_patch16_224", img_size=96, depth=6, num_classes=10), size=96)


def settled(module: nn.Module) -> nn.Module:
    """With random weights the deeper layers' values would vanish; batches of noise set their statistics."""
    module.train()
    with torch.no_grad():
        for _ in range(5):
            module(torch.randn(8, 3, 96, 96))
    return module.eval()
