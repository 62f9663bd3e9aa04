"""Each colour parameter against torchvision (mean |difference| at most 1e-5), and Pillow, kornia, colorsys."""

from __future__ import annotations

import colorsys

import kornia
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps
from torchvision.transforms.v2 import functional as TF

from augimpact.augment.apply import augment
from augimpact.augment.parameters import CATALOGUE
from tests.augment.agreement import ARITHMETIC, SIDE, assert_agree, names, photograph_or_noise

sides = st.sampled_from([SIDE, 97])
# Parameter → torchvision's function of an image and the value, and the values to try.
ORACLES = {
    "brightness": (TF.adjust_brightness, st.floats(0, 3)),
    "contrast": (TF.adjust_contrast, st.floats(0, 5)),
    "saturation": (TF.adjust_saturation, st.floats(0, 5)),
    "hue": (lambda image, degrees: TF.adjust_hue(image, degrees / 360), st.floats(-180, 180)),
    "gamma": (TF.adjust_gamma, st.floats(0.2, 5)),
    "sharpness": (TF.adjust_sharpness, st.floats(0, 5)),
    "solarize": (TF.solarize, st.floats(0, 0.999)),
}


@pytest.mark.parametrize("parameter", ORACLES)
@given(name=names, side=sides, data=st.data())
def test_it_agrees_with_torchvision(photographs, parameter, name, side, data):
    function, values = ORACLES[parameter]
    image, value = photograph_or_noise(photographs, name, side), data.draw(values)
    assert_agree(augment(image, {parameter: value}).images[0], function(image, value), tolerance=ARITHMETIC)


@pytest.mark.parametrize("parameter", ORACLES)
def test_each_frame_has_its_own_value(photographs, parameter):
    function, _ = ORACLES[parameter]
    image, most = photographs["coffee"], CATALOGUE[parameter].maximum
    values = [most * 0.3, CATALOGUE[parameter].neutral, most * 0.7]
    frames = augment(image, {parameter: values}).images
    assert torch.equal(frames[1], image)
    for frame, value in zip(frames[::2], values[::2], strict=True):
        assert_agree(frame, function(image, value), tolerance=ARITHMETIC)


def as_bytes(image: torch.Tensor) -> torch.Tensor:
    return image.mul(255).round().to(torch.uint8)


@given(name=names, side=sides, bits=st.integers(1, 7))
def test_posterize_agrees_with_torchvision_and_pillow_bit_for_bit(photographs, name, side, bits):
    pixels = as_bytes(photograph_or_noise(photographs, name, side))
    ours = as_bytes(augment(pixels / 255, {"posterize": bits}).images[0])
    assert torch.equal(ours, TF.posterize(pixels, bits))
    pillow = ImageOps.posterize(Image.fromarray(pixels.permute(1, 2, 0).numpy()), bits)
    assert np.array_equal(ours.permute(1, 2, 0).numpy(), np.asarray(pillow))


@given(name=names, bits=st.floats(1, 7.99))
def test_posterize_between_whole_bits_steps_by_the_power_between(photographs, name, bits):
    pixels = as_bytes(photographs[name])
    ours = augment(pixels / 255, {"posterize": bits}).images[0] * 255
    step = 2 ** (8 - bits)
    steps = pixels.double().numpy() / step
    # A byte that is the edge of a step but for float32's last digits may fall to either side.
    clear = abs(steps - np.rint(steps)) > 1e-3 / step
    assert np.abs(ours.numpy() - np.floor(steps) * step)[clear].max() <= 255 * ARITHMETIC
    assert clear.mean() > 0.5


@given(name=names, threshold=st.integers(1, 254))
def test_solarize_agrees_with_pillow_bit_for_bit(photographs, name, threshold):
    pixels = as_bytes(photographs[name])
    # A hair below, so that float32 does not decide about a byte that is equal.
    ours = as_bytes(augment(pixels / 255, {"solarize": (threshold - 0.5) / 255}).images[0])
    pillow = ImageOps.solarize(Image.fromarray(pixels.permute(1, 2, 0).numpy()), threshold)
    assert np.array_equal(ours.permute(1, 2, 0).numpy(), np.asarray(pillow))


@given(colour=st.tuples(*[st.floats(0, 1, width=32)] * 3), degrees=st.floats(-180, 180))
def test_hue_agrees_with_pythons_colorsys_on_any_colour(colour, degrees):
    image = torch.tensor(colour)[:, None, None].expand(3, 2, 2)
    hue, saturation, value = colorsys.rgb_to_hsv(*colour)
    expected = colorsys.hsv_to_rgb((hue + degrees / 360) % 1, saturation, value)
    # 1e-5 of float32's own rounding at every channel, not in the mean.
    assert augment(image, {"hue": degrees}).images[0, :, 0, 0].tolist() == pytest.approx(expected, abs=ARITHMETIC)


@given(name=names, degrees=st.floats(-179, 179))
def test_hue_agrees_with_kornia(photographs, name, degrees):
    theirs = kornia.enhance.adjust_hue(photographs[name][None], np.deg2rad(degrees))[0]
    # kornia's epsilon where a colour is nearly grey costs it a digit.
    assert_agree(augment(photographs[name], {"hue": degrees}).images[0], theirs, tolerance=1e-4)


def test_the_order_is_brightness_contrast_saturation_hue_gamma_sharpness_posterize_solarize(photographs):
    expected = photographs["motorcycle"]
    values = {"brightness": 1.3, "contrast": 0.7, "saturation": 1.5, "hue": 40.0, "gamma": 1.2, "sharpness": 2.0}
    for name, value in values.items():
        expected = ORACLES[name][0](expected, value)
    expected = (expected * 255 / 4 + 1e-6).floor() * 4 / 255
    expected = TF.solarize(expected, 0.6)
    ours = augment(photographs["motorcycle"], dict(reversed(values.items())) | {"solarize": 0.6, "posterize": 6}).images
    # A pixel that lies on the edge of a step may fall to either side: a step is 0.016, and few pixels do.
    assert_agree(ours[0], expected, tolerance=1e-4)
