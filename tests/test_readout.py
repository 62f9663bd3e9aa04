"""What is read off a trace: its numbers are those of the trace, in the order of the frames, as plain data."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from augimpact.models.outputs import VALUES, Outputs
from augimpact.readout import drift_of, event_of, flips_of, numbers_of, path_axis, stability_of
from augimpact.sweep import Sweep
from tests.conftest import mean_luma
from tests.test_trace import TRACE, made


def test_the_measures_of_each_frame_are_those_that_pillow_and_scipy_find():
    series = {each["name"]: each for each in numbers_of(TRACE)}
    assert list(series) == ["brightness", "contrast", "sharpness", "saturation", "entropy", "drift"]
    greys = [Image.fromarray(frame).convert("L") for frame in TRACE.frames]
    means = [mean_luma(Image.fromarray(frame)) for frame in TRACE.frames]
    assert series["brightness"]["values"] == pytest.approx(means, abs=1e-9)
    # Pillow's own entropy and scipy's Laplacian are independent of ours.
    assert series["entropy"]["values"] == pytest.approx([grey.entropy() for grey in greys], abs=1e-6)
    laplacians = [ndimage.laplace(np.asarray(grey, np.float64) / 255, mode="reflect").var() for grey in greys]
    assert series["sharpness"]["values"] == pytest.approx(laplacians, rel=1e-6)
    neutral = mean_luma(Image.fromarray(TRACE.neutral.frames[0]))
    assert series["brightness"]["original"] == pytest.approx(neutral, abs=1e-9)


def test_drift_is_told_in_percent_and_what_is_no_number_is_none():
    maps = TRACE.maps.copy()
    maps[0], maps[1] = TRACE.neutral.maps[0], 0
    (drift,) = drift_of(replace(TRACE, maps=maps, homographies=np.tile(np.eye(3), (4, 1, 1))))
    assert (drift["unit"], drift["original"]) == ("%", None)
    # The neutral map has not moved; an empty one looks nowhere.
    assert drift["values"][0] == pytest.approx(0, abs=1e-6)
    assert drift["values"][1] is None
    assert 0 < drift["values"][2] < 100
    json.dumps(drift, allow_nan=False)


def test_a_signal_has_no_measures_and_a_trace_without_neutral_no_drift():
    signal = replace(TRACE, signals=np.zeros((4, 1, 50), np.float32))
    assert [each["name"] for each in numbers_of(signal)] == ["drift"]
    alone = numbers_of(made())
    assert "drift" not in [each["name"] for each in alone]
    assert all(each["original"] is None for each in alone)


def test_small_numbers_have_digits_enough_to_differ():
    dull = replace(TRACE, frames=(TRACE.frames // 16).astype(np.uint8))
    sharpness = next(each for each in numbers_of(dull) if each["name"] == "sharpness")
    assert f"{sharpness['values'][0]:.{sharpness['decimals']}f}" != f"{0:.{sharpness['decimals']}f}"
    black = replace(TRACE, frames=np.zeros_like(TRACE.frames))
    assert next(each for each in numbers_of(black) if each["name"] == "sharpness")["decimals"] == 2


def test_flips_say_where_and_from_what_to_what():
    flips = flips_of(TRACE, path_axis(TRACE))
    assert [(each["frame"], each["text"], each["from"], each["to"]) for each in flips] == [
        (2, "0.0°", "cat", "dog"), (3, "20.0°", "dog", "über-<b>"),
    ]  # fmt: skip
    assert [each["position"] for each in flips] == pytest.approx([1.5, 2.5])
    assert event_of(TRACE) == "prediction flips"


def test_the_stable_range_is_about_neutral_and_its_ends_say_whether_it_flips_there():
    stability = stability_of(TRACE)
    assert stability["ranges"] == [
        {
            "label": "rotation", "around": "0.0°", "low": "−30.0°", "high": "0.0°", "low_flips": False,
            "high_flips": True,
        }
    ]  # fmt: skip
    # The trapezoids under the scores of "cat": 0.7, 0.6, 0.3, 0.2.
    assert stability["area"]["text"] == f"{(0.65 + 0.45 + 0.25) / 3:.2f}"
    assert "cat" in stability["area"]["about"]


def test_a_path_that_does_not_pass_neutral_has_no_stable_range():
    sweep = Sweep(rotation=(20, 40), frames=4)
    away = replace(made(neutral=TRACE.neutral), settings=sweep.settings())
    assert stability_of(away)["ranges"] == []
    assert stability_of(made())["area"] is None


def test_values_are_told_by_their_output():
    values = np.array([[7.31], [-2.5], [3.0], [5.55]], np.float32)
    outputs = Outputs(VALUES, ("depth",), ("mm",), ((-5.0, 10.0),), (5.0,))
    trace = replace(made(values, neutral=replace(made(values[:1]), outputs=outputs)), outputs=outputs)
    assert event_of(trace) == "depth crosses 5 mm"
    assert [each["to"] for each in flips_of(trace, path_axis(trace))] == ["depth < 5 mm", "depth ≥ 5 mm"]
    assert stability_of(trace)["area"]["about"].startswith("mean of depth over the sweep")


def test_where_nothing_is_swept_the_frames_are_counted():
    still = replace(TRACE, settings=Sweep(frames=4).settings())
    axis = path_axis(still)
    assert axis == {"label": "frame", "unit": "", "values": [1, 2, 3, 4]}
    assert [each["text"] for each in flips_of(still, axis)] == ["2.50", "3.50"]
    assert stability_of(still)["ranges"] == []
