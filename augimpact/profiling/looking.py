"""How a pass looks at samples: all that may be done on any thread, a group of them at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from augimpact.profiling.ahead import grouped
from augimpact.profiling.annotations import Annotations
from augimpact.profiling.decode import Decoder, as_array
from augimpact.profiling.measuring import Measured, check_shape, measured_from
from augimpact.profiling.needs import PICTURES
from augimpact.profiling.segmentation import MaskNumbers
from augimpact.profiling.source import Failure, Sample, Source, told
from augimpact.profiling.structure import Finder

if TYPE_CHECKING:
    import torch

    from augimpact.augment.random import RandomAugmentation

__all__ = ["Look", "Looked", "Work", "numbers_in", "taken_in", "work_of"]

# Bytes of images that are handed to a task: enough that its own cost is small beside them.
GROUP = 1 << 23
# Of files, whose images nobody knows yet, so many at most.
FILES = 16
# Bytes of images that are decoded before they are measured: enough that a thread that has others wait for Python's lock
# does so seldom, few enough for a core's cache.
DECODED = 1 << 20


class Work(NamedTuple):
    """What is to be looked at.

    groups: of items.
    read: gives the samples of a group.
    decode: makes bytes of an image of these.
    """

    groups: Iterator[list[Any]]
    read: Callable[[list[Any]], Iterable[Sample | Failure]]
    decode: Callable[[Any], Any]


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
    """The samples of a source in groups; files are read, and images decoded, by whoever looks at them, on any thread.

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
        size = 1 if PICTURES & set(needs) else FILES
        return Work(grouped(files, lambda _: 1, size), source.samples_at, lambda image: image)
    items = source.samples(decoder, images, labels, on_cut)
    return Work(grouped(islice(items, most), _size, GROUP), lambda samples: samples, decoder.bytes_of)


def _size(sample: Sample | Failure) -> int:
    """In bytes."""
    return int(sample.image.nbytes) if isinstance(sample, Sample) else 0


class Looked(NamedTuple):
    """What a sample's image and mask come to."""

    measured: Measured
    mask: MaskNumbers | None


class Look(NamedTuple):
    """How samples are looked at: all that may be done on any thread.

    work: what is read, and how it is decoded.
    numbers: of the classes, see `numbers_in`.
    augmentation: compares each sample with itself augmented.
    outside: the class of a mask beyond the image's border.
    annotations: measure the masks.
    needs: what is measured.
    device: where; None is the host.
    """

    work: Work
    numbers: Sequence[int]
    augmentation: RandomAugmentation | None
    outside: int
    annotations: Annotations
    needs: Collection[str]
    device: torch.device | None = None

    def at_group(self, items: list[Any]) -> list[list[Looked | Failure]]:
        """What the sample of each item comes to; or each before and after augmentation."""
        limit = DECODED if self.device is None else GROUP
        found: list[Looked | Failure] = []
        waiting: list[Sample | Failure] = []
        for each in self._forms(items):
            waiting.append(each)
            if sum(map(_size, waiting)) >= limit:
                found += self._at(waiting)
                waiting = []
        found += self._at(waiting)
        passes = 1 if self.augmentation is None else 2
        return [found[first : first + passes] for first in range(0, len(found), passes)]

    def _forms(self, items: list[Any]) -> Iterator[Sample | Failure]:
        """Each sample; or each before and after augmentation."""
        for read in self.work.read(items):
            sample = _renumbered(read, self.numbers)
            if self.augmentation is None:
                yield sample
            else:
                yield from self._augmented(sample, self.augmentation)

    def _augmented(self, sample: Sample | Failure, augmentation: RandomAugmentation) -> Sequence[Sample | Failure]:
        if isinstance(sample, Failure):
            return [sample] * 2
        # Loads torch, which nothing else needs for files on the host.
        from augimpact.profiling.augmented import before_and_after

        try:
            image = as_array(self.work.decode(sample.image))
            return before_and_after(
                sample._replace(image=image), augmentation, outside=self.outside, device=self.device
            )
        except ImportError:  # of what is installed, and no fault of the sample
            raise
        except Exception as error:  # one sample that is not as others are shall not end the pass
            return [_failure(sample, error)] * 2

    def _at(self, samples: Sequence[Sample | Failure]) -> list[Looked | Failure]:
        measured = iter(self._measured([each for each in samples if isinstance(each, Sample)]))
        return [self._looked(each, next(measured)) if isinstance(each, Sample) else each for each in samples]

    def _measured(self, samples: list[Sample]) -> list[Measured | Failure]:
        # What was augmented is bytes already.
        decode = self.work.decode if self.augmentation is None else lambda image: image
        device = self.device
        if device is None:
            return self._tried(samples, lambda some: _measured_here(some, decode, self.needs))
        from augimpact.profiling.on_device import measured_on

        return self._tried(samples, lambda some: measured_on(device, some, decode, self.needs))

    def _tried(
        self, samples: list[Sample], measure: Callable[[list[Sample]], list[Measured]]
    ) -> list[Measured | Failure]:
        """What they come to; where measuring several fails, each alone, to tell of which it is the fault."""
        try:
            return [*measure(samples)]
        except ImportError:  # of what is installed, and no fault of the sample
            raise
        except Exception as error:  # one sample that is not as others are shall not end the pass
            if len(samples) == 1:
                return [_failure(samples[0], error)]
            return [found for sample in samples for found in self._tried([sample], measure)]

    def _looked(self, sample: Sample, measured: Measured | Failure) -> Looked | Failure:
        if isinstance(measured, Failure):
            return measured
        try:
            mask = self.annotations.measured(sample)
        except Exception as error:  # of the mask, which augmentation may have left whole
            return _failure(sample, error)
        # A mask is as large as its image.
        return Looked(measured if mask is None else measured._replace(label=None), mask)


def _measured_here(samples: Sequence[Sample], decode: Callable[[Any], Any], needs: Collection[str]) -> list[Measured]:
    # Takes half a second to load, with the code that it has compiled.
    from augimpact.profiling.counting import CountedPixels

    images = [decode(sample.image) for sample in samples]
    for image in images:
        check_shape(image.shape)
    return measured_from(samples, [image.shape for image in images], CountedPixels(images), needs)


def taken_in(annotations: Annotations, seen: Looked | Failure) -> tuple[Measured | Failure, frozenset[int] | None]:
    """Takes in the annotation of a sample, and gives its classes; a failure if it cannot be used."""
    if isinstance(seen, Failure):
        return seen, None
    try:
        return seen.measured, annotations.take(seen.measured, seen.mask)
    except Exception as error:  # one sample that is not as others are shall not end the pass
        return _failure(seen.measured, error), None


def _failure(sample: Sample | Measured, error: Exception) -> Failure:
    return Failure(sample.number, told(error), sample.path)


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
