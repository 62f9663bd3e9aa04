"""A dataset that can be read in two ways, in JupyterLab: the cell ends with an error, and a choice beneath goes on."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.driving import wait_until
from tests.browser.jupyter import laboratory

pytestmark = pytest.mark.browser

SOURCE = """\
import numpy as np, augimpact as ai
random = np.random.default_rng(0)
train = [
    {"rgb": random.integers(0, 256, (60, 80, 3), np.uint8), "depth": random.random((3, 30, 30)).astype(np.float32),
     "label": number % 3, "weather": number % 2}
    for number in range(40)
]
ai.profile(train, samples=6)"""
QUESTION = ".augimpact-question"
OUTPUT = ".jp-OutputArea-output"


@pytest.fixture(scope="module")
def page(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with laboratory(chromium, tmp_path_factory.mktemp("asked"), SOURCE, QUESTION) as page:
        yield page


def test_the_question_is_beneath_the_error(page):
    error, question = page.locator(OUTPUT, has_text="AmbiguousData"), page.locator(QUESTION).first
    assert "pass images='.rgb' or images='.depth'" in error.inner_text()
    assert error.bounding_box()["y"] + error.bounding_box()["height"] <= question.bounding_box()["y"]
    expect(page.get_by_role("button", name="Profile", exact=True)).to_be_disabled()
    choices = page.locator(".widget-dropdown option").all_inner_texts()
    # Spaces are kept by being others.
    assert [choice.replace("\xa0", " ") for choice in choices] == [
        "choose…", ".rgb: ndarray of shape (60, 80, 3), uint8", ".depth: ndarray of shape (3, 30, 30), float32",
    ]  # fmt: skip


def test_choosing_and_pressing_asks_the_next_question_and_then_shows_the_board(page):
    button = page.get_by_role("button", name="Profile", exact=True)
    page.locator(".widget-dropdown select").first.select_option(index=1)
    expect(page.locator("code", has_text="images='.rgb'")).to_be_visible()
    button.click()
    expect(page.locator(".widget-dropdown select")).to_have_count(2)
    expect(button).to_be_disabled()
    page.locator(".widget-dropdown select").nth(1).select_option(label=".label: int")
    button.click()
    board = page.locator(".augimpact-profile")
    board.first.wait_for()
    told = page.locator(f"{QUESTION} code").all_inner_texts()
    assert told == ["ai.answered_profile()", "ai.profile(train, samples=6, images='.rgb', labels='.label')"]
    assert page.locator(".widget-dropdown").count() == 0
    assert "40 images" in board.first.inner_text()
    titles = page.locator(".augimpact-tabbed [role=tab]")
    assert titles.all_inner_texts() == ["Overview", "Images", "Classes", "Problems"]


def test_numbers_are_folded_beneath_each_figure(page):
    card = page.locator(".augimpact-profile section", has=page.get_by_role("heading", name="Summary"))
    assert not card.locator("table").first.is_visible()
    card.locator("summary").click()
    expect(card.locator("tr", has_text="images").first).to_contain_text("40")
    card.locator("summary").click()
    page.locator(".augimpact-tabbed [role=tab]", has_text="problems").click()
    wait_until(page, "() => document.querySelectorAll('.augimpact-profile').length === 2")


def test_the_next_cell_has_the_profile(page):
    page.locator(".jp-Notebook .cm-content").last.click()
    page.keyboard.type("ai.answered_profile()['summary'].statistics['train']['images']")
    page.keyboard.press("Shift+Enter")
    expect(page.locator(".jp-OutputArea-executeResult").last).to_contain_text("40")


@pytest.mark.parametrize(("theme", "dark"), [("JupyterLab Dark", True), ("JupyterLab Light", False)])
def test_its_colours_follow_the_theme(page, theme, dark):
    page.locator(".lm-MenuBar-itemLabel", has_text="Settings").click()
    page.locator(".lm-Menu-itemLabel", has_text="Theme").first.hover()
    page.locator(".lm-Menu-itemLabel", has_text=theme).first.click()
    wait_until(page, "(dark) => document.body.dataset.jpThemeLight === String(!dark)", arg=dark)
    page.wait_for_timeout(500)
    for selector in (f"{QUESTION} code", ".augimpact-profile section:visible"):
        file = io.BytesIO(page.locator(selector).first.screenshot())
        shown = np.asarray(Image.open(file).convert("L"))
        ground = np.median(shown)
        assert (ground < 90) == dark, selector
        assert np.abs(shown.astype(int) - ground).max() > 100, selector
