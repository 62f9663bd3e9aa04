"""How a pass looks at samples: all that may be done on any thread, a group of them at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from augimpact.errors import AmbiguousData
from augimpact.profiling.ahead import grouped
from augimpact.profiling.annotations import Annotations
from augimpact.profiling.decode import Decoder, as_array
from augimpact.profiling.labels import classes_in
from augimpact.profiling.measuring import Measured, measured_here
from augimpact.profiling.needs import CONTENT, PICTURES
from augimpact.profiling.numbering import ClassNumbers, renumbered
from augimpact.profiling.segmentation import MaskNumbers
from augimpact.profiling.source import Failure, Sample, Source, told
from augimpact.profiling.stacks import refuse_stacks
from augimpact.profiling.structure import Finder

if TYPE_CHECKING:
    import torch

    from augimpact.augment.random import RandomAugmentation

__all__ = ["Look", "Looked", "Work", "content_of", "measuring_of", "size_of_group", "taken_in", "work_of"]

# Bytes of images that are handed to a task: enough that its own cost is small beside them.
GROUP = 1 << 23
# Files that are read in one go, and their bytes; whatever is larger is read alone.
FILES, READ = 16, 1 << 22
# Bytes of images that are decoded before they are measured: enough that a thread that has others wait for Python's lock
# does so seldom, few enough for a core's cache. On a device a hundred times as many are needed, by each thread.
DECODED, DECODED_FOR_DEVICE = 1 << 20, 1 << 22


class Work(NamedTuple):
    """What is to be looked at.

    groups: of items.
    read: gives the samples of a group.
    decode: makes bytes of an image of these.
    end: to be called when all were; raises `AmbiguousData` where it is still doubtful what their values mean.
    """

    groups: Iterator[list[Any]]
    read: Callable[[list[Any]], Iterable[Sample | Failure]]
    decode: Callable[[Any], Any]
    end: Callable[[], object] = lambda: None


def measuring_of(
    work: Work, needs: Collection[str], augmentation: RandomAugmentation | None, device: torch.device | None
) -> Callable[[list[Sample]], list[Measured]]:
    """What measures the images of samples, on a device or on the host.

    Args:
        work: tells how images are decoded.
        needs: names of measurements.
        augmentation: if there is one, they are bytes already.
        device: None is the host.
    """
    decode = work.decode if augmentation is None else _as_it_is
    if device is None:
        return partial(measured_here, decode=decode, needs=needs)
    from augimpact.profiling.on_device import OnDevice

    return OnDevice(device, decode, needs)


def _as_it_is(image: Any) -> Any:
    return image


def work_of(
    source: Source,
    decoder: Decoder,
    images: Finder,
    labels: Finder,
    classes: ClassNumbers,
    needs: Collection[str],
    *,
    most: int | None,
    on_cut: Callable[[], object],
) -> Work:
    """The samples of a source in groups; files are read, and images decoded, by whoever looks at them, on any thread.

    Args:
        source: of samples.
        decoder: of images; of files' it is told only what black and white are in numbers that are no bytes.
        images: where they are, see `Source.samples`; and `labels`.
        labels: see `images`.
        classes: number those that are named.
        needs: what is measured.
        most: samples.
        on_cut: see `Source.samples`.
    """
    items: Iterable[Any]
    if source.ready and images is None and labels is None:
        files = range(source.length or 0)[:most]
        # Images that are kept wait, one in each group, for their turn.
        size = 1 if PICTURES & set(needs) else READ

        def share(file: int) -> int:
            """Of what is read in one go."""
            return max(READ // FILES, source.sizes[file] if source.sizes is not None else 0)

        of_files = decoder.of_files()
        return Work(grouped(files, share, size), source.samples_at, of_files.learned, of_files.refuse_doubt)
    items = classes.numbered(refuse_stacks(source.samples(decoder, images, labels, on_cut)))
    return Work(grouped(islice(items, most), _size, GROUP), lambda samples: samples, decoder.bytes_of)


def _size(sample: Sample | Failure) -> int:
    """In bytes."""
    return int(sample.image.nbytes) if isinstance(sample, Sample) else 0


def size_of_group(items: Sequence[Any]) -> int:
    """In bytes, as far as it is known."""
    return sum(_size(item) for item in items)


class Looked(NamedTuple):
    """What a sample's image and mask come to, and whether it is hidden."""

    measured: Measured
    mask: MaskNumbers | None
    hidden: bool


class Look(NamedTuple):
    """How samples are looked at: all that may be done on any thread.

    work: what is read, and how it is decoded.
    numbers: of the classes, see `augimpact.profiling.numbering`.
    hides: classes of which no sample is shown, be it that its label is cut, ignored or of no use.
    augmentation: compares each sample with itself augmented.
    outside: the class of a mask beyond the image's border.
    annotations: measure the masks.
    measure: the images of some samples; see `measuring_of`.
    device: where it does so; None is the host.
    """

    work: Work
    numbers: Sequence[int]
    hides: frozenset[int]
    augmentation: RandomAugmentation | None
    outside: int
    annotations: Annotations
    measure: Callable[[list[Sample]], list[Measured]]
    device: torch.device | None

    def at_group(self, items: list[Any]) -> list[list[Looked | Failure]]:
        """What the sample of each item comes to; or each before and after augmentation."""
        limit = DECODED if self.device is None else DECODED_FOR_DEVICE
        found: list[Looked | Failure] = []
        waiting: list[Sample | Failure] = []
        filled = 0
        for each in self._forms(items):
            waiting.append(each)
            filled += _size(each)
            if filled >= limit:
                found += self._at(waiting)
                waiting, filled = [], 0
        found += self._at(waiting)
        passes = 1 if self.augmentation is None else 2
        return [found[first : first + passes] for first in range(0, len(found), passes)]

    def _forms(self, items: list[Any]) -> Iterator[Sample | Failure]:
        """Each sample; or each before and after augmentation."""
        for read in self.work.read(items):
            sample = renumbered(read, self.numbers)
            if self.hides and isinstance(sample, Sample):
                sample = sample._replace(hidden=bool(self.hides & classes_in(sample.label)))
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
        except (ImportError, AmbiguousData):  # of what is installed, or a question of all samples
            raise
        except Exception as error:  # one sample that is not as others are shall not end the pass
            return [_failure(sample, error)] * 2

    def _at(self, samples: Sequence[Sample | Failure]) -> list[Looked | Failure]:
        seen = [each for each in samples if isinstance(each, Sample)]
        measured = iter(self._measured(seen) if seen else [])
        return [self._looked(each, next(measured)) if isinstance(each, Sample) else each for each in samples]

    def _measured(self, samples: list[Sample]) -> list[Measured | Failure]:
        """What they come to; where measuring several fails, each half alone, to tell of which it is the fault."""
        try:
            return [*self.measure(samples)]
        except (ImportError, AmbiguousData):  # of what is installed, or a question of all samples
            raise
        except Exception as error:  # one sample that is not as others are shall not end the pass
            if len(samples) == 1:
                return [_failure(samples[0], error)]
            half = len(samples) // 2
            return self._measured(samples[:half]) + self._measured(samples[half:])

    def _looked(self, sample: Sample, measured: Measured | Failure) -> Looked | Failure:
        if isinstance(measured, Failure):
            return measured
        try:
            mask = self.annotations.measured(sample)
        except Exception as error:  # of the mask, which augmentation may have left whole
            return _failure(sample, error)
        # A mask is as large as its image.
        return Looked(measured if mask is None else measured._replace(label=None), mask, sample.hidden)


def content_of(seen: Looked | Failure) -> bytes | None:
    """What tells the image of a sample from others, where that was measured."""
    return None if isinstance(seen, Failure) else seen.measured.numbers.get(CONTENT)


def taken_in(
    annotations: Annotations, seen: Looked | Failure, content: bytes | None = None
) -> tuple[Measured | Failure, bool, bool]:
    """Takes in the annotation of a sample: a failure if it cannot be used; whether it has one, and is hidden.

    Args:
        annotations: of its split.
        seen: the sample.
        content: of its image before augmentation, see `content_of`.
    """
    if isinstance(seen, Failure):
        return seen, False, False
    try:
        return seen.measured, annotations.take(seen.measured, seen.mask, content), seen.hidden
    except Exception as error:  # one sample that is not as others are shall not end the pass
        return _failure(seen.measured, error), False, False


def _failure(sample: Sample | Measured, error: Exception) -> Failure:
    return Failure(sample.number, told(error), sample.path)
