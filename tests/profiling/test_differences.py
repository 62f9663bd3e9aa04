"""With and without augmentation: the difference of every number in every output, of every split; what was broken."""

from __future__ import annotations

import json

import numpy as np
import pytest

import augimpact as ai
from augimpact.data.image import EXAMPLES, example
from augimpact.profiling.differences import difference, with_differences
from augimpact.profiling.events import scalars_of
from augimpact.profiling.panel import Panel, strict
from augimpact.profiling.report import flat
from augimpact.profiling.tables import tables_of
from tests.pages import Page
from tests.profiling.reading import pdf_lines

SILENT = {"progress": lambda done, total: None}
SPLITS = ["train", "train, augmented", "train, difference", "val", "val, augmented", "val, difference"]
# Each value in these becomes half of it.
HALF = ai.RandomAugmentation(brightness=0.5)


def greys(*levels):
    return [(np.full((30, 40, 3), level, np.uint8), level % 3) for level in levels]


@pytest.fixture(scope="module")
def halved():
    return ai.profile(greys(100, 120, 140), greys(200, 240), augmentation=HALF, **SILENT)


def test_half_as_bright_is_half_of_the_brightness_less_in_each_split(halved):
    found = strict(halved["brightness"].statistics)
    assert list(found) == SPLITS
    for split, levels in (("train", (100, 120, 140)), ("val", (200, 240))):
        told = found[f"{split}, difference"]
        assert told["count"] == 0
        for name, number in (("mean", np.mean(levels)), ("min", min(levels)), ("max", max(levels))):
            assert told[name] == pytest.approx(-number / 2 / 255, abs=1e-5)
        # What leaves its bin is one less there, and one more where it goes.
        before, after = (found[each]["histogram"] for each in (split, f"{split}, augmented"))
        assert told["histogram"] == [one - other for one, other in zip(after, before, strict=True)]
        assert sum(map(abs, told["histogram"])) == 2 * len(levels)
        assert "edges" not in told
    assert "Augmentation moves the mean by -0.235 in train, -0.431 in val." in halved["brightness"].sentence


def test_every_panel_by_split_has_it_and_others_are_as_they_were(halved):
    compared = {panel.name for panel in halved.panels if "train, difference" in panel.statistics}
    assert compared == {
        "summary", "sizes", "brightness", "contrast", "sharpness", "saturation", "entropy", "colours", "odd", "errors",
        "shortcuts",
    }  # fmt: skip
    for name in compared:
        assert list(halved[name].statistics) == (SPLITS[:3] if name == "shortcuts" else SPLITS)
        assert "middle square at 224²" in halved[name].sentence
    colours = halved["colours"].statistics["val, difference"]["3 channels"]
    red = {level: count for level, count in enumerate(colours[0]) if count}
    assert red == {200: -(224**2), 240: -(224**2), 100: 224**2, 120: 224**2}
    assert halved["summary"].statistics["train, difference"]["mean"] == pytest.approx([-60 / 255] * 3, abs=1e-3)
    assert halved["odd"].statistics["train, difference"]["dark"] == {"count": 0}
    plain = ai.profile(greys(100, 120), greys(200), **SILENT)
    assert all(not {*SPLITS[1:3]} & set(panel.statistics) for panel in plain.panels)
    assert all("224²" not in panel.sentence for panel in plain.panels)


def test_mean_images_are_of_raw_and_augmented_training_data():
    levels = [100, 110, 120, 130, 140, 200]
    train = [(np.full((30, 40, 3), level, np.uint8), int(level == 200)) for level in levels]
    panel = ai.profile(train, train, augmentation=HALF, class_names=["cat", "dog"], **SILENT)["mean_images"]
    found = panel.statistics
    assert list(found) == SPLITS[:3]
    # Of the other class there is one image alone.
    assert all(list(each) == ["cat"] for each in found.values())
    assert found["train"]["cat"]["mean"] == pytest.approx(120 / 255)
    assert found["train, augmented"]["cat"]["mean"] == pytest.approx(60 / 255)
    assert found["train, difference"]["cat"] == {
        "images": 0, "mean": pytest.approx(-60 / 255), "deviation": pytest.approx(-np.std(levels[:5]) / 2 / 255),
    }  # fmt: skip
    assert panel.sentence.startswith(
        "The mean of each class of at least 5 different images in train and in train, augmented, and beside it"
    )
    captions = [text.get_text() for text in panel.figure().axes[0].texts]
    assert captions == ["cat\ntrain", "cat\ntrain, augmented"]
    hidden = ai.profile(
        train, augmentation=HALF, class_names=["cat", "dog"], hide_classes=["cat"], samples=1, **SILENT
    )["mean_images"].statistics
    assert all(list(each) == ["dog"] for each in hidden.values())


def test_a_mean_image_of_one_image_augmented_in_many_ways_is_not_shown():
    noise = np.random.default_rng(0).integers(0, 256, (6, 40, 40, 3)).astype(np.uint8)
    turned = ai.RandomAugmentation(rotation=(-90, 90))
    panels = ai.profile([(noise[0], 0)] * 9, augmentation=turned, **SILENT).panels
    assert "mean_images" not in [panel.name for panel in panels]
    # Nor is one of images that augmentation has made one.
    black = ai.RandomAugmentation(brightness=0)
    panel = ai.profile([(each, 0) for each in noise], augmentation=black, **SILENT)["mean_images"]
    assert {split: list(each) for split, each in panel.statistics.items()} == {
        "train": ["class 0"], "train, augmented": [],
    }  # fmt: skip
    assert len(panel.figure().axes[0].texts) == 1


def test_shortcuts_are_of_raw_and_augmented_training_data():
    train = [(np.full((20, 20, 3), 50 + 100 * (number % 2) + number, np.uint8), number % 2) for number in range(40)]
    given = {"features": ["shortcuts", "brightness"], **SILENT}
    black = ai.RandomAugmentation(brightness=0)
    panel = ai.profile(train, train, augmentation=black, **given)["shortcuts"]
    found = panel.statistics
    assert list(found) == SPLITS[:3]
    assert found["train"] == ai.profile(train, **given)["shortcuts"].statistics["train"]
    told = found["train"]["information"]["brightness"]
    assert told > 0.8
    assert found["train, augmented"] == {"information": {"brightness": 0}, "p": {"brightness": 1}}
    assert found["train, difference"]["information"] == {"brightness": pytest.approx(-told)}
    assert panel.sentence.startswith(
        "What a property says of the class, in train. Worry: brightness alone tells much of it. "
        "What a property says of the class, in train, augmented. None tells much of it. Each image is"
    )
    (axes,) = panel.figure().axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == SPLITS[:2]
    assert [patch.get_width() for patch in axes.patches] == [told, 0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["brightness"]


def test_all_outputs_have_it(halved, tmp_path):
    halved.save(tmp_path)
    document = json.loads((tmp_path / "profile.json").read_text())["panels"]
    text = (tmp_path / "profile.txt").read_text()
    cells = [each["text"] for each in Page((tmp_path / "report.html").read_text()).all("td")]
    words = " ".join(pdf_lines((tmp_path / "report.pdf").read_bytes())).split()
    notebook = [each["text"] for each in Page(halved._repr_html_()).all("td")]
    numbers = {}
    for panel in halved.panels:
        assert document[panel.name]["statistics"] == strict(panel.statistics)
        for split in ("train, difference", "val, difference"):
            told = strict(panel.statistics).get(split, {})
            for name, value in flat(told, split):
                assert f"{name}: {value}\n" in text
            numbers |= dict(scalars_of(told, f"{panel.name}/{split}"))
    assert len(numbers) > 100
    for number in numbers.values():
        shown = f"{number:g}" if isinstance(number, float) else str(number)
        assert shown in cells
        assert shown in notebook
        assert shown in words
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    read = accumulators.EventAccumulator(str(tmp_path / "tensorboard"))
    read.Reload()
    for tag, number in numbers.items():
        assert [each.value for each in read.Scalars(tag)] == [pytest.approx(number, rel=1e-6)]
    # Counts below 0 are no histogram.
    histograms = read.Tags()["histograms"]
    assert "brightness/train, augmented/histogram" in histograms
    assert not any("difference" in tag for tag in histograms)


def test_numbers_are_compared_by_name_and_place_and_nothing_else_is():
    raw = {
        "deep": {"a": 1, "b": None, "c": np.float32(1.5), "raw alone": 3}, "count": np.uint64(5), "text": "x",
        "nan": float("nan"), "yes": True, "list": [1, None, 3], "long": [1, 2], "map": np.eye(2), "names": ["a"],
        "edges": [0, 1], "indices": [4], "images": [7], "empty": {}, "none": [],
    }  # fmt: skip
    augmented = raw | {
        "deep": {"a": 4, "b": 2, "c": 1.0, "new": 3}, "count": np.uint64(3), "nan": 1.0, "yes": False, "text": "y",
        "list": [2, 5, 1.5], "long": [1, 2, 3], "map": np.ones((2, 2)),
    }  # fmt: skip
    assert difference(augmented, raw) == {
        "deep": {"a": 3, "c": -0.5}, "count": -2, "list": [1, None, -1.5], "map": [[0, 1], [1, 0]],
    }  # fmt: skip
    # A number or a class of such a name is compared.
    assert difference({"images": 3, "edges": {"count": 2}}, {"images": 5, "edges": {"count": 2}}) == {
        "images": -2, "edges": {"count": 0},
    }  # fmt: skip
    assert difference({"a": "x"}, {"a": 1}) is None


def test_classes_that_are_called_as_splits_are_no_splits():
    statistics = {"train": {"images": 3}, "train, augmented": {"images": 4}, "cat": {"images": 5}}
    panel = Panel("mean_images", "Mean images", statistics, "Means.", lambda figure: None)
    assert with_differences([panel], ["train", "train, augmented"]) == [panel]


def test_the_numbers_of_each_split_stay_side_by_side(halved):
    for name in ("summary", "brightness", "odd"):
        headers = [table.header for table in tables_of(halved[name].statistics)]
        assert headers == [("", *SPLITS[:3]), ("", *SPLITS[3:])]
    alone = ai.profile(greys(100, 120, 140), augmentation=HALF, **SILENT)
    for name in ("summary", "brightness", "odd", "errors"):
        assert [table.header for table in tables_of(alone[name].statistics)] == [("", *SPLITS[:3])]


@pytest.mark.parametrize(
    ("changed", "blurred"),
    [({"brightness": 0.3}, 0), ({"contrast": 0.3}, 0), ({"rotation": 30.0}, 0), ({"blur": 3.0}, 4),
     ({"blur": 3.0, "contrast": 0.5}, 4), ({"blur": 3.0, "brightness": 0.2}, 4)],
)  # fmt: skip
def test_what_is_darker_or_has_less_contrast_is_not_blurred(changed, blurred):
    photographs = [example(name) for name in EXAMPLES]
    augmentation = ai.RandomAugmentation(**{name: (value, value) for name, value in changed.items()})
    found = ai.profile(photographs, augmentation=augmentation, **SILENT)["broken"].statistics["train"]
    assert found["blurred"]["count"] == blurred


def test_what_is_broken_is_told_of_every_split():
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3)).astype(np.uint8)
    black = ai.RandomAugmentation(brightness=0)
    found = ai.profile([(noise, 0)] * 3, [(noise, 0), (noise // 9 * 0, 1)], augmentation=black, **SILENT)["broken"]
    assert list(found.statistics) == ["train", "val"]
    told = {split: (each["images"], each["blank"]) for split, each in found.statistics.items()}
    # What was black already is not broken.
    assert told == {
        "train": (3, {"count": 3, "indices": [0, 1, 2]}), "val": (2, {"count": 1, "indices": [0]}),
    }  # fmt: skip
    assert found.sentence.startswith(
        "Of 3 images of train augmentation left 3 blank, 3 clipped, 0 blurred; "
        "of 2 images of val augmentation left 1 blank, 1 clipped, 0 blurred."
    )
    (axes,) = found.figure().axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["train", "val"]
    assert [patch.get_height() for patch in axes.patches] == [3, 3, 0, 1, 1, 0]


def test_boxes_that_the_middle_square_cuts_off_are_counted_in_each_split():
    image = np.full((100, 200, 3), 90, np.uint8)
    # The square is from 50 to 150: two boxes lie beside it, one reaches into it, two are in it; one does not count.
    corners = [[0, 0, 40, 40], [160, 10, 190, 90], [20, 20, 60, 60], [90, 40, 110, 60], [60, 0, 70, 10], [0, 50, 9, 59]]
    target = {"boxes": np.array(corners, float), "labels": np.array([1, 2, 1, 2, 1, 7])}
    larger = ai.RandomAugmentation(zoom=4)
    profile = ai.profile([(image, target)] * 3, [(image, target)], augmentation=larger, ignored=7, **SILENT)
    found = profile["broken"]
    # Enlarged, what is in the middle quarter is left.
    for split, count in (("train", 3), ("val", 1)):
        assert found.statistics[split]["boxes"] == {
            "before": 3 * count, "after": count, "lost": 2 * count, "cut_off": 2 * count, "without_area": 0,
        }  # fmt: skip
        assert profile["boxes"].statistics[f"{split}, difference"]["total"] == -2 * count
        assert profile["box_area"].statistics[f"{split}, difference"]["max"] == pytest.approx(0.8**2 - 0.2**2)
    assert "of 9 boxes 6 are lost, beside 6 of which nothing is in the middle square" in found.sentence
    # Those cut off are told where none is left.
    beside = {"boxes": target["boxes"][:2], "labels": target["labels"][:2]}
    only = ai.profile([(image, beside)], augmentation=larger, **SILENT)["broken"].statistics["train"]["boxes"]
    assert only == {"before": 0, "after": 0, "lost": 0, "cut_off": 2, "without_area": 0}


def test_faults_are_those_of_the_boxes_as_they_were_given():
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (60, 120, 3), dtype=np.uint8)
    # Of every fault some, shares among them; the middle square is from 30 to 90.
    all_boxes = [*random.integers(-20, 140, (20, 5, 4)).astype(float), random.random((5, 4))]
    targets = [{"boxes": boxes, "labels": random.integers(0, 3, 5)} for boxes in all_boxes]
    data = [(image, target) for target in targets]
    plain, compared = (
        ai.profile(data, data[:4], augmentation=each, ignored=2, **SILENT)
        for each in (None, ai.RandomAugmentation(brightness=(0.9, 0.9)))
    )
    faults = plain["box_faults"]
    assert all(each["count"] for name, each in faults.statistics["train"].items() if name != "boxes")
    assert json.dumps(strict(compared["box_faults"].statistics)) == json.dumps(strict(faults.statistics))
    assert compared["box_faults"].sentence == faults.sentence
    left, top, right, bottom = np.concatenate([each["boxes"][each["labels"] != 2] for each in targets]).T
    flat = (right <= left) | (bottom <= top)
    beside = ~flat & ((right <= 30) | (left >= 90) | (bottom <= 0) | (top >= 60))
    rest = int((~flat & ~beside).sum())
    assert compared["broken"].statistics["train"]["boxes"] == {
        "before": rest, "after": rest, "lost": 0, "cut_off": beside.sum(), "without_area": flat.sum(),
    }  # fmt: skip
    told = f"{beside.sum()} of which nothing is in the middle square and {flat.sum()} without area"
    assert f"of {rest} boxes 0 are lost, beside {told}" in compared["broken"].sentence
    (axes,) = compared["box_faults"].figure().axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["train", "val"]


def test_a_hidden_class_has_no_name_in_a_difference():
    image = np.full((60, 60, 3), 90, np.uint8)
    target = {"boxes": np.array([[20.0, 20, 40, 40], [10, 10, 30, 30]]), "labels": np.array([0, 1])}
    found = ai.profile(
        [(image, target)] * 2, augmentation=HALF, class_names=["zqsecret", "cat"], hide_classes=["zqsecret"], **SILENT
    )
    told = found["box_classes"].statistics["train, difference"]["classes"]
    assert told == {"cat": {"boxes": 0, "images": 0}, "hidden": {"boxes": 0, "images": 0}}
    assert "zqsecret" not in json.dumps(found.document())
