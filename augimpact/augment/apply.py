"""One image and N settings in, N frames out, in one pass on the image's device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from augimpact.augment.colour import brightness_
from augimpact.augment.geometry import homographies, warp
from augimpact.augment.occlusion import boxes, erase_, fill_pattern
from augimpact.augment.parameters import ERASE_FILLS, resolve
from augimpact.errors import ParameterError, unknown

__all__ = ["Frames", "augment"]


class Frames(NamedTuple):
    """The augmented images and how each came from the original.

    images: `(N, C, S, S)` in [0, 1], on the device of the original.
    homographies: `(N, 3, 3)` float64, original to frame, see `augimpact.augment.geometry`.
    """

    images: Tensor
    homographies: NDArray[np.float64]


def augment(image: Tensor, settings: Mapping[str, ArrayLike], *, erase_fill: str = "black", seed: int = 0) -> Frames:
    """The image under each setting: geometry, resampled once; then colour; then occlusion.

    Args:
        image: `(C, S, S)` float in [0, 1].
        settings: a number or N numbers per parameter; what is not named is neutral, and an all-neutral frame is the
            image itself, bit for bit.
        erase_fill: what the erased box shows: `black`, `mean` (of the image) or `noise`.
        seed: of the noise.

    Raises:
        ParameterError: an unknown parameter or fill, a value outside its range, an image that is not square.

    >>> import torch
    >>> frames = augment(torch.rand(3, 32, 32), {"rotation": [-10, 0, 10], "brightness": 1.2})
    >>> frames.images.shape, frames.homographies.shape
    (torch.Size([3, 3, 32, 32]), (3, 3, 3))
    """
    if image.ndim != 3 or image.shape[1] != image.shape[2]:
        raise ParameterError(f"the image has shape {tuple(image.shape)}; expected (channels, side, side)")
    if erase_fill not in ERASE_FILLS:
        raise ParameterError(unknown("erase fill", erase_fill, ERASE_FILLS))
    values = resolve(settings)
    matrices = homographies(values)
    batch = brightness_(warp(image, matrices), values["brightness"])
    edges = boxes(values["erase_x"], values["erase_y"], values["erase_w"], values["erase_h"], image.shape[-1])
    if ((edges[:, 1] > edges[:, 0]) & (edges[:, 3] > edges[:, 2])).any():
        batch = erase_(batch, edges, fill_pattern(image, erase_fill, seed))
    return Frames(batch, matrices)
