"""What a map explains: an output of the model, or the difference of two."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from augimpact.errors import TargetError

__all__ = ["Target"]


class Target(NamedTuple):
    """index: the output that is explained, or None for each row's own highest.

    against: of another output B; then the difference of the logits, "A rather than B", is explained. Where B is itself
    the row's highest, the difference is zero and so is its map.
    """

    # A tuple has a method of this name; here it is the word for an output's place.
    index: int | None = None  # type: ignore[assignment]
    against: int | None = None

    def of(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """What is differentiated, `(N,)`, and the indices A, `(N,)` int64, of outputs `(N, C)`.

        Raises:
            TargetError: there is no such output.

        >>> Target(0, against=2).of(torch.tensor([[3.0, 2.0, 1.0]]))
        (tensor([2.]), tensor([0]))
        """
        count = outputs.shape[1]
        for each in (self.index, self.against):
            if each is not None and not 0 <= each < count:
                raise TargetError(f"target {each} is outside the {count} outputs; expected 0 to {count - 1}")
        if self.index is None:
            indices = outputs.detach().argmax(dim=1)
        else:
            indices = torch.full((len(outputs),), self.index, dtype=torch.int64, device=outputs.device)
        values = outputs.gather(1, indices[:, None])[:, 0]
        return (values if self.against is None else values - outputs[:, self.against]), indices
