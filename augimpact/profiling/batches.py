"""What a loader gives, one after the other; of a batch of torch's or fastai's that fails, each sample alone."""

from __future__ import annotations

import logging
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from typing import Any

from augimpact.profiling.alone import Alone, Several, tried
from augimpact.profiling.fastai_batches import going_on

__all__ = ["Cut", "items_of"]

logger = logging.getLogger(__name__)

# Errors in a row after which a loader is given up.
MOST_ERRORS = 100
# What torch says where a batch failed in a worker, and not the worker.
IN_WORKER = "in DataLoader worker process"


class Cut:
    """Stands where the items of a loader ended by an error."""


def items_of(loader: Any) -> Iterator[Any]:
    """Each item, or what was raised in its place.

    Of a batch of torch's or fastai's that failed, each sample is `Alone`. A `Cut` is last where the loader ended by an
    error.
    """
    drawn = _Drawn(loader) if _draws_samples(loader) else None
    iterator, errors, is_told = iter(going_on(loader) if drawn is None else drawn.loader), 0, False
    while errors < MOST_ERRORS:
        try:
            item = next(iterator)
        except StopIteration:
            break
        except Exception as error:  # of a user's loader, whatever it raises
            if drawn is None or not drawn.is_of_a_batch(error):
                # To which batches later errors belong is not known any more.
                drawn, errors = None, errors + 1
                yield error
                continue
            indices = drawn.waiting.popleft()
            several = Several([error]) if loader.batch_sampler is None else _fetched(loader, indices)
        else:
            several = item if isinstance(item, Several) else Several([item])
            if drawn is not None:
                drawn.waiting.popleft()
        errors = 0
        if several.fault is not None and not is_told:
            is_told = True
            logger.warning("samples that cannot be put together to a batch are taken one by one; %s", several.fault)
        yield from several.items
    if errors:
        yield Cut()


class _Drawn:
    """Keeps which samples the batches have that a loader of torch's is still to give.

    loader: as the one that is given, which stays as it is.
    waiting: the places in the dataset of the samples of each batch; or of the single samples that it gives.
    """

    def __init__(self, loader: Any) -> None:
        self.waiting: deque[Any] = deque()
        self.loader = copy(loader)
        kind = "sampler" if loader.batch_sampler is None else "batch_sampler"
        self._drawn = getattr(loader, kind)
        # Torch lets nobody set these. Workers that persist would go on with the batches of their own loader.
        vars(self.loader).update({kind: self, "persistent_workers": False})

    def __iter__(self) -> Iterator[Any]:
        for drawn in self._drawn:
            # A sampler may fill the same list again.
            self.waiting.append(copy(drawn))
            yield drawn

    def __len__(self) -> int:
        return len(self._drawn)

    def is_of_a_batch(self, error: Exception) -> bool:
        """Whether an error is that of what was drawn next: not of the sampler, or of a worker that was killed."""
        return bool(self.waiting) and (self.loader.num_workers == 0 or IN_WORKER in str(error))


def _draws_samples(loader: Any) -> bool:
    """Whether it is a loader of torch's whose batches come in the order in which their samples were drawn."""
    module = sys.modules.get("torch.utils.data")
    if module is None or type(loader) is not module.DataLoader:
        return False
    return loader.in_order and not isinstance(loader.dataset, module.IterableDataset)


def _fetched(loader: Any, indices: Sequence[Any]) -> Several:
    """The samples of a batch that failed."""
    samples = [tried(loader.dataset.__getitem__, index) for index in indices]
    fault = None
    if not any(isinstance(sample, Exception) for sample in samples):
        batch = tried(loader.collate_fn, samples)
        if not isinstance(batch, Exception):
            return Several([batch])
        # A user's own function may name files.
        is_own = loader.collate_fn is not sys.modules["torch.utils.data"].default_collate
        fault = type(batch).__name__ if is_own else f"{type(batch).__name__}: {batch}"
    return Several([_alone(sample, loader.collate_fn, len(samples)) for sample in samples], fault)


def _alone(sample: Any, collate: Callable[[list[Any]], Any], count: int) -> Alone:
    item = sample if isinstance(sample, Exception) else tried(collate, [sample])
    return Alone(item, lambda: collate([sample] * count))
