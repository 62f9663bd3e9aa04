"""Intervals against published tables and SciPy's, and whether they cover what they should."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest, bootstrap, norm

from augimpact.errors import DataError
from augimpact.impact.intervals import newcombe_paired, paired_bootstrap, samples_needed, tango_lower, wilson

# Newcombe 1998, Statistics in Medicine 17:2635, table III, method 10: both, first, second, neither; low, high.
TABLE_III = {
    (36, 12, 2, 0): (0.0569, 0.3404),
    (20, 12, 2, 16): (0.0562, 0.3292),
    (18, 12, 2, 18): (0.0562, 0.3290),
    (36, 14, 0, 0): (0.1528, 0.4167),
    (35, 14, 0, 1): (0.1461, 0.4175),
    (18, 14, 0, 18): (0.1441, 0.3963),
    (2, 97, 1, 0): (0.8721, 0.9854),
    (1, 97, 1, 1): (0.8736, 0.9850),
    (0, 29, 1, 0): (0.6666, 0.9882),
    (2, 98, 0, 0): (0.9178, 0.9945),
    (1, 98, 0, 1): (0.9171, 0.9916),
    (0, 30, 0, 0): (0.8395, 1.0),
    (54, 0, 0, 0): (-0.0664, 0.0664),
    (53, 0, 0, 1): (-0.0729, 0.0729),
    (30, 0, 0, 24): (-0.0358, 0.0358),
    (27, 0, 0, 27): (-0.0351, 0.0351),
}
# Of shares of samples: both right, gained, lost, neither; and how many samples.
PAIRS = [
    ((0.88, 0.02, 0.07, 0.03), 300),
    ((0.88, 0.02, 0.07, 0.03), 1000),
    ((0.6, 0.05, 0.15, 0.2), 100),
    ((0.6, 0.05, 0.15, 0.2), 1000),
    ((0.45, 0.1, 0.1, 0.35), 200),
    ((0.94, 0.01, 0.03, 0.02), 2000),
]
REPETITIONS = 4000


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
@pytest.mark.parametrize(("successes", "count"), [(0, 1), (0, 20), (3, 20), (20, 20), (81, 263), (4999, 5000)])
def test_wilson_is_scipys(successes, count, confidence):
    expected = binomtest(successes, count).proportion_ci(confidence, method="wilson")
    found = wilson(successes, count, confidence)
    assert found.low == pytest.approx(expected.low, abs=1e-12)
    assert found.high == pytest.approx(expected.high, abs=1e-12)


def test_wilson_agrees_with_the_table_of_newcombe_1998():
    low, high = wilson([81, 15, 0, 1], [263, 148, 20, 29])
    assert low.round(4).tolist() == [0.2553, 0.0624, 0, 0.0061]
    assert high.round(4).tolist() == [0.3662, 0.1605, 0.1611, 0.1718]


def test_no_samples_have_no_interval():
    low, high = wilson([[0, 1]], [[0, 2]])
    assert np.isnan(low[0, 0])
    assert np.isnan(high[0, 0])
    assert low.shape == (1, 2)
    assert np.isnan(tango_lower(0, 0, 0))
    assert np.isnan(newcombe_paired(0, 0, 0, 0).low)
    assert np.isnan(paired_bootstrap(np.zeros((0, 3))).low).all()


@given(count=st.integers(1, 500), share=st.floats(0, 1), confidence=st.floats(0.5, 0.999))
def test_wilson_holds_the_share_and_is_symmetric(count, share, confidence):
    low, high = wilson(share * count, count, confidence)
    assert 0 <= low <= share + 1e-12
    assert share - 1e-12 <= high <= 1
    mirrored = wilson(count - share * count, count, confidence)
    assert float(mirrored.high) == pytest.approx(1 - low, abs=1e-9)


@pytest.mark.parametrize(("cells", "published"), TABLE_III.items())
def test_newcombe_agrees_with_the_paper(cells, published):
    low, high = newcombe_paired(*cells)
    assert (round(float(low), 4), round(float(high), 4)) == pytest.approx(published, abs=1.01e-4)


def test_newcombe_agrees_with_an_example_of_a_textbook():
    # Altman and others 2000, Statistics with confidence, table 6.2: 0.122, from 0.011 to 0.226.
    low, high = newcombe_paired(14, 5, 0, 22)
    assert (round(float(low), 3), round(float(high), 3)) == pytest.approx((0.011, 0.226), abs=1.01e-3)


@given(cells=st.tuples(*[st.integers(0, 60)] * 4).filter(any), confidence=st.floats(0.5, 0.999))
def test_newcombe_is_antisymmetric_and_holds_the_difference(cells, confidence):
    both, first, second, neither = cells
    low, high = newcombe_paired(*cells, confidence)
    swapped = newcombe_paired(both, second, first, neither, confidence)
    assert float(swapped.low) == pytest.approx(-high, abs=1e-12)
    difference = (first - second) / sum(cells)
    assert -1 - 1e-9 <= low <= difference <= high <= 1 + 1e-9


@pytest.mark.parametrize(
    ("gained", "lost", "count", "confidence", "published"),
    [
        # R's contingencytables, data of Cavo and others 2012: 95 % from −0.1240.
        (6, 16, 161, 0.975, -0.1240),
        # R's ratesci, data of Bentur and others 2009: 95 % from −0.517.
        (1, 7, 21, 0.975, -0.517),
        # R's PropCIs, scoreci.mp(25, 28, 618), 90 % from −0.0148.
        (28, 25, 618, 0.95, -0.0148),
    ],
)
def test_tango_agrees_with_published_bounds(gained, lost, count, confidence, published):
    decimals = len(str(published).split(".")[1])
    assert round(float(tango_lower(gained, lost, count, confidence)), decimals) == published


@pytest.mark.parametrize(("gained", "lost", "count"), [(0, 0, 60), (0, 5, 100), (3, 9, 80), (20, 22, 50), (7, 0, 30)])
def test_tango_is_where_the_score_of_the_likeliest_model_is_the_quantile(gained, lost, count):
    bound = float(tango_lower(gained, lost, count, 0.95))
    least = max(0, -bound)

    def unlikely(share_lost):
        shares = np.array([share_lost + bound, share_lost, 1 - 2 * share_lost - bound])
        counts = np.array([gained, lost, count - gained - lost])
        return -(counts * np.log(np.maximum(shares, 1e-300))).sum()

    found = minimize_scalar(unlikely, bounds=(least, (1 - bound) / 2), method="bounded", options={"xatol": 1e-12})
    variance = (2 * found.x + bound - bound**2) / count
    assert ((gained - lost) / count - bound) / np.sqrt(variance) == pytest.approx(norm.ppf(0.95), rel=1e-4)


@given(count=st.integers(1, 400), data=st.data())
def test_tango_is_wilsons_where_nothing_can_be_gained(count, data):
    lost = data.draw(st.integers(0, count))
    one_sided = wilson(count - lost, count, 0.9).low - 1
    assert float(tango_lower(0, lost, count, 0.95)) == pytest.approx(float(one_sided), abs=1e-9)


@given(count=st.integers(1, 300), data=st.data(), margin=st.floats(0.01, 0.5))
def test_as_many_samples_as_needed_bring_the_bound_to_the_margin(count, data, margin):
    lost = data.draw(st.integers(0, count))
    gained = data.draw(st.integers(0, count - lost))
    needed = samples_needed(gained, lost, count, margin)
    if needed is None:
        assert (gained - lost) / count <= -margin
        return
    factor = needed / count
    assert tango_lower(gained * factor, lost * factor, needed) >= -margin - 1e-9
    less = 0.98 * (needed - 1) / count
    if less > 0:
        assert tango_lower(gained * less, lost * less, less * count) < -margin + 1e-9


def test_the_bootstrap_is_scipys():
    rows = np.random.default_rng(1).gamma(2, size=(80, 3)) * [1, 10, 0.1]
    low, high = paired_bootstrap(rows, 0.9, draws=20_000)
    random = np.random.default_rng(2)
    expected = bootstrap((rows,), np.mean, axis=0, confidence_level=0.9, n_resamples=20_000, method="percentile",
                         random_state=random).confidence_interval  # fmt: skip
    width = expected.high - expected.low
    assert (np.abs(low - expected.low) < 0.03 * width).all()
    assert (np.abs(high - expected.high) < 0.03 * width).all()


def test_all_columns_of_a_bootstrap_are_drawn_together():
    column = np.random.default_rng(0).normal(size=50)
    low, high = paired_bootstrap(np.stack([column, -2 * column, column + 7], axis=1), draws=500)
    assert low[1] == pytest.approx(-2 * high[0], abs=1e-6)
    assert low[2] == pytest.approx(low[0] + 7, abs=1e-6)


def test_a_bootstrap_is_the_same_again_and_another_with_another_seed():
    rows = np.random.default_rng(0).normal(size=(300, 4))
    assert np.array_equal(paired_bootstrap(rows), paired_bootstrap(rows))
    assert not np.array_equal(paired_bootstrap(rows), paired_bootstrap(rows, seed=1))
    assert np.isnan(paired_bootstrap(np.where(rows == rows[0, 0], np.nan, rows)).low).tolist() == [True] + [False] * 3


def test_the_bootstrap_of_a_large_dataset_stays_small():
    rows = np.random.default_rng(0).integers(-1, 2, (50_000, 61)).astype(np.int8)
    tracemalloc.start()
    low, high = paired_bootstrap(rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200e6
    expected = 2 * norm.ppf(0.975) * rows.std(axis=0) / np.sqrt(len(rows))
    assert (high - low) == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("share", [0.5, 0.7, 0.9, 0.95])
@pytest.mark.parametrize("count", [100, 400, 2000])
def test_wilson_covers(count, share):
    hits = np.random.default_rng(0).binomial(count, share, REPETITIONS)
    low, high = wilson(hits, count)
    assert ((low <= share) & (share <= high)).mean() == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize(("shares", "count"), PAIRS)
def test_newcombe_covers(shares, count):
    both, gained, lost, neither = np.random.default_rng(0).multinomial(count, shares, REPETITIONS).T
    low, high = newcombe_paired(both, gained, lost, neither)
    true = shares[1] - shares[2]
    assert ((low <= true) & (true <= high)).mean() == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize(("shares", "count"), PAIRS)
def test_the_paired_bootstrap_covers(shares, count):
    # Each column is a dataset of its own: they share only which rows are drawn.
    random = np.random.default_rng(0)
    differences = random.choice([0, 1, -1, 0], p=shares, size=(count, 1500))
    low, high = paired_bootstrap(differences, draws=1000)
    true = shares[1] - shares[2]
    assert ((low <= true) & (true <= high)).mean() == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize(("shares", "count"), PAIRS)
def test_tango_covers(shares, count):
    _, gained, lost, _ = np.random.default_rng(0).multinomial(count, shares, REPETITIONS).T
    assert (tango_lower(gained, lost, count) <= shares[1] - shares[2]).mean() == pytest.approx(0.95, abs=0.02)


def test_where_few_samples_change_the_bootstrap_is_too_narrow_and_newcombe_a_little_wide():
    shares, count = (0.94, 0.01, 0.03, 0.02), 200
    random = np.random.default_rng(0)
    low, high = paired_bootstrap(random.choice([0, 1, -1, 0], p=shares, size=(count, 1500)), draws=1000)
    assert 0.9 < ((low <= -0.02) & (high >= -0.02)).mean() < 0.95
    low, high = newcombe_paired(*random.multinomial(count, shares, REPETITIONS).T)
    assert 0.95 < ((low <= -0.02) & (high >= -0.02)).mean() < 0.98


@pytest.mark.parametrize(("right", "count"), [(0.5, 100), (0.5, 500), (0.75, 200), (0.9, 200)])
def test_where_samples_are_only_lost_tango_is_careful_and_newcombe_is_not(right, count):
    shares = (right - 0.05, 0, 0.05, 1 - right)
    both, gained, lost, neither = np.random.default_rng(0).multinomial(count, shares, 20_000).T
    assert (tango_lower(gained, lost, count) > -0.05).mean() < 0.055
    assert (newcombe_paired(both, gained, lost, neither, 0.9).low > -0.05).mean() > 0.05


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: wilson(3, 2), "3 successes of 2"),
        (lambda: wilson(1, 2, 1.0), "confidence is 1.0"),
        (lambda: wilson(1, 2, 95), "confidence is 95"),
        (lambda: newcombe_paired(1, -1, 0, 0), "expected"),
        (lambda: tango_lower(3, 3, 5), "3 gained and 3 lost of 5"),
        (lambda: paired_bootstrap([1.0, 2]), r"\(2,\)"),
        (lambda: paired_bootstrap([[1.0]], draws=0), "draws is 0"),
        (lambda: paired_bootstrap([[1.0]], 0), "confidence is 0"),
    ],
)
def test_what_is_wrong_is_said(call, told):
    with pytest.raises(DataError, match=told):
        call()
