"""Any time series a person may bring, as float32 `(channels, samples)`."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augimpact.errors import SignalError

__all__ = ["read_signal", "signal_hash"]


def read_signal(source: Any) -> NDArray[np.float32]:
    """The signal `(C, T)`, float32.

    Args:
        source: an array or tensor `(T,)` or `(C, T)`; a `.npy` file of one; a `.csv` file with a row a sample and a
            column a channel, with or without a line of names.

    Raises:
        SignalError: there is no such file, it holds no signal, or a value is not finite.

    >>> read_signal([0, 1, 0]).shape
    (1, 3)
    """
    if isinstance(source, (str, os.PathLike)):
        name, values = repr(str(source)), _read_file(Path(source))
    else:
        name = "the signal"
        values = np.asarray(source.detach().cpu() if hasattr(source, "detach") else source)
    if values.ndim == 1:
        values = values[None]
    if values.ndim != 2 or values.size == 0 or not np.issubdtype(values.dtype, np.number):
        raise SignalError(
            f"{name} has shape {values.shape} and type {values.dtype}; expected numbers (channels, samples)"
        )
    if not np.isfinite(values).all():
        raise SignalError(f"{name} has values that are not finite; expected numbers only")
    return np.ascontiguousarray(values, dtype=np.float32)


def signal_hash(signal: NDArray[np.float32]) -> str:
    """BLAKE2b over the shape and the samples."""
    digest = hashlib.blake2b(f"signal {signal.shape}".encode(), digest_size=16)
    digest.update(signal.tobytes())
    return digest.hexdigest()


def _read_file(path: Path) -> NDArray[Any]:
    try:
        if path.suffix.lower() == ".npy":
            return np.asarray(np.load(path, allow_pickle=False))
        if path.suffix.lower() == ".csv":
            with path.open(encoding="utf-8") as file:
                names = not _is_number(file.readline().split(",")[0])
            return np.loadtxt(path, delimiter=",", skiprows=int(names), ndmin=2, encoding="utf-8").T
    except FileNotFoundError as error:
        raise SignalError(f"there is no signal {str(path)!r}") from error
    except (OSError, ValueError, EOFError) as error:
        raise SignalError(f"{str(path)!r} holds no signal: {error}") from error
    raise SignalError(f"{str(path)!r} has the suffix {path.suffix!r}; expected a signal as .npy or .csv")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
