"""A fastai learner, exported by `learner.export()`, as a classifier with its own preprocessing and vocabulary.

fastai prepares a photograph in two steps: transforms of the item (on Pillow images) and of the batch (on tensors). What
of both runs in evaluation is read here as one region, size and normalisation; a transform that cannot be said so is
refused by its name rather than left out. fastai is imported when a learner is asked for, not before.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

from augimpact.errors import ModelError
from augimpact.models.classifier import Classifier
from augimpact.models.inputs import RESAMPLING

__all__ = ["FASTAI", "from_learner", "load_learner"]

FASTAI = "fastai:"
HINT = "build a Classifier(learner.model, …) with the preprocessing that it needs"


@dataclass(frozen=True)
class Preparation:
    """What evaluation does to a photograph, as a `Classifier` takes it.

    squash: None until a first transform has made the photograph square. size: likewise.
    """

    squash: bool | None = None
    size: int | None = None
    crop: float = 1.0
    interpolation: str = "bilinear"
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)

    def resized(self, size: int, *, squash: bool, crop: float = 1.0, interpolation: str | None = None) -> Preparation:
        """The same, then made `size` pixels square; what is square already is neither squashed nor cut by that."""
        return replace(
            self,
            squash=squash if self.squash is None else self.squash,
            size=size,
            crop=self.crop * crop,
            interpolation=interpolation or self.interpolation,
        )


def load_learner(path: str, *, trust: bool) -> Classifier:
    """The classifier in a file that `learner.export()` wrote.

    Args:
        path: the file, which is a pickle.
        trust: that the file may run code on this machine, as a pickle can.

    Raises:
        ModelError: it is not trusted, fastai is not installed, the file cannot be read, or the learner is not one that
            gives every photograph one of its classes.
    """
    if not Path(path).is_file():
        raise ModelError(f"there is no learner {path!r}; expected the file that learner.export() wrote")
    if not trust:
        raise ModelError(
            f"{FASTAI}{path} is a pickle, which can run any code on this machine; if you trust where it comes from, "
            "say trust=True (on the command line --trust)"
        )
    return from_learner(_unpickled(path), name=f"{FASTAI}{path}")


def from_learner(learner: Any, *, name: str) -> Classifier:
    """The classifier that the learner is; its module is put into evaluation mode.

    Raises:
        ModelError: the learner does not give a photograph one of its classes, or prepares it in another way than by
            cutting, squashing and normalising.
    """
    labels = _vocabulary(learner, name)
    found = _preparation(learner.dls.valid, name)
    if found.size is None or found.squash is None:
        raise ModelError(f"{name} takes photographs of any size; expected item_tfms with a Resize, or {HINT}")
    return Classifier(
        learner.model.eval(),
        labels,
        mean=found.mean,
        std=found.std,
        size=found.size,
        crop=found.crop,
        squash=found.squash,
        interpolation=found.interpolation,
        name=name,
    )


def _unpickled(path: str) -> Any:
    with warnings.catch_warnings():
        # Of fastai's own age, and that a pickle runs code, which the caller was asked about.
        warnings.simplefilter("ignore")
        try:
            from fastai.learner import Learner, load_learner
        except ImportError as error:
            raise ModelError(
                f"{FASTAI}{path} needs fastai, which is not installed ({error}); pip install 'augimpact[fastai]'"
            ) from error
        try:
            learner = load_learner(path)
        except Exception as error:  # a pickle may fail in any way at all
            raise ModelError(f"the learner {path!r} cannot be read: {type(error).__name__}: {error}") from error
    if not isinstance(learner, Learner):
        raise ModelError(f"{path!r} holds a {type(learner).__name__}; expected what learner.export() writes")
    return learner


def _vocabulary(learner: Any, name: str) -> tuple[str, ...]:
    """The names of the classes, if every photograph has exactly one of them."""
    from fastai.data.transforms import Categorize, MultiCategorize

    lists = getattr(getattr(learner.dls.valid, "dataset", None), "tls", [])
    targets = list(lists[-1].tfms.fs) if len(lists) == 2 else []
    single = any(isinstance(each, Categorize) and not isinstance(each, MultiCategorize) for each in targets)
    if not single:
        raise ModelError(f"{name} is no classifier of images into one class each (ImageBlock, CategoryBlock)")
    return tuple(str(label) for label in learner.dls.vocab)


def _preparation(loader: Any, name: str) -> Preparation:
    """What the transforms of items and batches do in evaluation, one after the other."""
    found = Preparation()
    for transform in [*_running(loader.after_item.fs), *_running(loader.after_batch.fs)]:
        found = _after(found, transform, name)
    return found


def _running(transforms: Iterable[Any]) -> list[Any]:
    """Those that run in evaluation: for all of the data, for validation, or changing their mind with each call."""
    from fastai.vision.augment import AffineCoordTfm

    return [each for each in transforms if isinstance(each, AffineCoordTfm) or each.split_idx in (None, 1)]


def _after(found: Preparation, transform: Any, name: str) -> Preparation:
    """What was found so far, and then this transform."""
    from fastai.data.transforms import IntToFloatTensor, Normalize, ToTensor
    from fastai.vision.augment import AffineCoordTfm, RandomResizedCrop, RandomResizedCropGPU, Resize

    match transform:
        case ToTensor():
            return found
        case IntToFloatTensor() if transform.div == 255:
            return found
        case Normalize():
            return replace(found, mean=_values(transform.mean), std=_values(transform.std))
        case Resize() if transform.method in ("crop", "squish"):
            size = _side(transform.size, transform, name)
            mode = _interpolation(transform, name)
            return found.resized(size, squash=transform.method == "squish", interpolation=mode)
        case RandomResizedCrop():
            # In evaluation it squashes the photograph to a little more than its size, and keeps the centre.
            size = _side(transform.size, transform, name)
            whole = size + math.ceil(size * transform.val_xtra / 8) * 8
            return found.resized(size, squash=True, crop=size / whole, interpolation=_interpolation(transform, name))
        case RandomResizedCropGPU() if found.size is not None:
            return found.resized(_side(transform.size, transform, name), squash=True, crop=transform.valid_scale)
        case AffineCoordTfm():
            return (
                found if transform.size is None else found.resized(_side(transform.size, transform, name), squash=True)
            )
    raise ModelError(f"{name} prepares photographs by {_described(transform)}, which cannot be followed here; {HINT}")


def _side(size: Any, transform: Any, name: str) -> int:
    """The side of a square, given as one number or two."""
    sides = (size,) if isinstance(size, int) else tuple(size)
    if len(set(sides)) != 1:
        raise ModelError(f"{name} makes photographs {sides} pixels large by {_described(transform)}; expected squares")
    return int(sides[0])


def _interpolation(transform: Any, name: str) -> str:
    """The name of the way in which Pillow resamples."""
    names = {way: known for known, way in RESAMPLING.items()}
    way = Image.Resampling(transform.resamples[0])
    if way not in names:
        raise ModelError(f"{name} resamples by {way.name.lower()}; expected one of {', '.join(RESAMPLING)}, or {HINT}")
    return names[way]


def _values(tensor: Any) -> tuple[float, ...]:
    return tuple(float(value) for value in tensor.flatten().tolist())


def _described(transform: Any) -> str:
    method = getattr(transform, "method", None)
    return type(transform).__name__ + (f"(method={method!r})" if method else "")
