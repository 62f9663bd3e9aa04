"""Which samples are for what: splits that keep together what belongs together, and assignments that last.

A *unit* is what must not be divided: the samples of one physical item, and those of equal content. Units are found over
the whole table, as connected components; then each gets one purpose.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augimpact.data.samples import SampleTable
from augimpact.errors import DataError, LeakageError, unknown
from augimpact.files import written_whole

__all__ = ["MODES", "Split", "load_assignments", "save_assignments"]

MODES = ("hash", "permutation")
# Samples that an error lists.
LISTED = 5
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Assigns a share of the samples to one purpose and the rest to another.

    With `mode="hash"` a unit's purpose depends on the seed and its own name alone, so that adding samples moves none of
    the others (unless they show that two units are one); the share is met as nearly as chance has it, in every
    stratum likewise. With `mode="permutation"` it is met in every stratum to the last unit, and added samples may move
    others; keep assignments that shall last by `save_assignments`.

    Permutation: strata and units are sorted as strings. In each stratum, with one `RandomState(seed)` for all, the
    sizes s of its unassigned units are permuted, c = cumsum(s), and the first i + 1 units are assigned, where i =
    searchsorted(c, target, "right"), less 1 with probability 1 − (target − c[i−1]) / (c[i] − c[i−1]); c[−1] is 0.
    This is how Brevetti AI's `SampleSplit` splits.

    Args:
        share: of the samples, from 0 to 1.
        stratify: columns; every combination of their values is a stratum.
        unique: what tells physical items apart: a column, a regular expression (its first group, found in the path), or
            a function from a row to a name. A sample that it does not find, or that has no value, is an item by itself.
        seed: of the choice.
        mode: `hash` or `permutation`.
        across_strata: whether one name means one item in all strata. By default it does, but not for permutations, as
            in the system that they are like: there items are numbered anew in every folder. What is of equal content
            is never divided.

    Raises:
        DataError: a share, mode, column or expression that makes no sense.
    """

    share: float = 0.8
    stratify: Sequence[str] = ()
    unique: str | Callable[[Any], Any] | None = None
    seed: int = 0
    mode: str = "hash"
    across_strata: bool | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise DataError(f"the share is {self.share!r}; expected a number from 0 to 1")
        if self.mode not in MODES:
            raise DataError(unknown("mode of a split", self.mode, MODES))
        if isinstance(self.stratify, str):
            object.__setattr__(self, "stratify", (self.stratify,))

    def assign(self, table: SampleTable, purpose: str = "train", remainder: str | None = "devel") -> SampleTable:
        """The table with a purpose for every sample; `remainder=None` leaves the rest without.

        What has a purpose keeps it, and its unit follows.

        Raises:
            LeakageError: a unit has several purposes already.
        """
        if not len(table):
            return table
        strata = _codes_of(table, self.stratify)
        names = self._names(table, strata)
        units = _components(names, pd.factorize(table["sample_id"])[0].astype(np.int64))
        purposes = _spread(table, units)
        if self.mode == "hash":
            _hash_units(names, units, purposes, self.share, self.seed, purpose, remainder)
        else:
            _permute_units(strata, units, names, purposes, self, purpose, remainder)
        return table.with_frame(table.frame.assign(purpose=purposes[units]))

    def _names(self, table: SampleTable, strata: _Strata) -> NDArray[Any]:
        """The name of each sample's item; equal names mean one item."""
        across = self.mode == "hash" if self.across_strata is None else self.across_strata
        names = _item_names(table, self.unique)
        if across or not self.stratify:
            return names
        marks = np.array([f"{name}\0" for name in strata.names], object)
        return np.asarray(marks[strata.codes] + names, dtype=object)


@dataclass(frozen=True)
class _Strata:
    names: list[str]
    codes: Codes


def _codes_of(table: SampleTable, columns: Sequence[str]) -> _Strata:
    """Which stratum each sample is of; strata are numbered in the order of their names, as strings."""
    for column in columns:
        if column not in table.frame:
            raise DataError(unknown("column", column, table.frame.columns))
    if not columns:
        return _Strata([""], np.zeros(len(table), np.int64))
    texts = table.frame[columns[0]].astype(str)
    for column in columns[1:]:
        texts = texts + "\0" + table.frame[column].astype(str)
    codes, names = pd.factorize(texts, sort=True)
    return _Strata([str(name) for name in names], codes.astype(np.int64))


def _item_names(table: SampleTable, unique: str | Callable[[Any], Any] | None) -> NDArray[Any]:
    if unique is None:
        found = pd.Series(None, index=table.frame.index, dtype=object)
    elif callable(unique):
        found = pd.Series([unique(row) for _, row in table.frame.iterrows()], dtype=object)
    elif unique in table.frame:
        found = table.frame[unique].astype(object)
    else:
        found = pd.Series(_in_paths(unique, table["path"]), dtype=object)
    # An item by itself is known by its content; the mark keeps it apart from what was found.
    alone = "\0" + table["sample_id"].astype(object)
    return np.asarray(alone.where(found.isna(), found.astype(str).astype(object)), dtype=object)


def _in_paths(expression: str, paths: pd.Series[str]) -> list[str | None]:
    try:
        pattern = re.compile(expression)
    except re.error as error:
        raise DataError(f"{expression!r} is neither a column nor a regular expression ({error})") from error
    group = 1 if pattern.groups else 0
    found = [None if (match := pattern.search(path)) is None else match[group] for path in paths]
    if all(each is None for each in found):
        raise DataError(f"{expression!r} is no column, and as a regular expression it is found in no path")
    return found


def _components(names: NDArray[Any], contents: Codes) -> Codes:
    """Numbers of units: samples that share a name or a content, or are linked by others, have the same."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    codes = pd.factorize(names)[0].astype(np.int64)
    items = int(codes.max()) + 1
    nodes = items + int(contents.max()) + 1
    links = coo_array((np.ones(len(codes), np.int8), (codes, contents + items)), shape=(nodes, nodes))
    _, component = connected_components(links, directed=False)
    return np.unique(component[codes], return_inverse=True)[1].astype(np.int64)


def _spread(table: SampleTable, units: Codes) -> NDArray[Any]:
    """The purpose of each unit, None where none of its samples has one."""
    assigned = table["purpose"].notna().to_numpy()
    purposes = np.full(int(units.max()) + 1, None, object)
    pairs = pd.DataFrame({"unit": units[assigned], "purpose": table["purpose"][assigned].to_numpy()}).drop_duplicates()
    divided = pairs["unit"][pairs["unit"].duplicated()].unique()
    if len(divided):
        places = np.flatnonzero(assigned & np.isin(units, divided))
        listed = [f"{table['path'].iat[place]} ({table['purpose'].iat[place]})" for place in places]
        raise LeakageError(
            f"{len(places)} samples of {len(divided)} items or contents have several purposes: {_few(listed)}; "
            "expected one for each item"
        )
    purposes[pairs["unit"].to_numpy()] = pairs["purpose"].to_numpy()
    return purposes


def _few(texts: Sequence[str]) -> str:
    return ", ".join(texts[:LISTED]) + (f" and {len(texts) - LISTED} more" if len(texts) > LISTED else "")


def _hash_units(
    names: NDArray[Any], units: Codes, purposes: NDArray[Any], share: float, seed: int, purpose: str,
    remainder: str | None,
) -> None:  # fmt: skip
    """Each unit by itself: BLAKE2b of seed and name as a number in [0, 1), against the share."""
    ranks, sorted_names = _ranks(names, units)
    for unit in np.flatnonzero([each is None for each in purposes]):
        digest = hashlib.blake2b(f"{seed}\0{sorted_names[ranks[unit]]}".encode(), digest_size=8).digest()
        # 53 bits are what a float holds: the number stays below 1.
        chosen = (int.from_bytes(digest, "big") >> 11) / 2**53 < share
        purposes[unit] = purpose if chosen else remainder


def _ranks(names: NDArray[Any], units: Codes) -> tuple[Codes, NDArray[Any]]:
    """The place of each unit's first name among all names, which are sorted as strings, and these."""
    codes, sorted_names = pd.factorize(names, sort=True)
    ranks = np.full(int(units.max()) + 1, len(names), np.int64)
    np.minimum.at(ranks, units, codes)
    return ranks, np.asarray(sorted_names, object)


def _permute_units(
    strata: _Strata, units: Codes, names: NDArray[Any], purposes: NDArray[Any], split: Split, purpose: str,
    remainder: str | None,
) -> None:  # fmt: skip
    """Stratum by stratum, in the order of their names; see `Split`. A unit is decided in the first that it is in."""
    generator = np.random.RandomState(split.seed)
    ranks, _ = _ranks(names, units)
    decided = np.array([each is not None for each in purposes])
    for stratum in range(len(strata.names)):
        here, sizes = np.unique(units[strata.codes == stratum], return_counts=True)
        target = split.share * sizes.sum() - sizes[purposes[here] == purpose].sum()
        waiting = np.flatnonzero(~decided[here])
        waiting = waiting[np.argsort(ranks[here[waiting]])]
        decided[here] = True
        permuted = waiting[generator.permutation(len(waiting))]
        purposes[here[permuted]] = remainder
        if len(permuted) and target > 0:
            taken = _count(np.cumsum(sizes[permuted]), target, generator)
            purposes[here[permuted[:taken]]] = purpose


def _count(ends: NDArray[Any], target: float, generator: np.random.RandomState) -> int:
    """How many of the units that end there are taken to come near the target, by chance the one nearer or the next."""
    index = int(np.searchsorted(ends, target, "right"))
    if index < len(ends):
        before = ends[index - 1] if index else 0
        if generator.rand() > (target - before) / (ends[index] - before):
            index -= 1
    return index + 1


def save_assignments(table: SampleTable, path: str | Path) -> None:
    """Writes the purpose of every sample, by its id, to a CSV file; what the file has of other samples stays.

    Raises:
        LeakageError: the file has another purpose for one of the samples, or two of equal content have different ones.
        DataError: the file is no such table.
        OutputError: it cannot be written.
    """
    path = Path(path)
    own = table.frame.loc[table["purpose"].notna(), ["sample_id", "purpose", "path"]]
    before = _read_assignments(path) if path.exists() else own.iloc[:0]
    both = pd.concat([before, own], ignore_index=True)
    _check_single(both)
    with written_whole(path) as temporary:
        both.drop_duplicates("sample_id").to_csv(temporary, index=False)


def load_assignments(table: SampleTable, path: str | Path) -> SampleTable:
    """The table with the purposes that a file of `save_assignments` has for its samples.

    Raises:
        LeakageError: a sample has another purpose already.
        DataError: there is no such file, or it is something else.
    """
    saved = _read_assignments(Path(path))
    own = table.frame.loc[table["purpose"].notna(), ["sample_id", "purpose", "path"]]
    _check_single(pd.concat([saved, own], ignore_index=True))
    known = dict(zip(saved["sample_id"], saved["purpose"], strict=True))
    pairs = zip(table["sample_id"], table["purpose"], strict=True)
    purposes = pd.Series([known.get(each, purpose) for each, purpose in pairs], dtype=object)
    return table.with_frame(table.frame.assign(purpose=purposes))


def _read_assignments(path: Path) -> pd.DataFrame:
    try:
        frame = pd.read_csv(path, dtype=str)
    except (OSError, ValueError) as error:
        raise DataError(f"the assignments {str(path)!r} cannot be read ({error})") from error
    if not {"sample_id", "purpose", "path"} <= set(frame.columns):
        raise DataError(f"{str(path)!r} has the columns {', '.join(frame.columns)}; expected sample_id, purpose, path")
    return frame[["sample_id", "purpose", "path"]]


def _check_single(frame: pd.DataFrame) -> None:
    pairs = frame.drop_duplicates(["sample_id", "purpose"])
    divided = pairs["sample_id"][pairs["sample_id"].duplicated()]
    if len(divided):
        told = pairs[pairs["sample_id"].isin(divided)]
        listed = [f"{path} ({purpose})" for path, purpose in zip(told["path"], told["purpose"], strict=True)]
        raise LeakageError(f"{len(divided)} samples have several purposes: {_few(listed)}; expected one for each")
