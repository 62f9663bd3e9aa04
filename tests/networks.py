"""Networks as a user would name them on the command line: small, untrained, quick."""

from __future__ import annotations

import torch
from torch import nn

import augimpact as ai


def small_network() -> ai.Classifier:
    """Two convolutions with ReLUs, four classes."""
    torch.manual_seed(1)
    module = nn.Sequential(
        nn.Conv2d(3, 8, 5, stride=4), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 12, 3, stride=2), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 4),
    )  # fmt: skip
    return ai.Classifier(module.eval(), ["red", "green", "blue", "grey"], size=96, name="small")


def small_signal_model() -> ai.Classifier:
    """Two classes of one-channel signals of 64 samples."""
    torch.manual_seed(1)
    module = nn.Sequential(
        nn.Conv1d(1, 6, 5, padding=2), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(6, 2)
    )
    return ai.Classifier(module.eval(), ["low", "high"], signal=(1, 64), name="small signal")
