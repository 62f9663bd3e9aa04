"""Two impacts of the same samples: their curves, their difference, and who is right where the other is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augimpact.errors import DataError
from augimpact.impact.comparing import compared_curves, compared_ranges, only_one_right, paired
from augimpact.impact.curves import curves
from augimpact.impact.example import example_outcomes
from augimpact.impact.intervals import paired_bootstrap

STEPS = np.arange(-30, 31, 10)


def pair_of(count=60, **options):
    return example_outcomes(count, STEPS, 15, wrong=0.1, seed=1), example_outcomes(count, STEPS, 25, wrong=0.1, seed=2)


def shuffled(outcomes, seed=0):
    return outcomes.chosen(np.random.default_rng(seed).permutation(len(outcomes)))


def test_samples_are_matched_by_their_ids():
    first, second = pair_of()
    found = paired(first, shuffled(second))
    assert (found.second.predicted == second.predicted).all()
    assert found.second.samples["sample_id"].tolist() == first.samples["sample_id"].tolist()
    assert found.first is first


@pytest.mark.parametrize("by", [None, "class"])
def test_the_curves_of_both_are_their_own(by):
    first, second = pair_of()
    table = compared_curves(first, shuffled(second), by, names=("old", "new"))
    for name, outcomes in (("old", first), ("new", second)):
        own = table[table["impact"] == name].drop(columns="impact").reset_index(drop=True)
        pd.testing.assert_frame_equal(own, curves(outcomes, by))


def test_the_difference_is_paired():
    first, second = pair_of()
    table = compared_curves(first, shuffled(second), confidence=0.9, draws=400)
    parts = {name: part.reset_index(drop=True) for name, part in table.groupby("impact")}
    told = parts["difference"]
    for name in ("accuracy", "agreement", "score", "accuracy_change", "agreement_change", "score_change"):
        expected = parts["second"][name] - parts["first"][name]
        assert told[name].to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-6)
        assert (told[f"{name}_low"] <= told[name] + 1e-6).all()
        assert (told[f"{name}_high"] >= told[name] - 1e-6).all()
    away = (second.correct.astype(int) - first.correct)[:, told["setting"]]
    low, high = paired_bootstrap(away, 0.9, 400)
    assert told["accuracy_low"].to_numpy() == pytest.approx(low, abs=1e-6)
    assert told["accuracy_high"].to_numpy() == pytest.approx(high, abs=1e-6)
    at_20 = told[told["strength"] == 20].iloc[0]
    assert at_20["accuracy_low"] > 0.5
    assert at_20["measure_contrast"] == pytest.approx(
        second.measures["contrast"].mean() - first.measures["contrast"].mean(), abs=1e-6
    )


def test_an_impact_does_not_differ_from_itself():
    first, _ = pair_of()
    table = compared_curves(first, shuffled(first), by="class")
    told = table[table["impact"] == "difference"].drop(columns=["impact", "path", "strength", "setting", "group", "n"])
    assert (told == 0).all(axis=None)
    assert only_one_right(first, shuffled(first), 20).empty
    ranges = compared_ranges(first, shuffled(first)).set_index("impact")
    assert ranges.loc["first"].tolist() == ranges.loc["second"].tolist()


@given(seed=st.integers(0, 200))
def test_the_order_of_the_samples_changes_nothing(seed):
    first, second = pair_of(20)
    order = np.random.default_rng(seed).permutation(20)
    expected = compared_curves(first, second, "class", draws=10)
    found = compared_curves(first.chosen(order), shuffled(second, seed + 1), "class", draws=10)
    pd.testing.assert_frame_equal(expected, found, check_exact=True)


@pytest.mark.parametrize("knowing", [0, 1])
def test_what_only_one_knows_has_no_difference(knowing):
    both = list(pair_of())
    both[knowing] = replace(both[knowing], drifts={"shift": np.ones(both[knowing].scores.shape, np.float32)})
    shift = compared_curves(*both).groupby("impact", sort=False)["drift_shift"].mean()
    assert shift.index.tolist() == ["first", "second", "difference"]
    assert shift.iloc[knowing] == 1
    assert shift.isna().sum() == 2


def test_samples_that_only_one_gets_right_are_named():
    first, second = example_outcomes(4, STEPS, 15), example_outcomes(4, STEPS, 25)
    second = replace(
        second, predicted=np.where(np.arange(4)[:, None] == 3, 0, second.predicted), names=("kitten", "pup")
    )
    found = only_one_right(first, shuffled(second), 19, names=("old", "new"))
    assert found.columns.tolist() == ["sample_id", "path", "class", "right", "old", "new"]
    assert found["sample_id"].tolist() == ["00000", "00001", "00002"]
    assert found["right"].tolist() == ["new"] * 3
    assert found["old"].tolist() == ["dog", "cat", "dog"]
    assert found["new"].tolist() == ["kitten", "pup", "kitten"]
    assert only_one_right(first, second, 0)[["sample_id", "right"]].values.tolist() == [["00003", "first"]]


def test_ranges_stand_side_by_side():
    first, second = example_outcomes(200, STEPS, 15), example_outcomes(200, STEPS, 90)
    table = compared_ranges(first, shuffled(second), names=("old", "new"), points=10)
    assert table.to_dict("records") == [
        {"path": 0, "parameter": "rotation", "impact": name, "low": -far, "high": far, "below": reason, "above": reason,
         "every_class_low": -far, "every_class_high": far}
        for name, far, reason in (("old", 10, "worse"), ("new", 30, "end"))
    ]  # fmt: skip


def unlabelled(outcomes):
    return replace(outcomes, labels=np.full(len(outcomes), -1))


def test_without_labels_each_is_compared_with_itself_at_neutral():
    first, second = (unlabelled(each) for each in pair_of())
    table = compared_curves(first, second)
    assert not [name for name in table if name.startswith("accuracy")]
    assert table[table["strength"] == 0]["agreement"].tolist() == [1, 1, 0]


def other_settings(outcomes):
    return replace(outcomes, settings=outcomes.settings.replace(10.0, 12.0))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda each: each.chosen(np.arange(59)), "sample '00059' and 0 others are in one alone"),
        (lambda each: each.chosen([0, *range(59)]), "sample '00059' and 0 others are in one alone"),
        (lambda each: each.chosen([0, *range(60)]), "some come twice"),
        (other_settings, "rotation of setting 4 is 10 in one impact and 12 in the other"),
        (lambda each: replace(each, settings=each.settings.assign(zoom=1.0)), "7 settings of rotation, the other 7 "),
        (lambda each: replace(each, paths=()), "different paths"),
        (unlabelled, "only one of two impacts knows the right class"),
    ],
)
def test_what_cannot_be_compared_is_refused(change, told):
    first, second = pair_of()
    for compared in (compared_curves, compared_ranges, lambda *both: only_one_right(*both, 0)):
        with pytest.raises(DataError, match=told):
            compared(first, change(second))


@pytest.mark.parametrize("names", [("a", "a"), ("a", "difference")])
def test_names_must_differ(names):
    with pytest.raises(DataError, match="expected two different names, neither 'difference'"):
        compared_curves(*pair_of(), names=names)
