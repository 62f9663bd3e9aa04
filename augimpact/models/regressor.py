"""A regressor: a module whose outputs are values, with names, units, ranges, and thresholds that matter."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from augimpact.errors import ModelError
from augimpact.models.model import Model, inputs_of, names_of
from augimpact.models.outputs import VALUES, Outputs
from augimpact.once import once

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
        known = [str(each) for each in names_of(names, "names")]
        if len(set(known)) != len(known):
            raise ModelError(f"the names are {', '.join(known)}; expected each once")
        count = len(known)
        spans = [(0.0, 1.0)] * count if ranges is None else [(float(low), float(high)) for low, high in ranges]
        for each, (low, high) in zip(known, spans, strict=False):
            if not low < high:
                raise ModelError(f"the range of {each!r} is {low:g} to {high:g}; expected the lower end first")
        middles = (
            [(low + high) / 2 for low, high in spans] if thresholds is None else [float(each) for each in thresholds]
        )
        kinds = [""] * count if units is None else [str(each) for each in names_of(units, "units")]
        if {len(kinds), len(spans), len(middles)} != {count} or not count:
            raise ModelError(f"{count} names with units, ranges or thresholds of another number; expected as many")
        self._outputs = Outputs(VALUES, tuple(known), tuple(kinds), tuple(spans), tuple(middles))

    @once
    def outputs(self) -> Outputs:
        """The values."""
        if self.probe.outputs != len(self._outputs.names):
            raise ModelError(f"{len(self._outputs.names)} names were given for a model of {self.probe.outputs} outputs")
        return self._outputs
