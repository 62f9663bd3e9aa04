"""Where predictions flip: bisected places against known ones and against a dense sweep of the real classifier."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import augimpact as ai
from augimpact.errors import SweepError
from augimpact.flips import between_frames, located


def steps(thresholds):
    """States of a path that rise by one at each of the thresholds of `a`."""

    def predict(settings: pd.DataFrame) -> np.ndarray:
        return np.searchsorted(np.sort(thresholds), settings["a"].to_numpy(), side="right").astype(np.int64)

    return predict


@given(
    thresholds=st.lists(st.floats(-0.99, 0.99), max_size=4, unique=True),
    frames=st.integers(2, 12),
    tolerance=st.floats(1e-4, 0.2),
)
def test_every_flip_that_two_frames_show_is_found_to_the_tolerance(thresholds, frames, tolerance):
    path = pd.DataFrame({"a": np.linspace(-1, 1, frames), "b": np.linspace(0, 0.1, frames)})
    predict = steps(thresholds)
    found = located(path, predict(path), predict, tolerance)
    places = found["a"].to_numpy()
    # Flips that lie closer together than the tolerance may be found as one.
    for threshold in thresholds:
        assert np.abs(places - threshold).min() <= tolerance + 1e-9
    for place in places:
        assert np.abs(np.array(thresholds) - place).min() <= tolerance + 1e-9
    assert (np.diff(found["frame"]) >= 0).all()
    assert found["b"].to_numpy() == pytest.approx((places + 1) / 20)
    # One leads to the next without a gap.
    assert found["from"].tolist() == [0, *found["to"].tolist()][: len(found)]


def test_both_flips_between_two_frames_are_found_in_the_order_of_the_path():
    path = pd.DataFrame({"a": [1.0, -1.0]})
    predict = steps([-0.5, 0.25])
    found = located(path, predict(path), predict, 1e-3)
    assert found["a"].tolist() == pytest.approx([0.25, -0.5], abs=1e-3)
    assert found[["from", "to"]].to_numpy().tolist() == [[2, 1], [1, 0]]


def test_without_a_tolerance_a_flip_stands_half_way():
    path = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0]})
    found = between_frames(path, np.array([5, 5, 7, 5]))
    assert found.to_numpy().tolist() == [[2, 5, 7, 1.5], [3, 7, 5, 2.5]]


@pytest.mark.parametrize("tolerance", [0, -1, float("nan")])
def test_a_tolerance_that_is_not_positive_is_refused(tolerance):
    with pytest.raises(SweepError, match="expected a number above 0"):
        located(pd.DataFrame({"a": [0.0, 1.0]}), np.array([0, 1]), steps([0.5]), tolerance)


def test_on_a_photograph_the_places_are_those_of_a_dense_sweep(classifier):
    """The oracle asks about every half of a degree, so that a flip of ours lies within half a degree of one of its."""
    tolerance, step = 0.25, 0.5
    coarse = ai.analyze("example:rocket", ai.Sweep(rotation=(-90, 90), frames=13), classifier, flip_tolerance=tolerance)
    dense = ai.analyze("example:rocket", ai.Sweep(rotation=(-90, 90), frames=361), classifier, chunk=32)
    known, flips = dense.flips(), coarse.flips()
    assert len(flips) >= 6
    for place in flips["rotation"]:
        assert np.abs(known["rotation"] - place).min() <= tolerance + step / 2
    # From state to state without a gap; a third class may rule for less than half a degree, so that only ours names it.
    assert flips["from"].tolist()[1:] == flips["to"].tolist()[:-1]
    assert coarse.recipe["flip_tolerance"] == tolerance
    # The stable range about 0° ends at flips that the dense sweep knows.
    stable = coarse.stable_range().loc["rotation"]
    assert stable["low"] < 0 < stable["high"]
    for end, flips_here in ((stable["low"], stable["low_flips"]), (stable["high"], stable["high_flips"])):
        assert flips_here
        assert np.abs(known["rotation"] - end).min() <= tolerance + step / 2
