"""What can be profiled: folders, tables, datasets of ours and others', loaders, any iterable; each as a `Source`."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from augimpact.data.dataset import Dataset, View
from augimpact.data.image import bytes_in
from augimpact.data.images import ImageDataset
from augimpact.data.locations import is_local
from augimpact.data.pipeline import ImagePipeline
from augimpact.data.samples import SampleTable
from augimpact.errors import DataError
from augimpact.profiling.alone import tried
from augimpact.profiling.class_names import class_names_of
from augimpact.profiling.fastai_batches import is_of_fastai, samples_of_fastai
from augimpact.profiling.labels import plain_label
from augimpact.profiling.source import Source
from augimpact.profiling.structure import kind_of
from augimpact.profiling.subset import is_indexed

__all__ = ["refuse_mistakes", "source_of"]

# The properties of a dataset that are boxes and the numbers of their classes.
BOXES = ("boxes", "box_labels")
# Pixels and label.
_Plain = tuple[NDArray[Any], Any]


def source_of(data: Any) -> Source:
    """What can be profiled, of a folder, a `SampleTable`, a dataset of ours or torchvision's, or any iterable.

    What has no class but the name of the folder that was given has none, and that name is not told.

    Raises:
        DataError: it is none of these.
    """
    if isinstance(data, (str, os.PathLike)):
        data = _with_empty_classes(SampleTable.from_folder(data, identity="path"), os.path.abspath(data))  # noqa: PTH100
    if isinstance(data, SampleTable):
        data = ImageDataset(data)
    if isinstance(data, ImageDataset) and data.augmentation is None:
        places = [str(path) for path in data.table["path"]]
        names = _names_of(data, _label_names(data))
        sizes = data.table["size"].tolist()
        return Source(_PlainView(data), True, len(data), names, places, fresh=True, ready=True, sizes=sizes)
    if isinstance(data, Dataset):
        data = data.view(["image", *_label_names(data)])
    if isinstance(data, View):
        names = _names_of(data.dataset, data.names)
        paths = list(data.dataset.view("path")) if "path" in data.dataset.properties else None
        is_boxed = "boxes" in data.names and "image" in data.names
        items = _Boxed(data) if is_boxed else _Renumbered(data) if data.dataset.stand_ins else data
        return Source(items, True, len(data), names, paths)
    refuse_mistakes(data)
    class_names = class_names_of(data)
    if hasattr(data, "__iter__") and not is_indexed(data):
        sizes_of_batches = ("bs",) if is_of_fastai(data) else ("batch_size", "batch_sampler")
        batched = any(getattr(data, name, None) is not None for name in sizes_of_batches)
        return Source(data, False, _samples_in(data), class_names, None, _stacks(data), batched=batched)
    if is_indexed(data) and not isinstance(data, Mapping):
        return Source(data, True, len(data), class_names, None)
    kind = type(data).__name__
    raise DataError(f"data of type {kind} gives no samples; expected a folder, dataset, table or iterable of them")


def refuse_mistakes(data: Any) -> None:
    """Refuses what would pass for a dataset, and is one of something else.

    Raises:
        DataError: all loaders of fastai's at once, a `DataFrame`, or an array or list of all images beside all labels.
    """
    kind, fastai = type(data).__name__, sys.modules.get("fastai.data.core")
    if fastai is not None and isinstance(data, fastai.DataLoaders):
        raise DataError(f"data of type {kind} has several loaders; pass dls.train and dls.valid of it as train and val")
    if isinstance(data, pd.DataFrame):
        expected = "a SampleTable, such as SampleTable.from_list(frame[column]) of a column of paths"
        raise DataError(f"data of type {kind} is no dataset; expected {expected}, or a list of images and their labels")
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        return
    images, labels = map(_shape_of, data)
    # Of colour, or grey with a number each.
    is_batch = (len(images) == 4 and len(labels) != 4) or (len(images) == 3 and len(labels) == 1)
    is_list = _are_images_beside_labels(*data)
    if is_list or (is_batch and images[:1] == labels[:1]):
        told = f"a list of {len(data[0])}" if is_list else f"an array of {images[0]}"
        expected = "pass it sample by sample, such as list(zip(images, labels))"
        raise DataError(f"a {kind} of {told} images and of their labels is no dataset; {expected}")


def _are_images_beside_labels(images: Any, labels: Any) -> bool:
    """Whether they are a list of images alone, and one of as many other things: no batch, which has images as well."""
    if not isinstance(images, (list, tuple)) or not images or not all(kind_of(each) == "image" for each in images):
        return False
    if not isinstance(labels, (list, tuple)):
        return 1 <= len(_shape_of(labels)) <= 2 and _shape_of(labels)[0] == len(images)
    return len(labels) == len(images) and not any(each is None or kind_of(each) == "image" for each in labels)


def _shape_of(data: Any) -> tuple[int, ...]:
    """That of an array, or of a list of numbers or names; of anything else none."""
    if isinstance(data, (list, tuple)) and all(isinstance(each, (int, str)) for each in data):
        return (len(data),)
    return tuple(getattr(data, "shape", ()))


class _Boxed:
    """Image and boxes of a view, with their classes if it names them, as torchvision's detection datasets have them."""

    def __init__(self, view: View) -> None:
        self._view = view

    def __len__(self) -> int:
        return len(self._view)

    def __getitem__(self, index: int) -> tuple[Any, dict[str, Any]]:
        named = dict(zip(self._view.names, self._view[index], strict=True))
        return named["image"], _target([named[name] for name in BOXES if name in named])


class _Renumbered:
    """The items of a view, with the numbers of `_numbers_of` for their classes."""

    def __init__(self, view: View) -> None:
        self._view, self._numbers = view, _numbers_of(view.dataset)

    def __len__(self) -> int:
        return len(self._view)

    def __getitem__(self, index: int) -> Any:
        item, names = self._view[index], self._view.names
        if len(names) == 1:
            return item
        pairs = zip(names, item, strict=True)
        return tuple(self._numbers[each] if name == "label" else each for name, each in pairs)


class _PlainView:
    """Pixels and label of each image of a table; several are decoded at once."""

    def __init__(self, dataset: ImageDataset) -> None:
        self._names, self._numbers = _label_names(dataset), _numbers_of(dataset)
        # Masks and boxes as large as the images are.
        plain = copy(dataset)
        plain.pipeline = self._pipeline = ImagePipeline(channels=None)
        self._view = plain.view(["content", *self._names])

    def __len__(self) -> int:
        return len(self._view)

    def __getitem__(self, index: int) -> _Plain:
        return self._decoded(self._view[index])

    def several(self, indices: Sequence[int]) -> Iterator[_Plain | Exception]:
        """Each of these, or what was raised in its place.

        All files are read before the first is decoded: every read lets another thread go on, and threads that take
        turns so often wait for each other more than they work.
        """
        read = deque(self._read(indices))
        while read:
            item = read.popleft()
            yield item if isinstance(item, Exception) else tried(self._decoded, item)

    def _read(self, indices: Sequence[int]) -> list[Any]:
        try:
            return self._view.__getitems__(indices)
        except Exception:  # of one of them, whatever its store raises
            return [tried(self._view.__getitem__, index) for index in indices]

    def _decoded(self, item: Sequence[Any]) -> _Plain:
        content, *found = item
        label = _target(found) if "boxes" in self._names else found[0]
        if self._numbers and self._names == ("label",):
            label = self._numbers[found[0]]
        seen = self._pipeline.picture(content)
        return bytes_in(seen) if isinstance(seen, Image.Image) else seen, plain_label(label)


def _label_names(dataset: Dataset) -> tuple[str, ...]:
    """The properties that are a sample's label: its mask, else its boxes and their classes, else its class."""
    first = next((name for name in ("mask", "boxes", "label") if name in dataset.properties), None)
    if first == "boxes":
        return tuple(name for name in BOXES if name in dataset.properties)
    return () if first is None else (first,)


def _with_empty_classes(table: SampleTable, folder: str) -> SampleTable:
    """The table, whose classes are also the empty folders beside those of its images: their files may be lost."""
    folders = {path.rpartition("/")[0] for path in table["path"].tolist() if is_local(path)}
    # Not beside the folder itself, which may hold images as well.
    beside = {each.rpartition("/")[0] for each in folders if each.startswith(f"{folder.rstrip('/')}/")}
    others = [entry for each in beside for entry in os.scandir(each) if entry.path not in folders]
    empty = {entry.name for entry in others if entry.is_dir() and not any(Path(entry).iterdir())}
    return replace(table, names=tuple(sorted({*table.class_names, *empty}))) if empty else table


def _names_of(dataset: Dataset, properties: Sequence[str]) -> tuple[str, ...] | None:
    """The names of the classes of these properties."""
    annotated = {"mask", "boxes"} & set(properties) and "label" not in properties
    if annotated or dataset.class_names is None:
        return dataset.annotation_names if annotated else None
    return tuple(name for name in dataset.class_names if name not in dataset.stand_ins)


def _numbers_of(dataset: Dataset) -> Sequence[int | None]:
    """The number of each class among those that `_names_of` tells, None of one that it does not; empty if it tells all.

    >>> pair = type("Pair", (Dataset,), {"class_names": ("a", "data", "z"), "stand_ins": {"data"}})
    >>> _numbers_of(pair())
    [0, None, 1]
    """
    names = dataset.class_names or ()
    told = [name for name in names if name not in dataset.stand_ins]
    return [told.index(name) if name in told else None for name in names] if dataset.stand_ins else []


def _target(found: Sequence[Any]) -> dict[str, Any]:
    """Boxes, and their classes if there are some."""
    return dict(zip(("boxes", "labels"), found, strict=False))


def _stacks(data: Any) -> bool:
    """Whether it is a loader of torch's that stacks each batch anew."""
    module = sys.modules.get("torch.utils.data")
    if module is None or type(data) is not module.DataLoader:
        return False
    return data.batch_sampler is not None and data.collate_fn is module.default_collate


def _samples_in(data: Any) -> int | None:
    """How many samples a loader has: of torch's, whose length is that in batches, as many as they draw."""
    if is_of_fastai(data):
        return samples_of_fastai(data)
    try:
        count = len(data)
        if getattr(data, "batch_size", None) is None:
            # Batches that somebody else makes may have any sizes.
            return None if getattr(data, "batch_sampler", None) is not None else count
        drawn = len(data.sampler) if hasattr(data, "sampler") else count * int(data.batch_size)
        return min(drawn, count * int(data.batch_size))
    except (TypeError, ValueError):
        return None
