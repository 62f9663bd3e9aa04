"""The axis of values: round ends, sensible digits, the same text in Python and in the browser."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augimpact.errors import UserError
from augimpact.render.values import SCORE_AXIS, ValueAxis, fine_number, number

RENDER = Path(__file__).parents[2] / "augimpact" / "render"
finite = st.floats(-1e9, 1e9, allow_subnormal=False)
ROUND = [factor * 10.0**power for power in range(-320, 12) for factor in (1, 2, 5)]


@given(st.lists(finite, min_size=1, max_size=20))
def test_the_axis_holds_all_values_between_round_numbers(values):
    axis = ValueAxis.around(values)
    span = axis.maximum - axis.minimum
    assert axis.minimum <= min(values) + 1e-6 * span
    assert axis.maximum >= max(values) - 1e-6 * span
    # Round: both ends are multiples of 1, 2 or 5 times a power of ten, which goes a few times into the axis.
    steps = [step for step in ROUND if span / 8 <= step <= span * 1.001]
    assert any(
        all(abs(end / step - round(end / step)) < 1e-6 for end in (axis.minimum, axis.maximum)) for step in steps
    )
    shares = axis.shares(values)
    assert ((shares >= 0) & (shares <= 1)).all()


@given(st.lists(finite, min_size=2, max_size=20))
def test_at_least_a_third_of_the_axis_is_used(values):
    axis = ValueAxis.around(values)
    if max(values) > min(values) + 1e-6:
        assert (max(values) - min(values)) / (axis.maximum - axis.minimum) >= 1 / 3


def test_an_axis_of_one_value_or_of_none_has_room_around_it():
    for values in ([3.0], [3.0, math.nan], [0.0], [-0.02]):
        axis = ValueAxis.around(values)
        assert axis.minimum < values[0] < axis.maximum
    assert ValueAxis.around([math.nan, math.inf]) == ValueAxis(0, 1)


def test_probabilities_have_two_decimals_and_no_unit():
    assert [SCORE_AXIS.text(value) for value in (0, 0.005, 0.534, 1)] == ["0.00", "0.01", "0.53", "1.00"]


@pytest.mark.parametrize(
    ("ends", "value", "text"),
    [
        ((0, 10), 7.3123, "7.3"),
        ((0, 400), 123.456, "123"),
        ((-0.01, 0.01), -0.00312, "−0.0031"),
        ((0, 2_000_000), 1_234_567.8, "1234568"),
        ((0, 5e9), 1_234_567_890, "1.23e9"),
        ((0, 1e-8), 3.21e-9, "3.21e-9"),
        ((0, 1), math.nan, "–"),
    ],
)
def test_values_have_the_digits_that_tell_them_apart(ends, value, text):
    assert ValueAxis(*ends).text(value) == text
    assert ValueAxis(*ends, "mm").text(value) == f"{text} mm"


def test_what_lies_outside_is_shown_at_the_end():
    assert ValueAxis(-10, 10).shares([-99, -10, 0, 5, 10, 99, math.nan]).tolist() == [0, 0, 0.5, 0.75, 1, 1, 0]


@pytest.mark.parametrize("ends", [(1, 1), (2, 1), (0, math.inf), (math.nan, 1)])
def test_an_axis_without_length_is_refused(ends):
    with pytest.raises(UserError, match=f"an axis from {ends[0]}"):
        ValueAxis(*ends)


def test_the_browser_writes_and_places_values_as_we_do():
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    random = np.random.default_rng(0)
    axes = [SCORE_AXIS, ValueAxis(-2, 8, "dots"), ValueAxis(0, 400), ValueAxis(0, 5e9), ValueAxis(-1e-8, 1e-8, "m")]
    cases = [(axis, random.uniform(axis.minimum, axis.maximum, 40)) for axis in axes]
    script = """
      import { readFileSync } from "node:fs";
      import { valueShare, valueText } from "./values.js";
      const cases = JSON.parse(readFileSync(0));
      const each = ([axis, values]) => values.map((value) => [valueText(value, axis), valueShare(value, axis)]);
      console.log(JSON.stringify(cases.map(each)));
    """
    content = json.dumps([(axis.payload(), values.tolist()) for axis, values in cases])
    command = [node, "--input-type=module", "-e", script]
    done = subprocess.run(command, cwd=RENDER, input=content, capture_output=True, text=True, check=True)
    for (axis, values), answers in zip(cases, json.loads(done.stdout), strict=True):
        assert [text for text, _ in answers] == [axis.text(value) for value in values]
        assert [share for _, share in answers] == pytest.approx(axis.shares(values).tolist())


@given(st.floats(-10, 10), st.integers(0, 6))
def test_only_zero_reads_as_zero(value, decimals):
    text = fine_number(value, decimals)
    if number(value, decimals).strip("−0."):
        assert text == number(value, decimals)
    elif abs(value) > 1e-10:
        # Two of its digits are there.
        assert float(text.replace("−", "-")) == pytest.approx(value, rel=0.05)
    else:
        assert float(text) == 0


def test_the_browser_writes_small_numbers_as_we_do():
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    random = np.random.default_rng(0)
    small = 10 ** random.uniform(-12, 0, 300) * random.choice([-1, 1], 300)
    cases = [(value, place % 7) for place, value in enumerate([0.0, *small.tolist()])]
    script = """
      import { readFileSync } from "node:fs";
      import { fineNumberText } from "./values.js";
      const cases = JSON.parse(readFileSync(0));
      console.log(JSON.stringify(cases.map(([value, decimals]) => fineNumberText(value, decimals))));
    """
    command = [node, "--input-type=module", "-e", script]
    done = subprocess.run(command, cwd=RENDER, input=json.dumps(cases), capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [fine_number(value, decimals) for value, decimals in cases]


def test_a_minus_sign_is_never_alone_with_zeros():
    assert number(-0.0, 2) == number(-0.004, 2) == "0.00"
