"""Drawing samples so that small groups are seen: weights of groups, and a sampler for torch's `DataLoader`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch.utils.data import Sampler

from augimpact.data.samples import SampleTable
from augimpact.errors import DataError, unknown

__all__ = ["WEIGHINGS", "StratifiedSampler", "group_weights"]

Weighing = Callable[[NDArray[np.float64]], NDArray[np.float64]]
# From the sizes of groups to their weights, before these are made to add up to 1.
WEIGHINGS: dict[str, Weighing] = {
    "uniform": np.ones_like,
    "count": np.asarray,
    "square root": np.sqrt,
    "log": np.log,
    "logx+1": lambda sizes: np.log(sizes) + 1,
}


def group_weights(
    table: SampleTable, by: str | Sequence[str] = "folder", weighing: str | Weighing = "uniform"
) -> pd.Series[float]:
    """The share of each group among what is drawn, by the group's value (or tuple of values), sorted.

    Args:
        table: the samples.
        by: a column, or several.
        weighing: from a group's size n to its weight: `uniform` 1, `count` n, `square root` √n, `log` ln n, `logx+1`
            ln n + 1; or a function of the array of sizes.

    Raises:
        DataError: no such column or weighing, or weights that are negative or all 0.

    >>> table = SampleTable.from_arrays(np.arange(4.0).reshape(4, 1, 1), ["cat", "cat", "cat", "dog"])
    >>> group_weights(table, "folder", "count").to_dict()
    {'cat': 0.75, 'dog': 0.25}
    """
    return _weights_of(_groups_of(table, by), weighing)


def _groups_of(table: SampleTable, by: str | Sequence[str]) -> pd.Series[Any]:
    columns = [by] if isinstance(by, str) else list(by)
    for column in columns:
        if column not in table.frame:
            raise DataError(unknown("column", column, table.frame.columns))
    if len(columns) == 1:
        return table.frame[columns[0]]
    return pd.Series(list(zip(*(table.frame[column] for column in columns), strict=True)), dtype=object)


def _weights_of(groups: pd.Series[Any], weighing: str | Weighing) -> pd.Series[float]:
    if isinstance(weighing, str) and weighing not in WEIGHINGS:
        raise DataError(unknown("weighing", weighing, WEIGHINGS))
    weigh = WEIGHINGS[weighing] if isinstance(weighing, str) else weighing
    sizes = groups.value_counts(dropna=False).sort_index()
    weights = np.asarray(weigh(np.asarray(sizes, np.float64)), np.float64)
    if weights.shape != (len(sizes),) or not (weights >= 0).all() or not 0 < weights.sum() < np.inf:
        raise DataError(f"the weights of the groups are {weights.tolist()}; expected one from 0 up for each, not all 0")
    return pd.Series(weights / weights.sum(), index=sizes.index)


class StratifiedSampler(Sampler[int]):
    """Positions in a table, drawn at random so that its groups have their weights: a `sampler` for `DataLoader`.

    The same seed and epoch give the same draw, whatever the number of shards; each shard gets every so manieth of it.

    Args:
        table: the samples; or the group of each sample.
        by: the column, or columns, that the groups have in common.
        weighing: see `group_weights`.
        length: how many are drawn in an epoch, by default as many as there are samples.
        replacement: whether a sample may be drawn again in the same epoch. Without, groups run empty: the first draws
            have the weights, the last ones what is left; by successive draws in which each weighs its group's weight
            over the group's size (Efraimidis and Spirakis 2006, *Weighted random sampling with a reservoir*).
        seed: of the draw.
        shard, shards: which part of the draw, of how many, for training on several devices. All are equally long: the
            first draws come again at the end where the length cannot be divided.

    Raises:
        DataError: see `group_weights`; or numbers that make no sense, such as more draws than there are samples
            without replacement.
    """

    def __init__(
        self,
        table: SampleTable | Sequence[Hashable],
        by: str | Sequence[str] = "folder",
        weighing: str | Weighing = "uniform",
        *,
        length: int | None = None,
        replacement: bool = True,
        seed: int = 0,
        shard: int = 0,
        shards: int = 1,
    ) -> None:
        groups = _groups_of(table, by) if isinstance(table, SampleTable) else pd.Series(list(table), dtype=object)
        self._length = len(groups) if length is None else length
        if not len(groups) or self._length < 1:
            raise DataError(f"{self._length} draws from {len(groups)} samples; expected at least one")
        if not 0 <= shard < shards:
            raise DataError(f"shard {shard} of {shards}; expected a number from 0 below that of shards")
        self.weights = _weights_of(groups, weighing)
        codes = self.weights.index.get_indexer(pd.Index(groups)).astype(np.int64)
        sizes = np.bincount(codes, minlength=len(self.weights))
        self._chances = self.weights.to_numpy()[codes] / sizes[codes]
        self._replacement = replacement
        possible = int((self._chances > 0).sum())
        if not replacement and self._length > possible:
            raise DataError(f"{self._length} draws without replacement; expected at most {possible}, as many as can be")
        self._seed, self._shard, self._shards = seed, shard, shards
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """What is drawn from now on is another draw."""
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-self._length // self._shards)

    def __iter__(self) -> Iterator[int]:
        drawn = self._draw()
        padded = np.resize(drawn, len(self) * self._shards)
        yield from padded[self._shard :: self._shards].tolist()

    def _draw(self) -> NDArray[np.int64]:
        generator = np.random.default_rng([self._seed, self.epoch])
        if self._replacement:
            ends = np.cumsum(self._chances)
            drawn = np.searchsorted(ends, generator.random(self._length) * ends[-1], "right")
            # The product may be rounded up to the last end.
            return np.asarray(np.minimum(drawn, np.flatnonzero(self._chances)[-1]), np.int64)
        # Those with the smallest Exponential(chance) waiting times, in their order.
        with np.errstate(divide="ignore"):
            waits = generator.exponential(size=len(self._chances)) / self._chances
        nearest = np.argpartition(waits, self._length - 1)[: self._length]
        return np.asarray(nearest[np.argsort(waits[nearest])], np.int64)
