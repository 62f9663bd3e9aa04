"""The pixels of images counted where they lie, such as on a GPU: the same numbers as on the host.

Images of any sizes are gone through at once, their pixels one after the other in a single row, so that a batch of
different sizes costs no more than one of equal ones. All sums are of whole numbers: any device finds the same. What
leaves the device is some kB an image.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from augimpact.errors import ImageError
from augimpact.measures import LEVELS, MEASURES, measures_of
from augimpact.once import once

__all__ = ["Row", "RowPixels", "measure_tensor"]

# Red, green and blue in the luma, and a half, in 65536ths: as Pillow has them.
LUMA, HALF = (19595, 38470, 7471), 1 << 15
# Saturations are summed in steps of one over that.
FINE = 1 << 30
# Pixels that are gone through at once: some hundred bytes are needed for each.
CHUNK_PIXELS = 1 << 22
Numbers = NDArray[np.float64]


def measure_tensor(images: Tensor, names: Collection[str] = tuple(MEASURES)) -> dict[str, Numbers]:
    """Some measures of N images, as `augimpact.measures.measure` gives them; the saturation within 1e-9.

    Args:
        images: `(N, H, W, 3)` uint8, RGB, on any device.
        names: which of `MEASURES`.

    Raises:
        ImageError: another shape or type, or images without pixels.

    >>> measured = measure_tensor(torch.full((2, 4, 4, 3), 255, dtype=torch.uint8))
    >>> measured["brightness"].tolist(), measured["saturation"].tolist()
    ([1.0, 1.0], [0.0, 0.0])
    """
    shape = tuple(images.shape)
    if images.dtype != torch.uint8 or images.ndim != 4 or shape[-1] != 3 or 0 in shape[1:3]:
        raise ImageError(f"images of shape {shape} and type {images.dtype}; expected (N, H, W, 3) of uint8")
    measured = {name: np.empty(shape[0]) for name in MEASURES if name in names}
    step = max(1, CHUNK_PIXELS // (shape[1] * shape[2]))
    for start in range(0, shape[0], step):
        chunk = images[start : start + step]
        row = Row([(shape[1], shape[2])] * len(chunk), images.device)
        for name, values in measures_of(RowPixels(row, chunk.reshape(-1, 3)), names).items():
            measured[name][start : start + step] = values
    return measured


class Row:
    """Where the pixels of N images of any sizes are in a row of P, image by image and line by line.

    Args:
        sizes: height and width of each, at least one pixel.
        device: where the pixels lie.
    """

    def __init__(self, sizes: Sequence[tuple[int, int]], device: torch.device) -> None:
        self.sizes, self.device = np.array(sizes, np.int64), device
        self.counts = self.sizes.prod(axis=1)
        self.total = int(self.counts.sum())

    def of_images(self, values: NDArray[np.int64]) -> Tensor:
        """A number of each image, at each of its pixels, `(P,)`."""
        return self.sent(values)[self.image]

    def sent(self, values: NDArray[np.int64]) -> Tensor:
        """Whole numbers, on the device, where there is one for every pixel: so short as they can be."""
        return torch.from_numpy(values.astype(np.int32)).to(self.device)

    def sums(self, values: Tensor) -> NDArray[np.int64]:
        """The sum of whole numbers `(P,)` over each image, `(N,)`: exact."""
        upto = values.cumsum(0, dtype=torch.int64)[self.sent(self.counts.cumsum() - 1)].cpu().numpy()
        return np.diff(upto, prepend=0)

    def histograms(self, values: Tensor) -> NDArray[np.int64]:
        """How often each byte is in each column of `(P, C)`, by image: `(N, C, 256)`."""
        columns = values.shape[1]
        column = torch.arange(columns, dtype=torch.int32, device=self.device)
        places = (self.image[:, None] * columns + column) * LEVELS + values
        counts = torch.bincount(places.reshape(-1), minlength=len(self.sizes) * columns * LEVELS)
        return np.asarray(counts.cpu().numpy().reshape(-1, columns, LEVELS))

    def reduced(self, values: Tensor, factors: NDArray[np.int64]) -> list[NDArray[np.uint8]]:
        """Each image in cells of so many pixels a side, `(h, w, C)`: as Pillow's `reduce` rounds their means.

        Args:
            values: bytes `(P, C)`.
            factors: of each image, `(N,)`.
        """
        shapes = -(-self.sizes // factors[:, None])
        counts = shapes.prod(axis=1)
        starts = counts.cumsum() - counts
        factor = self.of_images(factors)
        cells = self.of_images(starts) + self.y // factor * self.of_images(shapes[:, 1]) + self.x // factor
        total = int(counts.sum())
        sums = torch.zeros(total, values.shape[1], dtype=torch.int64, device=self.device)
        sums.index_add_(0, cells, values.to(torch.int64))
        areas = torch.bincount(cells, minlength=total)[:, None]
        means = ((sums + areas // 2) * ((1 << 24) // areas)) >> 24
        parts = np.split(means.to(torch.uint8).cpu().numpy(), starts[1:])
        return [part.reshape(*shape, -1) for part, shape in zip(parts, shapes.tolist(), strict=True)]

    @once
    def image(self) -> Tensor:
        """The number of the image of each pixel, `(P,)`."""
        numbers = torch.arange(len(self.sizes), dtype=torch.int32, device=self.device)
        return numbers.repeat_interleave(self.sent(self.counts), output_size=self.total)

    @once
    def width(self) -> Tensor:
        """The width of its image, `(P,)`."""
        return self.of_images(self.sizes[:, 1])

    @once
    def place(self) -> Tensor:
        """Its place in the row, `(P,)`."""
        return torch.arange(self.total, dtype=torch.int32, device=self.device)

    @once
    def x(self) -> Tensor:
        """Its column, `(P,)`."""
        return self._within % self.width

    @once
    def y(self) -> Tensor:
        """Its line, `(P,)`."""
        return self._within // self.width

    @once
    def _within(self) -> Tensor:
        return self.place - self.of_images(self.counts.cumsum() - self.counts)


class RowPixels:
    """`augimpact.measures.Pixels` of a row.

    Args:
        row: where they are.
        pixels: RGB, `(P, 3)` uint8, on its device.

    >>> sizes = [(2, 3), (1, 1)]
    >>> pixels = RowPixels(Row(sizes, torch.device("cpu")), torch.tensor([[255, 0, 0]] * 7, dtype=torch.uint8))
    >>> pixels.colours[:, 0, 255].tolist(), pixels.saturation.tolist()
    ([6, 1], [1.0, 1.0])
    """

    def __init__(self, row: Row, pixels: Tensor) -> None:
        self.row, self.pixels = row, pixels

    @once
    def colours(self) -> NDArray[np.int64]:
        """How often each value is in each channel, `(N, 3, 256)`."""
        return self.row.histograms(self.pixels)

    @once
    def luma(self) -> NDArray[np.int64]:
        """How often each level of the luma is, `(N, 256)`."""
        return self.row.histograms(self._levels[:, None])[:, 0]

    @once
    def edges(self) -> Numbers:
        """Mean square of the Laplacian: differences to neighbours, none across the border."""
        row, levels = self.row, self._levels
        across = (levels[1:] - levels[:-1]) * (row.x[1:] > 0)
        laplacian = torch.zeros_like(levels)
        laplacian[:-1] += across
        laplacian[1:] -= across
        above = (row.place - row.width).clamp(min=0)
        below = (row.place + row.width).clamp(max=row.total - 1)
        laplacian += (levels[above] - levels) * (row.y > 0)
        laplacian += (levels[below] - levels) * (row.y < row.of_images(row.sizes[:, 0]) - 1)
        return np.asarray(row.sums(laplacian * laplacian) / row.counts)

    @once
    def saturation(self) -> Numbers:
        """Mean of (max − min) / max, 0 for black."""
        high, low = self.pixels.amax(dim=1), self.pixels.amin(dim=1)
        share = (high - low).to(torch.float32) / high.clamp(min=1).to(torch.float32)
        steps = (share * FINE).round().to(torch.int64)
        return np.asarray(self.row.sums(steps) / FINE / self.row.counts)

    @once
    def _levels(self) -> Tensor:
        red, green, blue = self.pixels.to(torch.int32).unbind(dim=1)
        return (red * LUMA[0] + green * LUMA[1] + blue * LUMA[2] + HALF) >> 16
