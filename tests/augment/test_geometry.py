"""Each geometric parameter against torchvision, all of them together against scikit-image, on photographs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from skimage.transform import ProjectiveTransform
from skimage.transform import warp as skimage_warp
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as TF

from augimpact.augment.apply import augment
from augimpact.augment.parameters import BORDERS
from tests.augment.agreement import (
    ARITHMETIC,
    SIDE,
    assert_agree,
    away_from_borders,
    from_numpy,
    names,
    photograph_or_noise,
    to_numpy,
)

# Places of pixels, −1 to 1, to places as scikit-image counts them: in pixels, with the first one's centre at 0.
TO_PIXELS = np.array([[SIDE / 2, 0, (SIDE - 1) / 2], [0, SIDE / 2, (SIDE - 1) / 2], [0, 0, 1]])
# scikit-image's words for what is seen beyond the border.
MODES = {"black": "constant", "edge": "edge", "reflect": "symmetric"}


def degenerate(matrix: np.ndarray, least_depth: float = 0.0) -> torch.Tensor:
    """Pixels of the frame where no point of the original can be, for it would lie behind the eye (or very far away)."""
    places = (np.arange(SIDE) * 2 + 1) / SIDE - 1
    x, y = np.meshgrid(places, places)
    depth = np.einsum("k,kij->ij", np.linalg.inv(matrix)[2], np.stack([x, y, np.ones_like(x)]))
    return torch.from_numpy(depth <= least_depth)[None]


def share(least=-0.95, most=0.95):
    return st.floats(least, most)


def moved_by_skimage(image: torch.Tensor, matrix: np.ndarray, mode: str = "constant") -> torch.Tensor:
    inverse = ProjectiveTransform(TO_PIXELS @ np.linalg.inv(matrix) @ np.linalg.inv(TO_PIXELS))
    return from_numpy(skimage_warp(to_numpy(image), inverse, order=1, mode=mode, cval=0))


def affine(image: torch.Tensor, **changed) -> torch.Tensor:
    neutral = {"angle": 0.0, "translate": [0, 0], "scale": 1.0, "shear": [0.0, 0.0]}
    return TF.affine(image, **(neutral | changed), interpolation=InterpolationMode.BILINEAR)


@given(name=names, degrees=st.floats(-180, 180))
def test_rotation_agrees_with_torchvision(photographs, name, degrees):
    image = photographs[name]

    def rotate(x):
        return TF.rotate(x, degrees, interpolation=InterpolationMode.BILINEAR)

    where = away_from_borders(rotate(torch.ones(1, SIDE, SIDE)))
    assert_agree(augment(image, {"rotation": degrees}).images[0], rotate(image), where)


@given(name=names, x=st.floats(-75, 75), y=st.floats(-75, 75))
def test_shear_agrees_with_torchvision(photographs, name, x, y):
    image = photographs[name]
    where = away_from_borders(affine(torch.ones(1, SIDE, SIDE), shear=[x, y]))
    assert_agree(augment(image, {"shear_x": x, "shear_y": y}).images[0], affine(image, shear=[x, y]), where)


@given(name=names, factor=st.floats(0.1, 4))
def test_zoom_agrees_with_torchvision(photographs, name, factor):
    image = photographs[name]
    where = away_from_borders(affine(torch.ones(1, SIDE, SIDE), scale=factor))
    assert_agree(augment(image, {"zoom": factor}).images[0], affine(image, scale=factor), where)


@given(name=names, x=st.integers(-SIDE, SIDE), y=st.integers(-SIDE, SIDE))
def test_translation_agrees_with_torchvision(photographs, name, x, y):
    image = photographs[name]
    setting = {"translate_x": x / SIDE, "translate_y": y / SIDE}
    where = away_from_borders(affine(torch.ones(1, SIDE, SIDE), translate=[x, y]))
    assert_agree(augment(image, setting).images[0], affine(image, translate=[x, y]), where)


@given(
    name=names,
    degrees=st.floats(-180, 180),
    shear=st.tuples(st.floats(-60, 60), st.floats(-60, 60)),
    zoom=st.floats(0.3, 3),
    move=st.tuples(st.integers(-40, 40), st.integers(-40, 40)),
)
def test_the_order_of_shear_rotation_and_translation_is_that_of_torchvision(
    photographs, name, degrees, shear, zoom, move
):
    image = photographs[name]
    # torchvision's affine turns clockwise.
    options = {"angle": -degrees, "translate": list(move), "scale": zoom, "shear": list(shear)}
    setting = {
        "rotation": degrees, "shear_x": shear[0], "shear_y": shear[1], "zoom": zoom,
        "translate_x": move[0] / SIDE, "translate_y": move[1] / SIDE,
    }  # fmt: skip
    where = away_from_borders(affine(torch.ones(1, SIDE, SIDE), **options))
    assert_agree(augment(image, setting).images[0], affine(image, **options), where)


@given(name=names, x=st.floats(0.3, 2), y=st.floats(0.3, 2), signs=st.tuples(*[st.sampled_from([-1, 1])] * 2))
def test_stretch_agrees_with_scikit_image(photographs, name, x, y, signs):
    image = photographs[name]
    matrix = np.diag([x * signs[0], y * signs[1], 1.0])
    where = away_from_borders(moved_by_skimage(torch.ones(1, SIDE, SIDE), matrix))
    ours = augment(image, {"stretch_x": x * signs[0], "stretch_y": y * signs[1]}).images[0]
    assert_agree(ours, moved_by_skimage(image, matrix), where)


def test_a_stretch_of_minus_one_is_torchvisions_flip(photographs):
    image = photographs["motorcycle"]
    across, down = augment(image, {"stretch_x": [-1, 1], "stretch_y": [1, -1]}).images
    assert_agree(across, TF.horizontal_flip(image), tolerance=ARITHMETIC)
    assert_agree(down, TF.vertical_flip(image), tolerance=ARITHMETIC)


def test_a_stretch_of_nothing_is_held_where_the_way_back_is_not_lost(photographs):
    matrices = augment(photographs["coffee"], {"stretch_x": [0, -0.001, 0.01]}).homographies
    assert matrices[:, 0, 0].tolist() == [0.01, -0.01, 0.01]


@pytest.mark.parametrize("parameter", ["perspective_x", "perspective_y"])
@given(name=names, value=share())
def test_perspective_agrees_with_torchvision(photographs, parameter, name, value):
    image = photographs[name]
    start = [[0, 0], [SIDE, 0], [SIDE, SIDE], [0, SIDE]]
    inset = SIDE * abs(value) / 2
    far = SIDE - inset
    right = [[0, 0], [SIDE, inset], [SIDE, far], [0, SIDE]]
    left = [[0, inset], [SIDE, 0], [SIDE, SIDE], [0, far]]
    bottom = [[0, 0], [SIDE, 0], [far, SIDE], [inset, SIDE]]
    top = [[inset, 0], [far, 0], [SIDE, SIDE], [0, SIDE]]
    end = (right if value > 0 else left) if parameter == "perspective_x" else (bottom if value > 0 else top)

    def tilt(x):
        return TF.perspective(x, start, end, interpolation=InterpolationMode.BILINEAR)

    where = away_from_borders(tilt(torch.ones(1, SIDE, SIDE)))
    assert_agree(augment(image, {parameter: value}).images[0], tilt(image), where)


@given(name=names, data=st.data())
def test_crop_agrees_with_torchvision(photographs, name, data):
    image = photographs[name]
    size = data.draw(st.integers(8, SIDE))
    left, top = (data.draw(st.integers(0, SIDE - size)) for _ in range(2))
    setting = {"crop": size / SIDE, "crop_x": (left + size / 2) / SIDE, "crop_y": (top + size / 2) / SIDE}
    theirs = TF.resized_crop(image, top, left, size, size, [SIDE, SIDE], interpolation=InterpolationMode.BILINEAR)
    # torchvision repeats the crop's outermost pixels; we look at what lies beyond them in the image.
    edge = -(-SIDE // size) + 1
    where = torch.zeros(1, SIDE, SIDE, dtype=torch.bool)
    where[:, edge:-edge, edge:-edge] = True
    assert_agree(augment(image, setting).images[0], theirs, where)


@pytest.mark.parametrize("border", MODES)
@given(
    name=names,
    crop=st.floats(0.3, 1),
    centre=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    stretch=st.tuples(st.floats(0.4, 2), st.floats(-2, -0.4)),
    zoom=st.floats(0.4, 3),
    shear=st.tuples(st.floats(-60, 60), st.floats(-60, 60)),
    degrees=st.floats(-180, 180),
    move=st.tuples(share(-0.5, 0.5), share(-0.5, 0.5)),
    tilt=st.tuples(share(), share()),
)
def test_all_of_geometry_at_once_agrees_with_scikit_image(
    photographs, border, name, crop, centre, stretch, zoom, shear, degrees, move, tilt
):
    # Where the picture is made smaller, neighbouring pixels of the frame are strangers in the photograph, and the last
    # digit of a coordinate decides: that is no matter of the order of things, so a smooth picture is looked at.
    image = F.avg_pool2d(F.pad(photographs[name][None], (3,) * 4, mode="reflect"), 7, stride=1)[0]
    setting = {
        "crop": crop, "crop_x": centre[0], "crop_y": centre[1], "stretch_x": stretch[0], "stretch_y": stretch[1],
        "zoom": zoom, "shear_x": shear[0], "shear_y": shear[1], "rotation": degrees,
        "translate_x": move[0], "translate_y": move[1], "perspective_x": tilt[0], "perspective_y": tilt[1],
    }  # fmt: skip
    frames = augment(image, setting, border=border)
    matrix = frames.homographies[0]
    # Towards the horizon a step of the last digit of float32 leads across the image.
    behind = degenerate(matrix, 0.02 * np.abs(np.linalg.inv(matrix)[2]).max())
    # scikit-image draws what is behind the eye mirrored, and so leaves no border where it begins.
    near = F.max_pool2d(behind.float(), 5, stride=1, padding=2) > 0
    where = ~near
    if border == "black":
        where &= away_from_borders(moved_by_skimage(torch.ones(1, SIDE, SIDE), matrix))
    assert_agree(frames.images[0], moved_by_skimage(image, matrix, MODES[border]), where)


@given(name=names, degrees=st.floats(-180, 180))
def test_a_mean_border_is_the_mean_colour_beyond_the_image_and_the_image_inside(photographs, name, degrees):
    image = photographs[name]
    setting = {"rotation": degrees, "zoom": 0.5}
    theirs = TF.affine(
        image, angle=-degrees, translate=[0, 0], scale=0.5, shear=[0, 0], interpolation=InterpolationMode.BILINEAR,
        fill=image.mean(dim=(1, 2)).tolist(),
    )  # fmt: skip
    where = away_from_borders(affine(torch.ones(1, SIDE, SIDE), angle=-degrees, scale=0.5))
    assert_agree(augment(image, setting, border="mean").images[0], theirs, where)


@pytest.mark.parametrize("border", BORDERS)
def test_what_lies_behind_the_eye_is_what_lies_beyond_the_border(photographs, border):
    """Without that, 8 % of this frame would show the image once more, upside down."""
    image = photographs["coffee"]
    setting = {"perspective_x": 0.9, "perspective_y": 0.9, "crop": 0.5, "rotation": 30}
    frames = augment(image, setting, border=border)
    behind = degenerate(frames.homographies[0])
    assert behind.float().mean() > 0.05
    shown = frames.images[0][behind.expand(3, -1, -1)].reshape(3, -1)
    mean = image.mean(dim=(1, 2))[:, None]
    if border == "black":
        assert (shown == 0).all()
    elif border in ("mean", "reflect"):
        assert torch.allclose(shown, mean.expand_as(shown))
    else:
        # A colour of the outermost pixels.
        edge = torch.cat([image[:, 0], image[:, -1], image[:, :, 0], image[:, :, -1]], dim=1)
        low, high = edge.amin(dim=1, keepdim=True) - 1e-6, edge.amax(dim=1, keepdim=True) + 1e-6
        assert ((shown >= low) & (shown <= high)).all()


@pytest.mark.parametrize("border", BORDERS)
@given(tilt=st.tuples(st.floats(-1, 1), st.floats(-1, 1)), zoom=st.sampled_from([0.1, 1, 4]))
def test_no_tilt_and_no_border_makes_anything_but_colours(photographs, border, tilt, zoom):
    setting = {"perspective_x": tilt[0], "perspective_y": tilt[1], "zoom": zoom}
    shown = augment(photographs["rocket"], setting, border=border).images
    assert torch.isfinite(shown).all()
    assert shown.min() >= 0
    assert shown.max() <= 1 + 1e-6


@given(x=st.floats(-1, 1), y=st.floats(-1, 1), degrees=st.floats(-180, 180))
def test_the_homography_turns_points_counter_clockwise(photographs, x, y, degrees):
    matrix = augment(photographs["coffee"], {"rotation": degrees}).homographies[0]
    turned = matrix @ [x, y, 1]
    # y points down on the screen, so that the imaginary axis points the other way.
    expected = complex(x, -y) * np.exp(1j * np.deg2rad(degrees))
    assert turned[:2] == pytest.approx([expected.real, -expected.imag], abs=1e-12)


def test_a_crop_stays_inside_the_image(photographs):
    corner = augment(photographs["coffee"], {"crop": 0.5, "crop_x": 0, "crop_y": 0}).images
    assert torch.equal(corner, augment(photographs["coffee"], {"crop": 0.5, "crop_x": 0.25, "crop_y": 0.25}).images)


@pytest.mark.parametrize("side", [97, 1, 2])
def test_geometry_holds_at_any_side(photographs, side):
    image = photograph_or_noise(photographs, "coffee", side)
    frames = augment(image, {"stretch_x": [-1, 1], "rotation": [0, 180]}).images
    assert_agree(frames[0], image.flip(2), tolerance=ARITHMETIC)
    assert_agree(frames[1], image.flip(1).flip(2), tolerance=ARITHMETIC)
