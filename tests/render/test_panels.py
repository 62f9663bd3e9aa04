"""Panels beside pictures: the pictures stay as they were, and the panels stand in columns that are as high."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from augimpact.render.marked import ACCENT, Marked
from augimpact.render.panels import Chart, beside_panels, marked_row, on_dark, on_ground
from augimpact.render.picture import PAGE, rgb
from tests.render.test_marked import MARKED

PICTURES = np.random.default_rng(0).integers(0, 256, (5, 504, 448, 3), dtype=np.uint8)
# Its colour is nowhere else.
GREEN = (0, 250, 0)
COLUMN = Marked.width + 12


def chart(width=4.8, height=2.9):
    def draw(dpi):
        return np.full((round(height * dpi), round(width * dpi), 3), GREEN, np.uint8)

    return Chart("a chart", (width, height), draw)


def box_of(pictures, colour):
    """Left, top, right and bottom of what has this colour."""
    rows, columns = np.nonzero((pictures[0] == colour).all(axis=2))
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


@pytest.mark.parametrize("height", [504, 345, 320, 276])
@pytest.mark.parametrize("cards", [[MARKED], [MARKED] * 5, [chart()], [MARKED, chart(), MARKED], [chart(), MARKED]])
def test_the_pictures_stay_and_their_number_and_height(cards, height):
    drawn = beside_panels(PICTURES[:, :height], cards)
    assert drawn.dtype == np.uint8
    assert drawn.shape[:2] == (5, height)
    assert np.array_equal(drawn[:, :, :448], PICTURES[:, :height])


def test_without_panels_they_are_the_pictures():
    assert beside_panels(PICTURES, []) is PICTURES


@pytest.mark.parametrize(("height", "columns"), [(956, 1), (504, 1), (330, 2), (276, 2), (127, 5)])
def test_distributions_fill_as_many_columns_as_they_need(height, columns):
    drawn = beside_panels(np.zeros((5, height, 448, 3), np.uint8), [MARKED] * 5)
    assert drawn.shape[1:3] == (max(height, drawn.shape[1]), 448 + 12 + columns * COLUMN)
    assert drawn.shape[1] <= max(height, 140)


def test_each_frame_is_marked_at_its_own_value():
    drawn = beside_panels(PICTURES, [MARKED])
    for frame in (0, 4):
        column = 448 + 12 + MARKED.column(MARKED.values[frame], Marked.width)
        marks = (drawn[frame, :, column - 1 : column + 2] == ACCENT).all(axis=(1, 2))
        assert marks.sum() > 50
    assert not (drawn[2] == ACCENT).all(axis=2).any()


def test_a_chart_is_as_wide_as_it_may_be_and_keeps_its_proportions():
    left, top, right, bottom = box_of(beside_panels(PICTURES, [chart()]), GREEN)
    assert (left, top) == (448 + 12, 12 + 22)
    assert (right - left, bottom - top) == (350, round(350 * 2.9 / 4.8))
    # Two stand in one column of this height, and one in a lower one is smaller.
    assert beside_panels(PICTURES, [chart()] * 2).shape[2] == 448 + 12 + 350 + 12
    left, top, right, bottom = box_of(beside_panels(PICTURES[:, :200], [chart()]), GREEN)
    assert bottom - top == 200 - 2 * 12 - 22
    assert right - left == pytest.approx((bottom - top) * 4.8 / 2.9, abs=1)


def test_a_tall_chart_fits_the_height():
    drawn = beside_panels(PICTURES, [chart(4.8, 20)])
    assert drawn.shape[1] == 504
    assert box_of(drawn, GREEN)[3] <= 504 - 12


def test_low_pictures_stand_at_the_top():
    low = PICTURES[:, :64, :64]
    drawn = beside_panels(low, [MARKED])
    assert np.array_equal(drawn[:, :64, :64], low)
    assert (drawn[:, 64:, :64] == rgb(PAGE)).all()


def test_a_row_is_as_wide_as_it_is_told_with_all_marks():
    row = marked_row([MARKED, replace(MARKED, name="entropy")], 700, [0, 4])
    assert row.shape[1] == 700
    left = 12
    wide = (700 - 2 * 12 - 12) // 2
    for column in (left, left + wide + 12):
        for number in (0, 4):
            place = column + MARKED.column(MARKED.values[number], wide)
            assert (row[:, place] == ACCENT).all(axis=1).sum() > 20
    assert marked_row([MARKED] * 5, 240, [0]).shape[1] == 240


def test_charts_are_turned_dark_and_keep_their_hue():
    blue, red = on_dark(np.array([[[36, 87, 214], [209, 73, 91]]], np.uint8))[0].tolist()
    assert max(blue) == blue[2]
    assert max(red) == red[0]
    grey = on_dark(np.full((1, 1, 3), 100, np.uint8))[0, 0].tolist()
    assert max(grey) - min(grey) < 10


def test_what_is_seen_through_shows_the_ground():
    figure = np.zeros((1, 2, 4), np.uint8)
    figure[0, 1] = (9, 8, 7, 255)
    assert on_ground(figure).tolist() == [[list(rgb(PAGE)), [9, 8, 7]]]
