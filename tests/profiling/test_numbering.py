"""Classes that a loader names by texts."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

import augimpact as ai
from augimpact.errors import DataError
from augimpact.profiling.naming import Naming
from augimpact.profiling.numbering import ClassNumbers

NAMES = ("dog", "cat", "fox", "class 1")


def quiet(*_):
    pass


def items_of(names):
    random = np.random.default_rng(0)
    return [(random.integers(0, 256, (12, 16, 3), dtype=np.uint8), name) for name in names]


def counts_in(profile):
    found = profile["classes"].statistics["counts"]
    return {split: {name: count for name, count in each.items() if count} for split, each in found.items()}


@given(
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=20), st.lists(st.sampled_from(NAMES), min_size=1, max_size=9)
)
def test_each_name_is_a_class_in_all_splits(train, val):
    found = ai.profile(items_of(train), items_of(val), labels="[1]", features=["classes"], device="cpu", progress=quiet)
    assert counts_in(found) == {"train": Counter(train), "val": Counter(val)}
    compared = found["classes"].statistics["comparison"]
    assert set(compared["new"]) == set(val) - set(train)
    assert set(compared["missing"]) == set(train) - set(val)


@pytest.mark.parametrize("workers", [0, 2])
def test_names_in_batches_are_those_of_their_samples(workers):
    names = [NAMES[place % 3] for place in range(11)]
    items = [(torch.from_numpy(image.transpose(2, 0, 1).copy()), name) for image, name in items_of(names)]
    loader = torch.utils.data.DataLoader(items, batch_size=4, num_workers=workers)
    assert counts_in(ai.profile(loader, labels="[1]", progress=quiet)) == {"train": Counter(names)}


def test_a_function_may_give_names_too():
    items = [{"image": image, "file": f"{name}/{place}.png"} for place, (image, name) in enumerate(items_of(NAMES))]
    found = ai.profile(items, labels=lambda item: item["file"].partition("/")[0], progress=quiet)
    assert counts_in(found) == {"train": Counter(NAMES)}


def test_of_known_classes_another_name_is_an_error_and_the_others_count():
    found = ai.profile(
        items_of(["cat", "dgo", "dog"]), labels="[1]", class_names=["cat", "dog"], samples=1, progress=quiet
    )
    assert counts_in(found) == {"train": {"cat": 1, "dog": 1}}
    (failure,) = found.errors["train"]
    assert (failure.number, failure.message) == (1, "the label is 'dgo'; expected the name of a class that is known")


def test_names_and_numbers_of_a_split_that_counts_its_own_classes_are_the_same():
    class Own(list):
        classes = ("fox", "dog")

    train = Own(items_of(["dog", "fox", "fox"]))
    val = type("Own", (list,), {"classes": ("cat", "dog")})(
        (image, int(name == "dog")) for image, name in items_of(["dog", "cat"])
    )
    found = ai.profile(train, val, labels="[1]", progress=quiet)
    assert counts_in(found) == {"train": {"dog": 1, "fox": 2}, "val": {"dog": 1, "cat": 1}}


@pytest.mark.parametrize("kind", ["number", "one-hot", "boxes", "lists", "mask", "one-hot mask", "float mask"])
def test_every_kind_of_label_has_the_numbers_of_the_first_split(kind):
    made = {
        "number": int,
        "one-hot": lambda number: np.eye(3, dtype=int)[number],
        "boxes": lambda number: {"boxes": torch.tensor([[2, 2, 9, 9]]), "labels": torch.tensor([number])},
        "lists": lambda number: {"boxes": [[2, 2, 9, 9]], "labels": [torch.tensor(number)]},
        "mask": lambda number: np.full((12, 16), number, np.uint8),
        "one-hot mask": lambda number: np.eye(3, dtype=np.uint8)[np.full((12, 16), number)],
        "float mask": lambda number: np.full((12, 16), number, np.float32),
    }[kind]
    splits = []
    for classes in (("dog", "cat", "fox"), ("fox", "dog", "cat")):
        kept = type("Own", (list,), {"classes": classes})
        splits.append(kept((image, made(classes.index(name))) for image, name in items_of(["dog"] * 3 + ["fox"])))
    found = ai.profile(*splits, labels="[1]", features=["classes", "mask_classes", "box_classes"], progress=quiet)
    if kind in ("number", "one-hot"):
        assert all(each == {"dog": 3, "fox": 1} for each in counts_in(found).values())
        return
    (panel,) = found.panels
    for each in panel.statistics.values():
        assert {name: one["images"] for name, one in each["classes"].items()} == {"dog": 3, "fox": 1}


def test_what_is_ignored_keeps_its_number():
    kept = type("Own", (list,), {"classes": ("cat", "dog")})
    mask = np.zeros((12, 16), np.uint8)
    mask[3:5], mask[7:8] = 1, 255
    image = items_of(["cat"])[0][0]
    train = kept([(image, mask)])
    val = type("Own", (list,), {"classes": ("dog", "cat")})([(image, np.choose(mask.clip(0, 2), [1, 0, 255]))])
    found = ai.profile(train, val, ignored=[255], features=["mask_classes"], device="cpu", progress=quiet)
    assert found["mask_classes"].statistics["train"] == found["mask_classes"].statistics["val"]


def test_hidden_names_are_in_no_output(tmp_path):
    names = ("secretive-dog", "secretive-cat", "secretive-fox")
    found = ai.profile(items_of(names * 4), labels="[1]", samples=3, hide_names=True, progress=quiet)
    assert counts_in(found) == {"train": {"class 0": 4, "class 1": 4, "class 2": 4}}
    found.save(tmp_path)
    written = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert b"class 2" in written
    assert b"secretive" not in written


def test_a_name_can_be_hidden_where_it_is_known():
    items = items_of(["dog", "cat", "dog"])
    with pytest.raises(DataError, match="hide_classes has 'cat', and no class is known by name; pass class_names, too"):
        ai.profile(items, labels="[1]", hide_classes=["cat"], progress=quiet)
    found = ai.profile(items, labels="[1]", class_names=["cat", "dog"], hide_classes=["cat"], progress=quiet)
    assert counts_in(found) == {"train": {"hidden": 1, "dog": 2}}


@pytest.mark.parametrize("given", [True, False], ids=["class_names", "of the dataset"])
@pytest.mark.parametrize(
    ("hidden", "expected"),
    [
        (["crane"], {"hidden": 10, "dog": 4, "cat": 3}), ([2], {"hidden": 2, "crane": 8, "dog": 4, "cat": 3}),
        (["cat", 0], {"hidden": 11, "crane": 2, "dog": 4}),
        ([], {"crane (0)": 8, "crane (2)": 2, "dog": 4, "cat": 3}),
    ],
)  # fmt: skip
def test_classes_of_one_name_are_hidden_all_by_it_and_each_by_its_number(hidden, expected, given):
    names = ("crane", "dog", "crane", "cat")
    data = type("Named", (list,), {"classes": None if given else names})(
        (image, number) for image, number in items_of([0] * 8 + [1] * 4 + [2] * 2 + [3] * 3)
    )
    found = ai.profile(data, class_names=names if given else None, hide_classes=hidden, samples=99, progress=quiet)
    assert counts_in(found) == {"train": expected}
    assert set(found["samples"].statistics["classes"]) == set(expected) - {"hidden"}


def test_classes_of_one_name_are_told_apart_by_their_numbers():
    names = ["crane", "b", "crane", "c"]
    train, val = items_of([0, 1, 2, 3] * 10), items_of([0] * 40 + [1, 2, 3] * 10)
    found = ai.profile(train, val, class_names=names, progress=quiet)
    assert counts_in(found)["train"] == {"crane (0)": 10, "b": 10, "crane (2)": 10, "c": 10}
    # χ² by hand, of three degrees of freedom, not two.
    told = found["classes"].statistics["comparison"]
    assert told["chi2"] == pytest.approx(110 * (100 / 2000 + 300 / 800 + 1600 / 3500 + 300 / 1400) - 110)
    assert told["p"] == pytest.approx(chi2.sf(told["chi2"], 3))
    assert found["summary"].statistics["train"]["labels"] == len(counts_in(found)["train"]) == 4
    assert set(found["sizes"].statistics["train"]["size_by_class"]) == set(counts_in(found)["train"])
    assert {"crane (0)", "crane (2)"} <= set(found["mean_images"].statistics["train"])


@pytest.mark.parametrize(
    ("kind", "panels"),
    [
        ("masks", ["mask_classes", "mask_objects", "object_area", "mask_positions"]),
        ("boxes", ["box_classes", "boxes", "box_area", "box_positions"]),
    ],
)
def test_objects_of_classes_of_one_name_are_told_apart(kind, panels):
    mask = np.zeros((12, 16), np.uint8)
    mask[3:5], mask[7:8] = 1, 2
    target = {"boxes": [[1, 1, 5, 5], [2, 2, 9, 9], [1, 1, 3, 3]], "labels": [0, 1, 2]}
    items = [(image, mask if kind == "masks" else target) for image, _ in items_of(range(6))]
    found = ai.profile(items, images="[0]", labels="[1]", class_names=["road", "sky", "sky"], progress=quiet)
    names = {"road", "sky (1)", "sky (2)"}
    for panel in panels:
        told = found[panel].statistics["train"]
        assert set(told.get("classes", told)) == names


def test_a_class_that_is_called_as_hidden_ones_are_together_is_not_one_of_them():
    items = items_of([0, 1, 1, 2, 2, 2])
    found = ai.profile(items, class_names=["hidden", "dog", "cat"], hide_classes=["dog"], progress=quiet)
    assert counts_in(found) == {"train": {"hidden (0)": 1, "hidden": 2, "cat": 3}}


def test_names_stay_apart_where_one_has_another_number_behind_it():
    told = [Naming(["a (1)", "a", "a", "a (1) (1)", "class 4"]).label(number) for number in range(6)]
    assert told == ["a (1) (0)", "a (1) (1) (1)", "a (2)", "a (1) (1) (3)", "class 4", "class 5"]


def test_the_next_of_several_classes_of_one_name_is_that_of_another_split():
    def named(*names):
        return type("Named", (list,), {"classes": names})(items_of(range(len(names))))

    train, val = named("crane", "dog", "crane"), named("dog", "crane", "fox", "crane", "crane")
    found = ai.profile(train, val, hide_classes=[2], progress=quiet)
    assert counts_in(found)["val"] == {"crane": 1, "dog": 1, "fox": 1, "hidden": 2}


def test_a_name_that_is_not_known_has_no_number():
    with pytest.raises(DataError, match="the label is 'cow'; expected the name of a class"):
        ClassNumbers(["cat"]).number_of("cow")


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_rows_with_a_hidden_class_are_not_shown(kind):
    rows = [[1, 0, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1], [0, 0, 1], [1, 1, 0]]
    items = [(image, np.array(row, kind)) for (image, _), row in zip(items_of("abcdef"), rows, strict=True)]
    found = ai.profile(items, samples=9, hide_classes=[2], progress=quiet)
    assert found["samples"].statistics["indices"] == [0, 1, 5]
    assert {2, 3, 4}.isdisjoint(found["extremes"].statistics["train"]["dark"]["indices"])
