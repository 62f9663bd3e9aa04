"""What the browser is given: the trace, nothing but text and numbers beside it, whatever its shape."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from augimpact.comparison import Comparison
from augimpact.errors import UserError
from augimpact.models.outputs import VALUES, Outputs
from augimpact.payload import described, encoded_maps, payload_of, still_of
from augimpact.sweep import Sweep
from tests.test_trace import SCORES, TRACE, made

BYTES = ("jpegs", "maps", "neutral")


def read_back(payload):
    """The maps as the browser reads them, `(N, h, w)`."""
    shares = np.frombuffer(payload["maps"], "<u2").reshape(-1, payload["height"], payload["width"]) / 65535
    return shares * np.array(payload["highest"])[:, None, None]


@given(arrays(np.float32, array_shapes(min_dims=3, max_dims=3, max_side=6), elements=st.floats(-1e6, 1e6, width=32)))
def test_maps_lose_at_most_half_of_a_65535th_of_their_highest_value(maps):
    payload = encoded_maps(maps, (50, 50))
    assert (payload["height"], payload["width"]) == maps.shape[1:]
    assert len(payload["maps"]) == 2 * maps.size
    highest = np.maximum(maps, 0).max(axis=(1, 2), keepdims=True)
    # The rounding of float32 is added to half a step.
    assert (np.abs(read_back(payload) - np.maximum(maps, 0)) <= highest * (0.5 / 65535 + 1e-6)).all()


def test_a_map_finer_than_its_frame_is_brought_down_to_it_as_pillow_does():
    maps = np.random.default_rng(0).random((2, 1, 900), dtype=np.float32)
    payload = encoded_maps(maps, (60, 200))
    assert (payload["height"], payload["width"]) == (1, 200)
    expected = [np.asarray(Image.fromarray(each).resize((200, 1), Image.Resampling.BILINEAR)) for each in maps]
    assert read_back(payload) == pytest.approx(np.stack(expected), abs=1e-4)
    assert payload["highest"] == maps.max(axis=(1, 2)).tolist()


def test_the_payload_says_of_each_frame_what_the_trace_says():
    payload = payload_of(TRACE)
    assert payload["predictions"] == ["cat", "cat", "dog", "über-<b>"]
    assert payload["values"] == ["0.70", "0.60", "0.60", "0.70"]
    assert payload["labels"] == ["cat", "über-<b>", "dog"]
    assert np.array(payload["scores"]) == pytest.approx(SCORES[:, [0, 2, 1]])
    assert payload["summary"] == "prediction flips at rotation 0.0°, 20.0°"
    assert payload["value_axis"] == {"minimum": 0, "maximum": 1, "unit": "", "bars": False, "decimals": 2}
    assert payload["threshold"] is None
    assert payload["neutral"]["value"] == "0.70"
    assert [Image.open(io.BytesIO(each)).size for each in payload["jpegs"]] == [(32, 32)] * 4
    json.dumps({name: value for name, value in payload.items() if name not in BYTES}, allow_nan=False)


def test_frames_of_any_shape_and_values_of_any_kind_travel():
    values = np.array([[7.31], [-2.5], [3.0], [5.55]], np.float32)
    outputs = Outputs(VALUES, ("depth",), ("mm",), ((-5.0, 10.0),), (5.0,))
    trace = replace(
        made(values, neutral=replace(made(values[:1]), outputs=outputs)),
        frames=np.zeros((4, 20, 90, 3), np.uint8),
        maps=np.ones((4, 1, 12), np.float32),
        outputs=outputs,
    )
    payload = payload_of(trace)
    assert Image.open(io.BytesIO(payload["jpegs"][0])).size == (90, 20)
    assert (payload["height"], payload["width"]) == (1, 12)
    assert payload["labels"] == ["depth"]
    assert payload["predictions"] == ["depth"] * 4
    assert payload["values"] == ["7.3 mm", "−2.5 mm", "3.0 mm", "5.6 mm"]
    assert payload["value_axis"] == {"minimum": -5, "maximum": 10, "unit": "mm", "bars": True, "decimals": 1}
    assert payload["threshold"] == 5
    assert payload["neutral"]["value"] == "7.3 mm"
    assert payload["summary"] == "depth crosses 5 mm at rotation −20.0°, 20.0°"
    steady = replace(trace, scores=values + 100)
    assert payload_of(steady)["summary"] == "depth ≥ 5 mm in every frame"
    # Of one frame only what it shows is said.
    assert payload_of(steady[:1])["summary"] == "depth ≥ 5 mm"
    assert payload_of(TRACE[:1])["summary"] == ""
    steady = payload_of(steady)
    # Values beyond the range that was expected are shown, too.
    assert steady["value_axis"]["minimum"] <= -5
    assert steady["value_axis"]["maximum"] >= 107.31


def test_a_still_is_the_first_frame():
    still, payload = still_of(TRACE), payload_of(TRACE)
    assert still["jpeg"] == payload["jpegs"][0]
    assert still["map"] == payload["maps"][: 2 * 4 * 4]
    assert (still["prediction"], still["value"], still["tag"]) == ("cat", "0.70", payload["tags"][0])
    assert {each["name"]: each["values"] for each in still["numbers"]} == {
        each["name"]: each["values"][:1] for each in payload["numbers"]
    }
    assert dict(zip(still["labels"], still["scores"], strict=True)) == pytest.approx(
        {"cat": 0.7, "dog": 0.2, "über-<b>": 0.1}
    )


def other(labels, scores):
    """The same frames as another classifier sees them."""
    outputs = Outputs.of_classes(labels)
    scores = np.asarray(scores, np.float32)
    targets = scores.argmax(axis=1)
    neutral = replace(TRACE.neutral, scores=scores[:1], outputs=outputs, targets=targets[:1])
    return replace(TRACE, scores=scores, outputs=outputs, targets=targets, maps=TRACE.maps[::-1] * 7, neutral=neutral)


OTHER = other(["rocket", "dog", "cat"], [[0.1, 0.2, 0.7], [0.8, 0.1, 0.1], [0.1, 0.6, 0.3], [0.2, 0.1, 0.7]])


def test_a_second_trace_travels_beside_the_first_with_the_same_classes_first():
    payload = payload_of(Comparison({"one": TRACE, "two": OTHER}))
    second = payload["second"]
    # The code makes both, where it is known how they were made.
    alone = payload_of(TRACE) | {"code": ""}
    assert {name: value for name, value in payload.items() if name not in ("name", "second")} == alone
    assert (payload["name"], second["name"]) == ("one", "two")
    # The first's are cat, über-<b>, dog; of those the second knows two, and one of its own.
    assert second["labels"] == ["cat", "dog", "rocket"]
    assert np.array(second["scores"]) == pytest.approx(OTHER.scores[:, [2, 1, 0]])
    assert second["predictions"] == ["cat", "rocket", "dog", "cat"]
    assert [each["frame"] for each in second["flips"]] == [1, 2, 3]
    assert read_back(second) == pytest.approx(OTHER.maps, abs=1e-4)
    # Frames and measures are the same, and travel once; its maps drift in their own way.
    assert "jpegs" not in second
    assert second["neutral"] is None
    assert [each["name"] for each in second["numbers"]] == ["drift"]
    assert second["numbers"] != [each for each in payload["numbers"] if each["name"] == "drift"]


def test_a_second_trace_of_other_frames_brings_them():
    small = replace(OTHER, frames=OTHER.frames[:, ::2, ::2])
    second = payload_of(Comparison({"one": TRACE, "two": small}))["second"]
    assert [Image.open(io.BytesIO(each)).size for each in second["jpegs"]] == [(16, 16)] * 4


def test_two_that_have_no_class_in_common_show_their_own():
    strange = other(["hat", "shoe", "sock"], OTHER.scores)
    assert payload_of(Comparison({"one": TRACE, "two": strange}))["second"]["labels"] == ["hat", "sock", "shoe"]


def test_values_of_one_unit_share_an_axis():
    def valued(values):
        outputs = Outputs(VALUES, ("depth",), ("mm",), ((-5.0, 10.0),), (5.0,))
        scores = np.array(values, np.float32)[:, None]
        neutral = replace(made(scores[:1]), outputs=outputs)
        return replace(made(scores, neutral=neutral), outputs=outputs, targets=np.zeros(4, np.int64))

    payload = payload_of(Comparison({"one": valued([1, 2, 3, 4]), "two": valued([1, 2, 300, 4])}))
    assert payload["value_axis"] == payload["second"]["value_axis"]
    assert payload["value_axis"]["minimum"] <= -5
    assert payload["value_axis"]["maximum"] >= 300


def test_stills_of_two_stand_beside_each_other():
    still = still_of(Comparison({"one": TRACE, "two": OTHER}))
    assert (still["name"], still["second"]["name"]) == ("one", "two")
    assert still["jpeg"] == payload_of(TRACE)["jpegs"][0]
    assert still["second"]["prediction"] == "cat"
    assert [each["values"] for each in still["numbers"]] == [
        each["values"][:1] for each in payload_of(TRACE)["numbers"]
    ]
    assert [each["name"] for each in still["second"]["numbers"]] == ["drift"]


@pytest.mark.parametrize(
    ("traces", "words"),
    [
        ({}, "was given nothing; expected two traces of equal length"),
        ({"one": TRACE}, r"was given one \(4 frames\); expected two"),
        ({"one": TRACE, "two": TRACE[:2]}, r"was given one \(4 frames\), two \(2 frames\); expected two"),
        (dict.fromkeys(["one", "two", "three"], TRACE), "three .*; expected two"),
    ],
)
def test_only_two_traces_of_equal_length_stand_beside_each_other(traces, words):
    with pytest.raises(UserError, match=words):
        payload_of(Comparison(traces))


def test_around_the_player_stand_the_table_and_the_recipe():
    words = described(TRACE)
    assert words["title"] == "some.jpg"
    assert words["subtitle"] == "4 frames"
    assert described(TRACE[:1])["subtitle"] == "1 frame"
    assert words["columns"][:4] == ["rotation", "brightness", "class 1", "score 1"]
    assert len(words["rows"]) == 4
    assert [text for text, _ in words["rows"][0][:4]] == ["−30.0°", "1.50", "cat", "0.700"]
    assert [number for _, number in words["rows"][0][:4]] == [True, True, False, True]
    facts = dict(words["facts"])
    assert facts["image"] == "some.jpg, hash 00, size 8 × 8"
    assert facts["sweep"] == "rotation −30.0° to 30.0°; brightness 1.50; frames 4, easing linear"
    assert json.loads(words["recipe"]) == TRACE.recipe


def test_recipes_of_any_plain_data_are_told_in_words():
    recipe = {
        "versions": {"python": "3.13"},
        "image": {"name": "a.png"},
        "classifier": {"name": "mine", "layer": None, "labels": list(range(1000)), "frozen": True},
        "method": "gradcam",
        "sweep": {"parameters": {"unheard_of": [0.5, 1.0], "rotation": [0.0, 5.0, -10.0]}, "frames": 3},
    }
    words = described(replace(TRACE, recipe=recipe))
    facts = dict(words["facts"])
    assert words["subtitle"] == "mine · gradcam · 4 frames"
    assert facts["classifier"] == (
        "mine, layer none, labels 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 988 more, frozen yes"
    )
    assert facts["sweep"] == "unheard of 0.5 to 1; rotation 0.0° in 3 values to −10.0°; frames 3"
    # What interests least comes last.
    assert words["facts"][-1][0] == "versions"


def test_a_trace_in_which_nothing_changes_has_rows_all_the_same():
    still = replace(TRACE, settings=Sweep(frames=4).settings())
    words = described(still)
    assert "rotation" not in words["columns"]
    assert [row[0] for row in words["rows"]] == [("cat", False), ("cat", False), ("dog", False), ("über-<b>", False)]
    assert payload_of(still)["axis"] == {"label": "frame", "unit": "", "values": [1, 2, 3, 4]}
