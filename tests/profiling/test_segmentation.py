"""Masks: shapes of known area, count, place and form; random ones against scikit-image, SciPy and pandas."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.text import Text
from PIL import Image
from scipy import ndimage
from scipy.spatial import ConvexHull
from skimage.draw import disk, polygon
from skimage.measure import regionprops
from skimage.transform import resize
from torch.utils.data import DataLoader

import augimpact as ai
from augimpact.errors import DataError
from augimpact.profiling.objects import GRID, Rows, covered
from augimpact.profiling.panel import strict
from augimpact.profiling.result import Profile
from augimpact.profiling.segmentation import MOST_CLASSES, Masks, map_of, mask_of, objects_of

SILENT = {"progress": lambda done, total: None}
PANELS = (
    "mask_classes", "mask_objects", "object_area", "object_width", "object_height", "object_convexity",
    "object_erosion", "mask_positions",
)  # fmt: skip
COLUMNS = ["class", "area", "width", "height", "convexity", "erosion"]
MASKS = arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 3))


def empty(height: int = 40, width: int = 80) -> np.ndarray:
    return np.zeros((height, width), np.uint8)


def objects(mask: np.ndarray, ignored: tuple[int, ...] = (0,)) -> pd.DataFrame:
    return pd.DataFrame(objects_of(mask_of(mask, mask.shape, ignored=ignored)), columns=COLUMNS)


def picture(mask: np.ndarray, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*mask.shape[:2], 3), dtype=np.uint8)


def profiled(masks: list[np.ndarray], val: list[np.ndarray] | None = None, **options) -> Profile:
    given = [[(picture(mask, seed), mask) for seed, mask in enumerate(each or ())] for each in (masks, val)]
    return ai.profile(given[0], given[1] or None, **SILENT, **options)


def scene() -> np.ndarray:
    """40 × 80: two rectangles of class 1, a square of class 2."""
    mask = empty()
    mask[4:14, 10:30] = 1
    mask[20:24, 40:48] = 1
    mask[30:40, 70:80] = 2
    return mask


def pngs(profile: Profile, names: tuple[str, ...] = PANELS) -> dict[str, np.ndarray]:
    found = {}
    for name in names:
        file = io.BytesIO()
        profile[name].figure().savefig(file, format="png")
        found[name] = np.asarray(Image.open(file).convert("L"))
    return found


# What a mask is.


def test_a_mask_is_read_and_what_is_ignored_counts_as_nothing():
    mask = np.array([[0, 1, 255], [2, 2, 255]], np.uint8)
    assert mask_of(mask, (2, 3), ignored=(0, 255)).tolist() == [[-1, 1, -1], [2, 2, -1]]
    assert mask_of(mask, (2, 3)).tolist() == mask.tolist()
    assert mask_of(mask == 1, (2, 3)).tolist() == [[0, 1, 0], [0, 0, 0]]
    assert mask_of(np.array([[-100, 3]]), (1, 2), classes=4, ignored=(-100,)).tolist() == [[-1, 3]]


@given(arrays(np.uint8, st.tuples(st.integers(5, 12), st.integers(5, 12)), elements=st.integers(0, 3)))
def test_a_one_hot_mask_is_the_mask_of_its_classes_in_either_layout(mask):
    hot = np.eye(4, dtype=np.uint8)[mask]
    for each in (hot, hot.astype(bool), hot * 255):
        np.testing.assert_array_equal(mask_of(each, mask.shape), mask)
        np.testing.assert_array_equal(mask_of(np.moveaxis(each, -1, 0), mask.shape), mask)


def test_a_pixel_without_any_class_of_a_one_hot_mask_counts_as_nothing():
    hot = np.zeros((3, 2, 2), np.uint8)
    hot[2, 0, 1] = 1
    assert mask_of(hot, (2, 2), classes=3).tolist() == [[-1, 2], [-1, -1]]


@pytest.mark.parametrize(
    "label", [3, None, {"boxes": []}, np.zeros(8, int), np.zeros((3, 5), int), np.zeros((9, 4), int),
              np.full((20, 20), 0.5)],
    ids=["class", "none", "boxes", "row", "few rows", "list of boxes", "depths"],
)  # fmt: skip
def test_what_is_no_mask_is_none(label):
    assert mask_of(label, (20, 20)) is None


@pytest.mark.parametrize(
    ("label", "options", "words"),
    [
        (np.zeros((20, 30), int), {}, "the mask is 30 × 20; expected 12 × 9 as its image is"),
        (np.full((9, 12), 7), {"classes": 5}, r"the mask has class 7; expected from 0 to 4, or ignored=\[7\]"),
        (
            np.full((9, 12), 1),
            {"classes": 1},
            r"class 1; expected from 0 to 0, as class_names counts from 0, and ignored classes, too: "
            r"class_names=\{1: 'name'\} names number 1, ignored=\[1\] leaves it out",
        ),
        (np.full((9, 12), -1), {}, r"the mask has class -1; expected from 0, or ignored=\[-1\]"),
        (np.full((9, 12), 255), {"classes": 3}, r"class 255; expected from 0 to 2, or ignored=\[255\]"),
        (
            np.ones((3, 9, 12), int),
            {},
            r"several classes at one pixel; expected one, or, where each layer is an .*layers.any\(0\)",
        ),
        (np.full((9, 12, 3), 7), {}, r"a mask of shape \(9, 12, 3\) that is not one-hot; expected one class"),
        (np.ones((3, 8, 12), int), {}, "the mask is 12 × 8; expected 12 × 9 as its image is$"),
        (np.ones((12, 9), int), {}, "the mask is 9 × 12; expected 12 × 9 as its image is: where the EXIF of the image"),
    ],
)
def test_mistakes_are_named(label, options, words):
    with pytest.raises(DataError, match=words):
        mask_of(label, (9, 12), **options)


def test_depths_are_no_classes():
    with pytest.raises(DataError, match=f"the mask has 300 classes; expected at most {MOST_CLASSES}"):
        mask_of(np.arange(300).reshape(10, 30), (10, 30))


# What its objects are.


def test_rectangles_have_their_area_their_box_and_no_dent():
    found = objects(scene())
    np.testing.assert_allclose(
        found[["class", "area", "width", "height", "convexity"]],
        [
            [1, 200 / 3200, 20 / 80, 10 / 40, 1],
            [1, 32 / 3200, 8 / 80, 4 / 40, 1],
            [2, 100 / 3200, 10 / 80, 10 / 40, 1],
        ],
    )
    # The last lies in the image's corner, whose edges take nothing away.
    np.testing.assert_allclose(found["erosion"], [1 - 18 * 8 / 200, 1 - 6 * 2 / 32, 1 - 9 * 9 / 100])


def test_an_l_lacks_half_of_its_notch():
    mask = empty()
    mask[10:20, 10:20] = 1
    mask[10:15, 15:20] = 0
    (convexity,) = objects(mask)["convexity"]
    assert convexity == pytest.approx(75 / (100 - 25 / 2))


def test_a_disc_is_convex_and_a_ring_lacks_its_hole():
    mask = empty(200, 200)
    mask[disk((100, 100), 80)] = 1
    (disc,) = objects(mask).to_dict("records")
    assert disc["area"] == pytest.approx(np.pi * 80**2 / 200**2, rel=0.01)
    assert 0.98 < disc["convexity"] <= 1
    assert disc["erosion"] == pytest.approx(1 - (78.8 / 80) ** 2, abs=0.01)
    mask[disk((100, 100), 40)] = 0
    (ring,) = objects(mask).to_dict("records")
    assert ring["convexity"] == pytest.approx(disc["convexity"] * (1 - 40**2 / 80**2), abs=0.01)


def test_a_line_is_lost_by_erosion_and_a_full_image_loses_nothing():
    mask = empty()
    mask[5, 3:60] = 1
    assert objects(mask)["erosion"].tolist() == [1]
    full = objects(np.ones((7, 9), np.uint8)).iloc[0]
    assert full.tolist() == [1, 1, 1, 1, 1, 0]


def test_pixels_that_touch_by_a_corner_are_one_object_unless_their_classes_differ():
    mask = np.eye(5, dtype=np.uint8)
    assert len(objects(mask)) == 1
    mask[2, 2] = 2
    assert objects(mask)["class"].tolist() == [1, 2, 1]


def test_a_mask_without_objects_has_none():
    assert objects_of(mask_of(empty(), (40, 80), ignored=(0,))).shape == (0, 6)
    assert objects(empty(), ignored=())["area"].tolist() == [1]


@given(MASKS)
def test_all_agree_with_scikit_image_and_scipy_on_whatever_mask(mask):
    found = objects(mask, ignored=(0,))
    expected = []
    for number in (1, 2, 3):
        numbers, _ = ndimage.label(mask == number, np.ones((3, 3)))
        for region in regionprops(numbers):
            own = numbers == region.label
            rows, columns = region.coords.T
            corners = np.concatenate(
                [np.stack([rows + down, columns + right], 1) for down in (0, 1) for right in (0, 1)]
            )
            eroded = ndimage.binary_erosion(own, np.ones((3, 3)), border_value=1)
            top, left, bottom, right = region.bbox
            expected.append([
                number, region.area / mask.size, (right - left) / mask.shape[1], (bottom - top) / mask.shape[0],
                region.area / ConvexHull(corners).volume, 1 - eroded.sum() / own.sum(),
            ])  # fmt: skip
    expected = pd.DataFrame(expected, columns=COLUMNS, dtype=float)
    pd.testing.assert_frame_equal(
        found.sort_values(COLUMNS, ignore_index=True).round(9),
        expected.sort_values(COLUMNS, ignore_index=True).round(9),
    )


def test_convexity_is_nearly_the_solidity_of_scikit_image():
    mask = empty(300, 300)
    mask[polygon([10, 280, 250, 120, 40], [20, 30, 290, 150, 280])] = 1
    (region,) = regionprops(mask)
    assert objects(mask)["convexity"][0] == pytest.approx(region.solidity, abs=0.01)


# Where they lie.


@given(arrays(bool, st.tuples(st.integers(1, 90), st.integers(1, 90))))
def test_a_map_holds_the_share_of_the_image_whatever_its_size(there):
    found = map_of(there)
    assert found.mean() == pytest.approx(there.mean(), abs=1e-5)
    assert found.min() >= 0
    assert found.max() <= 1 + 1e-5


def test_a_map_is_the_mean_of_each_cell():
    there = np.random.default_rng(0).random((96, 64)) < 0.3
    means = there.reshape(GRID, 3, GRID, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(map_of(there), means, atol=1e-6)
    # Pixels larger than a cell fill theirs.
    small = np.array([[1, 0], [0, 0]], bool)
    np.testing.assert_allclose(map_of(small), resize(small.astype(float), (GRID, GRID), order=0), atol=1e-6)


def test_intervals_beyond_the_image_cover_no_cell():
    assert covered([-3, 0.5, 2], [-1, 0.25, 3]).sum() == 0
    assert covered([-1], [2]).tolist() == [[1.0] * GRID]


def test_rows_are_given_as_they_came():
    rows = Rows("image", "class", "area")
    assert rows.frame.shape == (0, 3)
    rows.add(np.empty((0, 3)))
    rows.add([[2**40, 1, 0.25], [7, -1, np.nan]])
    rows.add([[8, 2, 1]])
    assert rows.frame["image"].tolist() == [2**40, 7, 8]
    assert rows.frame["area"].tolist()[::2] == [0.25, 1]


# Black and white.


def test_white_is_class_one_if_all_masks_are_black_and_white():
    masks = Masks()
    for number in range(2):
        masks.add(number, np.uint8([[0, 255]]), (1, 2))
    assert masks.pixels["class"].tolist() == [0, 1, 0, 1]
    assert sorted(masks.maps) == [0, 1]
    # Else it is a number like others, which asks to be ignored.
    masks.add(2, np.uint8([[0, 3]]), (1, 2))
    assert set(masks.objects["class"]) == {0, 3, 255}


def two_squares(first: int, second: int = 0) -> np.ndarray:
    mask = empty()
    mask[5:20, 5:20], mask[20:25, 5:20] = first, second
    return mask


@pytest.mark.parametrize(
    ("train", "val", "told"),
    [
        # A smudge in a single mask: in both splits white is the same class.
        ([(255, 0)] * 4, [(255, 0)] * 3 + [(255, 128)], [{255}, {128, 255}]),
        ([(255, 0)] * 3 + [(255, 128)], [(255, 0)] * 4, [{128, 255}, {255}]),
        # What is void beside classes is none of them in a split that has nothing else.
        ([(4, 255), (2, 3)], [(255, 0)] * 3, [{2, 3, 4, 255}, {255}]),
        ([(1, 255), (1, 0)], [(255, 0)] * 3, [{1, 255}, {255}]),
        # One class, written in two ways.
        ([(1, 0)] * 3, [(255, 0)] * 3, [{1}, {1}]),
        ([(1, 0), (255, 0)], [(0, 1)], [{1}, {1}]),
    ],
)
def test_white_is_the_same_class_in_all_splits(train, val, told):
    found = profiled([two_squares(*each) for each in train], [two_squares(*each) for each in val], ignored=(0,))
    about = found["mask_classes"].statistics
    assert [set(about[split]["classes"]) for split in ("train", "val")] == [
        {f"class {number}" for number in each} for each in told
    ]


def test_objects_and_maps_of_one_class_are_one_whether_it_is_written_as_1_or_as_255():
    mixed, same = Masks(ignored=[0]), Masks(ignored=[0])
    for number, white in enumerate((1, 255, 255)):
        mask = two_squares(1, number % 2)
        mixed.add(number, mask * np.uint8(white), mask.shape)
        same.add(number, mask, mask.shape)
    assert mixed.classes == {1}
    assert mixed.objects.equals(same.objects)
    assert mixed.pixels.equals(same.pixels)
    assert list(mixed.maps) == [1]
    assert np.allclose(mixed.maps[1], same.maps[1])
    assert mixed.different == same.different == {1: frozenset({0, 1, 2})}


@pytest.mark.parametrize("kind", ["0 and 1", "0 and 255", "bool", "Pillow", "floats"])
@pytest.mark.parametrize("names", [None, ["ground", "crack"]])
def test_binary_masks_are_alike_in_every_form(kind, names):
    mask = scene() == 1
    forms = {
        "0 and 1": mask.astype(np.uint8), "0 and 255": mask.astype(np.uint8) * 255, "bool": mask,
        "Pillow": Image.fromarray(mask.astype(np.uint8) * 255), "floats": mask[None].astype(np.float32),
    }  # fmt: skip
    items = [(picture(mask), forms[kind])] * 3
    found = ai.profile(items, images="[0]", labels="[1]", class_names=names, ignored=(0,), **SILENT)
    name = "class 1" if names is None else "crack"
    about = found["mask_classes"].statistics["train"]
    assert about == {"images": 3, "classes": {name: {"share": 1, "images": 3}}, "empty": [], "rare": []}
    assert found["mask_objects"].statistics["train"]["classes"][name]["mean"] == 2


# Measured on one thread, taken in on another.


def test_measuring_changes_nothing_and_taking_in_is_adding():
    added, taken = Masks(ignored=[0]), Masks(ignored=[0])
    masks = [scene(), empty(), scene().T.copy().T]
    for number, mask in enumerate(masks):
        added.add(number, mask, mask.shape)
    found = [taken.measured(mask, mask.shape) for mask in masks]
    assert taken.images == 0
    assert taken.objects.empty
    for number, each in enumerate(found):
        taken.take(number, each)
    assert taken.images == added.images == 3
    assert taken.objects.equals(added.objects)
    assert taken.pixels.equals(added.pixels)
    assert all(np.array_equal(each, added.maps[number]) for number, each in taken.maps.items())
    assert taken.measured("a label", (4, 4)) is None


def test_objects_and_maps_are_measured_where_they_are_needed_alone(monkeypatch):
    everything = Masks(ignored=[0])
    everything.add(0, scene(), scene().shape)
    monkeypatch.setattr("augimpact.profiling.segmentation.objects_of", None)
    monkeypatch.setattr("augimpact.profiling.segmentation.map_of", None)
    some = Masks(ignored=[0], needs=())
    some.add(0, scene(), scene().shape)
    assert some.objects.empty
    assert not some.maps
    assert some.pixels.equals(everything.pixels)


@given(arrays(np.int64, st.tuples(st.integers(1, 9), st.integers(1, 9)),
              elements=st.integers(-3, 9) | st.sampled_from([255, 2**40])))  # fmt: skip
def test_the_classes_of_a_mask_are_those_of_numpy(mask):
    from augimpact.profiling.segmentation import _classes_in

    for found, expected in zip(_classes_in(mask), np.unique(mask, return_counts=True), strict=True):
        assert np.array_equal(found, expected)


# Through the profile.


def test_every_statistic_of_a_scene_is_known():
    other = empty()
    other[20:40, 0:80] = 2
    names = ["ground", "cat", "dog", "owl"]
    found = profiled([scene(), other, empty()], [scene()], class_names=names, ignored=[0], samples=1)
    classes = found["mask_classes"].statistics["train"]
    assert classes["classes"] == {
        "cat": {"share": pytest.approx(232 / 1932), "images": 1},
        "dog": {"share": pytest.approx(1700 / 1932), "images": 2},
    }
    assert classes["empty"] == ["owl"]
    assert "Worry: 1 class (owl) is missing in train" in found["mask_classes"].sentence
    counts = found["mask_objects"].statistics["train"]
    assert (counts["images"], counts["total"], counts["without"], counts["max"]) == (3, 4, 1, 3)
    assert counts["mean"] == pytest.approx(4 / 3)
    assert counts["histogram"].tolist() == [1, 1, 0, 1]
    assert counts["classes"]["cat"]["mean"] == 2
    assert counts["classes"]["dog"]["count"] == 2
    area = found["object_area"].statistics
    assert area["val"]["classes"]["dog"]["median"] == pytest.approx(100 / 3200)
    assert area["train"]["max"] == 0.5
    assert area["train"]["histogram"].sum() == 4
    assert found["object_width"].statistics["train"]["max"] == 1
    assert found["object_height"].statistics["train"]["max"] == 0.5
    assert found["object_erosion"].statistics["val"]["min"] == pytest.approx(0.19)
    places = found["mask_positions"].statistics
    # Two rectangles, weighed by their area.
    middle = np.array([[20, 9], [44, 22]]).T @ [200, 32] / 232 / [80, 40]
    assert places["val"]["cat"]["centre"] == pytest.approx(middle.tolist(), abs=0.01)
    assert places["val"]["cat"]["map"].mean() == pytest.approx(232 / 3200)
    # In the lower half it is in one image of three.
    assert places["train"]["dog"]["map"][20, 3] == pytest.approx(1 / 3)


def test_random_masks_agree_with_pandas():
    masks = [np.random.default_rng(seed).integers(0, 4, (12, 18), dtype=np.uint8) for seed in range(8)]
    found = profiled(masks, ignored=(3,))["mask_classes"].statistics["train"]["classes"]
    pixels = pd.Series(np.concatenate([mask.reshape(-1) for mask in masks]))
    shares = pixels[pixels != 3].value_counts(normalize=True)
    assert {name: row["share"] for name, row in found.items()} == pytest.approx(
        {f"class {number}": share for number, share in shares.items()}
    )


def test_what_is_ignored_is_nowhere():
    mask = scene()
    mask[:3] = 255
    found = profiled([mask], ignored=(0, 255))
    assert set(found["mask_classes"].statistics["train"]["classes"]) == {"class 1", "class 2"}
    assert set(found["mask_positions"].statistics["train"]) == {"class 1", "class 2"}
    assert found["mask_objects"].statistics["train"]["total"] == 3


def test_hidden_classes_are_one_and_are_named_nowhere():
    names = ["ground", "secret cat", "secret dog", "owl"]
    mask = scene()
    mask[0, 0] = 3
    hidden = ["secret cat", "secret dog"]
    found = profiled([mask], [mask], class_names=names, hide_classes=hidden, ignored=(0,), samples=1)
    assert found["mask_classes"].statistics["train"]["classes"]["hidden"]["images"] == 1
    assert found["mask_objects"].statistics["train"]["classes"]["hidden"]["mean"] == 3
    assert "hidden" not in found["mask_positions"].statistics["val"]
    told = json.dumps(found.document(), allow_nan=False)
    for name in PANELS:
        figure = found[name].figure()
        figure.draw_without_rendering()
        told += " ".join(text.get_text() for text in figure.findobj(Text))
    assert "owl" in told
    assert "secret" not in told
    anonymous = profiled([mask], class_names=names, hide_names=True)
    assert not any(name in json.dumps(anonymous.document()) for name in names)


def test_a_mask_that_cannot_be_used_is_in_the_ledger_and_ends_nothing():
    wrong = (picture(scene()), np.zeros((30, 30), np.uint8))
    unknown = (picture(scene()), np.full((40, 80), 9, np.uint8))
    good = [(picture(scene(), seed), scene()) for seed in range(3)]
    found = ai.profile([good[0], wrong, good[1], unknown, good[2]], class_names=["ground", "cat", "dog"], **SILENT)
    failures = [{"index": 1, "kind": "DataError"}, {"index": 3, "kind": "DataError"}]
    assert found["errors"].statistics["train"] == {
        "count": 2, "indices": [1, 3], "kinds": {"DataError": 2}, "failures": failures,
    }  # fmt: skip
    assert found["mask_classes"].statistics["train"]["images"] == len(found.frames["train"]) == 3
    with pytest.raises(DataError, match=r"no sample that can be used; .*the mask has class 9; expected from 0 to 2"):
        ai.profile([unknown], class_names=["ground", "cat", "dog"], **SILENT)


def test_images_masks_and_batches_of_either_are_alike():
    masks = [np.roll(scene(), shift, axis=1) for shift in range(5)]
    expected = profiled(masks, ignored=(0,))
    pairs = [
        (torch.from_numpy(picture(mask, seed)).permute(2, 0, 1), torch.from_numpy(mask).long())
        for seed, mask in enumerate(masks)
    ]
    hot = [(image, torch.nn.functional.one_hot(mask, 3).permute(2, 0, 1)) for image, mask in pairs]
    forms = {
        "tensors": pairs,
        "Pillow": [(Image.fromarray(picture(mask, seed)), Image.fromarray(mask)) for seed, mask in enumerate(masks)],
        "batches": DataLoader(pairs, batch_size=2),
        "one channel": DataLoader([(image, mask[None]) for image, mask in pairs], batch_size=2),
        "one-hot batches": DataLoader(hot, batch_size=2),
    }
    for name, form in forms.items():
        options = {"images": "[0]", "labels": "[1]"} if name == "one-hot batches" else {}
        found = ai.profile(form, ignored=(0,), **SILENT, **options)
        for panel in PANELS:
            assert strict(found[panel].statistics) == strict(expected[panel].statistics), (name, panel)


def test_there_are_no_such_panels_where_there_are_only_classes():
    found = ai.profile([(picture(scene(), seed), seed % 2) for seed in range(4)], **SILENT)
    assert not {panel.name for panel in found.panels} & set(PANELS)


def test_every_panel_is_strict_json_has_a_sentence_and_draws():
    masks = [np.roll(scene(), shift, axis=1) for shift in range(5)]
    for found in (profiled(masks, masks[:2], ignored=(0,)), profiled(masks), profiled([empty()], ignored=(0,))):
        for name, drawn in pngs(found).items():
            json.dumps(strict(found[name].statistics), allow_nan=False)
            assert found[name].sentence.endswith(".")
            assert drawn.std() > 0 or name == "mask_positions", name


def test_many_classes_and_splits_of_which_one_is_empty_draw():
    many = np.arange(40, dtype=np.uint8).repeat(60).reshape(40, 60)
    found = profiled([many], [empty()], ignored=(0,))
    assert found["object_area"].statistics["val"]["count"] == 0
    assert all(drawn.std() > 0 for drawn in pngs(found).values())


@pytest.mark.parametrize("names", [None, {1: "road", 2: "car"}])
def test_a_class_that_only_what_lies_outside_has_is_missing_nowhere(names):
    mask = np.ones((64, 64), np.uint8)
    mask[20:40, 20:40] = 2
    turned = ai.RandomAugmentation(rotation=(30, 45))
    data = [(np.full((64, 64, 3), number, np.uint8), mask) for number in range(10)]
    panel = ai.profile(data, augmentation=turned, class_names=names, progress=lambda *_: None)["mask_classes"]
    assert panel.statistics["train, augmented"]["classes"]["class 0"]["images"] == 10
    assert [panel.statistics[split]["empty"] for split in ("train", "train, augmented")] == [[], []]
    assert "No class is missing or rare." in panel.sentence
