"""Any image a person may bring, as 8-bit RGB the right way up; and the photographs that are always at hand."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from augimpact.errors import ImageError

__all__ = ["EXAMPLE", "EXAMPLES", "MAX_PIXELS", "content_hash", "example", "read_image"]

# Pillow warns from here on; a photograph of 89 megapixels decodes to 270 MB.
MAX_PIXELS = 89_478_485
# Photographs that the scikit-image wheel carries, and how they are called here.
EXAMPLE = "example:"
EXAMPLES = {
    "motorcycle": "motorcycle_left.png",
    "cat": "chelsea.png",
    "coffee": "coffee.png",
    "rocket": "rocket.jpg",
}


def read_image(source: Any, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """The image as a person sees it: turned as its EXIF says, on white where it is transparent, 8-bit RGB.

    Args:
        source: a path, `example:` and the name of one of the `EXAMPLES`, the bytes of a file, a Pillow image, or an
            array or tensor: `(H, W)`, `(H, W, 1|3|4)` or `(1|3|4, H, W)`; uint8, uint16, or floats in [0, 1].
        max_pixels: refuses larger images before they are decoded.

    Raises:
        ImageError: there is no such file, it is no image, it is damaged, or it is too large.

    >>> read_image(np.zeros((4, 6))).size, read_image(np.zeros((4, 6))).mode
    ((6, 4), 'RGB')
    """
    if isinstance(source, Image.Image):
        with _one_error(f"the image {getattr(source, 'filename', '')!r}", max_pixels):
            return _as_seen(source)
    if isinstance(source, str) and source.startswith(EXAMPLE):
        return example(source.removeprefix(EXAMPLE))
    if isinstance(source, (str, os.PathLike)):
        return _decode(Path(source), repr(str(source)), max_pixels)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _decode(io.BytesIO(source), f"the image of {len(source)} bytes", max_pixels)
    return _from_array(source)


def example(name: str) -> Image.Image:
    """One of the `EXAMPLES`, by its name here."""
    if name not in EXAMPLES:
        raise ImageError(f"no example is called {name!r}; there are {', '.join(EXAMPLES)}")
    import skimage

    return read_image(Path(skimage.__file__).parent / "data" / EXAMPLES[name])


def content_hash(image: Image.Image) -> str:
    """BLAKE2b over the size and the pixels, so that the same picture in another file has the same hash."""
    digest = hashlib.blake2b(f"{image.mode} {image.size}".encode(), digest_size=16)
    digest.update(image.tobytes())
    return digest.hexdigest()


def _decode(file: Path | io.BytesIO, name: str, max_pixels: int) -> Image.Image:
    with _one_error(name, max_pixels), Image.open(file) as image:
        if image.width * image.height > max_pixels:
            raise ImageError(_too_large(name, f"{image.width}×{image.height} pixels", max_pixels))
        return _as_seen(image)


@contextmanager
def _one_error(name: str, max_pixels: int) -> Iterator[None]:
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
        raise ImageError(f"{name} is not an image that Pillow can read") from error
    except (OSError, SyntaxError, ValueError, EOFError, RuntimeError, struct.error) as error:
        raise ImageError(f"{name} cannot be decoded: {str(error).rstrip('.') or type(error).__name__}") from error


def _too_large(name: str, size: str, max_pixels: int) -> str:
    return f"{name} is too large ({size}); expected at most {max_pixels / 1e6:.0f} megapixels"


def _as_seen(image: Image.Image) -> Image.Image:
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith(("I", "F")):
        image = _eight_bit(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


def _eight_bit(image: Image.Image) -> Image.Image:
    """Integers as 16-bit grey, floats as [0, 1] or, where they go further, as [0, 255]."""
    values = np.asarray(image).astype(np.float64)
    white = 65535.0 if image.mode.startswith("I") else (1.0 if values.max(initial=0) <= 1 else 255.0)
    return Image.fromarray(np.rint(np.clip(values / white, 0, 1) * 255).astype(np.uint8))


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
    return _as_seen(Image.fromarray(_bytes_of(values)))


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
