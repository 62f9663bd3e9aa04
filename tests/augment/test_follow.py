"""Masks and boxes follow their image: against torchvision, scikit-image, and boxes drawn and moved pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import assume, example, given
from hypothesis import strategies as st
from skimage.transform import ProjectiveTransform
from skimage.transform import warp as skimage_warp
from torchvision import tv_tensors
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as TF

from augimpact.augment.follow import move_boxes, move_masks
from augimpact.augment.geometry import homographies
from augimpact.augment.parameters import resolve
from augimpact.errors import ParameterError
from tests.augment.agreement import SIDE, names

NEAREST = InterpolationMode.NEAREST
# Pixels: a place as near as this to the middle between two of them is rounded by another library to the other one.
UNDECIDED = 0.01
# Places of pixels, −1 to 1, to places as scikit-image counts them: in pixels, with the first one's centre at 0.
TO_PIXELS = np.array([[SIDE / 2, 0, (SIDE - 1) / 2], [0, SIDE / 2, (SIDE - 1) / 2], [0, 0, 1]])
# The side at which boxes are drawn and moved.
FINE = 512
# All of geometry, up to steep tilts in both directions.
settings = st.fixed_dictionaries(
    {},
    optional={
        "crop": st.floats(0.2, 1), "crop_x": st.floats(0, 1), "crop_y": st.floats(0, 1),
        "stretch_x": st.sampled_from([-1, -0.5, 0.7, 1.5]), "stretch_y": st.sampled_from([-1, -0.5, 0.7, 1.5]),
        "zoom": st.floats(0.3, 3), "shear_x": st.floats(-60, 60), "shear_y": st.floats(-60, 60),
        "rotation": st.floats(-180, 180), "translate_x": st.floats(-0.5, 0.5), "translate_y": st.floats(-0.5, 0.5),
        "perspective_x": st.floats(-0.9, 0.9), "perspective_y": st.floats(-0.9, 0.9),
    },
)  # fmt: skip
steep = {"perspective_x": 0.9, "perspective_y": 0.9, "crop": 0.5, "rotation": 30}


def homography(**setting) -> np.ndarray:
    return homographies(resolve(setting))[0]


def moved(mask: torch.Tensor, outside: int = 0, **setting) -> torch.Tensor:
    return move_masks(mask, homography(**setting)[None], outside=outside)[0]


def classes_of(photographs: dict[str, torch.Tensor], name: str) -> torch.Tensor:
    """Five levels of a photograph's grey, as classes."""
    return 1 + (photographs[name].mean(dim=0) * 4.999).long()


def decided(matrix: np.ndarray) -> torch.Tensor:
    """Pixels of the frame for which no rounding matters: neither between two pixels nor near the horizon."""
    inverse = np.linalg.inv(matrix)
    places = (np.arange(SIDE) * 2 + 1) / SIDE - 1
    x, y, depth = np.einsum("kl,lij->kij", inverse, np.stack([*np.meshgrid(places, places), np.ones((SIDE, SIDE))]))
    before = depth > 0.02 * np.abs(inverse[2]).max()
    pixels = (np.stack([x, y]) / np.where(before, depth, 1) + 1) * SIDE / 2
    return torch.from_numpy(before & (np.abs(pixels - pixels.round()) > UNDECIDED).all(axis=0))


def assert_equal(ours: torch.Tensor, theirs: torch.Tensor, matrix: np.ndarray) -> None:
    where = decided(matrix)
    assert torch.equal(ours[where], theirs[where].to(ours.dtype))


@given(name=names, degrees=st.floats(-180, 180), zoom=st.floats(0.3, 3), move=st.tuples(*[st.integers(-40, 40)] * 2))
def test_a_mask_is_moved_as_torchvision_moves_it(photographs, name, degrees, zoom, move):
    mask = classes_of(photographs, name)
    setting = {"rotation": degrees, "zoom": zoom, "translate_x": move[0] / SIDE, "translate_y": move[1] / SIDE}
    theirs = TF.affine(mask[None], -degrees, list(move), zoom, [0.0, 0.0], NEAREST, fill=9)[0]
    assert_equal(moved(mask, 9, **setting), theirs, homography(**setting))
    turned = TF.rotate(mask[None], degrees, NEAREST)[0]
    assert_equal(moved(mask, rotation=degrees), turned, homography(rotation=degrees))


@given(name=names, value=st.floats(0.01, 0.9))
def test_a_mask_is_tilted_as_torchvision_tilts_it(photographs, name, value):
    mask = classes_of(photographs, name)
    inset = SIDE * value / 2
    start = [[0, 0], [SIDE, 0], [SIDE, SIDE], [0, SIDE]]
    end = [[0, 0], [SIDE, inset], [SIDE, SIDE - inset], [0, SIDE]]
    theirs = TF.perspective(mask[None].float(), start, end, NEAREST, fill=9)[0]
    assert_equal(moved(mask, 9, perspective_x=value), theirs, homography(perspective_x=value))


@given(name=names, setting=settings)
@example(name="coffee", setting=steep)
def test_a_mask_is_moved_as_scikit_image_moves_it(photographs, name, setting):
    mask = classes_of(photographs, name)
    matrix = homography(**setting)
    inverse = ProjectiveTransform(TO_PIXELS @ np.linalg.inv(matrix) @ np.linalg.inv(TO_PIXELS))
    theirs = torch.from_numpy(skimage_warp(mask.double().numpy(), inverse, order=0, cval=9)).round()
    assert_equal(moved(mask, 9, **setting), theirs, matrix)


def test_behind_the_eye_a_mask_has_the_class_outside(photographs):
    """Without that, 8 % of this frame would show the mask once more, upside down."""
    places = (np.arange(SIDE) * 2 + 1) / SIDE - 1
    inverse = np.linalg.inv(homography(**steep))
    behind = inverse[2, 0] * places + inverse[2, 1] * places[:, None] + inverse[2, 2] <= 0
    assert behind.mean() > 0.05
    assert (moved(classes_of(photographs, "coffee"), 9, **steep)[torch.from_numpy(behind)] == 9).all()


@given(setting=settings, seed=st.integers(0, 99), outside=st.sampled_from([0, 255, -1]))
@example(setting=steep, seed=0, outside=255)
def test_a_moved_mask_has_no_class_but_its_own_and_the_one_outside(setting, seed, outside):
    classes = [-100, -1, 3, 200, 2**24 - 200]
    mask = torch.from_numpy(np.random.default_rng(seed).choice(classes, (37, 37)))
    found = moved(mask, outside, **setting)
    assert found.dtype == mask.dtype
    assert set(found.unique().tolist()) <= {*classes, outside}


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32, torch.int64, torch.bool])
def test_a_mask_that_is_not_moved_is_the_mask(dtype):
    mask = torch.randint(0, 256, (20, 20), generator=torch.Generator().manual_seed(0)).to(dtype)
    masks = move_masks(mask, homographies(resolve({"stretch_x": [1, -1, 1]})))
    assert masks.dtype == dtype
    assert torch.equal(masks[0], mask)
    assert torch.equal(masks[1], mask.flip(1))
    assert torch.equal(masks[2], mask)
    masks[0] = 0
    assert mask.any()
    assert move_masks(mask, np.zeros((0, 3, 3))).shape == (0, 20, 20)


def test_numbers_too_large_for_half_of_a_float_stay_exact():
    mask = torch.tensor([[2**24 - 2, 2**24 - 3], [0, 1]])
    assert moved(mask, rotation=180).tolist() == [[1, 0], [2**24 - 3, 2**24 - 2]]


@pytest.mark.parametrize("shape", [(2, 3), (1, 4, 4), (4,)])
def test_a_mask_that_is_not_square_is_refused(shape):
    with pytest.raises(ParameterError, match=r"the mask has shape .*; expected \(side, side\)"):
        moved(torch.zeros(shape, dtype=torch.int64), rotation=3)


def boxes_inside(margin: float) -> st.SearchStrategy[list[float]]:
    """Of SIDE, away from its edges."""
    corner, length = st.floats(margin, SIDE / 2 - 4), st.floats(1, SIDE / 2 - margin)
    return st.builds(lambda x, y, w, h: [x, y, x + w, y + h], corner, corner, length, length)


def torchvisions(boxes: list[list[float]]) -> tv_tensors.BoundingBoxes:
    return tv_tensors.BoundingBoxes(
        torch.tensor(boxes, dtype=torch.float64), format="XYXY", canvas_size=(SIDE, SIDE), clamping_mode=None
    )


@given(
    boxes=st.lists(boxes_inside(45), min_size=1, max_size=3),
    degrees=st.floats(-180, 180),
    zoom=st.floats(0.4, 1.2),
    move=st.tuples(*[st.integers(-10, 10)] * 2),
    shear=st.tuples(*[st.floats(-10, 10)] * 2),
)
def test_boxes_are_moved_as_torchvision_moves_them(boxes, degrees, zoom, move, shear):
    theirs = TF.affine(torchvisions(boxes), -degrees, list(move), zoom, list(shear)).numpy()
    assume(theirs.min() >= 0)
    assume(theirs.max() <= SIDE)
    matrix = homography(
        rotation=degrees, zoom=zoom, shear_x=shear[0], shear_y=shear[1], translate_x=move[0] / SIDE,
        translate_y=move[1] / SIDE,
    )  # fmt: skip
    ours, places = move_boxes(boxes, matrix, SIDE, least=0.999)
    assert places.tolist() == list(range(len(boxes)))
    # torchvision reckons its matrix in float32.
    assert np.allclose(ours, theirs, atol=1e-3)


@given(boxes=st.lists(boxes_inside(1), min_size=1, max_size=3), value=st.floats(0.01, 0.95))
def test_boxes_are_flipped_and_tilted_as_torchvision_does_it(boxes, value):
    for setting, flip in (({"stretch_x": -1}, TF.horizontal_flip), ({"stretch_y": -1}, TF.vertical_flip)):
        assert np.allclose(move_boxes(boxes, homography(**setting), SIDE)[0], flip(torchvisions(boxes)), atol=1e-9)
    inset = SIDE * value / 2
    start = [[0, 0], [SIDE, 0], [SIDE, SIDE], [0, SIDE]]
    end = [[0, 0], [SIDE, inset], [SIDE, SIDE - inset], [0, SIDE]]
    ours = move_boxes(boxes, homography(perspective_x=value), SIDE)[0]
    assert np.allclose(ours, TF.perspective(torchvisions(boxes), start, end), atol=1e-2)


def drawn(box: np.ndarray) -> torch.Tensor:
    """A box in whole pixels of FINE."""
    mask = torch.zeros(FINE, FINE, dtype=torch.uint8)
    left, top, right, bottom = (int(each) for each in box)
    mask[top:bottom, left:right] = 1
    return mask


def seen_outline(matrix: np.ndarray, box: np.ndarray, count: int = 20_001) -> np.ndarray:
    """Points of the frame, close to each other, on the outline of what is seen of a box: on its edges or the frame's.

    All in pixels of FINE.
    """
    along = np.linspace(0, 1, count)
    left, top, right, bottom = box

    def edges(left, top, right, bottom):
        x, y = left + along * (right - left), top + along * (bottom - top)
        sides = [(x, y * 0 + top), (x, y * 0 + bottom), (x * 0 + left, y), (x * 0 + right, y)]
        return np.concatenate([np.stack(side, axis=1) for side in sides])

    def through(points, matrix):
        places = np.c_[points / FINE * 2 - 1, np.ones(len(points))] @ matrix.T
        before = places[:, 2] > 1e-9
        return (places[:, :2] / np.where(before, places[:, 2], 1)[:, None] + 1) / 2 * FINE, before

    of_box, before = through(edges(*box), matrix)
    of_frame = edges(0, 0, FINE, FINE)
    found, also_before = through(of_frame, np.linalg.inv(matrix))
    inside = (found >= [left, top]).all(axis=1) & (found <= [right, bottom]).all(axis=1) & also_before
    return np.concatenate([of_box[before & (of_box >= 0).all(axis=1) & (of_box <= FINE).all(axis=1)], of_frame[inside]])


@given(setting=settings, box=st.tuples(*[st.integers(0, FINE - 40)] * 2, *[st.integers(40, FINE)] * 2))
@example(setting=steep, box=(0, 0, FINE, FINE))
@example(setting=steep, box=(300, 20, 60, 400))
@example(setting=steep | {"zoom": 3, "perspective_x": -0.9}, box=(0, 0, FINE, FINE))
def test_a_box_encloses_what_is_seen_of_all_that_was_in_it_and_no_more(setting, box):
    matrix = homography(**setting)
    left, top, width, height = box
    whole = np.array([left, top, min(left + width, FINE), min(top + height, FINE)], np.float64)
    shown = move_masks(drawn(whole), matrix[None])[0].numpy()
    found, places = move_boxes(whole, matrix, FINE)
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    if len(rows):
        # The centres of its pixels lie in it, but for what float32 rounds.
        assert places.tolist() == [0]
        assert (found[0, :2] <= [columns[0] + 0.6, rows[0] + 0.6]).all()
        assert (found[0, 2:] >= [columns[-1] + 0.4, rows[-1] + 0.4]).all()
    outline = seen_outline(matrix, whole)
    if len(found):
        # As near as the points are to each other.
        assert np.abs(found[0] - [*outline.min(axis=0), *outline.max(axis=0)]).max() <= 0.5
    elif len(outline):
        assert np.ptp(outline, axis=0).min() <= 1e-6


@given(setting=settings, box=st.tuples(*[st.integers(0, FINE - 100)] * 2, *[st.integers(80, FINE)] * 2))
@example(setting=steep, box=(0, 0, FINE, FINE))
def test_the_share_that_is_seen_is_that_of_the_pixels(setting, box):
    # Smaller, so that all of the moved box is in a frame around the frame.
    matrix = homography(**setting)
    left, top, width, height = box
    given_box = np.array([left, top, min(left + width, FINE), min(top + height, FINE)], np.float64)
    shrink = np.diag([0.25, 0.25, 1])
    mask = drawn(given_box)
    whole = 16 * int(move_masks(mask, (shrink @ matrix)[None])[0].sum())
    corners = np.array([[x, y, 1] for x in (-1, 1) for y in (-1, 1)]) @ matrix.T
    assume((corners[:, 2] > 0.01).all())
    assume(np.abs(corners[:, :2] / corners[:, 2:]).max() < 3.9)
    assume(whole > 16 * 1000)
    share = int(move_masks(mask, matrix[None])[0].sum()) / whole
    # A quarter of the side shows the area with the error of its outline.
    for least, kept in ((share - 0.1, 1), (share + 0.1, 0)):
        if 0 < least < 1:
            assert len(move_boxes(given_box, matrix, FINE, least=least)[1]) == kept


def test_boxes_of_which_too_little_is_seen_are_dropped_and_the_others_told():
    boxes = [[0, 0, 100, 100], [40, 0, 60, 100], [0, 0, 40, 100], [90, 10, 95, 20]]
    right = homography(translate_x=0.5)
    found, places = move_boxes(boxes, right, 100, least=0.5)
    assert places.tolist() == [0, 1, 2]
    assert found.tolist() == [[50, 0, 100, 100], [90, 0, 100, 100], [50, 0, 90, 100]]
    assert move_boxes(boxes, right, 100, least=0.51)[1].tolist() == [2]
    assert move_boxes(boxes, right, 100)[1].tolist() == [0, 1, 2]
    assert move_boxes(boxes, np.eye(3), 100, least=1.0)[1].tolist() == [0, 1, 2, 3]


@given(box=st.tuples(*[st.floats(0, 99)] * 2, *[st.floats(0.01, 1)] * 2))
def test_a_box_that_is_not_moved_stays_where_it_is(box):
    left, top, width, height = box
    boxes = [[left, top, left + width, top + height]]
    assert np.allclose(move_boxes(boxes, np.eye(3), 100, least=1.0)[0], boxes, atol=1e-12)


@pytest.mark.parametrize(
    "box", [[5, 5, 5, 9], [5, 5, 9, 5], [5, 5, 5, 5], [-20, 5, -10, 9], [120, 5, 130, 9], [5, np.nan, 9, 9]]
)
def test_of_a_box_without_area_or_beyond_the_image_nothing_is_seen(box):
    found, places = move_boxes([box, [1, 2, 3, 4]], np.eye(3), 100)
    assert places.tolist() == [1]
    assert np.allclose(found, [[1, 2, 3, 4]])


def test_what_goes_beyond_the_edge_is_cut_and_corners_in_the_wrong_order_are_put_right():
    found, _ = move_boxes([[-10, -20, 150, 30], [30, 40, 10, 20]], np.eye(3), 100)
    assert np.allclose(found, [[0, 0, 100, 30], [10, 20, 30, 40]])


def test_no_boxes_are_no_boxes():
    for boxes in ([], np.zeros((0, 4))):
        found, places = move_boxes(boxes, np.eye(3), 100)
        assert (found.shape, places.shape) == ((0, 4), (0,))
