"""The way back from corners to a setting, against torchvision's perspective and against the homographies themselves."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as TF

from augimpact.augment.apply import augment
from augimpact.augment.corners import setting_of_corners, setting_of_homography, setting_of_perspective
from augimpact.augment.geometry import homographies
from augimpact.augment.parameters import CATALOGUE, resolve
from augimpact.errors import ParameterError
from tests.augment.agreement import SIDE, assert_agree, away_from_borders, names


def taken(setting: dict[str, float], places: np.ndarray) -> np.ndarray:
    """Where the setting takes places, both in shares of the side."""
    points = np.concatenate([np.asarray(places) * 2 - 1, np.ones((len(places), 1))], axis=1)
    moved = points @ homographies(resolve(setting))[0].T
    return (moved[:, :2] / moved[:, 2:] + 1) / 2


# Each corner within 0.2 of its own place, so that the four are always convex and no limit is met.
shift = st.floats(-0.2, 0.2)


@given(shifts=st.lists(st.tuples(shift, shift), min_size=4, max_size=4), mirrored=st.booleans())
def test_corners_go_where_they_were_asked_to(shifts, mirrored):
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    corners = (square[[1, 0, 3, 2]] if mirrored else square) + np.array(shifts)
    np.testing.assert_allclose(taken(setting_of_corners(corners), square), corners, atol=1e-9)


@given(
    name=names,
    w=st.floats(0.5 * SIDE, 1.2 * SIDE),
    h=st.floats(0.5 * SIDE, 1.2 * SIDE),
    d=st.floats(-0.2 * SIDE, 0.2 * SIDE),
)
def test_a_setting_of_perspective_does_what_torchvisions_perspective_does(photographs, name, w, h, d):
    """torchvision: BILINEAR, mean |difference| at most 0.002 away from borders; corners exact to 1e-9."""
    image = photographs[name]
    last = SIDE - 1
    start = [[0, 0], [last, 0], [last, last], [0, last]]
    end = [[0, 0], [w, d], [w, h], [0, h]]
    setting = setting_of_perspective(SIDE, w, h, d)
    np.testing.assert_allclose(taken(setting, np.array(start) / SIDE), np.array(end) / SIDE, atol=1e-9)

    def tilt(x):
        return TF.perspective(x, start, end, interpolation=InterpolationMode.BILINEAR)

    where = away_from_borders(tilt(torch.ones(1, SIDE, SIDE)))
    assert_agree(augment(image, setting).images[0], tilt(image), where)


@given(data=st.data())
def test_a_setting_is_found_again_from_its_homography(data):
    drawn = {
        "crop": st.floats(0.2, 1), "crop_x": st.floats(0, 1), "zoom": st.floats(0.5, 2),
        "stretch_x": st.floats(0.3, 2), "stretch_y": st.floats(-2, -0.3),
        "shear_x": st.floats(-40, 40), "shear_y": st.floats(-40, 40), "rotation": st.floats(-180, 180),
        "translate_x": st.floats(-0.2, 0.2),
        "perspective_x": st.floats(-0.9, 0.9), "perspective_y": st.floats(-0.9, 0.9),
    }  # fmt: skip
    matrix = homographies(resolve({name: data.draw(values, name) for name, values in drawn.items()}))[0]
    try:
        setting = setting_of_homography(matrix * data.draw(st.sampled_from([1, -3, 0.01])))
    except ParameterError:
        # Two shears one after the other may come to more than one can do.
        assume(False)
    found = homographies(resolve(setting))[0]
    np.testing.assert_allclose(
        found / found[2, 2], matrix / matrix[2, 2], atol=1e-9 * np.abs(matrix / matrix[2, 2]).max()
    )
    assert abs(setting["rotation"]) <= 90


def test_a_neutral_setting_is_found_from_the_images_own_corners():
    setting = setting_of_corners([(0, 0), (1, 0), (1, 1), (0, 1)])
    assert setting == pytest.approx({name: CATALOGUE[name].neutral for name in setting}, abs=1e-12)


def test_an_image_that_grows_beyond_what_stretch_can_do_is_zoomed():
    setting = setting_of_corners([(-1, -1), (2, -1), (2, 2), (-1, 2)])
    assert setting["zoom"] * setting["stretch_x"] == pytest.approx(3)
    assert max(setting["stretch_x"], setting["stretch_y"]) <= 2


@pytest.mark.parametrize(
    ("corners", "words"),
    [
        ([(0, 0), (1, 0), (1, 1)], "expected four pairs"),
        ([(0, 0), (1, 0), (1, float("nan")), (0, 1)], "expected four pairs"),
        ([(0, 0), (1, 1), (1, 0), (0, 1)], "convex"),
        ([(0, 0), (0.5, 0.5), (1, 1), (0, 1)], "convex"),
        ([(3, 0), (4, 0), (4, 1), (3, 1)], "translate_x to be 3; expected a number from -1 to 1"),
        ([(0, 0), (1, 0.4999), (1, 0.5001), (0, 1)], "perspective_x to be 0.9998"),
        ([(-20, -20), (20, -20), (20, 20), (-20, 20)], "stretch_x to be 10"),
        ([(0.4999, 0.4999), (0.5001, 0.4999), (0.5001, 0.5001), (0.4999, 0.5001)], r"stretch.*expected a number from"),
        ([(0.7, 0.495), (1, 0.3), (1, 0.7), (0.7, 0.505)], "beyond the horizon"),
    ],
)
def test_corners_that_no_setting_reaches_are_named(corners, words):
    with pytest.raises(ParameterError, match=words):
        setting_of_corners(corners)


def test_a_homography_without_a_way_back_is_named():
    with pytest.raises(ParameterError, match="with an inverse"):
        setting_of_homography(np.zeros((3, 3)))
    with pytest.raises(ParameterError, match="at least 2"):
        setting_of_perspective(1, 1, 1, 0)
