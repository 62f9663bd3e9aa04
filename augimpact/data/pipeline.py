"""From the bytes of an image file to a tensor of the size and range that a network is trained on."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.Image import Resampling

from augimpact.data.image import ORIENTATION, as_seen, opened, read_image, turned, unit_values
from augimpact.data.jpeg import plain_jpeg
from augimpact.errors import DataError, ImageError, unknown
from augimpact.once import once

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["FITS", "NPY", "ImagePipeline", "Region", "load_array", "size_of", "unit_array"]

FITS = ("pad", "crop", "stretch")
NPY = b"\x93NUMPY"
# How Pillow's modes begin whose numbers are no bytes.
DEEP = ("I", "F")
# How a portable greymap begins, as text and as bytes.
GREYMAPS = (b"P2", b"P5")
# EXIF's orientations that exchange width and height.
SIDEWAYS = (5, 6, 7, 8)
# Rec. 601, as Pillow's "L" and torchvision's grey have it.
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


class Region(NamedTuple):
    """A rectangle of an image: left and top edge, width and height in pixels; outside the image there is padding."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class ImagePipeline:
    """Reads an image of any kind that Pillow knows (16-bit, grey, CMYK, turned by its EXIF) or a `.npy` array.

    Of a file with several pages or frames, as TIFF, GIF and WebP may have, it is the first.

    Args:
        size: of the tensor, `(height, width)` or the side of a square; None leaves each image as large as it is.
        fit: how an image of another shape becomes that size: `pad` keeps all of it, `crop` its middle, both keep its
            aspect; `stretch` does not.
        regions: of interest, one or several, which are cut out first.
        channels: 3 (grey becomes RGB), 1 (luma), or None for those that the image has.
        range: the values that black and white become.
        fill: the value of padding, from 0 (black) to 1.

    Raises:
        DataError: sizes, regions, channels, a range or a fill that make no sense.

    >>> import pathlib, skimage
    >>> ImagePipeline((64, 96))((pathlib.Path(skimage.__file__).parent / "data" / "chelsea.png").read_bytes()).shape
    torch.Size([3, 64, 96])
    """

    size: int | tuple[int, int] | None = None
    fit: str = "pad"
    regions: Region | tuple[int, int, int, int] | Sequence[tuple[int, int, int, int]] | None = None
    channels: int | None = 3
    range: tuple[float, float] = (0.0, 1.0)
    fill: float = 0.0

    def __post_init__(self) -> None:
        if self.fit not in FITS:
            raise DataError(unknown("fit", self.fit, FITS))
        if self.channels not in (1, 3, None):
            raise DataError(f"channels is {self.channels!r}; expected 1, 3 or None")
        size, regions, span = _numbers(self.size), _numbers(self.regions), _numbers(self.range)
        if self.size is not None and not (size.shape in ((), (2,)) and _are_whole(size) and (size >= 1).all()):
            raise DataError(f"the size is {self.size!r}; expected a side, or height and width, of at least one pixel")
        shaped = regions.ndim in (1, 2) and regions.shape[-1] == 4 and _are_whole(regions)
        if self.regions is not None and not (shaped and (regions[..., 2:] >= 1).all()):
            expected = "left, top, width and height, of at least one pixel"
            raise DataError(f"the regions are {self.regions!r}; expected {expected}, of one or several")
        if span.shape != (2,) or not np.isfinite(span).all() or span[0] == span[1]:
            raise DataError(f"the range is {self.range!r}; expected two different numbers")
        if not 0 <= _numbers(self.fill).min() <= 1:
            raise DataError(f"the fill is {self.fill!r}; expected a number from 0 to 1")

    def __call__(self, content: bytes) -> Tensor:
        """`(C, H, W)` float32; of several regions `(R, C, H, W)`.

        Raises:
            ImageError: it is no image, damaged, too large, or has other channels than can become those wanted.
        """
        import torch

        planes = self._planes(content)
        black = round(self.fill * 255) if planes[0].mode in ("L", "RGB") else self.fill
        fill = (black, black, black) if planes[0].mode == "RGB" else black
        fitted = [[self._fitted(_cut(each, region, fill), Resampling.BILINEAR, fill) for each in planes]
                  for region in self._cuts]  # fmt: skip
        parts = [_tensor(some[0]) if len(some) == 1 else torch.cat([*map(_tensor, some)]) for some in fitted]
        tensor = torch.stack(parts) if self._several else parts[0]
        if planes[0].mode != "F":
            # Divided, as torchvision does it, bit for bit.
            tensor.div_(255)
        return self.ranged(tensor)

    def ranged(self, image: Tensor) -> Tensor:
        """An image in [0, 1], which is used up, in the range."""
        low, high = self.range
        return image if (low, high) == (0, 1) else image.mul_(high - low).add_(low)

    def picture(self, content: bytes) -> Image.Image | NDArray[Any]:
        """The whole image as it is, in its own channels: what is measured of a dataset.

        It is a picture of mode "RGB" or "L", or an array `(H, W, C)` of bytes, or of other numbers where the file has
        these, in their own type and range.

        Args:
            content: of the file.

        Raises:
            ImageError: it is no image, or damaged.
        """
        pixels = plain_jpeg(content)
        if pixels is not None:
            return pixels
        seen = None if content.startswith(NPY) else self._seen(content, None)
        if seen is not None and not seen.mode.startswith(DEEP):
            return seen
        stored = load_array(content) if seen is None else np.asarray(seen)
        values = _channels_last(stored)
        if values.dtype.kind == "b":
            return np.where(values, np.uint8(255), np.uint8(0))
        if content.startswith(GREYMAPS) and values.dtype == np.int32:
            # Pillow has brought them from the range that the file names into that of 16 bits.
            return values.astype(np.uint16)
        # Some files have the high byte first.
        return values.astype(values.dtype.newbyteorder("="), copy=False)

    def mask(self, content: bytes | NDArray[Any], *, outside: int = 0) -> Tensor:
        """A mask of classes, cut and fitted as the image is, without new classes between: `(H, W)` int64.

        Args:
            content: of a file whose values are numbers of classes (grey, or of a palette), or `(H, W)` integers.
            outside: the class of padding.

        Raises:
            ImageError: it is no such mask.
        """
        import torch

        values = _classes_in(content) if isinstance(content, bytes) else np.asarray(content)
        if values.ndim != 2 or not values.size or values.dtype.kind not in "iub":
            raise ImageError(f"a mask of shape {values.shape} and type {values.dtype}; expected (H, W) whole numbers")
        plane = Image.fromarray(values.astype(np.int32))
        cut = [_cut(plane, region, outside) for region in self._cuts]
        fitted = [np.asarray(self._fitted(each, Resampling.NEAREST, outside), np.int64) for each in cut]
        masks = [torch.from_numpy(each.copy()) for each in fitted]
        return torch.stack(masks) if self._several else masks[0]

    def boxes(self, boxes: NDArray[Any], size: tuple[int, int]) -> NDArray[np.float64]:
        """Boxes, cut and fitted as the image is; those beyond its edges are not clipped.

        Args:
            boxes: `(N, 4)`: left, top, right, bottom in pixels.
            size: height and width of the image.

        Raises:
            DataError: there are several regions.
        """
        if self._several:
            raise DataError("boxes lie in one image; expected a pipeline with a single region")
        region = self._cuts[0] or Region(0, 0, size[1], size[0])
        moved = np.asarray(boxes, np.float64).reshape(-1, 4) - [region.left, region.top] * 2
        if self.target is None:
            return np.asarray(moved, np.float64)
        left, top, width, height = self._place(region.width, region.height)
        scaled = moved * ([width / region.width, height / region.height] * 2)
        return np.asarray(scaled + [left, top] * 2, np.float64)

    @once
    def target(self) -> tuple[int, int] | None:
        """Height and width of the tensor, or None where they are the image's."""
        if self.size is None:
            return None
        height, width = np.broadcast_to(self.size, 2).tolist()
        return int(height), int(width)

    @once
    def _several(self) -> bool:
        return np.array(self.regions, object).ndim == 2

    @once
    def _cuts(self) -> list[Region | None]:
        """The regions, or None for the whole image."""
        if self.regions is None:
            return [None]
        return [Region(*map(int, each)) for each in np.atleast_2d(self.regions)]

    def _planes(self, content: bytes) -> list[Image.Image]:
        """One 8-bit image of the wanted channels, or one of floats in [0, 1] for each of them."""
        if content.startswith(NPY):
            return self._planes_of_array(content)
        seen = self._seen(content, self.channels)
        return self._floats(unit_values(seen)[..., None]) if seen.mode.startswith(DEEP) else [seen]

    def _seen(self, content: bytes, channels: int | None) -> Image.Image:
        """The image of a file as a person sees it: 8-bit RGB or grey, but what has other numbers is only turned."""
        with opened(content) as image:
            if image.mode.startswith(DEEP):
                return turned(image)
            if self.target is not None and self.regions is None:
                # A JPEG much larger than what is wanted is decoded at a half, a quarter or an eighth of its size.
                image.draft(None, (2 * max(self.target), 2 * max(self.target)))
            is_grey = image.mode in ("L", "LA", "1")
            # What is RGB already need not be copied.
            seen = turned(image) if image.mode == "RGB" and not image.has_transparency_data else as_seen(image)
        return seen.convert("L") if channels == 1 or (is_grey and channels is None) else seen

    def _planes_of_array(self, content: bytes) -> list[Image.Image]:
        values = load_array(content)
        if values.dtype == np.uint8 and self.channels is not None:
            seen = read_image(values)
            return [seen.convert("L") if self.channels == 1 else seen]
        return self._floats(unit_array(values))

    def _floats(self, values: NDArray[np.float32]) -> list[Image.Image]:
        """`(H, W, C)` as the wanted channels, each an image."""
        count = values.shape[-1]
        if self.channels == 1 and count == 3:
            values = (values @ LUMA)[..., None]
        elif self.channels is not None and count not in (1, self.channels):
            raise ImageError(f"an image of {count} channels; expected 1 or 3, or a pipeline with channels=None")
        planes = [Image.fromarray(np.ascontiguousarray(values[..., channel])) for channel in range(values.shape[-1])]
        return planes * 3 if self.channels == 3 and count == 1 else planes

    def _fitted(self, plane: Image.Image, resampling: Resampling, fill: Any) -> Image.Image:
        if self.target is None:
            return plane
        height, width = self.target
        if self.fit == "crop":
            share = max(width / plane.width, height / plane.height)
            kept = width / share, height / share
            left, top = (plane.width - kept[0]) / 2, (plane.height - kept[1]) / 2
            # Rounding may not lead beyond the edge.
            box = (max(left, 0), max(top, 0), min(left + kept[0], plane.width), min(top + kept[1], plane.height))
            return plane.resize((width, height), resampling, box=box)
        left, top, inner_width, inner_height = (int(each) for each in self._place(plane.width, plane.height))
        inner = plane.resize((inner_width, inner_height), resampling)
        if inner.size == (width, height):
            return inner
        canvas = Image.new(plane.mode, (width, height), fill)
        canvas.paste(inner, (left, top))
        return canvas

    def _place(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Left, top, width and height, in the tensor, of an image of this size."""
        if self.target is None:
            return 0, 0, width, height
        down, across = self.target
        if self.fit == "stretch":
            return 0, 0, across, down
        if self.fit == "crop":
            share = max(across / width, down / height)
            return (across - width * share) / 2, (down - height * share) / 2, width * share, height * share
        share = min(across / width, down / height)
        inner = max(1, round(width * share)), max(1, round(height * share))
        return (across - inner[0]) // 2, (down - inner[1]) // 2, *inner


def _cut(plane: Image.Image, region: Region | None, fill: Any) -> Image.Image:
    """The region; what of it lies outside the image is filled."""
    if region is None:
        return plane
    canvas = Image.new(plane.mode, (region.width, region.height), fill)
    canvas.paste(plane, (-region.left, -region.top))
    return canvas


def _tensor(plane: Image.Image) -> Tensor:
    """`(C, H, W)` float32, of bytes from 0 to 255."""
    import torch

    values = torch.from_numpy(np.array(plane))
    shaped = values[None] if values.ndim == 2 else values.permute(2, 0, 1)
    return shaped.to(torch.float32, memory_format=torch.contiguous_format)


def load_array(content: bytes) -> NDArray[Any]:
    """The array in the bytes of a `.npy` file; objects, which would be pickled, are refused.

    Raises:
        ImageError: it is no such array.
    """
    try:
        return np.asarray(np.load(io.BytesIO(content), allow_pickle=False))
    except Exception as error:  # of a damaged header whatever Python's parser has, of a lying one MemoryError
        raise ImageError(f"an array of {len(content)} bytes cannot be read ({error}); expected .npy") from error


def unit_array(values: NDArray[Any]) -> NDArray[np.float32]:
    """An array, `(H, W)`, `(H, W, C)` or `(C, H, W)`, as `(H, W, C)` in [0, 1]; floats are that already.

    Raises:
        ImageError: another shape or type.
    """
    values = _channels_last(values)
    white = {"b": 1.0, "f": 1.0}.get(values.dtype.kind) or float(np.iinfo(values.dtype).max)
    return np.asarray(values / white, np.float32)


def _channels_last(values: NDArray[Any]) -> NDArray[Any]:
    """An array, `(H, W)`, `(H, W, C)` or `(C, H, W)`, as `(H, W, C)`.

    Raises:
        ImageError: another shape, or no numbers.
    """
    if values.ndim == 2:
        values = values[..., None]
    elif values.ndim == 3 and values.shape[-1] not in (1, 3, 4) and values.shape[0] < values.shape[-1]:
        values = values.transpose(1, 2, 0)
    if values.ndim != 3 or not values.size or values.dtype.kind not in "biuf":
        raise ImageError(f"an image of shape {values.shape} and type {values.dtype}; expected numbers (H, W[, C])")
    return values


def _classes_in(content: bytes) -> NDArray[Any]:
    if content.startswith(NPY):
        return load_array(content)
    with opened(content) as image:
        if image.mode not in ("L", "P", "1") and not image.mode.startswith("I"):
            raise ImageError(f"a mask of mode {image.mode}; expected one number a pixel: grey, or of a palette")
        return np.asarray(turned(image))


def size_of(content: bytes) -> tuple[int, int]:
    """Height and width of an image as a person sees it, without decoding it.

    Raises:
        ImageError: it is no image.
    """
    if content.startswith(NPY):
        height, width, _ = unit_array(load_array(content)).shape
        return height, width
    with opened(content) as image:
        height, width = image.height, image.width
        # Pillow tells the size of a TIFF as it is seen.
        lies = image.format != "TIFF" and image.getexif().get(ORIENTATION) in SIDEWAYS
        return (width, height) if lies else (height, width)


def _numbers(values: Any) -> NDArray[np.float64]:
    """Numbers of any shape; what is none is NaN."""
    try:
        return np.array(values, np.float64)
    except (TypeError, ValueError):
        return np.array(np.nan)


def _are_whole(numbers: NDArray[np.float64]) -> bool:
    return bool((numbers % 1 == 0).all())
