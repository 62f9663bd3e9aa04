"""JPEGs as they usually are, in two thirds of Pillow's time."""

from __future__ import annotations

import struct

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from augimpact.data.image import MAX_PIXELS

__all__ = ["plain_jpeg"]

# Each part begins with this byte, its marker (ITU-T T.81, table B.1), and its length.
BEGUN, PART = 0xFF, struct.Struct(">BBH")
START, FRAMES, SCAN = b"\xff\xd8\xff", (0xC0, 0xC1, 0xC2), 0xDA
# Tables, restarts, comments, and what applications have that Pillow does not look into: of these it takes whatever
# libjpeg takes.
PASSED_OVER = (0xC4, 0xDB, 0xDD, 0xFE, *range(0xE3, 0xED), 0xEF)
# The parts of applications that are known: how each begins, and how long it is at least.
APPLICATIONS = {0xE0: (b"JFIF\0", 7), 0xE2: (b"ICC_PROFILE\0", 14), 0xEE: (b"Adobe", 7)}
# A frame of three channels: bits, height, width, channels, and three bytes of each.
FRAME = struct.Struct(">BHHB9s")


def plain_jpeg(content: bytes) -> NDArray[np.uint8] | None:
    """The pixels of a JPEG in colour, `(H, W, 3)`, equal to Pillow's; None of all that is left to Pillow.

    That is every other file, and a JPEG that is damaged, very large, may have to be turned, or has anything else in its
    header that most have not. Other threads run while it is decoded.

    >>> import io
    >>> from PIL import Image
    >>> file = io.BytesIO()
    >>> Image.new("RGB", (6, 4), "white").save(file, "JPEG")
    >>> plain_jpeg(file.getvalue()).shape, plain_jpeg(b"no image")
    ((4, 6, 3), None)
    """
    size = _size_in(content)
    if size is None or size[0] * size[1] > MAX_PIXELS:
        return None
    try:
        pixels = np.asarray(simplejpeg.decode_jpeg(content, "RGB"))
    except Exception:
        # Of damage it also raises what its author did not foresee. What is wrong Pillow says, or puts up with.
        return None
    return pixels if pixels.shape[:2] == size else None


def _size_in(content: bytes) -> tuple[int, int] | None:
    """Height and width in a header in which everything is known and whole, so that Pillow would take it; else None."""
    if not content.startswith(START):
        return None
    size, place = None, len(START) - 1
    while place + PART.size <= len(content):
        begun, marker, length = PART.unpack_from(content, place)
        # The length counts its own two bytes.
        first, place = place + PART.size, place + 2 + length
        if begun != BEGUN or length < 2 or place > len(content):
            return None
        if marker in PASSED_OVER:
            continue
        if marker in FRAMES:
            # A second frame is none of a picture.
            if size is not None or place - first != FRAME.size:
                return None
            bits, height, width, channels, _ = FRAME.unpack_from(content, first)
            if (bits, channels) != (8, 3):
                return None
            size = height, width
        elif marker in APPLICATIONS:
            begins, least = APPLICATIONS[marker]
            if place - first < least or not content.startswith(begins, first):
                return None
        else:
            return size if marker == SCAN else None
    return None
