"""One model asked by several threads at once.

On a CPU two batches side by side, each on one core, are done sooner than one after the other on both: nobody waits for
another's part of an operation. On a GPU one thread feeds it while another fetches and measures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy, deepcopy
from queue import SimpleQueue

import torch

from augimpact.models.hooks import alone
from augimpact.models.model import Model
from augimpact.profiling.ahead import torch_on_threads

__all__ = ["Lanes", "lanes_of"]

# Of batches side by side each has its own activations; more cores share the work on one batch.
MOST = 4
# On a GPU: one feeds, one fetches.
ON_DEVICE = 2


class Lanes:
    """A model, and copies of it that share its weights; each is used by one thread at a time.

    Attributes:
        model: as it was given.
        count: how many threads may use one.
    """

    def __init__(self, model: Model, copies: Sequence[Model]) -> None:
        self.model, self.count = model, len(copies)
        self._free: SimpleQueue[Model] = SimpleQueue()
        for each in copies:
            self._free.put(each)

    @contextmanager
    def one(self) -> Iterator[Model]:
        """One that nobody else uses inside the block."""
        taken = self._free.get()
        try:
            yield taken
        finally:
            self._free.put(taken)


@contextmanager
def lanes_of(model: Model) -> Iterator[Lanes]:
    """Inside the block torch, where it begins to compute on a thread, has that thread's share of the cores.

    A module that cannot be copied has one lane: itself.
    """
    cores = torch.get_num_threads()
    count = min(cores, MOST) if model.device.type == "cpu" else ON_DEVICE
    copies = [model]
    if count > 1:
        try:
            copies = [_copy_of(model) for _ in range(count)]
        except Exception:  # of a user's module, whatever it raises
            count = 1
    threads = max(1, cores // count) if model.device.type == "cpu" else cores
    with torch_on_threads(threads):
        yield Lanes(model, copies)


def _copy_of(model: Model) -> Model:
    """The same model around modules of its own, to which hooks and modes belong, with the same weights."""
    # Found once, not by every copy.
    _ = model.probe
    with alone(model.module):
        shared = {id(each): each for each in (*model.module.parameters(), *model.module.buffers())}
        module = deepcopy(model.module, shared)
    other = copy(model)
    other.module = module
    vars(other).pop("asked", None)
    return other
