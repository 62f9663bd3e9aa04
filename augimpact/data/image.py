"""Any image a person may bring, as 8-bit RGB the right way up; and the photographs that are always at hand."""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile
from PIL.TiffImagePlugin import TILELENGTH, TILEWIDTH, TiffImageFile

from augimpact.errors import ImageError

__all__ = [
    "DEFAULT_SECOND", "EXAMPLE", "EXAMPLES", "MAX_PIXELS", "UPLOAD_FORMATS", "UPLOAD_PIXELS", "as_seen", "as_stored",
    "bytes_in", "content_hash", "example", "example_of_hash", "opened", "read_image", "read_upload", "turned",
    "unit_values",
]  # fmt: skip

# Pillow warns from here on; a photograph of 89 megapixels decodes to 270 MB.
MAX_PIXELS = 89_478_485
# What is decoded of strangers, by Pillow's names and their own: what cameras, browsers and screenshots give. None of it
# runs another program, as EPS does, and each tells the size that will be decoded. An AVIF does not: one of 3 kB, said
# to be 64 × 64 pixels, took 580 MB.
UPLOAD_FORMATS = {"JPEG": "JPEG", "PNG": "PNG", "WEBP": "WebP", "GIF": "GIF", "BMP": "BMP", "TIFF": "TIFF"}
UPLOAD_PIXELS = 40_000_000
# Of TIFF's many ways to compress, those that take time and memory by the pixel.
UPLOAD_TIFF = ("raw", "packbits", "tiff_lzw", "tiff_deflate", "tiff_adobe_deflate", "group3", "group4", "tiff_ccitt")
# A JPEG's decoder goes over the whole picture for every scan, which may be of a few bytes. Ten are usual.
UPLOAD_SCANS = 50
# What has both sides more than twice as long is kept at a half, a quarter or an eighth: no classifier sees more of it.
UPLOAD_SIDE = 2048
# The tag of EXIF, and what its values ask for; 1 is as it should be.
ORIENTATION = 0x0112
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Rows whose numbers are converted at a time.
ROWS = 256
# Of what a decoder complains about.
LONGEST_REASON = 200
# Photographs that the scikit-image wheel carries, and how they are called here.
EXAMPLE = "example:"
EXAMPLES = {
    "motorcycle": "motorcycle_left.png",
    "cat": "chelsea.png",
    "coffee": "coffee.png",
    "rocket": "rocket.jpg",
}
# What mixing mixes with where nothing else is named.
DEFAULT_SECOND = EXAMPLE + "coffee"


def read_image(source: Any, *, max_pixels: int = MAX_PIXELS, formats: Iterable[str] | None = None) -> Image.Image:
    """The image as a person sees it: turned as its EXIF says, on white where it is transparent, 8-bit RGB.

    Args:
        source: a path, `example:` and the name of one of the `EXAMPLES`, the bytes of a file, a Pillow image, or an
            array or tensor: `(H, W)`, `(H, W, 1|3|4)` or `(1|3|4, H, W)`; uint8, uint16, or floats in [0, 1].
        max_pixels: refuses larger images before they are decoded.
        formats: of files, Pillow's names of those that are read; by default all that it knows.

    Raises:
        ImageError: there is no such file, it is no image, it is damaged, or it is too large.

    >>> read_image(np.zeros((4, 6))).size, read_image(np.zeros((4, 6))).mode
    ((6, 4), 'RGB')
    """
    if isinstance(source, Image.Image):
        with _one_error(f"the image {getattr(source, 'filename', '')!r}", max_pixels):
            return as_seen(source)
    if isinstance(source, str) and source.startswith(EXAMPLE):
        return example(source.removeprefix(EXAMPLE))
    if isinstance(source, (str, os.PathLike)):
        return _decode(Path(source), repr(str(source)), max_pixels, formats)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _decode(io.BytesIO(source), f"the image of {len(source)} bytes", max_pixels, formats)
    return _from_array(source)


def read_upload(name: str, content: bytes, max_pixels: int = UPLOAD_PIXELS) -> Image.Image:
    """The image that a stranger sent, as `read_image` gives it; of several frames the first.

    Only `UPLOAD_FORMATS` are read, in time and memory that `max_pixels` bounds. What has more than twice `UPLOAD_SIDE`
    pixels on both sides comes back smaller.

    Args:
        name: what errors call it.
        content: the bytes of the file.
        max_pixels: refuses larger images before they are decoded.

    Raises:
        ImageError: it is not one of these, damaged, or too large; nothing else, whatever the bytes are.
    """
    name, formats = repr(name), list(UPLOAD_FORMATS)
    if not content:
        raise ImageError(f"{name} is empty; expected an image")
    with _one_error(name, max_pixels, formats), Image.open(io.BytesIO(content), formats=formats) as image:
        _check_size(image, name, max_pixels)
        _check_effort(image, content, name, max_pixels)
        factor = next(each for each in (8, 4, 2, 1) if each == 1 or min(image.size) // each >= UPLOAD_SIDE)
        size = image.size
        if factor > 1:
            # A JPEG is decoded at this size in the first place.
            image.draft(image.mode, (size[0] // factor, size[1] // factor))
        factor = factor if image.size == size else 1
        seen = as_seen(image)
        return seen if factor == 1 else seen.reduce(factor)


def _check_effort(image: Image.Image, content: bytes, name: str, max_pixels: int) -> None:
    """Refuses what would take more time or memory than its size tells."""
    if isinstance(image, JpegImageFile):
        # Compressed data cannot hold a marker.
        scans = content.count(b"\xff\xda")
        if scans > UPLOAD_SCANS:
            raise ImageError(f"{name} is a JPEG of {scans} scans; expected at most {UPLOAD_SCANS}")
    if isinstance(image, TiffImageFile):
        compression = image.info.get("compression")
        if compression not in UPLOAD_TIFF:
            raise ImageError(f"{name} is a TIFF compressed as {compression}; expected {', '.join(UPLOAD_TIFF)}")
        tile = [image.tag_v2.get(tag, 1) for tag in (TILEWIDTH, TILELENGTH)]
        if not all(isinstance(side, int) for side in tile) or tile[0] * tile[1] > max_pixels:
            raise ImageError(_too_large(name, f"tiles of {tile[0]}×{tile[1]} pixels", max_pixels))


def example(name: str) -> Image.Image:
    """One of the `EXAMPLES`, by its name here."""
    if name not in EXAMPLES:
        raise ImageError(f"no example is called {name!r}; there are {', '.join(EXAMPLES)}")
    import skimage

    return read_image(Path(skimage.__file__).parent / "data" / EXAMPLES[name])


def example_of_hash(wanted: str | None) -> str | None:
    """The name of the example whose `content_hash` this is, or None."""
    return None if wanted is None else next((name for name in EXAMPLES if _example_hash(name) == wanted), None)


@cache
def _example_hash(name: str) -> str:
    return content_hash(example(name))


def content_hash(image: Image.Image) -> str:
    """BLAKE2b over the size and the pixels, so that the same picture in another file has the same hash."""
    digest = hashlib.blake2b(f"{image.mode} {image.size}".encode(), digest_size=16)
    digest.update(image.tobytes())
    return digest.hexdigest()


@contextmanager
def opened(content: bytes) -> Iterator[Image.Image]:
    """The image in the bytes of a file, not decoded yet; what goes wrong while it is, in the block, is one error.

    Raises:
        ImageError: it is no image, damaged, or of more than `MAX_PIXELS`.
    """
    name = f"the image of {len(content)} bytes"
    with _one_error(name, MAX_PIXELS), Image.open(io.BytesIO(content)) as image:
        _check_size(image, name, MAX_PIXELS)
        yield image


def _decode(file: Path | io.BytesIO, name: str, max_pixels: int, formats: Iterable[str] | None) -> Image.Image:
    known = None if formats is None else list(formats)
    with _one_error(name, max_pixels, known), Image.open(file, formats=known) as image:
        _check_size(image, name, max_pixels)
        return as_seen(image)


def _check_size(image: Image.Image, name: str, max_pixels: int) -> None:
    if image.width * image.height > max_pixels:
        raise ImageError(_too_large(name, f"{image.width}×{image.height} pixels", max_pixels))


@contextmanager
def _one_error(name: str, max_pixels: int, formats: Iterable[str] | None = None) -> Iterator[None]:
    """Turns all that Pillow may raise or warn of while it decodes into an `ImageError`, or nothing."""
    try:
        with warnings.catch_warnings():
            # Sizes are judged by our own limit; of slight damage, such as in the EXIF part, the picture tells.
            warnings.simplefilter("ignore")
            yield
    except ImageError:
        raise
    except Image.DecompressionBombError as error:
        raise ImageError(_too_large(name, "more pixels than Pillow decodes", max_pixels)) from error
    except FileNotFoundError as error:
        raise ImageError(f"there is no image {name}") from error
    except IsADirectoryError as error:
        raise ImageError(f"{name} is a folder; expected an image") from error
    except UnidentifiedImageError as error:
        if formats is None:
            raise ImageError(f"{name} is not an image that Pillow can read") from error
        known = ", ".join(UPLOAD_FORMATS.get(each, each) for each in formats)
        raise ImageError(f"{name} is not an image that can be read here; expected one of {known}") from error
    except MemoryError as error:
        raise ImageError(f"{name} takes more memory than there is; expected a smaller image") from error
    except Exception as error:
        # Decoders raise what their author did not foresee, down to KeyError and ZeroDivisionError.
        reason = " ".join(str(error).split())[:LONGEST_REASON].rstrip(".") or type(error).__name__
        raise ImageError(f"{name} cannot be decoded: {reason}; expected an undamaged image") from error


def _too_large(name: str, size: str, max_pixels: int) -> str:
    return f"{name} is too large ({size}); expected at most {max_pixels / 1e6:.0f} megapixels"


def as_seen(image: Image.Image) -> Image.Image:
    """The image turned as its EXIF says, on white where it is transparent, 8-bit RGB."""
    return _on_white(turned(image))


def as_stored(image: Image.Image) -> Image.Image:
    """The image as it lies in memory, whatever its EXIF says, on white where it is transparent, 8-bit RGB.

    Raises:
        ImageError: it is not decoded yet, and damaged.
    """
    with _one_error(f"the image {getattr(image, 'filename', '')!r}", MAX_PIXELS):
        image.load()
        return _on_white(image)


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        image = _eight_bit(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image = image.convert("RGB")
    # It is as it shall be: whoever reads it again shall not turn it.
    image.info = {}
    return image


def turned(image: Image.Image) -> Image.Image:
    """The image, decoded, as its EXIF says that it was held."""
    image.load()
    try:
        orientation = image.getexif().get(ORIENTATION)
    except Exception:
        # What is no EXIF says nothing; Pillow raises anything at it.
        return image
    turn = TURNS.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(turn)


def bytes_in(picture: Image.Image) -> NDArray[np.uint8]:
    """`(H, W, C)` bytes of a picture of mode "RGB" or "L": its own memory, where that is in one piece."""
    # A fifth of a second, which only profiles of folders need.
    import pyarrow

    try:
        flat = pyarrow.array(picture)
    except ValueError:  # of many megapixels
        values = np.asarray(picture)
        return values if values.ndim == 3 else values[..., None]
    bands = len(picture.getbands())
    # Three channels have four bytes a pixel.
    numbers = (flat if bands == 1 else flat.values).to_numpy(zero_copy_only=True)
    return np.asarray(numbers.reshape(picture.height, picture.width, -1)[..., :bands])


def _eight_bit(image: Image.Image) -> Image.Image:
    """Integers as 16-bit grey, floats as [0, 1] or, where they go further, as [0, 255]."""
    values = np.asarray(image)
    white = _white_of(image)
    grey = np.empty(values.shape, np.uint8)
    for first in range(0, len(values), ROWS):
        some = values[first : first + ROWS].astype(np.float64)
        grey[first : first + ROWS] = np.rint(np.nan_to_num(np.clip(some / white, 0, 1)) * 255)
    return Image.fromarray(grey)


def unit_values(image: Image.Image) -> NDArray[np.float32]:
    """Integers or floats, as `as_seen` understands them, as `(H, W)` in [0, 1] without loss of their depth."""
    return np.asarray(np.nan_to_num(np.clip(np.asarray(image, np.float64) / _white_of(image), 0, 1)), np.float32)


def _white_of(image: Image.Image) -> float:
    if image.mode.startswith("I"):
        return 65535.0
    return 1.0 if np.asarray(image).max(initial=0) <= 1 else 255.0


def _from_array(source: Any) -> Image.Image:
    values = np.asarray(source.detach().cpu() if hasattr(source, "detach") else source)
    channels = (1, 3, 4)
    if values.ndim == 3 and values.shape[-1] not in channels and values.shape[0] in channels:
        values = values.transpose(1, 2, 0)
    shape_is_known = values.ndim == 2 or (values.ndim == 3 and values.shape[-1] in channels)
    if not shape_is_known or values.size == 0:
        raise ImageError(f"an image of shape {values.shape}; expected (H, W), (H, W, 3) or (3, H, W)")
    if values.ndim == 3 and values.shape[-1] == 1:
        values = values[..., 0]
    return as_seen(Image.fromarray(_bytes_of(values)))


def _bytes_of(values: NDArray[Any]) -> NDArray[np.uint8]:
    if values.dtype == np.uint8:
        return np.asarray(values, dtype=np.uint8)
    if values.dtype == np.uint16:
        return np.asarray(np.rint(values / 257), dtype=np.uint8)
    if values.dtype == np.bool_:
        return np.where(values, np.uint8(255), np.uint8(0))
    if not np.issubdtype(values.dtype, np.floating):
        raise ImageError(f"an image of type {values.dtype}; expected uint8, uint16 or floats in [0, 1]")
    if not (values.min() >= 0 and values.max() <= 1):
        raise ImageError(f"an image with values from {values.min():g} to {values.max():g}; expected [0, 1]")
    return np.asarray(np.rint(values * 255), dtype=np.uint8)
