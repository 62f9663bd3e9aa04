"""Augmentation at random: the same for a sample wherever it is asked for, and spread as it was asked for."""

from __future__ import annotations

import hashlib
import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch.utils.data import DataLoader

from augimpact.augment.apply import augment
from augimpact.augment.follow import move_boxes, move_masks
from augimpact.augment.geometry import homographies
from augimpact.augment.parameters import CATALOGUE, MIXING, resolve
from augimpact.augment.random import RandomAugmentation
from augimpact.data.image import example
from augimpact.data.images import ImageDataset
from augimpact.data.pipeline import ImagePipeline
from augimpact.data.samples import SampleTable
from augimpact.errors import ParameterError
from tests.augment.agreement import SIDE, names

SAMPLES = [f"{number:032x}" for number in range(4000)]
# Of tests on fixed draws: one in ten thousand would fail for a perfect generator.
UNLIKELY = 1e-4
RANGES = {"rotation": (-30, 30), "crop": (0.5, 1), "brightness": (0.7, 1.4), "noise": (0.05, 0.1), "erase_w": 0.3}
ids = st.text(min_size=1, max_size=20)


@pytest.fixture(scope="module")
def views() -> dict[str, ImageDataset]:
    """The same photographs, augmented in epochs of their own."""
    parts = [np.asarray(example("coffee").crop((x, 40, x + 60, 100))) for x in range(0, 360, 30)]
    table = SampleTable.from_arrays(parts)
    return {
        name: ImageDataset(table, ImagePipeline(24), augmentation=RandomAugmentation(**RANGES, seed=5))
        for name in ("plain", "fork", "spawn")
    }


def drawn(augmentation: RandomAugmentation, name: str) -> np.ndarray:
    return np.array([augmentation.setting(each)[name] for each in SAMPLES])


@given(sample_id=ids, seed=st.integers(0, 2**40), epoch=st.integers(0, 1000))
def test_a_draw_follows_from_seed_epoch_and_id_alone(sample_id, seed, epoch):
    one, other = (RandomAugmentation(**RANGES, seed=seed) for _ in range(2))
    other.setting("another")
    for each in (one, other):
        each.set_epoch(epoch)
        assert each.epoch == epoch
    assert one.setting(sample_id) == other.setting(sample_id) == pickle.loads(pickle.dumps(one)).setting(sample_id)
    assert np.array_equal(one.homography(sample_id), other.homography(sample_id))
    # Whatever else is drawn, and in whatever order.
    alone = RandomAugmentation(rotation=RANGES["rotation"], seed=seed)
    alone.set_epoch(epoch)
    assert alone.setting(sample_id)["rotation"] == one.setting(sample_id)["rotation"]
    backwards = RandomAugmentation(**dict(reversed(RANGES.items())), hue=(-9, 9), seed=seed)
    backwards.set_epoch(epoch)
    assert one.setting(sample_id).items() <= backwards.setting(sample_id).items()


@given(sample_id=ids, other_id=ids, seed=st.integers(0, 1000))
def test_samples_epochs_and_seeds_draw_differently(sample_id, other_id, seed):
    augmentation = RandomAugmentation(**RANGES, seed=seed)
    first = augmentation.setting(sample_id)
    if other_id != sample_id:
        assert augmentation.setting(other_id) != first
    augmentation.set_epoch(1)
    assert augmentation.setting(sample_id) != first
    assert RandomAugmentation(**RANGES, seed=seed + 1).setting(sample_id) != first
    augmentation.set_epoch(0)
    assert augmentation.setting(sample_id) == first


def test_another_process_draws_the_same():
    code = (
        "import json; from augimpact.augment.random import RandomAugmentation;"
        f"augmentation = RandomAugmentation(**{RANGES!r}, seed=7); augmentation.set_epoch(3);"
        "print(json.dumps([augmentation.setting(str(each)) for each in range(50)]))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    augmentation = RandomAugmentation(**RANGES, seed=7)
    augmentation.set_epoch(3)
    assert json.loads(printed) == [augmentation.setting(str(each)) for each in range(50)]


def test_the_draws_stay_what_they_were():
    """What was trained with a seed can be looked at again with a later version."""
    augmentation = RandomAugmentation(rotation=(-10, 10), brightness=(0.8, 1.2), seed=3)
    assert augmentation.setting("cat.jpg") == pytest.approx({"rotation": 6.542240096, "brightness": 1.175113530})
    # By hand, from RFC 7693 alone.
    digest = hashlib.blake2b(b"3\x000\x00cat.jpg\x00rotation", digest_size=16).digest()
    assert augmentation.setting("cat.jpg")["rotation"] == pytest.approx(-10 + 20 * int.from_bytes(digest[8:]) / 2**64)


@given(name=names, order=st.permutations(range(6)), border=st.sampled_from(["black", "reflect"]))
def test_a_batch_in_any_order_is_what_each_is_alone(photographs, name, order, border):
    augmentation = RandomAugmentation(**RANGES, border=border, erase_fill="noise")
    images = torch.stack([photographs[name].roll(shift, 2) for shift in range(6)])
    kept = images.clone()
    batch = augmentation.batch(images[list(order)], [SAMPLES[number] for number in order])
    assert torch.equal(images, kept)
    for image, number in zip(batch, order, strict=True):
        assert torch.equal(image, augmentation(images[number], SAMPLES[number]))


@given(name=names, sample_id=ids, border=st.sampled_from(["black", "edge"]))
def test_an_image_is_what_augment_makes_at_the_drawn_setting(photographs, name, sample_id, border):
    augmentation = RandomAugmentation(
        rotation=(-30, 30), perspective_x=(-0.5, 0.5), hue=(-50, 50), jpeg=(20, 60), border=border, p={"jpeg": 0.5}
    )
    told = {}
    ours = augmentation(photographs[name], sample_id, told)
    theirs = augment(photographs[name], augmentation.setting(sample_id), border=border)
    assert torch.equal(ours, theirs.images[0])
    assert told["augmentation"]["setting"] == augmentation.setting(sample_id)
    assert told["augmentation"]["epoch"] == 0
    assert np.array_equal(told["augmentation"]["homography"], theirs.homographies[0])
    assert np.array_equal(augmentation.homography(sample_id), theirs.homographies[0])


@given(sample_id=ids, epoch=st.integers(0, 9))
def test_mask_and_boxes_follow_the_very_homography(photographs, sample_id, epoch):
    augmentation = RandomAugmentation(rotation=(-40, 40), zoom=(0.5, 2), stretch_x=-1, p={"stretch_x": 0.5})
    augmentation.set_epoch(epoch)
    told = {}
    mask = (photographs["cat"].mean(dim=0) * 5).long()
    moved = augmentation((mask[None] / 5).expand(3, -1, -1), sample_id, told)
    matrix = told["augmentation"]["homography"]
    assert torch.equal(augmentation.mask(mask, sample_id, outside=7), move_masks(mask, matrix[None], outside=7)[0])
    boxes = np.array([[10, 20, 60, 90], [0, 0, 20, 20.5]])
    for ours, theirs in zip(
        augmentation.boxes(boxes, sample_id, SIDE, least=0.4), move_boxes(boxes, matrix, SIDE, least=0.4), strict=True
    ):
        assert np.array_equal(ours, theirs)
    # Where neighbouring pixels are of one class, the image of the mask is the mask.
    shown = augmentation.mask(mask, sample_id)
    flat = (moved[0] * 5 - (moved[0] * 5).round()).abs() < 1e-3
    assert ((moved[0] * 5).round() == shown)[flat].float().mean() > 0.98


def test_noise_repeats_for_a_sample_and_differs_between_samples():
    augmentation = RandomAugmentation(noise=0.1)
    grey = torch.full((3, SIDE, SIDE), 0.5)
    first, again, other = (augmentation(grey, each) - grey for each in ("a", "a", "b"))
    assert torch.equal(first, again)
    # Of 3 · 128² independent pairs a correlation has a standard deviation of 0.0045.
    assert abs(np.corrcoef(first.flatten(), other.flatten())[0, 1]) < 0.02
    augmentation.set_epoch(1)
    assert not torch.equal(augmentation(grey, "a") - grey, first)


@pytest.mark.parametrize(("name", "low", "high"), [("rotation", -30, 30), ("crop", 0.5, 1), ("gamma", 2, 0.5)])
@pytest.mark.parametrize("seed", [0, 1])
def test_values_are_spread_evenly_over_their_range(name, low, high, seed):
    values = drawn(RandomAugmentation(**{name: (low, high)}, seed=seed), name)
    least, most = min(low, high), max(low, high)
    assert least <= values.min() < values.max() <= most
    assert stats.kstest(values, stats.uniform(least, most - least).cdf).pvalue > UNLIKELY


@pytest.mark.parametrize("p", [0.0, 0.03, 0.5, 0.9, 1.0])
def test_a_parameter_changes_as_often_as_its_probability_says(p):
    augmentation = RandomAugmentation(rotation=(-30, 30), blur=(1, 2), p={"rotation": p})
    settings = [augmentation.setting(each) for each in SAMPLES]
    # What is not named always changes.
    assert all("blur" in setting for setting in settings)
    changed = [setting["rotation"] for setting in settings if "rotation" in setting]
    assert stats.binomtest(len(changed), len(SAMPLES), p).pvalue > UNLIKELY
    if p in (0, 1):
        assert len(changed) == p * len(SAMPLES)
    else:
        # Whether it changes says nothing of the value.
        assert stats.kstest(changed, stats.uniform(-30, 60).cdf).pvalue > UNLIKELY


def test_parameters_are_drawn_independently_of_each_other():
    augmentation = RandomAugmentation(rotation=(-30, 30), hue=(-30, 30), gamma=(0.5, 2), p=0.5)
    settings = [augmentation.setting(each) for each in SAMPLES]
    counts = np.zeros((2, 2, 2))
    for setting in settings:
        counts[tuple(int(name in setting) for name in ("rotation", "hue", "gamma"))] += 1
    assert stats.chisquare(counts.ravel(), np.full(8, len(SAMPLES) / 8)).pvalue > UNLIKELY
    both = [(each["rotation"], each["hue"]) for each in settings if {"rotation", "hue"} <= set(each)]
    assert stats.spearmanr(*zip(*both, strict=True)).pvalue > UNLIKELY
    assert stats.kendalltau(*zip(*both, strict=True)).pvalue > UNLIKELY


def test_epochs_and_neighbouring_seeds_are_independent_too():
    augmentation = RandomAugmentation(rotation=(-30, 30))
    first, next_seed = (drawn(RandomAugmentation(rotation=(-30, 30), seed=seed), "rotation") for seed in (0, 1))
    augmentation.set_epoch(1)
    for other in (next_seed, drawn(augmentation, "rotation")):
        assert stats.spearmanr(first, other).pvalue > UNLIKELY


@pytest.mark.parametrize("workers", [1, 2])
def test_the_number_of_workers_changes_nothing(views, workers):
    view = views["plain"].view("sample_id image context.augmentation.setting.rotation")
    alone = {sample_id: (image, rotation) for sample_id, image, rotation in view}
    shuffled = DataLoader(view, batch_size=5, num_workers=workers, shuffle=True)
    seen = 0
    for sample_ids, images, rotations in shuffled:
        for sample_id, image, rotation in zip(sample_ids, images, rotations, strict=True):
            assert torch.equal(image, alone[sample_id][0])
            assert rotation == alone[sample_id][1]
            seen += 1
    assert seen == len(view)


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_a_new_epoch_reaches_workers_that_are_running(views, start):
    dataset = views[start]
    view = dataset.view("image context.augmentation.epoch")
    loader = DataLoader(view, batch_size=4, num_workers=2, persistent_workers=True, multiprocessing_context=start)
    workers = set()
    for epoch in (0, 1, 4):
        dataset.augmentation.set_epoch(epoch)
        batches = list(loader)
        workers.add(tuple(worker.pid for worker in loader._iterator._workers))
        assert torch.cat([epochs for _, epochs in batches]).tolist() == [epoch] * len(view)
        assert torch.equal(torch.cat([images for images, _ in batches]), torch.stack([image for image, _ in view]))
    assert len(workers) == 1
    loader._iterator._shutdown_workers()


@given(p=st.floats(0, 1) | st.dictionaries(st.sampled_from(list(RANGES)), st.floats(0, 1)), seed=st.integers(0, 2**40))
def test_a_recipe_makes_it_again(p, seed):
    augmentation = RandomAugmentation(**RANGES, p=p, seed=np.int64(seed), border="edge", erase_fill="mean")
    recipe = json.loads(json.dumps(augmentation.recipe()))
    again = RandomAugmentation(**recipe.pop("ranges"), **recipe)
    assert again.recipe() == augmentation.recipe()
    assert repr(again) == repr(augmentation)
    assert [again.setting(each) for each in SAMPLES[:9]] == [augmentation.setting(each) for each in SAMPLES[:9]]


@pytest.mark.parametrize("name", [name for name in CATALOGUE if name not in MIXING])
def test_every_parameter_can_be_drawn(photographs, name):
    low, high = sorted(CATALOGUE[name].sweep)
    augmentation = RandomAugmentation(**{name: (low, high)})
    values = drawn(augmentation, name)[:50]
    assert low <= values.min() < values.max() <= high
    assert augmentation(photographs["cat"], "a").shape == (3, SIDE, SIDE)


def test_where_nothing_changes_the_image_is_a_copy(photographs):
    augmentation = RandomAugmentation(rotation=(-30, 30), p=0)
    found = augmentation(photographs["cat"], "a")
    assert torch.equal(found, photographs["cat"])
    assert found.data_ptr() != photographs["cat"].data_ptr()
    assert augmentation.setting("a") == {}
    assert np.array_equal(augmentation.homography("a"), homographies(resolve({}))[0])
    assert RandomAugmentation().setting("a") == {}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rotatoin": 3}, "unknown parameter 'rotatoin'; did you mean rotation"),
        ({"rotation": (0, 300)}, "rotation is 300; expected a number from -180 to 180"),
        ({"rotation": "far"}, "rotation is 'far'; expected a number"),
        ({"rotation": (1, 2, 3)}, r"rotation is \(1, 2, 3\); expected a number, or a pair of them"),
        ({"rotation": (0, float("nan"))}, "rotation is nan; expected a number"),
        ({"rotation": 3, "p": 1.5}, "p of rotation is 1.5; expected a probability from 0 to 1"),
        ({"rotation": 3, "p": float("nan")}, "p of rotation is nan"),
        ({"rotation": 3, "p": "often"}, "p of rotation is 'often'"),
        ({"rotation": 3, "p": {"hue": 0.5}}, "unknown parameter among those that change 'hue'"),
        ({"rotation": 3, "border": "white"}, "unknown border 'white'; expected one of"),
        ({"rotation": 3, "erase_fill": "white"}, "unknown erase fill 'white'; expected one of"),
        ({"mixup": (0, 1)}, "mixup mixes in a second image, and a sample has one; expected another parameter"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(options, words):
    with pytest.raises(ParameterError, match=words) as caught:
        RandomAugmentation(**options)
    assert "\n" not in str(caught.value)


def test_an_image_that_is_not_square_is_refused():
    augmentation = RandomAugmentation(rotation=(0, 9))
    with pytest.raises(ParameterError, match=r"the image has shape \(3, 4, 5\); expected \(3, side, side\)"):
        augmentation(torch.zeros(3, 4, 5), "a")
    with pytest.raises(ParameterError, match=r"the mask has shape \(4, 5\); expected \(side, side\)"):
        augmentation.mask(torch.zeros(4, 5, dtype=torch.int64), "a")
