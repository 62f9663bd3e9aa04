"""An impact as files: each says what the others say; the code in the folder runs."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import augimpact as ai
from augimpact.augment.own import forget
from augimpact.errors import OutputError
from augimpact.impact.comparing import compared_ranges
from augimpact.impact.example import example_outcomes
from augimpact.impact.outcomes import SweptPath
from augimpact.impact.panels import impact_panels
from augimpact.impact.report import ranges_of
from augimpact.impact.result import Impact
from tests.impact.test_run import SWEEP, quiet
from tests.pages import Page

NAMES = ["report.html", "report.pdf", "impact.json", "curves.csv", "table.parquet"]


@pytest.fixture(scope="module")
def known() -> Impact:
    """Cats and dogs that are taken for each other beyond 15°, and an image that could not be read."""
    errors = pd.DataFrame({"sample_id": ["x"], "path": ["broken.png"], "error": ["it is no image"]})
    return Impact(example_outcomes(200), errors, {"name": "known", "key": "k", "names": ["cat", "dog"]})


@pytest.fixture(scope="module")
def folder(known, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    known.save(folder)
    return folder


def test_a_folder_has_report_tables_and_code(folder):
    code = [f"augment_{library}.py" for library in ("albumentations", "augimpact", "fastai", "torchvision")]
    assert sorted(path.name for path in folder.iterdir()) == sorted([*NAMES, *code])


def test_the_panels_have_the_known_answer(known):
    panels = {panel.name: panel for panel in impact_panels(known, known.ranges())}
    assert panels["range_0"].statistics["ranges"] == {"rotation": [-10.0, 10.0]}
    assert panels["curve_0"].statistics["accuracy"] == [0, 0, 1, 1, 1, 0, 0]
    assert panels["change_0"].statistics["accuracy_change"] == [-1, -1, 0, 0, 0, -1, -1]
    assert panels["classes_0"].statistics["cat"] == [0, 0, 1, 1, 1, 0, 0]
    flips = panels["flips_0"].statistics["rows"]
    assert [row["share"] for row in flips if row["strength"] in (-20, 20)] == [1, 1]
    assert panels["confusion_0"].statistics["30"][0] | {"strength": 0} == {
        "from": "cat", "to": "dog", "count": 100, "share": 1.0, "strength": 0,
    }  # fmt: skip
    assert panels["errors"].statistics["count"] == 1


def test_the_page_the_json_and_the_table_say_the_same(known, folder):
    document = json.loads((folder / "impact.json").read_text())
    page = Page((folder / "report.html").read_text())
    assert json.loads(page.all("script", id="document")[0]["text"]) == document
    assert document["schema"] == "augimpact-impact/1"
    curve = document["panels"]["curve_0"]["statistics"]
    table = pd.read_csv(folder / "curves.csv")
    np.testing.assert_allclose(curve["accuracy_low"], table["accuracy_low"], atol=1e-5)
    rows = pd.read_parquet(folder / "table.parquet")
    assert len(rows) == known.outcomes.predicted.size
    by_strength = rows.groupby("rotation")["correct"].mean()
    assert by_strength.tolist() == curve["accuracy"]


def test_the_pdf_has_a_page_a_panel(folder):
    content = (folder / "report.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert content.count(b"/Type /Page ") + content.count(b"/Type /Page\n") >= 8


def test_every_panel_draws_a_figure(known):
    for panel in impact_panels(known, known.ranges()):
        picture = panel._repr_png_()
        assert picture.startswith(b"\x89PNG")
        assert "worry" in panel.sentence.lower()


@pytest.mark.parametrize("library", ["augimpact", "torchvision", "albumentations", "fastai"])
def test_the_code_in_the_folder_runs_and_has_the_range(folder, library):
    text = (folder / f"augment_{library}.py").read_text()
    made: dict[str, object] = {}
    exec(compile(text, library, "exec"), made)
    assert "augmentation" in made
    assert "10" in text


def test_code_never_goes_beyond_the_range_where_numbers_are_cut():
    strengths = np.linspace(-30, 30, 8)
    impact = Impact(example_outcomes(200, strengths=strengths, holds=15), pd.DataFrame(), {"name": "k"})
    low, high = impact.ranges()["rotation"]
    code = impact.ranges().as_code("augimpact")
    made: dict[str, ai.RandomAugmentation] = {}
    exec(code, made)
    ((least, most),) = made["augmentation"].ranges.values()
    assert low <= least < low + 0.01
    assert high - 0.01 < most <= high


def test_a_path_that_does_not_pass_neutral_has_a_report_without_ranges(caplog, tmp_path):
    impact = Impact(example_outcomes(50, strengths=(10, 20, 30)), pd.DataFrame(), {"name": "k"})
    assert ranges_of(impact) is None
    assert "no safe ranges" in caplog.text
    assert [path.name for path in impact.save(tmp_path / "out")] == NAMES
    names = json.loads((tmp_path / "out" / "impact.json").read_text())["panels"]
    assert "curve_0" in names
    assert "range_0" not in names


def test_a_path_that_does_not_pass_neutral_takes_no_range_from_others(caplog, tmp_path):
    outcomes = example_outcomes(50, strengths=range(-30, 31, 10))
    (path,) = outcomes.paths
    above = SweptPath(("rotation",), path.rows[4:], path.values[4:])
    impact = Impact(replace(outcomes, paths=(above, path)), pd.DataFrame(), {"name": "k"})
    impact.save(tmp_path / "out")
    assert "no safe range: the path of rotation goes from 10 to 30" in caplog.text
    names = json.loads((tmp_path / "out" / "impact.json").read_text())["panels"]
    assert {"curve_0", "curve_1", "range_1"} <= set(names)
    assert "range_0" not in names
    assert [safe.path for safe in impact.ranges().paths] == [1]
    assert compared_ranges(impact.outcomes, impact.outcomes)["path"].unique().tolist() == [1]


def test_wrong_places_are_named_and_nothing_is_left(known, tmp_path):
    with pytest.raises(OutputError, match=r"unknown suffix of a report '.doc'"):
        known.save(tmp_path / "report.doc")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"):
        known.save(tmp_path / "file" / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_real_impact_is_told_in_a_notebook_and_as_one_file(pieces, classifier, tmp_path):
    found = ai.measure_impact(pieces, SWEEP, classifier, maps=True, progress=quiet)
    fragment = found._repr_html_()
    assert "where it looks" in fragment
    assert "<html" not in fragment
    (file,) = found.save(tmp_path / "curves.csv")
    assert pd.read_csv(file)["n"].tolist() == [12] * 5


def test_classes_may_be_called_anything(tmp_path):
    outcomes = example_outcomes(20)
    outcomes.samples["class"] = [
        "<b>&</b>" if name == "cat" else "\u4e2d\u6587 $x$ " * 9 for name in outcomes.samples["class"]
    ]
    impact = Impact(outcomes, pd.DataFrame(), {"name": "<script>"})
    (file,) = impact.save(tmp_path / "report.html")
    assert "<b>&" not in file.read_text()
    assert "<script>:" not in file.read_text()


def test_the_folders_of_bytes_that_are_no_text_are_measured(classifier, tmp_path):
    """As Linux allows."""
    place = tmp_path / "data" / "caf\udce9"
    place.mkdir(parents=True)
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(place / "a.png")
    found = ai.measure_impact(tmp_path / "data", SWEEP, classifier, folder=tmp_path / "out", progress=quiet)
    assert found.outcomes.samples["class"].tolist() == ["caf\\udce9"]
    assert found.save(tmp_path / "report.html")


def test_a_library_that_does_not_know_ones_own_augmentation_has_no_code(tmp_path, caplog):
    @ai.augmentation("dim", range=(0, 1), neutral=1)
    def dim(batch, value):
        return batch * value

    try:
        outcomes = example_outcomes(strengths=(0.2, 0.6, 1), holds=0.5, parameter="dim")
        files = Impact(outcomes, pd.DataFrame(), {"name": "k"}).save(tmp_path / "out")
    finally:
        forget("dim")
    assert [path.name for path in files] == [*NAMES, "augment_augimpact.py"]
    assert "no code for fastai: dim is an augmentation of one's own" in caplog.text


def test_an_impact_is_read_and_shown_without_torch(known):
    """A light kernel does so."""
    code = "import sys, augimpact.impact.result, augimpact.impact.view; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_code_of_an_earlier_report_does_not_outlive_its_ranges(known, tmp_path):
    known.save(tmp_path / "out")
    assert (tmp_path / "out" / "augment_torchvision.py").exists()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    found = known.save(tmp_path / "out", points=0.001)
    assert not [*(tmp_path / "out").glob("augment_*.py")]
    assert all(file.exists() for file in [*found, tmp_path / "out" / "mine.txt"])
