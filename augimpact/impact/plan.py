"""What is asked of every sample: the settings, the paths through them, and what is the same for all frames."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augimpact.augment.parameters import BUILT_IN, CATALOGUE, MIXING
from augimpact.errors import ParameterError, SweepError
from augimpact.grid import Grid
from augimpact.impact.outcomes import SweptPath
from augimpact.sweep import Sweep

__all__ = ["FORMAT", "Plan", "plan_of"]

# Of parts: what was written by another one is measured again.
FORMAT = 1
# Frames of one part, about: a few seconds of a CPU's work, which is what a stopped run may lose.
FRAMES = 512


@dataclass(frozen=True, eq=False)
class Plan:
    """S settings, the first of them neutral, and under which conditions they are asked about.

    Attributes:
        settings: a row a setting, each once; a column for each parameter that changes or is held.
        paths: through the settings.
        conditions: arguments of `augimpact.asking.Conditions` that decide the result.
        explained: arguments of `augimpact.analysis.analyze` for the maps: `method`, `target`, `layer`; None makes none.
        own: of the augmentations among the parameters that are somebody's own a hash of their code.
    """

    settings: pd.DataFrame
    paths: tuple[SweptPath, ...]
    conditions: Mapping[str, Any] = field(default_factory=dict)
    explained: Mapping[str, Any] | None = None
    own: Mapping[str, str] = field(default_factory=dict)

    @property
    def samples_together(self) -> int:
        """How many samples a part has."""
        return max(1, FRAMES // len(self.settings))

    def values(self) -> dict[str, NDArray[np.float64]]:
        """The S values of every parameter of the catalogue.

        Raises:
            ParameterError: an augmentation of somebody's own is not registered here, or is another one.
        """
        count, here = len(self.settings), _own_of(self.settings)
        for name in map(str, self.settings):
            if name not in CATALOGUE:
                raise ParameterError(f"the augmentation {name} is not registered here; expected the one that is swept")
            if here.get(name) != self.own.get(name):
                raise ParameterError(f"the augmentation {name} is another one here; expected the code that is swept")
        return {
            name: self.settings[name].to_numpy(np.float64)
            if name in self.settings
            else np.full(count, float(each.neutral))
            for name, each in CATALOGUE.items()
        }

    def document(self) -> dict[str, Any]:
        """In plain types."""
        return {
            "settings": {str(name): column.tolist() for name, column in self.settings.items()},
            "paths": [{"parameters": list(path.parameters), "rows": path.rows.tolist()} for path in self.paths],
            "conditions": dict(self.conditions),
            "explained": None if self.explained is None else dict(self.explained),
            "own": dict(self.own),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Plan:
        """Reads what `document` gave, also after a way through JSON."""
        settings = pd.DataFrame(document["settings"], dtype=np.float64)
        paths = tuple(_path(settings, each["parameters"], each["rows"]) for each in document["paths"])
        return cls(settings, paths, document["conditions"], document["explained"], document.get("own", {}))

    def key(self, classifier: str) -> str:
        """What parts of the same settings, conditions and classifier have in common, and no others.

        Args:
            classifier: its fingerprint.
        """
        document = self.document()
        # Paths are only ways of reading the same frames.
        decisive = {name: document[name] for name in ("settings", "conditions", "explained")}
        decisive |= {"own": document["own"]} if self.own else {}
        text = json.dumps([FORMAT, classifier, decisive], sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def plan_of(
    sweeps: Sweep | Grid | Sequence[Sweep | Grid],
    *,
    conditions: Mapping[str, Any] | None = None,
    explained: Mapping[str, Any] | None = None,
) -> Plan:
    """The plan of one sweep or grid, or of several, each of which starts from neutral anew.

    Raises:
        SweepError: there is none, or none that changes anything.
        ParameterError: a parameter of signals, or one that mixes in a second image.

    >>> plan = plan_of([Sweep(rotation=(-30, 30), frames=3), Sweep(brightness=(1, 2), frames=2)])
    >>> plan.settings.values.tolist()
    [[0.0, 1.0], [-30.0, 1.0], [30.0, 1.0], [0.0, 2.0]]
    >>> [path.rows.tolist() for path in plan.paths]
    [[1, 0, 2], [0, 3]]
    """
    several = [sweeps] if isinstance(sweeps, (Sweep, Grid)) else list(sweeps)
    if not several or not all(isinstance(each, (Sweep, Grid)) for each in several):
        raise SweepError(f"the sweeps are {sweeps!r}; expected a Sweep or a Grid, or several")
    frames = [each.settings(CATALOGUE) for each in several]
    named = _named(several)
    neutral = {name: float(CATALOGUE[name].neutral) for name in named}
    asked = pd.concat([pd.DataFrame([neutral]), *(frame[named] for frame in frames)], ignore_index=True)
    # Minus zero is zero.
    asked = asked.astype(np.float64) + 0.0
    settings = asked.drop_duplicates(ignore_index=True)
    numbers = {tuple(row): number for number, row in enumerate(settings.to_numpy().tolist())}
    rows = np.array([numbers[tuple(row)] for row in asked.to_numpy().tolist()][1:])
    ends = np.cumsum([len(frame) for frame in frames])
    paths = [
        path
        for each, part in zip(several, np.split(rows, ends[:-1]), strict=True)
        for path in _paths(settings, each, part)
    ]
    if not paths:
        raise SweepError("nothing changes in the sweep; expected a parameter with a range, such as rotation=(-45, 45)")
    return Plan(settings, tuple(paths), dict(conditions or {}), explained, _own_of(settings))


def _own_of(names: Iterable[Any]) -> dict[str, str]:
    """Hashes of the code of those that are somebody's own, as they are registered here."""
    own = [str(name) for name in names if name not in BUILT_IN]
    if not own:
        # Without them nothing here needs torch.
        return {}
    from augimpact.augment.own import own_of

    return {each.parameter.name: each.code for each in own_of(own)}


def _named(sweeps: Sequence[Sweep | Grid]) -> list[str]:
    """The parameters that some sweep names, in the catalogue's order."""
    given = {name for sweep in sweeps for name in sweep.parameters}
    for name in given:
        if name in MIXING:
            raise ParameterError(f"{name} mixes in a second image, and a sample has one; expected another parameter")
    return [name for name in CATALOGUE if name in given]


def _paths(settings: pd.DataFrame, sweep: Sweep | Grid, rows: NDArray[np.int64]) -> list[SweptPath]:
    if isinstance(sweep, Sweep):
        return [_path(settings, sweep.swept, rows)] if sweep.swept else []
    table = rows.reshape(sweep.shape)
    across, up = sweep.axes
    # The lines on which the other axis is as neutral as it gets.
    row, column = (
        int(np.abs(values - CATALOGUE[name].neutral).argmin())
        for name, values in zip((up, across), reversed(sweep.values), strict=True)
    )
    return [_path(settings, (across,), table[row]), _path(settings, (up,), table[:, column])]


def _path(settings: pd.DataFrame, parameters: Sequence[str], rows: Sequence[int] | NDArray[np.int64]) -> SweptPath:
    places = np.asarray(rows, np.int64)
    return SweptPath(tuple(parameters), places, settings[list(parameters)].to_numpy(np.float64)[places])
