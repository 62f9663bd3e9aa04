"""Which labels are classes: those of a few samples that are none are at fault, and take nothing from the others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from augimpact.profiling.class_labels import ClassLabels
from augimpact.profiling.extract import profile


def silent(_done: int, _total: int) -> None:
    """No progress."""


def pictures(count: int) -> list[np.ndarray]:
    generator = np.random.default_rng(0)
    return [generator.integers(0, 256, (24, 24, 3), dtype=np.uint8) for _ in range(count)]


def rows(count: int, classes: int = 3) -> list[np.ndarray]:
    return [np.eye(classes, dtype=np.float32)[number % classes] for number in range(count)]


@pytest.mark.parametrize("way", [list, lambda data: DataLoader(data, batch_size=16)])
@pytest.mark.parametrize("bad", [[1, 1, 0], [0, 0, 0], [0.4, 0.6, 0]])
def test_one_row_that_is_no_class_takes_the_classes_of_no_others(way, bad):
    labels = rows(200)
    labels[50] = np.array(bad, np.float32)
    found = profile(way(list(zip(pictures(200), labels, strict=True))), images="[0]", labels="[1]", progress=silent)
    assert found["classes"].statistics["counts"]["train"] == {"class 0": 67, "class 1": 67, "class 2": 65}
    assert [failure.number for failure in found.errors["train"]] == [50]
    assert "expected a single 1" in found.errors["train"][0].message
    assert found["summary"].statistics["train"]["without_label"] == 1
    assert "Without a class are 1 of 200 in train." in found["summary"].sentence


def test_where_many_rows_have_several_ones_none_is_a_class_and_it_is_said_how_many():
    labels = [row + np.roll(row, 1) if number % 4 == 0 else row for number, row in enumerate(rows(200))]
    labels[3] = np.zeros(3, np.float32)
    found = profile(list(zip(pictures(200), labels, strict=True)), progress=silent)
    assert "classes" not in {panel.name for panel in found.panels}
    assert (found.frames["train"]["label"] == -1).all()
    (failure,) = found.errors["train"]
    assert failure.message.startswith("50 labels are rows with several ones")
    assert found["summary"].statistics["train"]["without_label"] == 0


@pytest.mark.parametrize(("bad", "told"), [(float("nan"), "the label is nan"), (2.5, "the label is 2.5")])
def test_a_number_that_is_no_class_is_at_fault(bad, told):
    data = [(image, float(number % 5)) for number, image in enumerate(pictures(30))]
    data[4] = data[4][0], bad
    found = profile(data, labels="[1]", progress=silent)
    assert sum(found["classes"].statistics["counts"]["train"].values()) == 29
    (failure,) = found.errors["train"]
    assert (failure.number, failure.message) == (4, f"{told}; expected the number of a class")


def test_images_without_a_label_among_others_are_counted():
    data = [{"image": image, "label": number % 3} for number, image in enumerate(pictures(20))]
    for number in (2, 5, 11):
        data[number]["label"] = None
    del data[7]["label"]
    found = profile(data, [{"image": image, "label": 1} for image in pictures(4)], progress=silent)
    assert {split: each["without_label"] for split, each in found["summary"].statistics.items()} == {
        "train": 4,
        "val": 0,
    }
    assert "Without a class are 4 of 20 in train." in found["summary"].sentence


@given(st.lists(st.integers(0, 4), min_size=1, max_size=400), st.randoms())
def test_what_rows_come_to_does_not_depend_on_their_order(ones, drawn):
    def counted(order):
        labels = ClassLabels()
        for place, number in enumerate(order):
            labels.number_of(place, np.array([1] * number + [0] * (6 - number)))
        return labels.are_of_several, len(labels.faults_of_rows())

    several = sum(number > 1 for number in ones)
    assert counted(ones) == counted(drawn.sample(ones, len(ones)))
    faults = several + ones.count(0)
    assert counted(ones) == ((True, 1) if 100 * several > len(ones) else (False, faults))
