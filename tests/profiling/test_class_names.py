"""The names of classes are those of the dataset that the samples come from, however deep; else there are none."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import ConcatDataset, DataLoader, Dataset, Subset, random_split
from torchvision.datasets import Cityscapes, ImageFolder
from torchvision.transforms.v2.functional import pil_to_tensor

from augimpact.profiling.class_names import class_names_of
from augimpact.profiling.extract import profile as profile_with_a_bar


def quiet(_done, _total):
    """No bar."""


def profile(*arguments, **options):
    return profile_with_a_bar(*arguments, progress=quiet, **options)


def folder_of(place, *names):
    generator = np.random.default_rng(0)
    for name in names:
        (place / name).mkdir(parents=True)
        for number in range(4):
            Image.fromarray(generator.integers(0, 256, (16, 16, 3), np.uint8)).save(place / name / f"{number}.png")
    return ImageFolder(place, transform=pil_to_tensor)


@pytest.fixture
def folder(tmp_path):
    return folder_of(tmp_path / "both", "cat", "dog")


WAYS = {
    "folder": lambda folder: folder,
    "subset": lambda folder: Subset(folder, [0, 1, 5]),
    "subset of a subset": lambda folder: Subset(Subset(folder, range(6)), [0, 1, 5]),
    "split": lambda folder: random_split(folder, [6, 2], torch.Generator().manual_seed(0))[0],
    "together": lambda folder: ConcatDataset([folder, Subset(folder, [7])]),
    "part of them together": lambda folder: Subset(ConcatDataset([folder, folder]), [0, 7, 8, 15]),
}


@pytest.mark.parametrize("in_loader", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_names_are_those_of_the_dataset_inside(folder, way, in_loader):
    data = WAYS[way](folder)
    labels = [label for _, label in data]
    given = DataLoader(data, batch_size=2) if in_loader else data
    counts = {name: labels.count(number) for number, name in enumerate(folder.classes)}
    assert profile(given)["classes"].statistics["counts"]["train"] == counts
    hidden = profile(given, hide_classes=["cat"])["classes"].statistics["counts"]["train"]
    assert hidden == {"hidden": counts["cat"], "dog": counts["dog"]}


def test_names_of_datasets_that_differ_are_none(folder, tmp_path):
    other = folder_of(tmp_path / "other", "cow", "dog")

    class Unnamed(Dataset):
        def __len__(self):
            return 1

        def __getitem__(self, index):
            return torch.zeros(3, 16, 16), 0

    for parts in ([folder, other], [folder, Unnamed()], [folder, Subset(other, [0])]):
        assert class_names_of(ConcatDataset(parts)) is None
        assert class_names_of(DataLoader(Subset(ConcatDataset(parts), [0]))) is None


def test_a_dataset_that_may_number_its_classes_anew_is_not_looked_into(folder):
    class Swapped(Dataset):
        def __init__(self):
            self.dataset = folder

        def __len__(self):
            return len(folder)

        def __getitem__(self, index):
            image, label = folder[index]
            return image, 1 - label

    assert class_names_of(Swapped()) is None
    assert class_names_of(DataLoader(Swapped())) is None
    assert class_names_of(Subset(Swapped(), [0])) is None


def test_labels_that_are_transformed_have_no_names(tmp_path):
    folder_of(tmp_path, "ash", "birch", "cedar")
    binary = ImageFolder(tmp_path, transform=pil_to_tensor, target_transform=lambda label: int(label > 0))
    assert profile(binary)["classes"].statistics["counts"]["train"] == {"class 0": 4, "class 1": 8}
    assert class_names_of(DataLoader(binary)) is None


def test_a_loader_of_somebodys_own_has_the_names_of_its_dataset(folder):
    class Loader:
        dataset = folder

        def __iter__(self):
            return iter(DataLoader(folder, batch_size=3))

    assert profile(Loader())["classes"].statistics["counts"]["train"] == {"cat": 4, "dog": 4}


@pytest.mark.parametrize("names", [[], None, "cat", {"cat": 0}, 3])
def test_what_is_no_list_of_names_names_nothing(names):
    class Data(list):
        classes = names

    assert class_names_of(Data()) is None


@pytest.mark.parametrize(
    ("classes", "names"),
    [
        ([("goldfish", "Carassius auratus"), ("crane",)], ("goldfish, Carassius auratus", "crane")),
        (("cat", 7, "dog"), ("cat", "7", "dog")),
        (
            [Cityscapes.classes[-1], Cityscapes.classes[2], Cityscapes.classes[0]],
            ("unlabeled", "class 1", "rectification border"),
        ),
    ],
)
def test_names_are_those_in_the_entries_of_classes(classes, names):
    class Data(list):
        pass

    Data.classes = classes
    assert class_names_of(Data()) == names


@pytest.mark.parametrize("in_loader", [False, True])
def test_the_classes_of_cityscapes_are_numbered_as_its_masks_are(tmp_path, in_loader):
    road, sky = 7, 23
    mask = np.full((40, 60), road, np.uint8)
    mask[:10] = sky
    for part, kind, pixels in (
        ("leftImg8bit", "leftImg8bit", np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)),
        ("gtFine", "gtFine_labelIds", mask),
    ):
        place = tmp_path / part / "train" / "ulm"
        place.mkdir(parents=True)
        Image.fromarray(pixels).save(place / f"ulm_000000_000019_{kind}.png")
    data = Cityscapes(
        tmp_path, mode="fine", target_type="semantic", transform=pil_to_tensor, target_transform=pil_to_tensor
    )
    given = DataLoader(data) if in_loader else data
    found = profile(given)["mask_classes"].statistics["train"]["classes"]
    assert {name: each["share"] for name, each in found.items()} == {"road": 0.75, "sky": 0.25}
    hidden = profile(given, hide_classes=["road"])["mask_classes"].statistics["train"]["classes"]
    assert set(hidden) == {"hidden", "sky"}


def noise(count):
    return list(np.random.default_rng(0).integers(0, 255, (count, 24, 24, 3), np.uint8))


@pytest.mark.parametrize("names", [{1: "a", 2: "b", 3: "c"}, {10: "a", 20: "b", 30: "c"}])
def test_numbers_that_nobody_named_are_no_empty_classes(names):
    found = profile([*zip(noise(30), list(names) * 10, strict=True)], class_names=names)
    assert found["classes"].statistics["counts"]["train"] == {"a": 10, "b": 10, "c": 10}
    assert found["classes"].statistics["empty"] == []
    assert found["classes"].sentence.endswith("Nothing stands out.")
    assert found["summary"].statistics["train"]["labels"] == 3


def test_a_number_that_nobody_named_is_a_class_where_a_label_has_it():
    labels = [1, 1, 2, 4, 7]
    found = profile([*zip(noise(5), labels, strict=True)], class_names={1: "a", 4: "b", 6: "c"})
    assert found["classes"].statistics["counts"]["train"] == {"a": 2, "class 2": 1, "b": 1, "c": 0}
    # One that was named is empty, and one beyond the names is a mistake.
    assert found["classes"].statistics["empty"] == ["c"]
    assert [failure.error for failure in found.errors["train"]] == [
        "DataError: the label is 7; expected a number from 0 to 6"
    ]


def test_classes_of_coco_are_missing_only_where_they_have_a_name():
    unnamed = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)
    ids = [number for number in range(1, 91) if number not in unnamed]
    names = {number: f"cat{number}" for number in ids}
    given = [
        (image, [{"bbox": [1, 2, 3, 4], "category_id": number}]) for image, number in zip(noise(80), ids, strict=True)
    ]
    found = profile(given, class_names=names)["box_classes"]
    assert found.statistics["train"]["empty"] == []
    assert "No class is missing or rare." in found.sentence
    assert profile(given[1:], class_names=names)["box_classes"].statistics["train"]["empty"] == ["cat1"]


def test_classes_of_masks_are_missing_only_where_they_have_a_name():
    mask = np.full((24, 24), 7, np.uint8)
    mask[:9], mask[:3] = 21, 5
    given = [(image, mask) for image in noise(3)]
    found = profile(given, class_names={7: "road", 21: "veg", 33: "bicycle"})["mask_classes"]
    assert set(found.statistics["train"]["classes"]) == {"class 5", "road", "veg"}
    assert found.statistics["train"]["empty"] == ["bicycle"]
    assert "Worry: 1 class (bicycle) is missing in train." in found.sentence
