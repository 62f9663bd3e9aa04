"""Pictures for reports: any shape of frame, any kind of value; of probabilities as always."""

from __future__ import annotations

import numpy as np
import pytest

from augimpact.data.image import example
from augimpact.render.look import Look
from augimpact.render.picture import CLASS_COLOURS, draw
from augimpact.render.values import SCORE_AXIS, ValueAxis

SIGNAL = np.full((2, 60, 300, 3), 255, np.uint8)
MAPS = np.zeros((2, 1, 40), np.float32)
USUAL = Look()


def drawn(scores, look=USUAL, frames=SIGNAL, maps=MAPS, **options):
    values = np.array(scores, np.float32)
    return draw(
        frames,
        maps,
        settings=["", "noise 0.10"],
        predictions=["dots", "dots"],
        top_scores=values[:, 0],
        labels=["dots"],
        scores=values,
        look=look,
        **options,
    )


def test_wide_and_tall_frames_keep_their_shape():
    assert drawn([[0.1], [0.2]], Look(caption=False)).shape == (2, 60, 300, 3)
    assert drawn([[0.1], [0.2]], Look(caption=False, width=600)).shape == (2, 120, 600, 3)
    tall = np.zeros((2, 300, 100, 3), np.uint8)
    assert drawn([[0.1], [0.2]], Look(caption=False), frames=tall).shape == (2, 300, 100, 3)
    # What is too narrow for a caption is enlarged in both directions.
    captioned = drawn([[0.1], [0.2]], frames=tall)
    assert captioned.shape[2] == 300
    assert captioned.shape[1] > 900


def test_the_whole_of_a_wide_frame_is_covered_by_its_map():
    photograph = np.asarray(example("rocket").convert("RGB").resize((300, 100)))[None].repeat(2, axis=0)
    maps = np.zeros((2, 1, 3), np.float32)
    maps[:, 0, 2] = 1
    pictures = drawn([[0.1], [0.2]], Look(caption=False, opacity=1, colour_map="viridis"), photograph, maps)
    bright = np.abs(pictures[0].astype(int) - (253, 231, 36)).max(axis=-1) <= 1
    # The right of three cells is brightest from its middle on, from top to bottom, and nowhere in the left half.
    assert bright[:, 252:].all()
    assert not bright[:, :200].any()


def cell(picture):
    """The colour of the first cell of the strip, under a frame that is 60 high."""
    return picture[60 + 22 + 5, 40]


def test_a_cell_is_as_strong_as_the_value_is_high_on_its_axis():
    full = np.array(list(bytes.fromhex(CLASS_COLOURS[0][1:])))
    low, high = drawn([[-20.0], [20.0]], value_axis=ValueAxis(-20, 20, "dots"))
    assert np.array_equal(cell(high), full)
    assert np.array_equal(cell(low), bytearray.fromhex("252b33"))
    middle, beyond = drawn([[0.0], [99.0]], value_axis=ValueAxis(-20, 20, "dots"))
    assert cell(middle) == pytest.approx((cell(low).astype(int) + full) / 2, abs=1)
    assert np.array_equal(cell(beyond), full)


def test_without_an_axis_values_are_probabilities():
    assert np.array_equal(drawn([[0.2], [0.7]]), drawn([[0.2], [0.7]], value_axis=SCORE_AXIS))
    other = drawn([[0.2], [0.7]], value_axis=ValueAxis(0, 10))
    assert not np.array_equal(drawn([[0.2], [0.7]]), other)
