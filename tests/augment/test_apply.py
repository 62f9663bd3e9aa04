"""All effects together: neutral frames, ranges, chunks, and what a user may get wrong."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from augimpact.augment.apply import augment
from augimpact.augment.parameters import BUILT_IN, CATALOGUE, neutral_setting
from augimpact.errors import ParameterError
from tests.augment.agreement import photograph_or_noise

# What a parameter needs before it does anything.
COMPANIONS = {"crop": 0.5, "erase_w": 0.5, "erase_h": 0.5, "motion_blur": 10, "grid_mask": 0.5, "cutmix": 0.3}
PARAMETERS = [each for each in CATALOGUE.values() if each.name in BUILT_IN]


def needed(parameter):
    return {name: COMPANIONS[name] for name in parameter.needs}


@pytest.mark.parametrize("count", [1, 3])
def test_neutral_frames_are_the_image_bit_for_bit_and_their_own_memory(photographs, count):
    image = photographs["rocket"]
    before = image.clone()
    frames = augment(image, {name: [float(value)] * count for name, value in neutral_setting().items()}).images
    assert all(torch.equal(frame, image) for frame in frames)
    frames.zero_()
    assert torch.equal(image, before)


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda each: each.name)
def test_a_neutral_frame_among_others_is_the_image_bit_for_bit(photographs, parameter):
    image, second = photographs["coffee"], photographs["cat"]
    before = image.clone(), second.clone()
    named = {name: [value, CATALOGUE[name].neutral, value] for name, value in needed(parameter).items()}
    frames = augment(
        image, named | {parameter.name: [parameter.sweep[1], parameter.neutral, parameter.sweep[0]]}, second=second
    ).images
    assert torch.equal(frames[1], image)
    assert not (torch.equal(frames[0], image) and torch.equal(frames[2], image))
    assert torch.equal(image, before[0])
    assert torch.equal(second, before[1])


@pytest.mark.parametrize("side", [128, 97])
@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda each: each.name)
def test_every_parameter_works_over_its_whole_range(photographs, parameter, side):
    image = photograph_or_noise(photographs, "motorcycle", side)
    second = photograph_or_noise(photographs, "cat", side).flip(2)
    ends = [parameter.minimum, parameter.neutral, parameter.maximum]
    frames = augment(image, needed(parameter) | {parameter.name: ends}, second=second)
    assert frames.images.shape == (3, 3, side, side)
    assert frames.images.dtype == torch.float32
    assert torch.isfinite(frames.images).all()
    assert frames.images.min() >= 0
    # Four bilinear weights may come to a last digit more than 1.
    assert frames.images.max() <= 1 + 1e-6
    # Every frame can be carried back to the original.
    assert np.isfinite(np.linalg.inv(frames.homographies)).all()
    assert not (torch.equal(frames.images[0], frames.images[1]) and torch.equal(frames.images[2], frames.images[1]))


@pytest.mark.parametrize("side", [1, 2, 3])
@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda each: each.name)
def test_the_smallest_images_are_augmented_like_any_other(parameter, side):
    image = torch.rand(3, side, side, generator=torch.Generator().manual_seed(side))
    ends = [parameter.minimum, parameter.sweep[1], parameter.maximum]
    frames = augment(image, needed(parameter) | {parameter.name: ends}, second=1 - image).images
    assert frames.shape == (3, 3, side, side)
    assert torch.isfinite(frames).all()


@given(data=st.data(), names=st.sets(st.sampled_from([each.name for each in PARAMETERS]), min_size=2, max_size=5))
def test_a_frame_does_not_depend_on_its_neighbours(photographs, data, names):
    setting = {
        name: data.draw(
            st.lists(st.floats(CATALOGUE[name].minimum, CATALOGUE[name].maximum), min_size=3, max_size=3), name
        )
        for name in names
    }
    image, second = photographs["motorcycle"], photographs["coffee"]
    together = augment(image, setting, second=second, border="edge").images
    for place in range(3):
        alone = augment(image, {name: values[place] for name, values in setting.items()}, second=second, border="edge")
        difference = (together[place] - alone.images[0]).abs()
        # A last digit may decide on which side of a step of posterize, solarize, jpeg a pixel falls.
        assert difference.mean() <= 1e-3


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


@pytest.mark.parametrize("shape", [(3, 4, 5), (1, 4, 4), (1, 3, 4, 4)])
def test_an_image_that_is_not_square_and_rgb_is_named(shape):
    with pytest.raises(ParameterError, match=str(shape).replace("(", r"\(").replace(")", r"\)")):
        augment(torch.zeros(shape), {})


def test_an_unknown_fill_or_border_is_named(photographs):
    with pytest.raises(ParameterError, match="erase fill 'blakc'; did you mean black"):
        augment(photographs["coffee"], {}, erase_fill="blakc")
    with pytest.raises(ParameterError, match="border 'reflct'; did you mean reflect"):
        augment(photographs["coffee"], {}, border="reflct")
