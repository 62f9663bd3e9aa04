"""Where masks and boxes lie: no map is that of a few images, unless single samples may be seen."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

import augimpact as ai
from augimpact.profiling.object_panels import Objects
from augimpact.profiling.positions import maps_left_out
from augimpact.profiling.result import Profile

SILENT = {"progress": lambda done, total: None}
NAMES = ["tissue", "organ", "tumour"]
COUNT = 12


def picture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (64, 64, 3), dtype=np.uint8)


def mask_with(tumour: bool, organ: bool = False) -> np.ndarray:
    mask = np.zeros((64, 64), np.uint8)
    mask[40:60, 5:25] = int(organ)
    mask[10:20, 34:44] = 2 * int(tumour)
    return mask


def target_with(tumour: bool, organ: bool = False) -> dict[str, list]:
    boxes = [[5, 40, 25, 60]] * organ + [[34, 10, 44, 20]] * tumour
    return {"boxes": boxes, "labels": [1] * organ + [2] * tumour}


def profiled(make, numbers, *, organs: bool = False, **options) -> Profile:
    """Of as many images as there are numbers, which tell them apart; the first ones have a tumour."""
    few = options.pop("few")
    data = [(picture(number), make(place < few, organs)) for place, number in enumerate(numbers)]
    return ai.profile(data, class_names=NAMES, **SILENT, **options)


def mapped(found: Profile, panel: str, split: str = "train") -> set[str]:
    return {name for name, each in found[panel].statistics[split].items() if "map" in each}


@pytest.mark.parametrize("few", [1, 4, 5])
@pytest.mark.parametrize("samples", [0, 1])
def test_a_map_is_of_five_images_at_least_or_samples_may_be_seen(few, samples):
    shown = bool(samples) or few == 5
    found = profiled(mask_with, range(COUNT), few=few, samples=samples)
    # That of the tissue has the tumour as a gap.
    assert mapped(found, "mask_positions") == ({"tissue", "tumour"} if shown else set())
    assert found["mask_positions"].statistics["train"]["tumour"]["centre"] == pytest.approx(
        [39 / 64, 15 / 64], abs=0.01
    )
    boxes = profiled(target_with, range(COUNT), few=few, samples=samples, organs=True)
    assert mapped(boxes, "box_positions") == ({"organ", "tumour"} if shown else {"organ"})
    for panel, missing in ((found["mask_positions"], 2), (boxes["box_positions"], 1)):
        assert (f"are left out: {missing} in train; samples=1" in panel.sentence) == (not shown)
        told = [text.get_text() for text in panel.figure().findobj(Text)]
        assert told.count("left out") == (0 if shown else missing)


def test_a_map_is_not_what_the_others_leave():
    found = profiled(mask_with, range(COUNT), few=1, organs=True)
    assert mapped(found, "mask_positions") == {"organ"}


@pytest.mark.parametrize(("make", "panel"), [(mask_with, "mask_positions"), (target_with, "box_positions")])
def test_the_same_image_many_times_is_one(make, panel):
    for augmentation in (None, ai.RandomAugmentation(brightness=(0.5, 0.9))):
        found = profiled(make, [0] * COUNT, few=COUNT, augmentation=augmentation)
        splits = ["train"] if augmentation is None else ["train", "train, augmented"]
        assert [mapped(found, panel, split) for split in splits] == [set()] * len(splits)
        assert '"map"' not in json.dumps(found.document())
    alone = profiled(make, [0] * COUNT, few=COUNT, features=[panel])
    assert mapped(alone, panel) == set()
    assert mapped(profiled(make, range(COUNT), few=COUNT, features=[panel]), panel) >= {"tumour"}


def test_masks_that_are_the_same_in_many_images_have_maps():
    found = profiled(mask_with, range(COUNT), few=COUNT)
    assert found["mask_positions"].statistics["train"]["tumour"]["map"].max() == pytest.approx(1)


def test_a_class_that_covers_whole_images_hides_nothing():
    masks = [np.full((64, 64), number % 2, np.uint8) for number in range(4)]
    found = ai.profile([(picture(number), mask) for number, mask in enumerate(masks)], **SILENT)
    assert mapped(found, "mask_positions") == {"class 0", "class 1"}


def test_the_largest_class_is_left_out_where_the_others_give_one_away():
    maps = {"few": np.full((2, 2), 0.1), "small": np.full((2, 2), 0.2), "large": np.full((2, 2), 0.7)}
    different = {"few": frozenset({1}), "small": frozenset(range(5)), "large": frozenset(range(5))}
    objects = Objects(9, pd.DataFrame(), maps, different)
    assert left_out(objects, list(maps), have_gaps=False) == {"few"}
    assert left_out(objects, list(maps), have_gaps=True) == {"few", "large"}
    assert left_out(objects, list(maps), have_gaps=True, shows_samples=True) == set()
    # What no map is told of anyway hides it.
    assert left_out(objects, ["large", "few"], have_gaps=True) == {"few"}


def left_out(objects, shown, *, have_gaps, shows_samples=False) -> set[str]:
    return set(maps_left_out(objects, shown, shows_samples=shows_samples, have_gaps=have_gaps)) - {"hidden"}


@pytest.mark.parametrize("samples", [0, 2])
@pytest.mark.parametrize(("make", "panel"), [(mask_with, "mask_positions"), (target_with, "box_positions")])
def test_of_a_hidden_class_there_is_no_map_nor_centre_nor_what_the_others_leave(make, panel, samples):
    found = profiled(make, range(COUNT), few=COUNT, organs=True, hide_classes=["tumour"], samples=samples)
    statistics = found[panel].statistics["train"]
    assert "hidden" not in statistics
    assert "tumour" not in statistics
    # The maps of all classes of masks have a sum of 1.
    assert mapped(found, panel) == {"organ"}
    assert set(statistics) == ({"organ", "tissue"} if panel == "mask_positions" else {"organ"})
    assert "tumour" not in found[panel].sentence
