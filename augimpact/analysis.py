"""Image × classifier × sweep → trace: the one place where augmenting and explaining meet."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from augimpact.augment.apply import augment
from augimpact.augment.parameters import neutral_setting
from augimpact.data.image import content_hash, read_image
from augimpact.errors import Cancelled
from augimpact.explain.gradcam import Explanation
from augimpact.explain.methods import find_method
from augimpact.memory import memory_is_kept
from augimpact.models.classifier import Classifier
from augimpact.models.load import load_classifier
from augimpact.models.probe import evaluating
from augimpact.sweep import Sweep
from augimpact.trace import Trace

__all__ = ["FOLLOW", "NEUTRAL", "Subject", "analyze", "explain_settings"]

# A target that is the frame's own top class, and one that is the top class of the image as it was.
FOLLOW = "follow"
NEUTRAL = "neutral"
# Frames that the model is fed at a time: as many as keep a GPU busy. On a CPU more of them pay where freed memory is
# kept; where it is not, larger tensors are asked of the system page by page.
CHUNK = {"cuda": 64, "mps": 32}
CPU_CHUNK = {True: 16, False: 8}
# Frames that a CPU augments at a time: so few that they stay in its caches.
AUGMENTED = {"cpu": 4}


@dataclass(frozen=True)
class Subject:
    """An image as one classifier is asked about it, so that it need not be prepared again for every question.

    canvas: `(3, S, S)` in [0, 1], on the classifier's device. recipe: name, hash and size of the image.
    """

    canvas: Tensor
    recipe: dict[str, Any]

    @classmethod
    def of(cls, image: Any, classifier: Classifier, name: str | None = None) -> Subject:
        """Reads and resamples the image; it is called by its file's name where no other is given."""
        picture = read_image(image)
        if name is None:
            name = Path(image).name if isinstance(image, (str, os.PathLike)) else "image"
        recipe = {"name": name, "hash": content_hash(picture), "size": list(picture.size)}
        return cls(classifier.canvas(picture), recipe)


def analyze(
    image: Any,
    sweep: Sweep,
    classifier: Classifier | torch.nn.Module | str | None = None,
    *,
    progress: Callable[[int, int], object] | None = None,
    **options: Any,
) -> Trace:
    """Sweeps an image, and asks the classifier at each step what it sees and where it looks.

    Args:
        image: a path, bytes, Pillow image, array or tensor, see `augimpact.data.image.read_image`; or a `Subject`.
        sweep: the path through settings.
        classifier: a `Classifier`, or what `load_classifier` takes; by default the built-in one.
        progress: called with frames done and frames in all, after each chunk.
        **options: `method`, `target`, `layer`, `erase_fill`, `seed`, `chunk`, `cancelled`; see `explain_settings`.

    Raises:
        ImageError, ParameterError, ModelError, LayerError, TargetError: see those.
        Cancelled: `cancelled` said so.

    >>> import augimpact as ai
    >>> from augimpact.data.image import example
    >>> trace = ai.analyze(example("cat"), ai.Sweep(rotation=(-45, 45), frames=5))
    >>> trace.frames.shape, trace.scores.shape, trace.maps.shape
    ((5, 448, 448, 3), (5, 1000), (5, 7, 7))
    """
    classifier = load_classifier() if classifier is None else load_classifier(classifier)
    subject = image if isinstance(image, Subject) else Subject.of(image, classifier)
    # The neutral frame goes first, so that a trace can say what changed.
    settings = pd.concat([pd.DataFrame([neutral_setting()], dtype=np.float64), sweep.settings()], ignore_index=True)

    def count(done: int, total: int) -> None:
        if progress is not None:
            progress(done - 1, total - 1)

    both = explain_settings(subject, settings, classifier, progress=count, **options)
    both.recipe["sweep"] = sweep.recipe()
    return replace(both[1:], settings=sweep.settings(), neutral=both[:1])


def explain_settings(
    subject: Subject,
    settings: pd.DataFrame,
    classifier: Classifier,
    *,
    method: str = "gradcam",
    target: str | int = FOLLOW,
    layer: str | None = None,
    erase_fill: str = "black",
    seed: int = 0,
    chunk: int | None = None,
    progress: Callable[[int, int], object] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Trace:
    """The trace of one frame for each row of `settings`, without a neutral one.

    Args:
        subject: the image.
        settings: a row a frame, a column for every parameter.
        classifier: the one for which the subject was prepared.
        method: how the maps are made, see `augimpact methods`.
        target: the class to explain: `follow` (each frame's own top class), `neutral` (the top class of the image as it
            was), or a class by name or index.
        layer: the layer to explain; by default the classifier's own.
        erase_fill: what an erased box shows: `black`, `mean` or `noise`.
        seed: of the noise.
        chunk: about how many frames at a time; bounds the model's memory and changes no result beyond
            rounding.
        progress: called with frames done and frames in all, after each chunk.
        cancelled: asked before each chunk whether to stop.

    Raises:
        ParameterError, ModelError, LayerError, TargetError: see those.
        Cancelled: `cancelled` said so.
    """
    explain = find_method(method).explain
    explained = classifier.find_layer(layer)
    wanted = _target_index(classifier, subject.canvas, target)
    values = {str(name): column.to_numpy(dtype=np.float64) for name, column in settings.items()}
    count, device = len(settings), subject.canvas.device

    host = torch.empty(count, *subject.canvas.shape[1:], 3, dtype=torch.uint8)
    explanations: list[Explanation] = []
    matrices: list[NDArray[np.float64]] = []
    for part in _parts(count, chunk or CHUNK.get(device.type, CPU_CHUNK[memory_is_kept()])):
        if cancelled is not None and cancelled():
            raise Cancelled
        shown = host[part] if device.type == "cpu" else torch.empty_like(host[part], device=device)
        for few in _parts(len(shown), AUGMENTED.get(device.type, len(shown))):
            some = {name: each[part][few] for name, each in values.items()}
            images, moved_by = augment(subject.canvas, some, erase_fill=erase_fill, seed=seed)
            shown[few] = _to_bytes(images)
            matrices.append(moved_by)
        if device.type != "cpu":
            host[part].copy_(shown, non_blocking=True)
        explanations.append(
            explain(classifier.module, classifier.prepare(shown.permute(0, 3, 1, 2)), explained, wanted)
        )
        if progress is not None:
            progress(part.stop, count)

    logits, maps, targets = (torch.cat(column) for column in zip(*explanations, strict=True))
    return Trace(
        settings=settings,
        frames=host.numpy(),
        scores=logits.float().softmax(dim=1).cpu().numpy(),
        maps=maps.float().cpu().numpy(),
        targets=targets.cpu().numpy(),
        homographies=np.concatenate(matrices),
        labels=classifier.labels,
        recipe={
            "image": subject.recipe,
            "classifier": classifier.recipe() | {"layer": layer or classifier.layer},
            "method": method,
            "target": target if isinstance(target, str) else int(target),
            "erase_fill": erase_fill,
            "seed": int(seed),
            "versions": dict(_versions()),
        },
    )


def _to_bytes(images: Tensor) -> Tensor:
    """The images as they are shown, `(N, S, S, C)` in 0…255; the given ones are used up on the way."""
    return images.mul_(255).round_().permute(0, 2, 3, 1)


def _parts(count: int, size: int) -> Iterator[slice]:
    """Parts of nearly equal length, about `size`: one frame left over alone would cost almost as much as many."""
    edges = np.linspace(0, count, max(1, round(count / max(size, 1))) + 1).round().astype(int).tolist()
    return (slice(start, stop) for start, stop in pairwise(edges))


def _target_index(classifier: Classifier, canvas: Tensor, target: str | int) -> int | None:
    """The class that all maps explain, or None where each frame explains its own."""
    if target == FOLLOW:
        return None
    if target != NEUTRAL:
        return classifier.index_of(target)
    with torch.no_grad(), evaluating(classifier.module):
        shown = _to_bytes(canvas[None].clone()).to(torch.uint8)
        return int(classifier.module(classifier.prepare(shown.permute(0, 3, 1, 2))).argmax())


@cache
def _versions() -> dict[str, str]:
    packages = {name: version(name) for name in ("augimpact", "torch", "torchvision", "timm", "numpy", "Pillow")}
    return {"python": platform.python_version()} | packages
