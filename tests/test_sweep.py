"""A path through settings: its ends are met, its arrays kept, its mistakes named."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augimpact.augment.parameters import CATALOGUE
from augimpact.errors import ParameterError, SweepError
from augimpact.sweep import EASINGS, Sweep

DEGREES = st.floats(-180, 180)


@given(start=DEGREES, end=DEGREES, frames=st.integers(2, 200), easing=st.sampled_from(EASINGS))
def test_a_pair_is_walked_from_end_to_end_and_never_back(start, end, frames, easing):
    values = Sweep(rotation=(start, end), frames=frames, easing=easing).settings()["rotation"].to_numpy()
    assert len(values) == frames
    assert (values[0], values[-1]) == (start, end)
    steps = np.diff(values) * np.sign(end - start)
    assert (steps >= -1e-9).all()


def test_linear_is_linear_and_cosine_is_slow_at_both_ends():
    linear = Sweep(rotation=(0, 100), frames=11).settings()["rotation"]
    assert linear.tolist() == pytest.approx(list(range(0, 101, 10)))
    cosine = Sweep(rotation=(0, 100), frames=11, easing="cosine").settings()["rotation"]
    assert cosine.tolist() == pytest.approx([50 * (1 - np.cos(np.pi * k / 10)) for k in range(11)])


def test_numbers_are_held_and_what_is_not_named_is_neutral():
    settings = Sweep(rotation=(-45, 45), brightness=1.4, frames=5).settings()
    assert list(settings) == list(CATALOGUE)
    assert (settings["brightness"] == 1.4).all()
    for name in set(CATALOGUE) - {"rotation", "brightness"}:
        assert (settings[name] == CATALOGUE[name].neutral).all()


def test_arrays_give_every_frame_and_the_number_of_frames():
    sweep = Sweep(rotation=[3, 1, 2, 5], brightness=np.array([1, 1, 2, 2]))
    assert sweep.frames == 4
    assert sweep.settings()["rotation"].tolist() == [3, 1, 2, 5]
    # Two values in a numpy array are two frames, not the ends of a range.
    assert Sweep(rotation=np.array([3.0, 1.0])).settings()["rotation"].tolist() == [3, 1]


def test_there_are_48_frames_unless_more_is_said():
    assert Sweep(rotation=(0, 1)).frames == 48
    assert Sweep().frames == 48
    assert len(Sweep().settings()) == 48


def test_it_knows_what_is_swept_and_what_has_no_effect():
    sweep = Sweep(rotation=(0, 9), brightness=(1, 1), crop_x=0.2, erase_x=(0, 1), erase_w=0.3)
    assert sweep.swept == ("rotation", "erase_x")
    assert sweep.without_effect == ("crop_x", "erase_x", "erase_w")
    assert Sweep(crop=0.5, crop_x=(0, 1)).without_effect == ()


@pytest.mark.parametrize(
    "sweep", [Sweep(rotation=(-45, 45), brightness=1.4), Sweep(crop=[1, 0.9, 0.7], easing="cosine")]
)
def test_it_reads_back_from_its_recipe_and_from_its_own_words(sweep):
    recipe = sweep.recipe()
    again = Sweep(frames=recipe["frames"], easing=recipe["easing"], **recipe["parameters"])
    assert again.settings().equals(sweep.settings())
    assert eval(repr(sweep), {"Sweep": Sweep}).settings().equals(sweep.settings())


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"frames": 0}, SweepError, "frames is 0; expected a whole number from 1 to 2000"),
        ({"frames": 2.5}, SweepError, "frames is 2.5"),
        ({"rotation": (0, 1), "easing": "cubic"}, SweepError, "unknown easing 'cubic'"),
        ({"rotation": [1, 2, 3], "frames": 4}, SweepError, r"rotation has shape \(3,\); .* each of 4 frames"),
        ({"rotation": [1, 2, 3], "crop": [1, 1, 1, 1]}, SweepError, "crop has shape"),
        ({"rotatoin": 3}, ParameterError, "did you mean rotation"),
        ({"rotation": (0, 270)}, ParameterError, "rotation is 270; expected a number from -180 to 180"),
        ({"rotation": "wide"}, ParameterError, "rotation is 'wide'"),
    ],
)
def test_mistakes_are_named(arguments, error, words):
    with pytest.raises(error, match=words):
        Sweep(**arguments)
