"""Where an image lies in a dataset: how each measure is distributed over images as a model sees them.

Sharpness depends on the resolution, and so does what a crop keeps: every image of the dataset is prepared for the model
and measured as it is fed, as a swept frame is. `reference_of` does it in one go; `Measuring` can be stopped between two
images and goes on where it was.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from augimpact.errors import AmbiguousData, Cancelled, DataError, unknown
from augimpact.measures import MEASURES, measure
from augimpact.profiling.part import READ, Part, Picture, none_readable, part_of, pictures_in
from augimpact.profiling.reading import Reading
from augimpact.progress import Telling, telling

__all__ = [
    "Distribution", "MeasurePanel", "Measuring", "Reference", "distribution_of", "reference_of",
]  # fmt: skip

MOST = 400
NAME = "The data"
# What is inside the data lies between these quantiles of it.
LOW, HIGH = 0.01, 0.99
# Quantiles that are kept of more values than that.
POINTS = 201
BINS, FEW_BINS, FEW = 30, 12, 60
# Values that differ by a lesser share of themselves are one; an axis of one reaches so far around it, or from 0 so far.
ROUNDING, AROUND, FROM_ZERO = 1e-9, 0.1, 0.05
# From this share of the images on it is worth a word that they were enlarged.
MANY = 0.1
Numbers = NDArray[np.float64]
# An image in, a tensor `(3, S, S)` in [0, 1] out: `ImageInput.sees`.
Sees = Callable[[Image.Image], Any]


@dataclass(frozen=True, eq=False)
class Distribution:
    """How the values of one measure lie.

    Attributes:
        counts: how many values each bin holds.
        edges: of the bins, from the least value to the highest, or from below to above where all are one; one more than
            bins.
        low: the 1st percentile.
        high: the 99th.
        values: sorted, the least first and the highest last; between them all values, or 201 quantiles of more.
        shares: which share of the data lies below each of `values`, half of what equals it counted.
    """

    counts: tuple[int, ...]
    edges: tuple[float, ...]
    low: float
    high: float
    values: Numbers
    shares: Numbers

    def percentile(self, value: float) -> float:
        """How much of the data lies below, in percent; of what equals the value, half.

        It is 0 for what is below all data, 100 for what is above all, and NaN for what is no number.
        """
        values, shares = self.values, self.shares
        first, last = (int(np.searchsorted(values, value, side)) for side in ("left", "right"))
        if first < last:
            return float(50 * (shares[first] + shares[last - 1]))
        return float(100 * np.interp(value, values, shares, left=0, right=1))

    def words(self, value: float) -> str:
        """The same as a person says it; a percentile, from the 1st to the 99th, only of what it `holds`.

        >>> four = distribution_of([1, 2, 2, 4])
        >>> four.words(1), four.words(2), four.words(9)
        ('below the 1st percentile', '50th percentile', 'above all')
        """
        if not self.values[0] <= value <= self.values[-1]:
            return "below all" if value < self.values[0] else "above all" if value > self.values[-1] else ""
        if not self.holds(value):
            return "below the 1st percentile" if value < self.low else "above the 99th percentile"
        return f"{_ordinal(min(99, max(1, math.floor(self.percentile(value) + 0.5))))} percentile"

    def holds(self, value: float) -> bool:
        """Whether it lies between the 1st and the 99th percentile."""
        return self.low <= value <= self.high


class MeasurePanel(NamedTuple):
    """One measure of a dataset, to stand beside pictures that are marked in it: `trace.save("….gif", panels=[…])`."""

    name: str
    distribution: Distribution

    @property
    def title(self) -> str:
        """The name, as a person reads it."""
        return self.name.capitalize()

    def __repr__(self) -> str:
        return f"MeasurePanel({self.name!r})"


@dataclass(frozen=True, eq=False)
class Reference:
    """How every measure is distributed over a dataset.

    Attributes:
        distributions: by the name of the measure.
        count: images that were measured.
        failed: images that could not be read, and were left out.
        enlarged: those of the measured whose shorter side is less than that of the model's input.
        caption: what was measured, in words: how many images of how many, how many could not be read, and how many were
            enlarged, if many.
    """

    distributions: Mapping[str, Distribution]
    count: int
    failed: int
    enlarged: int
    caption: str

    def __getitem__(self, name: str) -> MeasurePanel:
        if name not in self.distributions:
            raise DataError(unknown("panel", name, self.distributions))
        return MeasurePanel(name, self.distributions[name])

    def __repr__(self) -> str:
        return f"Reference({self.count} images, {self.failed} left out)"

    @property
    def panels(self) -> tuple[MeasurePanel, ...]:
        """One of each measure."""
        return tuple(MeasurePanel(name, each) for name, each in self.distributions.items())

    def percentile(self, name: str, value: float) -> float:
        """Where a value of a measure lies, in percent; see `Distribution.percentile`."""
        return self.distributions[name].percentile(value)

    def payload(self) -> dict[str, Any]:
        """Plain numbers for the browser, and the caption."""
        measures = [
            {
                "name": name,
                "about": f"{MEASURES[name].description}, {MEASURES[name].unit}",
                "counts": list(each.counts),
                "edges": list(each.edges),
                "low": each.low,
                "high": each.high,
                "values": each.values.tolist(),
                "shares": each.shares.tolist(),
            }
            for name, each in self.distributions.items()
        ]
        return {"caption": self.caption, "measures": measures}


def distribution_of(values: ArrayLike, maximum: float = math.inf) -> Distribution:
    """How the given numbers, at least one and none above `maximum`, lie.

    Quantiles are those of Hazen (1914): the k-th of n sorted values has (k − ½) / n of the data below it, which is
    the percentile rank with half of the ties. The 1st and the 99th percentile are numpy's own. Where all numbers are
    one, the bins reach a tenth of it to both sides, but not beyond `maximum`; where that one is 0, from it to 0.05.

    >>> distribution_of([1, 2, 3, 4]).percentile(2)
    37.5
    """
    known = np.sort(np.asarray(values, np.float64))
    count = len(known)
    counts, edges = np.histogram(known, BINS if count >= FEW else FEW_BINS, _ends_of(known, maximum))
    middle = (np.arange(min(count, POINTS)) + 0.5) / min(count, POINTS)
    points = np.quantile(known, middle, method="hazen") if count > POINTS else known
    ends = 0.5 / count
    low, high = np.quantile(known, [LOW, HIGH]).tolist()
    return Distribution(
        tuple(counts.tolist()),
        tuple(edges.tolist()),
        low,
        high,
        np.concatenate([known[:1], points, known[-1:]]),
        np.concatenate([[ends], middle, [1 - ends]]),
    )


def _ends_of(known: Numbers, maximum: float) -> tuple[float, float]:
    """Where the bins of sorted values begin and end: numpy's own would reach half of 1 around a single one."""
    least, highest = known[0], known[-1]
    if highest - least > ROUNDING * max(abs(least), abs(highest)):
        return float(least), float(highest)
    if highest == 0:
        return 0.0, FROM_ZERO
    return float(least - AROUND * abs(least)), float(min(maximum, highest + AROUND * abs(highest)))


def reference_of(
    data: Any,
    sees: Sees,
    *,
    most: int = MOST,
    seed: int = 0,
    name: str = NAME,
    progress: Telling | None = None,
    cancelled: Callable[[], bool] | None = None,
    **options: Any,
) -> Reference:
    """The distribution of every measure of `augimpact.measures` over a dataset.

    Args:
        data: what `augimpact.profile` takes, or files of images, by name or as bytes, in a list or any iterable.
        sees: makes of an image what the model is fed: `model.sees`.
        most: so many images are measured; of more they are drawn, of what tells no length they are the first.
        seed: of what is drawn.
        name: what the data is called in the caption.
        progress: is told how many images are done, of how many; by default a bar.
        cancelled: asked between two images.
        **options: how the data is read, as `augimpact.profile` takes them: `images`, `layout`, `value_range`, `mean`,
            `std`, `channels`.

    Raises:
        AmbiguousData: what is image, layout or range cannot be told.
        DataError: there is no such folder, or no image in the data that can be read.
        Cancelled: it was asked to stop.

    >>> import torch
    >>> greys = [np.full((8, 8), level, np.uint8) for level in (0, 51, 102, 255)]
    >>> grey = reference_of(greys, lambda image: torch.from_numpy(np.asarray(image) / 255).permute(2, 0, 1))
    >>> grey.percentile("brightness", 0.2), grey.percentile("brightness", 2)
    (37.5, 100.0)
    """
    with telling("measuring the data", progress) as tell:
        reading = Reading.of(options)
        measuring = Measuring(data, sees, most=most, seed=seed, name=name, reading=reading)
        return measuring.run(tell, cancelled or _never)


def _never() -> bool:
    return False


class Measuring:
    """What `reference_of` does, in pieces; arguments as there."""

    def __init__(
        self,
        data: Any,
        sees: Sees,
        *,
        most: int = MOST,
        seed: int = 0,
        name: str = NAME,
        reading: Reading = READ,
    ) -> None:
        self._data, self._sees, self._most, self._seed, self._name = data, sees, most, seed, name
        # The label says nothing here, but where it is may tell what is the image.
        self._reading = reading if reading.labels is not None else replace(reading, labels=lambda _item: None)
        self._cancelled: Callable[[], bool] = _never
        self._part: Part | None = None
        self._pictures: Iterator[Callable[[], Picture]] = iter(())
        self._rows: list[dict[str, float]] = []
        self._failed = self._enlarged = 0
        self._first_error: Exception | None = None

    def run(self, progress: Telling, cancelled: Callable[[], bool] = _never) -> Reference:
        """Goes on to the end, and raises what `reference_of` does; after `Cancelled` it can be run again."""
        self._cancelled = cancelled
        if self._part is None:
            self._part = self._begin()
        while (read := self._next()) is not None:
            try:
                image = read().image
                seen = self._sees(image)
                self._rows.append(_measured(seen))
                self._enlarged += min(image.size) < seen.shape[-1]
            except AmbiguousData:
                self._part = None
                raise
            except Exception as error:  # of a user's file or dataset, whatever it raises
                self._failed += 1
                self._first_error = self._first_error or error
            done = len(self._rows) + self._failed
            progress(done, max(done, self._part.least))
            self._check()
        if not self._rows:
            raise none_readable(self._first_error)
        distributions = {
            name: distribution_of([row[name] for row in self._rows], each.maximum) for name, each in MEASURES.items()
        }
        count = len(self._rows)
        caption = _caption(self._name, count + self._failed, self._part.total, self._failed)
        if self._enlarged >= MANY * count:
            caption += f" {_enlarged(self._enlarged, count + self._failed)}"
        return Reference(distributions, count, self._failed, self._enlarged, caption)

    def _begin(self) -> Part:
        part = part_of(self._data, self._most, self._seed)
        self._pictures = islice(pictures_in(part.data, self._reading, self._check), self._most)
        self._rows, self._failed, self._enlarged, self._first_error = [], 0, 0, None
        return part

    def _next(self) -> Callable[[], Picture] | None:
        """How the next image is read; None after the last."""
        try:
            return next(self._pictures, None)
        except Exception:
            # Also stopped while several wait for what tells their range: nothing comes after it.
            self._part = None
            raise

    def _check(self) -> None:
        if self._cancelled():
            raise Cancelled


def _measured(seen: Any) -> dict[str, float]:
    """The measures of what a model sees, in bytes."""
    frame = seen.mul(255).round().permute(1, 2, 0).cpu().numpy().astype(np.uint8)
    return {name: float(values[0]) for name, values in measure(frame[None]).items()}


def _caption(name: str, seen: int, total: int | None, failed: int) -> str:
    drawn = _images(seen) + (f" drawn from {total:,}" if total and total > seen else "")
    return f"{name}: {drawn}" + (f", {failed} of them cannot be read." if failed else ".")


def _enlarged(count: int, of: int) -> str:
    are, were, them = ("is", "was", "it") if count == 1 else ("are", "were", "them")
    they = "It" if of == 1 else "All of them" if count == of else f"{count:,} of them"
    return f"{they} {are} smaller than the model's input and {were} enlarged, which makes {them} less sharp."


def _ordinal(count: int) -> str:
    teens = 10 < count % 100 < 14
    return f"{count}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(count % 10, 'th')}"


def _images(count: int) -> str:
    return f"{count:,} image{'' if count == 1 else 's'}"
