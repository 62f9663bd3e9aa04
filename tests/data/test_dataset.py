from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from augimpact.data.dataset import Dataset, Selection
from augimpact.errors import DataError

NAMES = ("cat", "dog", "owl")


class Animals(Dataset):
    """Each property says of which sample it is, and that it was asked for."""

    class_names = NAMES

    def __init__(self, labels: list[int], first: int = 0) -> None:
        self.asked: list[str] = []
        self.closed = 0
        self._labels, self._first = labels, first

    def __len__(self) -> int:
        return len(self._labels)

    def get_image(self, index: int, context: dict[str, Any]) -> float:
        self.asked.append("image")
        context["crop"] = {"left": self._first + index, "top": -index}
        return (self._first + index) + 0.5

    def get_label(self, index: int, context: dict[str, Any]) -> int:
        self.asked.append("label")
        return self._labels[index]

    def get_name(self, index: int, context: dict[str, Any]) -> str:
        context["asked"] = True
        return f"sample {self._first + index}"

    def close(self) -> None:
        self.closed += 1


labels = st.lists(st.integers(0, 2), min_size=1, max_size=12)
steps = st.one_of(
    st.tuples(st.just("where"), st.lists(st.sampled_from(NAMES), min_size=1, max_size=3)),
    st.tuples(st.just("exclude"), st.lists(st.integers(0, 2), max_size=2)),
    st.tuples(st.just("fraction"), st.tuples(st.integers(0, 20), st.integers(0, 20)).map(sorted)),
    st.tuples(st.just("shuffle"), st.integers(0, 99)),
    st.tuples(st.just("repeat"), st.integers(0, 3)),
    st.tuples(st.just("min_size"), st.integers(0, 20)),
    st.tuples(st.just("oversample"), st.booleans()),
    st.tuples(st.just("subset"), st.lists(st.integers(-99, 99), max_size=8)),
    st.tuples(st.just("slice"), st.tuples(*[st.integers(-9, 9) | st.none()] * 2, st.sampled_from([None, 1, 2, -1]))),
    st.tuples(st.just("concat"), labels),
)


def composed(dataset: Dataset, expected: list[tuple[int, int]], step: str, value: Any):
    """The dataset after one step, and what samples it should have: (number, label)."""
    size = len(expected)
    if step == "where":
        kept = [each for each in expected if NAMES[each[1]] in value]
        return dataset.where(classes=value), kept
    if step == "exclude":
        return dataset.where(exclude=value), [each for each in expected if each[1] not in value]
    if step == "fraction":
        first, last = (Fraction(each, 20) for each in value)
        return dataset.fraction(*(each / 20 for each in value)), expected[int(first * size) : int(last * size)]
    if step == "shuffle":
        order = np.random.default_rng(value).permutation(size)
        return dataset.shuffle(value), [expected[place] for place in order]
    if step == "repeat":
        return dataset.repeat(value), expected * value
    if step == "min_size":
        times = max(1, math.ceil(value / size)) if size else 0
        return (dataset.repeat(min_size=value) if size else dataset), expected * times
    if step == "oversample":
        groups = [[each for each in expected if each[1] == label] for label in range(3)]
        most = max(map(len, groups))
        again = list(expected)
        for group in filter(None, groups):
            whole = group * (most // len(group)) + (group[: most % len(group)] if value else [])
            again += whole[len(group) :]
        return dataset.oversample(exact=value), again
    if step == "subset":
        chosen = [each for each in value if -size <= each < size]
        return dataset.subset(chosen), [expected[place] for place in chosen]
    if step == "slice":
        return dataset.subset(slice(*value)), expected[slice(*value)]
    other = [(1000 + number, label) for number, label in enumerate(value)]
    return dataset.concat(Animals(value, 1000)), expected + other


@given(labels, st.lists(steps, max_size=5))
def test_whatever_is_composed_in_any_order_keeps_index_label_and_context(own, chain):
    dataset: Dataset = Animals(own)
    expected = list(enumerate(own))
    for step, value in chain:
        if len(expected) < 500:
            dataset, expected = composed(dataset, expected, step, value)
    view = dataset.view("image label name context.crop.left index context")
    assert len(view) == len(expected)
    items = [
        (number + 0.5, label, f"sample {number}", number, number % 1000,
         {"crop": {"left": number, "top": -(number % 1000)}, "asked": True})
        for number, label in expected
    ]  # fmt: skip
    assert list(view) == view.__getitems__(range(len(view))) == items
    assert dataset.labels.tolist() == [label for _, label in expected]
    assert set(dataset.properties) == {"image", "label", "name", "index"}
    assert dataset.class_names == NAMES
    if items:
        assert view[-1] == items[-1]
        assert list(view[1:]) == items[1:]


def test_only_what_is_named_is_loaded():
    dataset = Animals([0, 1, 2])
    assert list(dataset.view("label")) == [0, 1, 2]
    assert set(dataset.asked) == {"label"}
    dataset.asked.clear()
    assert dataset.shuffle().where(["cat"]).view(["image"])[0] == 0.5
    assert dataset.asked.count("image") == 1


def test_several_names_are_a_tuple_in_their_order_and_each_is_loaded_once():
    dataset = Animals([2, 1])
    assert dataset.view("label image label")[1] == (1, 1.5, 1)
    assert dataset.asked == ["label", "image"]


def test_a_context_is_of_one_sample_and_says_what_it_does_not_have():
    view = Animals([0, 0]).view("image context")
    first, second = view[0][1], view[1][1]
    assert first is not second
    assert second == {"crop": {"left": 1, "top": -1}}
    with pytest.raises(DataError, match=r"the context has no 'context.crop'; what was loaded with it told nothing"):
        Animals([0]).view("label context.crop")[0]
    with pytest.raises(DataError, match=r"has no 'context.crop.right'; .* told left, top"):
        Animals([0]).view("image context.crop.right")[0]


@pytest.mark.parametrize("index", [3, -4, 10**12])
def test_an_index_that_is_not_there_is_an_index_error(index):
    dataset = Animals([0, 1, 2])
    for ask in (dataset.view("label").__getitem__, lambda index: dataset.view("label").__getitems__([index]),
                lambda index: dataset.subset([index])):  # fmt: skip
        with pytest.raises(IndexError, match=f"index {index}; expected one from -3 to 2"):
            ask(index)
    with pytest.raises(TypeError):
        dataset.view("label")[1.5]
    with pytest.raises(IndexError):
        dataset.subset([]).view("label")[0]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("batch_size", [None, 4])
def test_it_goes_through_a_data_loader(workers, batch_size):
    dataset = Animals([number % 3 for number in range(10)])
    view = dataset.concat(Animals([0, 1], 1000)).shuffle(1).view("image label context.crop.left")
    loaded = list(DataLoader(view, batch_size=batch_size, num_workers=workers))
    columns = zip(*view, strict=True)
    for found, expected in zip(zip(*loaded, strict=True), columns, strict=True):
        got = torch.cat([torch.atleast_1d(torch.as_tensor(each)) for each in found])
        assert got.tolist() == list(expected)


def test_fractions_are_taken_as_they_are_written():
    dataset = Animals([0] * 100)
    for percent in range(101):
        assert len(dataset.fraction(end=percent / 100)) == percent
    parts = [dataset.fraction(start / 7, min(1, (start + 1) / 7)) for start in range(7)]
    assert [place for part in parts for place in part.indices] == list(range(100))
    odd = Animals([0] * 10)
    sizes = [len(odd.fraction(end=0.25, rounding=rounding)) for rounding in ("floor", "ceil", "nearest")]
    assert sizes == [2, 3, 2]


def test_oversampling_repeats_rare_classes():
    dataset = Animals([0] * 7 + [1] * 3 + [2])
    assert np.bincount(dataset.oversample().labels).tolist() == [7, 6, 7]
    assert np.bincount(dataset.oversample(exact=True).labels).tolist() == [7, 7, 7]
    assert dataset.oversample(exact=True).indices[:11].tolist() == list(range(11))


def test_a_selection_of_selections_is_one_step_from_its_dataset():
    dataset = Animals([0, 1, 2, 0, 1, 2])
    deep = dataset
    for seed in range(50):
        deep = deep.shuffle(seed).repeat(1)
    assert isinstance(deep, Selection)
    assert deep._parent is dataset


def test_closing_reaches_what_it_was_made_of():
    first, second = Animals([0, 1]), Animals([1])
    with first.shuffle().concat(second).repeat(2).view("label") as view:
        assert len(view) == 6
    assert (first.closed, second.closed) == (1, 1)


def test_a_concatenation_has_what_all_parts_have():
    class Bare(Dataset):
        class_names = NAMES

        def __len__(self) -> int:
            return 1

        def get_label(self, index, context):
            return 2

    both = Animals([0]).concat(Bare())
    assert set(both.properties) == {"label", "index"}
    assert list(both.view("label")) == [0, 2]
    with pytest.raises(DataError, match="unknown property 'image'"):
        both.view("image")

    class Other(Bare):
        class_names = ("cat", "dog")

    with pytest.raises(DataError, match="the datasets have different classes"):
        Animals([0]).concat(Other())


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda it: it.view("imag"), "unknown property 'imag'; did you mean image"),
        (lambda it: it.view(""), "a view names no property"),
        (lambda it: it.where(["cow"]), "unknown class 'cow'"),
        (lambda it: it.where("cat"), r"expected several, such as \['cat'\]"),
        (lambda it: it.fraction(0.5, 0.2), "the fraction is from 0.5 to 0.2"),
        (lambda it: it.fraction(0, 1.2), "the fraction is from 0 to 1.2"),
        (lambda it: it.fraction(rounding="down"), "unknown rounding 'down'"),
        (lambda it: it.repeat(), "times is None and min_size None; expected one of them"),
        (lambda it: it.repeat(2, min_size=3), "times is 2 and min_size 3"),
        (lambda it: it.repeat(-1), "times is -1"),
        (lambda it: it.subset([]).repeat(min_size=3), "an empty dataset stays empty"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(ask, told):
    with pytest.raises(DataError, match=told):
        ask(Animals([0, 1, 2]))


def test_without_labels_there_are_no_classes_to_choose():
    class Numbers(Dataset):
        def __len__(self) -> int:
            return 3

    with pytest.raises(DataError, match="a Numbers has no label"):
        Numbers().where([0])
