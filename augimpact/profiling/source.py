"""The samples of anything that gives them, as one stream. What fails is told, and not fatal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from augimpact.errors import DataError
from augimpact.profiling.ahead import ahead
from augimpact.profiling.alone import Alone
from augimpact.profiling.batches import Cut, items_of
from augimpact.profiling.decode import Decoder, is_float
from augimpact.profiling.early import Early, is_of_all
from augimpact.profiling.labels import count_in, labels_in
from augimpact.profiling.structure import Finder, Found, split_item
from augimpact.profiling.targets import has_fractions
from augimpact.profiling.workers import kind_and_message

__all__ = ["MOST_TOLD", "Failure", "Sample", "Source", "told"]

# Images that wait, at most, until their range is decided, and their bytes: X-rays are large.
WAITING, WAITING_BYTES = 256, 1 << 30
# Letters of what an exception says.
MOST_TOLD = 300


class Sample(NamedTuple):
    """One sample.

    number: its place in the stream.
    image: `(H, W, C)`: bytes of a file, or whatever a loader gave, which `Decoder.bytes_of` makes bytes of; an array,
        or a tensor where it lies.
    label: a whole number, a vector, a mask `(H, W)`, a mapping with boxes, or None.
    path: where it lies, if that is known.
    hidden: whether it may be told that it is there, and no more.
    """

    number: int
    image: Any
    label: Any
    path: str | None
    hidden: bool = False


class Failure(NamedTuple):
    """What stands in the place of a sample that could not be used.

    number: its place in the stream.
    error: the name of the exception's class, and after a colon what it says.
    path: where the sample lies, if that is known and may be told.
    """

    number: int
    error: str
    path: str | None

    @property
    def kind(self) -> str:
        """The name of the exception's class."""
        return self.error.partition(":")[0]

    @property
    def message(self) -> str:
        """What the exception says; empty where it says nothing, or that may not be told."""
        return self.error.partition(":")[2].strip()


class Source(NamedTuple):
    """What can be profiled.

    items: what is iterated, or asked by index.
    by_index: whether it is asked by index, so that one item that fails is one sample.
    length: of it, or None where that is unknown.
    class_names: if they are known.
    paths: of its samples, by index, if they are known.
    fresh: whether every item has memory of its own, which nobody fills again.
    ready: whether the items are the pixels and the label of an image, and may be asked for on several threads.
    batched: whether each item has several samples.
    sizes: of the files of its samples in bytes, by index, if they are known.
    """

    items: Any
    by_index: bool
    length: int | None
    class_names: tuple[str, ...] | None
    paths: Sequence[str] | None
    fresh: bool = False
    ready: bool = False
    batched: bool = False
    sizes: Sequence[int] | None = None

    def samples_at(self, indices: Sequence[int]) -> Iterator[Sample | Failure]:
        """Some samples of a source that is ready, in their order: read all at once, then decoded one by one."""
        for index, item in zip(indices, self.items.several(indices), strict=True):
            if isinstance(item, Exception):
                yield Failure(index, told(item), self._path(index))
            else:
                image, label = item
                yield Sample(index, image, label, self._path(index))

    def samples(
        self,
        decoder: Decoder,
        images: Finder = None,
        labels: Finder = None,
        on_cut: Callable[[], object] = lambda: None,
        on_wait: Callable[[], object] = lambda: None,
    ) -> Iterator[Sample | Failure]:
        """The samples one after the other, their images as the decoder takes them.

        If none of the first items can be used, it ends there.

        Args:
            decoder: of images; it learns their range.
            images: where they are, see `split_item`.
            labels: likewise.
            on_cut: called where the items ended by an error, so that some may be missing.
            on_wait: called again and again while samples wait for what tells their range.

        Raises:
            DataError: what is image and what label cannot be told in any of the first items, or the images' range
                cannot.
        """
        waiting: list[Sample] = []
        index, is_known, given = 0, False, labels is not None
        early = Early()
        in_batches = True if self.batched else None
        size = getattr(self.items, "batch_size", None) if self.batched else 1
        size = size if isinstance(size, int) and size > 0 else 1
        # Whether floats in the place of a label may be classes: not where others there are none.
        floats = True
        for item in self._items():
            if isinstance(item, Cut):
                on_cut()
                continue
            alone = item if isinstance(item, Alone) else None
            item = item if alone is None else alone.item
            places = self._places(index, size if alone is None else 1)
            if isinstance(item, Exception):
                yield from early.told(self._failures(places, item))
                index = places.stop
                continue
            try:
                if alone is not None and not is_known:
                    images, labels = _places_in(alone.in_batch(), images, labels)
                found = _found_in(item, images, labels, given, floats)
                most = size if self.batched and alone is None else None
                count = count_in(found.image, found.label, in_batches, most, decoder.layout)
                pictures = decoder.images_of(found.image, count)
                several = [*zip(pictures, labels_in(found.label, count), strict=True)]
            except Exception as error:  # of an item that is not as those before it
                if is_of_all(error, item, labels, is_known=is_known):
                    raise
                if not is_known:
                    early.doubt(error)
                    on_wait()
                yield from early.told(self._failures(places, error))
                index = places.stop
                if early.are_enough:
                    break
                continue
            yield from early.settled()
            floats = floats and not (labels is None and has_fractions(item))
            # Where they were found once they are looked for.
            images, labels, is_known = found.image_at, found.label_at if labels is None else labels, True
            in_batches, size = bool(in_batches) or count is not None, max(1, len(several)) if alone is None else size
            decoder.learn(pictures)
            for picture, label in several:
                waiting.append(self._kept(index, picture, label))
                index += 1
            if waiting and (decoder.is_decided or _are_many(waiting) or not _waits(decoder, waiting[-1])):
                yield from _released(waiting, decoder)
            else:
                on_wait()
        yield from early.ended()
        yield from _released(waiting, decoder)

    def _places(self, index: int, size: int) -> range:
        """Of the samples of a batch that failed: of how many it was is not known, but the last may be shorter."""
        if self.batched and self.length is not None:
            size = max(1, min(size, self.length - index))
        return range(index, index + size)

    def _failures(self, places: Sequence[int], error: Exception) -> Iterator[Failure]:
        """One for each sample that is lost."""
        for index in places:
            yield Failure(index, told(error), self._path(index))

    def _kept(self, index: int, picture: Any, label: Any) -> Sample:
        """What stays as it is when the loader fills the same memory again: it is looked at while the loader goes on."""
        if not self.fresh:
            picture = picture.copy(order="K") if isinstance(picture, np.ndarray) else picture.clone()
            label = _copied(label)
        return Sample(index, picture, label, self._path(index))

    def _path(self, index: int) -> str | None:
        return self.paths[index] if self.paths is not None and index < len(self.paths) else None

    def _item(self, index: int) -> Any:
        try:
            return self.items[index]
        except Exception as error:  # of a user's dataset, whatever it raises
            return error

    def _items(self) -> Iterator[Any]:
        """Items, or what was raised in the place of one."""
        if self.by_index:
            indices = range(self.length or 0)
            if self.ready:
                yield from ahead(self._item, indices)
                return
            # A user's dataset may not be made for several threads.
            yield from map(self._item, indices)
            return
        yield from items_of(self.items)


def _are_many(waiting: Sequence[Sample]) -> bool:
    return len(waiting) >= WAITING or sum(int(each.image.nbytes) for each in waiting) >= WAITING_BYTES


def _waits(decoder: Decoder, last: Sample) -> bool:
    """Whether samples wait for what decides: bytes do not, unless others before them do."""
    return is_float(last.image) or decoder.is_doubtful


def _released(waiting: list[Sample], decoder: Decoder) -> Iterator[Sample]:
    """What waited, and waits no more."""
    if waiting:
        decoder.refuse_doubt(waiting[-1].image.shape[-1])
    yield from waiting
    waiting.clear()


def _copied(label: Any) -> Any:
    if isinstance(label, Mapping):
        return {name: _copied(each) for name, each in label.items()}
    if hasattr(label, "detach"):
        return label.detach().clone()
    return label.copy() if isinstance(label, np.ndarray) else label


def _places_in(item: Any, images: Finder, labels: Finder) -> tuple[Finder, Finder]:
    """Where in an item image and label are."""
    found = split_item(item, images, labels)
    return found.image_at, found.label_at if labels is None else labels


def _found_in(item: Any, images: Finder, labels: Finder, given: bool, floats: bool) -> Found:
    """The parts of an item; where its label is not at the place of the one before, it is looked for anew."""
    try:
        return split_item(item, images, labels, floats=floats)
    except DataError:
        if given or labels is None:
            raise
        return split_item(item, images, None, floats=floats)


def told(error: Exception) -> str:
    """What went wrong with one sample, in a line."""
    kind, message = kind_and_message(error)
    return f"{kind}: {' '.join(message.split())[:MOST_TOLD]}"
