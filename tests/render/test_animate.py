"""Animations decode to the frames that went in, in order, in time, and near enough to their colours."""

from __future__ import annotations

import io

import imageio.v3 as imageio
import numpy as np
import pytest
from PIL import Image

import augimpact as ai
from augimpact.data.image import EXAMPLES, example
from augimpact.errors import UserError
from augimpact.render.animate import shared_palette, write_gif, write_strip, write_webp


@pytest.fixture(scope="module")
def pictures(classifier):
    return ai.analyze(example("motorcycle"), ai.Sweep(rotation=(-40, 40), frames=12), classifier).pictures()


def decoded(write, pictures, **options):
    file = io.BytesIO()
    write(file, pictures, **options)
    with Image.open(file) as image:
        frames, durations = [], []
        for index in range(image.n_frames):
            image.seek(index)
            frames.append(np.asarray(image.convert("RGB")))
            durations.append(image.info["duration"])
        return np.stack(frames), durations, image.info


def signal_to_noise(frames, pictures):
    """PSNR in decibels."""
    return 10 * np.log10(255**2 / np.mean((frames.astype(np.float64) - pictures) ** 2))


@pytest.mark.parametrize("name", EXAMPLES)
def test_one_palette_is_as_true_to_colour_as_one_for_every_frame(classifier, name):
    trace = ai.analyze(example(name), ai.Sweep(rotation=(-45, 45), frames=16), classifier)
    pictures = trace.pictures(caption=False)
    ours, *_ = decoded(write_gif, pictures, loop="forward")
    theirs = imageio.imread(imageio.imwrite("<bytes>", pictures, extension=".gif"), index=None)
    assert len(ours) == len(theirs) == 16
    assert signal_to_noise(ours, pictures) >= signal_to_noise(theirs[..., :3], pictures) - 1


@pytest.mark.parametrize("write", [write_gif, write_webp])
@pytest.mark.parametrize(
    ("loop", "order", "repeats"),
    [("back and forth", [0, 1, 2, 3, 2, 1], 0), ("forward", [0, 1, 2, 3], 0), ("once", [0, 1, 2, 3], 1)],
)
def test_frames_come_in_the_order_and_for_the_time_that_was_asked(pictures, write, loop, order, repeats):
    some = pictures[::3]
    frames, durations, info = decoded(write, some, loop=loop, milliseconds=50, hold=700)
    assert durations == [700 if index == 3 else 50 for index in order]
    for frame, index in zip(frames, order, strict=True):
        distances = [np.abs(frame.astype(int) - picture).mean() for picture in some]
        assert int(np.argmin(distances)) == index
    # A GIF without a loop count plays once.
    assert info.get("loop", 1) == repeats


@pytest.mark.parametrize("loop", ["forward", "back and forth"])
def test_what_does_not_change_is_not_drawn_again_and_still_shown(loop):
    """Noise, of which a box, then half, then all, then nothing changes, and which appears again."""
    random = np.random.default_rng(0)
    colours = random.integers(0, 256, (255, 3), dtype=np.uint8)
    indices = random.integers(0, 255, (1, 40, 60)).repeat(6, axis=0)
    indices[1:, 5:20, 9:30] += 1
    indices[2:, ::2] += 2
    indices[3:] += 3
    indices[5, 0, 0] += 1
    pictures = colours[indices % 255]
    shown, durations, _ = decoded(write_gif, pictures, loop=loop, milliseconds=50, hold=700)
    # Frames 3 and 4 are equal and became one.
    assert durations == [50, 50, 50, 100, 700] + ([100, 50, 50] if loop == "back and forth" else [])
    for frame, index in zip(shown, [0, 1, 2, 3, 5, 3, 2, 1], strict=False):
        # The nearest of the palette's colours, which are told apart by five bits.
        assert np.abs(frame.astype(int) - pictures[index]).max() < 40


def test_few_colours_are_kept_exactly():
    colours = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]], np.uint8)
    pictures = colours[np.random.default_rng(0).integers(0, 5, (3, 16, 16))]
    frames, *_ = decoded(write_gif, pictures, loop="forward")
    assert np.array_equal(frames, pictures)


@pytest.mark.parametrize("count", [1, 2])
def test_the_shortest_animations_work(pictures, count):
    for write in (write_gif, write_webp):
        file = io.BytesIO()
        write(file, pictures[:count])
        with Image.open(file) as image:
            assert image.n_frames == count


def test_the_palette_is_found_whatever_the_size():
    for shape in ((1, 1, 1, 3), (2, 3, 5, 3), (4, 300, 300, 3)):
        palette = shared_palette(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))
        assert palette.dtype == np.uint8
        assert 1 <= len(palette) <= 256


def test_a_strip_shows_first_and_last_and_at_most_eight(pictures):
    for count, shown in ((12, 8), (8, 8), (3, 3), (1, 1)):
        file = io.BytesIO()
        write_strip(file, pictures[:count])
        strip = np.asarray(Image.open(file))
        width = pictures.shape[2]
        assert strip.shape[1] == shown * width
        assert np.array_equal(strip[:, :width], pictures[0])
        assert np.array_equal(strip[:, -width:], pictures[count - 1])


def test_wide_pictures_of_a_strip_lie_one_below_the_other():
    pictures = np.random.default_rng(0).integers(0, 256, (12, 20, 90, 3), dtype=np.uint8)
    file = io.BytesIO()
    write_strip(file, pictures)
    strip = np.asarray(Image.open(file))
    assert strip.shape == (8 * 20, 90, 3)
    assert np.array_equal(strip[:20], pictures[0])
    assert np.array_equal(strip[-20:], pictures[-1])


@pytest.mark.parametrize("write", [write_gif, write_webp])
def test_animations_take_frames_of_any_shape(write):
    pictures = np.random.default_rng(0).integers(0, 256, (3, 31, 90, 3), dtype=np.uint8)
    frames, _, _ = decoded(write, pictures, loop="forward")
    assert frames.shape == (3, 31, 90, 3)


def test_wrong_options_are_named(pictures):
    with pytest.raises(UserError, match="unknown loop 'forwards'; did you mean forward"):
        write_gif(io.BytesIO(), pictures, loop="forwards")
    with pytest.raises(UserError, match="frames of 0 ms"):
        write_gif(io.BytesIO(), pictures, milliseconds=0)


def test_a_gif_in_which_little_changes_is_much_smaller(classifier):
    trace = ai.analyze(example("motorcycle"), ai.Sweep(erase_w=(0, 0.6), erase_h=0.4, frames=16), classifier)
    pictures = trace.pictures(caption=False)
    file = io.BytesIO()
    write_gif(file, pictures, loop="forward")
    ours, *_ = decoded(write_gif, pictures, loop="forward")
    # Each frame by itself with a palette of its own, as imageio has it.
    theirs = imageio.imwrite("<bytes>", pictures, extension=".gif")
    shown = imageio.imread(theirs, index=None)[..., :3]
    assert len(file.getvalue()) < 0.8 * len(theirs)
    assert signal_to_noise(ours, pictures) >= signal_to_noise(shown, pictures) - 1
