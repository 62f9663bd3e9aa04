"""The widget in JupyterLab and in Notebook 7: the same page as the app's, and a neighbour of other people's cells."""

from __future__ import annotations

import base64
import io
import json
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page

from augimpact.data.image import example
from augimpact.widgets.controls import FIRST
from tests.browser.conftest import PATIENCE
from tests.browser.driving import (
    ORIGINAL,
    ends,
    pause,
    pixels,
    set_range,
    slider,
    text,
    wait_for_other_pixels,
    wait_for_preview,
    wait_for_sweep,
    wait_until,
)  # fmt: skip
from tests.browser.jupyter import FRONT_ENDS, NOTEBOOK, TOKEN, open_notebook, run_cell, served

pytestmark = pytest.mark.browser

FRAMES = 12
SOURCE = f"import augimpact as ai\nai.Explorer(frames={FRAMES})"
WIDE, NARROW = {"width": 1500, "height": 1000}, {"width": 900, "height": 1000}
PICTURE = ".jp-OutputArea-child .jp-RenderedImage img"


@dataclass
class Front:
    """A front end with the notebook open in it, its cell run; and what the page asked of others, or sent its kernel."""

    name: str
    address: str
    folder: Path
    context: BrowserContext
    page: Page
    elsewhere: list[str] = field(default_factory=list)
    sent: list[object] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """From now on it is known what the page asks of whom."""
        own = self.address.partition("{")[0]
        kept = (own, own.replace("http", "ws"), "blob:", "data:")
        self.page.set_default_timeout(PATIENCE)
        self.page.on(
            "request", lambda request: None if request.url.startswith(kept) else self.elsewhere.append(request.url)
        )
        self.page.on("websocket", lambda socket: socket.on("framesent", lambda frame: self.sent.append(frame)))
        # Of errors those count that are not the front end's own.
        self.page.on(
            "pageerror", lambda error: None if "/static/" in (error.stack or "") else self.errors.append(error.stack)
        )

    def saved(self) -> dict:
        deadline = time.monotonic() + 10
        while True:
            try:
                return json.loads((self.folder / "root" / NOTEBOOK).read_text())
            except json.JSONDecodeError:
                # It is being written at this moment.
                assert time.monotonic() < deadline
                time.sleep(0.05)


@pytest.fixture(scope="module", params=FRONT_ENDS)
def front(request, chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp(request.param)
    with served(request.param, folder, SOURCE) as address:
        context = chromium.new_context(viewport=WIDE)
        front = Front(request.param, address, folder, context, context.new_page())
        front.listen()
        open_notebook(front.page, address, front.name)
        run_cell(front.page)
        pause(front.page)
        yield front
        context.close()
    assert front.errors == []


@pytest.fixture
def page(front: Front) -> Page:
    return front.page


def test_it_opens_with_rows_a_photograph_its_map_and_a_sweep(page):
    assert ends(page, "rotation") == ["−60.0°", "60.0°"]
    assert page.locator(".row:visible").count() == len(FIRST)
    assert text(page, ".screen:nth-child(1) .tag") == "original"
    assert text(page, ".screen:nth-child(1) .caption b") == "moped"
    assert text(page, ".facts").startswith("prediction flips at rotation −")
    assert pixels(page, ORIGINAL)[..., :3].std() > 20


@pytest.mark.parametrize(("size", "stacked"), [(NARROW, True), (WIDE, False)], ids=["narrow", "wide"])
def test_controls_and_player_lie_beside_each_other_or_are_stacked(page, size, stacked):
    page.set_viewport_size(size)
    page.wait_for_timeout(500)
    controls, player = (page.locator(name).bounding_box() for name in (".controls", ".player"))
    if stacked:
        assert player["y"] + player["height"] <= controls["y"]
    else:
        assert controls["x"] + controls["width"] <= player["x"]
    assert page.locator(".augimpact-explorer").evaluate(
        "(root) => { for (let box = root; box; box = box.parentElement) {"
        " if (box.scrollWidth > box.clientWidth + 1 && getComputedStyle(box).display !== 'inline') return false;"
        " if (box.classList.contains('jp-OutputArea')) return true; } }"
    ), "something is wider than the output has room"


def test_the_sweep_button_is_in_sight_however_long_the_list_is(page):
    button = page.get_by_role("button", name="Sweep", exact=True)
    for row in ("crop", "erase_h"):
        page.locator(f".row[data-name={row}]").scroll_into_view_if_needed()
        assert button.evaluate(
            "(button) => { const box = button.getBoundingClientRect();"
            " return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2) === button; }"
        )
    page.locator(".player").scroll_into_view_if_needed()


def test_a_slider_changes_picture_and_scores(page):
    pause(page)
    before, scores = pixels(page), text(page, ".strip")
    set_range(page, slider("brightness"), 2.4)
    wait_for_preview(page, "brightness 2.40")
    assert pixels(page)[..., :3].mean() > before[..., :3].mean() + 15
    assert text(page, ".strip") != scores
    page.locator("[aria-label='reset brightness']").click()
    wait_until(page, "() => !document.querySelector('.screen:nth-child(2) .tag').textContent.includes('bright')")


def test_it_plays_pauses_and_scrubs_by_keys_and_by_the_curve(page):
    page.locator(".player").focus()
    page.keyboard.press("Home")
    assert text(page, ".position") == f"1 / {FRAMES}"
    first = pixels(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert text(page, ".position") == f"3 / {FRAMES}"
    page.keyboard.press("End")
    assert text(page, ".position") == f"{FRAMES} / {FRAMES}"
    assert np.abs(pixels(page).astype(int) - first).mean() > 5
    box = page.locator(".curves").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 60)
    page.mouse.down()
    assert text(page, ".position") in (f"6 / {FRAMES}", f"7 / {FRAMES}")
    page.mouse.move(box["x"] + 5, box["y"] + 60)
    page.mouse.up()
    assert text(page, ".position") == f"1 / {FRAMES}"
    page.keyboard.press(" ")
    wait_until(page, "(first) => document.querySelector('.position').textContent !== first", arg=f"1 / {FRAMES}")
    page.keyboard.press(" ")
    resting = text(page, ".position"), pixels(page)
    page.wait_for_timeout(300)
    assert text(page, ".position") == resting[0]
    assert np.array_equal(pixels(page), resting[1])


def test_opacity_changes_pixels_without_a_word_to_the_kernel(front, page):
    pause(page)
    page.wait_for_timeout(500)
    assert front.sent, "no message was seen at all: this test looks in the wrong place"
    front.sent.clear()
    looks = []
    for opacity in (0, 0.5, 1):
        set_range(page, ".tools input[aria-label^=opacity]", opacity)
        looks.append(pixels(page).astype(int))
    set_range(page, ".tools input[aria-label^=opacity]", 0.5)
    page.wait_for_timeout(300)
    assert np.abs(looks[0] - looks[1]).mean() > 1
    assert np.abs(looks[1] - looks[2]).mean() > 1
    assert front.sent == []


@pytest.mark.parametrize(
    "focus",
    [
        ".player",
        ".play",
        ".tools label:has-text('colours') select",
        slider("brightness"),
        "input[aria-label=frames]",
        "button.primary",
    ],
)
def test_no_key_in_the_widget_is_a_shortcut_of_the_notebook(page, focus):
    pause(page)
    page.evaluate("document.querySelector('.jp-NotebookPanel .augimpact-explorer').scrollIntoView()")
    before = notebook_of(page)
    page.locator(focus).first.focus()
    for key in ("a", "b", "m", "d", "d", "z", "x", "ArrowDown", "ArrowUp", "Home", "End", "Escape"):
        page.keyboard.press(key)
    assert page.locator(focus).first.evaluate("(element) => element === document.activeElement")
    assert notebook_of(page) == before
    # What the keys did in the widget itself.
    page.locator("[aria-label='reset brightness']").evaluate("(button) => button.click()")
    page.get_by_label("colours").select_option("inferno")


def test_the_same_keys_are_shortcuts_beside_the_widget(page):
    before = notebook_of(page)
    page.locator(".jp-CodeCell .cm-content").first.click()
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    counted = "(count) => document.querySelectorAll('.jp-Notebook .jp-Cell').length === count"
    wait_until(page, counted, arg=len(before) + 1)
    page.keyboard.press("d")
    page.keyboard.press("d")
    wait_until(page, counted, arg=len(before))


def notebook_of(page: Page) -> list[str]:
    """Kind and text of each of the notebook's cells, and which is chosen."""
    return page.locator(".jp-Notebook .jp-Cell").evaluate_all(
        "(cells) => cells.map((cell) => ['jp-CodeCell', 'jp-MarkdownCell', 'jp-RawCell', 'jp-mod-selected']"
        ".filter((name) => cell.classList.contains(name)) + cell.querySelector('.cm-content')?.textContent)"
    )


def test_an_uploaded_photograph_replaces_the_example(page):
    file = io.BytesIO()
    example("coffee").save(file, format="PNG")
    before = pixels(page, ORIGINAL)
    page.locator("input[type=file]").first.set_input_files(
        {"name": "cup.png", "mimeType": "image/png", "buffer": file.getvalue()}
    )
    wait_until(page, "() => document.querySelector('.screen .caption b').textContent === 'espresso'")
    wait_for_other_pixels(page, before)
    assert page.locator(".thumbnails [aria-pressed=true]").get_attribute("title") == "cup.png"
    pause(page)


def downloaded(page: Page, click: str, more: bool = True) -> Path:
    if more:
        page.locator(".player .more summary").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name=click).click()
    assert waiting.value.suggested_filename.startswith("cup-rotation.")
    return waiting.value.path()


def test_a_gif_a_table_and_a_recipe_arrive_as_downloads(page):
    set_range(page, ".tools input[aria-label^=opacity]", 0)
    with Image.open(downloaded(page, "Save GIF", more=False)) as animation:
        assert animation.n_frames == 2 * FRAMES - 2
        first = np.asarray(animation.convert("RGB"))[:448]
    set_range(page, ".transport input", 0)
    # Without the map the first frame is the photograph itself, within a palette's and a JPEG's loss.
    assert np.abs(first.astype(int) - pixels(page)[..., :3]).mean() < 8
    set_range(page, ".tools input[aria-label^=opacity]", 0.5)
    table = pd.read_csv(downloaded(page, "CSV table"))
    assert len(table) == FRAMES
    assert table["rotation"].tolist() == pytest.approx(np.linspace(-60, 60, FRAMES))
    recipe = json.loads(downloaded(page, "JSON, to replay").read_text())["recipe"]
    assert recipe["image"]["name"] == "cup.png"
    assert recipe["sweep"]["frames"] == FRAMES


def test_its_colours_follow_the_theme(page):
    for theme, dark in (("JupyterLab Dark", True), ("JupyterLab Light", False)):
        page.locator(".lm-MenuBar-itemLabel", has_text="Settings").click()
        page.locator(".lm-Menu-itemLabel", has_text="Theme").first.hover()
        page.locator(".lm-Menu-itemLabel", has_text=theme).first.click()
        wait_until(page, "(dark) => document.body.dataset.jpThemeLight === String(!dark)", arg=dark)
        page.wait_for_timeout(500)
        for card in (".player", ".controls .card"):
            shown = np.asarray(Image.open(io.BytesIO(page.locator(card).first.screenshot())).convert("L"))
            assert (shown[4, 20] < 60) == dark
            assert (shown[4, 20] > 240) == (not dark)
        ink = page.locator("div.facts").evaluate("(line) => getComputedStyle(line).color")
        brightness = np.mean([int(each) for each in ink.removeprefix("rgb(").removesuffix(")").split(",")])
        assert (brightness > 128) == dark


def pictures(notebook: dict) -> list[str]:
    """The pictures in a notebook's outputs, as base64."""
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
    found = [output["data"]["image/jpeg"] for output in outputs if "image/jpeg" in output.get("data", {})]
    return [each.replace("\n", "") for each in found]


def save(front: Front) -> str:
    """Saves the notebook by the keyboard from inside of the widget; the one picture in the file."""
    front.page.locator(".player").focus()
    # With Ctrl the keys are the notebook's, wherever the focus is.
    front.page.keyboard.press("Control+s")
    shown = front.page.locator(PICTURE).get_attribute("src").partition(",")[2]
    deadline = time.monotonic() + 30
    while pictures(front.saved()) != [shown]:
        assert time.monotonic() < deadline, "the notebook was saved without the picture"
        time.sleep(0.1)
    return shown


def test_a_saved_notebook_has_the_last_sweep_as_a_picture(front, page):
    saved = np.asarray(Image.open(io.BytesIO(base64.b64decode(save(front)))))
    set_range(page, ".transport input", 0)
    shown = np.asarray(Image.fromarray(pixels(page)[..., :3]).resize((240, 240)))
    # The browser's arithmetic and Python's: a JPEG's loss apart they are the same.
    assert np.abs(saved[:240, :240].astype(int) - shown).mean() < 8
    # While the widget is shown its picture is not.
    assert page.locator(PICTURE).is_hidden()


def test_another_sweep_changes_the_picture_and_not_the_view(front, page):
    before = page.locator(PICTURE).get_attribute("src")
    page.evaluate("document.querySelector('.player').marked = true")
    page.locator("[aria-label='sweep crop']").click()
    page.get_by_role("button", name="Sweep", exact=True).click()
    wait_until(page, "([name, src]) => document.querySelector(name).src !== src", arg=[PICTURE, before])
    wait_for_sweep(page)
    assert page.evaluate("document.querySelector('.player').marked")
    assert page.locator(PICTURE).is_hidden()
    save(front)


def test_without_its_kernel_the_picture_is_seen_until_the_cell_runs_again(front):
    front.page.close()
    ask = {"Authorization": f"token {TOKEN}"}
    server = front.address.partition("{")[0]
    sessions = json.load(urllib.request.urlopen(urllib.request.Request(f"{server}api/sessions", headers=ask)))
    for each in sessions:
        request = urllib.request.Request(f"{server}api/sessions/{each['id']}", headers=ask, method="DELETE")
        urllib.request.urlopen(request).close()
    front.page = page = front.context.new_page()
    front.listen()
    open_notebook(page, front.address, front.name)
    assert page.locator(PICTURE).is_visible()
    assert page.locator(PICTURE).evaluate("(image) => image.complete && image.naturalWidth") == 960
    assert page.locator(".player").count() == 0
    run_cell(page)
    assert page.locator(".player").is_visible()
    assert page.locator(PICTURE).is_hidden()


def test_nothing_was_asked_of_any_other_server(front):
    server = front.address.partition("{")[0]
    # That nothing else can be reached is true: the very same server, by another name, cannot.
    reached = "(address) => fetch(address, { mode: 'no-cors' }).then(() => true, () => false)"
    assert front.page.evaluate(reached, f"{server}api")
    assert not front.page.evaluate(reached, f"{server}api".replace("127.0.0.1", "localhost"))
    assert [each for each in front.elsewhere if "localhost" not in each] == []
