from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from augimpact.measures import MEASURES
from augimpact.profiling.statistics import (
    CHANCE,
    chance_about,
    class_distance,
    count_odd,
    drift_between,
    information_about,
    odd_ones,
    quantiles,
)

numbers = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50)


def frame_of(count: int, seed: int = 0, **given: object) -> pd.DataFrame:
    """Samples with ordinary numbers, and those that are given."""
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame({name: generator.uniform(0.3, 0.6, count) for name in MEASURES})
    frame["entropy"] += 6
    frame = frame.assign(index=np.arange(count) + 100, width=64, height=48, label=0)
    return frame.assign(**given)


@given(numbers)
def test_quantiles_are_those_of_numpy(values):
    told = quantiles(values)
    assert told["count"] == len(values)
    for name, share in (("min", 0), ("p1", 0.01), ("p25", 0.25), ("median", 0.5), ("p99", 0.99), ("max", 1)):
        assert told[name] == pytest.approx(np.quantile(values, share))
    assert told["mean"] == pytest.approx(np.mean(values), abs=1e-6)
    assert told["std"] == pytest.approx(np.std(values), abs=1e-6)


def test_what_is_no_number_does_not_count():
    assert quantiles([1.0, float("nan"), 3.0, float("inf")])["mean"] == 2
    assert quantiles([float("nan")]) == quantiles([])
    assert set(quantiles([]).values()) == {0, None}


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=20))
def test_classes_are_compared_as_by_scipy(pairs):
    names = [f"c{number}" for number in range(len(pairs))]
    first, second = (pd.Series([pair[side] for pair in pairs], index=names) for side in (0, 1))
    told = class_distance(first, second)
    assert told["new"] == [f"c{n}" for n, (a, b) in enumerate(pairs) if a == 0 < b]
    assert told["missing"] == [f"c{n}" for n, (a, b) in enumerate(pairs) if b == 0 < a]
    if first.sum() and second.sum():
        assert told["jensen_shannon"] == pytest.approx(jensenshannon(first, second, base=2), abs=1e-7)
        there = [(a, b) for a, b in pairs if a + b]
        if len(there) > 1:
            tested = stats.chi2_contingency(np.transpose(there), correction=False)
            assert told["chi2"] == pytest.approx(tested.statistic)
            assert told["p"] == pytest.approx(tested.pvalue)
    else:
        assert told["jensen_shannon"] is None


def test_equal_shares_have_no_distance_and_nothing_in_common_the_most():
    first = pd.Series([10, 20, 0], index=["a", "b", "c"])
    assert class_distance(first, first * 3)["jensen_shannon"] == 0
    apart = class_distance(first, pd.Series([0, 0, 5], index=["a", "b", "c"]))
    assert apart["jensen_shannon"] == pytest.approx(1)
    assert (apart["new"], apart["missing"]) == (["c"], ["a", "b"])


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 99), st.floats(0.5, 2))
def test_drift_is_that_of_scipy(one, other, seed, factor):
    first, second = frame_of(one, seed), frame_of(other, seed + 1)
    second["brightness"] *= factor
    second["width"] = 128
    told = drift_between(first, second)
    for name in MEASURES:
        tested = stats.ks_2samp(first[name], second[name])
        assert told[name]["ks"] == pytest.approx(tested.statistic)
        assert told[name]["p"] == pytest.approx(tested.pvalue)
        if one > 1:
            distance = stats.wasserstein_distance(first[name], second[name]) / np.std(first[name])
            assert told[name]["wasserstein"] == pytest.approx(distance)
    # All of one size, then all of another.
    assert told["size"]["ks"] == told["aspect"]["ks"] == 1
    assert told["size"]["wasserstein"] is None


def test_a_split_is_not_far_from_itself():
    frame = frame_of(100)
    assert all(each == {"wasserstein": 0, "ks": 0, "p": 1} for each in drift_between(frame, frame).values())


def test_a_property_that_tells_the_class_tells_all_and_chance_tells_nothing():
    labels = pd.Series(np.arange(4000) % 4).map(lambda number: f"class {number}")
    generator = np.random.default_rng(1)
    brightness = (np.arange(4000) % 4) / 4 + generator.uniform(0, 0.2, 4000)
    half = np.where(np.arange(4000) % 4 < 2, 0.2, 0.8) + generator.uniform(0, 0.1, 4000)
    told = information_about(frame_of(4000, brightness=brightness, contrast=half), labels)
    assert told["brightness"] == pytest.approx(1, abs=0.01)
    # Two of four classes: one bit of two.
    assert told["contrast"] == pytest.approx(0.5, abs=0.01)
    assert max(told[name] for name in ("sharpness", "saturation", "entropy")) < 0.005
    assert told["aspect"] == told["size"] == 0


@given(st.integers(0, 99), st.integers(2, 5))
def test_information_is_mutual_information_less_its_bias(seed, classes):
    generator = np.random.default_rng(seed)
    codes = generator.integers(0, classes, 400)
    frame = frame_of(400, seed, brightness=codes + generator.normal(0, 1, 400))
    told = information_about(frame, pd.Series(codes).map(str))["brightness"]
    cuts = np.minimum(stats.rankdata(frame["brightness"], "ordinal") - 1, 399) // 50
    table = pd.crosstab(cuts, codes).to_numpy() / 400
    outer = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True)
    shared = (table[table > 0] * np.log(table[table > 0] / outer[table > 0])).sum()
    bias = (len(table) - 1) * (table.shape[1] - 1) / 800
    assert told == pytest.approx(max(0, (shared - bias) / stats.entropy(table.sum(axis=0))), abs=1e-9)


@given(st.lists(st.integers(1, 200), min_size=2, max_size=8), st.randoms())
def test_a_property_of_few_values_tells_the_class_however_many_images_have_each(counts, drawn):
    codes = np.repeat(np.arange(len(counts)), counts)
    values = np.array(drawn.sample(range(100), len(counts)))[codes] / 100
    frame, labels = frame_of(len(codes), saturation=values), pd.Series(codes).map(str)
    bias = (len(counts) - 1) ** 2 / (2 * len(codes))
    whole = stats.entropy(counts)
    assert information_about(frame, labels)["saturation"] == pytest.approx(max(0, (whole - bias) / whole), abs=1e-9)
    # Each group is of one class.
    assert chance_about(frame, labels)["saturation"] == pytest.approx(
        stats.chi2_contingency(np.diag(counts), correction=False).pvalue
    )


@pytest.mark.parametrize("grey", [20, 100, 180])
def test_equal_values_are_told_from_others_however_many_they_are(grey):
    saturation = np.r_[np.zeros(grey), np.random.default_rng(0).uniform(0.2, 0.9, 200 - grey)]
    labels = pd.Series(np.arange(200) < grey).map(str)
    frame = frame_of(200, saturation=saturation)
    assert information_about(frame, labels)["saturation"] > 0.7
    assert chance_about(frame, labels)["saturation"] < 1e-9


@given(st.integers(3, 200), st.integers(2, 6), st.integers(0, 99))
def test_what_chance_may_do_is_that_of_scipys_table(count, classes, seed):
    codes = np.random.default_rng(seed).integers(0, classes, count)
    codes[:2] = 0, 1
    frame = frame_of(count, seed)
    told = chance_about(frame, pd.Series(codes).map(str))
    # As `pandas.qcut` has it: where the ranks' quantiles are.
    ranks = stats.rankdata(frame["contrast"])
    cuts = np.searchsorted(np.quantile(ranks, np.arange(1, 8) / 8), ranks)
    tested = stats.chi2_contingency(stats.contingency.crosstab(cuts, codes).count, correction=False)
    assert told["contrast"] == pytest.approx(tested.pvalue)
    assert told["size"] == 1


@pytest.mark.parametrize(("count", "classes"), [(12, 2), (20, 4), (30, 3), (50, 2), (50, 10), (300, 100)])
def test_labels_that_were_drawn_are_seldom_told_apart(count, classes):
    generator = np.random.default_rng(count)
    drawn = [pd.Series(generator.permutation(np.arange(count) % classes)).map(str) for _ in range(100)]
    told = [chance_about(frame_of(count, seed), labels)[name] for seed, labels in enumerate(drawn) for name in MEASURES]
    assert np.mean(np.array(told) < CHANCE) <= CHANCE


def test_odd_images_are_found_and_ordinary_ones_are_not():
    frame = frame_of(200)
    assert all(each == {"count": 0, "indices": []} for each in odd_ones(frame).values())
    frame.loc[3, "brightness"] = 0.01
    frame.loc[4, "brightness"] = 0.02
    frame.loc[5, "brightness"] = 0.97
    frame.loc[6, "entropy"] = 0.5
    frame.loc[7, "sharpness"] = 1e-7
    frame.loc[8, ["width", "height"]] = [640, 480]
    frame.loc[9, ["width", "height"]] = [200, 20]
    told = odd_ones(frame)
    assert told["dark"] == {"count": 2, "indices": [103, 104]}
    assert told["light"] == {"count": 1, "indices": [105]}
    assert told["plain"] == {"count": 1, "indices": [106]}
    assert told["blurred"] == {"count": 1, "indices": [107]}
    assert told["odd_size"]["indices"][0] == 108
    assert told["odd_aspect"]["indices"][0] == 109
    # Images 108 and 109 may be odd in both ways, and each is one.
    assert count_odd(frame) == 7
    frame.loc[3, "entropy"] = 0
    assert count_odd(frame) == 7
    assert count_odd(frame_of(200)) == 0


@given(st.floats(0.955, 1.045), st.floats(0.955, 1.045), st.integers(1, 60))
def test_what_is_nearly_as_most_are_is_not_odd(wider, higher, few):
    # Their quartiles are one.
    frame = frame_of(200, width=500.0, height=375.0, sharpness=0.01)
    told = frame.copy()
    # Both sides make the size, and may make the aspect, differ by as much as either.
    told.loc[: few - 1, ["width", "height"]] = [500 * wider, 375 * wider]
    told.loc[few : 2 * few - 1, "height"] = 375 * higher
    told.loc[: few - 1, "sharpness"] = 0.0051
    if few < 50:
        assert count_odd(told) == 0
    told = frame.copy()
    told.loc[0, ["width", "height"]] = [500 * 1.06, 375 * 1.06]
    told.loc[1, ["width", "height"]] = [500 / 1.06, 375 / 1.06]
    told.loc[2, ["width", "height"]] = [500 * 1.04, 375 / 1.04]
    told.loc[3, "sharpness"] = 0.0049
    found = odd_ones(told)
    assert sorted(found["odd_size"]["indices"]) == [100, 101]
    assert found["odd_aspect"]["indices"] == [102]
    assert found["blurred"]["indices"] == [103]
