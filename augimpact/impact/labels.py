"""Which class of a classifier a class of a dataset is: by its name, its number in WordNet, or as one says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache

from augimpact.errors import DataError, unknown

__all__ = ["SYNSET", "UNKNOWN", "matched_classes"]

# Where the right class is not known.
UNKNOWN = -1
# The name of a class of ImageNet in WordNet.
SYNSET = re.compile(r"n\d{8}")


def matched_classes(
    classes: Sequence[str], names: Sequence[str], given: Mapping[str, str | int] | None = None
) -> list[int]:
    """The number of each class of a dataset among a classifier's.

    A class is found by its name, whatever its case and signs; by its WordNet id (`n01440764`) if the classifier's
    classes are ImageNet's thousand; or by its number.

    Args:
        classes: of the dataset.
        names: of the classifier's classes.
        given: what cannot be found so: names or numbers by the dataset's classes. An empty mapping looks for none.

    Returns:
        As many as there are classes; all are −1 if not one of them is the classifier's, for then it is no labelled
        dataset.

    Raises:
        DataError: only some of them are the classifier's, or one that is given is not.

    >>> matched_classes(["golf ball", "Tench"], ["tench", "golf_ball"]), matched_classes(["holiday"], ["tench"])
    ([1, 0], [-1])
    """
    if given is not None and not given:
        return [UNKNOWN] * len(classes)
    known = dict(given or {})
    for each in known:
        if each not in classes:
            raise DataError(unknown("class of the dataset", each, classes))
    numbers = {_plain(name): number for number, name in reversed(list(enumerate(names)))}
    ids = _synsets(tuple(names)) if any(SYNSET.fullmatch(each) for each in classes) else {}
    found = [_number_of(known.get(each, each), numbers, ids, len(names)) for each in classes]
    lacking = [each for each, number in zip(classes, found, strict=True) if number == UNKNOWN]
    if lacking and (known or len(lacking) < len(classes)):
        reason = unknown("class of the classifier", known.get(lacking[0], lacking[0]), names)
        raise DataError(
            f"{reason}; of {len(classes)} classes in the dataset {len(lacking)} are none of the classifier's, expected "
            f"labels={{{lacking[0]!r}: 'its name for it', …}}, or labels={{}} to go without"
        )
    return found


def _number_of(name: str | int, numbers: Mapping[str, int], ids: Mapping[str, int], count: int) -> int:
    if isinstance(name, int):
        return name if 0 <= name < count else UNKNOWN
    if name in ids:
        return ids[name]
    plain = _plain(name)
    if plain in numbers:
        return numbers[plain]
    return int(name) if name.isdecimal() and int(name) < count else UNKNOWN


def _plain(name: str) -> str:
    """Without what differs between a folder's name and a label."""
    return " ".join(re.findall(r"[^\W_]+", name.casefold()))


@cache
def _synsets(names: tuple[str, ...]) -> dict[str, int]:
    """The WordNet ids of ImageNet's thousand classes, if these they are."""
    from timm.data import ImageNetInfo

    info = ImageNetInfo()
    if len(names) != info.num_classes():
        return {}
    return {info.index_to_label_name(number): number for number in range(len(names))}
