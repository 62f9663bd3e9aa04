"""The impact's widget and tab, called as the browser would call them."""

from __future__ import annotations

import io
import json
import shutil
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from traitlets import TraitError

import augimpact as ai
from augimpact.data.image import example
from augimpact.errors import UserError
from augimpact.impact.along import Bands, walk_of
from augimpact.impact.curves import curves
from augimpact.impact.drawn import drawn_samples
from augimpact.impact.example import example_outcomes
from augimpact.impact.result import RECIPE as WRITTEN
from augimpact.impact.result import Impact
from augimpact.impact.view import view_of
from augimpact.widgets.app import checked_options
from augimpact.widgets.gallery import Gallery
from augimpact.widgets.impact_beside import RECIPE
from augimpact.widgets.sample_images import SampleImages
from tests.impact.conftest import put_pieces
from tests.widgets.test_explorer import wait_for

SWEEP = {"rotation": (-90, 90)}


def quiet(_done, _total):
    pass


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    return put_pieces(tmp_path_factory.mktemp("impact") / "photographs", 2)


@pytest.fixture(scope="module")
def folder(photographs, classifier, tmp_path_factory):
    place = tmp_path_factory.mktemp("impact") / "measured"
    ai.measure_impact(photographs, ai.Sweep(**SWEEP, frames=5), classifier, folder=place, progress=quiet)
    return place


@pytest.fixture
def impact(folder):
    return Impact.load(folder)


@pytest.fixture
def opened(classifier):
    explorers = []

    def open_explorer(**options):
        explorers.append(ai.Explorer(classifier=classifier, frames=4, **options))
        explorers[-1].controls._handle_custom_msg({"kind": "ready"}, [])
        wait_for(lambda: explorers[-1].trace is not None)
        return explorers[-1]

    yield open_explorer
    for explorer in explorers:
        explorer.close()


def sent_by(view, monkeypatch):
    sent = []
    monkeypatch.setattr(view, "send", lambda content, buffers=(): sent.append((content, buffers)))
    return sent


def numbers(buffer, kind, *shape):
    return np.frombuffer(buffer, kind).reshape(shape)


def test_the_page_gets_the_curves_that_the_report_has():
    outcomes = example_outcomes(40, strengths=(30, -30, 0, 10), wrong=0.2)
    shown = view_of(Impact(outcomes, pd.DataFrame({"path": []}), {"name": "a model"}))
    path = shown["paths"][0]
    assert path["strengths"] == [-30, 0, 10, 30]
    every, by_class = (curves(outcomes, by).sort_values(["group", "strength"]) for by in (None, "class"))
    for metric in ("accuracy", "agreement"):
        found = numbers(path["curves"][metric], "<f4", 3, 3, 4)
        for end, column in enumerate(("", "_low", "_high")):
            assert found[0, end] == pytest.approx(every[f"{metric}{column}"].to_numpy())
            assert found[1:, end].ravel() == pytest.approx(by_class[f"{metric}{column}"].to_numpy())
    score = numbers(path["curves"]["score"], "<f4", 3, 3, 4)
    # Fewer draws of the bootstrap than the report takes.
    assert score[0] == pytest.approx(every[["score", "score_low", "score_high"]].to_numpy().T, abs=0.03)


def test_what_is_told_from_neutral_is_told_from_neutral():
    """Also of a path that does not come there; and such a one takes no range from another."""
    outcomes = example_outcomes(200, strengths=(20, 30, 40), holds=15)
    shown = view_of(Impact(outcomes, pd.DataFrame({"path": []}), {"name": "a model"}))
    assert numbers(shown["resting"]["accuracy"], "<f4", 3)[0] == 1
    assert numbers(shown["paths"][0]["curves"]["accuracy"], "<f4", 3, 3, 3)[0, 0].max() == 0
    assert shown["paths"][0]["safe"] is None
    assert "expected one that passes neutral, 0" in shown["paths"][0]["unsafe"]
    passing = example_outcomes(200, strengths=(-20, 0, 20, 30), holds=15)
    away = replace(passing.paths[0], rows=passing.paths[0].rows[2:], values=passing.paths[0].values[2:])
    both = view_of(Impact(replace(passing, paths=(passing.paths[0], away)), pd.DataFrame({"path": []}), {"name": "m"}))
    assert [path["safe"] is None for path in both["paths"]] == [False, True]


def test_the_band_is_of_the_same_outputs_and_goes_with_its_sweep(impact, opened):
    explorer = opened(impact=impact)
    wait_for(lambda: explorer.player.band)
    state = explorer.controls.state
    explorer.controls.state = state | {"classes": [281, 282]}
    wait_for(lambda: explorer.trace is not None and len(explorer.trace.labels) == 2)
    wait_for(lambda: explorer.player.band == {})
    explorer.controls.state = explorer.controls.state | {"classes": []}
    wait_for(lambda: explorer.player.band)


def test_a_cancel_that_comes_too_late_leaves_nothing_waiting(photographs, opened):
    view = select(opened(data=photographs))
    view._handle_custom_msg({"kind": "cancel"}, [])
    wait_for(lambda: view.task["kind"] == "idle")


def test_a_sample_that_is_opened_again_is_the_same_image(impact):
    images, gallery = SampleImages(impact.outcomes, private=True), Gallery(max_pixels=10**8, private=True)
    assert len({gallery.offer(images.name(1), images.source(1)) for _ in range(4)}) == 1
    assert gallery.offer(images.name(2), images.source(2)) != gallery.offer(images.name(1), images.source(1))


def test_of_many_samples_the_least_robust_travel_and_the_page_says_so():
    outcomes = example_outcomes(300, wrong=0.3)
    shown = view_of(Impact(outcomes, pd.DataFrame({"path": []}), {"name": "a model"}), most=20)
    rows = numbers(shown["samples"]["rows"], "<u4", 20)
    right = outcomes.correct.mean(axis=1)
    assert right[rows].max() <= np.sort(right)[19]
    assert shown["note"] == "The 20 least robust of 300 images are listed."
    assert len(shown["paths"][0]["predicted"]) == 2 * 20 * 7
    assert sum(numbers(shown["paths"][0]["changed"], "<i4", 3, 7)[0]) == int((~outcomes.agrees).sum())


def test_nothing_but_file_names_is_told_of_where_samples_lie(impact, photographs):
    view = ai.ImpactView(impact, private=True)
    assert str(photographs.parent) not in json.dumps(view.payload, default=repr)
    assert set(view.payload["samples"]["names"]) == {"0.png", "1.png"}
    assert set(view_of(impact, sealed=True)["samples"]["names"]) == {f"image {number}" for number in range(8)}


def test_thumbnails_come_in_batches_and_a_file_that_is_gone_has_none(impact, photographs, monkeypatch, tmp_path):
    copied = tmp_path / "copied"
    shutil.copytree(photographs, copied)
    moved = impact.outcomes.samples["path"].str.replace(str(photographs), str(copied), regex=False)
    impact.outcomes.samples["path"] = moved
    Path(moved[1]).unlink()
    view = ai.ImpactView(impact)
    sent = sent_by(view, monkeypatch)
    view._handle_custom_msg({"kind": "thumbnails", "rows": [0, 1, 99, -1]}, [])
    wait_for(lambda: sent)
    content, buffers = sent[0]
    assert content == {"kind": "thumbnails", "rows": [0, 1]}
    assert Image.open(io.BytesIO(buffers[0])).size == (112, 112)
    assert buffers[1] == b""


def test_a_lone_view_says_what_was_opened(impact):
    view, seen = ai.ImpactView(impact), []
    view.observe(lambda change: seen.append(change["new"]), "opened")
    chosen = {"sample": 3, "path": 0, "strength": 45.0, "count": 1}
    view.set_state({"opened": chosen})
    assert seen == [chosen]
    for wrong in ({"sample": 8, "path": 0, "strength": 1}, {"sample": 0, "path": 1, "strength": 1}, {"sample": 0}):
        with pytest.raises(TraitError, match="expected the sample, path and strength"):
            view.opened = wrong


def test_a_view_opens_samples_in_the_explorer_that_it_was_given(impact, opened):
    explorer = opened()
    view = ai.ImpactView(impact, explorer=explorer)
    view.set_state({"opened": {"sample": 5, "path": 0, "strength": 45.0, "count": 1}})
    wait_for(lambda: explorer.controls.state["ranges"] == {"rotation": [-90, 90]})
    # The page tells what it has been given, and the sweep comes.
    name = explorer.controls.state["image"]
    row = impact.outcomes.samples.iloc[5]
    assert name == f"{row['class']}/{Path(row['path']).name}"
    assert name in [each["name"] for each in explorer.controls.images]
    wait_for(lambda: explorer.trace is not None and len(explorer.trace) == 49)
    assert explorer.player.frame == 36
    assert explorer.trace.settings["rotation"][36] == pytest.approx(45)
    assert explorer.player.payload["rests"]
    assert explorer.trace.recipe["image"]["name"] == name
    # Exactly what was measured.
    outcomes = impact.outcomes
    measured = outcomes.scores[5, outcomes.paths[0].rows[3]]
    assert explorer.trace.scores[36, outcomes.labels[5]] == pytest.approx(measured, abs=0.01)


def test_the_band_of_the_dataset_is_put_behind_the_curves_of_its_sweep(impact, opened):
    explorer = opened(impact=impact)
    wait_for(lambda: explorer.player.band)
    band, scores = explorer.player.band, impact.outcomes.scores[:, impact.outcomes.paths[0].rows]
    # −60, −20, 20 and 60 between −90, −45, 0, 45 and 90.
    assert band["mean"] == pytest.approx(np.interp([-60, -20, 20, 60], [-90, -45, 0, 45, 90], scores.mean(axis=0)))
    assert band["high"][0] >= band["mean"][0] >= band["low"][0]
    assert "8 images of the dataset" in band["legend"]
    explorer.controls.state = explorer.controls.state | {"ranges": {"crop": [1, 0.5]}, "sweeps": 1}
    wait_for(lambda: explorer.trace.swept == ("crop",))
    wait_for(lambda: explorer.player.band == {})


def test_a_band_is_there_only_where_it_was_tested_and_for_the_same_things_held():
    bands = Bands(example_outcomes(20))
    sweep = ai.Sweep(rotation=(-60, 60), frames=5)
    assert bands.over(sweep.settings(), sweep.swept)["mean"][::4] == [None, None]
    for other in (ai.Sweep(rotation=(-20, 20), brightness=2), ai.Sweep(rotation=(40, 60)), ai.Sweep(crop=(1, 0.5))):
        assert bands.over(other.settings(), other.swept) == {}


@pytest.mark.parametrize("frames", [2, 5, 13, 100])
@pytest.mark.parametrize("easing", ["linear", "cosine"])
def test_a_path_is_walked_by_a_sweep_that_meets_its_places(frames, easing):
    strengths = ai.Sweep(rotation=(40, -20), frames=frames, easing=easing).settings()["rotation"].to_numpy()
    outcomes = example_outcomes(2, strengths)
    walk = walk_of(outcomes, outcomes.paths[0])
    settings = walk.sweep().settings()["rotation"]
    for strength in strengths:
        assert settings[walk.frame_at(outcomes.paths[0], strength)] == pytest.approx(strength)


def test_values_that_no_easing_gives_are_walked_straight():
    outcomes = example_outcomes(2, [0, 1, 50])
    walk = walk_of(outcomes, outcomes.paths[0])
    assert walk.step == 0
    assert walk.sweep().settings()["rotation"][walk.frame_at(outcomes.paths[0], 1)] == pytest.approx(1, abs=0.6)


def select(explorer):
    explorer._impact.tabs.set_state({"selected": "impact"})
    return explorer._impact.view


def test_the_tab_is_made_when_it_is_opened(folder, opened):
    explorer = opened(impact=folder)
    assert explorer._impact.view is None
    view = select(explorer)
    wait_for(lambda: view.payload and view.task["kind"] == "idle")
    assert view.payload["caption"] == "efficientnet-lite0 · 8 images · 5 settings"
    # Without data there is nothing to measure.
    assert view.task["offer"] == ""
    view.set_state({"opened": {"sample": 2, "path": 0, "strength": -90.0, "count": 1}})
    wait_for(lambda: explorer._impact.tabs.selected == "player")
    wait_for(lambda: explorer.trace is not None and len(explorer.trace) == 49)
    assert (explorer.player.frame, explorer.player.payload["rests"]) == (0, True)


def test_the_pages_sweep_is_measured_over_the_data(photographs, opened):
    explorer = opened(data=photographs)
    view = select(explorer)
    assert view.task["about"] == "rotation −60.0° to 60.0° in 4 steps, over at most 200 images drawn from the data"
    view._handle_custom_msg({"kind": "measure"}, [])
    wait_for(lambda: view.payload and view.task["kind"] == "idle")
    assert view.impact.outcomes.predicted.shape == (8, 5)
    assert view.payload["has_labels"]
    wait_for(lambda: explorer.player.band)


def test_a_measurement_is_cancelled_and_another_request_does_not_wait_for_it(opened):
    explorer = opened(data=[example("cat")] * 20)
    view = select(explorer)
    explorer.controls.state = explorer.controls.state | {"frames": 21}
    view._handle_custom_msg({"kind": "measure"}, [])
    wait_for(lambda: view.task["done"] > 0)
    explorer.controls.state = explorer.controls.state | {
        "settings": explorer.controls.state["settings"] | {"crop": 0.5}
    }
    begun = time.monotonic()
    wait_for(lambda: "crop" in explorer.player.preview.get("tag", ""))
    assert time.monotonic() - begun < 5
    # It goes on by itself.
    done = view.task["done"]
    wait_for(lambda: view.task["kind"] == "running" and view.task["done"] != done)
    view._handle_custom_msg({"kind": "cancel"}, [])
    wait_for(lambda: view.task["kind"] == "idle")
    assert view.task["text"] == "cancelled"
    assert view.payload == {}


def test_a_classifier_that_cannot_be_loaded_ends_the_waiting(tmp_path, opened):
    (tmp_path / "broken.py").write_text("def make():\n    raise RuntimeError('no weights here')\n")
    broken = f"{tmp_path / 'broken.py'}:make"
    explorer = opened(models=[broken], data=[example("cat")] * 2)
    view = select(explorer)
    explorer.controls.state = explorer.controls.state | {"model": explorer.controls.models[1]}
    view._handle_custom_msg({"kind": "measure"}, [])
    wait_for(lambda: view.task["kind"] == "error")
    assert "no weights here" in view.task["text"]


def test_data_of_which_no_image_is_shown_is_told_by_numbers(photographs, opened):
    explorer = opened(data=photographs, show_data=False)
    view = select(explorer)
    view._handle_custom_msg({"kind": "measure"}, [])
    wait_for(lambda: view.payload and view.task["kind"] == "idle")
    assert view.payload["sealed"]
    assert not any("png" in name for name in view.payload["samples"]["names"])
    before = explorer.controls.state
    view.set_state({"opened": {"sample": 2, "path": 0, "strength": 60.0, "count": 1}})
    time.sleep(0.3)
    assert explorer.controls.state == before


def test_what_is_wrong_is_one_sentence(tmp_path, opened, folder):
    assert RECIPE == WRITTEN
    with pytest.raises(UserError, match="has no impact; expected a folder"):
        ai.Explorer(impact=tmp_path)
    with pytest.raises(UserError, match="has no impact"):
        checked_options(None, None, (), 40, None, tmp_path)
    assert checked_options(None, None, (), 40, None, folder).impact == str(folder)
    (tmp_path / RECIPE).write_text("{")
    view = select(opened(impact=tmp_path, private=True))
    wait_for(lambda: view.task["kind"] == "error")
    assert view.task["text"] == "the impact cannot be read or measured; the server's log says why"


def test_a_part_of_the_data_is_drawn_the_same_way_each_time(photographs):
    table = drawn_samples(photographs, 5)
    assert table["path"].tolist() == drawn_samples(photographs, 5)["path"].tolist()
    assert len(table) == 5
    assert drawn_samples((example(name) for name in ("cat", "coffee")), 1).class_names == ("data",)
    for wrong in ({"a": 1}, 7, []):
        with pytest.raises(UserError, match="expected"):
            drawn_samples(wrong, 5)
