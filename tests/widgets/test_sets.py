"""The browser of training sets, without a page."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
from PIL import Image

import augimpact as ai
from augimpact.widgets.sets import PICTURES, picture_of
from tests.impact.conftest import put_pieces


@pytest.fixture
def catalog(tmp_path):
    """Two sets, of photographs and of boxes."""
    catalog = ai.Catalog(root=tmp_path / "sets", owner="ann")
    table = ai.SampleTable.from_folder(put_pieces(tmp_path / "pieces", 5))
    with catalog.create("Four <things>", description="on & under") as made:
        made.feed(ai.pairs_of_table(table, size=64))
        made.feed(list(ai.pairs_of_table(table, size=64))[:3], "test")
    with catalog.create("boxes", "object_detection") as boxed:
        boxed.feed([(np.zeros((8, 16, 16), np.uint16), {"a": [[0, 0, 4, 4]]})])
    return catalog


@pytest.fixture
def browser(catalog):
    made = ai.SetBrowser(catalog)
    yield made
    made.close()


def wait_for(condition):
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come")


def test_what_is_found_is_listed_and_the_first_is_shown(browser):
    assert [each.name for each in browser.found] == ["boxes", "Four <things>"]
    assert browser.chosen.name == "boxes"
    browser._text.value = "four"
    assert [each.name for each in browser.found] == ["Four <things>"]
    assert browser._list.options == ("2 · Four".replace("2", "1") + " <things> · classification · 23 pairs · ann",)
    told = browser._about.value
    assert "on &amp; under" in told
    assert "train 20, test 3" in told
    assert "3×64×64 uint8" in told
    assert "espresso, missile, motor scooter, tabby" in told
    browser._text.value = "nothing like it"
    assert (browser.found, browser.chosen, browser._about.value) == ([], None, "")
    assert browser._list.options == ("nothing is found",)
    browser._text.value, browser._kind.value = "", "object_detection"
    assert [each.name for each in browser.found] == ["boxes"]


def test_pictures_are_of_the_group_and_open_in_the_explorer(browser):
    browser._text.value = "four"
    assert len(browser._pictures.children) == PICTURES
    first, button = browser._pictures.children[0].children
    assert Image.open(io.BytesIO(first.value)).size == (112, 112)
    assert "label: [1, 0, 0, 0]" in button.tooltip
    browser._group.value = "test"
    assert len(browser._pictures.children) == 3
    browser._pictures.children[2].children[1].click()
    shown = browser.explorer
    assert browser._opened.children == (shown,)
    opened = shown._gallery.open(shown.controls.state["image"])
    assert np.array_equal(np.asarray(opened), browser.chosen.group("test")[2].array().transpose(1, 2, 0))
    browser._pictures.children[0].children[1].click()
    assert browser.explorer is not shown


def test_panels_are_measured_when_they_are_asked_for(browser):
    browser._text.value = "four"
    assert browser.board is None
    browser._profile.click()
    wait_for(lambda: browser.board is not None)
    assert browser.board.profile["classes"].statistics["counts"]["train"]["tabby"] == 5
    assert browser._panels.children == (browser.board,)
    browser._text.value = ""
    assert (browser.board, browser._panels.children) == (None, ())


def test_what_cannot_be_read_is_said(browser, tmp_path):
    browser._text.value = "four"
    browser.chosen._reader.close()
    for file in (tmp_path / "sets").rglob("*.h5"):
        file.unlink()
    browser._group.value = "test"
    assert "is not in its folder" in browser._said.value


@pytest.mark.parametrize(("bands", "dtype"), [(1, "uint8"), (3, "uint8"), (8, "uint16"), (4, "float32"), (2, "int16")])
def test_any_image_is_a_picture(bands, dtype):
    values = np.random.default_rng(0).integers(0, 200, (bands, 20, 30)).astype(dtype)
    picture = np.asarray(picture_of(values))
    assert picture.shape == (20, 30, 3)
    if dtype == "uint8":
        assert np.array_equal(picture.transpose(2, 0, 1), values[:3] if bands >= 3 else np.repeat(values, 3, axis=0))
    else:
        low, high = np.percentile(values[0], (1, 99))
        assert np.abs(picture[..., 0] - np.clip((values[0] - low) / (high - low), 0, 1) * 255).max() <= 0.5
    assert np.asarray(picture_of(np.zeros((3, 4, 4), "f4"))).max() == 0
