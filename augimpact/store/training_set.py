"""A training set: pairs of image and label, fed once, and used by index, in batches, or as any other dataset."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from augimpact.data.images import ImageDataset
from augimpact.data.pipeline import ImagePipeline
from augimpact.data.samples import COLUMNS, SampleTable
from augimpact.data.split import Split
from augimpact.errors import DataError, UserError, unknown
from augimpact.once import once
from augimpact.profiling.ahead import ahead
from augimpact.store.feeding import Fed, Pending
from augimpact.store.labels import given_back, own_classes
from augimpact.store.pairs import TEST, TRAIN, VALIDATION, Contents, Pair, Pairs, Place, Trainer
from augimpact.store.parts import PartReader, names_of, unpacked

if TYPE_CHECKING:
    from augimpact.data.images import Augmentation
    from augimpact.store.shelf import Document, Shelf

__all__ = ["TrainingSet"]

# Before the path of a sample that lies in a set.
ADDRESS = "augimpact-set:"


class TrainingSet:
    """Pairs of image and label of one kind, shape and type; see `augimpact.store.catalog.Catalog`, which makes them.

    It is as it was when it was opened, and with what it was fed itself; `refresh` sees what others fed meanwhile.
    """

    def __init__(self, shelf: Shelf, document: Document) -> None:
        self._shelf, self._document = shelf, dict(document)
        self._reader, self._may_feed = PartReader(), False
        self._pending = Pending(shelf, self.id, str(document["mlType"]))
        # What was fed and not saved is saved when nobody has the set any more; `feeding` does it when the program ends.
        weakref.finalize(self, self._pending.save).atexit = False

    def __reduce__(self) -> tuple[Any, ...]:
        self._flush()
        return type(self), (self._shelf, self._document)

    def __repr__(self) -> str:
        return f"TrainingSet({self.id}, {self.name!r}, {self.mltype}, {self.count})"

    def __getattr__(self, name: str) -> Any:
        # `bbox`, `sensors`, `shape`, `dtype`, `public`… are what the document says.
        if name.startswith("_") or name not in self._document:
            raise AttributeError(f"a training set has no {name!r}")
        value = self._document[name]
        return tuple(value) if isinstance(value, list) else value

    @property
    def id(self) -> int:
        """Its number in the catalogue."""
        return int(self._document["id"])

    @property
    def mltype(self) -> str:
        """`classification`, `object_detection` or `segmentation`."""
        return str(self._document["mlType"])

    @property
    def classes(self) -> tuple[str, ...]:
        """In the order of their numbers: of a segmentation the background first."""
        return tuple(self._document["classes"])

    @property
    def count(self) -> dict[str, int]:
        """How many pairs there are in each group, with those that are not saved yet."""
        count = dict(self._document["count"])
        for group, more in self._pending.count.items():
            count[group] = count.get(group, 0) + more
        return count

    @property
    def percent_cached(self) -> int:
        """How much of it, by bytes, is on this machine."""
        return self._shelf.share_at_hand(self.id)

    def __len__(self) -> int:
        self._flush()
        return sum(each["rows"] for each in self._parts)

    def document(self) -> Document:
        """The set as JSON has it."""
        return self._document | {"count": self.count, "percent_cached": self.percent_cached}

    def refresh(self) -> Self:
        """Sees what is in the catalogue now."""
        self._take(self._shelf.document(self.id))
        return self

    # What changes it.

    def feed(self, pairs: Iterable[tuple[Any, Any]], group: str = TRAIN) -> None:
        """Takes pairs in, of any number; a part is written whenever one is full, the rest by `save`.

        Args:
            pairs: of an image and a label. An image is an array or tensor `(C, H, W)` or `(H, W)`, a dask array, a
                Pillow picture, the path of a file, or a window of a large image with `array`, `grid`, `sensor`; a label
                as `augimpact.store.labels.as_label` takes it. A third in a pair is a mapping of what else is known.
            group: `train`, `test`, or any other name.

        Raises:
            NotYours: it is another's set.
            DataError: a pair that does not fit the set; those before it are in.
        """
        names_of([group], "groups")
        if not self._may_feed:
            # Said now, not when a part is full.
            self._shelf.check_owned(self.id)
            self._may_feed = True
        # Looked at one after the other, and packed by several threads.
        for row in ahead(Fed.packed, self._looked_at(pairs, group)):
            self._pending.add(group, row)
            if self._pending.is_full:
                self._flush()

    def _looked_at(self, pairs: Iterable[tuple[Any, ...]], group: str) -> Iterator[Fed]:
        for number, pair in enumerate(pairs):
            try:
                yield self._pending.looked_at(pair, self._document)
            except UserError as error:
                raise DataError(f"pair {number} of {group}: {error}") from error
            except Exception as error:  # of a user's image or label, whatever it raises
                raise DataError(f"pair {number} of {group}: {type(error).__name__}: {error}") from error

    def save(self) -> Document:
        """Writes what was fed and is not written yet, and gives the set's document."""
        self._flush()
        self.refresh()
        return self.document()

    def _flush(self) -> None:
        """Writes what was fed, after which the set is another."""
        found = self._pending.save()
        if found is not None:
            self._take(found)

    def _take(self, document: Document) -> None:
        self._document = dict(document)
        for name in ("_parts", "_groups", "_all"):
            vars(self).pop(name, None)

    def discard(self) -> None:
        """Forgets what was fed and is not written, such as what turned out not to fit."""
        self._pending.clear()

    def publish(self) -> Document:
        """Lets everybody who has a token read it."""
        return self._changed({"public": True})

    def unpublish(self) -> Document:
        """Takes that back for everybody but the owner."""
        return self._changed({"public": False})

    def update(self, **changes: str) -> Document:
        """Changes `name`, `description` or `source`."""
        return self._changed(changes)

    def _changed(self, changes: Document) -> Document:
        self.save()
        self._document = dict(self._shelf.change(self.id, changes))
        return self.document()

    def delete(self) -> None:
        """Takes it away for good."""
        self.discard()
        self._reader.close()
        self._shelf.delete(self.id)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Saves what is not saved, and closes its files."""
        self._flush()
        self._reader.close()

    # What uses it.

    @once
    def _parts(self) -> list[Document]:
        parts = self._shelf.parts(self.id)
        # After the parts, so that it knows the classes of all of them, whoever feeds meanwhile.
        self._document = dict(self._shelf.document(self.id))
        return parts

    @once
    def _groups(self) -> dict[str, list[Place]]:
        """The places of all pairs, by group."""
        self._flush()
        found: dict[str, list[Place]] = {}
        for number, part in enumerate(self._parts):
            found.setdefault(part["group"], []).extend(Place(number, row) for row in range(part["rows"]))
        return found

    def group(self, name: str) -> Pairs:
        """The pairs of a group.

        Raises:
            DataError: there is none of that name.
        """
        if name not in self._groups:
            raise DataError(unknown("group", name, self._groups))
        return Pairs(self, self._groups[name])

    def fetch(self) -> Self:
        """Gets all of it to this machine; what is here is not got again."""
        for number in range(len(self._parts)):
            self._path(number)
        return self

    @overload
    def __getitem__(self, key: int) -> Pair: ...
    @overload
    def __getitem__(self, key: slice) -> list[Pair]: ...
    def __getitem__(self, key: int | slice) -> Pair | list[Pair]:
        """A pair, or several: all groups one after the other."""
        return self._all[key]

    @once
    def _all(self) -> Pairs:
        return Pairs(self, [place for places in self._groups.values() for place in places])

    def batch(self, size: int, *, shuffle: bool = False, seed: int = 0) -> Trainer:
        """What a model is trained with: slices `train`, `test`, `validation`, and batches of arrays.

        Args:
            size: how many pairs a batch has; the last has what is left.
            shuffle: in an order that each pass over it draws anew.
            seed: of these orders.

        Raises:
            DataError: a size below 1.
        """
        if size < 1:
            raise DataError(f"a batch has {size} pairs; expected at least 1")
        return Trainer(self, size, shuffle, seed)

    def partition(
        self, shares: Sequence[float], *, stratify: bool = False, seed: int = 0, groups: Sequence[str] | None = None
    ) -> dict[str, Pairs]:
        """All pairs in new groups, each pair in one: by the hash of its content, so that more pairs move none.

        Args:
            shares: of the groups `train`, `test` and `validation`: numbers that add up to 1, or to 100.
            stratify: each class of a classification by itself.
            seed: of the choice.
            groups: names, as many as shares.

        Raises:
            DataError: shares that do not add up, or of a set whose pairs have no single class.
        """
        names = list(groups or (TRAIN, TEST, VALIDATION)[: len(shares)])
        whole = sum(shares)
        if len(names) != len(shares) or min(shares) < 0 or not (np.isclose(whole, 1) or np.isclose(whole, 100)):
            raise DataError(
                f"the shares are {list(shares)}; expected up to 3 that add up to 1 or 100, or names for them"
            )
        if stratify and self.mltype != "classification":
            raise DataError(f"a set of {self.mltype} has no class a pair; expected stratify=False")
        table, left = self._table(self._all.places), float(whole)
        chosen = np.full(len(table), names[-1], object)
        rest = np.arange(len(table))
        for number, (share, name) in enumerate(zip(shares[:-1], names[:-1], strict=True)):
            # With another seed: what has a high hash with one of them was left for a reason.
            part = min(1.0, share / left) if left > 0 else 0.0
            split = Split(share=part, stratify=["category"] if stratify else [], seed=seed + number)
            unassigned = table[rest].with_frame(table[rest].frame.assign(purpose=None))
            taken = (split.assign(unassigned, purpose=name, remainder=None)["purpose"] == name).to_numpy()
            chosen[rest[taken]] = name
            rest, left = rest[~taken], left - share
        places = self._all.places
        return {name: Pairs(self, [places[number] for number in np.flatnonzero(chosen == name)]) for name in names}

    def dataset(
        self,
        group: str = TRAIN,
        pipeline: ImagePipeline | None = None,
        *,
        augmentation: Augmentation | None = None,
        bands: Sequence[int] | None = None,
    ) -> ImageDataset:
        """A group as a modular dataset, which profiles, impacts, splits, samplers and loaders take.

        Args:
            group: its name.
            pipeline: from an array to a tensor, see `augimpact.data.images.ImageDataset`.
            augmentation: see there.
            bands: those that are red, green and blue, from 0; by default all.

        Raises:
            DataError: there is no such group.
        """
        return self.group(group).dataset(pipeline, augmentation=augmentation, bands=bands)

    def _table(self, places: Sequence[Place], bands: Sequence[int] | None = None) -> SampleTable:
        """The pairs as samples, whose images are read when they are asked for."""
        abouts = {number: self._reader.abouts(self._path(number)) for number in {place.part for place in places}}
        known = [abouts[place.part][place.row] for place in places]
        paths = [f"{ADDRESS}{self.id}/{self._parts[place.part]['name']}/{place.row}" for place in places]
        groups = [str(self._parts[place.part]["group"]) for place in places]
        is_classes = self.mltype == "classification"
        names = [self._class_of(each) for each in self._labels(places)] if is_classes else groups
        columns: dict[str, Any] = {
            "sample_id": [str(each["id"]) for each in known],
            "path": paths,
            "category": [(name,) for name in names],
            "folder": names,
            "size": [-1] * len(places),
            "etag": [None] * len(places),
            "purpose": groups,
            "name": [str(each.get("name", "")) for each in known],
        }
        if self.mltype == "segmentation":
            columns["mask"] = [path + "/mask" for path in paths]
        if self.mltype == "object_detection":
            found = [self._boxes(place) for place in places]
            columns["boxes"] = pd.Series([boxes for boxes, _ in found], dtype=object)
            numbers = [np.array([self.classes.index(name) for name in named], np.int64) for _, named in found]
            columns["box_labels"] = pd.Series(numbers, dtype=object)
        frame = pd.DataFrame(columns, columns=[*COLUMNS, *(name for name in columns if name not in COLUMNS)])
        ordered = self._class_names if is_classes else None
        where = dict(zip(paths, places, strict=True))
        annotated = None if is_classes else self.classes
        return SampleTable(frame, contents=Contents(self, where, bands), names=ordered, annotation_names=annotated)

    @property
    def _class_names(self) -> tuple[str, ...]:
        # Of a single class each pair is of it or not.
        return self.classes if len(self.classes) > 1 else (f"not {self.classes[0]}", self.classes[0])

    def class_of(self, pair: Pair) -> str:
        """The class of a pair of a classification, by name."""
        return self._class_of(pair.y)

    def _class_of(self, one_hot: NDArray[Any]) -> str:
        return self._class_names[int(one_hot.argmax()) if len(one_hot) > 1 else int(one_hot[0])]

    def _labels(self, places: Sequence[Place]) -> list[Any]:
        """As `given_back` gives them; of a classification each part's at once."""
        own = own_classes(self.mltype, self.classes)
        if self.mltype != "classification":
            found = (self._reader.label(self._path(place.part), place.row) for place in places)
            return [given_back(self.mltype, each, own) for each in found]
        tables = {}
        for number in {place.part for place in places}:
            classes, numbers = self._reader.labels(self._path(number))
            whole = np.zeros((len(numbers), len(own)), np.uint8)
            whole[:, [own.index(name) for name in classes]] = numbers
            tables[number] = whole
        return [tables[place.part][place.row] for place in places]

    def _boxes(self, place: Place) -> tuple[NDArray[np.float32], list[str]]:
        """All boxes of a pair, and the class of each."""
        label = self._reader.label(self._path(place.part), place.row)
        boxes = np.zeros((0, 4), np.float32) if label.boxes is None else label.boxes
        return boxes, [label.classes[int(number)] for number in label.numbers]

    def _path(self, number: int) -> Path:
        return self._shelf.file(self.id, self._parts[number])

    def _images(self, places: Sequence[Place]) -> NDArray[Any]:
        """`(n, C, H, W)`: read part by part, unpacked by several threads."""
        out = np.empty((len(places), *self.shape), self.dtype)
        order = sorted(range(len(places)), key=lambda number: places[number])
        waiting: list[tuple[int, bytes]] = []
        for part, numbers in groupby(order, key=lambda number: places[number].part):
            mine = list(numbers)
            packed = self._reader.packed(self._path(part), [places[number].row for number in mine])
            waiting += zip(mine, packed, strict=True)

        def unpack(each: tuple[int, bytes]) -> None:
            out[each[0]] = unpacked(each[1], self.shape, self.dtype)

        deque(ahead(unpack, waiting) if len(waiting) > 1 else map(unpack, waiting), maxlen=0)
        return out
