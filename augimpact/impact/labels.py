"""Which class of a classifier a class of a dataset is: by its name, its number in WordNet, or as one says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
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

    A class is found by its WordNet id (`n01440764`) if the classifier's classes are ImageNet's thousand; by its name,
    also whatever its case and signs, if only one class is called so; or by its number, where none is found by name.

    Args:
        classes: of the dataset.
        names: of the classifier's classes.
        given: what cannot be found so: names or numbers by the dataset's classes. An empty mapping looks for none.

    Returns:
        As many as there are classes; all are −1 if not one of them is the classifier's, for then it is no labelled
        dataset.

    Raises:
        DataError: only some of them are the classifier's, one that is given is not, or several that are not given are
            the same one.

    >>> matched_classes(["golf ball", "Tench"], ["tench", "golf_ball"]), matched_classes(["holiday"], ["tench"])
    ([1, 0], [-1])
    """
    if given is not None and not given:
        return [UNKNOWN] * len(classes)
    known = dict(given or {})
    for each in known:
        if each not in classes:
            raise DataError(unknown("class of the dataset", each, classes))
    ids = _synsets(tuple(names)) if any(SYNSET.fullmatch(each) for each in classes) else {}
    called = [ids, _once((name, number) for number, name in enumerate(names)),
              _once((_plain(name), number) for number, name in enumerate(names))]  # fmt: skip
    wanted = [known.get(each, each) for each in classes]
    found = [_by_name(each, called, len(names)) for each in wanted]
    by_number = all(number == UNKNOWN for number in found)
    for place, name in enumerate(wanted):
        is_number = found[place] == UNKNOWN and str(name).isdecimal() and int(name) < len(names)
        if is_number and (by_number or classes[place] in known):
            found[place] = int(name)
    lacking = [each for each, number in zip(classes, found, strict=True) if number == UNKNOWN]
    if lacking and (known or len(lacking) < len(classes)):
        reason = unknown("class of the classifier", known.get(lacking[0], lacking[0]), names)
        raise DataError(
            f"{reason}; of {len(classes)} classes in the dataset {len(lacking)} are none of the classifier's, expected "
            f"labels={{{lacking[0]!r}: 'its name for it', …}}, or labels={{}} to go without"
        )
    _refuse_same(classes, found, names, known)
    return found


def _by_name(name: str | int, called: Sequence[Mapping[str, int]], count: int) -> int:
    """What the first of `called` that knows the name, or knows it without case and signs, says."""
    if isinstance(name, int):
        return name if 0 <= name < count else UNKNOWN
    ids, exact, plain = called
    return ids.get(name, exact.get(name, plain.get(_plain(name), UNKNOWN)))


def _once(named: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The numbers of names that are there once."""
    several: dict[str, list[int]] = {}
    for name, number in named:
        several.setdefault(name, []).append(number)
    return {name: numbers[0] for name, numbers in several.items() if name and len(numbers) == 1}


def _refuse_same(
    classes: Sequence[str], found: Sequence[int], names: Sequence[str], known: Mapping[str, str | int]
) -> None:
    first: dict[int, str] = {}
    for each, number in zip(classes, found, strict=True):
        if number == UNKNOWN or each in known:
            continue
        if number in first:
            raise DataError(
                f"the dataset's classes {first[number]!r} and {each!r} both seem to be {names[number]!r}; "
                f"expected labels={{{each!r}: 'its name for it', …}}"
            )
        first[number] = each


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
