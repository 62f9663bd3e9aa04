"""Augmentation at random that repeats: what happens to a sample follows from seed, epoch and the sample's id alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from augimpact.augment.apply import augment
from augimpact.augment.follow import move_boxes, move_masks
from augimpact.augment.geometry import homographies
from augimpact.augment.parameters import BORDERS, CATALOGUE, ERASE_FILLS, MIXING, resolve
from augimpact.errors import ParameterError, unknown

__all__ = ["RandomAugmentation"]

Range = float | tuple[float, float]


class RandomAugmentation:
    """The sweeps' parameters, drawn at random: equally for a sample in any batch, order, worker or process.

    Every parameter has a draw of its own, BLAKE2b of (seed, epoch, sample id, parameter), so that another parameter
    changes none of the others.

    Args:
        seed: of all draws.
        p: the probability with which a parameter is not neutral: one for all, or by parameter (those that are not named
            always change).
        border, erase_fill: see `augimpact.augment.apply.augment`.
        **ranges: `rotation=(-10, 10)` draws uniformly from the range, `brightness=1.2` is that value.

    Raises:
        ParameterError: an unknown parameter, one that mixes two images, a value outside its range, a probability
            outside [0, 1].

    >>> augmentation = RandomAugmentation(rotation=(-10, 10), brightness=(0.8, 1.2), seed=3)
    >>> augmentation.setting("cat.jpg") == augmentation.setting("cat.jpg") != augmentation.setting("dog.jpg")
    True
    >>> augmentation(torch.rand(3, 32, 32), "cat.jpg").shape
    torch.Size([3, 32, 32])
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        p: float | Mapping[str, float] = 1.0,
        border: str = "black",
        erase_fill: str = "black",
        **ranges: Range,
    ) -> None:
        self.ranges = {name: _checked_range(name, value) for name, value in ranges.items()}
        chances = dict(p) if isinstance(p, Mapping) else dict.fromkeys(self.ranges, p)
        for name, chance in chances.items():
            if name not in self.ranges:
                raise ParameterError(unknown("parameter among those that change", name, self.ranges))
            if not (isinstance(chance, Real) and 0 <= chance <= 1):
                raise ParameterError(f"p of {name} is {chance!r}; expected a probability from 0 to 1")
        for kind, value, known in (("border", border, BORDERS), ("erase fill", erase_fill, ERASE_FILLS)):
            if value not in known:
                raise ParameterError(unknown(kind, value, known))
        self.p = {name: float(chance) for name, chance in chances.items()}
        self.seed, self.border, self.erase_fill = int(seed), border, erase_fill
        # In memory that workers of a `DataLoader` share, also those that live through many epochs.
        self._epoch = torch.zeros(1, dtype=torch.int64).share_memory_()  # type: ignore[no-untyped-call]

    @property
    def epoch(self) -> int:
        """Which draw of each sample is used."""
        return int(self._epoch)

    def set_epoch(self, epoch: int) -> None:
        """From now on every sample has another draw, in running workers as well."""
        self._epoch.fill_(epoch)

    def setting(self, sample_id: str) -> dict[str, float]:
        """What is drawn for a sample; parameters that stay neutral are left out."""
        drawn = {}
        for name, (low, high) in self.ranges.items():
            chance, place = self._draw(sample_id, name)
            if chance < self.p.get(name, 1.0):
                # Weighted from both ends, so that rounding leads beyond neither.
                drawn[name] = float(np.clip(low * (1 - place) + high * place, min(low, high), max(low, high)))
        return drawn

    def homography(self, sample_id: str) -> NDArray[np.float64]:
        """How the image of a sample is moved, `(3, 3)`, original to frame; see `augimpact.augment.geometry`."""
        return np.asarray(homographies(resolve(self.setting(sample_id)))[0], np.float64)

    def __call__(self, image: Tensor, sample_id: str, context: dict[str, Any] | None = None) -> Tensor:
        """The augmented image.

        Args:
            image: `(3, S, S)` in [0, 1]; stays as it is.
            sample_id: what the draw is made from, with seed and epoch.
            context: is told the `setting` and the `homography`, under `augmentation`.

        Raises:
            ParameterError: the image is not square, or has no three channels.
        """
        setting = self.setting(sample_id)
        noise = int(self._draw(sample_id, "noise's seed")[1] * 2**31)
        images, moved_by = augment(image, setting, border=self.border, erase_fill=self.erase_fill, seed=noise)
        if context is not None:
            context["augmentation"] = {"setting": setting, "homography": moved_by[0], "epoch": self.epoch}
        return images[0]

    def batch(self, images: Tensor, sample_ids: Sequence[str]) -> Tensor:
        """The augmented images of several samples, `(N, 3, S, S)`: each what it would be alone."""
        return torch.stack([self(image, each) for image, each in zip(images, sample_ids, strict=True)])

    def mask(self, mask: Tensor, sample_id: str, *, outside: int = 0) -> Tensor:
        """A mask of classes, `(S, S)`, moved as the image of the sample is; see `move_masks`."""
        return move_masks(mask, self.homography(sample_id)[None], outside=outside)[0]

    def boxes(
        self, boxes: NDArray[Any], sample_id: str, side: float, *, least: float = 0.0
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Boxes, moved as the image of the sample is, and which of the given ones they are; see `move_boxes`."""
        return move_boxes(boxes, self.homography(sample_id), side, least=least)

    def recipe(self) -> dict[str, Any]:
        """What makes this augmentation again, in plain types."""
        ranges = {name: list(value) for name, value in self.ranges.items()}
        return {
            "ranges": ranges, "p": self.p, "seed": self.seed, "border": self.border, "erase_fill": self.erase_fill,
        }  # fmt: skip

    def __repr__(self) -> str:
        ranges = [f"{name}={low if low == high else (low, high)!r}" for name, (low, high) in self.ranges.items()]
        return f"RandomAugmentation({', '.join([*ranges, f'seed={self.seed}'])})"

    def _draw(self, sample_id: str, name: str) -> tuple[float, float]:
        """Two numbers in [0, 1)."""
        text = f"{self.seed}\0{self.epoch}\0{sample_id}\0{name}"
        digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
        # 53 bits are what a float holds.
        chance, place = (int.from_bytes(part, "big") >> 11 for part in (digest[:8], digest[8:]))
        return chance / 2**53, place / 2**53


def _checked_range(name: str, value: Range) -> tuple[float, float]:
    if name not in CATALOGUE:
        raise ParameterError(unknown("parameter", name, CATALOGUE))
    if name in MIXING:
        raise ParameterError(f"{name} mixes in a second image, and a sample has one; expected another parameter")
    numbers = CATALOGUE[name].check(value)
    if numbers.shape not in ((), (2,)):
        raise ParameterError(f"{name} is {value!r}; expected a number, or a pair of them")
    return float(numbers.flat[0]), float(numbers.flat[-1])
