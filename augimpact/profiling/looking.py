"""How a pass looks at samples: all that may be done on any thread, a group of them at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from augimpact.profiling.ahead import grouped
from augimpact.profiling.annotations import Annotations
from augimpact.profiling.augmented import before_and_after
from augimpact.profiling.collect import Measured, measured_of
from augimpact.profiling.decode import Decoder
from augimpact.profiling.needs import PICTURES
from augimpact.profiling.segmentation import MaskNumbers
from augimpact.profiling.source import Failure, Sample, Source
from augimpact.profiling.structure import Finder

if TYPE_CHECKING:
    from augimpact.augment.random import RandomAugmentation

__all__ = ["Look", "Looked", "Work", "numbers_in", "taken_in", "work_of"]

# Bytes of images that are measured in one go: enough that a task's own cost is small beside them.
GROUP = 1 << 23
# Of files, whose images nobody knows yet, so many at most.
FILES = 8


class Work(NamedTuple):
    """What is to be looked at.

    groups: of items.
    read: gives the sample of an item.
    """

    groups: Iterator[list[Any]]
    read: Callable[[Any], Sample | Failure]


def work_of(
    source: Source,
    decoder: Decoder,
    images: Finder,
    labels: Finder,
    needs: Collection[str],
    *,
    most: int | None,
    on_cut: Callable[[], object],
) -> Work:
    """The samples of a source in groups; those of files are read by whoever looks at them, on any thread.

    Args:
        source: of samples.
        decoder: of images that are none of ours.
        images: where they are, see `Source.samples`; and `labels`.
        labels: see `images`.
        needs: what is measured.
        most: samples.
        on_cut: see `Source.samples`.
    """
    items: Iterable[Any]
    if source.ready and images is None and labels is None:
        files = range(source.length or 0)[:most]
        # Images that are kept wait, one in each group, for their turn.
        return Work(grouped(files, lambda _: 1, 1 if PICTURES & set(needs) else FILES), source.sample)
    items = source.samples(decoder, images, labels, on_cut)
    return Work(grouped(islice(items, most), _size, GROUP), lambda sample: sample)


def _size(sample: Sample | Failure) -> int:
    """In bytes."""
    return sample.image.nbytes if isinstance(sample, Sample) else 0


class Looked(NamedTuple):
    """What a sample's image and mask come to."""

    measured: Measured
    mask: MaskNumbers | None


class Look(NamedTuple):
    """How samples are looked at: all that may be done on any thread."""

    read: Callable[[Any], Sample | Failure]
    numbers: Sequence[int]
    augmentation: RandomAugmentation | None
    outside: int
    annotations: Annotations
    needs: Collection[str]

    def at_group(self, items: Sequence[Any]) -> list[list[Looked | Failure]]:
        """What the sample of each item comes to; or each before and after augmentation."""
        return [self._at(_renumbered(self.read(item), self.numbers)) for item in items]

    def _at(self, sample: Sample | Failure) -> list[Looked | Failure]:
        passes = 1 if self.augmentation is None else 2
        if isinstance(sample, Failure):
            return [sample] * passes
        try:
            if self.augmentation is None:
                return [self._at_one(sample)]
            return [self._at_one(each) for each in before_and_after(sample, self.augmentation, outside=self.outside)]
        except ImportError:  # of what is installed, and no fault of the sample
            raise
        except Exception as error:  # one sample that is not as others are shall not end the pass
            return [_failure(sample, error)] * passes

    def _at_one(self, sample: Sample) -> Looked | Failure:
        measured = measured_of(sample, self.needs)
        try:
            mask = self.annotations.measured(sample)
        except Exception as error:  # of the mask, which augmentation may have left whole
            return _failure(sample, error)
        # A mask is as large as its image.
        return Looked(measured if mask is None else measured._replace(label=None), mask)


def taken_in(annotations: Annotations, seen: Looked | Failure) -> tuple[Measured | Failure, frozenset[int] | None]:
    """Takes in the annotation of a sample, and gives its classes; a failure if it cannot be used."""
    if isinstance(seen, Failure):
        return seen, None
    try:
        return seen.measured, annotations.take(seen.measured, seen.mask)
    except Exception as error:  # one sample that is not as others are shall not end the pass
        return _failure(seen.measured, error), None


def _failure(sample: Sample | Measured, error: Exception) -> Failure:
    return Failure(sample.number, f"{type(error).__name__}: {error}", sample.path)


def numbers_in(names: Sequence[str], own: Sequence[str] | None) -> Sequence[int]:
    """The number that `names` gives each class of a split, which counts its own from 0; none where all are the same.

    >>> numbers_in(["cat", "dog", "fox"], ["cat", "fox"])
    [0, 2]
    """
    numbers = [names.index(name) if name in names else number for number, name in enumerate(own or ())]
    return [] if numbers == [*range(len(numbers))] else numbers


def _renumbered(sample: Sample | Failure, numbers: Sequence[int]) -> Sample | Failure:
    """The sample with the number of its class in place of that in its split."""
    label = sample.label if isinstance(sample, Sample) else None
    if isinstance(sample, Sample) and isinstance(label, int) and 0 <= label < len(numbers):
        return sample._replace(label=numbers[label])
    return sample
