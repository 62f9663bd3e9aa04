"""What mixes the image with a second one, which is shown as it is: no geometry, no colour is applied to it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from augimpact.augment.colour import column
from augimpact.augment.occlusion import boxes, paste_

__all__ = ["cutmix_", "mixup"]

Values = NDArray[np.float64]


def mixup(batch: Tensor, shares: Values, second: Tensor) -> Tensor:
    """(1 − share) of the image plus share of the second; Zhang et al. 2018, https://arxiv.org/abs/1710.09412.

    Args:
        batch: `(N, 3, S, S)` in [0, 1].
        shares: `(N,)` from 0 to 1.
        second: `(3, S, S)` in [0, 1].
    """
    share = column(shares, batch)
    return (batch * (1 - share)).addcmul_(second, share).clamp_(0, 1)


def cutmix_(batch: Tensor, areas: Values, centre_x: Values, centre_y: Values, second: Tensor) -> Tensor:
    """The second image inside a square box; Yun et al. 2019, https://arxiv.org/abs/1905.04899.

    The box stays inside the image, so that its area is what was asked for, up to whole pixels.

    Args:
        batch: `(N, 3, S, S)`; changed in place.
        areas: `(N,)`, share of the image's area, from 0 to 1: the box has its square root as a side.
        centre_x: `(N,)`, centre of the box in shares of the side, from left to right.
        centre_y: the same from top to bottom.
        second: `(3, S, S)`.
    """
    side = np.sqrt(areas)
    left, top = (np.clip(centre, side / 2, 1 - side / 2) - side / 2 for centre in (centre_x, centre_y))
    return paste_(batch, boxes(left, top, side, side, batch.shape[-1]), second)
