"""Everything that changes colours and moves nothing. Each function changes the batch it is given, and returns it."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["brightness_"]


def brightness_(batch: Tensor, factors: NDArray[np.float64]) -> Tensor:
    """Each image of the batch times its factor, cut to [0, 1].

    Args:
        batch: `(N, C, H, W)` in [0, 1]; changed in place.
        factors: `(N,)`, at least 0; 1 leaves an image as it is.
    """
    if (factors == 1).all():
        return batch
    gains = torch.tensor(factors, dtype=batch.dtype, device=batch.device)
    return batch.mul_(gains[:, None, None, None]).clamp_(0, 1)
