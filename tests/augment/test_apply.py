"""Each parameter against torchvision, all of them together against scikit-image, on photographs."""

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
from augimpact.augment.parameters import CATALOGUE
from augimpact.data.image import EXAMPLES
from augimpact.errors import ParameterError

SIDE = 128
TOLERANCE = 0.002
names = st.sampled_from(list(EXAMPLES))


def degenerate(matrix: np.ndarray) -> torch.Tensor:
    """Pixels of the frame where no point of the original can be, for it would lie behind the eye."""
    places = (np.arange(SIDE) * 2 + 1) / SIDE - 1
    x, y = np.meshgrid(places, places)
    depth = np.einsum("k,kij->ij", np.linalg.inv(matrix)[2], np.stack([x, y, np.ones_like(x)]))
    return torch.from_numpy(depth <= 0)[None]


def share(least=-0.95, most=0.95):
    return st.floats(least, most)


def away_from_borders(warped_ones: torch.Tensor) -> torch.Tensor:
    """Where every pixel within 2 is inside the original, or every one is outside."""
    inside = -F.max_pool2d(-(warped_ones > 0.999).float()[None], 5, stride=1, padding=2)[0]
    outside = -F.max_pool2d(-(warped_ones < 0.001).float()[None], 5, stride=1, padding=2)[0]
    kept = (inside + outside) > 0.5
    kept[:, :2] = kept[:, -2:] = False
    kept[:, :, :2] = kept[:, :, -2:] = False
    return kept


def assert_agree(ours: torch.Tensor, theirs: torch.Tensor, where: torch.Tensor | None = None) -> None:
    difference = (ours - theirs).abs()
    if where is not None:
        difference = difference[where.expand_as(difference)]
    # At the steepest tilts nothing but border pixels may remain.
    if difference.numel():
        assert difference.mean() <= TOLERANCE


@given(name=names, degrees=st.floats(-180, 180))
def test_rotation_agrees_with_torchvision(photographs, name, degrees):
    image = photographs[name]

    def rotate(x):
        return TF.rotate(x, degrees, interpolation=InterpolationMode.BILINEAR)

    where = away_from_borders(rotate(torch.ones(1, SIDE, SIDE)))
    assert_agree(augment(image, {"rotation": degrees}).images[0], rotate(image), where)


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


@given(name=names, factor=st.floats(0, 3))
def test_brightness_agrees_with_torchvision(photographs, name, factor):
    image = photographs[name]
    assert_agree(augment(image, {"brightness": factor}).images[0], TF.adjust_brightness(image, factor))


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


@given(name=names, data=st.data())
def test_erase_agrees_with_torchvision(photographs, name, data):
    image = photographs[name]
    x, y, w, h = (data.draw(st.integers(0, SIDE)) for _ in range(4))
    setting = {f"erase_{key}": value / SIDE for key, value in zip("xywh", (x, y, w, h), strict=True)}
    theirs = TF.erase(image, y, x, h, w, torch.zeros(3, 1, 1)) if w and h else image
    assert torch.equal(augment(image, setting).images[0], theirs)


@given(
    name=names,
    crop=st.floats(0.3, 1),
    centre=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    degrees=st.floats(-180, 180),
    tilt=st.tuples(share(), share()),
)
def test_all_of_geometry_at_once_agrees_with_scikit_image(photographs, name, crop, centre, degrees, tilt):
    image = photographs[name]
    setting = {
        "crop": crop, "crop_x": centre[0], "crop_y": centre[1], "rotation": degrees,
        "perspective_x": tilt[0], "perspective_y": tilt[1],
    }  # fmt: skip
    frames = augment(image, setting)
    # scikit-image counts in pixels, with the first one's centre at 0.
    to_pixels = np.array([[SIDE / 2, 0, (SIDE - 1) / 2], [0, SIDE / 2, (SIDE - 1) / 2], [0, 0, 1]])
    inverse = ProjectiveTransform(to_pixels @ np.linalg.inv(frames.homographies[0]) @ np.linalg.inv(to_pixels))

    def move(x):
        moved = skimage_warp(x.permute(1, 2, 0).double().numpy(), inverse, order=1, mode="constant", cval=0)
        return torch.from_numpy(moved).permute(2, 0, 1).float()

    behind = degenerate(frames.homographies[0])
    # scikit-image draws those mirrored, and so leaves no border where they begin.
    near = F.max_pool2d(behind.float(), 5, stride=1, padding=2) > 0
    where = away_from_borders(move(torch.ones(1, SIDE, SIDE))) & ~near
    assert_agree(frames.images[0], move(image), where)
    assert (frames.images[0][behind.expand(3, -1, -1)] == 0).all()


def test_what_lies_behind_the_eye_is_black():
    """Without that, 8 % of this frame would show the image once more, upside down."""
    frames = augment(
        torch.ones(3, SIDE, SIDE), {"perspective_x": 0.9, "perspective_y": 0.9, "crop": 0.5, "rotation": 30}
    )
    behind = degenerate(frames.homographies[0])
    assert behind.float().mean() > 0.05
    assert (frames.images[0][behind.expand(3, -1, -1)] == 0).all()


@given(x=st.floats(-1, 1), y=st.floats(-1, 1), degrees=st.floats(-180, 180))
def test_the_homography_turns_points_counter_clockwise(photographs, x, y, degrees):
    matrix = augment(photographs["coffee"], {"rotation": degrees}).homographies[0]
    turned = matrix @ [x, y, 1]
    # y points down on the screen, so that the imaginary axis points the other way.
    expected = complex(x, -y) * np.exp(1j * np.deg2rad(degrees))
    assert turned[:2] == pytest.approx([expected.real, -expected.imag], abs=1e-12)


@pytest.mark.parametrize("count", [1, 3])
def test_neutral_frames_are_the_image_bit_for_bit_and_their_own_memory(photographs, count):
    image = photographs["rocket"]
    before = image.clone()
    frames = augment(image, {"rotation": [0.0] * count}).images
    assert all(torch.equal(frame, image) for frame in frames)
    frames.zero_()
    assert torch.equal(image, before)


def test_a_neutral_frame_among_others_is_the_image_bit_for_bit(photographs):
    image = photographs["coffee"]
    frames = augment(image, {"rotation": [10, 0, -10], "erase_w": [0.2, 0, 0.2], "erase_h": 0.3}).images
    assert torch.equal(frames[1], image)
    assert not torch.equal(frames[0], image)


def test_a_crop_stays_inside_the_image(photographs):
    corner = augment(photographs["coffee"], {"crop": 0.5, "crop_x": 0, "crop_y": 0}).images
    assert torch.equal(corner, augment(photographs["coffee"], {"crop": 0.5, "crop_x": 0.25, "crop_y": 0.25}).images)


def test_erased_boxes_show_what_was_asked_for(photographs):
    image = photographs["rocket"]
    box = {"erase_x": 0.25, "erase_y": 0.25, "erase_w": 0.5, "erase_h": 0.5}

    def inside(fill, seed=0):
        return augment(image, box, erase_fill=fill, seed=seed).images[0, :, 40:80, 40:80]

    assert (inside("black") == 0).all()
    assert torch.allclose(inside("mean"), image.mean(dim=(1, 2))[:, None, None].expand(3, 40, 40))
    noise = inside("noise")
    assert noise.mean() == pytest.approx(0.5, abs=0.02)
    assert noise.std() == pytest.approx(12**-0.5, abs=0.02)
    assert torch.equal(noise, inside("noise"))
    assert not torch.equal(noise, inside("noise", seed=1))


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"rotatoin": 3}, "did you mean rotation"),
        ({"rotation": 181}, "rotation is 181; expected a number from -180 to 180"),
        ({"brightness": float("nan")}, "brightness is nan"),
        ({"crop": "half"}, "crop is 'half'"),
        ({"crop": [1, 0.5], "rotation": [1, 2, 3]}, "unequal length"),
    ],
)
def test_a_wrong_setting_is_named(photographs, setting, words):
    with pytest.raises(ParameterError, match=words):
        augment(photographs["coffee"], setting)


def test_an_image_that_is_not_square_and_an_unknown_fill_are_named(photographs):
    with pytest.raises(ParameterError, match=r"\(3, 4, 5\)"):
        augment(torch.zeros(3, 4, 5), {})
    with pytest.raises(ParameterError, match="erase fill 'blakc'; did you mean black"):
        augment(photographs["coffee"], {}, erase_fill="blakc")


@pytest.mark.parametrize("parameter", CATALOGUE.values(), ids=lambda each: each.name)
def test_every_parameter_works_over_its_whole_range(photographs, parameter):
    companions = {"crop": 0.5, "erase_w": 0.5, "erase_h": 0.5}
    setting = {name: companions[name] for name in parameter.needs}
    ends = [parameter.minimum, parameter.neutral, parameter.maximum]
    frames = augment(photographs["motorcycle"], setting | {parameter.name: ends})
    assert torch.isfinite(frames.images).all()
    assert frames.images.min() >= 0
    assert frames.images.max() <= 1
    # Every frame can be carried back to the original.
    assert np.isfinite(np.linalg.inv(frames.homographies)).all()
    assert not (torch.equal(frames.images[0], frames.images[1]) and torch.equal(frames.images[2], frames.images[1]))
