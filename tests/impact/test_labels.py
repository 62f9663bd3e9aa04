"""Which class of a classifier a class of a dataset is."""

from __future__ import annotations

import pytest

from augimpact.errors import DataError
from augimpact.impact.labels import matched_classes


def test_wordnet_ids_are_imagenet_s_classes(classifier):
    """As the README of Imagenette has them."""
    ids = ["n01440764", "n02102040", "n02979186", "n03000684", "n03028079", "n03394916", "n03417042", "n03425413",
           "n03445777", "n03888257"]  # fmt: skip
    assert matched_classes(ids, classifier.labels) == [0, 217, 482, 491, 497, 566, 569, 571, 574, 701]


@pytest.mark.parametrize("name", ["golf ball", "Golf_Ball", "GOLF-BALL", " golf ball"])
def test_names_are_found_whatever_their_case_and_signs(classifier, name):
    assert matched_classes([name], classifier.labels) == [574]


def test_numbers_are_classes_that_have_no_such_name():
    assert matched_classes(["2", "0"], ["a", "b", "c"]) == [2, 0]
    assert matched_classes(["2"], ["two", "2"]) == [1]


def test_what_is_called_otherwise_can_be_said():
    assert matched_classes(["x", "b"], ["a", "b"], {"x": "a"}) == [0, 1]
    assert matched_classes(["x", "b"], ["a", "b"], {"x": 0}) == [0, 1]
    assert matched_classes(["a", "b"], ["a", "b"], {}) == [-1, -1]


def test_a_dataset_of_other_classes_has_no_labels():
    assert matched_classes(["holiday", "family"], ["a", "b"]) == [-1, -1]


def test_to_know_only_some_is_an_error_that_says_what_to_pass():
    with pytest.raises(DataError, match=r"'golf bal'; did you mean golf ball.*labels=\{'golf bal': 'its name"):
        matched_classes(["tench", "golf bal"], ["tench", "golf ball"])
    with pytest.raises(DataError, match="unknown class of the dataset 'y'"):
        matched_classes(["x"], ["a"], {"y": "a"})
    with pytest.raises(DataError, match="unknown class of the classifier 7"):
        matched_classes(["x"], ["a"], {"x": 7})


@pytest.mark.parametrize(
    ("classes", "names", "expected"),
    [
        (["A", "a"], ["a", "b", "A"], [2, 0]),
        (["C++", "C#"], ["C", "C#", "C++"], [2, 1]),
        (["+", "-"], ["-", "+"], [1, 0]),
        (["-5", "5"], ["5", "-5"], [1, 0]),
        (["crane", "ibis"], ["ibis", "Crane"], [1, 0]),
    ],
)
def test_names_that_differ_in_case_or_signs_alone_are_told_apart(classes, names, expected):
    assert matched_classes(classes, names) == expected
    # Whichever way it is said.
    same = {each: names[number] for each, number in zip(classes, expected, strict=True)}
    assert matched_classes(classes, names, same) == expected


def test_two_classes_never_become_one_in_silence():
    with pytest.raises(DataError, match="none of the classifier's"):
        matched_classes(["0", "1"], ["1", "2", "3"])
    with pytest.raises(DataError, match="none of the classifier's"):
        matched_classes(["crane", "ibis"], ["crane", "ibis", "crane"])
    with pytest.raises(DataError, match="'Ibis' and 'ibis' both seem to be 'IBIS'"):
        matched_classes(["Ibis", "ibis"], ["IBIS", "crane"])
    assert matched_classes(["Ibis", "ibis"], ["IBIS", "crane"], {"ibis": "IBIS"}) == [0, 0]
    assert matched_classes(["crane", "ibis"], ["crane", "ibis", "crane"], {"crane": "2"}) == [2, 1]
