"""What came of every sample under every setting, as arrays: what all statistics of an impact are computed from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augimpact.augment.parameters import CATALOGUE, Parameter
from augimpact.errors import ParameterError

__all__ = ["Outcomes", "SweptPath"]

Flags = NDArray[np.bool_]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SweptPath:
    """One path through the settings, in its order.

    Attributes:
        parameters: the names of those that change on it.
        rows: `(K,)` numbers of the settings.
        values: `(K, P)` what the parameters are there.
    """

    parameters: tuple[str, ...]
    rows: NDArray[np.int64]
    values: Numbers

    @property
    def strengths(self) -> Numbers:
        """`(K,)`: the value of the one parameter that changes; of several the share of the way, from 0 to 1."""
        return self.values[:, 0] if len(self.parameters) == 1 else np.linspace(0, 1, len(self.rows))

    @property
    def axis(self) -> str:
        """What the strengths are, with their unit."""
        if len(self.parameters) > 1:
            return f"share of the way through {', '.join(self.parameters)}"
        parameter = self.catalogue[0]
        return f"{parameter.label} ({parameter.unit})"

    @property
    def catalogue(self) -> tuple[Parameter, ...]:
        """What the catalogue says of the parameters.

        Raises:
            ParameterError: one is an augmentation of somebody's own, and not registered here.
        """
        for name in self.parameters:
            if name not in CATALOGUE:
                raise ParameterError(f"the augmentation {name} is not registered here; expected the file that has it")
        return tuple(CATALOGUE[name] for name in self.parameters)

    @property
    def distances(self) -> Numbers:
        """`(K,)`: how far each place is from neutral, each parameter in shares of what this path sweeps of it."""
        neutral = np.array([each.neutral for each in self.catalogue])
        span = np.maximum(np.ptp(self.values, axis=0), np.finfo(float).tiny)
        return np.asarray((np.abs(self.values - neutral) / span).max(axis=1))

    def told(self, place: int) -> str:
        """The setting at a place in words, such as `rotation −15.0°`."""
        return ", ".join(
            f"{each.label} {each.format(value)}" for each, value in zip(self.catalogue, self.values[place], strict=True)
        )


@dataclass(frozen=True, eq=False)
class Outcomes:
    """N samples under S settings. Setting 0 is the neutral one.

    Attributes:
        samples: a row a sample: `sample_id`, `path`, `class` (its name in the dataset, or an empty text), and what else
            the table of samples had.
        settings: a row a setting, a column for each parameter that changes.
        paths: through the settings; of a grid its two lines through what is nearest to neutral.
        names: of the classifier's C classes.
        labels: `(N,)` the right class among `names`, −1 where it is not known.
        predicted: `(N, S)` the class with the highest score.
        scores: `(N, S)` float32, in [0, 1]: that of the label; where it is not known, of the neutral prediction.
        measures: by the names of `augimpact.measures`, `(N, S)` float32 each, of the augmented image.
        drifts: by the names of `augimpact.drift.Drift`, `(N, S)` float32 each; empty if no maps were made.
    """

    samples: pd.DataFrame
    settings: pd.DataFrame
    paths: tuple[SweptPath, ...]
    names: tuple[str, ...]
    labels: NDArray[np.int64]
    predicted: NDArray[np.int32]
    scores: NDArray[np.float32]
    measures: Mapping[str, NDArray[np.float32]]
    drifts: Mapping[str, NDArray[np.float32]]

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def has_labels(self) -> bool:
        """Whether the right class of every sample is known."""
        return bool((self.labels >= 0).all())

    @property
    def correct(self) -> Flags:
        """`(N, S)`: whether the prediction is the label; False where that is not known."""
        return np.asarray(self.predicted == self.labels[:, None])

    @property
    def agrees(self) -> Flags:
        """`(N, S)`: whether the prediction is that of the neutral setting."""
        return np.asarray(self.predicted == self.predicted[:, :1])

    @property
    def right(self) -> Flags:
        """`(N, S)`: `correct`, or `agrees` where labels are not known."""
        return self.correct if self.has_labels else self.agrees

    def chosen(self, samples: Sequence[int] | Flags | NDArray[np.int64]) -> Outcomes:
        """Those of some samples, by a mask or by their places."""
        where: Any = np.asarray(samples)
        by_sample: dict[str, Any] = {name: getattr(self, name)[where] for name in ("labels", "predicted", "scores")}
        measures = {name: values[where] for name, values in self.measures.items()}
        drifts = {name: values[where] for name, values in self.drifts.items()}
        samples_left = self.samples.iloc[np.arange(len(self))[where]].reset_index(drop=True)
        return replace(self, samples=samples_left, measures=measures, drifts=drifts, **by_sample)

    def groups(self, by: str) -> dict[str, NDArray[np.int64]]:
        """The places of the samples of each value of a column, by the value's text, in the order of the values."""
        column = self.samples[by].astype(str)
        return {str(name): np.flatnonzero(column == name) for name in sorted(column.unique())}
