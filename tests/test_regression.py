"""A regression from end to end: dots are counted, some are erased, and count, map and threshold follow."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

import augimpact as ai
from augimpact.errors import TargetError
from augimpact.trace import Trace
from tests.tasks import DOTS_SIDE, MOST_DOTS, dot_counter, dots

ROWS = 6


@pytest.fixture(scope="module")
def counter():
    return ai.Regressor(
        dot_counter(), ["dots"], ranges=[(0, MOST_DOTS)], thresholds=[6], mean=0, std=1, size=DOTS_SIDE, name="counter"
    )


def picture(count: int, seed: int) -> Image.Image:
    image = dots([count], torch.Generator().manual_seed(seed))[0]
    return Image.fromarray((image.permute(1, 2, 0).numpy() * 255).astype(np.uint8))


@pytest.fixture(scope="module")
def trace(counter):
    """From the left more and more is erased: all twelve dots in the end."""
    sweep = ai.Sweep(erase_w=(0, 1), erase_h=1, frames=17)
    return ai.analyze(picture(12, 7), sweep, counter, flip_tolerance=0.01)


def test_the_network_counts_to_within_half_a_dot(counter):
    generator = torch.Generator().manual_seed(99)
    counts = torch.randint(0, MOST_DOTS + 1, (200,), generator=generator)
    with torch.no_grad():
        found = counter.module(dots(counts.tolist(), generator))[:, 0]
    assert (found - counts).abs().mean() < 0.5


def test_the_value_is_shown_and_follows_what_is_erased(trace, counter):
    values = trace.scores[:, 0]
    assert values[0] == pytest.approx(12, abs=1)
    assert values[-1] == pytest.approx(0, abs=1)
    # How many dots are left, counted on the frame itself: one has some 28 white pixels at twice the side 113.
    left = (trace.frames[..., 0] > 127).sum(axis=(1, 2)) / (trace.neutral.frames[0, ..., 0] > 127).sum() * 12
    assert np.abs(values - left).max() < 1.5
    assert trace.table()["value_dots"].tolist() == values.tolist()
    with torch.no_grad():
        fed = counter.prepare(torch.from_numpy(trace.frames).permute(0, 3, 1, 2))
        assert values == pytest.approx(counter.module(fed)[:, 0].numpy(), abs=1e-4)


def test_the_map_lies_on_the_dots_that_are_left(trace):
    """Nothing is counted where black has been put: of the map less than a tenth lies there."""
    for frame in (4, 8, 12):
        erased = trace.settings["erase_w"][frame]
        cells = (np.arange(trace.maps.shape[2]) + 1) / trace.maps.shape[2] <= erased - 1 / trace.maps.shape[2]
        assert trace.maps[frame].sum() > 0
        assert trace.maps[frame][:, cells].sum() < 0.1 * trace.maps[frame].sum()


def test_a_flip_is_where_the_value_crosses_its_threshold(trace, counter):
    flips = trace.flips()
    assert flips["from"].tolist() == ["dots ≥ 6"]
    assert flips["to"].tolist() == ["dots < 6"]
    place = float(flips["erase_w"].iloc[0])
    around = ai.analyze(
        picture(12, 7), ai.Sweep(erase_w=np.clip([place - 0.02, place + 0.02], 0, 1), erase_h=1), counter
    )
    assert around.scores[0, 0] >= 6 > around.scores[1, 0]
    stable = trace.stable_range().loc["erase_w"]
    assert (stable["low"], stable["low_flips"], stable["high_flips"]) == (0, False, True)
    assert stable["high"] == place


def test_pictures_page_and_files_show_the_value(trace, counter, tmp_path):
    for suffix in ("gif", "webp", "mp4", "png", "html", "csv", "json", "npz", "py"):
        trace.save(tmp_path / f"dots.{suffix}")
    payload = ai.Player(trace).payload
    assert payload["value_axis"]["maximum"] == MOST_DOTS
    assert payload["threshold"] == 6
    assert payload["predictions"][0] == "dots"
    again = Trace.load(tmp_path / "dots.npz")
    assert again.outputs == trace.outputs
    assert again.flips().equals(trace.flips())
    assert '"dots"' in (tmp_path / "dots.json").read_text()
    assert 0 <= trace.confidence_area() <= 1


def test_a_grid_and_an_unknown_output(counter):
    surface = ai.analyze_grid(picture(9, 3), ai.Grid(erase_w=(0, 1, 3), brightness=(0.5, 1, 2), erase_h=1), counter)
    assert surface.scores.shape == (2, 3, 1)
    assert surface.table()["prediction"].iloc[-1] == "dots < 6"
    surface.figure()
    with pytest.raises(TargetError, match="unknown output 'lines'"):
        ai.analyze(picture(3, 1), ai.Sweep(frames=2), counter, target="lines")
    with pytest.raises(TargetError, match="counter has no classes to choose from; it gives dots"):
        ai.analyze(picture(3, 1), ai.Sweep(frames=2), counter, classes=["dots", "lines"])
