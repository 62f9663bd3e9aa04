"""The browser of training sets in JupyterLab: searched, looked at, profiled, and opened in the Explorer."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

import augimpact as ai
from tests.browser.conftest import PATIENCE
from tests.browser.driving import wait_for_sweep
from tests.browser.jupyter import laboratory
from tests.impact.conftest import put_pieces

pytestmark = pytest.mark.browser

BROWSER = ".augimpact-sets"


@pytest.fixture(scope="module")
def page(chromium, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    table = ai.SampleTable.from_folder(put_pieces(folder / "pieces", 5))
    catalog = ai.Catalog(root=folder / "catalog", owner="ann")
    with catalog.create("Four things", description="pieces of the example photographs") as made:
        made.feed(ai.pairs_of_table(table, size=256))
    catalog.create("Another", "segmentation", classes=["road"])
    source = f"import augimpact as ai\nai.SetBrowser(ai.Catalog(root={str(folder / 'catalog')!r}, owner='ann'))"
    with laboratory(chromium, tmp_path_factory.mktemp("notebook"), source, BROWSER) as page:
        yield page


def test_a_set_is_searched_profiled_and_opened(page):
    box = page.locator(BROWSER).first
    expect(box.locator("select option")).to_have_count(6, timeout=PATIENCE)
    box.get_by_placeholder("words of names and classes").fill("thin")
    box.get_by_placeholder("words of names and classes").press("Enter")
    expect(box.locator(".augimpact-set-words")).to_contain_text("pieces of the example photographs")
    expect(box.locator("img")).to_have_count(12)
    box.get_by_role("button", name="panels").click()
    expect(box.get_by_role("tab", name="overview")).to_be_visible(timeout=PATIENCE)
    box.get_by_role("button", name="open").first.click()
    wait_for_sweep(page)
