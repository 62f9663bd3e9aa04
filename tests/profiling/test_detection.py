"""Boxes: known counts, sizes, places and faults; random ones against pandas and torchvision."""

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
from torchvision import tv_tensors
from torchvision.ops import box_area, box_convert, clip_boxes_to_image

import augimpact as ai
from augimpact.errors import DataError
from augimpact.profiling.detection import FAULTS, UNLABELLED, Boxes, boxes_of, measures_of
from augimpact.profiling.objects import GRID
from augimpact.profiling.panel import strict
from augimpact.profiling.result import Profile

SILENT = {"progress": lambda done, total: None}
PANELS = (
    "box_classes", "boxes", "box_area", "box_width", "box_height", "box_aspect", "box_positions", "box_faults",
)  # fmt: skip
COLUMNS = ["class", "area", "width", "height", "aspect", "fault"]
# Height and width.
SIZE = (40, 80)
CORNERS = arrays(np.int64, st.tuples(st.integers(0, 9), st.just(4)), elements=st.integers(-30, 110))


def picture(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*SIZE, 3), dtype=np.uint8)


def profiled(targets: list[dict], val: list[dict] | None = None, **options) -> Profile:
    given = [[(picture(seed), target) for seed, target in enumerate(each or ())] for each in (targets, val)]
    return ai.profile(given[0], given[1] or None, **SILENT, **options)


def measured(boxes: list) -> pd.DataFrame:
    rows = np.asarray(boxes, float).reshape(-1, 4)
    return pd.DataFrame(measures_of(rows, np.zeros(len(rows), np.int64), SIZE), columns=COLUMNS)


TARGETS = [
    {"boxes": [[0, 0, 40, 20], [70, 30, 90, 40]], "labels": [1, 2]},
    {"boxes": [[10, 10, 10, 30], [100, 5, 120, 9], [0, 0, 80, 40]], "labels": [1, 1, 1]},
    {"boxes": np.empty((0, 4)), "labels": np.empty(0)},
]


# What a target is.


@pytest.mark.parametrize(("pixels", "is_told"), [(0, True), (9, True), (10, False), (30, False)])
def test_shares_of_width_and_height_are_told(pixels, is_told):
    random = np.random.default_rng(0)
    shares = np.sort(random.random((10, 2, 2)), axis=1).reshape(-1, 4)
    all_boxes = [*shares, *[np.array([2, 3, 30, 20])] * pixels]
    panel = profiled([{"boxes": [box.tolist()], "labels": [1]} for box in all_boxes])["box_faults"]
    assert panel.statistics["train"]["within_the_first_pixel"]["count"] == 10
    assert "10 within the first pixel" in panel.sentence
    assert ("Most boxes in train have shares of width and height: pixels are expected" in panel.sentence) == is_told


def test_shares_that_a_function_makes_pixels_of_are_no_fault():
    data = [(picture(seed), {"boxes": torch.tensor([[0.1, 0.2, 0.5, 0.75]]), "labels": [1]}) for seed in range(4)]
    height, width = SIZE
    scale = torch.tensor([width, height, width, height])
    found = ai.profile(data, labels=lambda item: {**item[1], "boxes": item[1]["boxes"] * scale}, **SILENT)
    assert found["box_faults"].statistics["train"]["within_the_first_pixel"]["count"] == 0
    assert found["box_area"].statistics["train"]["mean"] == pytest.approx(0.4 * 0.55)


@pytest.mark.parametrize("form", [list, np.asarray, torch.tensor, lambda rows: [torch.tensor(row) for row in rows]])
def test_boxes_and_labels_are_read_in_every_form(form):
    boxes, labels = boxes_of({"boxes": form([[0, 0, 4, 2.5], [1, 1, 2, 2]]), "labels": form([3, 0])})
    assert boxes.tolist() == [[0, 0, 4, 2.5], [1, 1, 2, 2]]
    assert labels.tolist() == [3, 0]


@pytest.mark.parametrize("empty", [[], np.empty((0, 4)), torch.empty(0), torch.empty((0, 4))])
def test_a_target_may_have_no_boxes(empty):
    boxes, labels = boxes_of({"boxes": empty, "labels": torch.empty(0, dtype=torch.int64)})
    assert boxes.shape == (0, 4)
    assert labels.shape == (0,)


def test_boxes_may_have_no_labels():
    assert boxes_of({"boxes": [[0, 0, 1, 1]] * 2})[1].tolist() == [UNLABELLED] * 2
    assert boxes_of({"boxes": [[0, 0, 1, 1]], "labels": None})[1].tolist() == [UNLABELLED]


@pytest.mark.parametrize("target", [3, None, np.zeros((3, 4)), {"label": 3}, "boxes"])
def test_what_has_no_boxes_is_none(target):
    assert boxes_of(target) is None


@pytest.mark.parametrize("order", ["XYXY", "XYWH", "CXCYWH"])
def test_boxes_of_torchvision_are_taken_in_their_own_format(order):
    corners = torch.tensor([[10.0, 4, 30, 20], [0, 0, 80, 40]])
    given = tv_tensors.BoundingBoxes(box_convert(corners, "xyxy", order.lower()), format=order, canvas_size=SIZE)
    assert boxes_of({"boxes": given})[0].tolist() == corners.tolist()


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ({"boxes": [[1, 2, 3]]}, r"boxes of shape \(1, 3\); expected \(N, 4\): left, top, right, bottom"),
        ({"boxes": [1, 2, 3, 4]}, r"boxes of shape \(4,\)"),
        ({"boxes": [[1, 2, 3, float("nan")]]}, "not finite"),
        ({"boxes": [[1, 2, 3, 4], [1, 2]]}, "the boxes are list of something else than numbers"),
        ({"boxes": [[1, 2, 3, 4]], "labels": ["cat"]}, "the labels are list of something else than numbers"),
        ({"boxes": [[1, 2, 3, 4]], "labels": [0.5]}, "not whole numbers"),
        ({"boxes": [[1, 2, 3, 4]], "labels": [1, 2]}, r"1 boxes with labels of shape \(2,\); expected one label for"),
        ({"boxes": [[1, 2, 3, 4]], "labels": [7]}, r"a box has class 7; expected from 0 to 2, or ignored=\[7\]"),
        ({"boxes": [[1, 2, 3, 4]], "labels": [-1]}, r"a box has class -1; expected from 0 to 2, or ignored=\[-1\]"),
    ],
)
def test_mistakes_are_named(target, words):
    with pytest.raises(DataError, match=words):
        boxes_of(target, classes=3)


def test_boxes_of_ignored_classes_do_not_count():
    boxes, labels = boxes_of({"boxes": [[0, 0, 1, 1], [2, 2, 3, 3]], "labels": [9, 1]}, classes=3, ignored=[9])
    assert boxes.tolist() == [[2, 2, 3, 3]]
    assert labels.tolist() == [1]


# What boxes are like.


def test_size_and_aspect_are_known():
    found = measured([[0, 0, 40, 20], [70, 30, 80, 40]])
    assert found.to_numpy().tolist() == [[0, 0.25, 0.5, 0.5, 2, 0], [0, 100 / 3200, 10 / 80, 10 / 40, 1, 0]]


@pytest.mark.parametrize(
    ("box", "fault"),
    [
        ([0, 0, 80, 40], "inside"),
        ([-1e-5, 0, 80.0005, 40], "inside"),
        ([-1, 0, 10, 10], "partly outside"),
        ([70, 30, 81, 35], "partly outside"),
        ([-10, -10, 90, 50], "partly outside"),
        ([80, 0, 90, 10], "wholly outside"),
        ([-10, 0, 0, 10], "wholly outside"),
        ([0, 40, 10, 50], "wholly outside"),
        ([10, 10, 10, 30], "without area"),
        ([30, 10, 10, 30], "without area"),
        ([200, 10, 200, 30], "without area"),
        ([0, 0, 0, 0], "without area"),
        ([0, 0, 1, 1], "inside"),
        ([0.1, 0.1, 0.5, 0.5], "within the first pixel"),
        ([0.5, 0.5, 0.2, 0.2], "within the first pixel"),
        ([0, 0, 1, 0.25], "within the first pixel"),
        ([0.5, 0.5, 1.5, 0.9], "inside"),
    ],
)
def test_faults_are_told_apart(box, fault):
    assert FAULTS[int(measured([box])["fault"][0])] == fault


@given(CORNERS)
def test_all_agree_with_torchvision_on_whatever_boxes(corners):
    found = measured(corners)
    boxes = torch.from_numpy(corners).double()
    good = ((boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])).numpy()
    areas, clipped = box_area(boxes).numpy(), clip_boxes_to_image(boxes, SIZE)
    np.testing.assert_allclose(found["area"][good], areas[good] / 3200)
    assert (found["area"][~good] == 0).all()
    assert found["aspect"].isna().tolist() == (~good).tolist()
    kept = box_area(clipped).numpy()
    assert (found["fault"][good] == 0).tolist() == (kept == areas)[good].tolist()
    assert (found["fault"][good] == 2).tolist() == (kept == 0)[good].tolist()
    assert (found["fault"][~good] == 3).all()


@given(CORNERS)
def test_a_map_holds_the_boxes_within_the_image(corners):
    boxes = Boxes()
    boxes.add(0, {"boxes": corners, "labels": np.zeros(len(corners), int)}, SIZE)
    ordered = corners[(corners[:, 2] > corners[:, 0]) & (corners[:, 3] > corners[:, 1])]
    inside = box_area(clip_boxes_to_image(torch.from_numpy(ordered).double(), SIZE)).sum() / 3200
    assert sum(each.mean() for each in boxes.maps.values()) == pytest.approx(float(inside))


# Through the profile.


def test_every_statistic_of_some_targets_is_known():
    found = profiled(TARGETS, TARGETS[:1], class_names=["ground", "cat", "dog", "owl"], ignored=[0], samples=1)
    classes = found["box_classes"].statistics["train"]
    assert classes == {
        "images": 3, "classes": {"cat": {"boxes": 4, "images": 2}, "dog": {"boxes": 1, "images": 1}},
        "empty": ["owl"], "rare": [],
    }  # fmt: skip
    counts = found["boxes"].statistics["train"]
    assert (counts["images"], counts["total"], counts["without"], counts["max"]) == (3, 5, 1, 3)
    assert counts["histogram"].tolist() == [1, 0, 1, 1]
    assert counts["classes"]["cat"]["mean"] == 2
    area = found["box_area"].statistics
    assert area["train"]["max"] == 1
    assert area["train"]["min"] == 0
    assert area["train"]["histogram"].sum() == 5
    assert area["val"]["classes"]["dog"]["median"] == pytest.approx(200 / 3200)
    # A box without area has no aspect.
    assert found["box_aspect"].statistics["train"]["count"] == 4
    assert found["box_aspect"].statistics["train"]["max"] == 5
    assert found["box_width"].statistics["val"]["classes"]["cat"]["max"] == 0.5
    assert found["box_height"].statistics["val"]["classes"]["dog"]["max"] == 0.25
    faults = found["box_faults"].statistics["train"]
    assert {name: faults[name]["count"] for name in list(faults)[1:]} == {
        "partly_outside": 1, "wholly_outside": 1, "without_area": 1, "within_the_first_pixel": 0,
    }  # fmt: skip
    assert faults["partly_outside"]["images"].tolist() == [0]
    assert faults["without_area"]["images"].tolist() == [1]
    assert faults["without_area"]["image_count"] == 1
    places = found["box_positions"].statistics
    assert places["val"]["cat"]["centre"] == [0.25, 0.25]
    # Two boxes cover the upper left quarter, one the rest, in three images.
    expected = np.full((GRID, GRID), 1 / 3)
    expected[: GRID // 2, : GRID // 2] = 2 / 3
    np.testing.assert_allclose(places["train"]["cat"]["map"], expected)


def test_random_boxes_agree_with_pandas():
    random = np.random.default_rng(0)
    targets = []
    for _ in range(30):
        starts = random.uniform(0, 30, (random.integers(0, 6), 2))
        boxes = np.concatenate([starts, starts + random.uniform(1, 9, starts.shape)], axis=1)
        targets.append(
            {"boxes": torch.from_numpy(boxes), "labels": torch.from_numpy(random.integers(0, 3, len(boxes)))}
        )
    found = profiled(targets)
    boxes = pd.DataFrame(np.concatenate([target["boxes"] for target in targets]), columns=["l", "t", "r", "b"])
    boxes["class"] = np.concatenate([target["labels"] for target in targets])
    wide, high = boxes["r"] - boxes["l"], boxes["b"] - boxes["t"]
    for panel, expected in (("box_area", wide * high / 3200), ("box_aspect", wide / high), ("box_width", wide / 80)):
        about = found[panel].statistics["train"]
        assert about["median"] == pytest.approx(expected.median())
        assert about["p95"] == pytest.approx(expected.quantile(0.95))
        medians = {f"class {number}": median for number, median in expected.groupby(boxes["class"]).median().items()}
        assert {name: row["median"] for name, row in about["classes"].items()} == pytest.approx(medians)
    assert found["boxes"].statistics["train"]["mean"] == pytest.approx(len(boxes) / 30)


def test_boxes_without_labels_have_no_panel_of_classes():
    found = profiled([{"boxes": target["boxes"]} for target in TARGETS], class_names=["cat", "dog"])
    assert "box_classes" not in {panel.name for panel in found.panels}
    assert list(found["box_positions"].statistics["train"]) == ["without a class"]
    assert found["boxes"].statistics["train"]["total"] == 5
    # No class is known by the last name.
    assert "dog" not in json.dumps(found.document())


def test_hidden_classes_are_one_and_are_named_nowhere():
    names = ["ground", "secret cat", "secret dog", "owl"]
    targets = [*TARGETS, {"boxes": [[1, 1, 9, 9]], "labels": [3]}]
    found = profiled(targets, targets, class_names=names, hide_classes=[1, "secret dog"])
    assert found["box_classes"].statistics["train"]["classes"]["hidden"] == {"boxes": 5, "images": 2}
    assert found["boxes"].statistics["val"]["classes"]["hidden"]["mean"] == 2.5
    told = json.dumps(found.document(), allow_nan=False)
    for name in PANELS:
        figure = found[name].figure()
        figure.draw_without_rendering()
        told += " ".join(text.get_text() for text in figure.findobj(Text))
    assert "owl" in told
    assert "secret" not in told


def test_a_target_that_cannot_be_used_is_in_the_ledger_and_ends_nothing():
    wrong = [{"boxes": [[1, 2, 3]], "labels": [1]}, {"boxes": [[1, 2, 3, 4]], "labels": [9]}]
    found = profiled([TARGETS[0], wrong[0], TARGETS[1], wrong[1]], class_names=["ground", "cat", "dog"])
    failures = [{"index": 1, "kind": "DataError"}, {"index": 3, "kind": "DataError"}]
    assert found["errors"].statistics["train"] == {
        "count": 2, "indices": [1, 3], "kinds": {"DataError": 2}, "failures": failures,
    }  # fmt: skip
    assert found["boxes"].statistics["train"]["images"] == len(found.frames["train"]) == 2


def test_lists_arrays_tensors_and_batches_are_alike():
    expected = profiled(TARGETS)
    tensors = [
        (
            torch.from_numpy(picture(seed)).permute(2, 0, 1),
            {"boxes": torch.tensor(target["boxes"]), "labels": torch.tensor(target["labels"]).long(), "image_id": seed},
        )
        for seed, target in enumerate(TARGETS)
    ]
    batches = torch.utils.data.DataLoader(tensors, batch_size=2, collate_fn=lambda rows: tuple(zip(*rows, strict=True)))
    forms = {
        "tensors": ai.profile(tensors, **SILENT),
        "batches": ai.profile(batches, images="[0]", labels="[1]", **SILENT),
    }
    for name, found in forms.items():
        for panel in PANELS:
            assert strict(found[panel].statistics) == strict(expected[panel].statistics), (name, panel)


def test_every_panel_is_strict_json_has_a_sentence_and_draws():
    nothing = [{"boxes": [], "labels": []}]
    for found in (profiled(TARGETS, TARGETS[:2]), profiled(TARGETS, nothing), profiled(TARGETS[2:], TARGETS)):
        for name in PANELS:
            json.dumps(strict(found[name].statistics), allow_nan=False)
            assert found[name].sentence.endswith(".")
            file = io.BytesIO()
            found[name].figure().savefig(file, format="png")
            assert np.asarray(Image.open(file).convert("L")).std() > 0, name


def test_only_empty_targets_draw_too():
    found = profiled([{"boxes": []}, {"boxes": []}])
    for panel in found.panels:
        if panel.name in PANELS:
            panel.figure().savefig(io.BytesIO(), format="png")
    assert found["boxes"].statistics["train"]["without"] == 2
