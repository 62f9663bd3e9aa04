"""Blur, motion, noise, compression and pixels against scipy, torchvision, kornia and Pillow."""

from __future__ import annotations

import io
import warnings

import kornia
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage
from scipy.stats import kstest
from torchvision.io import decode_jpeg, encode_jpeg
from torchvision.transforms.v2 import functional as TF

from augimpact.augment.apply import augment
from tests.augment.agreement import ARITHMETIC, RESAMPLED, SIDE, assert_agree, names, photograph_or_noise

sides = st.sampled_from([SIDE, 97])


@given(name=names, side=sides, percent=st.floats(0.01, 10))
def test_blur_agrees_with_scipy(photographs, name, side, percent):
    image = photograph_or_noise(photographs, name, side)
    sigma = percent / 100 * side
    theirs = [ndimage.gaussian_filter(channel.double().numpy(), sigma, mode="mirror") for channel in image]
    ours = augment(image, {"blur": percent}).images[0]
    assert_agree(ours, torch.from_numpy(np.stack(theirs)).float(), tolerance=ARITHMETIC)


@settings(max_examples=15)
@given(name=names, percent=st.floats(0.4, 6))
def test_blur_agrees_with_torchvision(photographs, name, percent):
    image, sigma = photographs[name], percent / 100 * SIDE
    size = 2 * int(4 * sigma + 0.5) + 1
    assert_agree(
        augment(image, {"blur": percent}).images[0], TF.gaussian_blur(image, size, sigma), tolerance=ARITHMETIC
    )


def test_frames_of_different_blur_do_not_touch_each_other(photographs):
    image = photographs["rocket"]
    together = augment(image, {"blur": [10, 0, 0.5, 3], "motion_blur": [0, 20, 3, 0], "motion_angle": 40}).images
    alone = [(10, 0), (0, 20), (0.5, 3), (3, 0)]
    for frame, (blur, motion) in zip(together, alone, strict=True):
        single = augment(image, {"blur": blur, "motion_blur": motion, "motion_angle": 40}).images[0]
        assert_agree(frame, single, tolerance=1e-6)


@pytest.mark.parametrize("angle", [0, 90])
@given(name=names, taps=st.sampled_from([9, 15, 25, 31]))
def test_motion_blur_agrees_with_kornia(photographs, angle, name, taps):
    # kornia's line is of whole pixels; ours ends between two, which is an eighth of a pixel's weight at either end.
    # That shows in lines of few pixels, so they are left to the next test.
    image = photographs[name]
    theirs = kornia.filters.motion_blur(image[None], taps, float(angle), 0.0, border_type="reflect")[0]
    assert_agree(augment(image, {"motion_blur": taps / SIDE * 100, "motion_angle": angle}).images[0], theirs)


@settings(max_examples=15)
@given(name=names, side=sides, percent=st.floats(1, 25), degrees=st.floats(-90, 90))
def test_motion_blur_agrees_with_the_mean_of_many_moved_images(photographs, name, side, percent, degrees):
    """scipy's bilinear `shift` with mirrored borders, 150 of them, on white noise too: other pieces of one integral."""
    channel = photograph_or_noise(photographs, name, side)[1].double().numpy()
    along = ((np.arange(150) + 0.5) / 150 - 0.5) * percent / 100 * side
    x, y = along * np.cos(np.deg2rad(degrees)), -along * np.sin(np.deg2rad(degrees))
    moved = [ndimage.shift(channel, place, order=1, mode="mirror") for place in zip(y, x, strict=True)]
    ours = augment(photograph_or_noise(photographs, name, side), {"motion_blur": percent, "motion_angle": degrees})
    assert_agree(ours.images[0, 1], torch.from_numpy(np.mean(moved, axis=0)).float(), tolerance=RESAMPLED / 4)


def test_motion_goes_counter_clockwise():
    image = torch.zeros(3, 65, 65)
    image[:, 32, 32] = 1
    shown = augment(image, {"motion_blur": 25, "motion_angle": 45}).images[0, 0]
    assert shown[28, 36] > 10 * shown[36, 36]


@given(name=names, deviation=st.floats(0.001, 0.5), seed=st.integers(0, 2**40))
def test_noise_adds_one_field_scaled_by_its_deviation(photographs, name, deviation, seed):
    image = photographs[name]
    field = torch.randn(3, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))
    frames = augment(image, {"noise": [deviation, deviation / 2]}, seed=seed).images
    for frame, scale in zip(frames, (deviation, deviation / 2), strict=True):
        assert_agree(frame, (image + scale * field).clamp(0, 1), tolerance=1e-6)


def test_noise_is_gaussian_and_the_same_in_every_chunk():
    grey = torch.full((3, 97, 97), 0.5)
    together = augment(grey, {"noise": [0.05, 0.1, 0.1]}).images
    assert torch.equal(together[1], together[2])
    assert torch.equal(together[1], augment(grey, {"noise": 0.1}).images[0])
    assert not torch.equal(together[1], augment(grey, {"noise": 0.1}, seed=1).images[0])
    # Of the 28 227 numbers none is five deviations away, where the picture would cut it.
    drawn = (together[1] - 0.5).flatten().numpy() / 0.1
    assert kstest(drawn, "norm").pvalue > 0.01


def through_torchvision(pixels: torch.Tensor, quality: int) -> torch.Tensor:
    with warnings.catch_warnings():
        # torchvision's codecs are to move to torchcodec; as an oracle they are as good as ever.
        warnings.simplefilter("ignore", DeprecationWarning)
        return decode_jpeg(encode_jpeg(pixels, quality))


@given(name=names, side=sides, quality=st.integers(1, 99))
def test_jpeg_is_that_of_pillow_bit_for_bit_and_near_that_of_torchvision(photographs, name, side, quality):
    pixels = photograph_or_noise(photographs, name, side).mul(255).round().to(torch.uint8).contiguous()
    ours = augment(pixels / 255, {"jpeg": quality}).images[0].mul(255).round().to(torch.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(file, format="JPEG", quality=quality)
    pillow = np.array(Image.open(file))
    assert np.array_equal(ours.permute(1, 2, 0).numpy(), pillow)
    # Both wheels carry libjpeg-turbo, but of versions of their own.
    assert_agree(ours / 255, through_torchvision(pixels, quality) / 255)


def test_a_quality_between_whole_numbers_is_rounded(photographs):
    frames = augment(photographs["coffee"], {"jpeg": [34.6, 35, 35.4]}).images
    assert torch.equal(frames[0], frames[1])
    assert torch.equal(frames[2], frames[1])


@given(name=names, block=st.sampled_from([2, 4, 8, 16, 32]))
def test_pixelate_in_whole_blocks_agrees_with_torch_and_pillow(photographs, name, block):
    image = photographs[name]
    ours = augment(image, {"pixelate": block / SIDE * 100}).images[0]
    small = F.avg_pool2d(image, block)
    assert_agree(ours, F.interpolate(small[None], scale_factor=block, mode="nearest")[0], tolerance=1e-6)
    for channel, shown in zip(image, ours, strict=True):
        picture = Image.fromarray(channel.numpy()).resize((SIDE // block,) * 2, Image.Resampling.BOX)
        expected = np.array(picture.resize((SIDE, SIDE), Image.Resampling.NEAREST))
        assert np.abs(shown.numpy() - expected).mean() <= ARITHMETIC


@given(name=names, side=sides, percent=st.floats(0.1, 25))
def test_pixelate_agrees_with_scipys_mean_of_any_blocks(photographs, name, side, percent):
    image = photograph_or_noise(photographs, name, side)
    block = np.floor((np.arange(side) + 0.5) / max(percent / 100 * side, 1) + 1e-9).astype(int)
    labels = block[:, None] * side + block
    means = [ndimage.mean(channel.double().numpy(), labels, labels) for channel in image]
    assert_agree(
        augment(image, {"pixelate": percent}).images[0], torch.from_numpy(np.stack(means)).float(), tolerance=1e-6
    )


def test_the_order_is_blur_motion_noise_jpeg_pixelate(photographs):
    image = photographs["motorcycle"]
    setting = {"pixelate": 4, "jpeg": 20, "noise": 0.1, "motion_blur": 8, "blur": 1}
    step = image
    for name in reversed(setting):
        step = augment(step.contiguous(), {name: setting[name]}).images[0]
    # jpeg's rounding turns a last digit into a byte here and there.
    assert_agree(augment(image, setting).images[0], step, tolerance=RESAMPLED / 10)
