"""Some of a module's outputs, as a module."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["ChosenOutputs"]


class ChosenOutputs(nn.Module):
    """Gives the outputs at `indices`, in their order, of what `module` gives."""

    indices: Tensor

    def __init__(self, module: nn.Module, indices: Sequence[int]) -> None:
        super().__init__()
        self.module = module
        device = next((each.device for each in module.parameters()), None)
        # May be made where nothing is differentiated, and be used where something is.
        with torch.inference_mode(False):
            self.register_buffer("indices", torch.tensor(list(indices), device=device), persistent=False)
        # A wrapper is as much in training as what it wraps.
        self.training = module.training

    def forward(self, batch: Tensor) -> Tensor:
        """`(N, len(indices))`."""
        return self.choose(self.module(batch), dim=1)

    def choose(self, values: Tensor, dim: int) -> Tensor:
        """The entries of `values` along `dim` that belong to the chosen outputs."""
        return values.index_select(dim, self.indices.to(values.device, non_blocking=True))
