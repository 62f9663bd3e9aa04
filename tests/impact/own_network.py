"""A network of a user's: its code lies in no package that a worker has."""

from __future__ import annotations

import torch
from torch import Tensor, nn

import augimpact as ai


class Brightness(nn.Module):
    """Dark or light, by the mean of the image."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Conv2d(3, 1, 1)

    def forward(self, batch: Tensor) -> Tensor:
        mean = self.scale(batch).mean(dim=(1, 2, 3))
        return torch.stack([-mean, mean], dim=1)


def brightness_classifier() -> ai.Classifier:
    """Light is what is lighter than the mean of ImageNet."""
    module = Brightness().eval().requires_grad_(False)
    module.scale.weight.fill_(1)
    module.scale.bias.fill_(0)
    return ai.Classifier(module, ["dark", "light"], size=64, name="brightness")
