"""Grids: every combination is asked about once, and table and figure say so."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import augimpact as ai
from augimpact.errors import Cancelled, OutputError, ParameterError, SweepError, TargetError
from augimpact.grid import surface_payload
from augimpact.models.outputs import Outputs
from augimpact.render.values import ValueAxis
from tests.surfaces import of_classes, of_values, surface_of


@pytest.fixture(scope="module")
def surface(classifier):
    return ai.analyze_grid("example:rocket", ai.Grid(rotation=(-90, 90, 5), brightness=(0.2, 3, 3)), classifier)


def test_the_surface_is_that_of_single_sweeps(surface, classifier):
    assert surface.scores.shape == (3, 5, 1000)
    for row, brightness in enumerate(surface.up):
        trace = ai.analyze(
            "example:rocket", ai.Sweep(rotation=(-90, 90), brightness=float(brightness), frames=5), classifier
        )
        assert surface.scores[row] == pytest.approx(trace.scores, abs=1e-5)
        assert surface.predictions[row].tolist() == trace.predictions.tolist()
    assert surface.outputs.names[surface.target] == "missile"


def test_the_table_has_a_row_a_setting(surface, tmp_path):
    table = surface.table()
    assert len(table) == 15
    assert table["rotation"].tolist()[:5] == [-90, -45, 0, 45, 90]
    assert table["brightness"].tolist()[:6] == pytest.approx([0.2] * 5 + [1.6])
    assert table["score"].to_numpy() == pytest.approx(surface.scores.max(-1).ravel())
    read = pd.read_csv(surface.save(tmp_path / "grid.csv"), index_col=0)
    assert read["prediction"].tolist() == table["prediction"].tolist()
    document = json.loads(surface.save(tmp_path / "grid.json").read_text())
    assert document["recipe"]["grid"]["parameters"] == {"rotation": [-90, 90, 5], "brightness": [0.2, 3, 3]}
    assert len(document["settings"]) == 15


def test_the_figure_shows_score_and_prediction(surface, tmp_path):
    left, right = surface.figure().axes[:2]
    shown = left.collections[0].get_array()
    assert np.asarray(shown).reshape(3, 5) == pytest.approx(surface.scores[..., surface.target])
    names = [text.get_text() for text in right.get_legend().get_texts()]
    assert set(names) == {surface.outputs.names[index] for index in np.unique(surface.predictions)}
    for suffix in ("png", "svg", "pdf"):
        assert surface.save(tmp_path / f"grid.{suffix}").stat().st_size > 1000
    assert Image.open(tmp_path / "grid.png").width > 1000
    assert surface._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"rotation": (0, 9, 3)}, SweepError, "a grid of 1 running parameters; expected two"),
        ({"rotation": (0, 9), "crop": (1, 0.5, 3)}, SweepError, "rotation is .*expected .start, end, steps."),
        ({"rotation": (0, 9, 1), "crop": (1, 0.5, 3)}, SweepError, "2 to 2000 steps"),
        ({"rotation": (0, 9, 2.5), "crop": (1, 0.5, 3)}, SweepError, "2 to 2000 steps"),
        ({"rotation": (0, 270, 3), "crop": (1, 0.5, 3)}, ParameterError, "rotation is 270"),
        ({"rotation": (0, 9, 100), "crop": (1, 0.5, 100)}, SweepError, "100 × 100 settings; expected at most 2000"),
        ({"rotation": (0, 9, float("nan")), "crop": (1, 0.5, 3)}, SweepError, "2 to 2000 steps"),
        ({"rotation": (0, 9, float("inf")), "crop": (1, 0.5, 3)}, SweepError, "2 to 2000 steps"),
        ({"rotation": (5, 5, 3), "crop": (1, 0.5, 3)}, SweepError, "two different ends"),
        ({"rotation": [[0, 9, 3]], "crop": (1, 0.5, 3)}, SweepError, "expected .start, end, steps."),
        ({"rotatoin": (0, 9, 3), "crop": (1, 0.5, 3)}, ParameterError, "did you mean rotation"),
    ],
)
def test_mistakes_are_named(arguments, error, words):
    with pytest.raises(error, match=words):
        ai.Grid(**arguments)


def test_an_unknown_suffix_is_named(surface, tmp_path):
    with pytest.raises(OutputError, match=r"suffix '\.gif'; expected one of \.png"):
        surface.save(tmp_path / "grid.gif")


def test_one_class_is_drawn(classifier):
    grid = ai.Grid(rotation=(-9, 9, 2), brightness=(0.5, 1, 2))
    options = {"target": "tabby", "seed": 3, "border": "edge", "classes": ["tabby", "lynx"]}
    named = ai.analyze_grid("example:cat", grid, classifier, **options)
    assert named.outputs.names[named.target] == "tabby"
    recipe = named.recipe
    assert {name: recipe[name] for name in options} == options
    assert {"image", "classifier", "second", "versions", "grid"} <= set(recipe)
    for target in ("follow", "tabby - lynx"):
        with pytest.raises(TargetError, match="is more than one class; a grid draws the score of one"):
            ai.analyze_grid("example:cat", grid, classifier, target=target)
    assert repr(named) == "Surface(2 × 2 settings of 'cat', rotation × brightness)"


def test_a_grid_of_signals_is_not_for_images(classifier):
    with pytest.raises(ParameterError, match="window changes signals; expected parameters of images"):
        ai.analyze_grid("example:cat", ai.Grid(window=(1, 0.5, 2), shift=(0, 1, 2)), classifier)


def test_progress_is_told_and_a_cancelled_grid_stops_at_the_next_chunk(classifier):
    grid = ai.Grid(rotation=(-30, 30, 4), brightness=(0.5, 2, 3))
    told = []
    ai.analyze_grid("example:cat", grid, classifier, chunk=4, progress=lambda done, total: told.append((done, total)))
    # The one frame that tells what neutral is does not count.
    assert told == [(4, 12), (8, 12), (12, 12)]
    told.clear()
    with pytest.raises(Cancelled):
        ai.analyze_grid(
            "example:cat", grid, classifier, chunk=4,
            progress=lambda done, total: told.append(done), cancelled=lambda: bool(told),
        )  # fmt: skip
    assert told == [4]


def test_states_are_ranked_by_how_often_they_occur():
    surface = of_classes([[3, 3, 0], [3, 1, 1]], ["a", "b", "c", "d"])
    ranks, names, counts = surface.ranked()
    assert names == ["d", "b", "a"]
    assert counts == [3, 2, 1]
    assert ranks.tolist() == [[0, 0, 2], [0, 1, 1]]
    ranks, names, counts = of_values([[1, 6, 5], [7, 8, 9]]).ranked()
    assert (names, counts) == (["dots ≥ 5 mm", "dots < 5 mm"], [5, 1])
    assert ranks.tolist() == [[1, 0, 0], [0, 0, 0]]


def test_the_page_is_given_the_targets_scores_and_the_states(surface):
    payload = surface_payload(surface)
    scores, best = (np.frombuffer(payload[name], "<f4").reshape(3, 5) for name in ("scores", "best"))
    assert np.array_equal(scores, surface.scores[..., surface.target])
    table = surface.table()
    assert best.ravel().tolist() == table["score"].tolist()
    ranks = np.frombuffer(payload["ranks"], "<u2")
    assert [payload["names"][rank] for rank in ranks] == table["prediction"].tolist()
    assert payload["counts"] == table["prediction"].value_counts().tolist()
    across, up = payload["axes"]
    assert across == {
        "name": "rotation", "label": "rotation", "unit": "degrees", "neutral": 0.0, "values": [-90, -45, 0, 45, 90],
    }  # fmt: skip
    assert (up["name"], up["neutral"], up["values"]) == ("brightness", 1.0, pytest.approx([0.2, 1.6, 3]))
    assert (payload["target"], payload["kind"], payload["threshold"]) == ("missile", "score", None)
    assert payload["value_axis"] == ValueAxis(0, 1).payload()
    # Nothing but plain types and bytes: JSON takes all the rest.
    json.dumps({name: each for name, each in payload.items() if not isinstance(each, bytes)})


def test_values_are_given_with_their_axis_and_threshold():
    values = np.linspace(-3, 9, 12).reshape(3, 4)
    payload = surface_payload(of_values(values))
    assert np.frombuffer(payload["scores"], "<f4").tolist() == values.astype(np.float32).ravel().tolist()
    assert payload["best"] is None
    assert (payload["target"], payload["kind"], payload["threshold"]) == ("dots", "value", 5.0)
    assert payload["value_axis"] == ValueAxis(-10, 10, "mm", bars=True).payload()
    # What passes the expected range is still told apart, in the page and in the figure.
    beyond = of_values(values * 2)
    assert surface_payload(beyond)["value_axis"]["maximum"] == 20
    assert beyond.figure().axes[0].collections[0].get_clim() == (-10, 20)


def test_as_many_states_as_a_grid_can_have_are_told_apart():
    states = np.arange(2000).reshape(40, 50)
    payload = surface_payload(of_classes(states, [f"class {index}" for index in range(2000)]))
    assert np.frombuffer(payload["ranks"], "<u2").tolist() == list(range(2000))
    assert payload["names"][1999] == "class 1999"
    assert sum(len(each) for each in payload.values() if isinstance(each, bytes)) == 2000 * 10


def test_the_figure_runs_from_start_to_end_wherever_neutral_is():
    grid = ai.Grid(crop=(0.9, 0.5, 5), brightness=(1.5, 2.5, 3))
    scores = np.ones((3, 5, 1))
    left, right = surface_of(scores, Outputs.of_classes(["only"]), grid=grid).figure().axes[:2]
    for axes in (left, right):
        assert axes.get_xlim() == pytest.approx((0.95, 0.45))
        assert axes.get_ylim() == pytest.approx((1.25, 2.75))
