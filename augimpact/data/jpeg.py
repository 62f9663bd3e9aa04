"""JPEGs as they usually are, in two thirds of Pillow's time."""

from __future__ import annotations

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from augimpact.data.image import MAX_PIXELS

__all__ = ["plain_jpeg"]

START = b"\xff\xd8\xff"
# The marker of the parts that say how it was held, EXIF's and XMP's; compressed data cannot hold it.
TURNED = b"\xff\xe1"
COLOURS = ("YCbCr", "RGB")


def plain_jpeg(content: bytes) -> NDArray[np.uint8] | None:
    """The pixels of a JPEG in colour, `(H, W, 3)`, equal to Pillow's; None of all that is left to Pillow.

    That is every other file, and a JPEG that may have to be turned, is damaged, of four channels or of more than
    `MAX_PIXELS`. Other threads run meanwhile.

    >>> import io
    >>> from PIL import Image
    >>> file = io.BytesIO()
    >>> Image.new("RGB", (6, 4), "white").save(file, "JPEG")
    >>> plain_jpeg(file.getvalue()).shape, plain_jpeg(b"no image")
    ((4, 6, 3), None)
    """
    if not content.startswith(START) or TURNED in content:
        return None
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(content)
        if colours not in COLOURS or height * width > MAX_PIXELS:
            return None
        return np.asarray(simplejpeg.decode_jpeg(content, "RGB"))
    except Exception:
        # Of damage it also raises what its author did not foresee. What is wrong Pillow says, or puts up with.
        return None
