"""Drift against SciPy and PyTorch, against blobs whose movement is known, and against a model that must not drift."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.ndimage import center_of_mass, map_coordinates
from scipy.stats import pearsonr

from augimpact.augment.apply import augment
from augimpact.augment.geometry import homographies
from augimpact.augment.parameters import resolve
from augimpact.data.image import EXAMPLES
from augimpact.drift import LEAST_POINTS, TOP_SHARE, Drift, carry_back, drift
from augimpact.errors import ParameterError

IDENTITY = np.eye(3)
SIDE = 28
seeds = st.integers(0, 2**32 - 1)


def matrices_of(**settings) -> np.ndarray:
    return homographies(resolve(settings))


def translation(x: float, y: float) -> np.ndarray:
    return np.array([[1.0, 0, x], [0, 1, y], [0, 0, 1]])


def centres(size: int) -> np.ndarray:
    return (np.arange(size) * 2 + 1) / size - 1


def blob(matrix: np.ndarray, centre: tuple[float, float], width: float = 0.25, side: int = SIDE) -> np.ndarray:
    """What a frame's map is when the classifier sees a Gaussian blob at one place of the original, exactly."""
    x, y = np.meshgrid(centres(side), centres(side))
    back = np.linalg.inv(matrix) @ np.stack([x.ravel(), y.ravel(), np.ones(side * side)])
    place = np.where(back[2] > 0, back[:2] / back[2], np.inf)
    squared = ((place - np.reshape(centre, (2, 1))) ** 2).sum(axis=0)
    return np.exp(-squared / (2 * width**2)).reshape(side, side).astype(np.float32)


def assert_same(one: Drift, other: Drift, tolerance: float = 1e-9) -> None:
    for name in Drift._fields:
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=tolerance, rtol=0, err_msg=name)


@given(seed=seeds, shape=st.tuples(st.integers(1, 9), st.integers(1, 9)), tilt=st.floats(0, 1.2))
def test_maps_are_carried_back_as_scipy_and_pytorch_would(seed, shape, tilt):
    random = np.random.default_rng(seed)
    values = random.normal(size=shape).astype(np.float32)
    matrix = random.uniform(-1.2, 1.2, (3, 3)) * [[1, 1, 0.5], [1, 1, 0.5], [tilt, tilt, 0]] + np.diag([0, 0, 1])
    assume(abs(np.linalg.det(matrix)) > 0.05)
    carried = carry_back(values[None], matrix[None], (13, 17))[0]

    y, x = np.meshgrid(centres(13), centres(17), indexing="ij")
    u, v, depth = np.einsum("ij,jkl->ikl", matrix, np.stack([x, y, np.ones_like(x)]))
    u, v = u / depth, v / depth
    inside = (depth > 0) & (np.abs(u) <= 1) & (np.abs(v) <= 1)
    np.testing.assert_array_equal(np.isfinite(carried), inside)

    rows, columns = shape
    cells = [(v + 1) / 2 * rows - 0.5, (u + 1) / 2 * columns - 0.5]
    scipy = map_coordinates(values.astype(np.float64), cells, order=1, mode="nearest")
    np.testing.assert_allclose(carried[inside], scipy[inside], atol=1e-9)

    grid = torch.from_numpy(np.stack([u, v], axis=-1))[None]
    pytorch = F.grid_sample(
        torch.from_numpy(values)[None, None].double(), grid, padding_mode="border", align_corners=False
    )
    np.testing.assert_allclose(carried[inside], pytorch[0, 0].numpy()[inside], atol=1e-9)


@given(seed=seeds)
def test_without_movement_all_three_are_what_scipy_says_of_the_maps_themselves(seed):
    """At this size every point of comparison is the centre of a cell."""
    random = np.random.default_rng(seed)
    maps = random.normal(size=(2, LEAST_POINTS, LEAST_POINTS)).astype(np.float32)
    found = drift(maps[:1], [IDENTITY], maps[1])
    one, other = np.maximum(maps.astype(np.float64), 0)
    apart = np.subtract(center_of_mass(one), center_of_mass(other))
    count = round(TOP_SHARE * one.size)
    tops = [set(np.argsort(each.ravel())[-count:].tolist()) for each in (one, other)]
    assert found.shift.item() == pytest.approx(np.linalg.norm(apart) / LEAST_POINTS, abs=1e-9)
    assert found.correlation.item() == pytest.approx(pearsonr(one.ravel(), other.ravel()).statistic, abs=1e-9)
    assert found.overlap.item() == pytest.approx(len(tops[0] & tops[1]) / count, abs=1e-9)
    assert found.visible.item() == 1


@given(seed=seeds, tilt=st.floats(0, 1))
def test_the_visible_share_is_that_of_random_points(seed, tilt):
    random = np.random.default_rng(seed)
    matrix = IDENTITY + random.uniform(-1, 1, (3, 3)) * [[1, 1, 1], [1, 1, 1], [tilt, tilt, 0]]
    assume(abs(np.linalg.det(matrix)) > 0.01)
    u, v, depth = matrix @ np.concatenate([random.uniform(-1, 1, (2, 20_000)), np.ones((1, 20_000))])
    shown = (depth > 0) & (np.abs(u) <= depth) & (np.abs(v) <= depth)
    # Five standard deviations of the mean of 20 000 throws, and half a row of the 64 points.
    assert drift([np.eye(7)], [matrix], np.eye(7)).visible.item() == pytest.approx(shown.mean(), abs=0.026)


def test_the_visible_share_of_known_frames_is_known():
    octagon = 2 * (np.sqrt(2) - 1)
    known = {
        1.0: matrices_of(rotation=[90])[0],
        octagon: matrices_of(rotation=[45])[0],
        0.09: matrices_of(crop=[0.3], crop_x=[0.1])[0],
        0.0025: matrices_of(crop=[0.05])[0],
        0.375: translation(1, -0.5),
        0.0: translation(2.5, 0),
    }
    found = drift(np.ones((len(known), 7, 7)), list(known.values()), np.ones((7, 7)))
    np.testing.assert_allclose(found.visible, list(known), atol=0.003)


MOVEMENTS = {
    "rotation": matrices_of(rotation=np.linspace(-180, 180, 25)),
    "crop": matrices_of(crop=np.linspace(1, 0.4, 13), crop_x=0.3, crop_y=0.6),
    "perspective": matrices_of(perspective_x=np.linspace(-0.6, 0.6, 13), perspective_y=0.3),
    "translation": np.stack([translation(x, x / 2) for x in np.linspace(-0.8, 0.8, 13)]),
    "all at once": matrices_of(rotation=np.linspace(-60, 60, 13), crop=0.8, perspective_x=0.4),
}


@pytest.mark.parametrize("name", MOVEMENTS)
@pytest.mark.parametrize("centre", [(0, 0), (-0.3, 0.2), (0.1, 0.4)])
def test_a_map_that_moves_with_the_image_does_not_drift(name, centre):
    matrices = MOVEMENTS[name]
    found = drift([blob(each, centre) for each in matrices], matrices, blob(IDENTITY, centre))
    # What remains is that 28 cells are read bilinearly: 1 % of the side is a quarter of a cell.
    assert found.shift.max() < 0.01
    assert found.correlation.min() > 0.995
    assert found.overlap.min() > 0.95


@pytest.mark.parametrize("name", MOVEMENTS)
def test_the_same_map_not_carried_back_would_seem_to_have_moved(name):
    matrices = MOVEMENTS[name]
    maps = [blob(each, (-0.3, 0.2)) for each in matrices]
    found = drift(maps, [IDENTITY] * len(matrices), blob(IDENTITY, (-0.3, 0.2)))
    assert found.shift.max() > 0.1
    assert found.overlap.min() < 0.75


@given(
    angles=st.tuples(st.floats(-180, 180), st.floats(-180, 180)),
    scales=st.tuples(st.floats(0.7, 1.5), st.floats(0.7, 1.5)),
    offset=st.tuples(st.floats(-0.4, 0.4), st.floats(-0.4, 0.4)),
    centre=st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5)),
)
def test_no_affine_movement_of_the_whole_image_is_drift(angles, scales, offset, centre):
    first, last = matrices_of(rotation=angles)
    matrix = translation(*offset) @ last @ np.diag([*scales, 1]) @ first
    found = drift([blob(matrix, centre)], [matrix], blob(IDENTITY, centre))
    assume(found.visible.item() > 0.3 and (np.abs(matrix @ [*centre, 1]) < 1.1).all())
    assert found.shift.item() < 0.02
    assert found.correlation.item() > 0.98
    assert found.overlap.item() > 0.9


@given(
    angle=st.floats(-180, 180),
    start=st.tuples(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3)),
    vector=st.tuples(st.floats(-0.2, 0.2), st.floats(-0.2, 0.2)),
)
def test_a_blob_that_moved_by_a_known_vector_has_that_shift(angle, start, vector):
    (matrix,) = matrices_of(rotation=[angle])
    moved = blob(matrix, (start[0] + vector[0], start[1] + vector[1]), width=0.1)
    found = drift([moved], [matrix], blob(IDENTITY, start, width=0.1))
    # Near enough to the centre for nothing of it to be cut off; the side is 2 long.
    assert found.shift.item() == pytest.approx(np.hypot(*vector) / 2, abs=0.003)


def test_farther_is_more_shift_less_overlap_and_less_correlation():
    steps = [0, 0.1, 0.2, 0.4]
    found = drift([blob(IDENTITY, (x - 0.2, 0)) for x in steps], [IDENTITY] * 4, blob(IDENTITY, (-0.2, 0)))
    assert (np.diff(found.shift) > 0).all()
    assert (np.diff(found.overlap) < 0).all()
    assert (np.diff(found.correlation) < 0).all()
    assert (found.shift[0], found.overlap[0], found.correlation[0]) == pytest.approx((0, 1, 1), abs=1e-9)


def test_a_neutral_frame_that_was_itself_moved_is_carried_back_too():
    centre = (0.2, -0.3)
    matrices = matrices_of(rotation=[-40, 0, 70], crop=0.8)
    neutral = matrices_of(crop=[0.7], crop_x=0.6)[0]
    found = drift([blob(each, centre) for each in matrices], matrices, blob(neutral, centre, side=14), neutral)
    assert found.shift.max() < 0.01
    assert found.correlation.min() > 0.99
    left, right = (matrices_of(crop=[0.4], crop_x=x)[0] for x in (0.2, 0.8))
    apart = drift([np.eye(7)], [left], np.eye(7), right)
    # Each shows a part of the original, and they have nothing in common.
    assert apart.visible.item() == pytest.approx(0.16)
    assert np.isnan([apart.shift, apart.overlap, apart.correlation]).all()


class BrightSpot(torch.nn.Module):
    """One feature, made point by point and blurred about the centre of its cell: it looks where the image is bright."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        grey = F.conv2d(images, torch.full((1, 3, 1, 1), 1 / 3))
        return F.avg_pool2d(F.relu(grey - 0.5), kernel_size=8, stride=4, padding=2)[:, 0]


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_model_that_turns_with_the_image_does_not_drift_though_its_map_moves(photographs, name):
    angles = np.array([-150, -90, -45, -20, 20, 45, 90, 150])
    frames = augment(photographs[name], {"rotation": angles})
    model = BrightSpot()
    maps = model(frames.images).numpy()
    neutral = model(photographs[name][None])[0].numpy()
    corrected = drift(maps, frames.homographies, neutral)
    uncorrected = drift(maps, [IDENTITY] * len(angles), neutral)
    # At the image's edge the blur mixes in the black outside, and the pool resamples the frame's pixels.
    assert corrected.shift.max() < 0.02
    assert corrected.correlation.min() > 0.95
    assert corrected.overlap.min() > 0.85
    assert uncorrected.correlation.max() < corrected.correlation.min()
    assert uncorrected.shift.max() > 4 * corrected.shift.max()


@given(seed=seeds, factor=st.floats(1e-20, 1e20), angle=st.floats(-180, 180))
def test_a_positive_factor_changes_nothing(seed, factor, angle):
    maps = np.random.default_rng(seed).normal(size=(2, 7, 7))
    matrices = matrices_of(rotation=[angle])
    plain = drift(maps[:1], matrices, maps[1])
    for scaled in (drift(maps[:1] * factor, matrices, maps[1]), drift(maps[:1], matrices, maps[1] * factor)):
        # A point whose value ties with another may fall on the other side of the threshold: one of some 800.
        assert_same(scaled._replace(overlap=plain.overlap), plain)
        assert scaled.overlap.item() == pytest.approx(plain.overlap.item(), abs=0.005)


def test_negative_values_count_as_zero():
    maps = np.random.default_rng(0).normal(size=(2, 7, 7))
    matrices = matrices_of(rotation=[30])
    assert_same(drift(maps[:1], matrices, maps[1]), drift(np.maximum(maps[:1], 0), matrices, np.maximum(maps[1], 0)), 0)


def test_few_bright_points_are_the_whole_top():
    """Both maps are zero nearly everywhere; that they share those zeros is no overlap."""
    left, right = np.zeros((2, 64, 64))
    left[:, 10] = 1
    right[:, 40] = 1
    found = drift([left, right], [IDENTITY] * 2, left)
    assert found.overlap.tolist() == [1, 0]
    right[:, 10] = 1
    # The bright column of one is half of the other's two.
    assert drift([right], [IDENTITY], left).overlap.item() == 0.5


def test_points_of_equal_value_at_the_threshold_count_in_part():
    """Of 64 rows the top 20 % are 12.8: two steps of 10 rows, the lower of them in part."""
    steps = np.zeros((64, 64))
    steps[:10], steps[10:40] = 2, 1
    mirrored = steps[::-1]
    found = drift([steps, mirrored], [IDENTITY] * 2, steps)
    points = round(TOP_SHARE * 64 * 64)
    part = (points - 640) / (30 * 64)
    # The middle 16 rows belong to the lower step of both, and each map's highest step meets the other's lower or none.
    assert found.overlap.tolist() == [1, pytest.approx(16 * 64 * part / points)]


def test_signals_have_one_row_and_move_along_it():
    x = centres(64)
    stretched = np.exp(-(((x / 0.8) - 0.3) ** 2) / 0.02)
    moved = np.exp(-((x + 0.1) ** 2) / 0.02)
    neutral = np.exp(-((x - 0.3) ** 2) / 0.02)
    shrink = np.diag([0.8, 1, 1])
    found = drift(np.stack([stretched, moved])[:, None], [shrink, IDENTITY], neutral[None])
    np.testing.assert_allclose(found.shift, [0, 0.2], atol=0.002)
    assert found.correlation[0] > 0.99 > 0.1 > found.correlation[1]
    np.testing.assert_allclose(found.visible, [1, 1])


def test_where_nothing_can_be_said_it_is_nan_and_only_there():
    good = blob(IDENTITY, (0, 0), side=7)
    broken, elsewhere = good.copy(), np.zeros((7, 7))
    flat = np.full((7, 7), 0.1, np.float32)
    rounded = flat.copy()
    rounded[2, 4] = np.nextafter(flat[2, 4], np.float32(1))
    broken[3, 3] = np.nan
    elsewhere[0, 0] = 1
    beyond = np.diag([1.0, 1.0, -1.0])
    crop = matrices_of(crop=[0.3])[0]
    cases = {
        "zero": (np.zeros((7, 7)), IDENTITY),
        "negative": (-good, IDENTITY),
        "flat": (flat, matrices_of(rotation=[33])[0]),
        "flat but for rounding": (rounded, IDENTITY),
        "not a number": (broken, IDENTITY),
        "out of sight": (good, translation(3, 0)),
        "at the very edge": (good, translation(2, 0)),
        "behind the eye": (good, beyond),
    }
    maps, matrices = zip(*cases.values(), (good, IDENTITY), strict=True)
    found = drift(np.stack(maps), matrices, good)
    for values in (found.shift, found.overlap, found.correlation):
        assert np.isnan(values).tolist() == [True] * len(cases) + [False]
    np.testing.assert_allclose(found.visible, [1, 1, found.visible[2], 1, 1, 0, 0, 0, 1])
    assert 0.8 < found.visible[2] < 1
    # The neutral map is zero over the little that the crop shows.
    assert np.isnan(drift([good], [crop], elsewhere).correlation).all()
    assert np.isnan(drift([good], [IDENTITY], np.zeros((7, 7))).shift).all()


def test_no_frames_give_no_numbers_and_tensors_are_welcome():
    assert [values.shape for values in drift(np.empty((0, 7, 7)), np.empty((0, 3, 3)), np.eye(7))] == [(0,)] * 4
    maps = np.random.default_rng(0).random((3, 7, 7)).astype(np.float32)
    matrices = matrices_of(rotation=[0, 5, 9])
    given_tensors = drift(torch.from_numpy(maps), torch.from_numpy(matrices), torch.from_numpy(maps[0]))
    assert_same(given_tensors, drift(maps, matrices, maps[0]), 0)
    assert all(values.dtype == np.float64 for values in given_tensors)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((np.ones((7, 7)), [IDENTITY], np.eye(7)), r"maps of shape \(7, 7\) .* expected \(N, h, w\) and \(N, 3, 3\)"),
        ((np.ones((2, 7, 7)), [IDENTITY], np.eye(7)), r"homographies of shape \(1, 3, 3\)"),
        ((np.ones((1, 7, 7)), [IDENTITY], np.ones(7)), r"maps of shape \(1, 7\)"),
        ((np.ones((1, 0, 7)), [IDENTITY], np.eye(7)), r"maps of shape \(1, 0, 7\)"),
        ((np.ones((1, 7, 7)), [IDENTITY], np.eye(7), np.ones(3)), r"homographies of shape \(1, 3\)"),
        ((np.ones((1, 7, 7)), [np.diag([1.0, 0, 1])], np.eye(7)), "has no inverse"),
        ((np.ones((1, 7, 7)), [IDENTITY * np.nan], np.eye(7)), "has no inverse"),
    ],
)
def test_mistakes_are_named(arguments, words):
    with pytest.raises(ParameterError, match=words):
        drift(*arguments)
