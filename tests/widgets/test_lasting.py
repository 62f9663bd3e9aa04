"""The picture that stays of a trace, and when there is one."""

from __future__ import annotations

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import augimpact as ai
from augimpact.data.image import EXAMPLES, example
from augimpact.profiling.beside import marked_of
from augimpact.profiling.reference import reference_of
from augimpact.render.panels import marked_row
from augimpact.widgets.lasting import contact_sheet


def opened(sheet: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(sheet)) as image:
        assert image.format == "JPEG"
        return np.asarray(image)


@pytest.fixture(scope="module")
def trace(classifier):
    return ai.analyze("example:cat", ai.Sweep(rotation=(-60, 60), frames=20), classifier)


@pytest.mark.parametrize(("frames", "rows", "columns"), [(1, 1, 1), (3, 1, 3), (6, 2, 4), (20, 2, 4)])
def test_a_sheet_has_up_to_eight_pictures_in_rows_of_four(trace, frames, rows, columns):
    part = trace[:frames]
    pictures = part.pictures(width=240)
    height = pictures.shape[1]
    sheet = opened(contact_sheet(part))
    assert sheet.shape == (rows * height, columns * 240, 3)
    # First and last frame, within a JPEG's loss; where there is no picture the sheet is white.
    assert np.abs(sheet[:height, :240].astype(int) - pictures[0]).mean() < 4
    last = min(frames, 8) - 1
    top, left = last // columns * height, last % columns * 240
    assert np.abs(sheet[top : top + height, left : left + 240].astype(int) - pictures[-1]).mean() < 4
    if frames == 6:
        assert sheet[height + 8 :, 2 * 240 + 8 :].min() > 240


def test_a_sheet_is_on_the_scale_of_the_whole_sweep(trace):
    """Else a faint map would be shown as a strong one, as soon as the frames between are left out."""
    brightest = int(trace.maps.max(axis=(1, 2)).argmax())
    chosen = np.linspace(0, 19, 8).round().astype(int)
    assert brightest not in chosen, "this test needs a sweep whose strongest map is not on the sheet"
    alone = trace[:1].pictures(width=240)[0].astype(int)
    assert np.abs(opened(contact_sheet(trace))[:240, :240] - alone[:240]).mean() > 2


def test_what_is_wide_has_two_columns_that_can_be_read(trace):
    wide = replace(trace, frames=np.repeat(trace.frames, 2, axis=2))
    height = wide.pictures(width=480).shape[1]
    assert opened(contact_sheet(wide)).shape == (4 * height, 2 * 480, 3)


def test_a_comparison_has_its_variants_beside_each_other(trace):
    sweep = ai.Sweep(rotation=(-60, 60), frames=4)
    comparison = ai.compare("example:cat", sweep, methods=["gradcam", "layercam"])
    pictures = comparison.pictures(width=240)
    height, width = pictures.shape[1:3]
    sheet = opened(contact_sheet(comparison))
    assert sheet.shape == (2 * height, 2 * width, 3)
    assert np.abs(sheet[height:, width:].astype(int) - pictures[3]).mean() < 4


@pytest.fixture(scope="module")
def reference(classifier):
    images = [example(name) for name in EXAMPLES]
    return reference_of(images, classifier.canvas, progress=lambda *_: None)


def test_beneath_it_stands_where_its_frames_lie_in_the_data(trace, reference):
    bare, sheet = opened(contact_sheet(trace)), opened(contact_sheet(trace, reference))
    height, width = bare.shape[:2]
    assert np.abs(sheet[:height].astype(int) - bare).mean() < 2
    marked = [marked_of(panel, trace) for panel in reference.panels]
    chosen = np.linspace(0, 19, 8).round().astype(int).tolist()
    expected = marked_row(marked, width, chosen)
    assert sheet.shape == (height + len(expected), width, 3)
    assert np.abs(sheet[height:].astype(int) - expected).mean() < 4


def test_a_signal_has_no_such_row(trace, reference):
    signal = replace(trace, signals=np.zeros((20, 1, 8), np.float32))
    assert contact_sheet(signal, reference) == contact_sheet(signal)


def test_the_picture_that_stays_follows_the_data(trace, reference, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.update_display", lambda output, **_: shown.append(output["image/jpeg"]))
    player = ai.Player()
    # As in a notebook.
    player._lasting._displayed = True
    player.show(trace)
    player.show_reference(reference)
    player.show_reference(None)
    expected = [contact_sheet(trace, each) for each in (None, reference, None)]
    assert [base64.b64decode(each) for each in shown] == expected
    # When the image is gone the last picture stays.
    player.clear()
    player.show_reference(reference)
    assert len(shown) == 3
    player.close()


def test_outside_of_a_notebook_nothing_but_the_widget_is_displayed(trace, capsys):
    player = ai.Player(trace)
    player._ipython_display_()
    assert "augimpact-lasting" not in player._dom_classes
    # Nor is a picture made of what comes later.
    player.show(trace)
    assert capsys.readouterr().out.count("Trace(") == 1
    player.close()


def test_a_widget_that_was_closed_can_still_be_displayed(trace, capsys):
    player = ai.Player(trace)
    player.close()
    player._ipython_display_()
    assert "Player" in capsys.readouterr().out
