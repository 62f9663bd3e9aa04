"""Two impacts beside each other: figures and files say what the statistics say, and what cannot be compared is told."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import augimpact as ai
from augimpact.errors import DataError, OutputError
from augimpact.impact.comparing import compared_curves, compared_ranges, only_one_right
from augimpact.impact.example import example_outcomes
from augimpact.impact.result import Impact
from tests.impact.test_run import SWEEP, quiet
from tests.networks import small_network
from tests.pages import Page

FILES = ["report.html", "report.pdf", "comparison.json", "curves.csv", "table.parquet"]


def known(holds: float, count: int = 200, **options) -> Impact:
    """Cats and dogs that are taken for each other beyond a strength."""
    return Impact(example_outcomes(count, holds=holds, **options), pd.DataFrame(), {"name": f"{holds:g}", "names": []})


@pytest.fixture(scope="module")
def compared() -> ai.ImpactComparison:
    return ai.compare_impacts({"without": known(15), "with": known(25)})


@pytest.fixture(scope="module")
def folder(compared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("compared")
    assert [path.name for path in compared.save(folder)] == FILES
    return folder


def panels_of(compared, **options):
    return {panel.name: panel for panel in compared.panels(**options)}


def test_the_panels_have_the_known_answer(compared):
    panels = panels_of(compared)
    assert list(panels) == ["ranges_0", "compared_0", "compared_classes_0", "only_one_0"]
    ranges = panels["ranges_0"].statistics
    assert [list(ranges[name]["ranges"]["rotation"]) for name in ("without", "with")] == [[-10, 10], [-20, 20]]
    curves = panels["compared_0"].statistics
    assert curves["without"]["accuracy"] == [0, 0, 1, 1, 1, 0, 0]
    assert curves["with"]["accuracy"] == [0, 1, 1, 1, 1, 1, 0]
    assert curves["difference"]["accuracy"] == [0, 1, 0, 0, 0, 1, 0]
    assert curves["difference"]["strength"] == [-30, -20, -10, 0, 10, 20, 30]
    assert panels["compared_classes_0"].statistics["cat"] == [0, 1, 0, 0, 0, 1, 0]
    assert panels["only_one_0"].statistics["alone"] == {"without": [0] * 7, "with": [0, 200, 0, 0, 0, 200, 0]}


def test_the_sentence_says_where_it_gains_most_with_its_interval():
    first, second = known(15, wrong=0.1, seed=1), known(25, wrong=0.1, seed=2)
    compared = ai.compare_impacts({"without": first, "with": second})
    told = compared_curves(first.outcomes, second.outcomes).query("impact == 'difference'")
    best = told.loc[told["accuracy"].idxmax()]
    value, low, high = (100 * best[name] for name in ("accuracy", "accuracy_low", "accuracy_high"))
    assert 70 < low < value < high < 90
    said = f"'with' is furthest ahead at Rotation {'−' if best['strength'] < 0 else ''}20.0°, by +{value:.1f} points"
    sentence = panels_of(compared)["compared_0"].sentence
    assert f"{said} (+{low:.1f} to +{high:.1f})".lower() in sentence.lower()


def test_tables_are_those_of_the_statistics(compared):
    pair = compared.pair
    names = ("without", "with")
    pd.testing.assert_frame_equal(compared.curves("class"), compared_curves(*pair, "class", names=names))
    pd.testing.assert_frame_equal(compared.ranges(points=10), compared_ranges(*pair, names=names, points=10))
    pd.testing.assert_frame_equal(compared.only_one_right(20), only_one_right(*pair, 20, names=names))
    assert compared.only_one_right(20)["right"].tolist() == ["with"] * 200
    table = compared.table()
    assert table.groupby("impact")["correct"].sum().to_dict() == {"with": 200 * 5, "without": 200 * 3}


def test_options_are_those_of_the_safe_ranges():
    compared = ai.compare_impacts({"a": known(15, wrong=0.2), "b": known(25, wrong=0.2, seed=3)})
    narrow, wide = (panels_of(compared, points=points)["ranges_0"].statistics for points in (1, 30))
    assert (narrow["a"]["points"], wide["a"]["points"]) == (1, 30)
    assert narrow["b"]["ranges"]["rotation"] != wide["b"]["ranges"]["rotation"]


def test_every_panel_draws_both_and_the_difference(compared):
    for panel in compared.panels():
        assert panel._repr_png_().startswith(b"\x89PNG")
        assert "worry" in panel.sentence.lower()
    both, away = panels_of(compared)["compared_0"].figure().axes
    assert [text.get_text() for text in both.get_legend().get_texts()] == ["without", "with"]
    drawn = away.get_lines()[0]
    assert drawn.get_ydata().tolist() == [0, 1, 0, 0, 0, 1, 0]
    # A band to each curve.
    assert (len(both.collections), len(away.collections)) == (2, 1)


def test_the_files_say_the_same(compared, folder):
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    document = json.loads((folder / "comparison.json").read_text())
    page = Page((folder / "report.html").read_text())
    assert json.loads(page.all("script", id="document")[0]["text"]) == document
    assert document["schema"] == "augimpact-impact-comparison/1"
    assert document["recipes"] == {"without": {"name": "15"}, "with": {"name": "25"}}
    curves = pd.read_csv(folder / "curves.csv")
    for name, told in document["panels"]["compared_0"]["statistics"].items():
        rows = curves[curves["impact"] == name]
        for column, values in told.items():
            np.testing.assert_allclose(rows[column], values, atol=1e-5)
    assert len(pd.read_parquet(folder / "table.parquet")) == 2 * 200 * 7
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")


def test_a_notebook_shows_it_as_a_part_of_its_page(compared):
    fragment = compared._repr_html_()
    assert "rotation: both safe ranges" in fragment
    assert "<html" not in fragment
    assert repr(compared) == "ImpactComparison('without', 'with': 200 samples, 7 settings)"


def test_a_path_that_does_not_pass_neutral_has_no_ranges():
    beyond = {"a": known(15, strengths=(10, 20, 30)), "b": known(25, strengths=(10, 20, 30))}
    assert list(panels_of(ai.compare_impacts(beyond))) == ["compared_0", "compared_classes_0", "only_one_0"]


def test_names_may_be_anything_but_the_difference(tmp_path):
    compared = ai.compare_impacts({"strength": known(15), "<b>$x$</b>": known(25)})
    (file,) = compared.save(tmp_path / "report.html")
    assert "<b>$x$" not in file.read_text()
    assert panels_of(compared)["only_one_0"].statistics["alone"]["strength"] == [0] * 7


@pytest.mark.parametrize(
    ("impacts", "told"),
    [
        ({"a": known(15)}, r"impacts are named \['a'\]; expected two names, neither 'difference'"),
        ({"a": known(15), "difference": known(15)}, "expected two names, neither 'difference'"),
        ({1: known(15), "1": known(25)}, r"impacts are named \['1'\]"),
        ({"a": known(15), "b": known(15, 199)}, "sample '00199' and 0 others are in one alone"),
        ({"a": known(15), "b": known(15, strengths=(-30, 0, 30))}, "expected the same sweeps"),
    ],
)
def test_what_cannot_be_compared_is_refused_at_once(impacts, told):
    with pytest.raises(DataError, match=told):
        ai.compare_impacts(impacts)


def test_wrong_places_are_named(compared, tmp_path):
    with pytest.raises(OutputError, match=r"unknown suffix of a report '.doc'"):
        compared.save(tmp_path / "report.doc")
    assert list(tmp_path.iterdir()) == []


def test_two_classifiers_over_the_same_photographs(pieces, classifier, tmp_path):
    """Of an untrained one it is known only that it is no better."""
    other = small_network()
    names = {"tabby": 0, "espresso": 1, "missile": 0, "motor scooter": 1}
    named = {name: other.labels[number] for name, number in names.items()}
    good = ai.measure_impact(pieces, SWEEP, classifier, progress=quiet)
    poor = ai.measure_impact(pieces, SWEEP, other, labels=named, progress=quiet)
    compared = ai.compare_impacts({"small": poor, "built-in": good})
    assert len(compared.pair.first) == 12
    told = compared.curves().query("impact == 'difference' and strength == 0")
    expected = good.outcomes.correct[:, 0].mean() - poor.outcomes.correct[:, 0].mean()
    assert told["accuracy"].iloc[0] == pytest.approx(expected)
    assert json.loads(compared.save(tmp_path / "both.json")[0].read_text())["recipes"]["small"]["name"] == other.name
