"""A path through settings, in N steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from augimpact.augment.parameters import CATALOGUE, resolve
from augimpact.errors import ParameterError, SweepError, unknown

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DEFAULT_FRAMES", "EASINGS", "MAX_FRAMES", "Sweep"]

DEFAULT_FRAMES = 48
# A frame takes some 0.6 MB; more of them than this is a slip of the finger.
MAX_FRAMES = 2000
EASINGS = ("linear", "cosine")


class Sweep:
    """Which parameters change over the frames, and how.

    A number holds a parameter; a pair `(start, end)` sweeps it; any longer sequence, or a numpy array, gives its value
    frame by frame.

    Args:
        frames: how many; by default 48, or the length of the arrays that are given.
        easing: how a pair is walked: `linear`, or `cosine` (slow at both ends).
        **parameters: by name, see `augimpact.augment.parameters.CATALOGUE`.

    Raises:
        SweepError: no frames or too many, an array of another length, an unknown easing.
        ParameterError: an unknown parameter, or a value outside its range.

    >>> sweep = Sweep(rotation=(-45, 45), brightness=1.4, frames=3)
    >>> sweep.settings()[["rotation", "brightness"]].values.tolist()
    [[-45.0, 1.4], [0.0, 1.4], [45.0, 1.4]]
    >>> sweep.swept
    ('rotation',)
    """

    def __init__(self, /, *, frames: int | None = None, easing: str = "linear", **parameters: Any) -> None:
        if easing not in EASINGS:
            raise SweepError(unknown("easing", easing, EASINGS))
        for name in parameters:
            if name not in CATALOGUE:
                raise ParameterError(unknown("parameter", name, CATALOGUE))
        self.easing = easing
        self.parameters: Mapping[str, Any] = dict(parameters)
        self.frames = _frame_count(frames, self.parameters)
        self._values = resolve({name: self._path(name, value) for name, value in self.parameters.items()})

    def settings(self) -> pd.DataFrame:
        """One row a frame, one column for every parameter of the catalogue."""
        import pandas as pd

        return pd.DataFrame({name: np.broadcast_to(values, self.frames) for name, values in self._values.items()})

    @property
    def swept(self) -> tuple[str, ...]:
        """The parameters that change on the way, in the catalogue's order."""
        return tuple(name for name, values in self._values.items() if (values != values[0]).any())

    @property
    def without_effect(self) -> tuple[str, ...]:
        """The parameters that were named but change nothing, because one that they need is neutral throughout."""
        idle = {name for name, values in self._values.items() if (values == CATALOGUE[name].neutral).all()}
        return tuple(name for name in self.parameters if idle.intersection(CATALOGUE[name].needs))

    def __repr__(self) -> str:
        arguments = [f"{name}={_plain(value)!r}" for name, value in self.parameters.items()]
        arguments.append(f"frames={self.frames}")
        if self.easing != EASINGS[0]:
            arguments.append(f"easing={self.easing!r}")
        return f"Sweep({', '.join(arguments)})"

    def recipe(self) -> dict[str, Any]:
        """What makes this sweep again, in plain types."""
        parameters = {name: np.asarray(value, dtype=np.float64).tolist() for name, value in self.parameters.items()}
        return {"parameters": parameters, "frames": self.frames, "easing": self.easing}

    def _path(self, name: str, value: Any) -> NDArray[np.float64]:
        numbers = CATALOGUE[name].check(value)
        if _is_pair(value):
            return _between(float(numbers[0]), float(numbers[1]), self.frames, self.easing)
        if numbers.ndim == 0:
            return np.full(self.frames, float(numbers))
        if numbers.shape != (self.frames,):
            raise SweepError(f"{name} has shape {numbers.shape}; expected one value for each of {self.frames} frames")
        return numbers


def _between(start: float, end: float, frames: int, easing: str) -> NDArray[np.float64]:
    progress = np.linspace(0, 1, frames)
    if easing == "cosine":
        progress = (1 - np.cos(np.pi * progress)) / 2
    # Weighted from both ends, so that both are met exactly; rounding may not lead beyond them.
    return np.clip(start * (1 - progress) + end * progress, min(start, end), max(start, end))


def _frame_count(frames: int | None, parameters: Mapping[str, Any]) -> int:
    if frames is None:
        lengths = [np.shape(value)[0] for value in parameters.values() if np.ndim(value) == 1 and not _is_pair(value)]
        frames = lengths[0] if lengths else DEFAULT_FRAMES
    if isinstance(frames, bool) or not isinstance(frames, (int, np.integer)) or not 1 <= frames <= MAX_FRAMES:
        raise SweepError(f"frames is {frames!r}; expected a whole number from 1 to {MAX_FRAMES}")
    return int(frames)


def _is_pair(value: Any) -> bool:
    return isinstance(value, (tuple, list)) and len(value) == 2


def _plain(value: Any) -> Any:
    """As it would be typed: a pair as a tuple, arrays as lists."""
    return tuple(value) if _is_pair(value) else np.asarray(value).tolist()
