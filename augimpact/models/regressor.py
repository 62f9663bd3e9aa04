"""A regressor: a module whose outputs are values, with names, units, ranges, and thresholds that matter."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from torch import nn

from augimpact.errors import ModelError
from augimpact.models.model import Model, inputs_of
from augimpact.models.outputs import VALUES, Outputs

__all__ = ["Regressor"]


class Regressor(Model):
    """A module of K values: a sweep shows the values instead of scores, and where one crosses its threshold.

    Args:
        module: maps `(N, 3, size, size)`, or `(N, channels, length)`, to values `(N, K)`.
        names: of the K outputs.
        units: of each; by default none.
        ranges: lowest and highest value that is expected of each, for axes; by default 0 to 1.
        thresholds: of each; a sweep's flips are where a value crosses it; by default the middle of its range.
        mean, std, size, crop, squash, interpolation, signal, layer, name: as for `Classifier`.

    Raises:
        ModelError: the module is none, lists of unequal length, an empty range.

    >>> from torch import nn
    >>> counter = nn.Sequential(nn.Conv2d(3, 1, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    >>> Regressor(counter, ["dots"], ranges=[(0, 20)], size=32).outputs.thresholds
    (10.0,)
    """

    def __init__(
        self,
        module: nn.Module,
        names: Sequence[str],
        units: Sequence[str] | None = None,
        ranges: Sequence[tuple[float, float]] | None = None,
        thresholds: Sequence[float] | None = None,
        *,
        mean: Sequence[float] | float | None = None,
        std: Sequence[float] | float | None = None,
        size: int = 224,
        crop: float = 1.0,
        squash: bool = False,
        interpolation: str = "bilinear",
        signal: tuple[int, int] | None = None,
        layer: str | Sequence[str] | None = None,
        name: str | None = None,
    ) -> None:
        inputs = inputs_of(signal, mean, std, size=size, crop=crop, squash=squash, interpolation=interpolation)
        super().__init__(module, inputs, layer, name)
        spans = tuple((float(low), float(high)) for low, high in (ranges or [(0.0, 1.0)] * len(names)))
        for name_, (low, high) in zip(names, spans, strict=False):
            if not low < high:
                raise ModelError(f"the range of {name_!r} is {low:g} to {high:g}; expected the lower end first")
        middles = tuple(float(value) for value in (thresholds or [(low + high) / 2 for low, high in spans]))
        self._outputs = Outputs(VALUES, tuple(names), tuple(units or [""] * len(names)), spans, middles)
        lengths = {len(part) for part in (names, self._outputs.units, spans, middles)}
        if len(lengths) != 1 or not names:
            raise ModelError(f"{len(names)} names with units, ranges or thresholds of another number; expected as many")

    @cached_property
    def outputs(self) -> Outputs:
        """The values."""
        if self.probe.outputs != len(self._outputs.names):
            raise ModelError(f"{len(self._outputs.names)} names were given for a model of {self.probe.outputs} outputs")
        return self._outputs
