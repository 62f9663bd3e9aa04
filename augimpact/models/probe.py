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
    """outputs: the number of classes. layers: names of those with spatial output `(N, C, h, w)`, last finished last."""

    outputs: int
    layers: tuple[str, ...]

    def last_layer(self) -> str:
        """The layer that Grad-CAM explains by default: the last with spatial output, before it is pooled.

        Raises:
            LayerError: no layer has any.
        """
        if not self.layers:
            raise LayerError(
                "no layer of this model has a spatial output (N, C, h, w); a convolutional model is expected"
            )
        return self.layers[-1]


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
    spatial: list[str] = []
    handles = [
        each.register_forward_hook(_note_spatial(name, spatial))
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
    return Probe(scores.shape[1], tuple(dict.fromkeys(reversed(spatial)))[::-1])


def _note_spatial(name: str, names: list[str]):  # type: ignore[no-untyped-def] # torch's own type of a hook
    def note(_module: nn.Module, _inputs: object, output: object) -> None:
        if isinstance(output, Tensor) and output.ndim == 4 and output.shape[2] * output.shape[3] > 1:
            names.append(name)

    return note


def _only_pools(module: nn.Module) -> bool:
    """Whether the layer merely pools or drops what the layer before it computed."""
    return any(word in type(module).__name__ for word in ("Pool", "Dropout"))
