"""A classifier from whatever names one: the built-in, timm, torchvision, fastai, a checkpoint, one's own code."""

from __future__ import annotations

import os
from collections.abc import Sequence
from copy import copy
from typing import Any

import torch
from torch import nn

from augimpact.errors import ModelError
from augimpact.models.builtin import BUILTIN, builtin_classifier
from augimpact.models.checkpoint import from_checkpoint, is_checkpoint
from augimpact.models.device import pick_device
from augimpact.models.labels import read_labels
from augimpact.models.learner import FASTAI, load_learner
from augimpact.models.model import Model
from augimpact.models.own_code import build, is_own_code
from augimpact.models.pretrained import TORCHVISION, from_module, from_timm, from_torchvision

__all__ = ["TORCHVISION", "load_classifier", "read_labels"]

USED_BY = {"arch": "a checkpoint only", "labels": "a checkpoint or a module of one's own only"}


def load_classifier(
    source: str | os.PathLike[str] | nn.Module | Model = BUILTIN,
    *,
    device: str = "auto",
    layer: str | None = None,
    trust: bool = False,
    arch: str | None = None,
    labels: str | os.PathLike[str] | Sequence[str] | None = None,
) -> Model:
    """The classifier that `source` names, ready to be asked.

    Args:
        source: one of

            - `efficientnet-lite0`, which needs no network, any of timm's names, `torchvision:` and one of its names;
            - a checkpoint `.pth`, `.pt`, `.ckpt` or `.safetensors`, with `arch`; read as weights only;
            - `fastai:` and the file that `learner.export()` wrote, with `trust`;
            - `FILE.py:NAME` or `package.module:NAME`: one's own module, `Classifier` or `Regressor`, or a function
              without arguments that returns one. This runs the code;
            - a `torch.nn.Module`, a `Classifier` or a `Regressor`.

            A module brings its preprocessing along if timm made it; any other is taken to expect ImageNet's mean and
            deviation at 224 pixels (else build a `Classifier`).
        device: `auto` (CUDA, MPS or CPU), or a torch device, for what is loaded by name; a module stays on its own.
        layer: the layer to explain; by default the last with spatial output.
        trust: that a pickle may run code on this machine.
        arch: what a checkpoint's weights belong to: a timm name, `torchvision:` and one of its names, `FILE.py:NAME`
            or `package.module:NAME`.
        labels: the names of the outputs, of a checkpoint or of one's own module; see `read_labels`.

    Returns:
        The classifier. Its `origin` holds the arguments that make it again (but for `device` and `layer`), as plain
        values; None if it was made of a module or is one of these two itself.

    Raises:
        ModelError: no such model, no such device, or its weights cannot be fetched, read or fitted.
        LayerError: no such layer, or its output has no spatial extent.

    >>> load_classifier().labels[207]
    'golden retriever'
    """
    names = None if labels is None else read_labels(labels)
    if isinstance(source, (Model, nn.Module)):
        classifier = _from_object(source, arch, names)
    elif isinstance(source, (str, os.PathLike)):
        classifier = _by_name(os.fspath(source), pick_device(device), trust, arch, names)
    else:
        raise ModelError(f"the model is a {type(source).__name__}; expected a name, a torch.nn.Module or a Classifier")
    return classifier if layer is None else classifier.with_layer(layer)


def _from_object(source: nn.Module | Model, arch: str | None, labels: tuple[str, ...] | None) -> Model:
    own = isinstance(source, Model)
    _refuse(type(source).__name__, arch=arch, labels=labels if own else None)
    if isinstance(source, Model):
        return source
    classifier: Model = from_module(source, labels)
    classifier.origin = None
    return classifier


def _by_name(name: str, device: torch.device, trust: bool, arch: str | None, labels: tuple[str, ...] | None) -> Model:
    origin: dict[str, Any] = {"source": name}
    if is_checkpoint(name):
        classifier: Model = from_checkpoint(name, arch, labels)
        origin |= {"arch": arch}
    elif is_own_code(name) and not name.startswith((TORCHVISION, FASTAI)):
        _refuse(name, arch=arch)
        classifier = _from_own_code(name, labels)
    else:
        _refuse(name, arch=arch, labels=labels)
        classifier = _published(name, trust)
        origin |= {"trust": True} if name.startswith(FASTAI) else {}
    classifier.origin = origin | ({} if labels is None else {"labels": list(labels)})
    classifier.module.to(device)
    return classifier


def _published(name: str, trust: bool) -> Model:
    """What brings its own preprocessing and names."""
    if name == BUILTIN:
        return builtin_classifier()
    if name.startswith(TORCHVISION):
        return from_torchvision(name)
    if name.startswith(FASTAI):
        return load_learner(name.removeprefix(FASTAI), trust=trust)
    if name.lower().endswith(".pkl"):
        raise ModelError(f"{name!r} is a pickle; expected {FASTAI}{name} for a learner that fastai exported")
    return from_timm(name)


def _from_own_code(name: str, labels: tuple[str, ...] | None) -> Model:
    found = build(name)
    if isinstance(found, Model):
        _refuse(name, labels=labels)
        # The user's own object keeps its name and knows nothing of where it was found.
        return copy(found)
    return from_module(found, labels, name)


def _refuse(source: str, **arguments: object) -> None:
    """Raises for what was given beside a source that has no use for it."""
    for name, value in arguments.items():
        if value is not None:
            raise ModelError(f"{name} was given for {source!r}, which brings its own; expected it for {USED_BY[name]}")
