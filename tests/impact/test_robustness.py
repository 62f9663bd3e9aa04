"""First flips, what samples flip to and who is robust, on classifiers that break where it is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augimpact.augment.parameters import CATALOGUE
from augimpact.errors import DataError
from augimpact.impact.example import example_outcomes
from augimpact.impact.intervals import wilson
from augimpact.impact.outcomes import SweptPath
from augimpact.impact.robustness import (
    confusion,
    first_flips,
    flip_distribution,
    most_and_least_robust,
    place_at,
    sides,
)


def two_parameters(rotation, brightness):
    values = np.stack([rotation, brightness], axis=1).astype(float)
    return SweptPath(("rotation", "brightness"), np.arange(len(values)), values)


def predicting(rows, strengths=(-20, -10, 0, 10, 20)):
    """Samples whose predictions along the path are given."""
    path = example_outcomes(1, strengths).paths[0]
    predicted = np.empty((len(rows), len(strengths)), np.int32)
    predicted[:, path.rows] = rows
    outcomes = example_outcomes(len(rows), strengths)
    return replace(outcomes, predicted=predicted, labels=predicted[:, 0].astype(np.int64))


def test_a_flip_is_the_first_on_its_side_outwards_from_neutral():
    flips = first_flips(predicting([[1, 0, 0, 1, 0], [1, 1, 0, 0, 1], [1, 1, 1, 1, 1]]))
    assert flips.columns.tolist() == ["sample_id", "path", "class", "below", "above"]
    assert flips["below"].fillna(99).tolist() == [-20, -10, 99]
    assert flips["above"].fillna(99).tolist() == [10, 20, 99]


def test_a_path_from_neutral_has_one_side():
    blur = first_flips(example_outcomes(3, (0, 1, 2, 3), holds=1.5, parameter="blur"))
    assert blur["below"].isna().all()
    assert blur["above"].tolist() == [2] * 3
    crop = first_flips(example_outcomes(3, (1, 0.8, 0.6, 0.4), holds=0.3, parameter="crop"))
    assert crop["below"].tolist() == [0.6] * 3
    assert crop["above"].isna().all()


def test_flips_are_counted_outwards_and_never_become_fewer():
    table = flip_distribution(predicting([[1, 0, 0, 1, 0], [1, 1, 0, 0, 1], [1, 1, 1, 1, 1]]))
    assert table["strength"].tolist() == [-20, -10, 10, 20]
    assert table["side"].tolist() == ["below", "below", "above", "above"]
    assert table["flipped"].tolist() == [2, 1, 1, 2]
    assert table["share"].to_numpy() == pytest.approx(np.array([2, 1, 1, 2]) / 3)
    low, high = wilson(table["flipped"], 3)
    assert (table["low"] == low).all()
    assert (table["high"] == high).all()


@given(seed=st.integers(0, 500))
def test_the_distribution_counts_first_flips_in_any_order_of_samples(seed):
    outcomes = example_outcomes(15, (-30, -20, -5, 5, 10, 40), wrong=0.2, seed=seed)
    flips, table = first_flips(outcomes), flip_distribution(outcomes)
    for strength, side, flipped in zip(table["strength"], table["side"], table["flipped"], strict=True):
        assert flipped == (flips[side].abs() <= abs(strength)).sum()
    order = np.random.default_rng(seed).permutation(15)
    pd.testing.assert_frame_equal(flip_distribution(outcomes.chosen(order)), table)
    permuted = first_flips(outcomes.chosen(order))
    pd.testing.assert_frame_equal(permuted.sort_values("sample_id", ignore_index=True), flips)


def test_neutral_divides_a_path_even_between_its_places():
    assert sides(two_parameters([-30, -10, 10, 30], [0.7, 0.9, 1.1, 1.3])).neutral == pytest.approx(0.5)
    neutral, below, above = sides(two_parameters([0, 10, 20], [1, 1.5, 2]))
    assert (neutral, below.tolist(), above.tolist()) == (0, [], [1, 2])
    straight = sides(SweptPath(("rotation",), np.arange(4), np.array([[-3.0], [-1], [1], [3]])))
    assert (straight.below.tolist(), straight.above.tolist()) == ([1, 0], [2, 3])
    back = sides(SweptPath(("rotation",), np.arange(5), np.array([[0.0], [20], [40], [30], [10]])))
    assert back.above.tolist() == [4, 1, 3, 2]
    with pytest.raises(DataError, match="rotation and brightness are nowhere on their path neutral together"):
        sides(two_parameters([-30, 30], [1, 2]))


@pytest.mark.parametrize("name", list(CATALOGUE))
def test_the_usual_sweep_of_every_parameter_passes_neutral_or_lies_beside_it(name):
    parameter = CATALOGUE[name]
    values = np.linspace(*parameter.sweep, 7)
    neutral, below, above = sides(SweptPath((name,), np.arange(7), values[:, None]))
    assert neutral == parameter.neutral
    assert len(below) + len(above) + np.isclose(values, neutral).sum() == 7


def test_confusion_counts_what_flips_to_what_with_the_most_frequent_first():
    names = ("ant", "bee", "cow")
    outcomes = predicting([[0, 2], [0, 2], [0, 0], [1, 0], [2, 2]], (0, 10))
    table = confusion(replace(outcomes, names=names), strength=8.5)
    assert table.to_dict("records") == [
        {"from": "ant", "to": "cow", "count": 2, "share": pytest.approx(2 / 3), "strength": 10},
        {"from": "bee", "to": "ant", "count": 1, "share": 1, "strength": 10},
    ]
    assert confusion(outcomes, strength=1).empty
    assert confusion(outcomes, strength=1).columns.tolist() == ["from", "to", "count", "share", "strength"]


@pytest.mark.parametrize("strength", [-20.1, 31, float("nan"), float("inf")])
def test_a_strength_outside_what_was_tested_is_refused(strength):
    with pytest.raises(DataError, match=r"rotation \(degrees\) is .*; expected what was tested, from -20 to 20"):
        confusion(example_outcomes(3, (-20, 0, 20)), strength)


def test_the_nearest_tested_strength_is_looked_at():
    path = SweptPath(("rotation",), np.arange(3), np.array([[-10.0], [0], [10]]))
    assert [place_at(path, strength) for strength in (-10, -6, -5, 4, 6, 10)] == [0, 0, 0, 1, 2, 2]


def test_the_most_robust_samples_come_first_ties_by_their_score():
    outcomes = predicting([[1, 0, 0, 1, 0], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]])
    scores = outcomes.scores.copy()
    scores[1], scores[2] = 0.8, 0.9
    ranked = most_and_least_robust(replace(outcomes, scores=scores))
    assert ranked.samples["sample_id"].tolist() == ["00002", "00001", "00000"]
    assert ranked.samples["right"].tolist() == [1, 1, 0.6]


def test_classes_are_ranked_along_the_path_or_at_a_strength():
    outcomes = example_outcomes(40, (-20, 0, 20), wrong=0.2)
    dogs = outcomes.samples["class"] == "dog"
    outcomes = replace(outcomes, predicted=np.where(dogs.to_numpy()[:, None], 1, outcomes.predicted))
    for strength, columns in ((None, [0, 1, 2]), (19, [2])):
        classes = most_and_least_robust(outcomes, 0, strength=strength).classes
        assert classes["group"].tolist() == ["dog", "cat"]
        right = outcomes.correct[~dogs][:, columns].mean()
        assert classes["right"].tolist() == pytest.approx([1, right])
        assert classes["low"].tolist() == pytest.approx([float(wilson(20 * each, 20).low) for each in (1, right)])
        assert classes["high"].tolist() == pytest.approx([float(wilson(20 * each, 20).high) for each in (1, right)])
        assert classes["n"].tolist() == [20, 20]


def test_without_labels_the_neutral_prediction_is_right():
    outcomes = example_outcomes(10, (-20, 0, 20), holds=15)
    ranked = most_and_least_robust(replace(outcomes, labels=np.full(10, -1)))
    assert ranked.samples["right"].tolist() == pytest.approx([1 / 3] * 10)


@given(seed=st.integers(0, 500))
def test_ranks_do_not_depend_on_the_order_of_samples(seed):
    outcomes = example_outcomes(15, wrong=0.3, seed=seed)
    order = np.random.default_rng(seed).permutation(15)
    for expected, found in zip(
        most_and_least_robust(outcomes), most_and_least_robust(outcomes.chosen(order)), strict=True
    ):
        pd.testing.assert_frame_equal(expected, found)


def test_what_is_wrong_is_said():
    outcomes = example_outcomes(3)
    with pytest.raises(DataError, match="path is 1; expected the number of one of 1 paths"):
        first_flips(outcomes, 1)
    with pytest.raises(DataError, match="the strength is 5 without a path"):
        most_and_least_robust(outcomes, strength=5)
    with pytest.raises(DataError, match="unknown column"):
        most_and_least_robust(outcomes, by="kind")
