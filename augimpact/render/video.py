"""Pictures in, an MP4 out that browsers, phones and slides play."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from augimpact.render.animate import HOLD, LOOPS, MILLISECONDS, File, Pictures, schedule

if TYPE_CHECKING:
    from av import VideoFrame

__all__ = ["write_mp4"]

# Time is told in milliseconds.
TIME_BASE = Fraction(1, 1000)
# Without frames that refer to later ones, so that the first is shown at time 0 by every player.
ENCODER = {"crf": "14", "preset": "veryfast", "bf": "0"}
# The numbers of BT.709 and of its range 16…235 in ITU-T H.273. Said in the file, or a player guesses from the size of
# the picture what its colours mean.
COLOURS: dict[str, Any] = {"color_primaries": 1, "color_trc": 1, "colorspace": 1, "color_range": 1}
# Room at the head of the file for its index, so that it plays while it is fetched: what an index takes at most, and
# more of it for every frame.
INDEX_BYTES, FRAME_BYTES = 2048, 40


def write_mp4(
    file: File,
    pictures: Pictures,
    *,
    milliseconds: int = MILLISECONDS,
    hold: int = HOLD,
    loop: str = LOOPS[0],
) -> None:
    """An H.264 video (yuv420p, BT.709) of pictures `(N, height, width, 3)`; arguments and errors as for `write_gif`.

    A side of odd length is made even by its last line once more, as the format wants it. Every frame is shown for
    exactly its time. `back and forth` is written out, once there and back; whether a video begins again is its
    player's choice, so `forward` and `once` are the same here.

    >>> file = io.BytesIO()
    >>> write_mp4(file, np.zeros((3, 33, 64, 3), np.uint8))
    >>> file.getvalue()[4:8]
    b'ftyp'
    """
    import av

    order, durations = schedule(len(pictures), milliseconds, hold, loop)
    content = io.BytesIO()
    head = str(INDEX_BYTES + FRAME_BYTES * len(order))
    with av.open(content, "w", format="mp4", container_options={"moov_size": head}) as container:
        height, width = (side + side % 2 for side in pictures.shape[1:3])
        stream = container.add_stream(
            "libx264", options=ENCODER, width=width, height=height, pix_fmt="yuv420p", time_base=TIME_BASE, **COLOURS
        )
        starts = np.cumsum([0, *durations]).tolist()
        shown_for = dict(zip(starts, durations, strict=False))
        for index, start in zip([*order, None], starts, strict=True):
            for packet in stream.encode(None if index is None else _frame(pictures[index], start)):
                # Else the last frame would last as long as a frame usually does.
                packet.duration = shown_for[packet.pts]
                container.mux(packet)
    if isinstance(file, Path):
        file.write_bytes(content.getvalue())
    else:
        file.write(content.getvalue())


def _frame(picture: Pictures, start: int) -> VideoFrame:
    """What the encoder takes of a picture `(height, width, 3)` that appears at `start` ms; its sides are even."""
    from av import VideoFrame

    height, width = picture.shape[:2]
    even = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    frame = VideoFrame.from_ndarray(even, format="rgb24")
    frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
    frame.pts, frame.time_base = start, TIME_BASE
    return frame
