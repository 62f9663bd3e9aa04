"""The panels of a profile as tabs."""

from __future__ import annotations

import numpy as np
import pytest

import augimpact as ai
from augimpact.profiling.naming import Naming
from augimpact.profiling.panel import Panel
from augimpact.profiling.result import Profile
from augimpact.widgets.board import TABS
from tests.pages import Page


@pytest.fixture
def drawn(monkeypatch):
    """The names of panels whose figure was drawn."""
    names = []
    draw = Panel.figure
    monkeypatch.setattr(Panel, "figure", lambda panel: names.append(panel.name) or draw(panel))
    return names


@pytest.fixture(scope="module")
def profile():
    random = np.random.default_rng(0)
    images = [(random.integers(0, 256, (16, 16, 3), dtype=np.uint8), place % 2) for place in range(12)]
    return ai.profile(images, class_names=["<b>cat</b>", "dog"], progress=lambda *_: None)


def test_every_panel_stands_in_one_tab(profile):
    board = ai.Board(profile)
    grouped = [panel.name for panels in board.groups.values() for panel in panels]
    assert sorted(grouped) == sorted(panel.name for panel in profile.panels)
    assert list(board.groups) == list(TABS)
    assert board.groups["overview"][0].name == "summary"
    assert {"brightness", "sharpness", "colours"} <= {panel.name for panel in board.groups["images"]}
    assert {"errors", "duplicates", "odd"} <= {panel.name for panel in board.groups["problems"]}
    assert tuple(board.tabs.names) == TABS


def test_figures_are_drawn_when_their_tab_is_opened(profile, drawn):
    board = ai.Board(profile)
    assert drawn == [panel.name for panel in board.groups["overview"]]
    board.tabs.selected = "images"
    assert drawn[-1] == board.groups["images"][-1].name
    count = len(drawn)
    board.tabs.selected = "overview"
    board.tabs.selected = "images"
    assert len(drawn) == count
    page = board.pages["images"].value
    assert page.count("<img") == len(board.groups["images"])
    for panel in board.groups["images"]:
        assert f'alt="{panel.title}: ' in page
    assert "<img" not in board.pages["classes"].value


def test_numbers_are_folded_beneath_each_figure(profile):
    board = ai.Board(profile)
    board.tabs.selected = "classes"
    page = Page(board.pages["classes"].value)
    panels = board.groups["classes"]
    assert [each["text"] for each in page.all("summary")] == ["Numbers"] * len(panels)
    assert not any("open" in each for each in page.all("details"))
    cells = [each["text"] for each in page.all("td")]
    # Of a class, whose name is no markup.
    assert "<b>cat</b>" in [each["text"] for each in page.all("th")]
    assert cells.count("6") >= 2


def plain(name, title="Title", sentence="A sentence."):
    return Panel(name, title, {}, sentence, lambda figure: figure.subplots())


def profile_of(*panels, complete=True):
    return Profile(tuple(panels), {}, complete, Naming(), {})


def test_text_is_never_markup():
    board = ai.Board(profile_of(plain("errors", "<i>Errors</i>", "in <script>alert(1)</script>")))
    assert list(board.groups) == ["problems"]
    page = board.pages["problems"].value
    assert "&lt;i&gt;Errors&lt;/i&gt;" in page
    assert "<script>" not in page


def test_panels_that_are_new_find_their_place():
    names = ("summary", "box_faults", "object_sizes", "hue")
    board = ai.Board(profile_of(*map(plain, names)))
    assert {tab: [panel.name for panel in panels] for tab, panels in board.groups.items()} == {
        "overview": ["summary"], "images": ["hue"], "classes": ["object_sizes"], "problems": ["box_faults"],
    }  # fmt: skip


def test_it_says_when_not_all_was_seen_and_shows_nothing_of_nothing():
    assert "Not all samples" in ai.Board(profile_of(plain("summary"), complete=False)).children[0].value
    empty = ai.Board(profile_of())
    assert empty.groups == empty.pages == {}
    assert empty.children == ()
