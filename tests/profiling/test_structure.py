from __future__ import annotations

from collections import namedtuple

import numpy as np
import pytest
import torch
from PIL import Image

from augimpact.errors import DataError
from augimpact.profiling.structure import candidates_of, describe, split_item, value_at

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


def test_a_long_structure_is_cut():
    text = describe({f"name{number}": number for number in range(50)})
    assert len(text.splitlines()) == 21
    assert text.endswith("and 30 more")


def test_lists_of_images_are_one_leaf():
    kinds = [each.kind for each in candidates_of(([PICTURE] * 5, [1, 2, 3, 4, 5]))]
    assert kinds == ["image", "label"]
