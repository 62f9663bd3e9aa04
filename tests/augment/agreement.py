"""What the tests of augmentations share: where and how nearly two pictures have to agree."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from hypothesis import strategies as st

from augimpact.data.image import EXAMPLES

SIDE = 128
# Mean difference where two programs resample: their coordinates are float32 and rounded differently.
RESAMPLED = 0.002
# Mean difference where only arithmetic on pixels is done.
ARITHMETIC = 1e-5
names = st.sampled_from(list(EXAMPLES))


def away_from_borders(warped_ones: torch.Tensor) -> torch.Tensor:
    """Where every pixel within 2 is inside the original, or every one is outside."""
    inside = -F.max_pool2d(-(warped_ones > 0.999).float()[None], 5, stride=1, padding=2)[0]
    outside = -F.max_pool2d(-(warped_ones < 0.001).float()[None], 5, stride=1, padding=2)[0]
    kept = (inside + outside) > 0.5
    kept[:, :2] = kept[:, -2:] = False
    kept[:, :, :2] = kept[:, :, -2:] = False
    return kept


def assert_agree(
    ours: torch.Tensor, theirs: torch.Tensor, where: torch.Tensor | None = None, *, tolerance: float = RESAMPLED
) -> None:
    assert ours.shape == theirs.shape
    difference = (ours - theirs).abs()
    if where is not None:
        difference = difference[where.expand_as(difference)]
    # At the steepest tilts nothing but border pixels may remain.
    if difference.numel():
        assert difference.mean() <= tolerance


def photograph_or_noise(photographs: dict[str, torch.Tensor], name: str, side: int) -> torch.Tensor:
    """A photograph at its own side; at any other side a random image, as a view with odd strides."""
    if side == SIDE:
        return photographs[name]
    generator = torch.Generator().manual_seed(side)
    return torch.rand(side, 2 * side, 3, generator=generator).permute(2, 0, 1)[:, :, ::2]


def to_numpy(image: torch.Tensor) -> np.ndarray:
    """`(S, S, 3)` float64."""
    return image.permute(1, 2, 0).double().numpy()


def from_numpy(pixels: np.ndarray) -> torch.Tensor:
    """`(3, S, S)` float32."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1).float()
