"""Mixing against kornia, whose random numbers are given to it."""

from __future__ import annotations

import warnings

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from kornia.augmentation import RandomCutMixV2, RandomMixUpV2
from kornia.geometry.bbox import bbox_generator

from augimpact.augment.apply import augment
from augimpact.errors import ParameterError
from tests.augment.agreement import SIDE, assert_agree, names

OTHER_FIRST = torch.tensor([1, 0])


@given(name=names, share=st.floats(0.001, 1))
def test_mixup_agrees_with_kornia(photographs, name, share):
    image, second = photographs[name], photographs["cat"].flip(2)
    given_numbers = {"mixup_pairs": OTHER_FIRST, "mixup_lambdas": torch.tensor([share, share])}
    theirs = RandomMixUpV2().apply_transform(torch.stack([image, second]), given_numbers, {})[0]
    assert_agree(augment(image, {"mixup": share}, second=second).images[0], theirs, tolerance=1e-6)


@given(name=names, box=st.integers(1, SIDE), data=st.data())
def test_cutmix_agrees_with_kornia(photographs, name, box, data):
    image, second = photographs[name], photographs["coffee"].flip(1)
    left, top = (data.draw(st.integers(0, SIDE - box)) for _ in range(2))
    setting = {
        "cutmix": (box / SIDE) ** 2,
        "cutmix_x": (left + box / 2) / SIDE,
        "cutmix_y": (top + box / 2) / SIDE,
    }
    place = bbox_generator(*(torch.tensor([float(number)] * 2) for number in (left, top, box, box)))
    with warnings.catch_warnings():
        # Of how kornia weighs labels, which are not looked at.
        warnings.simplefilter("ignore", DeprecationWarning)
        mix = RandomCutMixV2()
    given_numbers = {"mix_pairs": OTHER_FIRST[None], "crop_src": place[None]}
    theirs = mix.apply_transform(torch.stack([image, second]), given_numbers, {})[0]
    assert torch.equal(augment(image, setting, second=second).images[0], theirs)


@given(area=st.floats(0, 1), x=st.floats(0, 1), y=st.floats(0, 1))
def test_cutmix_shows_the_area_that_was_asked_for_wherever_it_is(area, x, y):
    shown = augment(
        torch.zeros(3, 97, 97), {"cutmix": area, "cutmix_x": x, "cutmix_y": y}, second=torch.ones(3, 97, 97)
    ).images
    # Up to half a pixel at each of four edges.
    assert float(shown.mean()) == pytest.approx(area, abs=2 / 97)


def test_the_second_image_is_shown_as_it_is_and_stays_as_it_was(photographs):
    image, second = photographs["rocket"], photographs["cat"]
    before = second.clone()
    shown = augment(
        image, {"rotation": 30, "blur": 3, "cutmix": 1, "erase_w": 0.5, "erase_h": 0.5}, second=second
    ).images[0]
    assert torch.equal(shown[:, 64:], second[:, 64:])
    assert (shown[:, :64, :64] == 0).all()
    shown.zero_()
    assert torch.equal(second, before)


@pytest.mark.parametrize("parameter", ["mixup", "cutmix"])
def test_mixing_without_a_second_image_is_refused(photographs, parameter):
    with pytest.raises(ParameterError, match="expected one as `second`"):
        augment(photographs["coffee"], {parameter: 0.5})
    with pytest.raises(ParameterError, match=r"\(3, 2, 2\); expected that of the first, \(3, 128, 128\)"):
        augment(photographs["coffee"], {parameter: 0.5}, second=torch.zeros(3, 2, 2))
    # What is neutral needs none.
    augment(photographs["coffee"], {parameter: 0})
