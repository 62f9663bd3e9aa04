"""What a look at one forward pass tells about a module; and leaving a module as it was found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn

from augimpact.errors import LayerError, ModelError

__all__ = ["Probe", "evaluating", "probe"]


class Probe(NamedTuple):
    """outputs: the number of classes. layers: the names of those with spatial output `(N, C, h, w)`.

    default: the last of them, as square as the image, before its places are pooled; None where there is no such layer,
    or where the model goes on with tokens, in an order that says nothing of places.
    """

    outputs: int
    layers: tuple[str, ...]
    default: str | None

    def default_layer(self) -> str:
        """The layer that Grad-CAM explains where none is named.

        Raises:
            LayerError: there is no such layer.
        """
        if self.default is None:
            found = (
                f"; name one of those with spatial output, such as {', '.join(self.layers[-3:])}" if self.layers else ""
            )
            raise LayerError(
                f"no convolutional layer comes last in this model, so that none is explained by itself{found}"
            )
        return self.default


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Evaluation mode inside the block; afterwards every submodule trains or not as it did before."""
    training = [each for each in module.modules() if each.training]
    module.eval()
    try:
        yield
    finally:
        for each in training:
            each.training = True


def probe(module: nn.Module, size: int) -> Probe:
    """Runs one black image of `size`² through the module and notes what comes out where.

    Raises:
        ModelError: the forward pass fails, or does not give one row of scores.
    """
    seen: list[tuple[str, torch.Size]] = []
    handles = [
        each.register_forward_hook(_note_shape(name, seen))
        for name, each in module.named_modules()
        if name and not _only_pools(each)
    ]
    image = torch.zeros(1, 3, size, size, device=next((p.device for p in module.parameters()), None))
    try:
        with torch.no_grad(), evaluating(module):
            scores = module(image)
    except Exception as error:
        raise ModelError(f"the model cannot take an image of shape (1, 3, {size}, {size}): {error}") from error
    finally:
        for handle in handles:
            handle.remove()
    if not isinstance(scores, Tensor) or scores.ndim != 2:
        found = f"shape {tuple(scores.shape)}" if isinstance(scores, Tensor) else type(scores).__name__
        raise ModelError(f"the model returns {found}; expected scores of shape (N, classes)")
    layers = {name: shape for name, shape in seen if len(shape) == 4 and shape[2] * shape[3] > 1}
    placed = [(name, len(shape) == 4 and shape[2] == shape[3]) for name, shape in seen if _has_places(shape)]
    default = placed[-1][0] if placed and placed[-1][1] else None
    return Probe(scores.shape[1], tuple(layers), default)


def _note_shape(name: str, seen: list[tuple[str, torch.Size]]):  # type: ignore[no-untyped-def] # torch's own type of a hook
    def note(_module: nn.Module, _inputs: object, output: object) -> None:
        if isinstance(output, Tensor):
            seen.append((name, output.shape))

    return note


def _has_places(shape: torch.Size) -> bool:
    """Whether an output tells places apart, as a map `(N, C, h, w)`, `(N, h, w, C)` or as tokens `(N, L, C)`."""
    return (len(shape) == 4 and shape[2] * shape[3] > 1) or (len(shape) == 3 and shape[1] > 1)


def _only_pools(module: nn.Module) -> bool:
    """Whether the layer merely pools or drops what the layer before it computed."""
    return any(word in type(module).__name__ for word in ("Pool", "Dropout"))
