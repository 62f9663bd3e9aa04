"""Distributions with marks: each mark stands in the column of its value, in the colour of where that lies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from augimpact.render.marked import ACCENT, ARROW, BAND, BARS, HALF_ARROW, HEAD, LIMITS, ORIGIN, WARN, Marked

WIDTH, HEIGHT = 201, 100
FLOOR = HEIGHT - LIMITS
# From 0 to 1 in ten bins; a column is 0.005 wide.
MARKED = Marked(
    name="brightness",
    counts=(0, 0, 4, 8, 2, 0, 0, 1, 0, 0),
    edges=tuple(np.linspace(0, 1, 11).tolist()),
    low=0.2,
    high=0.8,
    values=(0.5, 0.9, None, 0.0, 0.215),
    places=("40th percentile", "above all", "", "below all", "3rd percentile"),
    original=0.35,
    decimals=2,
)


def columns_of(panel, colour):
    """Those that have this colour all the way from the top of the histogram to its foot."""
    return np.flatnonzero((panel[HEAD:FLOOR] == colour).all(axis=(0, 2))).tolist()


def painted(numbers, marked=MARKED):
    panel = marked.still(WIDTH, HEIGHT)
    marked.paint(panel, numbers)
    return panel


@pytest.mark.parametrize(("number", "column", "colour"), [(0, 100, ACCENT), (1, 180, WARN), (4, 43, ACCENT)])
def test_a_mark_stands_at_its_value(number, column, colour):
    assert columns_of(painted([number]), colour) == [column - 1, column, column + 1]
    other = WARN if colour == ACCENT else ACCENT
    assert columns_of(painted([number]), other) == []


def test_at_the_end_of_the_axis_a_mark_is_cut():
    assert columns_of(painted([3]), WARN) == [0, 1]


def lengths_of(panel, colour):
    """How long this colour is in each row of the histogram that has it, and the columns where these rows end."""
    found = (panel[HEAD:FLOOR] == colour).all(axis=2)
    found = found[found.any(axis=1)]
    return found.sum(axis=1).tolist(), {int(np.flatnonzero(row)[end]) for row in found for end in (0, -1)}


@pytest.mark.parametrize(("value", "edge", "base"), [(50.0, WIDTH - 1, WIDTH - ARROW), (-50.0, 0, ARROW - 1)])
def test_beyond_the_axis_an_arrowhead_points_there(value, edge, base):
    far = replace(MARKED, values=(value,), places=("",))
    # The axis has grown by as much as the data takes, from 0 to 2 or from −1 to 1.
    assert far.column(1.0 if value > 0 else 0.0, WIDTH) == 100
    panel = painted([0], far)
    assert columns_of(panel, WARN) == []
    lengths, ends = lengths_of(panel, WARN)
    assert len(lengths) == 2 * HALF_ARROW + 1
    assert lengths == lengths[::-1]
    assert max(lengths) == lengths[HALF_ARROW] == ARROW
    assert lengths[:HALF_ARROW] == sorted(lengths[:HALF_ARROW])
    assert {edge, base} <= ends
    # All rows begin at the base; only the tip is at the edge.
    assert min(abs(each - edge) for each in ends - {edge}) >= 1


def test_the_original_beyond_the_axis_is_an_arrowhead_too_apart_from_the_pictures():
    far = replace(MARKED, values=(0.5, 60.0), places=("", ""), original=50.0)
    still = far.still(WIDTH, HEIGHT)
    assert lengths_of(still, ORIGIN)[0][HALF_ARROW] == ARROW
    assert lengths_of(painted([1], far), ORIGIN) == lengths_of(still, ORIGIN)
    lowest = replace(far, original=50.0).still(WIDTH, Marked.least_height)
    rows = np.flatnonzero((lowest == ORIGIN).all(axis=2).any(axis=1))
    assert rows.max() < Marked.least_height - LIMITS


def test_ends_of_the_axis_read_as_zero_only_where_they_are():
    texts = {end: replace(MARKED, edges=(end, 0.018))._limit(end) for end in (0.0, 1e-17, 0.0004, 0.0123)}
    assert texts == {0.0: "0", 1e-17: "0", 0.0004: "0.00040", 0.0123: "0.0123"}


def test_what_is_not_known_is_not_marked():
    assert np.array_equal(painted([2]), MARKED.still(WIDTH, HEIGHT))


def test_several_are_marked_at_once():
    panel = painted(range(5))
    assert columns_of(panel, ACCENT) == [42, 43, 44, 99, 100, 101]
    assert columns_of(panel, WARN) == [0, 1, 179, 180, 181]


def test_the_band_is_from_low_to_high_and_the_original_is_dotted():
    panel = MARKED.still(WIDTH, HEIGHT)
    top = panel[HEAD + 2]
    band = np.flatnonzero((top == BAND).all(axis=1))
    assert (band[0], band[-1]) == (40, 160)
    dots = panel[HEAD:FLOOR, 70]
    assert (dots[:2] == ORIGIN).all()
    assert not (dots[2:4] == ORIGIN).all(axis=1).any()
    without = replace(MARKED, original=None).still(WIDTH, HEIGHT)
    assert not (without[HEAD:FLOOR] == ORIGIN).all(axis=2).any()


def test_bars_are_as_high_as_their_counts():
    panel = MARKED.still(WIDTH, HEIGHT)
    # In each bin, beside the dots of the original.
    heights = (panel[HEAD:FLOOR, 5::20][:, :10] == BARS).all(axis=2).sum(axis=0)
    highest = FLOOR - HEAD
    assert heights.tolist() == pytest.approx([0.96 * count / 8 * highest for count in MARKED.counts], abs=1)


def test_a_constant_measure_of_the_data_stands_in_the_middle():
    constant = replace(MARKED, counts=(3,), edges=(0.4, 0.4), low=0.4, high=0.4, values=(0.4,), original=None)
    assert columns_of(painted([0], constant), ACCENT) == [99, 100, 101]


def test_only_marks_and_what_they_say_change():
    first, second = (painted([number]).astype(int) for number in (0, 4))
    rows, columns, _ = np.nonzero(first - second)
    assert rows.max() < FLOOR
    assert set(columns[rows >= HEAD].tolist()) == {42, 43, 44, 99, 100, 101}
    # The name stays.
    assert columns[rows < HEAD].min() > 90
