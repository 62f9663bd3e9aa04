"""A checkpoint as a classifier: its weights, the architecture that they belong to, and the names of its outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from augimpact.errors import ModelError
from augimpact.models.classifier import Classifier
from augimpact.models.model import Model
from augimpact.models.own_code import build, is_own_code
from augimpact.models.pretrained import (
    TORCHVISION,
    check_timm_name,
    from_module,
    from_torchvision,
    torchvision_name,
)
from augimpact.models.weights import SUFFIXES, fit, misfits, read_weights, renamed

__all__ = ["from_checkpoint", "is_checkpoint"]

Builder = Callable[[int | None], nn.Module]


def is_checkpoint(source: str) -> bool:
    """Whether the name ends as a checkpoint's does.

    >>> is_checkpoint("runs/best.PTH"), is_checkpoint("resnet50.a1_in1k")
    (True, False)
    """
    return source.lower().endswith(SUFFIXES)


def from_checkpoint(path: str, arch: str | None, labels: Sequence[str] | None = None) -> Classifier:
    """The classifier whose weights lie in the file.

    Args:
        path: a `.pth`, `.pt`, `.ckpt` or `.safetensors` file; see `read_weights`.
        arch: what made the module: one of timm's names, `torchvision:` and one of its names, or a function or class
            as `FILE.py:NAME` or `package.module:NAME`. timm's and torchvision's are prepared for as their published
            weights ask, others as ImageNet's.
        labels: the names of the outputs; without them there are as many outputs as the final layer of the weights has.

    Raises:
        ModelError: the file holds no weights, the architecture is unknown, or the two do not fit.
    """
    if not Path(path).is_file():
        raise ModelError(f"there is no checkpoint {path!r}; expected a file of weights")
    if arch is None:
        raise ModelError(
            f"the checkpoint {path!r} is read as weights only; expected arch, what they belong to: a timm name, "
            f"{TORCHVISION}NAME, FILE.py:NAME or package.module:NAME"
        )
    weights = read_weights(path)
    builder = _builder(arch)
    module = builder(None if labels is None else len(labels))
    weights = renamed(weights, module)
    if labels is None and misfits(weights, module):
        module = builder(_outputs(weights, module))
    fit(weights, module, f"the checkpoint {path!r} with arch {arch!r}")
    return _classifier(module.eval(), arch, labels, path)


def _builder(arch: str) -> Builder:
    """What makes a module of the architecture, untrained, with a number of outputs or its own."""
    if arch.startswith(TORCHVISION):
        return lambda outputs: _torchvision(torchvision_name(arch), outputs)
    if is_own_code(arch):
        return lambda outputs: _own(arch, outputs)
    check_timm_name(arch)
    return lambda outputs: _timm(arch, outputs)


def _timm(name: str, outputs: int | None) -> nn.Module:
    import timm

    module: nn.Module = _built(name, timm.create_model, pretrained=False, **_classes(outputs))
    return module


def _torchvision(name: str, outputs: int | None) -> nn.Module:
    from torchvision import models

    # Two of them would otherwise draw their weights, slowly, and warn that they no longer will.
    drawn = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    module: nn.Module = _built(name, models.get_model, weights=None, **drawn, **_classes(outputs))
    return module


def _own(arch: str, outputs: int | None) -> nn.Module:
    module = build(arch, num_classes=outputs)
    return module.module if isinstance(module, Model) else module


def _classes(outputs: int | None) -> dict[str, int]:
    return {} if outputs is None else {"num_classes": outputs}


def _built(name: str, create: Callable[..., Any], **arguments: Any) -> Any:
    try:
        return create(name, **arguments)
    except Exception as error:  # the makers of a thousand architectures agree on no class of errors
        raise ModelError(f"arch {name!r} cannot be built with {arguments}: {error}") from error


def _outputs(weights: Mapping[str, Tensor], module: nn.Module) -> int | None:
    """How many outputs the final layer has in the weights; None where its name is not among them."""
    name = _final_layer(module)
    return None if name is None or name not in weights else int(weights[name].shape[0])


def _final_layer(module: nn.Module) -> str | None:
    """The name of the weight that makes the outputs: timm tells it, elsewhere it is the last matrix or kernel."""
    layer = getattr(module, "pretrained_cfg", {}).get("classifier")
    if isinstance(layer, str) and f"{layer}.weight" in module.state_dict():
        return f"{layer}.weight"
    named = [name for name, tensor in module.state_dict().items() if name.endswith("weight") and tensor.ndim >= 2]
    return named[-1] if named else None


def _classifier(module: nn.Module, arch: str, labels: Sequence[str] | None, path: str) -> Classifier:
    torchvision = arch.startswith(TORCHVISION)
    classifier = from_torchvision(arch, module, labels) if torchvision else from_module(module, labels)
    classifier.name = path
    return classifier
