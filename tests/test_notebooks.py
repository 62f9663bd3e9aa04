"""Every notebook runs from top to bottom, and shows what its text says that it shows."""

from __future__ import annotations

import re

import nbformat
import pytest
from nbclient import NotebookClient

from augimpact.data.imagenette import FOLDER
from tests.conftest import REPOSITORY

NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
DATASET = REPOSITORY / "notebooks" / "dataset.ipynb"
WIDGET, PICTURE, ANIMATION = "application/vnd.jupyter.widget-view+json", "image/png", "image/webp"
# Of the notebook about a dataset: what is done to the data, in the order of the columns that tell of it.
LEAKED, MISLABELLED, DARK, DARK_IN_TRAIN, CUT_SHORT = MISTAKES = (
    "one image of train also in val",
    "one image also under another class",
    "one class dark in train and val",
    "one class dark in train only",
    "one file cut short",
)


class Shown:
    """What the cells of an executed notebook show: how often each kind, and all text as one."""

    def __init__(self, notebook):
        outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
        self.data = [output["data"] for output in outputs if "data" in output]
        printed = [output["text"] for output in outputs if output.output_type == "stream"]
        self.text = "\n".join(printed + [data["text/plain"] for data in self.data])

    def count(self, kind):
        return sum(kind in data for data in self.data)

    def numbers(self, pattern):
        """The numbers in the first place that the pattern matches, one a group."""
        found = re.search(pattern, self.text)
        assert found, f"nothing like {pattern!r} is shown"
        return [float(number) for number in found.groups()]

    def row(self, name, count):
        """So many numbers that follow the name in the first row of a table that has them, true as 1, false as 0."""
        found = re.search(
            rf"^ *{re.escape(name)}((?: +(?:-?\d+\.\d+|True|False)){{{count}}}) *$", self.text, re.MULTILINE
        )
        assert found, f"no row of a table is {name!r} with {count} numbers"
        truth = {"True": 1.0, "False": 0.0}
        return [truth[word] if word in truth else float(word) for word in found[1].split()]

    def tables(self, name):
        """The cells of each row of that name, as texts; of tables too wide to be one as text."""
        pages = "\n".join(data["text/html"] for data in self.data if "text/html" in data)
        rows = [
            re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
            for row in re.findall(r"<tr>.*?</tr>", pages, re.DOTALL)
        ]
        return [cells for head, *cells in filter(None, rows) if head == name]


def augmentation_control(shown):
    assert shown.count(WIDGET) == 2
    assert "disk brake" in shown.text


def models_compared(shown):
    # Both say espresso upright, and only the pruned model changes its mind.
    assert re.search(r"30% pruned 0 .* cup +espresso", shown.text)
    assert not re.search(r"efficientnet-lite0 0 .* espresso", shown.text)
    full_low, full_high, low, high = shown.row("rotation", 4)
    assert full_low == -90 < low < 0 < high < full_high == 90
    # The logits cross at the flip, found to half a degree.
    assert "espresso - cup | cup - espresso" in shown.text
    before, at, after = (shown.numbers(rf"\n{angle}\.\d+ +(-?\d\.\d+)")[0] for angle in (30, 32, 34))
    assert before > abs(at) > 0 > after
    # Two comparisons, two grids, a plot and the picture of the flip.
    assert (shown.count(ANIMATION), shown.count(PICTURE)) == (2, 4)
    assert shown.text.count("Surface(") == 2


def regression(shown):
    assert shown.numbers(r"mean absolute error on 200 new pictures: (\d+\.\d+)")[0] < 0.5
    assert shown.count(WIDGET) == 1
    assert shown.count(ANIMATION) == 2
    assert re.search(r"dots ≥ 6 +dots < 6", shown.text)
    low, high, low_flips, high_flips = shown.row("erase_w", 4)
    assert low == 0 < high < 1
    assert (low_flips, high_flips) == (0, 1)
    # It measures how much white there is: 0.6² of the area, and that much of the count.
    fewest, _ = shown.row("zoom", 2)
    assert fewest == pytest.approx(12 * 0.6**2, abs=1)
    # The second network is steady where the first was not, and pays with noise.
    first_low, _, second_low, second_high = shown.row("brightness", 4)
    assert first_low < 6 < 10 < second_low < second_high < 14
    _, first_high, _, second_high = shown.row("noise", 4)
    assert 14 < first_high < second_high


def time_series(shown):
    assert shown.numbers(r"right on (\d+\.\d)% of 200 new waves")[0] > 97
    assert shown.count(WIDGET) == 1
    assert shown.count(ANIMATION) == 3
    assert re.search(r"square +sine +\d", shown.text)
    assert re.search(r"sine +square +\d", shown.text)
    # Of the square wave's drift the last row: the shift, then how far the map moved, overlap, correlation, what shows.
    moved, _, correlation, visible = shown.row("0.40", 4)
    assert moved < 0.1
    assert correlation > 0.8
    assert visible == 0.6
    assert "Surface(" in shown.text


def your_own(shown):
    assert shown.numbers(r"right on (\d+)% of 100 new crops")[0] >= 95
    assert shown.count(WIDGET) == 1
    assert shown.count(ANIMATION) == 5
    # The command line lists the augmentation of the plugin.
    assert re.search(r"dusk +image +own", shown.text)
    assert re.search(r"cat +coffee +0\.6 ", shown.text)
    # It knows the photographs by their colours.
    assert shown.row("rotation", 1) == [1]
    assert shown.row("hue", 1)[0] < 0.5
    assert "late: maps of (8, 8);  early and late: maps of (16, 16)" in shown.text
    assert "the scores agree" in shown.text


def data(shown):
    assert re.search(
        r"Integrity\(2 exact duplicates, \d+ near duplicates, 2 in label conflicts, .* 1 unreadable\)", shown.text
    )
    assert re.search(r"bad_cap +6 +16\ngood +28 +118\n", shown.text)
    assert "divided bottles: 0\nas they were: True" in shown.text
    # Uniform, count, square root, log, ln n + 1.
    assert shown.row("bad_cap", 5) == [0.333, 0.122, 0.232, 0.293, 0.302]
    assert shown.row("bad_cap", 1)[0] == pytest.approx(0.302, abs=0.015)
    assert shown.numbers(r"good +(\d\.\d+)\nmissing_cap +0\.2\d+\ndtype")[0] == pytest.approx(0.441, abs=0.015)
    assert "equal to the last bit: True" in shown.text
    assert "{'bad_cap': 22, 'good': 146, 'missing_cap': 12} images opened: 0" in shown.text
    assert re.search(r"repeat\(min_size=400\) +540\n", shown.text)
    assert shown.text.count("143 images, 143 files in the cache") == 2
    assert shown.count(PICTURE) == 1


def dataset(shown):
    assert re.search(r"Normalize\(mean=\[0\.\d{3}, 0\.\d{3}, 0\.\d{3}\], std=", shown.text)
    for quiet in ("Shortcuts: .* None tells much of it", "Drift: .* None of them differs much"):
        assert re.search(quiet, shown.text)
    found = {name: list(map(float, shown.tables(name)[0])) for name in ("as it was", *MISTAKES)}
    before = found["as it was"]
    splits, classes, shortcut, drift, unreadable = before
    assert (splits, classes, unreadable) == (0, 0, 0)
    assert shortcut < 0.1
    # Each mistake moves what tells of it, and nothing else but by the image more or less.
    assert found[LEAKED] == [2, 0, shortcut, drift, 0]
    assert found[MISLABELLED][:2] == [0, 2]
    assert found[MISLABELLED][2:] == pytest.approx(before[2:], abs=0.03)
    assert found[CUT_SHORT][:2] == [0, 0]
    assert found[CUT_SHORT][2:] == pytest.approx([shortcut, drift, 1], abs=0.03)
    for mistake in (DARK, DARK_IN_TRAIN):
        assert found[mistake][:2] == [0, 0]
        assert found[mistake][2] > shortcut + 0.3
        assert found[mistake][4] == 0
    assert found[DARK][3] < drift + 0.03
    assert found[DARK_IN_TRAIN][3] > drift + 0.1
    told = {mistake: shown.tables(mistake)[1] for mistake in MISTAKES}
    assert not any("Worry" in earlier for earlier, _ in told.values())
    assert (
        "0 images are there more than once, 2 nearly. "
        "Worry: of those that only look alike 2 are in several splits, if they show the same." in told[LEAKED][1]
    )
    assert (
        "2 images are there more than once, 0 nearly. Worry: of those that are equal 2 are under several labels."
        in told[MISLABELLED][1]
    )
    assert re.search(r"Worry: .*brightness.* alone tell much of it", told[DARK][1])
    assert re.search(r"Worry: .*brightness.* differ", told[DARK_IN_TRAIN][1])
    assert told[CUT_SHORT][1].startswith("1 sample, or its label, could not be used.")
    assert re.search(r"number 0, .*: the image of 100 bytes cannot be decoded", shown.text)
    mild, strong = (list(map(float, shown.tables(name)[0])) for name in ("mild", "too strong"))
    images = shown.numbers(r"Of (\d+) images of train augmentation left")[0]
    assert sum(mild[:3]) < 0.05 * images < 0.5 * images < strong[2]
    assert abs(mild[3]) < 0.02
    assert max(mild[4:]) < 0.2 < 0.25 < min(strong[4:])
    # The part of the sweep that is like the data, and what of it either augmentation takes.
    share, low, high = shown.numbers(r"like the data: (\d+)% of the sweep, from brightness (\d\.\d) to (\d\.\d)")
    assert 30 < share < 95
    assert 0 < low < 0.9 < 1.1 < high
    assert re.search(r"mild, 0\.9 to 1\.1: stays within the data\ntoo strong, 0\.0 to 3\.0: leads out of", shown.text)
    assert sum("data:image/gif;base64," in data.get("text/html", "") for data in shown.data) == 1
    assert "of class 0 class 1 class 2\n" in shown.text
    # The player and the tabs; samples, three panels that are read, two of broken data, one of each augmentation.
    assert (shown.count(WIDGET), shown.count(PICTURE)) == (2, 8)


def impact(shown):
    # Two impacts, each once with its panels.
    assert re.search(r"Impact\(\d+ samples, \d+ settings, fastai:.*without\)", shown.text)
    assert "ImpactComparison('without', 'with': " in shown.text
    assert re.search(r"brightness .*: accuracy at most 5 points below its \d\d\.\d%, with 95% confidence", shown.text)
    assert "\naugmentation = [\n" in shown.text
    # In percentage points, with their intervals: little is lost on photographs as they are, more is gained elsewhere.
    _, _, at_best = shown.row("neutral", 3)
    assert at_best > -5
    gains = re.findall(r"^(?:rotation|brightness) -?\d+\.\d\d +(-?\d+\.\d) +(-?\d+\.\d) +\d+\.\d$", shown.text, re.M)
    assert max(float(at_worst) for _, at_worst in gains) > 5
    found = re.findall(r"brightness +(without|with) +(\d\.\d+) +(\d\.\d+) +\w+ +\w+$", shown.text, re.M)
    widths = {name: float(high) - float(low) for name, low, high in found}
    assert widths["with"] > widths["without"]
    assert "comparison.json curves.csv report.html report.pdf table.parquet" in shown.text


def training_sets(shown):
    assert "{'train': 100, 'test': 25}" in shown.text
    assert "'sensors': ['WV03_VNIR']" in shown.text
    assert shown.text.count("bob sees []") == 2
    assert re.search(r"1 Some Fake Data ann 0 % here\n", shown.text)
    assert re.search(r"\(8, 256, 256\) \[[01]\]\n25 % here", shown.text)
    assert shown.text.count("a batch (32, 8, 256, 256) (32, 1)") == 3
    counts = [int(number) for number in shown.numbers(r"'train': (\d+), 'test': (\d+), 'validation': (\d+)\}")]
    assert sum(counts) == 125
    assert re.search(r"\n\d +0\.0 +22 +\d\.\d+ ", shown.text)
    assert shown.count(WIDGET) == 1


PROMISES = {
    each.__name__: each
    for each in (
        augmentation_control,
        data,
        dataset,
        impact,
        models_compared,
        regression,
        time_series,
        training_sets,
        your_own,
    )
}


def run(path, folder):
    """The notebook, executed in a folder in which nothing may be left."""
    folder.mkdir()
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
    assert list(folder.iterdir()) == []
    return notebook


@pytest.mark.parametrize("path", [path for path in NOTEBOOKS if path != DATASET], ids=lambda path: path.stem)
def test_it_runs_and_was_kept_without_outputs(path, tmp_path):
    notebook = run(path, tmp_path / "beside")
    if path.stem in PROMISES:
        PROMISES[path.stem](Shown(notebook))


@pytest.mark.parametrize("is_there", [True, False], ids=["with Imagenette", "without"])
def test_what_is_told_of_a_dataset_is_true_with_imagenette_and_without(is_there, tmp_path, monkeypatch, request):
    home = tmp_path / "fastai"
    (home / "data").mkdir(parents=True)
    monkeypatch.setenv("FASTAI_HOME", str(home))
    if is_there:
        (home / "data" / FOLDER).symlink_to(request.getfixturevalue("imagenette"), target_is_directory=True)
    else:
        # Nobody is there to fetch it from.
        monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
    notebook = run(DATASET, tmp_path / "beside")
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not any(output.get("name") == "stderr" for output in outputs)
    shown = Shown(notebook)
    assert ("garbage truck" if is_there else "upside down") in shown.text
    PROMISES[DATASET.stem](shown)


def test_every_promise_has_its_notebook():
    assert set(PROMISES) <= {path.stem for path in NOTEBOOKS}
