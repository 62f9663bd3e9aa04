"""One time series and N settings in, N signals out: time, resampled once; then amplitude; then occlusion.

Time runs from −1 to 1 over the signal, as x does over an image, so that the way from the original to a frame is a
homography here too: its first row moves time, the rest is the identity.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from augimpact.augment.apply import Frames
from augimpact.augment.parameters import BORDERS, ERASE_FILLS, resolve
from augimpact.augment.signal_parameters import SIGNAL_CATALOGUE
from augimpact.errors import ParameterError, unknown

__all__ = ["augment_signal"]

PADDING = {"black": "zeros", "mean": "zeros", "edge": "border", "reflect": "reflection"}
Values = NDArray[np.float64]


def augment_signal(
    signal: Tensor,
    settings: Mapping[str, ArrayLike],
    *,
    erase_fill: str = "black",
    border: str = "black",
    seed: int = 0,
) -> Frames:
    """The signal under each setting, `images` being the signals `(N, C, T)`.

    Args:
        signal: `(C, T)` float.
        settings: a number or N numbers per parameter of `SIGNAL_CATALOGUE`; what is not named is neutral, and an
            all-neutral signal is a copy, bit for bit.
        erase_fill: what the erased interval shows: `black` (zero), `mean` (of each channel) or `noise` (Gaussian, of
            each channel's mean and deviation).
        border: what lies beyond the ends: `black` (zero), `mean`, `edge` or `reflect`.
        seed: of the noise.

    Raises:
        ParameterError: an unknown parameter or fill, a value outside its range, a signal that is not `(C, T)`.

    >>> import torch
    >>> augment_signal(torch.zeros(2, 50), {"shift": [0, 0.1, 0.2]}).images.shape
    torch.Size([3, 2, 50])
    """
    if signal.ndim != 2:
        raise ParameterError(f"the signal has shape {tuple(signal.shape)}; expected (channels, samples)")
    if erase_fill not in ERASE_FILLS:
        raise ParameterError(unknown("erase fill", erase_fill, ERASE_FILLS))
    if border not in BORDERS:
        raise ParameterError(unknown("border", border, BORDERS))
    values = resolve(settings, SIGNAL_CATALOGUE)
    matrices = time_homographies(values)
    mean = signal.mean(dim=1, keepdim=True)
    deviation = signal.std(dim=1, keepdim=True, unbiased=False)
    signals = _resampled(signal, matrices, border, mean)
    field = torch.randn(signal.shape, generator=torch.Generator().manual_seed(seed)).to(signal, non_blocking=True)
    signals = _smoothed(signals, values["smooth"])
    scale, offset, jitter = (
        torch.from_numpy(values[name].copy()).to(signal, non_blocking=True)[:, None, None]
        for name in ("scale", "offset", "jitter")
    )
    # With neutral values this changes nothing.
    signals.mul_(scale).add_(offset * deviation).add_(jitter * deviation * field)
    shown = {"black": torch.zeros_like(signal), "mean": mean.expand_as(signal), "noise": mean + deviation * field}
    return Frames(_erased(signals, values["erase_start"], values["erase_length"], shown[erase_fill]), matrices)


def time_homographies(values: Mapping[str, Values]) -> NDArray[np.float64]:
    """Original to frame, `(N, 3, 3)`: the window first, then the stretch, then the shift."""
    share = values["window"]
    centre = np.clip(values["window_centre"], share / 2, 1 - share / 2) * 2 - 1
    matrices = np.tile(np.eye(3), (len(share), 1, 1))
    matrices[:, 0, 0] = values["stretch"] / share
    matrices[:, 0, 2] = -centre * values["stretch"] / share + 2 * values["shift"]
    return matrices


def _resampled(signal: Tensor, matrices: NDArray[np.float64], border: str, mean: Tensor) -> Tensor:
    """The signal under each homography, linear between samples; rows of the identity are copies."""
    signals = signal.expand(len(matrices), -1, -1).clone()
    moved = np.flatnonzero((matrices != np.eye(3)).any(axis=(1, 2)))
    if len(moved) == 0:
        return signals
    count, length = len(moved), signal.shape[1]
    backwards = torch.from_numpy(np.linalg.inv(matrices[moved])[:, 0].astype(np.float32)).to(
        signal.device, non_blocking=True
    )
    centres = (torch.arange(length, device=signal.device, dtype=torch.float32) * 2 + 1) / length - 1
    times = backwards[:, 0, None] * centres + backwards[:, 2, None]
    grid = torch.stack([times, torch.zeros_like(times)], dim=-1)[:, None]
    filled = mean if border == "mean" else torch.zeros_like(mean)
    # As pictures one pixel high.
    strips = (signal - filled).expand(count, -1, -1)[:, :, None]
    warped = F.grid_sample(strips, grid.to(signal.dtype), padding_mode=PADDING[border], align_corners=False)[:, :, 0]
    signals[torch.from_numpy(moved).to(signal.device, non_blocking=True)] = warped + filled
    return signals


def _smoothed(signals: Tensor, percent: Values) -> Tensor:
    """Each signal under its own Gaussian, mirrored at the ends; cut off beyond four deviations."""
    length = signals.shape[-1]
    for row in np.flatnonzero(percent):
        sigma = float(percent[row]) / 100 * length
        reach = min(math.ceil(4 * sigma), length - 1)
        places = torch.arange(-reach, reach + 1, device=signals.device, dtype=signals.dtype)
        kernel = torch.exp(-0.5 * (places / sigma) ** 2)
        kernel /= kernel.sum()
        padded = F.pad(signals[row][:, None], (reach, reach), mode="reflect")
        signals[row] = F.conv1d(padded, kernel[None, None])[:, 0]
    return signals


def _erased(signals: Tensor, start: Values, share: Values, shown: Tensor) -> Tensor:
    length = signals.shape[-1]
    edges = np.rint(np.clip(np.stack([start, start + share], axis=1), 0, 1) * length).astype(int)
    for each, (first, last) in zip(signals, edges.tolist(), strict=True):
        each[:, first:last] = shown[:, first:last]
    return signals
