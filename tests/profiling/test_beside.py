"""Panels of a dataset beside the frames of a trace, in arrays and in the files that are made of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

import augimpact as ai
from augimpact.comparison import Comparison
from augimpact.errors import DataError, OutputError, UserError
from augimpact.measures import MEASURES
from augimpact.profiling.beside import marked_of
from augimpact.profiling.reference import reference_of
from augimpact.render.marked import ACCENT, WARN, Marked
from augimpact.render.picture import PAGE, rgb
from tests.test_trace import TRACE

# The place of the first panel behind the picture.
GAP = 12


def grey(level, spread):
    """A picture whose brightness is the level, its contrast the spread."""
    picture = np.full((32, 32, 3), level, np.uint8)
    picture[::2] += np.uint8(spread)
    picture[1::2] -= np.uint8(spread)
    return picture


def canvas(image):
    return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float() / 255


@pytest.fixture(scope="module")
def reference():
    images = [grey(level, spread) for level in range(60, 200, 10) for spread in (2, 20, 40)]
    return reference_of(images, canvas, progress=lambda *_: None)


@pytest.fixture(scope="module")
def trace():
    """Of four frames, each as dark as its number says; the third is darker than all of the data."""
    frames = np.stack([grey(level, 10) for level in (80, 130, 20, 190)])
    return replace(TRACE, frames=frames, neutral=replace(TRACE.neutral, frames=frames[1:2]))


@pytest.fixture(scope="module")
def profile():
    items = [(grey(level, 10), level % 2) for level in range(60, 90)]
    return ai.profile(items, class_names=["even", "odd"], samples=4, progress=lambda *_: None)


def test_a_measure_is_marked_at_the_frames_value_and_says_where_it_lies(trace, reference):
    marked = marked_of(reference["brightness"], trace)
    assert marked.values == pytest.approx([80 / 255, 130 / 255, 20 / 255, 190 / 255])
    assert marked.original == marked.values[1]
    assert marked.places[2] == "below all"
    # Of 14 levels 2 are darker and one is as dark.
    assert marked.places[0] == "18th percentile"
    assert not reference["brightness"].distribution.holds(marked.values[2])


def test_its_marker_moves_from_frame_to_frame(trace, reference):
    bare, drawn = trace.pictures(), trace.pictures(panels=[reference["brightness"]])
    assert np.array_equal(drawn[:, : bare.shape[1], : bare.shape[2]], bare)
    assert len(drawn) == 4
    # The axis holds the data and the darkest frame.
    low, high = 20 / 255, reference["brightness"].distribution.edges[-1]
    for frame, level in enumerate((80, 130, 20, 190)):
        colour = WARN if level == 20 else ACCENT
        found = np.flatnonzero((drawn[frame, :, bare.shape[2] :] == colour).all(axis=2).sum(axis=0) > 40)
        expected = GAP + (level / 255 - low) / (high - low) * (Marked.width - 1)
        assert found.mean() == pytest.approx(expected, abs=1)


def test_charts_stand_beside_on_the_same_ground(trace, profile):
    bare = trace.pictures(width=448)
    for name in ("classes", "samples"):
        drawn = trace.pictures(width=448, panels=[profile[name]])
        assert np.array_equal(drawn[:, :, :448], bare)
        panel = drawn[0, :, 448:].reshape(-1, 3)
        assert (panel == rgb(PAGE)).all(axis=1).mean() > 0.3
        # Drawn once, and all over the width.
        assert (drawn[1:, :, 448:] == drawn[:1, :, 448:]).all()
        assert len(np.unique(panel, axis=0)) > 20
        # Nowhere is the white that it had.
        assert panel.min(axis=1).max() < 245


def test_measures_and_charts_can_be_mixed(trace, profile, reference):
    drawn = trace.pictures(width=448, panels=[*reference.panels, profile["classes"]])
    assert drawn.shape[1:3] == (504, 448 + GAP + (Marked.width + GAP) + (350 + GAP))


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_an_animation_carries_them_and_has_as_many_frames(tmp_path, trace, reference, suffix):
    bare, beside = tmp_path / f"bare{suffix}", tmp_path / f"beside{suffix}"
    trace.save(bare)
    trace.save(beside, panels=reference.panels)
    expected = trace.pictures(panels=reference.panels)
    with Image.open(bare) as without, Image.open(beside) as animation:
        assert animation.n_frames == without.n_frames == 6
        assert animation.size == (expected.shape[2], expected.shape[1])
        for frame in range(4):
            animation.seek(frame)
            shown = np.asarray(animation.convert("RGB")).astype(int)
            assert np.abs(shown - expected[frame]).mean() < 6


def test_a_gif_shows_markers_in_their_own_colour(tmp_path, trace, reference):
    trace.save(tmp_path / "beside.gif", panels=[reference["brightness"]])
    bare = trace.pictures()
    with Image.open(tmp_path / "beside.gif") as animation:
        for frame, level in enumerate((80, 130, 20, 190)):
            animation.seek(frame)
            panel = np.asarray(animation.convert("RGB"))[:, bare.shape[2] :].astype(int)
            far = np.abs(panel - (WARN if level == 20 else ACCENT)).max(axis=2)
            found = np.flatnonzero((far < 24).sum(axis=0) > 40)
            marked = marked_of(reference["brightness"], trace)
            assert found.mean() == pytest.approx(GAP + marked.column(level / 255, Marked.width), abs=1)


def test_an_mp4_and_a_comparison_carry_them_too(tmp_path, trace, reference):
    import av

    comparison = Comparison({"one": trace, "other": trace})
    pictures = comparison.pictures(panels=reference.panels)
    bare = comparison.pictures()
    assert np.array_equal(pictures[:, : bare.shape[1], : bare.shape[2]], bare)
    assert pictures.shape[2] > bare.shape[2] + Marked.width
    for shown, name in ((trace, "trace.mp4"), (comparison, "comparison.mp4")):
        with av.open(shown.save(tmp_path / name, panels=reference.panels)) as video:
            width = shown.pictures(panels=reference.panels).shape[2]
            assert video.streams.video[0].width == width + width % 2


def test_what_is_no_panel_is_said(trace, reference, profile):
    for panels in ("brightness", reference, reference["brightness"], profile["classes"], 3):
        with pytest.raises(UserError, match="expected a list of panels, such as profile"):
            trace.pictures(panels=panels)
    with pytest.raises(UserError, match="panels has 'brightness'; expected panels, such as"):
        trace.pictures(panels=["brightness"])
    with pytest.raises(DataError, match="unknown panel 'brightnes'; did you mean brightness"):
        reference["brightnes"]
    assert [panel.name for panel in reference.panels] == list(MEASURES)
    assert repr(reference["entropy"]) == "MeasurePanel('entropy')"


def test_a_signal_has_no_place_among_images(trace, reference):
    signal = replace(trace, signals=np.zeros((4, 1, 8), np.float32))
    with pytest.raises(UserError, match="'brightness' is of images; this trace is of a signal"):
        signal.pictures(panels=[reference["brightness"]])


@pytest.mark.parametrize("name", ["a.png", "a.html", "a.csv", "a.npz", "a.json", "a.py"])
def test_other_files_have_no_panels(tmp_path, trace, reference, name):
    with pytest.raises(OutputError, match=r"unknown option of .* files 'panels'"):
        trace.save(tmp_path / name, panels=reference.panels)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.png", "a.gif", "a.csv"])
def test_other_files_have_no_reference(tmp_path, trace, reference, name):
    with pytest.raises(OutputError, match=r"unknown option of .* files 'reference'"):
        trace.save(tmp_path / name, reference=reference)


def test_nothing_is_left_where_a_panel_cannot_be_shown(tmp_path, trace):
    with pytest.raises(UserError, match="expected panels"):
        trace.save(tmp_path / "a.gif", panels=["brightness"])
    assert list(tmp_path.iterdir()) == []
