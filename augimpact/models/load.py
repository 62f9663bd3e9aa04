"""A classifier from a name or a module: the built-in, any of timm's or torchvision's, one's own."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies

import torch
from torch import nn

from augimpact.errors import ModelError, unknown
from augimpact.models.builtin import BUILTIN, builtin_classifier, imagenet_labels
from augimpact.models.classifier import RESAMPLING, Classifier

__all__ = ["load_classifier", "pick_device"]

TORCHVISION = "torchvision:"
DEVICES = ("cpu", "cuda", "mps", "xpu")
Result = TypeVar("Result")


def load_classifier(
    source: str | nn.Module | Classifier = BUILTIN, *, device: str = "auto", layer: str | None = None
) -> Classifier:
    """The classifier that `source` names, ready to be asked.

    Args:
        source: `efficientnet-lite0` (needs no network), any of timm's names, `torchvision:` and one of its names, or
            a `torch.nn.Module`. A module stays on its own device; one that timm made brings its preprocessing along,
            any other is taken to expect ImageNet's mean and deviation at 224 pixels (else build a `Classifier`).
        device: `auto` (CUDA, MPS or CPU), or a torch device, for what is loaded by name.
        layer: the layer to explain; by default the last with spatial output.

    Raises:
        ModelError: no such model, no such device, or its weights cannot be fetched.
        LayerError: no such layer, or its output has no spatial extent.

    >>> load_classifier().labels[207]
    'golden retriever'
    """
    if isinstance(source, Classifier):
        classifier = source
    elif isinstance(source, nn.Module):
        classifier = _from_module(source)
    else:
        classifier = _by_name(source, pick_device(device))
    return classifier if layer is None else classifier.with_layer(layer)


def _by_name(name: str, device: torch.device) -> Classifier:
    if name == BUILTIN:
        classifier = builtin_classifier()
    elif name.startswith(TORCHVISION):
        classifier = _from_torchvision(name)
    else:
        classifier = _from_timm(name)
    classifier.module.to(device)
    return classifier


def pick_device(name: str = "auto") -> torch.device:
    """The device of this name; `auto` is CUDA where there is one, else MPS, else the CPU.

    Raises:
        ModelError: there is no such device on this machine.
    """
    if name == "auto":
        return torch.device(
            "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        )
    try:
        device = torch.device(name)
        if device.type not in DEVICES:
            raise RuntimeError(f"{device.type} holds no numbers")
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ModelError(f"device {name!r} cannot be used on this machine; expected auto, cpu, cuda or mps") from error
    return device


def _from_module(module: Any, name: str | None = None) -> Classifier:
    if not hasattr(module, "pretrained_cfg"):
        return Classifier(module, name=name)
    from timm.data import resolve_model_data_config

    config: dict[str, Any] = resolve_model_data_config(module)
    interpolation = config["interpolation"]
    return Classifier(
        module,
        _timm_labels(module),
        mean=config["mean"],
        std=config["std"],
        size=config["input_size"][-1],
        crop=config["crop_pct"],
        squash=config["crop_mode"] == "squash",
        interpolation=interpolation if interpolation in RESAMPLING else "bicubic",
        name=name or module.pretrained_cfg.get("architecture"),
    )


def _from_timm(name: str) -> Classifier:
    import timm

    if not timm.is_model(name.split(".")[0]):
        raise ModelError(unknown("model", name, [BUILTIN, *timm.list_models()]))
    with _without_retries_when_offline():
        module = _fetched(name, lambda: timm.create_model(name, pretrained=True))
    return _from_module(module.eval(), name)


def _timm_labels(module: Any) -> tuple[str, ...] | None:
    """The names of timm's ImageNet variants; nothing for a model trained on something else."""
    from timm.data import ImageNetInfo, infer_imagenet_subset

    if module.num_classes == len(imagenet_labels()):
        return imagenet_labels()
    subset = infer_imagenet_subset(module)
    if subset is None:
        return None
    info = ImageNetInfo(subset)
    return tuple(info.index_to_description(index, detailed=False) for index in range(info.num_classes()))


def _from_torchvision(source: str) -> Classifier:
    from torchvision import models

    name = source.removeprefix(TORCHVISION)
    names = models.list_models(module=models)
    if name not in names:
        raise ModelError(unknown("torchvision model", name, names))
    weights = models.get_model_weights(name).DEFAULT
    module = _fetched(source, lambda: models.get_model(name, weights=weights))
    preset = weights.transforms()
    return Classifier(
        module.eval(),
        weights.meta["categories"],
        mean=preset.mean,
        std=preset.std,
        size=preset.crop_size[0],
        crop=preset.crop_size[0] / preset.resize_size[0],
        interpolation=preset.interpolation.value,
        name=source,
    )


@contextmanager
def _without_retries_when_offline() -> Iterator[None]:
    """Lets the hub's library look at its cache only, where its server's name is unknown.

    It would otherwise ask again and again, for three quarters of a minute. Behind a proxy names need not resolve.
    """
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    host = urlsplit(constants.ENDPOINT).hostname
    try:
        socket.getaddrinfo(host, None)
    except OSError:
        constants.HF_HUB_OFFLINE = before or not getproxies()
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _fetched(name: str, fetch: Callable[[], Result]) -> Result:
    """What the library's own loader gives, which shows its own progress; its many errors become one sentence.

    A missing network is another class of exception in every version of every loader, so all are caught.
    """
    try:
        return fetch()
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(
            f"the weights of {name!r} could not be fetched ({reason}); {BUILTIN!r} is built in and needs no network"
        ) from error
