"""What a worse camera or a smaller file does: blur, motion, noise, compression, fewer pixels.

Each function takes a batch `(N, 3, S, S)` in [0, 1] and one value an image, and returns another batch in [0, 1].
Lengths are in % of the side.
"""

from __future__ import annotations

import io

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from augimpact.augment.colour import column

__all__ = ["blur", "jpeg", "motion_blur", "noise", "pixelate"]

Values = NDArray[np.float64]
# Standard deviations after which a Gaussian is cut off, as in scipy.
REACH = 4.0
# Pixels that are filtered together: few enough to leave out most of what a small kernel does not reach.
BLOCK = 64


def blur(batch: Tensor, percents: Values) -> Tensor:
    """Each image under a Gaussian of this standard deviation, in % of the side, from 0 to 10.

    The kernel is sampled at the pixels, cut after four standard deviations, and normalised; borders are mirrored about
    the outermost pixel's centre. This is scipy's `gaussian_filter(mode="mirror")`.
    """
    side = batch.shape[-1]
    sigmas = percents / 100 * side
    radii = (REACH * sigmas + 0.5).astype(np.int64)
    offsets = np.arange(-2 * side, 2 * side)
    weights = np.exp(-0.5 * (offsets / np.maximum(sigmas, 1e-9)[:, None]) ** 2) * (abs(offsets) <= radii[:, None])
    weights /= weights.sum(axis=1, keepdims=True)
    matrices = _mirrored(torch.from_numpy(weights).to(batch, non_blocking=True), side)
    reach = int(radii.max())
    # Each of the two puts the other axis last, so that the second meets rows and leaves all as it was.
    return _along_rows(_along_rows(batch.contiguous(), matrices, reach), matrices, reach).clamp_(0, 1)


def motion_blur(batch: Tensor, percents: Values, degrees: Values) -> Tensor:
    """Each image averaged along a line through each pixel.

    The line is cut into pieces of a sixteenth of a pixel, and the image is looked up in the middle of each, bilinearly
    (very nearly the integral along the line). Borders are mirrored about the outermost pixel's centre.

    Args:
        batch: `(N, 3, S, S)`.
        percents: length of the line in % of the side, from 0 to 25.
        degrees: its direction, 0 level, counter-clockwise.
    """
    side = batch.shape[-1]
    kernels = [_line(length, angle) for length, angle in zip(percents / 100 * side, degrees, strict=True)]
    pad = max(len(kernel) for kernel in kernels) // 2
    if pad >= side:
        # A single pixel, which has no neighbours to be blurred with.
        return batch.clone()
    size = _fast_size(side + 2 * pad)
    planes = np.zeros((len(kernels), size, size), dtype=np.float32)
    for plane, kernel in zip(planes, kernels, strict=True):
        around = np.arange(len(kernel)) - len(kernel) // 2
        plane[np.ix_(around, around)] = kernel
    spectrum = torch.fft.rfft2(torch.from_numpy(planes).to(batch, non_blocking=True))
    # A line that is the same from both ends has a real transform.
    return _filter(batch, pad, spectrum.real[:, None])


def noise(batch: Tensor, deviations: Values, seed: int) -> Tensor:
    """Each image plus one field of Gaussian noise, times its standard deviation, cut to [0, 1].

    The field, `(3, S, S)`, is drawn on the CPU from `seed` alone, so it is the same for every frame, chunk and device.
    """
    field = torch.randn(batch.shape[1:], generator=torch.Generator().manual_seed(seed)).to(batch, non_blocking=True)
    return torch.addcmul(batch, field, column(deviations, batch)).clamp_(0, 1)


def jpeg(batch: Tensor, qualities: Values) -> Tensor:
    """Each image as a JPEG file of its quality, 1 to 100 (rounded to whole numbers), shows it.

    The codec is Pillow's and runs on the CPU: on another device the images travel there and back, which waits for all
    that was queued there.
    """
    pixels = batch.mul(255).round_().to("cpu", torch.uint8).permute(0, 2, 3, 1).numpy()
    shown = np.stack([_compressed(image, round(quality)) for image, quality in zip(pixels, qualities, strict=True)])
    return torch.from_numpy(shown).to(batch.device).permute(0, 3, 1, 2).to(batch.dtype).div_(255)


def pixelate(batch: Tensor, percents: Values) -> Tensor:
    """Each image in square blocks of their mean colour, from the top left on; the last ones may be cut.

    A block is `percents` % of the side wide, which need not be a whole number of pixels: a pixel belongs to the block
    that its centre is in. Below one pixel nothing changes.
    """
    side = batch.shape[-1]
    width = np.maximum(percents / 100 * side, 1)
    # The hair keeps a centre that falls on the line between two blocks from being rounded to either side.
    block = np.floor((np.arange(side) + 0.5) / width[:, None] + 1e-9).astype(np.int64)
    belongs = block[:, None, :] == np.arange(block.max() + 1)[:, None]
    mean = belongs / np.maximum(belongs.sum(axis=2, keepdims=True), 1)
    weights = torch.from_numpy(mean).to(batch, non_blocking=True)[:, None]
    small = weights @ batch.contiguous() @ weights.mT
    index = torch.from_numpy(block).to(batch.device, non_blocking=True)
    count, channels, _, blocks = small.shape
    wide = small.gather(3, index[:, None, None, :].expand(count, channels, blocks, side))
    high: Tensor = wide.gather(2, index[:, None, :, None].expand(count, channels, side, side))
    return high.clamp_(0, 1)


def _mirrored(weights: Tensor, side: int) -> Tensor:
    """Matrices `(N, side, side)` that filter a row of pixels with weights `(N, 4 side)`, of offsets from −2 side on.

    The weights are even. Pixel j is met as itself, and as its mirror images at −j and 2 (side − 1) − j.
    """
    # Entry (k, j) is the weight of the offset k + j − 2 side.
    from_offset: Tensor = weights.unfold(-1, side, 1)
    itself = from_offset[:, side + 1 : 2 * side + 1].flip(1)
    before = from_offset[:, 2 * side : 3 * side].clone()
    after = from_offset[:, 2 : side + 2].clone()
    # The outermost pixels are the mirrors, and have no image in them.
    before[..., 0] = after[..., -1] = 0
    return before.add_(itself).add_(after)


def _along_rows(batch: Tensor, matrices: Tensor, reach: int) -> Tensor:
    """Each row of pixels times the matrix of its image, the last two axes exchanged: `(N, 3, W, H)`.

    A block of output pixels needs only the input within `reach` of it; the rest of the matrix is 0.
    """
    side = batch.shape[-1]
    filtered = torch.empty_like(batch.mT, memory_format=torch.contiguous_format)
    for start in range(0, side, BLOCK):
        stop = min(start + BLOCK, side)
        near = slice(max(0, start - reach), min(side, stop + reach))
        filtered[:, :, start:stop] = matrices[:, None, start:stop, near] @ batch[..., near].mT
    return filtered


def _filter(batch: Tensor, pad: int, spectrum: Tensor) -> Tensor:
    """The batch, mirrored by `pad` pixels at each border, times a real spectrum `(N, 1, size, size // 2 + 1)`."""
    side, size = batch.shape[-1], spectrum.shape[-2]
    # What is beyond the mirrored part is never seen: the kernel does not reach so far.
    padded = F.pad(F.pad(batch.contiguous(), (pad,) * 4, mode="reflect"), (0, size - side - 2 * pad) * 2)
    filtered: Tensor = torch.fft.irfft2(torch.fft.rfft2(padded).mul_(spectrum), s=(size, size))
    return filtered[..., pad : pad + side, pad : pad + side].clamp(0, 1)


def _compressed(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """`(H, W, 3)` as a JPEG file shows it."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="JPEG", quality=quality)
    return np.asarray(Image.open(file))


def _line(length: float, degrees: float) -> NDArray[np.float64]:
    """A line through the middle of a square of odd side, its weights bilinear and 1 in sum."""
    # Even of a length that is 0 in the end, such as that of the least of numbers.
    pieces = max(1, 16 * int(np.ceil(length)))
    along = ((np.arange(pieces) + 0.5) / pieces - 0.5) * length
    x, y = along * np.cos(np.deg2rad(degrees)), -along * np.sin(np.deg2rad(degrees))
    radius = int(np.ceil(length / 2))
    kernel = np.zeros((2 * radius + 1, 2 * radius + 1))
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    for right in (0, 1):
        for below in (0, 1):
            weight = abs(1 - right - (x - left)) * abs(1 - below - (y - top))
            # A weight of 0 may lie just outside.
            place = np.minimum(top + below + radius, 2 * radius), np.minimum(left + right + radius, 2 * radius)
            np.add.at(kernel, place, weight)
    kernel /= kernel.sum()
    return kernel


def _fast_size(least: int) -> int:
    """The next even number that is a product of 2, 3, 5 and 7, of which Fourier transforms are fast."""
    size = least + least % 2
    while True:
        rest = size
        for prime in (2, 3, 5, 7):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return size
        size += 2
