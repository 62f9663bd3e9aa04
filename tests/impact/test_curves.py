"""Curves against pandas' own sums, and the same whatever the order of the samples."""

from __future__ import annotations

import time
import tracemalloc
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augimpact.errors import DataError
from augimpact.impact.curves import ALL, curves, groups_of
from augimpact.impact.example import example_outcomes
from augimpact.impact.intervals import paired_bootstrap, wilson
from augimpact.impact.outcomes import SweptPath

STRENGTHS = (-30, -15, 0, 15, 30)


def unlabelled(outcomes):
    return replace(outcomes, labels=np.where(np.arange(len(outcomes)) == 0, -1, outcomes.labels))


def with_drift(outcomes):
    shift = np.random.default_rng(5).random(outcomes.scores.shape).astype(np.float32)
    shift[::3] = np.nan
    shift[:, 1] = np.nan
    return replace(outcomes, drifts={"shift": shift})


def test_every_group_has_the_shares_that_pandas_finds():
    outcomes = with_drift(example_outcomes(60, STRENGTHS, wrong=0.2, seed=3))
    table = curves(outcomes, by="class")
    settings = outcomes.settings["rotation"].to_numpy()
    long = pd.DataFrame({
        "group": np.repeat(outcomes.samples["class"].to_numpy(), len(settings)),
        "setting": np.tile(np.arange(len(settings)), 60),
        "accuracy": outcomes.correct.reshape(-1), "agreement": outcomes.agrees.reshape(-1),
        "score": outcomes.scores.reshape(-1), "measure_contrast": outcomes.measures["contrast"].reshape(-1),
        "drift_shift": outcomes.drifts["shift"].reshape(-1),
    })  # fmt: skip
    expected = long.groupby(["group", "setting"]).mean()
    found = table.set_index(["group", "setting"])
    for name in expected:
        pair = found[name].align(expected[name].loc[found.index])
        assert pair[0].to_numpy() == pytest.approx(pair[1].to_numpy(), abs=1e-6, nan_ok=True)
    assert found["drift_shift"].xs(1, level="setting").isna().all()
    assert found["drift_shift"].notna().sum() == 8
    assert table["strength"].tolist() == [*STRENGTHS, *STRENGTHS]
    assert table["n"].tolist() == [30] * 10
    assert table["path"].eq(0).all()


def test_the_intervals_are_those_of_the_metrics():
    outcomes = example_outcomes(50, STRENGTHS, wrong=0.3)
    table = curves(outcomes, confidence=0.9, draws=300, seed=4)
    assert table["group"].tolist() == [ALL] * 5
    rows = table["setting"].tolist()
    assert rows == [1, 2, 0, 3, 4]
    low, high = wilson(table["accuracy"] * 50, 50, 0.9)
    assert table["accuracy_low"].to_numpy() == pytest.approx(low)
    assert table["accuracy_high"].to_numpy() == pytest.approx(high)
    low, high = paired_bootstrap(outcomes.correct.astype(int) - outcomes.correct[:, :1], 0.9, 300, 4)
    assert table["accuracy_change_low"].to_numpy() == pytest.approx(low[rows], abs=1e-6)
    assert table["accuracy_change_high"].to_numpy() == pytest.approx(high[rows], abs=1e-6)
    low, high = paired_bootstrap(outcomes.scores, 0.9, 300, 4)
    assert table["score_low"].to_numpy() == pytest.approx(low[rows], abs=1e-6)
    for metric in ("accuracy", "agreement", "score"):
        for kind in (metric, f"{metric}_change"):
            assert (table[f"{kind}_low"] <= table[kind] + 1e-9).all()
            assert (table[f"{kind}_high"] >= table[kind] - 1e-9).all()
        assert table[f"{metric}_change"].to_numpy() == pytest.approx(table[metric] - table[metric][2], abs=1e-6)


def test_without_labels_there_is_no_accuracy():
    outcomes = example_outcomes(20, STRENGTHS)
    assert not [name for name in curves(unlabelled(outcomes)) if "accuracy" in name]
    assert curves(unlabelled(outcomes))["agreement"].tolist() == curves(outcomes)["agreement"].tolist()


def test_every_path_has_rows_of_its_own():
    one = example_outcomes(20, STRENGTHS)
    two = replace(one, paths=(*one.paths, SweptPath(("rotation",), np.array([0, 3]), np.array([[0.0], [15]]))))
    table = curves(two, by="class")
    assert table.groupby("path").size().tolist() == [10, 4]
    assert table[table["path"] == 1]["strength"].tolist() == [0, 15, 0, 15]
    first = table[table["path"] == 0].reset_index(drop=True)
    pd.testing.assert_frame_equal(first, curves(one, by="class"))


def test_any_column_of_the_samples_makes_groups():
    outcomes = example_outcomes(6)
    outcomes = replace(outcomes, samples=outcomes.samples.assign(site=[2, 1, None, 2, 1, 1]))
    groups = groups_of(outcomes, "site")
    assert groups.names == ("1.0", "2.0", "nan")
    assert groups.counts.tolist() == [3, 2, 1]
    assert [each.tolist() for each in groups.members()] == [[1, 4, 5], [0, 3], [2]]
    assert curves(outcomes, by="site")["n"].tolist() == [3] * 7 + [2] * 7 + [1] * 7


@given(seed=st.integers(0, 1000), by=st.sampled_from([None, "class"]))
def test_the_order_of_the_samples_changes_nothing(seed, by):
    outcomes = with_drift(example_outcomes(12, STRENGTHS, wrong=0.3, seed=seed))
    order = np.random.default_rng(seed).permutation(12)
    expected, found = curves(outcomes, by, draws=20), curves(outcomes.chosen(order), by, draws=20)
    pd.testing.assert_frame_equal(expected, found, check_exact=True)


def test_what_is_wrong_is_said():
    outcomes = example_outcomes(4)
    with pytest.raises(DataError, match="unknown column of samples 'clas'; did you mean class"):
        curves(outcomes, by="clas")
    with pytest.raises(DataError, match="0 samples"):
        curves(outcomes.chosen(np.zeros(4, bool)))


def test_a_large_dataset_takes_seconds_and_little_memory():
    outcomes = example_outcomes(50_000, np.linspace(-90, 90, 61), 40, wrong=0.1)
    tracemalloc.start()
    started = time.process_time()
    table = curves(outcomes)
    taken, peak = time.process_time() - started, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(table) == 61
    # About 3 seconds on one core; other tests run beside this one.
    assert taken < 60
    assert peak < 500e6
