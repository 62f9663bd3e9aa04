"""Transforms of torchvision, kornia and Albumentations as augmentations; none of these libraries is imported here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from augimpact.augment.own import own_parameter, register_effect, seeded
from augimpact.errors import ParameterError

__all__ = ["wrap"]


def wrap(
    name: str,
    make: Callable[[float], Callable[..., Any]],
    *,
    range: tuple[float, float],  # noqa: A002 - the word that everybody uses for it
    neutral: float,
    sweep: tuple[float, float] | None = None,
    unit: str = "strength",
    description: str = "",
    as_bytes: bool = False,
) -> None:
    """Registers a transform as a parameter of the group `own`; see `augimpact.augment.own.augmentation`.

    `make` gives the transform for a value, so that any of its arguments can be the one that changes:
    `wrap("elastic", lambda alpha: v2.ElasticTransform(alpha=alpha), range=(0, 200), neutral=0)`. What it gives is
    called image by image: an Albumentations transform as `transform(image=pixels)["image"]` with `(S, S, 3)` float32,
    anything else (torchvision, kornia, a function) with a tensor `(1, 3, S, S)`, both in [0, 1]. Bytes that come back
    are divided by 255. A transform that is applied by chance should be given p=1.

    Every image starts from the same seed, the one of `augment`: so a second run gives the same bits, and what is random
    stays put while the strength changes. The global generators are left as they were.

    Args:
        name: a Python identifier that no built-in parameter has.
        make: value → transform.
        range: the least and the greatest value.
        neutral: the value that leaves an image as it is; `make` is never asked for it.
        sweep: the range that is offered first; by default from neutral to the greatest value.
        unit: of the value, for labels.
        description: what it does, in a line.
        as_bytes: give the transform 0…255 as uint8, for those that take nothing else.

    Raises:
        ParameterError: a name that is taken or no identifier, or numbers that do not go together.
    """

    def rows(batch: Tensor, values: NDArray[np.float64], seed: int) -> Tensor:
        shown = []
        for image, value in zip(batch, values.tolist(), strict=True):
            with seeded(seed, batch.device):
                shown.append(_transformed(image, make(value), seed, as_bytes))
        return torch.stack(shown)

    register_effect(own_parameter(name, range, neutral, sweep, unit, description), rows, make)


def _transformed(image: Tensor, transform: Callable[..., Any], seed: int, as_bytes: bool) -> Tensor:
    """The image `(3, S, S)` as the transform makes it."""
    given = image.mul(255).round_().to(torch.uint8) if as_bytes else image
    if _is_albumentations(transform):
        result = _as_albumentations_has_it(given, transform, seed)
    else:
        # A copy: some transforms change what they are given.
        result = transform(given[None].clone(memory_format=torch.contiguous_format))
        if not isinstance(result, Tensor) or result.shape[:1] != (1,):
            found = tuple(result.shape) if isinstance(result, Tensor) else type(result).__name__
            raise ParameterError(f"the transform returned {found}; expected a tensor {(1, *image.shape)}")
        result = result[0]
    if result.dtype == torch.uint8:
        result = result / 255
    return result.to(image)


def _as_albumentations_has_it(image: Tensor, transform: Callable[..., Any], seed: int) -> Tensor:
    # Its transforms have generators of their own.
    if hasattr(transform, "set_random_seed"):
        transform.set_random_seed(seed)
    pixels = np.ascontiguousarray(image.permute(1, 2, 0).cpu().numpy())
    shown: NDArray[Any] = np.ascontiguousarray(transform(image=pixels)["image"])
    return torch.from_numpy(shown).permute(2, 0, 1)


def _is_albumentations(transform: Callable[..., Any]) -> bool:
    return any(kind.__module__.partition(".")[0] == "albumentations" for kind in type(transform).__mro__)
