"""Loaders of fastai's, which end at their first error: a copy of one catches each where it happens, and goes on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Any

from augimpact.profiling.alone import Alone, Several
from augimpact.profiling.workers import Elsewhere, elsewhere

__all__ = ["going_on", "is_of_fastai", "samples_of_fastai"]

# What makes batches of samples, one after the other, as fastai does it: a loader that does it otherwise stays as it is.
MAKES = ("__iter__", "create_batches", "chunkify")


def is_of_fastai(data: Any) -> bool:
    """Whether it is a loader of fastai's, of whatever kind."""
    module = sys.modules.get("fastai.data.load")
    return module is not None and isinstance(data, module.DataLoader)


def samples_of_fastai(loader: Any) -> int | None:
    """How many samples a loader of fastai's gives; None if that is unknown."""
    if loader.n is None:
        return None
    return int(loader.n if loader.bs is None else min(loader.n, len(loader) * loader.bs))


def going_on(loader: Any) -> Any:
    """What gives the same as the loader: of fastai's a copy, that goes on after an error, and gives `Several` there."""
    if not is_of_fastai(loader) or not loader.indexed or loader.n is None:
        return loader
    base = sys.modules["fastai.data.load"].DataLoader
    if any(getattr(getattr(loader, name), "__func__", None) is not getattr(base, name) for name in MAKES):
        return loader
    return _Catching(loader).loader


@dataclass(frozen=True)
class _Apart:
    """What stands for a batch that failed until it comes from the worker; no tuple, which fastai would take apart.

    singles: a batch of each sample alone, or what was raised in its place.
    whole: a batch as large as that which failed, of one sample only, or what was raised.
    fault: why the samples make no batch, where none of them is at fault.
    """

    singles: list[Any]
    whole: Any
    fault: str | None


class _Catching:
    """Catches what is raised by the samples and batches of a loader.

    loader: a copy of the one that is given, which stays as it is. Its methods `do_item`, `do_batch` and `after_batch`
        are in front of the loader's own; all but the last may be called in a worker.
    """

    def __init__(self, loader: Any) -> None:
        self.loader = copy(loader)
        self._item, self._batch, self._begin = self.loader.do_item, self.loader.do_batch, self.loader.before_iter
        self._finish: Callable[[Any], Any]
        # What torch's workers iterate leads back to the loader; and each pass draws from the generator.
        inner = copy(loader.fake_l)
        vars(inner).update(d=self.loader, default=self.loader, dataset=inner)
        vars(self.loader).update(
            fake_l=inner, rng=copy(loader.rng), do_item=self.item, do_batch=self.batch, before_iter=self.begin
        )

    def begin(self) -> None:
        """Called before the first sample, where the loader tells its pipelines of which split they are."""
        self._begin()
        # Only now: the loader has to find its pipeline.
        self._finish = self.loader.after_batch
        vars(self.loader)["after_batch"] = self.finished

    def item(self, place: Any) -> Any:
        """The sample at a place of the dataset, or what was raised there."""
        return _caught(self._item, place)

    def batch(self, items: Any) -> Any:
        """A batch of samples, or these alone; where the samples are not put together, that of the one sample."""
        if self.loader.prebatched:
            return items if isinstance(items, Elsewhere) else _caught(self._batch, items)
        whole, fault = None, None
        if not any(isinstance(item, Elsewhere) for item in items):
            whole = _caught(self._batch, items)
            if not isinstance(whole, Elsewhere):
                return whole
            # The message of a function of the user's may name files.
            fault = whole.kind
        singles = [item if isinstance(item, Elsewhere) else _caught(self._batch, [item]) for item in items]
        good = [item for item, single in zip(items, singles, strict=True) if not isinstance(single, Elsewhere)]
        return _Apart(singles, _caught(self._batch, good[:1] * len(items)) if good else None, fault)

    def finished(self, batch: Any) -> Any:
        """What the loader's last transforms make of a batch."""
        if isinstance(batch, Elsewhere):
            return batch
        if not isinstance(batch, _Apart):
            return _caught(self._finish, batch)
        return Several([self._alone(single, batch.whole) for single in batch.singles], batch.fault)

    def _alone(self, single: Any, whole: Any) -> Alone:
        if not isinstance(single, Elsewhere):
            single = _caught(self._moved, single)
        return Alone(single, lambda: single if isinstance(whole, Elsewhere) else self._moved(whole))

    def _moved(self, batch: Any) -> Any:
        """The same for one that the loader has not moved to its device."""
        if self.loader.device is not None:
            batch = sys.modules["fastai.torch_core"].to_device(batch, self.loader.device)
        return self._finish(batch)


def _caught(function: Callable[[Any], Any], given: Any) -> Any:
    """What the function gives, or what stands for what it raised."""
    try:
        return function(given)
    except Exception as error:  # of a user's loader, whatever it raises
        return elsewhere(error)
