"""The outputs of a profile: every one says the same numbers, and whatever a class is called, none breaks."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

import augimpact as ai
from augimpact.errors import OutputError
from augimpact.profiling import drawing, events, report
from augimpact.profiling.drawing import Drawing
from augimpact.profiling.naming import Naming
from augimpact.profiling.page import STYLE, fragment
from augimpact.profiling.panel import Panel, draw_pictures, quiet_fonts, strict
from augimpact.profiling.report import SCHEMA, flat
from augimpact.profiling.result import Profile
from augimpact.profiling.tables import tables_of
from tests.pages import Page
from tests.profiling.reading import pdf_lines, png_chunks

EVIL = "<img src=x onerror=alert(1)>"
NAMES = (EVIL, "$\\frac{$", "日本", "odd-\udcff", 'a, "b"\nc', "=1+1", "</script>")
FILES = ["profile.json", "profile.txt", "report.html", "report.pdf", "samples.csv"]
EVENTS = "tensorboard/events.out.tfevents.profile"


def dataset(seed, count=84):
    random = np.random.default_rng(seed)
    for number in range(count):
        tops = random.integers(40, 256, 3)
        yield random.integers(0, tops, (24, 20 + number % 3 * 8, 3)).astype(np.uint8), number % len(NAMES)


@pytest.fixture(scope="module")
def made():
    return ai.profile(list(dataset(0)), list(dataset(1, 42)), class_names=NAMES, samples=3)


@pytest.fixture(scope="module")
def folder(made, tmp_path_factory):
    place = tmp_path_factory.mktemp("saved") / "new" / "report"
    assert made.save(place) == [place / name for name in (*FILES, EVENTS)]
    return place


@pytest.fixture(scope="module")
def page(folder):
    return Page((folder / "report.html").read_text(encoding="utf-8"))


def numbers_in(value):
    """Every number of some statistics that is in no list, by the names that lead to it."""
    if isinstance(value, dict):
        for name, each in value.items():
            for names, number in numbers_in(each):
                yield (name, *names), number
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield (), value


def statistics_of(panel):
    return strict(panel.statistics)


def test_the_json_is_strict_and_has_what_the_panels_have(made, folder):
    def refuse(name):
        raise AssertionError(name)

    document = json.loads((folder / "profile.json").read_text(encoding="utf-8"), parse_constant=refuse)
    assert document["schema"] == SCHEMA == "augimpact-profile/2"
    assert document["complete"] is True
    assert list(document["panels"]) == [panel.name for panel in made.panels]
    for panel in made.panels:
        told = document["panels"][panel.name]
        assert told == {
            "title": panel.title, "sentence": strict(panel.sentence), "statistics": statistics_of(panel),
        }  # fmt: skip
    assert document["panels"]["summary"]["statistics"]["train"]["images"] == 84


def test_the_text_has_what_the_panels_have(made, folder):
    text = (folder / "profile.txt").read_text(encoding="utf-8")
    parts = dict(re.findall(r"(?<![^\n])([^\n]+)\n=+\n(.*?)(?=\n\n[^\n]+\n=+\n|\Z)", text, re.DOTALL))
    assert list(parts) == [panel.title for panel in made.panels]
    for panel in made.panels:
        sentence, _, rest = parts[panel.title].partition("\n\n")
        assert sentence == strict(panel.sentence)
        for name, value in flat(statistics_of(panel)):
            assert f"{name}: {value}" in rest
            json.loads(value)


def test_the_page_has_what_the_panels_have(made, folder, page):
    carried = json.loads(page.all("script", id="document")[0]["text"])
    assert carried == json.loads((folder / "profile.json").read_text(encoding="utf-8"))
    sections = page.all("section")
    assert len(sections) == len(made.panels)
    for section, panel in zip(sections, made.panels, strict=True):
        first = {each["tag"]: each for each in reversed(section["inside"])}
        assert (first["h2"]["text"], first["p"]["text"]) == (panel.title, strict(panel.sentence))
        assert first["img"]["attributes"]["alt"] == f"{panel.title}: {strict(panel.sentence)}"
        cells = [each["text"] for each in section["inside"] if each["tag"] == "td"]
        for names, number in numbers_in(statistics_of(panel)):
            assert f"{number:g}" if isinstance(number, float) else str(number) in cells, (panel.name, names)


def test_the_page_has_contents_and_a_fold_a_panel(made, page):
    links = [each["attributes"]["href"] for each in page.all("a")]
    assert links == [f"#{each['attributes']['id']}" for each in page.all("section")]
    assert [each["text"] for each in page.all("a")] == [panel.title for panel in made.panels]
    assert len(page.all("details")) == len(made.panels)


def test_the_page_asks_nobody_and_reads_no_name_as_markup(made, page):
    assert all(each["attributes"]["src"].startswith("data:image/png;base64,") for each in page.all("img"))
    assert len(page.all("img")) == len(made.panels)
    assert page.all("link") == page.all("iframe") == []
    assert not any({"onerror", "onclick", "style"} & each["attributes"].keys() for each in page.elements)
    assert EVIL in [each["text"] for each in page.all("th")]
    (script,) = page.all("script")
    assert "<" not in script["text"]
    (style,) = page.all("style")
    assert not re.search(r"url\(|@import|https?:", style["text"])
    policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["attributes"]["content"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert policy.endswith("img-src data:")


def test_the_pictures_are_as_large_as_the_page_says_and_name_no_program(page):
    for element, picture in zip(page.all("img"), page.pictures(), strict=True):
        chunks = dict(png_chunks(picture))
        size = tuple(int.from_bytes(chunks[b"IHDR"][place : place + 4], "big") for place in (0, 4))
        assert size == (int(element["attributes"]["width"]), int(element["attributes"]["height"]))
        assert set(chunks) <= {b"IHDR", b"pHYs", b"IDAT", b"IEND"}


def test_the_pdf_has_what_the_panels_have(made, folder):
    lines = list(pdf_lines((folder / "report.pdf").read_bytes()))
    everything = "\n".join(lines).split()
    for panel in made.panels:
        assert panel.title in lines
        for names, number in numbers_in(statistics_of(panel)):
            assert f"{number:g}" if isinstance(number, float) else str(number) in everything, (panel.name, names)


def test_the_table_has_what_the_panels_are_made_of(made, folder):
    assert made.shows_samples
    table = pd.read_csv(folder / "samples.csv")
    assert list(table) == [
        "split", "index", "class", "width", "height",
        "brightness", "contrast", "sharpness", "saturation", "entropy",
    ]  # fmt: skip
    for split, rows in table.groupby("split"):
        for name in ("brightness", "contrast", "sharpness", "saturation", "entropy", "width", "height"):
            known = statistics_of(made["sizes" if name in ("width", "height") else name])[split]
            known = known.get(name, known)
            assert (len(rows), rows[name].mean()) == (known["count"], pytest.approx(known["mean"], rel=1e-5))
            assert rows[name].median() == pytest.approx(known["median"], rel=1e-5)
        assert rows["class"].value_counts().to_dict() == statistics_of(made["classes"])["counts"][split]


def test_tensorboard_has_what_the_panels_have(made, folder):
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    read = accumulators.EventAccumulator(
        str(folder / "tensorboard"), size_guidance=dict.fromkeys(accumulators.DEFAULT_SIZE_GUIDANCE, 0)
    )
    read.Reload()
    tags = read.Tags()
    expected = {
        "/".join((panel.name, *names)): number
        for panel in made.panels
        for names, number in numbers_in(statistics_of(panel))
    }
    assert set(tags["scalars"]) == set(expected)
    for tag, number in expected.items():
        assert [each.value for each in read.Scalars(tag)] == [pytest.approx(number, rel=1e-6)]
    assert tags["images"] == [f"{panel.name}/figure" for panel in made.panels]
    page = Page((folder / "report.html").read_text(encoding="utf-8"))
    assert [read.Images(tag)[0].encoded_image_string for tag in tags["images"]] == page.pictures()
    for split in ("train", "val"):
        known = statistics_of(made["brightness"])[split]
        (histogram,) = read.Histograms(f"brightness/{split}/histogram")
        assert list(histogram.histogram_value.bucket) == known["histogram"]
        assert list(histogram.histogram_value.bucket_limit) == known["edges"][1:]
        channels = statistics_of(made["colours"])[split]["3 channels"]
        for number, counts in enumerate(channels):
            (histogram,) = read.Histograms(f"colours/{split}/3 channels/{number}")
            assert list(histogram.histogram_value.bucket) == counts
            levels = np.arange(256)
            assert histogram.histogram_value.sum == np.dot(counts, levels)
    for panel in made.panels:
        (event,) = read.Tensors(f"{panel.name}/sentence")
        assert event.tensor_proto.string_val == [strict(panel.sentence).encode()]


def test_tensorboards_file_alone_is_replaced_by_the_next_and_names_no_machine(made, tmp_path):
    first = made.save_tensorboard(tmp_path / "logs")
    assert made.save_tensorboard(tmp_path / "logs") == first
    assert [each.name for each in first.parent.iterdir()] == [events.EVENTS]
    assert socket.gethostname() not in first.name


def test_without_tensorboard_a_folder_has_the_rest_and_the_error_says_what_to_install(made, tmp_path, monkeypatch):
    monkeypatch.setattr(report, "find_spec", lambda name: None)
    made.save(tmp_path / "all")
    assert sorted(each.name for each in (tmp_path / "all").iterdir()) == FILES
    with pytest.raises(OutputError, match=r"pip install 'augimpact\[tensorboard\]'"):
        made.save_tensorboard(tmp_path)


def test_a_figure_is_made_once_for_all_files(made, tmp_path, monkeypatch):
    calls = []
    figure = Panel.figure
    monkeypatch.setattr(Panel, "figure", lambda self: calls.append(self.name) or figure(self))
    made.save(tmp_path / "all")
    assert calls == [panel.name for panel in made.panels]


@pytest.mark.parametrize("name", FILES)
def test_one_file_is_what_the_folder_has(made, folder, tmp_path, name):
    assert made.save(tmp_path / name) == [tmp_path / name]
    assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_a_folder_that_is_there_keeps_its_other_files(made, tmp_path):
    (tmp_path / "notes.md").write_text("mine")
    (tmp_path / "profile.txt").write_text("old")
    made.save(tmp_path)
    assert (tmp_path / "notes.md").read_text() == "mine"
    assert (tmp_path / "profile.txt").read_text() != "old"
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(["notes.md", *FILES, "tensorboard"])


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_cannot_be_written_leaves_nothing(made, tmp_path, monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setitem(report.WRITERS, ".pdf", fail)
    with pytest.raises((OutputError, KeyboardInterrupt), match=r"No space left on device|^$"):
        made.save(tmp_path / "new" / "all")
    assert list(tmp_path.iterdir()) == []


def test_wrong_places_are_named(made, tmp_path):
    with pytest.raises(OutputError, match=r"unknown suffix of a report '.htm'; did you mean .html"):
        made.save(tmp_path / "report.htm")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write to the folder"):
        made.save(tmp_path / "file" / "all")
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_notebook_shows_the_panels_without_ids_and_a_note_if_some_were_not_seen(made):
    page = Page(made._repr_html_())
    assert len(page.all("section")) == len(made.panels)
    assert not any("id" in each["attributes"] for each in page.elements)
    assert page.all("p", **{"class": "part"}) == []
    part = ai.profile(list(dataset(0)), max_samples=21)
    assert not part.complete
    assert Page(part._repr_html_()).all("p", **{"class": "part"})[0]["text"] == "Not all samples were seen."


def test_no_text_of_a_figure_is_cut_off(made):
    for panel in made.panels:
        figure = Drawing(panel).figure
        with quiet_fonts():
            figure.draw_without_rendering()
        width, height = figure.bbox.size
        for text in figure.findobj(Text):
            if text.get_visible() and text.get_text() and text.axes is not None and text.get_rotation() == 0:
                box = text.get_window_extent()
                inside = box.x0 > -2 and box.y0 > -2 and box.x1 < width + 2 and box.y1 < height + 2
                # Ticks beyond the limits have a text, but are not drawn.
                assert inside or text.get_text() in [each.get_text() for each in _ticks(text.axes)], (panel.name, text)


def _ticks(axes):
    return [*axes.get_xticklabels(), *axes.get_yticklabels()]


def test_long_numbers_go_on_on_further_pages_and_stop(tmp_path):
    from matplotlib.backends.backend_pdf import PdfPages

    many = {f"class {number}": {"images": number, "share": 0.5} for number in range(1000)}
    panel = Panel("many", "Many", many, "A thousand.", lambda figure: figure.subplots().bar([0], [0]))
    with PdfPages(tmp_path / "many.pdf") as pages:
        Drawing(panel).add_pages(pages)
        assert 2 < pages.get_pagecount() < 8
    lines = list(pdf_lines((tmp_path / "many.pdf").read_bytes()))
    assert sum(line.startswith("class ") for line in lines) == drawing.MOST_LINES - 1
    assert "lines more: pro" in lines[-1]


@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_pictures_of_any_size_are_each_in_a_cell(count):
    pictures = [np.full((10 + number % 5, 30 - number % 7, 3), number, np.uint8) for number in range(count)]
    panel = Panel(
        "some", "Some", {}, "", lambda figure: draw_pictures(figure, pictures, ["x" * 90] * count, 6), pictures=True
    )
    figure = Drawing(panel).figure
    (image,) = figure.axes[0].images
    canvas = np.asarray(image.get_array())
    shown = canvas[canvas[..., 3] > 0]
    assert len(shown) == sum(each.shape[0] * each.shape[1] for each in pictures)
    assert figure.get_size_inches()[0] == pytest.approx(4.8)
    assert Drawing(panel).png.startswith(b"\x89PNG")


def test_tables_put_side_by_side_what_has_the_same_parts():
    splits = {"a": {"x": 1, "deep": {"y": [1, 2]}}, "b": {"x": None, "deep": {"y": []}}}
    (table,) = tables_of(splits)
    assert table.header == ("", "a", "b")
    assert table.rows == (("x", "1", "–"), ("deep, y", "1, 2", "none"))
    classes = {str(number): {"images": number} for number in range(9)}
    (table,) = tables_of(classes)
    assert table.header == ("", "images")
    assert [row[1] for row in table.rows] == list("012345678")
    titles = [table.title for table in tables_of({"one": True, "groups": [{"split": ["a"], "index": [3]}], "m": {}})]
    assert titles == ["", "groups"]


def test_what_has_no_part_in_common_with_the_others_has_a_table_of_its_own():
    numbers = [{"count": 2, "mean": 4.5, "max": 6}, {"count": 2, "mean": 7, "max": 8}]
    one = {"images": 2, "channels": {"3": 2}, "width": numbers[0], "height": numbers[1]}
    single, sides, channels = tables_of({"train": one})
    assert (single.title, single.rows) == ("train", (("images", "2"),))
    assert (channels.title, channels.header, channels.rows) == ("train: channels", ("", ""), (("3", "2"),))
    assert (sides.title, sides.header) == ("train", ("", "width", "height"))
    assert sides.rows == (("count", "2", "2"), ("mean", "4.5", "7"), ("max", "6", "8"))
    # Splits are compared part by part.
    (table,) = tables_of({"train": one, "val": one | {"channels": {"1": 2}}})
    assert [row for row in table.rows if row[0].startswith("channels")] == [
        ("channels, 3", "2", "–"), ("channels, 1", "–", "2"),
    ]  # fmt: skip


def test_what_is_listed_is_a_row_each_also_of_several_splits():
    rows = [{"index": number, "kind": "OSError"} for number in range(7)]
    first, one, other = tables_of({"a": {"count": 7, "rows": rows}, "b": {"count": 1, "rows": [{"index": 3}]}})
    assert (first.header, first.rows) == (("", "a", "b"), (("count", "7", "1"),))
    assert (one.title, one.header, one.rows[6]) == ("a: rows", ("", "index", "kind"), ("7", "6", "OSError"))
    assert (other.title, other.rows) == ("b: rows", (("1", "3"),))
    single, rest = tables_of({"a": {"count": 7, "rows": rows}})
    assert (single.rows, rest) == ((("count", "7"),), one)


def test_of_a_list_that_is_cut_the_tables_say_how_much_is_missing():
    dark = [np.full((16, 16, 3), number, np.uint8) for number in range(15)]
    light = [np.full((16, 16, 3), 120 + number, np.uint8) for number in range(20)]
    panel = ai.profile([*dark, *light])["odd"]
    assert {"dark", "light"} <= panel.statistics["train"].keys()
    assert panel.statistics["train"]["dark"] == {"count": 15, "indices": list(range(12))}
    (row,) = (row for row in tables_of(panel.statistics)[1].rows if row[0] == "dark")
    assert row == ("dark", "15", "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 … and 3 more")
    failures = [{"index": number, "kind": "OSError"} for number in range(30)]
    statistics = {"train": {"count": 40, "indices": list(range(30)), "failures": failures}}
    begun, rows = tables_of(statistics, begun=True)
    assert begun.rows[1] == ("indices", "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 … and 28 more")
    assert (len(rows.rows), rows.rows[29:]) == (31, (("30", "29", "OSError"), ("…", "and 10 more", "")))
    assert tables_of(statistics)[0].rows[1] == ("indices", "40 values")
    # Of what is counted beside a histogram nothing is missing.
    assert tables_of({"count": 9, "histogram": [4, 5]})[0].rows == (("count", "9"), ("histogram", "4, 5"))


class Failing:
    """A dataset of eight, of which two cannot be read."""

    def __len__(self):
        return 8

    def __getitem__(self, index):
        if index in (2, 5):
            raise OSError(f"disk {index} is gone")
        return np.full((16, 16, 3), index, np.uint8), index % 2


def test_the_reports_list_what_failed_with_its_kind_and_where_samples_are_asked_for_what_it_said(tmp_path):
    for samples, message in ((0, False), (1, True)):
        profile = ai.profile(Failing(), samples=samples)
        expected = [
            {"index": index, "kind": "OSError"} | ({"message": f"disk {index} is gone"} if message else {})
            for index in (2, 5)
        ]
        assert profile["errors"].statistics["train"]["failures"] == expected
        for name in ("report.html", "profile.txt", "profile.json", "report.pdf"):
            profile.save(tmp_path / name)
        document = json.loads((tmp_path / "profile.json").read_text())
        assert document["panels"]["errors"]["statistics"]["train"]["failures"] == expected
        text = (tmp_path / "profile.txt").read_text()
        assert 'train.failures[1].index: 5\ntrain.failures[1].kind: "OSError"' in text
        assert ('train.failures[1].message: "disk 5 is gone"' in text) == message
        cells = [each["text"] for each in Page((tmp_path / "report.html").read_text()).all("td")]
        assert cells[-4 - 2 * message :] == [str(value) for row in expected for value in row.values()]
        pdf = "\n".join(pdf_lines((tmp_path / "report.pdf").read_bytes()))
        assert ("OSError" in pdf, "disk 5 is gone" in pdf) == (True, message)


def test_more_failures_than_are_listed_are_all_in_memory():
    profile = ai.profile([np.zeros((8, 8, 3), np.uint8)] + [np.zeros((8, 0, 3), np.uint8)] * 40)
    errors = profile["errors"].statistics["train"]
    assert (errors["count"], len(errors["indices"]), len(errors["failures"])) == (40, 30, 30)
    assert [failure.number for failure in profile.errors["train"]] == list(range(1, 41))
    assert {failure.message for failure in profile.errors["train"]} == {
        "an image of shape (8, 0, 3); expected at least one pixel"
    }


def test_a_long_list_begins_on_the_page_has_its_length_in_the_pdf_and_is_whole_in_the_json(tmp_path):
    numbers = list(range(100, 140))
    statistics = {"numbers": numbers, "short": [1, 2], "rows": [numbers] * 20}
    panel = Panel("some", "Some", statistics, "Some.", lambda figure: figure.subplots())
    profile = Profile((panel,), {}, True, Naming(), {})
    for name in ("report.html", "report.pdf"):
        profile.save(tmp_path / name)
    begun = "100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111 … and 28 more"
    assert [each["text"] for each in Page((tmp_path / "report.html").read_text()).all("td")] == [
        begun,
        "1, 2",
        "20 values",
    ]
    assert any("40 values" in line for line in pdf_lines((tmp_path / "report.pdf").read_bytes()))
    assert profile.document()["panels"]["some"]["statistics"]["numbers"] == numbers


def test_the_style_is_a_file_of_the_package():
    assert (Path(report.__file__).parent / "report.css").is_file()


@pytest.mark.parametrize(("ratio", "rows"), [(0.6, 1), (1.05, 1), (1.15, 2), (2.05, 2), (2.15, 3), (5, 5), (99, 12)])
def test_a_high_figure_stands_in_as_many_rows_of_cards_as_it_is_high(ratio, rows):
    def draw(figure):
        figure.set_size_inches(2, 2 * ratio)
        figure.subplots()

    panel = Panel("some", "Some", {}, "Some.", draw)
    (section,) = Page(fragment([Drawing(panel)], complete=True)).all("section")
    assert section["attributes"]["class"] == ("chart" if rows == 1 else f"chart rows-{rows}")
    assert rows == 1 or f".rows-{rows} {{ grid-row: span {rows}; }}" in STYLE
