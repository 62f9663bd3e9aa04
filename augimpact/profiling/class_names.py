"""The names that a dataset has for its classes, also as the dataset of a loader, or of parts of it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from augimpact.profiling.fastai_batches import is_of_fastai
from augimpact.profiling.subset import Subset

__all__ = ["Unnamed", "class_names_of", "in_order"]

# The transforms of fastai's whose vocabulary has the names of classes by number, by their modules.
NUMBERING = {"fastai.data.transforms": "Categorize", "fastai.vision.core": "AddMaskCodes"}
# The pipelines of a loader of fastai's.
PIPELINES = ("after_item", "before_batch", "after_batch")


class Unnamed(str):
    """What a class is called that nobody named, by its number: it is one only where a label has that number."""

    __slots__ = ()


def class_names_of(data: Any) -> tuple[str, ...] | None:
    """The names by number; None where they are not known, or it is not certain that they are those of the labels."""
    if isinstance(data, Subset):
        return class_names_of(data.dataset)
    names = _names_in(data)
    if names is None and not _inner(data) and not hasattr(data, "__getitem__"):
        # A loader of somebody's own; a dataset around another may number its classes anew.
        return _names_in(getattr(data, "dataset", None))
    return names


def in_order(names: Mapping[int, Any]) -> tuple[str, ...]:
    """Names by number as a sequence; a number between them that has none is called by itself, and is `Unnamed`.

    >>> in_order({0: "cat", 2: "dog"})
    ('cat', 'class 1', 'dog')
    """
    count = max(names, default=-1) + 1
    return tuple(str(names[each]) if each in names else Unnamed(f"class {each}") for each in range(count))


def _names_in(data: Any) -> tuple[str, ...] | None:
    """Those of a dataset, of the dataset in a loader, and of the one that others are parts of."""
    vocabularies = _vocabularies(data)
    if vocabularies:
        return _flat(vocabularies[0]) if len(vocabularies) == 1 else None
    own = getattr(data, "classes", None)
    if hasattr(data, "class_to_idx") and getattr(data, "target_transform", None) is not None:
        # As torchvision's have it: it may make other numbers of those of the names; of masks it makes tensors.
        return None
    if own and isinstance(own, (list, tuple)):
        return _told(own)
    found = {_names_in(each) for each in _inner(data)}
    return found.pop() if len(found) == 1 else None


def _told(classes: Sequence[Any]) -> tuple[str, ...]:
    """The names in what a dataset calls its classes: texts, several synonyms each, or entries with a name.

    The number of an entry with an `id`, as Cityscapes has them, is that and not its place; below 0 it is in no mask.
    """
    numbered = {_number(each, place): _name(each) for place, each in enumerate(classes)}
    return in_order({number: name for number, name in numbered.items() if number >= 0})


def _number(entry: Any, place: int) -> int:
    number = getattr(entry, "id", None) if isinstance(entry, tuple) else None
    return number if isinstance(number, int) else place


def _name(entry: Any) -> str:
    if isinstance(entry, tuple) and hasattr(entry, "name"):
        return str(entry.name)
    return ", ".join(map(str, entry)) if isinstance(entry, (tuple, list)) else str(entry)


def _inner(data: Any) -> Sequence[Any]:
    """The datasets that something has its samples of, labels and all: others may number their classes anew."""
    module = sys.modules.get("torch.utils.data")
    if module is not None and isinstance(data, module.ConcatDataset):
        return list(data.datasets)
    if (
        isinstance(data, Subset)
        or is_of_fastai(data)
        or (module is not None and isinstance(data, (module.DataLoader, module.Subset)))
    ):
        return [data.dataset]
    return []


def _vocabularies(data: Any) -> list[Any]:
    """Those of the classes in something of fastai's; what somebody set for a loader goes before its transforms'."""
    module = sys.modules.get("fastai.data.core")
    if module is None:
        return []
    if is_of_fastai(data):
        if vars(data).get("vocab") is not None:
            return [data.vocab]
        pipelines = [getattr(data, name) for name in PIPELINES]
        return [*_numbering(pipelines), *_vocabularies(data.dataset)]
    if isinstance(data, module.Datasets):
        return _numbering([each.tfms for each in data.tls])
    return _numbering([data.tfms]) if isinstance(data, module.TfmdLists) else []


def _numbering(pipelines: Iterable[Any]) -> list[Any]:
    modules = {sys.modules.get(module): name for module, name in NUMBERING.items()}
    kinds = tuple(getattr(module, name) for module, name in modules.items() if module is not None)
    transforms = [each for pipeline in pipelines for each in getattr(pipeline, "fs", ())]
    found = [getattr(each, "vocab", None) for each in transforms if isinstance(each, kinds)]
    return [each for each in found if each is not None]


def _flat(vocabulary: Iterable[Any]) -> tuple[str, ...] | None:
    """The names in a vocabulary; of one in a list of its own these, and of several, or where two are alike, none."""
    names = list(vocabulary)
    if any(not isinstance(each, str) and isinstance(each, Iterable) for each in names):
        return _flat(names[0]) if len(names) == 1 else None
    told = tuple(map(str, names))
    return told if told and len(set(told)) == len(told) else None
