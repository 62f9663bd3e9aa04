"""A video decodes to the frames that went in, in order, in time, and near enough to their colours."""

from __future__ import annotations

import io
import itertools
import struct
import subprocess
import sys

import av
import numpy as np
import pytest

import augimpact as ai
from augimpact.errors import UserError
from augimpact.render.video import write_mp4

# Decibels; it gives 37 to 40 at the usual width, where leaving out three of four colour samples, as yuv420p does, would
# alone give 42, and half a decibel above this for the smallest pictures.
FAITHFUL = 34


@pytest.fixture(scope="module")
def trace(classifier):
    return ai.analyze("example:motorcycle", ai.Sweep(rotation=(-40, 40), frames=12), classifier)


@pytest.fixture(scope="module")
def pictures(trace):
    return trace.pictures()


def encoded(pictures, **options):
    file = io.BytesIO()
    write_mp4(file, pictures, **options)
    return file.getvalue()


def decoded(content):
    """The frames, when each appears in milliseconds, and how long the video is, as another program reads them."""
    with av.open(io.BytesIO(content)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        times = [round(1000 * frame.pts * frame.time_base) for frame in frames]
        # libav reads back into RGB by the colour space that the file names.
        return (
            np.stack([frame.to_ndarray(format="rgb24") for frame in frames]),
            times,
            container.duration / 1000,
            stream,
        )


def signal_to_noise(frame, picture):
    """PSNR in decibels."""
    return 10 * np.log10(255**2 / np.mean((frame.astype(np.float64) - picture) ** 2))


@pytest.mark.parametrize(
    ("loop", "order"),
    [("back and forth", [0, 1, 2, 3, 2, 1]), ("forward", [0, 1, 2, 3]), ("once", [0, 1, 2, 3])],
)
@pytest.mark.parametrize(("milliseconds", "hold"), [(80, 800), (33, 701)])
def test_frames_come_in_the_order_and_for_the_time_that_was_asked(pictures, loop, order, milliseconds, hold):
    some = pictures[::3]
    frames, times, length, _ = decoded(encoded(some, loop=loop, milliseconds=milliseconds, hold=hold))
    durations = [hold if index == 3 else milliseconds for index in order]
    assert times == [0, *itertools.accumulate(durations[:-1])]
    # The last frame's time is only in the length of the whole.
    assert length == sum(durations)
    for frame, index in zip(frames, order, strict=True):
        assert signal_to_noise(frame, some[index]) > FAITHFUL
        assert int(np.argmax([signal_to_noise(frame, picture) for picture in some])) == index


def test_a_trace_is_saved_as_its_pictures(trace, tmp_path):
    content = trace.save(tmp_path / "bike.mp4", opacity=0.3, width=301, loop="forward").read_bytes()
    pictures = trace.pictures(opacity=0.3, width=301)
    frames, _, _, _ = decoded(content)
    assert frames.shape[2] == 302
    shown = frames[:, : pictures.shape[1], :301]
    assert min(itertools.starmap(signal_to_noise, zip(shown, pictures, strict=True))) > FAITHFUL


def test_it_is_what_browsers_and_slides_play(pictures):
    _, _, _, stream = decoded(encoded(pictures))
    codec = stream.codec_context
    assert (codec.name, codec.pix_fmt, codec.profile) == ("h264", "yuv420p", "High")
    # BT.709, and its range 16…235.
    assert (codec.colorspace, codec.color_primaries, codec.color_trc, codec.color_range) == (1, 1, 1, 1)
    assert stream.start_time == 0


@pytest.mark.parametrize("count", [1, 2, 12, 2000])
def test_it_plays_while_it_is_fetched(count):
    """The index, `moov`, comes before the pictures, `mdat`, however many there are."""
    pictures = np.zeros((count, 16, 16, 3), np.uint8)
    content = encoded(pictures, hold=81)
    boxes, place = [], 0
    while place < len(content):
        size, kind = struct.unpack_from(">I4s", content, place)
        boxes.append(kind)
        place += size
    assert place == len(content)
    assert boxes.index(b"moov") < boxes.index(b"mdat")
    assert len(decoded(content)[0]) == max(count, 2 * count - 2)


@pytest.mark.parametrize(("height", "width"), [(31, 90), (32, 33), (31, 33), (2, 2), (1, 1), (40, 4000)])
def test_odd_sides_are_made_even_by_their_last_line(height, width):
    colours = np.random.default_rng(0).integers(0, 256, (3, 1, 1, 3), dtype=np.uint8)
    pictures = np.broadcast_to(colours, (3, height, width, 3))
    frames, _, _, _ = decoded(encoded(pictures, loop="forward"))
    assert frames.shape == (3, height + height % 2, width + width % 2, 3)
    # One colour each, so that nothing is lost but by rounding to whole numbers of YUV.
    assert np.abs(frames.astype(int) - colours).max() <= 6


def test_the_same_pictures_give_the_same_file(pictures):
    assert encoded(pictures) == encoded(pictures)


def test_wrong_options_are_named(pictures):
    with pytest.raises(UserError, match="unknown loop 'forwards'; did you mean forward"):
        encoded(pictures, loop="forwards")
    with pytest.raises(UserError, match="frames of 0 ms"):
        encoded(pictures, milliseconds=0)


def test_the_encoder_is_not_loaded_before_it_is_used():
    code = "import sys, augimpact.comparison, augimpact.widgets.player; print('av' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
