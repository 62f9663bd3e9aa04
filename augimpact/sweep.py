"""A path through settings, in N steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from augimpact.augment.parameters import CATALOGUE, Parameter, resolve
from augimpact.augment.signal_parameters import SIGNAL_CATALOGUE
from augimpact.errors import ParameterError, SweepError, unknown

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DEFAULT_FRAMES", "EASINGS", "MAX_FRAMES", "Sweep", "catalogue_of", "settings_frame"]

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
        **parameters: by name, see `augimpact augmentations`; either of images or of signals.

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
        self.catalogue = catalogue_of(parameters)
        self.easing = easing
        self.parameters: Mapping[str, Any] = dict(parameters)
        self.frames = _frame_count(frames, self.parameters)
        paths = {name: self._path(name, value) for name, value in self.parameters.items()}
        self._values = resolve(paths, self.catalogue)

    def settings(self, catalogue: Mapping[str, Parameter] | None = None) -> pd.DataFrame:
        """One row a frame, one column for every parameter of the catalogue, by default its own.

        Raises:
            ParameterError: the sweep changes what the given catalogue does not have.
        """
        return settings_frame(self._values, self.frames, self.parameters, catalogue or self.catalogue)

    @property
    def swept(self) -> tuple[str, ...]:
        """The parameters that change on the way, in the catalogue's order."""
        return tuple(name for name, values in self._values.items() if (values != values[0]).any())

    @property
    def without_effect(self) -> tuple[str, ...]:
        """The parameters that were named but change nothing, because one that they need is neutral throughout."""
        idle = {name for name, values in self._values.items() if (values == self.catalogue[name].neutral).all()}
        return tuple(name for name in self.parameters if idle.intersection(self.catalogue[name].needs))

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
        numbers = self.catalogue[name].check(value)
        if _is_pair(value):
            return _between(float(numbers[0]), float(numbers[1]), self.frames, self.easing)
        if numbers.ndim == 0:
            return np.full(self.frames, float(numbers))
        if numbers.shape != (self.frames,):
            raise SweepError(f"{name} has shape {numbers.shape}; expected one value for each of {self.frames} frames")
        return numbers


def settings_frame(
    values: Mapping[str, NDArray[np.float64]], count: int, named: Iterable[str], catalogue: Mapping[str, Parameter]
) -> pd.DataFrame:
    """A row a setting, a column for every parameter of the catalogue.

    Raises:
        ParameterError: one of the `named` parameters is none of the catalogue's.
    """
    import pandas as pd

    for name in named:
        if name not in catalogue:
            if name in SIGNAL_CATALOGUE or name in CATALOGUE:
                kinds = ("signals", "images") if name in SIGNAL_CATALOGUE else ("images", "signals")
                raise ParameterError(f"{name} changes {kinds[0]}; expected parameters of {kinds[1]}")
            raise ParameterError(unknown("parameter", name, catalogue))
    # The catalogue may have grown since by parameters of one's own.
    columns = {name: values.get(name, each.neutral) for name, each in catalogue.items()}
    return pd.DataFrame({name: np.broadcast_to(each, count) for name, each in columns.items()}, dtype=np.float64)


def catalogue_of(names: Iterable[str]) -> Mapping[str, Parameter]:
    """The catalogue that has these parameters: that of images, unless all of them are of signals.

    Raises:
        ParameterError: neither has one of them, or they are of both.
    """
    wanted = list(names)
    of_signals = [name for name in wanted if name in SIGNAL_CATALOGUE]
    for name in wanted:
        if name not in CATALOGUE and name not in SIGNAL_CATALOGUE:
            raise ParameterError(unknown("parameter", name, [*CATALOGUE, *SIGNAL_CATALOGUE]))
        if name in CATALOGUE and of_signals:
            raise ParameterError(f"{name} changes images and {of_signals[0]} signals; expected parameters of one kind")
    return SIGNAL_CATALOGUE if of_signals else CATALOGUE


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
