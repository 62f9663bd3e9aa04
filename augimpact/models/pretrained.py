"""Models that come with their preprocessing: timm's and torchvision's, with published weights or without.

A module from timm carries its preprocessing in `pretrained_cfg`, wherever it was made; torchvision keeps it with the
weights. What is not known is taken as ImageNet's mean and deviation at 224 pixels.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies

from torch import nn

from augimpact.errors import ModelError, unknown
from augimpact.models.builtin import BUILTIN, imagenet_labels
from augimpact.models.classifier import Classifier
from augimpact.models.inputs import RESAMPLING

__all__ = ["TORCHVISION", "check_timm_name", "from_module", "from_timm", "from_torchvision", "torchvision_name"]

TORCHVISION = "torchvision:"
Result = TypeVar("Result")


def from_module(module: Any, labels: Sequence[str] | None = None, name: str | None = None) -> Classifier:
    """A classifier of any module: one that timm made brings its preprocessing, and ImageNet's names where they fit."""
    if not hasattr(module, "pretrained_cfg"):
        return Classifier(module, labels, name=name)
    from timm.data import resolve_model_data_config

    config: dict[str, Any] = resolve_model_data_config(module)
    interpolation = config["interpolation"]
    return Classifier(
        module,
        _timm_labels(module) if labels is None else labels,
        mean=config["mean"],
        std=config["std"],
        size=config["input_size"][-1],
        crop=config["crop_pct"],
        squash=config["crop_mode"] == "squash",
        interpolation=interpolation if interpolation in RESAMPLING else "bicubic",
        name=name or module.pretrained_cfg.get("architecture"),
    )


def from_timm(name: str) -> Classifier:
    """One of timm's models with its published weights.

    Raises:
        ModelError: timm has none of this name, or its weights cannot be fetched.
    """
    import timm

    check_timm_name(name)
    with _without_retries_when_offline():
        module = _fetched(name, lambda: timm.create_model(name, pretrained=True))
    return from_module(module.eval(), name=name)


def check_timm_name(name: str) -> None:
    """Nothing, if timm makes a model of this name.

    Raises:
        ModelError: it does not; the nearest names are told.
    """
    import timm

    if not timm.is_model(name.split(".")[0]):
        raise ModelError(unknown("model", name, [BUILTIN, *timm.list_models()]))


def from_torchvision(source: str, module: nn.Module | None = None, labels: Sequence[str] | None = None) -> Classifier:
    """`torchvision:` and one of its names, prepared as its published weights are, which are fetched if need be.

    Args:
        source: the name, prefix and all.
        module: this architecture with weights of its own; by default that of the published weights.
        labels: the names of the outputs; by default those of the published weights, if they are as many.

    Raises:
        ModelError: torchvision has no such model, or its weights cannot be fetched.
    """
    from torchvision import models

    name = torchvision_name(source)
    weights = models.get_model_weights(name).DEFAULT
    categories = weights.meta["categories"]
    if module is None:
        module = _fetched(source, lambda: models.get_model(name, weights=weights))
        labels = categories
    preset = weights.transforms()
    classifier = Classifier(
        module.eval(),
        labels,
        mean=preset.mean,
        std=preset.std,
        size=preset.crop_size[0],
        crop=preset.crop_size[0] / preset.resize_size[0],
        interpolation=preset.interpolation.value,
        name=source,
    )
    if labels is None and classifier.probe.outputs == len(categories):
        classifier = from_torchvision(source, module, categories)
    return classifier


def torchvision_name(source: str) -> str:
    """The name behind `torchvision:`.

    Raises:
        ModelError: torchvision has no classifier of this name; the nearest are told.
    """
    from torchvision import models

    name = source.removeprefix(TORCHVISION)
    names = models.list_models(module=models)
    if name not in names:
        raise ModelError(unknown("torchvision model", name, names))
    return name


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
