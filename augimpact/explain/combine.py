"""One map of several layers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["combined"]


def combined(maps: Sequence[Tensor]) -> Tensor:
    """The mean of several layers' maps, `(N, h, w)` at the finest layer's resolution; of one, its maps as they are.

    The values of one layer say nothing beside those of another. So each layer's maps are first divided by their
    highest value over all N: what changes from frame to frame stays, if all frames of a sweep are given at once. They
    are scaled bilinearly, as `torch.nn.functional.interpolate` does.

    Args:
        maps: at least one `(N, h, w)`, ≥ 0.

    >>> coarse, fine = torch.tensor([[[2.0]], [[4.0]]]), torch.ones(2, 2, 2)
    >>> combined([coarse, fine])[:, 0, 0]
    tensor([0.7500, 1.0000])
    """
    if len(maps) == 1:
        return maps[0]
    size = max((each.shape[1:] for each in maps), key=lambda shape: shape[0] * shape[1])
    return torch.stack([_scaled(each / _highest(each), size) for each in maps]).mean(dim=0)


def _highest(maps: Tensor) -> Tensor:
    highest = maps.amax()
    return torch.where(highest > 0, highest, 1)


def _scaled(maps: Tensor, size: torch.Size) -> Tensor:
    return F.interpolate(maps[:, None], size=tuple(size), mode="bilinear", align_corners=False)[:, 0]
