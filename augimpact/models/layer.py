"""A layer whose output tells places apart, and how that output is read as a map."""

from __future__ import annotations

from math import isqrt
from typing import NamedTuple

from torch import Tensor, nn

from augimpact.errors import LayerError

__all__ = ["Layer", "layout_of"]

AXES = {"NCHW": 4, "NHWC": 4, "NLC": 3, "NCL": 3}
# Tokens before those of places: a class, a distillation token, some registers. What has more of them is no image:
# an axis of 768 channels would be 27² places and 39 tokens.
MOST_PREFIX_TOKENS = 16


class Layer(NamedTuple):
    """A submodule that can be explained.

    name: as `named_modules` has it. module: the submodule. layout: how its output is laid out: `NCHW`; `NHWC`;
    `NLC` (the tokens of an image, row by row, after those that stand for no place); `NCL` (1-D convolutions).
    """

    name: str
    module: nn.Module
    layout: str

    def as_map(self, output: Tensor) -> Tensor:
        """The output, or a gradient of it, as `(N, K, h, w)`, a view where possible; signals give h = 1.

        Of L tokens the last ⌊√L⌋² are places.

        Raises:
            LayerError: the output does not have the axes of the layout.

        >>> import torch
        >>> Layer("norm", nn.LayerNorm(192), "NLC").as_map(torch.zeros(2, 197, 192)).shape
        torch.Size([2, 192, 14, 14])
        """
        if output.ndim != AXES[self.layout]:
            raise LayerError(
                f"layer {self.name!r} gives shape {tuple(output.shape)}; expected {self.layout}, that is "
                f"{AXES[self.layout]} axes"
            )
        if self.layout == "NHWC":
            return output.permute(0, 3, 1, 2)
        if self.layout == "NCL":
            return output[:, :, None]
        if self.layout == "NLC":
            count, tokens, channels = output.shape
            side = isqrt(tokens)
            return output[:, tokens - side**2 :].transpose(1, 2).reshape(count, channels, side, side)
        return output


def layout_of(shape: tuple[int, ...], input_axes: int) -> str | None:
    """How the output of one input is laid out; None where it tells no places apart.

    Args:
        shape: of the output, with a batch of one.
        input_axes: 3 for images `(3, H, W)`, 2 for signals `(C, T)`.

    >>> [layout_of(shape, 3) for shape in ((1, 512, 7, 7), (1, 7, 7, 768), (1, 197, 192), (1, 512, 1, 1))]
    ['NCHW', 'NHWC', 'NLC', None]
    """
    # Windows of attention are laid along the batch; which of them belongs where, is not told.
    if shape[0] != 1:
        return None
    if input_axes == 2:
        return "NCL" if len(shape) == 3 and shape[2] > 1 else None
    if len(shape) == 4:
        if shape[1] == shape[2] != shape[3] and shape[1] > 1:
            return "NHWC"
        return "NCHW" if shape[2] * shape[3] > 1 else None
    if len(shape) == 3:
        side = isqrt(shape[1])
        return "NLC" if side > 1 and shape[1] - side**2 <= MOST_PREFIX_TOKENS else None
    return None
