"""What is said to `ai.profile`, checked; what images are like is checked in `decode.py`, panels in `needs.py`."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from augimpact.errors import DataError, ModelError, unknown
from augimpact.profiling.class_names import in_order
from augimpact.profiling.decode import as_array
from augimpact.profiling.source import Source

if TYPE_CHECKING:
    import torch

__all__ = [
    "check_augmentation", "check_finders", "check_normalisation", "check_numbers", "device_of", "hidden_of",
    "ignored_of", "names_of", "names_of_labelled",
]  # fmt: skip

# Classes that can be named: a larger number is a mistake.
MOST_NAMED = 1 << 20
# CUDA's driver, which every program that uses such a GPU loads.
DRIVER = "nvcuda.dll" if os.name == "nt" else "libcuda.so.1"
# Devices on which every number that is needed exists: Apple's have no float64.
DEVICES = ("auto", "cpu", "cuda")


def check_numbers(**given: tuple[Any, int]) -> None:
    """Each by its name, with the least that it may be; None may be left out.

    Raises:
        DataError: one is no whole number, or less.
    """
    for name, (value, least) in given.items():
        whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
        if value is not None and not (whole and value >= least):
            raise DataError(f"{name} is {value!r}; expected a whole number from {least} on")


def check_finders(**given: Any) -> None:
    """Each by its name: where in an item something is.

    Raises:
        DataError: one is neither a path, nor a function, nor left out.
    """
    for name, value in given.items():
        if not (value is None or isinstance(value, str) or callable(value)):
            raise DataError(f"{name} is {value!r}; expected a path such as '[0].rgb', or a function of the item")


def check_augmentation(given: Any) -> None:
    """None is none.

    Raises:
        DataError: it is no `RandomAugmentation`.
    """
    if given is None:
        return
    from augimpact.augment.random import RandomAugmentation

    if not isinstance(given, RandomAugmentation):
        raise DataError(f"augmentation is {given!r}; expected a RandomAugmentation, such as of rotation=(-10, 10)")


def check_normalisation(mean: Any, std: Any) -> None:
    """What images were normalised with.

    Raises:
        DataError: they are no numbers, or nothing can be divided by the deviation.
    """
    for name, value, least, expected in (("mean", mean, -np.inf, "a number"), ("std", std, 0, "a number above 0")):
        try:
            numbers = np.asarray(as_array(0.5 if value is None else value), np.float64)
        except (TypeError, ValueError):
            numbers = np.array(np.nan)
        if not (numbers.size and numbers.ndim < 2 and np.isfinite(numbers).all() and (numbers > least).all()):
            raise DataError(f"{name} is {value!r}; expected {expected} for each channel")


def ignored_of(given: Any) -> list[int]:
    """The classes that do not count, of one or several.

    Raises:
        DataError: one is no whole number.
    """
    several = list(given) if isinstance(given, Iterable) and not isinstance(given, (str, bytes)) else [given]
    if not all(isinstance(each, (int, np.integer)) for each in several):
        raise DataError(f"ignored is {given!r}; expected numbers of classes, such as [255]")
    return [int(each) for each in several]


def names_of(given: Sequence[str] | Mapping[int, str] | None, sources: Sequence[Source]) -> tuple[str, ...]:
    """The names of the classes: by default those of the first split, and after them those that only another has.

    Where the first split has no names there are none: its numbers may be those of other classes.

    Raises:
        DataError: a mapping that does not tell which number has which name, or no names at all.
    """
    if given is None:
        first = sources[0].class_names or ()
        known = set(first)
        others = dict.fromkeys(name for each in sources[1:] for name in each.class_names or () if first)
        return (*first, *(name for name in others if name not in known))
    if isinstance(given, Mapping):
        return in_order(_numbered(given))
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise DataError(f"class_names is {given!r}; expected names, such as ['cat', 'dog'], or names by number")
    return tuple(map(str, given))


def names_of_labelled(sources: Iterable[Source]) -> tuple[str, ...]:
    """The names of the classes where `names_of` tells none, and it is known by now which splits have labels.

    They are those of the first such split: there are no other numbers that they could be mistaken for.

    Args:
        sources: of the splits that have labels.
    """
    first = next(iter(sources), None)
    return () if first is None else first.class_names or ()


def _numbered(given: Mapping[Any, Any]) -> dict[int, Any]:
    """Names by number, also of numbers by name, and of numbers that JSON has made texts."""
    swapped = bool(given) and all(isinstance(each, (int, np.integer)) for each in given.values())
    pairs = [(number, name) for name, number in given.items()] if swapped else list(given.items())
    try:
        found = {int(number): name for number, name in pairs}
    except (TypeError, ValueError):
        found = {-1: ""}
    if min(found, default=0) < 0 or max(found, default=0) >= MOST_NAMED:
        raise DataError(f"class_names is {dict(given)!r}; expected names by number, such as {{0: 'cat'}}")
    return found


def hidden_of(classes: Sequence[str | int], names: Sequence[str]) -> frozenset[int]:
    """The numbers of classes that are hidden by number, and of all that are by name.

    Raises:
        DataError: there is no such class; it would be shown.
    """
    if isinstance(classes, str) or not isinstance(classes, Iterable):
        raise DataError(f"hide_classes is {classes!r}; expected several, such as [{classes!r}]")
    classes = list(classes)
    for each in classes:
        if not isinstance(each, (str, int, np.integer)):
            raise DataError(f"hide_classes has {each!r}; expected names or numbers of classes")
        if isinstance(each, str) and not names:
            raise DataError(f"hide_classes has {each!r}, and no class is known by name; pass class_names, too")
        if each not in names if isinstance(each, str) else names and not 0 <= each < len(names):
            raise DataError(unknown("class", each, names))
    # Several classes may have one name.
    named = {number for number, name in enumerate(names) if name in classes}
    return frozenset(named | {int(each) for each in classes if not isinstance(each, str)})


def device_of(name: str) -> torch.device | None:
    """The device of this name; None is the host, for which torch is not loaded.

    Args:
        name: `cpu`, `cuda`, one of several such as `cuda:1`, or `auto`, CUDA where there is one.

    Raises:
        DataError: another name.
        ModelError: there is no such device on this machine.

    >>> device_of("cpu") is None
    True
    """
    expected = f"expected {', '.join(DEVICES[:-1])} or {DEVICES[-1]}"
    if str(name).partition(":")[0] not in DEVICES:
        raise DataError(f"device is {name!r}; {expected}")
    if name == "cpu" or (name == "auto" and not _may_have_cuda()):
        return None
    import torch

    from augimpact.models.device import pick_device

    try:
        found = pick_device(name)
    except ModelError as error:
        # Models can be on more kinds of devices.
        raise ModelError(f"device {name!r} cannot be used on this machine; {expected}") from error
    if found.type != "cuda":
        return None
    if name == "auto" and not _works(found):
        return None
    # Which one is the current differs from thread to thread.
    return torch.device("cuda", torch.cuda.current_device() if found.index is None else found.index)


def _works(device: torch.device) -> bool:
    """Whether a GPU that nobody asked for can be used: it may be full, or of a kind that torch no longer knows."""
    import torch

    try:
        return bool(torch.ones(2, device=device).sum().item() == 2)
    except RuntimeError:
        return False


def _may_have_cuda() -> bool:
    """Whether it is worth it to ask torch, which takes seconds to load."""
    if "torch" in sys.modules:
        return True
    try:
        ctypes.CDLL(DRIVER)
    except OSError:
        return False
    return True
