"""JPEGs as they usually are, in two thirds of Pillow's time."""

from __future__ import annotations

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from augimpact.data.image import opened

__all__ = ["plain_jpeg"]

START = b"\xff\xd8\xff"
# The marker of the parts that say how it was held, EXIF's and XMP's; compressed data cannot hold it.
TURNED = b"\xff\xe1"


def plain_jpeg(content: bytes) -> NDArray[np.uint8] | None:
    """The pixels of a JPEG in colour, `(H, W, 3)`, equal to Pillow's; None of all that is left to Pillow.

    That is every other file, and a JPEG that may have to be turned, is damaged or of four channels. Pillow reads its
    header, so that what it refuses is refused here; other threads run while it is decoded.

    Raises:
        ImageError: its header is damaged, or says more than `MAX_PIXELS`.

    >>> import io
    >>> from PIL import Image
    >>> file = io.BytesIO()
    >>> Image.new("RGB", (6, 4), "white").save(file, "JPEG")
    >>> plain_jpeg(file.getvalue()).shape, plain_jpeg(b"no image")
    ((4, 6, 3), None)
    """
    if not content.startswith(START) or TURNED in content:
        return None
    with opened(content) as image:
        if (image.format, image.mode) != ("JPEG", "RGB"):
            return None
        try:
            pixels = np.asarray(simplejpeg.decode_jpeg(content, "RGB"))
        except Exception:
            # Of damage it also raises what its author did not foresee. What is wrong Pillow says, or puts up with.
            return None
        return pixels if pixels.shape[:2] == (image.height, image.width) else None
