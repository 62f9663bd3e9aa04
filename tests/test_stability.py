"""How steady a path is: areas against SciPy's, runs and neighbours against what is plainly there."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import trapezoid
from scipy.spatial import KDTree

from augimpact.augment.parameters import CATALOGUE
from augimpact.errors import ParameterError, SweepError
from augimpact.stability import confidence_area, nearest_to_neutral, stable_run
from augimpact.sweep import Sweep

SCORE = st.floats(0, 1)


@given(path=st.lists(st.tuples(SCORE, st.floats(0.01, 50)), min_size=2, max_size=40), start=st.floats(-180, 180))
def test_the_area_agrees_with_scipy_forwards_and_backwards(path, start):
    scores, steps = np.array(path).T
    positions = start + np.cumsum(steps)
    expected = trapezoid(scores, positions) / (positions[-1] - positions[0])
    area = confidence_area(scores, positions)
    assert area == pytest.approx(expected, abs=1e-9)
    assert scores.min() - 1e-12 <= area <= scores.max() + 1e-12
    assert confidence_area(scores[::-1], positions[::-1]) == pytest.approx(area, abs=1e-9)


def test_the_area_of_known_curves_is_known():
    angles = np.linspace(0, np.pi, 1001)
    assert confidence_area(np.sin(angles), angles) == pytest.approx(2 / np.pi, abs=1e-6)
    assert confidence_area([1, 1, 1, 1], [-3, 0, 0, 10]) == 1
    assert confidence_area([0.3], [45]) == 0.3
    # A frame twice in the same place is a jump there, and adds nothing.
    assert confidence_area([1, 1, 0, 0], [0, 5, 5, 10]) == 0.5


@given(states=st.lists(st.integers(0, 2), min_size=1, max_size=30), data=st.data())
def test_a_run_is_the_group_of_equals_around_its_start(states, data):
    start = data.draw(st.integers(0, len(states) - 1))
    groups = [list(group) for _, group in itertools.groupby(range(len(states)), key=states.__getitem__)]
    own = next(group for group in groups if start in group)
    assert stable_run(states, start) == (own[0], own[-1])


@given(data=st.data(), parameters=st.integers(1, 4))
def test_the_nearest_setting_is_scipys_nearest_neighbour(data, parameters):
    numbers = st.lists(st.floats(-180, 180), min_size=parameters, max_size=parameters)
    settings = np.array(data.draw(st.lists(numbers, min_size=1, max_size=20)))
    neutral = np.array(data.draw(numbers))
    spans = np.array(data.draw(st.lists(st.floats(0.1, 360), min_size=parameters, max_size=parameters)))
    nearest = nearest_to_neutral(settings, neutral, spans)
    distance, _ = KDTree(settings / spans).query(neutral / spans)
    found = np.linalg.norm((settings[nearest] - neutral) / spans)
    assert found == pytest.approx(distance, rel=1e-9, abs=1e-9)


def test_the_nearest_frame_of_a_real_sweep_is_found_whatever_the_units():
    settings = Sweep(rotation=(-60, 60), brightness=(0.2, 1.6), frames=7).settings()
    neutral = [each.neutral for each in CATALOGUE.values()]
    spans = [each.maximum - each.minimum for each in CATALOGUE.values()]
    # At frame 3 nothing is turned and brightness is 0.9; frame 4 is at 20° and 1.13.
    assert nearest_to_neutral(settings.to_numpy(), neutral, spans) == 3
    # Of two that are equally near, the first.
    assert nearest_to_neutral([[1.0], [-1.0]], [0.0], [1.0]) == 0


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: confidence_area([], []), SweepError, r"scores of shape \(0,\)"),
        (lambda: confidence_area([1, 2], [1]), SweepError, r"positions of shape \(1,\)"),
        (lambda: confidence_area([1, 1], [3, 3]), SweepError, "positions from 3 to 3 turn back or stand still"),
        (lambda: confidence_area([1, 1, 1], [0, 5, 3]), SweepError, "turn back"),
        (lambda: confidence_area([1, 1, 1], [0, float("nan"), 3]), SweepError, "expected a path"),
        (lambda: stable_run([1, 1], 2), SweepError, "start is 2; expected the index of one of 2 frames"),
        (lambda: stable_run([1, 1], -1), SweepError, "start is -1"),
        (lambda: stable_run([[1, 1]], 0), SweepError, r"states of shape \(1, 2\)"),
        (lambda: nearest_to_neutral(np.empty((0, 1)), [0], [1]), SweepError, r"settings of shape \(0, 1\)"),
        (lambda: nearest_to_neutral([[1, 2]], [0], [1]), SweepError, r"neutral of \(1,\)"),
        (lambda: nearest_to_neutral([[1]], [0], [0]), ParameterError, "a span is 0; expected a number above 0"),
    ],
)
def test_mistakes_are_named(call, error, words):
    with pytest.raises(error, match=words):
        call()
