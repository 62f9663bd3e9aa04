"""Every measure against an implementation that is not ours, on photographs, on noise and where it could break."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from scipy.ndimage import gaussian_filter, laplace
from skimage.color import rgb2hsv
from skimage.measure import shannon_entropy

from augimpact.data.image import EXAMPLES, example
from augimpact.errors import ImageError
from augimpact.measures import CHUNK_PIXELS, MEASURES, measure, measures_of
from augimpact.profiling.counting import CountedPixels
from tests.conftest import mean_luma

PHOTOGRAPHS = [np.asarray(example(name)) for name in EXAMPLES]
RANDOM = np.random.default_rng(0)
IMAGES = {
    **dict(zip(EXAMPLES, PHOTOGRAPHS, strict=True)),
    "noise": RANDOM.integers(0, 256, (61, 47, 3), dtype=np.uint8),
    "black": np.zeros((5, 8, 3), np.uint8),
    "one colour": np.full((5, 8, 3), (200, 30, 77), np.uint8),
    "one row": RANDOM.integers(0, 256, (1, 90, 3), dtype=np.uint8),
    "one column": RANDOM.integers(0, 256, (90, 1, 3), dtype=np.uint8),
    "one pixel": np.full((1, 1, 3), (9, 60, 200), np.uint8),
}
# All are sums of whole numbers, so nothing but the rounding of float64 may differ.
EXACT = {"rel": 1e-9, "abs": 1e-12}


def measure_one(image: np.ndarray) -> dict[str, float]:
    return {name: values.item() for name, values in measure(image[None]).items()}


def by_other_hands(image: np.ndarray) -> dict[str, float]:
    """The same five from Pillow, NumPy, SciPy and scikit-image."""
    eight_bit = np.asarray(Image.fromarray(image).convert("L"))
    luma = eight_bit / 255
    return {
        "brightness": mean_luma(Image.fromarray(image)),
        "contrast": luma.std(),
        "sharpness": laplace(luma, mode="reflect").var(),
        "saturation": rgb2hsv(image)[..., 1].mean(),
        "entropy": shannon_entropy(eight_bit, base=2),
    }


def assert_equal(ours: dict[str, float], theirs: dict[str, float]) -> None:
    assert list(ours) == list(theirs) == list(MEASURES)
    for name, value in ours.items():
        # The saturation of a pixel is float32.
        tolerance = {"rel": 1e-6, "abs": 1e-9} if name == "saturation" else EXACT
        assert value == pytest.approx(theirs[name], **tolerance), name


@pytest.mark.parametrize("name", IMAGES)
def test_all_agree_with_pillow_scipy_and_scikit_image(name):
    assert_equal(measure_one(IMAGES[name]), by_other_hands(IMAGES[name]))


@pytest.mark.parametrize("name", IMAGES)
def test_some_can_be_left_out(name):
    pixels = CountedPixels([IMAGES[name]])
    expected = measures_of(pixels)
    for names in [*([one] for one in MEASURES), ["entropy", "brightness"], []]:
        found = measures_of(pixels, names)
        assert list(found) == [one for one in MEASURES if one in names]
        assert all(found[one] == expected[one] for one in found)


@pytest.mark.parametrize("name", IMAGES)
def test_brightness_is_within_half_a_level_of_pillows_rounded_luma(name):
    pillow = np.asarray(Image.fromarray(IMAGES[name]).convert("L")).mean() / 255
    assert abs(measure_one(IMAGES[name])["brightness"] - pillow) <= 0.5 / 255


@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))))
def test_all_agree_on_whatever_image(image):
    assert_equal(measure_one(image), by_other_hands(image))


@pytest.mark.parametrize("image", PHOTOGRAPHS, ids=list(EXAMPLES))
def test_saturation_agrees_with_pillow_within_its_rounding(image):
    pillow = np.asarray(Image.fromarray(image).convert("HSV"))[..., 1].mean() / 255
    # Pillow cuts to 8 bits, so it is lower by less than one level.
    assert 0 <= measure_one(image)["saturation"] - pillow < 1 / 255


def test_flat_images_have_known_values():
    plain = {"contrast": 0, "sharpness": 0, "entropy": 0}
    assert measure_one(np.full((7, 7, 3), 255, np.uint8)) == {"brightness": 1, "saturation": 0, **plain}
    assert measure_one(np.full((7, 7, 3), 0, np.uint8)) == {"brightness": 0, "saturation": 0, **plain}
    red = measure_one(np.full((7, 7, 3), (255, 0, 0), np.uint8))
    assert red == {"brightness": 0.299, "saturation": 1, **plain}
    # No minus before a zero that is shown.
    assert math.copysign(1, measure_one(np.zeros((7, 7, 3), np.uint8))["entropy"]) == 1


def test_the_ranges_are_reached_and_never_left():
    grey = {
        "chessboard": np.indices((16, 16)).sum(axis=0) % 2 * 255,
        "every level": np.arange(256).reshape(16, 16),
    }
    coloured = [np.repeat(image[..., None], 3, axis=-1).astype(np.uint8) for image in grey.values()]
    board, ramp = (measure_one(image) for image in coloured)
    assert board["contrast"] == MEASURES["contrast"].maximum
    assert ramp["entropy"] == MEASURES["entropy"].maximum
    # Inside it is 16; on the border pixels a neighbour is missing.
    assert 0.8 * MEASURES["sharpness"].maximum < board["sharpness"] < MEASURES["sharpness"].maximum
    for image in [*IMAGES.values(), *coloured]:
        for name, value in measure_one(image).items():
            assert MEASURES[name].minimum <= value <= MEASURES[name].maximum, name


def test_blur_lowers_the_sharpness_and_grey_the_saturation(photographs):
    for photograph in photographs.values():
        image = (photograph.permute(1, 2, 0).numpy() * 255).astype(np.uint8)
        blurred = gaussian_filter(image, (2, 2, 0))
        assert measure_one(blurred)["sharpness"] < 0.3 * measure_one(image)["sharpness"]
        grey = np.repeat(image[..., :1], 3, axis=-1)
        assert measure_one(grey)["saturation"] == 0 < measure_one(image)["saturation"]


def test_a_batch_is_measured_image_by_image_across_the_chunks():
    side = 200
    count = 3 * (CHUNK_PIXELS // side**2) + 1
    batch = RANDOM.integers(0, 256, (count, side, side, 3), dtype=np.uint8) // RANDOM.integers(1, 9, (count, 1, 1, 1))
    batch = batch.astype(np.uint8)
    measured = measure(batch)
    for place, image in enumerate(batch):
        alone = measure_one(image)
        assert {name: values[place] for name, values in measured.items()} == pytest.approx(alone, rel=1e-12)
    assert all(values.shape == (count,) and values.dtype == np.float64 for values in measured.values())


def test_tensors_views_and_no_images_at_all_are_welcome():
    batch = RANDOM.integers(0, 256, (2, 9, 11, 3), dtype=np.uint8)
    expected = measure(batch)
    channels_first = np.ascontiguousarray(np.moveaxis(batch, -1, 1))
    for same in (torch.from_numpy(batch), np.moveaxis(channels_first, 1, -1), np.flip(batch, 2)[:, :, ::-1]):
        np.testing.assert_equal(measure(same), expected)
    assert {name: values.shape for name, values in measure(batch[:0]).items()} == dict.fromkeys(MEASURES, (0,))


def test_the_images_stay_as_they_are():
    batch = RANDOM.integers(0, 256, (2, 9, 11, 3), dtype=np.uint8)
    before = batch.copy()
    measure(batch)
    np.testing.assert_array_equal(batch, before)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (
            np.zeros((4, 4, 3), np.uint8),
            r"images of shape \(4, 4, 3\) and type uint8; expected \(N, H, W, 3\) of uint8",
        ),
        (np.zeros((1, 3, 4, 4), np.uint8), r"images of shape \(1, 3, 4, 4\)"),
        (np.zeros((1, 4, 4, 3)), "type float64"),
        (np.zeros((1, 0, 4, 3), np.uint8), r"images of shape \(1, 0, 4, 3\)"),
    ],
)
def test_mistakes_are_named(images, words):
    with pytest.raises(ImageError, match=words):
        measure(images)
