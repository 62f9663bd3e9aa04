"""Some items of a dataset that is asked by index."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augimpact.profiling.alone import tried

__all__ = ["Subset", "is_indexed", "places_in"]


def is_indexed(data: Any) -> bool:
    """Whether items are asked for by index, and are one sample each: a loader that has indices is iterated."""
    torch = sys.modules.get("torch.utils.data")
    # It has the method of all datasets of torch's, which raises.
    is_stream = torch is not None and isinstance(data, torch.IterableDataset)
    is_loader = hasattr(data, "batch_size") and hasattr(data, "__iter__")
    return hasattr(data, "__getitem__") and hasattr(data, "__len__") and not is_stream and not is_loader


def places_in(count: int, most: int, seed: int) -> NDArray[np.int64]:
    """Up to `most` of so many indices, drawn by the seed, in their order."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, most, replace=False))


class Subset:
    """The items at some places of a dataset.

    dataset: which, as torch's class of this name has it.
    """

    def __init__(self, dataset: Any, places: NDArray[np.int64]) -> None:
        self.dataset, self._places = dataset, places
        self._ahead: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> Any:
        return self._ahead.pop(index) if index in self._ahead else self.dataset[int(self._places[index])]

    def first(self) -> Any:
        """The first item, which is not read again when it is asked for; None where it cannot be read."""
        if len(self) and not isinstance(item := tried(self.__getitem__, 0), Exception):
            self._ahead[0] = item
        return self._ahead.get(0)
