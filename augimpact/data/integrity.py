"""What is wrong with a set of samples: duplicates, labels that contradict each other, leakage, unreadable files."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from augimpact.data.hashing import THREADS
from augimpact.data.image import as_seen, opened
from augimpact.data.pipeline import NPY, load_array, unit_array
from augimpact.data.samples import SampleTable
from augimpact.errors import DataError
from augimpact.progress import Telling, telling

__all__ = ["Integrity", "check_integrity", "link", "near_pairs", "perceptual_hash"]

# Of 64 bits: what JPEG compression and scaling change of a photograph.
NEAR = 4
HASH_SIDE = 8
# The side down to which a JPEG is decoded.
DRAFT = 16 * HASH_SIDE
# Hashes that are compared with all others at a time.
BLOCK = 256
Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class Integrity:
    """What was found, each a frame with a row a sample and the number of its `group`.

    Attributes:
        exact: samples of equal content.
        near: samples that look alike and are not equal throughout.
        label_conflicts: those of either whose group has several classes.
        leakage: those of either whose group has several purposes.
        unreadable: `path` and `error` of what is no image.
    """

    exact: pd.DataFrame
    near: pd.DataFrame
    label_conflicts: pd.DataFrame
    leakage: pd.DataFrame
    unreadable: pd.DataFrame

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        return not any(len(getattr(self, name)) for name in ("exact", "near", "unreadable"))

    def __repr__(self) -> str:
        found = {
            "exact duplicates": self.exact, "near duplicates": self.near, "in label conflicts": self.label_conflicts,
            "leaking between purposes": self.leakage, "unreadable": self.unreadable,
        }  # fmt: skip
        return f"Integrity({', '.join(f'{len(frame)} {name}' for name, frame in found.items())})"


def check_integrity(table: SampleTable, *, near: int | None = NEAR, progress: Telling | None = None) -> Integrity:
    """Looks for duplicates and what follows from them. A file that cannot be read is reported, and the rest looked at.

    Args:
        table: samples that are known by their content; others' equality is that of what they are known by.
        near: up to how many of 64 bits the perceptual hashes of near duplicates differ; None does not decode any image.
        progress: is told how many images are hashed, of how many; by default a bar.

    Raises:
        DataError: `near` is no number from 0 to 64.

    >>> cat = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    >>> check_integrity(SampleTable.from_arrays([cat, cat, 255 - cat], ["cat", "dog", "cat"]))
    Integrity(2 exact duplicates, 0 near duplicates, 2 in label conflicts, 0 leaking between purposes, 0 unreadable)
    """
    if near is not None and not 0 <= near <= 64:
        raise DataError(f"near is {near!r}; expected a number of bits from 0 to 64")
    unreadable = [table.errors]
    content = pd.factorize(table["sample_id"])[0]
    alike = content
    if near is not None:
        places = np.unique(content, return_index=True)[1]
        hashes, errors = _hash_all(table, places, progress)
        unreadable.append(errors)
        good = np.array([each is not None for each in hashes], bool)
        known = np.array([each for each in hashes if each is not None], np.uint64)
        pairs = np.flatnonzero(good)[near_pairs(known, near)]
        # Numbers of contents, which stand in the order of their first places.
        alike = link(pairs, len(places))[content]
    exact = _groups(table, content)
    near_frame = _groups(table, alike, apart=content)
    both = _groups(table, alike)
    return Integrity(
        exact,
        near_frame,
        _divided(both, "class"),
        _divided(both, "purpose"),
        pd.concat(unreadable).drop_duplicates("path", ignore_index=True),
    )


def perceptual_hash(image: Image.Image) -> int:
    """64 bits that say, on a grid of 8 × 8, where grey becomes lighter to the right: the difference hash.

    Equal to that of the package ImageHash. Source: Krawetz 2013, *Kind of Like That*, hackerfactor.com.
    """
    small = image.convert("L").resize((HASH_SIDE + 1, HASH_SIDE), Image.Resampling.LANCZOS)
    grey = np.asarray(small, np.int16)
    return int.from_bytes(np.packbits(grey[:, 1:] > grey[:, :-1]).tobytes(), "big")


def near_pairs(hashes: Hashes, distance: int) -> NDArray[np.int64]:
    """The pairs, `(P, 2)`, of 64-bit hashes that differ in at most `distance` bits.

    All are compared with all others, a million pairs in some two milliseconds.
    """
    found = []
    for first in range(0, len(hashes), BLOCK):
        block, rest = hashes[first : first + BLOCK], hashes[first:]
        near = np.bitwise_count(block[:, None] ^ rest[None]) <= distance
        left, right = np.nonzero(np.triu(near, 1))
        found.append(np.stack([left, right], axis=1) + first)
    return np.concatenate(found) if found else np.zeros((0, 2), np.int64)


def _hash_all(
    table: SampleTable, places: NDArray[np.int64], progress: Telling | None
) -> tuple[list[int | None], pd.DataFrame]:
    hashes: list[int | None] = []
    errors: list[tuple[str, str]] = []
    # Each image's decoding puts the process's filters aside: of several at a time, one puts back another's.
    kept = warnings.catch_warnings()
    with kept, telling("looking at images", progress) as tell, ThreadPoolExecutor(THREADS) as pool:
        for place, found in zip(places, pool.map(lambda place: _hash_one(table, place), places.tolist()), strict=True):
            hashes.append(found if isinstance(found, int) else None)
            if isinstance(found, Exception):
                errors.append((table["path"].iat[place], f"{type(found).__name__}: {found}"))
            tell(len(hashes), len(places))
    return hashes, pd.DataFrame(errors, columns=["path", "error"], dtype=object)


def _hash_one(table: SampleTable, place: int) -> int | Exception:
    try:
        return perceptual_hash(_picture(table.read(place)))
    except Exception as error:  # of stores and decoders, each with classes of its own
        return error


def _picture(content: bytes) -> Image.Image:
    if content.startswith(NPY):
        grey = unit_array(load_array(content)).mean(axis=-1)
        return Image.fromarray(np.rint(np.nan_to_num(grey.clip(0, 1)) * 255).astype(np.uint8))
    with opened(content) as image:
        # A large JPEG is decoded at a part of its size; it hashes to the same but for a bit or two.
        image.draft(None, (DRAFT, DRAFT))
        return as_seen(image)


def link(pairs: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """A number for each of `count` nodes, equal where pairs link them."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1], np.int64)


def _groups(table: SampleTable, numbers: NDArray[np.int64], *, apart: NDArray[np.int64] | None = None) -> pd.DataFrame:
    """The samples of each number that several have; where `apart` is given, several of other numbers there."""
    frame = table.frame.assign(**{"class": table.classes.to_numpy(), "group": numbers})
    counted = pd.Series(np.arange(len(numbers)) if apart is None else apart)
    several = (counted.groupby(numbers).nunique() > 1).reindex(numbers).to_numpy(bool)
    frame = frame[several].sort_values(["group", "path"])
    return frame.assign(group=pd.factorize(frame["group"])[0]).reset_index(drop=True)


def _divided(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """The groups whose samples have several values in the column."""
    several = frame.groupby("group")[column].nunique() > 1
    return frame[several.reindex(frame["group"]).to_numpy(bool)].reset_index(drop=True)
