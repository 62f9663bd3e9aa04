"""The grid's widget alone, called as the browser would call it."""

from __future__ import annotations

import io
import json
import threading

import numpy as np
import pandas as pd
import pytest
import torch
from traitlets import TraitError

import augimpact as ai
from augimpact.grid import SURFACE_FORMATS, surface_payload
from augimpact.render.overlay import colour_table
from augimpact.render.page import bundle
from augimpact.widgets.handing_over import MIME
from augimpact.widgets.surface import HERE
from tests.surfaces import of_classes, of_values
from tests.tasks import SAMPLES, wave_network, waves

SURFACE = of_classes([[0, 1, 1], [0, 0, 1]], ["cat", "dog"])


@pytest.fixture
def view():
    return ai.SurfaceView(SURFACE)


def asked_for(view, monkeypatch, **request):
    """What the widget sends when the page asks for a file."""
    sent, done = [], threading.Event()

    def send(content, buffers=()):
        sent.append((content, buffers))
        done.set()

    monkeypatch.setattr(view, "send", send)
    view._handle_custom_msg({"kind": "save", "request": 3} | request, [])
    assert done.wait(30)
    return sent[0]


def test_it_shows_the_payload_of_its_surface(view):
    assert view.payload == surface_payload(SURFACE)
    assert view.colours == colour_table("viridis").tobytes()
    assert view.chosen == {}


def test_what_is_synced_travels_as_buffers(view):
    from ipywidgets.widgets.widget import _remove_buffers

    state, paths, buffers = _remove_buffers(view.get_state())
    assert sorted(map(tuple, paths)) == [
        ("colours",), ("payload", "best"), ("payload", "ranks"), ("payload", "scores"),
    ]  # fmt: skip
    assert sum(map(len, buffers)) == 768 + 6 * (4 + 4 + 2)
    assert "code" not in state["payload"]


def test_code_goes_along_where_it_is_given():
    assert ai.SurfaceView(SURFACE, code="import augimpact").payload["code"] == "import augimpact"
    view = ai.SurfaceView()
    assert view.payload == {}
    view.show(SURFACE, "two")
    assert view.payload["code"] == "two"


def test_another_surface_forgets_what_was_chosen(view):
    seen = []
    view.observe(lambda change: seen.append(change["new"]), "chosen")
    view.set_state({"chosen": {"rotation": 0.0, "brightness": 2.0}})
    assert seen == [{"rotation": 0.0, "brightness": 2.0}]
    view.show(of_values(np.zeros((2, 3))))
    assert view.chosen == {}
    assert view.payload["kind"] == "value"
    view.clear()
    assert (view.payload, view.surface) == ({}, None)


@pytest.mark.parametrize(
    "chosen", [{"rotation": 1}, {"rotation": 1, "crop": 0.5}, {"rotation": 1, "brightness": "1"},
               {"rotation": 1, "brightness": float("nan")}, {"rotation": 1, "brightness": 1, "crop": 1}],
)  # fmt: skip
def test_what_is_no_setting_of_the_grid_is_refused(view, chosen):
    view.chosen = {"rotation": 90, "brightness": 0.5}
    with pytest.raises(TraitError, match="expected a number for rotation and a number for brightness"):
        view.chosen = chosen
    with pytest.raises(TraitError):
        view.set_state({"chosen": chosen})
    assert view.chosen == {"rotation": 90, "brightness": 0.5}
    with pytest.raises(TraitError, match="expected a surface first"):
        ai.SurfaceView().chosen = {"rotation": 1, "brightness": 1}


def test_every_format_has_its_kind_and_is_offered_by_the_page():
    assert SURFACE_FORMATS.keys() <= MIME.keys()
    offered = bundle(HERE / "surface.js")
    assert all(f'"{suffix}"' in offered for suffix in SURFACE_FORMATS)


def test_files_are_handed_over_as_they_would_be_saved(view, monkeypatch, tmp_path):
    for suffix in (".csv", ".json"):
        content, buffers = asked_for(view, monkeypatch, suffix=suffix)
        assert (content["kind"], content["request"], content["mime"]) == ("file", 3, MIME[suffix])
        assert content["name"] == f"some-picture-rotation-brightness{suffix}"
        assert buffers[0] == SURFACE.save(tmp_path / f"saved{suffix}").read_bytes()
    content, buffers = asked_for(view, monkeypatch, suffix=".png")
    assert buffers[0].startswith(b"\x89PNG")


def test_a_file_is_of_the_surface_that_was_shown_when_it_was_asked_for(view, monkeypatch):
    # Another surface comes while the file is made.
    monkeypatch.setattr(threading.Thread, "start", lambda thread: (view.clear(), thread.run()))
    content, buffers = asked_for(view, monkeypatch, suffix=".csv")
    assert content["kind"] == "file"
    assert len(pd.read_csv(io.BytesIO(buffers[0]))) == 6


@pytest.mark.parametrize("suffix", [".exe", "/../../etc/passwd", None])
def test_what_is_no_format_is_said(view, monkeypatch, suffix):
    content, buffers = asked_for(view, monkeypatch, suffix=suffix)
    assert content["kind"] == "error"
    assert content["text"].startswith("the file could not be made: ")
    assert "expected one of .png, .svg, .pdf, .csv, .json" in content["text"]
    assert not buffers


def test_without_a_surface_there_is_nothing_to_save(monkeypatch):
    content, _ = asked_for(ai.SurfaceView(), monkeypatch, suffix=".png")
    assert content["text"] == "the file could not be made: there is no grid to save yet"


def test_grids_of_signals_are_shown(monkeypatch):
    classifier = ai.Classifier(wave_network(), ["sine", "square"], signal=(1, SAMPLES), name="waves")
    signal = waves([1], torch.Generator().manual_seed(11))[0].numpy()
    surface = ai.analyze_grid(signal, ai.Grid(smooth=(0, 6, 4), shift=(-0.5, 0.5, 3)), classifier)
    view = ai.SurfaceView(surface)
    assert [each["name"] for each in view.payload["axes"]] == ["smooth", "shift"]
    assert view.payload["names"] == surface.ranked()[1]
    content, buffers = asked_for(view, monkeypatch, suffix=".json")
    assert content["name"].endswith("-smooth-shift.json")
    assert len(json.loads(buffers[0])["settings"]) == 12
