"""What a model's outputs mean: scores of classes, or values with units, ranges and thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from augimpact.errors import TargetError, unknown

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["CLASSES", "VALUES", "Outputs"]

CLASSES, VALUES = "classes", "values"


@dataclass(frozen=True)
class Outputs:
    """The C outputs of a model, and how they are read.

    Attributes:
        kind: `classes` (logits, shown as softmax; the state of a frame is its top class) or `values` (shown as they
            are; the state of a frame is whether the explained output has reached its threshold).
        names: of the C outputs.
        units: of values; empty for classes.
        ranges: lowest and highest value that is expected of each; empty for classes.
        thresholds: of values; empty for classes.
    """

    kind: str
    names: tuple[str, ...]
    units: tuple[str, ...] = ()
    ranges: tuple[tuple[float, float], ...] = ()
    thresholds: tuple[float, ...] = ()

    @classmethod
    def of_classes(cls, names: Sequence[str]) -> Outputs:
        """The outputs of a classifier."""
        return cls(CLASSES, tuple(str(name) for name in names))

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Outputs:
        """Reads what `to_dict` gave, also after a way through JSON."""
        ranges = tuple((float(low), float(high)) for low, high in document["ranges"])
        parts = {key: tuple(document[key]) for key in ("names", "units", "thresholds")}
        return cls(kind=document["kind"], ranges=ranges, **parts)

    def to_dict(self) -> dict[str, Any]:
        """In plain types."""
        return asdict(self)

    @property
    def are_classes(self) -> bool:
        """Whether the outputs are scores of classes."""
        return self.kind == CLASSES

    def scores(self, raw: Tensor) -> Tensor:
        """What is shown of raw outputs `(N, C)`, float32: softmax for classes, values as they are."""
        return raw.float().softmax(dim=1) if self.are_classes else raw.float()

    def states(self, scores: NDArray[np.float32], output: int) -> NDArray[np.int64]:
        """The state of each frame, `(N,)`: its top class, or 1 where `output` has reached its threshold, else 0."""
        if self.are_classes:
            return np.asarray(scores.argmax(axis=1), dtype=np.int64)
        return np.asarray(scores[:, output] >= self.thresholds[output], dtype=np.int64)

    def state_name(self, state: int, output: int) -> str:
        """A state in words.

        >>> Outputs(VALUES, ("dots",), ("",), ((0, 20),), (10,)).state_name(1, 0)
        'dots ≥ 10'
        """
        if self.are_classes:
            return self.names[state]
        return f"{self.names[output]} {'≥' if state else '<'} {self.threshold_text(output)}"

    def threshold_text(self, output: int) -> str:
        """The threshold of a value, with its unit."""
        return f"{self.thresholds[output]:g}" + (f" {self.units[output]}" if self.units[output] else "")

    def axis(self, chosen: Sequence[int]) -> tuple[float, float]:
        """Lowest and highest of what the chosen outputs are drawn on."""
        if self.are_classes:
            return 0.0, 1.0
        lows, highs = zip(*(self.ranges[index] for index in chosen), strict=True)
        return float(min(lows)), float(max(highs))

    def index_of(self, target: str | int) -> int:
        """The index of an output given by its name or its index.

        Raises:
            TargetError: there is no such output.
        """
        what = "classes" if self.are_classes else "outputs"
        if not isinstance(target, (str, int, np.integer)) or isinstance(target, bool):
            raise TargetError(f"target {target!r}; expected the name or index of one of the {len(self.names)} {what}")
        if isinstance(target, (int, np.integer)):
            if not 0 <= target < len(self.names):
                raise TargetError(
                    f"target {target} is outside the {len(self.names)} {what}; expected 0 to {len(self.names) - 1}"
                )
            return int(target)
        if target in self.names:
            return self.names.index(target)
        if target.isdecimal():
            return self.index_of(int(target))
        folded = [name.lower() for name in self.names]
        if target.lower() in folded:
            return folded.index(target.lower())
        raise TargetError(unknown("class" if self.are_classes else "output", target, self.names))
