"""One's own augmentations: registered, applied, checked, replaced and forgotten."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from augimpact.augment.apply import augment
from augimpact.augment.own import augmentation, forget
from augimpact.augment.parameters import CATALOGUE, neutral_setting
from augimpact.errors import ParameterError
from augimpact.sweep import Sweep

pytestmark = pytest.mark.usefixtures("clean_catalogue")


def register_fade(**changed):
    options = {"range": (0, 1), "neutral": 0, "sweep": (0, 0.8), "unit": "strength", "description": "towards grey"}

    @augmentation("fade", **(options | changed))
    def fade(batch, value):
        return batch * (1 - value) + value / 2

    return fade


def test_it_is_a_parameter_like_any_other(photographs):
    image = photographs["coffee"]
    function = register_fade()
    parameter = CATALOGUE["fade"]
    assert (parameter.group, parameter.sweep, parameter.unit) == ("own", (0, 0.8), "strength")
    assert list(CATALOGUE)[-1] == "fade"
    assert neutral_setting()["fade"] == 0
    settings = Sweep(fade=(0, 0.8), frames=3).settings()
    frames = augment(image, {"fade": settings["fade"].to_numpy(), "rotation": [0, 0, 10]}).images
    assert torch.equal(frames[0], image)
    assert torch.allclose(frames[1], image * 0.6 + 0.2)
    turned = augment(image, {"rotation": 10}).images
    assert torch.allclose(frames[2:], function(turned, torch.tensor(0.8)))


def test_only_frames_that_ask_for_it_are_given(photographs):
    given = []

    @augmentation("watched", range=(-1, 1), neutral=0)
    def watched(batch, value):
        given.append((tuple(batch.shape), value.flatten().tolist(), tuple(value.shape)))
        return batch.add_(value)

    image = photographs["rocket"]
    before = image.clone()
    frames = augment(image, {"watched": [0.5, 0, -1]}).images
    assert given == [((1, 3, 128, 128), [0.5], (1, 1, 1, 1)), ((1, 3, 128, 128), [-1.0], (1, 1, 1, 1))]
    assert torch.equal(frames[1], before)
    assert torch.equal(image, before)
    assert torch.equal(frames[0], (before + 0.5).clamp(0, 1))
    assert (frames[2] == 0).all()


def test_its_own_memory_is_never_given_away(photographs):
    constant = torch.full((1, 3, 128, 128), 0.5)

    @augmentation("constant", range=(0, 1), neutral=0)
    def show(batch, value):
        return constant

    augment(photographs["cat"], {"constant": 1}).images.zero_()
    assert (constant == 0.5).all()


def test_a_name_registered_again_is_replaced(photographs):
    register_fade()

    @augmentation("fade", range=(0, 2), neutral=1)
    def fade(batch, value):
        """Fades to black.

        In two sentences.
        """
        return batch * 0

    assert CATALOGUE["fade"].maximum == 2
    assert CATALOGUE["fade"].description == "Fades to black."
    assert (augment(photographs["cat"], {"fade": 0}).images == 0).all()
    forget("fade")
    assert "fade" not in CATALOGUE
    with pytest.raises(ParameterError, match="unknown parameter 'fade'"):
        augment(photographs["cat"], {"fade": 0})


def test_the_catalogue_may_grow_while_it_is_walked_through():
    for name in CATALOGUE:
        if name == "crop":
            register_fade()
    assert "fade" in CATALOGUE


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("rotation", "built-in"),
        ("my-fade", "expected a Python identifier"),
        ("lambda", "expected a Python identifier"),
        ("", "expected a Python identifier"),
        ("frames", "expected a Python identifier"),
    ],
)
def test_a_name_that_cannot_be_used_is_named(name, words):
    before = dict(CATALOGUE)
    with pytest.raises(ParameterError, match=words):
        augmentation(name, range=(0, 1), neutral=0)(lambda batch, value: batch)
    assert dict(CATALOGUE) == before
    if name == "rotation":
        with pytest.raises(ParameterError, match="built-in"):
            forget(name)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"range": (1, 0)}, "range of fade is 1 to 0"),
        ({"range": (0, float("inf"))}, "two finite numbers"),
        ({"neutral": 2}, "fade is 2; expected a number from 0 to 1"),
        ({"sweep": (0, 3)}, "fade is 3"),
    ],
)
def test_numbers_that_do_not_go_together_are_named(changed, words):
    with pytest.raises(ParameterError, match=words):
        register_fade(**changed)
    assert "fade" not in CATALOGUE


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (
            lambda batch, value: batch[:, :1],
            r"broken returned \(1, 1, 128, 128\); expected a tensor \(1, 3, 128, 128\)",
        ),
        (lambda batch, value: None, "broken returned NoneType"),
        (lambda batch, value: batch / 0 * 0, "broken returned numbers that are not finite"),
        (lambda batch, value: 1 / 0, "broken failed: ZeroDivisionError: division by zero"),
    ],
    ids=["shape", "nothing", "nan", "error"],
)
def test_a_function_that_breaks_its_word_is_named(photographs, function, words):
    augmentation("broken", range=(0, 1), neutral=0)(function)
    with pytest.raises(ParameterError, match=words):
        augment(photographs["coffee"], {"broken": 1})


def test_its_randomness_is_seeded_and_the_global_generators_are_left_alone(photographs):
    @augmentation("shaken", range=(0, 1), neutral=0)
    def shaken(batch, value):
        drawn = torch.rand(1) + float(np.random.rand()) + random.random()
        return batch * 0 + drawn / 3

    def states():
        return torch.random.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1].tolist()

    before = states()
    first = augment(photographs["cat"], {"shaken": 1}).images
    assert states() == before
    torch.rand(3)
    assert torch.equal(first, augment(photographs["cat"], {"shaken": 1}).images)
    assert not torch.equal(first, augment(photographs["cat"], {"shaken": 1}, seed=5).images)


def test_it_comes_after_all_others(photographs):
    register_fade()
    frames = augment(photographs["rocket"], {"fade": 0.8, "erase_w": 1, "erase_h": 1, "noise": 0.3}).images
    assert torch.allclose(frames, torch.full_like(frames, 0.4))


def test_what_is_random_is_the_same_in_every_frame_however_many_there_are(photographs):
    @augmentation("grain", range=(0, 1), neutral=0)
    def grain(batch, value):
        return batch + value * torch.randn_like(batch)

    image = photographs["coffee"]
    many = augment(image, {"grain": [0.3, 0.1, 0.3, 0.3]}, seed=4).images
    assert torch.equal(many[0], many[2])
    assert torch.equal(many[0], many[3])
    assert torch.equal(augment(image, {"grain": 0.3}, seed=4).images[0], many[0])
    assert not torch.equal(augment(image, {"grain": 0.3}, seed=5).images[0], many[0])


def test_threads_draw_what_one_alone_draws(photographs):
    """The generators that are seeded belong to the whole process."""

    @augmentation("noisy", range=(0, 1), neutral=0)
    def noisy(batch, value):
        return batch + value * (torch.randn(batch.shape) + random.random())

    image, asked = photographs["cat"], {"noisy": [0.5] * 4}
    alone = augment(image, asked, seed=3).images
    states = torch.random.get_rng_state(), random.getstate()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: augment(image, asked, seed=3).images, range(24)))
    assert all(torch.equal(each, alone) for each in found)
    assert torch.equal(torch.random.get_rng_state(), states[0])
    assert random.getstate() == states[1]
