"""One's own augmentations: a function of a batch, registered under a name, is a parameter like any other."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from augimpact.augment import parameters
from augimpact.augment.colour import column
from augimpact.augment.parameters import Parameter
from augimpact.errors import ParameterError
from augimpact.user_code import code_hash, unwrapped

__all__ = ["Own", "augmentation", "forget", "own_effects", "own_of", "put", "register_effect", "seeded"]

Function = Callable[[Tensor, Tensor], Tensor]
# Takes the rows, one value each, and the seed of all randomness.
Rows = Callable[[Tensor, NDArray[np.float64], int], Tensor]


class Own(NamedTuple):
    """An augmentation of one's own.

    parameter: of the catalogue. rows: what it does, unchecked. code: a hash of what the user wrote. module: the name of
    the module in which that stands.
    """

    parameter: Parameter
    rows: Rows
    code: str
    module: str


_registered: dict[str, Own] = {}
# The global generators are seeded by one thread at a time; that of another process is not waited for.
_seeding = threading.RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: globals().update(_seeding=threading.RLock()))


def augmentation(
    name: str,
    *,
    range: tuple[float, float],  # noqa: A002 - the word that everybody uses for it
    neutral: float,
    sweep: tuple[float, float] | None = None,
    unit: str = "strength",
    description: str = "",
) -> Callable[[Function], Function]:
    """Registers the function below it as a parameter of the group `own`.

    The function takes a batch `(n, 3, S, S)` in [0, 1] and the values as `(n, 1, 1, 1)`, both on one device, and
    returns a batch of the same shape, which is cut to [0, 1]. It is given only frames whose value is not neutral, one
    at a time, after all other augmentations. What it draws from torch's, numpy's or Python's global generators is
    seeded, and these are left as they were. Registering a name of one's own again replaces it. The result is checked,
    which waits for the device.

    Args:
        name: a Python identifier that no built-in parameter has.
        range: the least and the greatest value.
        neutral: the value that leaves an image as it is.
        sweep: the range that is offered first; by default from neutral to the greatest value.
        unit: of the value, for labels.
        description: what it does, in a line.

    Raises:
        ParameterError: a name that is taken or no identifier, or numbers that do not go together.

    >>> @augmentation("fade", range=(0, 1), neutral=0)
    ... def fade(batch, value):
    ...     return batch * (1 - value) + value / 2
    >>> from augimpact.augment.apply import augment
    >>> float(augment(torch.zeros(3, 4, 4), {"fade": 0.5}).images.mean())
    0.25
    >>> forget("fade")
    """

    def registered(function: Function) -> Function:
        def rows(batch: Tensor, values: NDArray[np.float64], seed: int) -> Any:
            # Every frame by itself and from the same seed: what is random stays put while the value changes, however
            # many frames there are.
            shown: list[Any] = []
            for image, value in zip(torch.split(batch, 1), torch.split(column(values, batch), 1), strict=True):
                with seeded(seed, batch.device):
                    shown.append(function(image, value))
            # What is no tensor is refused below.
            return torch.cat(shown) if all(isinstance(each, Tensor) for each in shown) else shown[0]

        text = description or _first_line(function)
        register_effect(own_parameter(name, range, neutral, sweep, unit, text), rows, function)
        return function

    return registered


def own_parameter(
    name: str, span: tuple[float, float], neutral: float, sweep: tuple[float, float] | None, unit: str, text: str
) -> Parameter:
    """A parameter of the group `own`."""
    least, most = span
    return Parameter(name, "own", least, most, neutral, sweep or (neutral, most), unit, text)


def register_effect(parameter: Parameter, rows: Rows, written: Callable[..., Any]) -> None:
    """Adds the parameter to the catalogue, and `rows`, made of what the user has written, to the end of `augment`."""
    put(Own(parameter, rows, code_hash(written), getattr(unwrapped(written), "__module__", None) or ""))


def put(own: Own) -> None:
    """Registers what another process may have registered."""
    parameters.register(own.parameter)
    _registered[own.parameter.name] = own


def own_of(names: Iterable[str]) -> list[Own]:
    """Those of these names; built-in parameters are none, nor are names that nobody has registered."""
    return [_registered[name] for name in names if name in _registered]


def forget(name: str) -> None:
    """Takes an augmentation of one's own away again; one that is not there is no error.

    Raises:
        ParameterError: a built-in parameter.
    """
    parameters.forget(name)
    _registered.pop(name, None)


def own_effects() -> list[tuple[str, Rows]]:
    """The registered augmentations by name, in the order in which they were first registered; their results checked."""
    return [(name, partial(_checked, name, own.rows)) for name, own in list(_registered.items())]


def _checked(name: str, rows: Rows, batch: Tensor, values: NDArray[np.float64], seed: int) -> Tensor:
    """What the function makes of the rows, if it is a batch like them; never the function's own memory."""
    try:
        result = rows(batch, values, seed)
    except Exception as error:
        raise ParameterError(f"the augmentation {name} failed: {type(error).__name__}: {error}") from error
    if not isinstance(result, Tensor) or result.shape != batch.shape:
        found = tuple(result.shape) if isinstance(result, Tensor) else type(result).__name__
        raise ParameterError(f"the augmentation {name} returned {found}; expected a tensor {tuple(batch.shape)}")
    if not torch.isfinite(result).all():
        raise ParameterError(f"the augmentation {name} returned numbers that are not finite; expected 0 to 1")
    return result.detach().to(batch).clamp(0, 1)


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seeds the global generators of torch (on the CPU and `device`), numpy and Python, and restores them after.

    They belong to the whole process: threads take turns here, and what others draw meanwhile, without asking for a
    seed, is drawn from the seeded ones.
    """
    devices = [device] if device.type == "cuda" else []
    with _seeding, torch.random.fork_rng(devices):
        python, legacy = random.getstate(), np.random.get_state()
        # Not `torch.manual_seed`, which seeds every GPU there is.
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        random.seed(seed % 2**64)
        np.random.seed(seed % 2**32)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(legacy)


def _first_line(function: Function) -> str:
    return (function.__doc__ or "").strip().partition("\n")[0]
