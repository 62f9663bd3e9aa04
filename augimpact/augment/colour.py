"""Everything that changes colours and moves nothing.

Each function takes a batch `(N, 3, H, W)` in [0, 1] and one value an image, and returns a batch in [0, 1]; a name that
ends in _ says that the batch itself is changed. The formulas are torchvision's, and so those of Pillow's
`ImageEnhance` and `ImageOps`.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["brightness_", "contrast", "gamma", "hue", "posterize", "saturation", "sharpness", "solarize"]

Values = NDArray[np.float64]
# Red, green and blue in a grey, as in ITU-R BT.601.
GREY = (0.2989, 0.587, 0.114)
# A byte that was divided by 255 may come back a hair below itself.
HAIR = 1e-4


def brightness_(batch: Tensor, factors: Values) -> Tensor:
    """Each image of the batch times its factor, at least 0, cut to [0, 1]; changed in place."""
    return batch.mul_(column(factors, batch)).clamp_(0, 1)


def contrast(batch: Tensor, factors: Values) -> Tensor:
    """The image's mean grey where the factor is 0, the image where it is 1, and the same line beyond."""
    return _blend(_grey(batch).mean(dim=(2, 3), keepdim=True), batch, factors)


def saturation(batch: Tensor, factors: Values) -> Tensor:
    """Each pixel's grey where the factor is 0, the image where it is 1, and the same line beyond."""
    return _blend(_grey(batch), batch, factors)


def hue(batch: Tensor, degrees: Values) -> Tensor:
    """The hue of HSV turned by so many degrees, saturation and value kept.

    A colour of value V, chroma C and hue h (0…6) has the channels V − C · clip(min(k, 4 − k), 0, 1) with
    k = (n + h) mod 6 and n = 5, 3, 1 for red, green, blue; see https://en.wikipedia.org/wiki/HSL_and_HSV.
    """
    red, green, blue = batch.unbind(dim=1)
    least, value = torch.aminmax(batch, dim=1)
    chroma = value - least
    # Where there is no chroma there is no hue, and 1 keeps the division finite.
    divisor = torch.where(chroma > 0, chroma, 1)
    sector = torch.where(
        value == red,
        (green - blue) / divisor,
        torch.where(value == green, (blue - red) / divisor + 2, (red - green) / divisor + 4),
    )
    sector = sector.add_(column(degrees / 60, batch)[:, 0])
    turned = torch.empty_like(batch)
    for channel, offset in enumerate((5, 3, 1)):
        place = (sector + offset).remainder_(6)
        share = torch.minimum(place, 4 - place).clamp_(0, 1)
        torch.addcmul(value, chroma, share, value=-1, out=turned[:, channel])
    return turned.clamp_(0, 1)


def gamma(batch: Tensor, exponents: Values) -> Tensor:
    """Each image to the power of its exponent, above 0."""
    return batch.pow(column(exponents, batch))


def sharpness(batch: Tensor, factors: Values) -> Tensor:
    """The smoothed image where the factor is 0, the image where it is 1, and the same line beyond.

    The smoothing kernel is 3 × 3, 1/13 all around and 5/13 in the middle; the outermost pixels stay as they are.
    """
    inner = batch[:, :, 1:-1, 1:-1]
    rows = batch[:, :, :-2] + batch[:, :, 1:-1]
    rows += batch[:, :, 2:]
    smooth = rows[..., :-2] + rows[..., 1:-1]
    smooth += rows[..., 2:]
    smooth.add_(inner, alpha=4).div_(13)
    sharpened = batch.clone()
    sharpened[:, :, 1:-1, 1:-1] = _blend(smooth, inner, factors)
    return sharpened


def posterize(batch: Tensor, bits: Values) -> Tensor:
    """Each colour, as 0…255, down to the next multiple of 2^(8 − bits); bits from 1 to 8, whole or not."""
    step = column(2 ** (8 - bits), batch)
    return batch.mul(255 / step).add_(HAIR / step).floor_().mul_(step / 255).clamp_(0, 1)


def solarize(batch: Tensor, thresholds: Values) -> Tensor:
    """Each colour that is at least its image's threshold inverted."""
    return torch.where(batch >= column(thresholds, batch), 1 - batch, batch)


def column(values: Values, like: Tensor) -> Tensor:
    """The values as `(N, 1, 1, 1)` on the device of `like`, and of its type."""
    return torch.from_numpy(values).to(like, non_blocking=True)[:, None, None, None]


def _blend(zero: Tensor, one: Tensor, factors: Values) -> Tensor:
    """The line through `zero` at factor 0 and `one` at factor 1, cut to [0, 1]."""
    # Weighted one by one, not by `lerp`: torchvision's order of operations, so that its rounding is ours.
    ratio = column(factors, one)
    return (one * ratio).addcmul_(zero, 1 - ratio).clamp_(0, 1)


def _grey(batch: Tensor) -> Tensor:
    """`(N, 1, H, W)`."""
    red, green, blue = batch.unbind(dim=1)
    return (red * GREY[0]).add_(green, alpha=GREY[1]).add_(blue, alpha=GREY[2])[:, None]
