"""Stacks of masks of objects are asked for; one-hot masks of classes are not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader
from torchvision.ops import masks_to_boxes

import augimpact as ai
from augimpact.errors import AmbiguousData, DataError

SILENT = {"progress": lambda done, total: None}


def pictures(count: int) -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 256, (count, 40, 60, 3), dtype=np.uint8))


def stack(count: int) -> np.ndarray:
    """So many squares of 10 × 10 beside each other, a layer each."""
    layers = np.zeros((count, 40, 60), bool)
    for number, layer in enumerate(layers):
        layer[5:15, 2 + 14 * number : 12 + 14 * number] = True
    return layers


FORMS = {
    "array": np.asarray,
    "tensor": torch.from_numpy,
    "white": lambda layers: layers.astype(np.uint8) * 255,
    "layers last": lambda layers: np.moveaxis(layers, 0, -1),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("counts", [(2, 4), (2, 2, 4, 2), (2, 1), (1, 2), (2, 0)], ids=str)
def test_stacks_of_different_numbers_of_objects_are_asked_for(counts, form):
    data = [(picture, form(stack(count))) for picture, count in zip(pictures(4), counts, strict=False)]
    other = next(count for count in counts if count != counts[0])
    with pytest.raises(AmbiguousData, match=f"have {counts[0]} layers and {other}: each object has one") as raised:
        ai.profile(data, images="[0]", labels="[1]", **SILENT)
    assert raised.value.argument == "labels"


@pytest.mark.parametrize("batched", [False, True])
def test_what_the_question_names_is_an_answer(batched):
    counts = (2, 3, 4, 1)
    data = [(picture, torch.from_numpy(stack(count))) for picture, count in zip(pictures(4), counts, strict=True)]
    given = DataLoader(data, batch_size=2, collate_fn=lambda rows: tuple(zip(*rows, strict=True))) if batched else data

    def each(function):
        return lambda item: [*map(function, item[1])] if batched else function(item[1])

    found = ai.profile(given, images="[0]", labels=each(lambda layers: layers.any(0)), **SILENT)
    share = found["mask_classes"].statistics["train"]["classes"]["class 1"]["share"]
    assert share == pytest.approx(sum(counts) * 100 / (4 * 40 * 60))
    boxes = each(lambda layers: {"boxes": masks_to_boxes(layers), "labels": [1] * len(layers)})
    assert ai.profile(given, images="[0]", labels=boxes, **SILENT)["boxes"].statistics["train"]["total"] == sum(counts)


def test_objects_that_overlap_are_told_in_the_ledger():
    layers = stack(2)
    layers[1] |= layers[0]
    with pytest.raises(
        DataError, match="several classes at one pixel; expected one, or, where each layer is an object"
    ):
        ai.profile([(picture, layers) for picture in pictures(2)], **SILENT)


def test_one_hot_masks_of_any_layout_are_no_stacks():
    random = np.random.default_rng(0)
    masks = random.integers(0, 4, (4, 40, 60))
    for layers_last in (False, True):
        hot = np.eye(4, dtype=np.uint8)[masks]
        hot = hot if layers_last else np.moveaxis(hot, -1, 1)
        found = ai.profile([*zip(pictures(4), hot, strict=True)], images="[0]", labels="[1]", **SILENT)
        classes = found["mask_classes"].statistics["train"]["classes"]
        shares = np.bincount(masks.reshape(-1)) / masks.size
        assert [classes[f"class {number}"]["share"] for number in range(4)] == pytest.approx(shares.tolist())
