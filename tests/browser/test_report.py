"""The page of a profile in a real Chromium."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser

import augimpact as ai

# From the end of each figure to the foot of its card, in pixels.
BLANKS = """() => [...document.querySelectorAll("section")].map((card) => {
    const [figure, foot] = ["img", "details"].map((each) => card.querySelector(each).getBoundingClientRect());
    return [card.querySelector("h2").textContent, foot.top - figure.bottom, card.getBoundingClientRect().width];
})"""


@pytest.fixture(scope="module", params=[2, 20, 60])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with so many pictures of each split."""
    draw = np.random.default_rng(0)
    train, val = (
        [(draw.integers(0, 256, (60, 80, 3), dtype=np.uint8), number % 3) for number in range(60)] for _ in range(2)
    )
    place = tmp_path_factory.mktemp("report") / "report.html"
    ai.profile(train, val, samples=request.param, progress=lambda *_: None).save(place)
    return place


# The lines of each word and number in a table, by the text of its cell; names of rows may break anywhere.
LINES = """() => [...document.querySelectorAll(".numbers thead th, .numbers td")].map((cell) => {
    const words = [...cell.textContent.matchAll(/[^ ]+/g)].map((word) => {
        const range = document.createRange();
        range.setStart(cell.firstChild, word.index);
        range.setEnd(cell.firstChild, word.index + word[0].length);
        return range.getClientRects().length;
    });
    return [cell.textContent, Math.max(0, ...words)];
})"""


@pytest.mark.parametrize("width", [400, 900])
def test_no_word_of_a_table_is_broken(chromium: Browser, tmp_path: Path, width: int) -> None:
    dark = [np.full((16, 16, 3), number % 20, np.uint8) for number in range(1500)]
    ai.profile(dark, progress=lambda *_: None).save(tmp_path / "report.html")
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.goto((tmp_path / "report.html").as_uri())
    page.evaluate("() => document.querySelectorAll('details').forEach((each) => each.open = true)")
    found = page.evaluate(LINES)
    page.close()
    assert {"count", "indices", "1500"} <= {text for text, _ in found}
    assert not [text for text, lines in found if lines > 1]


@pytest.mark.parametrize("width", [500, 1000, 1400, 1900])
def test_no_card_is_drawn_out_by_a_high_one_beside_it(chromium: Browser, report: Path, width: int) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.goto(report.as_uri())
    found = page.evaluate(BLANKS)
    page.close()
    assert {"Samples", "Outermost images", "Duplicates", "Summary"} <= {title for title, *_ in found}
    # A card is about as high as wide; the summary is a low table.
    assert not [each for each in found if each[0] != "Summary" and each[1] > 0.55 * each[2]]
