from __future__ import annotations

from collections import namedtuple

import numpy as np
import pytest
import torch
from PIL import Image

from augimpact.errors import AmbiguousData, DataError
from augimpact.profiling.structure import candidates_of, describe, split_item, value_at
from augimpact.profiling.targets import annotations_at

PICTURE = np.zeros((48, 64, 3), np.uint8)
Pair = namedtuple("Pair", ["picture", "kind"])


@pytest.mark.parametrize(
    ("item", "image", "label"),
    [
        ((PICTURE, 3), "[0]", 3),
        ((3, PICTURE), "[1]", 3),
        ([torch.zeros(4, 3, 8, 8), torch.arange(4)], "[0]", torch.arange(4)),
        ({"image": PICTURE, "label": 2, "name": "x"}, ".image", 2),
        (Pair(PICTURE, 1), ".picture", 1),
        ((Image.new("RGB", (9, 9)), np.int64(4)), "[0]", 4),
        ((PICTURE, {"nested": {"label": 5}, "text": "x"}), "[0]", 5),
        (PICTURE, "", None),
        ((torch.zeros(4, 8, 8), torch.arange(4)), "[0]", torch.arange(4)),
    ],
)
def test_image_and_label_are_found_by_their_types(item, image, label):
    found = split_item(item, None, None)
    assert found.image is value_at(item, image)
    assert np.array_equal(found.label, label)


def test_a_mask_beside_an_image_is_the_label():
    mask = np.ones((48, 64), np.int64)
    found = split_item((PICTURE, mask), None, None)
    assert found.image is PICTURE
    assert found.label is mask
    batch = [torch.zeros(4, 3, 16, 16), torch.ones(4, 16, 16, dtype=torch.int64)]
    assert split_item(batch, None, None).label is batch[1]


def test_boxes_beside_an_image_are_the_label():
    target = {"boxes": torch.zeros(2, 4), "labels": torch.tensor([1, 2])}
    assert split_item((torch.zeros(3, 32, 32), target), None, None).label is target


def test_two_pictures_are_never_guessed():
    with pytest.raises(DataError, match=r"could be any of 2; pass images='\[0\]' or images='\[1\]'") as raised:
        split_item((PICTURE, PICTURE.copy()), None, None)
    assert "[0]: ndarray of shape (48, 64, 3), uint8" in str(raised.value)
    assert split_item((PICTURE, PICTURE.copy()), "[1]", None).image is not PICTURE


def test_no_picture_is_told_with_all_there_is():
    with pytest.raises(DataError, match=r"no images are found .*; pass images=PATH") as raised:
        split_item({"name": "x", "numbers": [1.5, 2.5]}, None, None)
    assert ".name: str" in str(raised.value)


@pytest.mark.parametrize("path", ["[5]", "[0].x", ".image", "[1].masks[2]"])
def test_a_path_that_leads_nowhere_is_told_with_the_structure(path):
    with pytest.raises(DataError, match="in an item of the loader") as raised:
        value_at((PICTURE, {"masks": [1, 2]}), path)
    assert "[1].masks" in str(raised.value)


@pytest.mark.parametrize("other", [PICTURE, Image.new("RGB", (9, 9)), "a text", torch.zeros(3, 9, 9)], ids=type)
def test_a_path_that_was_found_leads_into_no_array_and_one_that_was_given_does(other):
    found = split_item((PICTURE, 3), None, None)
    for images, labels in ((found.image_at, None), (lambda item: PICTURE, found.label_at)):
        with pytest.raises(DataError, match=r"there is no '\[[01]\]' in an item of the loader:\n  \(the item itself\)"):
            split_item(other, images, labels)
    assert split_item(np.stack([PICTURE] * 2), "[1]", "[0][0][0][0]").image.shape == PICTURE.shape


@pytest.mark.parametrize("other", [(PICTURE, PICTURE[..., 0]), {"image": PICTURE}, Pair(PICTURE, 1)], ids=type)
def test_an_image_alone_is_no_place_of_one_among_other_parts(other):
    found = split_item(PICTURE, None, None)
    with pytest.raises(DataError, match="an item of the loader has parts; expected an image alone, as before it:"):
        split_item(other, found.image_at, None)
    assert split_item((PICTURE, PICTURE), "", lambda item: None).image == (PICTURE, PICTURE)


def test_a_long_structure_is_cut():
    text = describe({f"name{number}": number for number in range(50)})
    assert len(text.splitlines()) == 21
    assert text.endswith("and 30 more")


def test_lists_of_images_are_one_leaf():
    kinds = [each.kind for each in candidates_of(([PICTURE] * 5, [1, 2, 3, 4, 5]))]
    assert kinds == ["image", "label"]


SMALL = np.ones((48, 64), np.uint8)
COCO = [{"bbox": [1, 2, 10, 20], "category_id": 3, "iscrowd": 0}, {"bbox": [0, 0, 4, 4], "category_id": 1}]


@pytest.mark.parametrize(
    "item",
    [
        (PICTURE, np.eye(4, dtype=np.float32)[1]),
        (Image.new("RGB", (9, 9)), torch.eye(3)[2]),
        {"image": torch.zeros(3, 16, 16), "target": torch.eye(3, dtype=torch.bfloat16)[0]},
        [torch.zeros(6, 3, 16, 16), torch.eye(6)],
        [torch.zeros(6, 3, 16, 16), torch.eye(6, dtype=torch.int64)],
        [torch.zeros(2, 3, 16, 16), torch.eye(3)[:2]],
    ],
)
def test_rows_of_a_single_one_are_classes_also_as_floats(item):
    image, label = item.values() if isinstance(item, dict) else item
    found = split_item(item, None, None)
    assert found.image is image
    assert found.label is label


@pytest.mark.parametrize("other", [np.array([0.2, 0.8]), np.zeros(2), np.array([0.5]), np.eye(3), 0.5], ids=str)
def test_other_floats_beside_an_image_are_no_class(other):
    assert split_item((PICTURE, other), None, None).label is None


def test_an_embedding_beside_a_batch_is_no_image():
    batch = [torch.zeros(6, 3, 16, 16), torch.rand(6, 128), torch.arange(6)]
    found = split_item(batch, None, None)
    assert found.image is batch[0]
    assert found.label is batch[2]


@pytest.mark.parametrize(
    ("item", "listed"),
    [
        (({"bgr": np.zeros((4, 3, 16, 20), np.uint8), "grey": np.zeros((4, 1, 16, 20), np.uint8)}, torch.arange(4)),
         {"[0].grey": "ndarray of shape (4, 1, 16, 20), uint8", "[1]": "Tensor of shape (4,), int64"}),
        ({"image": PICTURE, "mask": SMALL, "label": 1},
         {".mask": "ndarray of shape (48, 64), uint8", ".label": "int"}),
        ((PICTURE, SMALL.astype(np.uint16), 3), {"[1]": "ndarray of shape (48, 64), uint16", "[2]": "int"}),
        ((Image.new("RGB", (64, 48)), Image.new("L", (64, 48)), 3),
         {"[1]": "Image of 64×48, mode L", "[2]": "int"}),
        ((PICTURE, SMALL, np.eye(3, dtype=np.float32)[0]),
         {"[1]": "ndarray of shape (48, 64), uint8", "[2]": "ndarray of shape (3,), float32"}),
    ],
    ids=["bgr", "mask", "depth", "pillow", "one-hot"],
)  # fmt: skip
def test_a_mask_beside_a_class_is_asked_for(item, listed):
    with pytest.raises(AmbiguousData, match="labels of an item could be any of 2; pass labels=") as raised:
        split_item(item, None, None)
    assert raised.value.argument == "labels"
    assert {each.arguments["labels"]: each.told for each in raised.value.options} == {
        path: f"{path}: {told}" for path, told in listed.items()
    }
    for path, told in listed.items():
        assert f"  {path}: {told}" in str(raised.value)
        assert split_item(item, None, path).label is value_at(item, path)


def test_an_image_that_a_function_gives_is_not_its_own_mask():
    found = split_item((SMALL, 3), lambda item: item[0], None)
    assert found.image is SMALL
    assert found.label == 3


def test_lists_of_masks_beside_lists_of_images_are_the_label():
    item = ([PICTURE] * 3, [SMALL] * 3)
    assert split_item(item, None, None).label is item[1]


@pytest.mark.parametrize(
    "item", [(PICTURE, COCO), {"image": PICTURE, "annotations": COCO}, (PICTURE, {"image_id": 7, "annotations": COCO})]
)
def test_annotations_of_coco_are_boxes(item):
    found = split_item(item, None, None)
    assert found.image is PICTURE
    assert found.label["boxes"].tolist() == [[1, 2, 11, 22], [0, 0, 4, 4]]
    assert found.label["labels"].tolist() == [3, 1]
    assert split_item(item, None, annotations_at(item)).label["boxes"].tolist() == found.label["boxes"].tolist()


def test_annotations_of_several_images_are_boxes_of_each():
    item = ([PICTURE, PICTURE], ([], COCO))
    found = split_item(item, None, None)
    assert found.image is item[0]
    assert [each["labels"].tolist() for each in found.label] == [[], [3, 1]]
    assert [each["boxes"].shape for each in found.label] == [(0, 4), (2, 4)]


@pytest.mark.parametrize("bad", [{"bbox": [1, 2, 3], "category_id": 1}, {"bbox": None, "category_id": 1},
                                 {"bbox": [1, 2, 3, 4], "category_id": "cat"}], ids=str)  # fmt: skip
def test_faulty_annotations_are_told(bad):
    with pytest.raises(DataError, match="expected left, top, width, height and a number"):
        split_item((PICTURE, [bad]), None, None)


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ((PICTURE, np.zeros((2, 4), np.float32), np.array([1, 2])), "[1]"),
        ((PICTURE, [(0.1, 0.2, 0.3, 0.4)], [5]), "[1]"),
        ({"image": PICTURE, "bboxes": torch.zeros(2, 4), "labels": torch.tensor([1, 2])}, ".bboxes"),
        ({"image": PICTURE, "bboxes": [], "labels": []}, ".bboxes"),
        ({"image": PICTURE, "objects": {"bbox": [[1.0, 2.0, 3.0, 4.0]], "category": [5]}}, ".objects.bbox"),
        ([torch.zeros(2, 3, 16, 16), torch.zeros(2, 3, 4), torch.zeros(2, 3, dtype=torch.int64)], "[1]"),
    ],
)
def test_what_looks_like_boxes_is_asked_for(item, path):
    with pytest.raises(AmbiguousData, match=r"looks like boxes.*pass labels= a function of the item") as raised:
        split_item(item, None, None)
    assert repr(path) in str(raised.value)
    assert split_item(item, None, lambda item: 1).label == 1


def test_four_numbers_an_image_of_a_batch_are_no_boxes_of_its_classes():
    item = (torch.zeros(2, 3, 16, 16), torch.zeros(2, 4), torch.tensor([0, 1]))
    assert split_item(item, None, None).label is item[2]


@pytest.mark.parametrize(
    "item",
    [
        (PICTURE, "cat"), [torch.zeros(2, 3, 16, 16), ("cat", "dog")], {"image": PICTURE, "label": "cat"},
        (PICTURE, np.array(["cat", "dog"])[0]), (torch.zeros(2, 3, 16, 16), np.array(["cat", "dog"])),
    ],
)  # fmt: skip
def test_names_in_the_place_of_a_class_are_asked_for(item):
    with pytest.raises(AmbiguousData, match=r"is a text; pass labels='.*' where it names a class, or") as raised:
        split_item(item, None, None)
    assert "cat" not in str(raised.value)
    (option,) = raised.value.options
    path = option.arguments["labels"]
    assert split_item(item, None, path).label is value_at(item, path)
    assert split_item(item, None, lambda _item: None).label is None
