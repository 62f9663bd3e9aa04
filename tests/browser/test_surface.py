"""The grid of two parameters in a real browser: its widget on a page of its own, its model played by the test."""

from __future__ import annotations

import base64
import io
import json
import queue

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import augimpact as ai
from augimpact.grid import surface_payload
from augimpact.render.overlay import colour_table
from tests.surfaces import of_classes, of_values

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><meta charset="utf-8"><title>grid</title>
<style>{style} body {{ margin: 0; background: #8a8a8a; }} #widget {{ padding: 10px; background: var(--page); }}</style>
<body data-jp-theme-light="true"><div id="widget"></div></body>"""
# What a widget's model does in Jupyter, as far as the page needs it. Buffers begin at odd places, as they may there.
MODEL = """async ([module, state, buffers]) => {
  const view = (text) => {
    const bytes = Uint8Array.from("?" + atob(text), (letter) => letter.charCodeAt(0));
    return new DataView(bytes.buffer, 1, bytes.length - 1);
  };
  const listeners = {};
  const told = (name, ...news) => (listeners[name] ?? []).forEach((each) => each(...news));
  window.model = {
    state, view, saved: [],
    get: (name) => state[name],
    set: (name, value) => { state[name] = value; told(`change:${name}`); },
    save_changes: () => window.model.saved.push(structuredClone(state.chosen)),
    send: (message) => window.toPython(JSON.stringify(message)),
    answer: (message, buffer) => told("msg:custom", message, buffer ? [view(buffer)] : []),
    on: (name, each) => (listeners[name] ??= []).push(each),
    off: (name, each) => { listeners[name] = listeners[name].filter((other) => other !== each); },
    listeners: () => Object.values(listeners).flat().length,
  };
  state.colours = view(buffers.colours);
  delete buffers.colours;
  for (const name of Object.keys(buffers)) state.payload[name] = buffers[name] && view(buffers[name]);
  const address = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
  const widget = (await import(address)).default;
  window.close_widget = widget.render({ model: window.model, el: document.querySelector("#widget") });
}"""
SCORES, STATES = "canvas.scores", "canvas.states"


def text64(content):
    return base64.b64encode(content).decode()


@pytest.fixture
def opened(chromium):
    """Opens the widget of a surface; when the test ends nothing may have gone wrong in the page."""
    contexts, wrong = [], []

    def open_widget(surface, code="", **options):
        context = chromium.new_context(**({"viewport": {"width": 900, "height": 700}} | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if message.type != "log" else None)
        view = ai.SurfaceView(surface, code=code)
        payload = dict(view.payload)
        buffers = {name: each and text64(each) for name, each in payload.items() if isinstance(each, bytes)}
        page.asked = []
        page.expose_function("toPython", lambda message: page.asked.append(json.loads(message)))
        page.set_content(PAGE.format(style=view._css))
        state = {"payload": {name: each for name, each in payload.items() if name not in buffers}, "chosen": {}}
        page.evaluate(MODEL, [view._esm, state, buffers | {"colours": text64(view.colours)}])
        page.view = view
        return page

    yield open_widget
    for context in contexts:
        context.close()
    assert wrong == []


def picture(page, selector):
    """What a canvas shows, `(height, width, 4)`; taken as a file, for the browser complains of other ways."""
    address = page.locator(selector).evaluate("(canvas) => canvas.toDataURL('image/png')")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))).convert("RGBA")).astype(int)


def pixels(page, selector):
    return picture(page, selector)[..., :3]


def facts(page):
    return page.locator(".facts").inner_text()


def place_of(page, selector, column, row, columns, rows):
    """Where the middle of a cell lies in the window.

    The cells reach from the labels on the left to 10 pixels before the right edge, and from 4 below the upper to 38
    above the lower one.
    """
    box = page.locator(selector).bounding_box()
    painted = picture(page, selector)[..., 3]
    ratio = painted.shape[1] / box["width"]
    # Ten pixels below the upper edge there is nothing but cells, unless the uppermost label is that high.
    blank = np.flatnonzero(painted[round(10 * ratio), : -round(12 * ratio)] == 0)
    left = (blank.max() + 1) / ratio
    width, height = box["width"] - left - 10, box["height"] - 42
    return (
        box["x"] + left + width * (column + 0.5) / columns,
        box["y"] + 4 + height * (1 - (row + 0.5) / rows),
    )


def colour_at(page, selector, column, row, columns, rows):
    """The colour of a cell, a quarter of it off the middle, where no mark or line lies."""
    box = page.locator(selector).bounding_box()
    x, y = place_of(page, selector, column + 0.25, row + 0.25, columns, rows)
    return pixels(page, selector)[round(y - box["y"]), round(x - box["x"])]


def css_colour(page, name):
    found = page.evaluate(
        "(name) => { const each = document.createElement('i'); each.style.color = `var(${name})`;"
        " document.querySelector('#widget').append(each); const colour = getComputedStyle(each).color; each.remove();"
        " return colour; }",
        name,
    )
    return [int(each) for each in found.split("(")[1].rstrip(")").split(",")[:3]]


@pytest.fixture
def known():
    """Four rows and five columns of three classes, of which the second is the most frequent."""
    states = [[0, 0, 1, 1, 1], [0, 0, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 2, 1, 1]]
    return of_classes(states, ["cat", "dog", "cow"])


def test_every_cell_has_the_colour_of_its_score_and_of_its_class(opened, known):
    page = opened(known)
    table = colour_table("viridis").astype(int)
    colours = [css_colour(page, f"--class-{rank}") for rank in range(3)]
    ranks, names, _ = known.ranked()
    assert names == ["dog", "cat", "cow"]
    for row in range(4):
        for column in range(5):
            expected = table[round(float(known.scores[row, column, 0]) * 255)]
            assert np.abs(colour_at(page, SCORES, column, row, 5, 4) - expected).max() <= 1
            assert colour_at(page, STATES, column, row, 5, 4).tolist() == colours[ranks[row, column]]


def test_the_pointer_tells_what_lies_under_it_in_both_maps(opened, known):
    page = opened(known)
    assert facts(page) == "dog in 15 of 20 settings, 2 others elsewhere"
    for selector in (SCORES, STATES):
        page.mouse.move(*place_of(page, selector, 2, 3, 5, 4))
        assert facts(page) == "rotation 0.0°, brightness 2.00: cow 0.91 · cat 0.05"
        page.mouse.move(*place_of(page, selector, 0, 0, 5, 4))
        assert facts(page) == "rotation −90.0°, brightness 0.50: cat 0.55"
        assert page.locator(".legend li[data-under]").inner_text().startswith("cat")
    page.mouse.move(5, 5)
    assert facts(page).startswith("dog in 15 of 20")


def test_a_click_chooses_and_the_choice_stays_marked(opened, known):
    page = opened(known)
    before = pixels(page, STATES)
    page.mouse.click(*place_of(page, STATES, 3, 1, 5, 4))
    assert page.evaluate("model.saved") == [{"rotation": 45, "brightness": 1}]
    page.mouse.move(5, 5)
    assert facts(page) == "rotation 45.0°, brightness 1.00: dog 0.72 · cat 0.14"
    rows, columns = np.nonzero((pixels(page, STATES) != before).any(axis=-1))
    box = page.locator(STATES).bounding_box()
    x, y = place_of(page, STATES, 3, 1, 5, 4)
    assert columns.mean() + box["x"] == pytest.approx(x, abs=1.5)
    assert rows.mean() + box["y"] == pytest.approx(y, abs=1.5)
    # Where nothing is chosen any more, it is as it was.
    page.evaluate("model.set('chosen', {})")
    assert np.array_equal(pixels(page, STATES), before)
    page.evaluate("model.set('chosen', { rotation: 44, brightness: 1.1 })")
    assert facts(page) == "rotation 45.0°, brightness 1.00: dog 0.72 · cat 0.14"


def test_keys_move_and_choose(opened, known):
    page = opened(known)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "application"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    label = page.locator("[role=application]").get_attribute("aria-label")
    assert label == "rotation across, brightness upwards: arrow keys move, Enter chooses a setting"
    page.keyboard.press("Home")
    page.keyboard.press("PageDown")
    assert facts(page) == "rotation −90.0°, brightness 0.50: cat 0.55"
    for key in ("ArrowRight", "ArrowUp", "ArrowUp", "ArrowLeft", "ArrowRight"):
        page.keyboard.press(key)
    assert facts(page).startswith("rotation −45.0°, brightness 1.50: dog")
    page.keyboard.press("Enter")
    page.keyboard.press("End")
    page.keyboard.press(" ")
    assert page.evaluate("model.saved") == [
        {"rotation": -45, "brightness": 1.5}, {"rotation": 90, "brightness": 1.5},
    ]  # fmt: skip
    # Tab leads on, and the cursor is gone.
    page.keyboard.press("Home")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "save-png"
    assert facts(page).startswith("rotation 90.0°, brightness 1.50")


def test_borders_lie_between_classes_and_dots_at_neutral(opened, known):
    page = opened(known)
    plain = of_classes(np.zeros((4, 5), int), ["cat", "dog", "cow"])
    shown, flat = pixels(page, SCORES), pixels(opened(plain), SCORES)
    assert shown.shape == flat.shape
    box = page.locator(SCORES).bounding_box()

    def white(picture, column, row):
        x, y = place_of(page, SCORES, column, row, 5, 4)
        x, y = round(x - box["x"]), round(y - box["y"])
        return picture[y - 3 : y + 4, x - 3 : x + 4].min(axis=-1).max() > 200

    # Between the second and third column in the two lower rows, but not in the third; above them, below the third row.
    for column, row, bordered in [(1.5, 0.25, True), (1.5, 1.25, True), (1.5, 2.25, False), (0.25, 1.5, True)]:
        assert white(shown, column, row) == bordered
        assert not white(flat, column, row)
    # Rotation is neutral in the middle of the third of five columns, brightness a third of the way up.
    x, _ = place_of(page, SCORES, 2, 0, 5, 4)
    line = flat[10 : round(box["height"]) - 42, round(x - box["x"])]
    assert (line.min(axis=-1) > 180).sum() > 20
    assert (line.max(axis=-1) < 90).sum() > 20


def test_files_are_downloaded_as_they_would_be_saved(opened, known, tmp_path):
    page = opened(known)
    readers = {
        ".png": lambda file: Image.open(file).size[0] > 1000,
        ".csv": lambda file: len(pd.read_csv(file)) == 20,
        ".json": lambda file: len(json.loads(file.read_text())["settings"]) == 20,
        ".svg": lambda file: "<svg" in file.read_text(),
        ".pdf": lambda file: file.read_bytes().startswith(b"%PDF"),
    }
    for suffix, reads in readers.items():
        if suffix == ".png":
            page.locator(".save-png").click()
        else:
            page.locator(".more summary").click()
            page.locator(".more button", has_text=suffix[1:].upper()).click()
        assert page.locator(".notice").inner_text() == f"making the {suffix[1:].upper()} file…"
        asked = page.asked.pop()
        answers = queue.Queue()
        page.view.send = lambda content, buffers=(), to=answers: to.put((content, buffers))
        page.view._on_message(page.view, asked, [])
        content, buffers = answers.get(timeout=30)
        with page.expect_download() as download:
            page.evaluate("([content, buffer]) => model.answer(content, buffer)", [content, text64(buffers[0])])
        file = tmp_path / download.value.suggested_filename
        download.value.save_as(file)
        assert file.name == f"some-picture-rotation-brightness{suffix}"
        assert reads(file)
        assert page.locator(".notice").inner_text() == f"saved {file.name}"


def test_an_error_is_said_and_the_next_file_can_be_asked_for(opened, known):
    page = opened(known)
    page.locator(".save-png").click()
    assert page.locator(".save-png").is_disabled()
    request = page.asked.pop()["request"]
    # What another view asked for is nothing to this one.
    page.evaluate("(request) => model.answer({ kind: 'error', text: 'of another', request })", request - 1)
    assert page.locator(".notice").inner_text() == "making the PNG file…"
    page.evaluate("(request) => model.answer({ kind: 'error', text: '<b>no</b> room', request })", request)
    assert page.locator(".notice").inner_text() == "<b>no</b> room"
    assert page.locator(".save-png").is_enabled()


def test_code_is_copied_where_there_is_some(opened, known):
    assert opened(known).locator(".copy-code").is_hidden()
    page = opened(known, code="import augimpact as ai\n")
    # A page that came from nowhere may not write the clipboard: the code is shown, selected.
    page.locator(".copy-code").click()
    page.locator("dialog.code").wait_for()
    assert page.evaluate("window.getSelection().toString().trim()") == "import augimpact as ai"
    page.keyboard.press("Escape")
    page.locator("dialog.code").wait_for(state="hidden")
    page.evaluate(
        "Object.defineProperty(navigator, 'clipboard',"
        " { value: { writeText: async (text) => { window.copied = text; } } })"
    )
    page.locator(".copy-code").click()
    page.locator(".copy-code", has_text="Copied").wait_for()
    assert page.evaluate("window.copied") == "import augimpact as ai\n"


def test_the_menu_closes_on_escape_and_on_a_press_elsewhere(opened, known):
    page = opened(known)
    menu = page.locator(".more > div")
    page.locator(".more summary").click()
    page.keyboard.press("Escape")
    assert menu.is_hidden()
    page.locator(".more summary").click()
    assert menu.is_visible()
    page.locator(".legend").click()
    assert menu.is_hidden()


@pytest.mark.parametrize("width", [1200, 400, 320])
def test_what_became_of_a_file_is_said_inside_the_card_and_moves_nothing(opened, known, width):
    page = opened(known, viewport={"width": width, "height": 900})
    before = page.locator(".surface").bounding_box()
    for kind, words in (("file", "saved"), ("error", "the file could not be made: " + "a long story " * 12)):
        page.locator(".save-png").click()
        answer = {"kind": kind, "text": words, "name": f"{'long-' * 30}name.png", "mime": "image/png"}
        answer["request"] = page.asked.pop()["request"]
        page.evaluate("([answer, content]) => model.answer(answer, content)", [answer, text64(b"PNG")])
        assert page.locator(".notice").inner_text().startswith(words.strip())
        card, notice = (page.locator(each).bounding_box() for each in (".surface", ".notice"))
        assert card == before
        for start, size in (("x", "width"), ("y", "height")):
            assert notice[start] >= card[start], kind
            assert notice[start] + notice[size] <= card[start] + card[size], kind


def test_values_are_coloured_on_their_axis_with_their_threshold(opened):
    values = np.linspace(-3, 9, 20).reshape(4, 5)
    page = opened(of_values(values))
    table = colour_table("viridis").astype(int)
    for row, column in [(0, 0), (1, 3), (3, 4)]:
        expected = table[round((values[row, column] + 10) / 20 * 255)]
        assert np.abs(colour_at(page, SCORES, column, row, 5, 4) - expected).max() <= 1
    assert page.locator(".heading").all_inner_texts() == ["value of dots", "below or above the threshold"]
    page.mouse.move(*place_of(page, SCORES, 4, 3, 5, 4))
    assert facts(page) == "rotation 90.0°, brightness 2.00: dots 9.0 mm (dots ≥ 5 mm)"
    assert page.locator(".legend span").all_inner_texts() == ["dots < 5 mm", "dots ≥ 5 mm"]
    # The threshold lies at three quarters of the bar.
    bar, mark = (page.locator(each).bounding_box() for each in (".bar .colours", ".threshold"))
    assert mark["x"] + mark["width"] / 2 == pytest.approx(bar["x"] + 0.75 * bar["width"], abs=1)
    assert page.locator(".bar small").all_inner_texts() == ["−10", "0", "10 mm"]


@pytest.mark.parametrize("where", ["jupyter", "reader"])
def test_it_is_drawn_anew_when_the_theme_changes(opened, known, where):
    page = opened(known, color_scheme="light")
    if where == "reader":
        page.evaluate("document.querySelector('#widget').classList.add('own-page')")
    before = pixels(page, STATES)
    light = css_colour(page, "--class-0")
    assert colour_at(page, STATES, 3, 0, 5, 4).tolist() == light
    if where == "jupyter":
        page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    else:
        page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(100)
    dark = css_colour(page, "--class-0")
    assert dark != light
    assert colour_at(page, STATES, 3, 0, 5, 4).tolist() == dark
    assert not np.array_equal(pixels(page, STATES), before)


@pytest.mark.parametrize("width", [1600, 900, 400, 320])
def test_it_fits_its_window_and_follows_it(opened, width):
    long = "a label that is so long that nobody would ever read it to its end, whatever it says at the very end"
    names = [f"{long} {index}" for index in range(1000)]
    states = np.random.default_rng(0).integers(0, 30, (20, 25))
    page = opened(of_classes(states, names))
    page.set_viewport_size({"width": width, "height": 800})
    page.wait_for_timeout(100)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    left, right = (page.locator(each).bounding_box() for each in (SCORES, STATES))
    for box in (left, right):
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    if width > 640:
        assert left["y"] == right["y"]
        assert left["x"] + left["width"] < right["x"]
    else:
        assert left["x"] == right["x"]
        assert left["y"] + left["height"] < right["y"]
    entries = page.locator(".legend span").all_inner_texts()
    assert len(entries) == 8
    assert entries[-1] == "23 others"
    # Drawn for the width that it has now.
    assert page.locator(SCORES).evaluate("(c) => c.width") == pytest.approx(left["width"], abs=1)
    page.mouse.move(*place_of(page, SCORES, 24, 19, 25, 20))
    assert facts(page).startswith("rotation 90.0°, brightness 2.00")


def test_on_a_fine_screen_it_is_drawn_finely(opened, known):
    page = opened(known, device_scale_factor=2)
    box = page.locator(SCORES).bounding_box()
    assert page.locator(SCORES).evaluate("(c) => [c.width, c.height]") == pytest.approx(
        [2 * box["width"], 2 * box["height"]], abs=1
    )
    page.mouse.move(*place_of(page, SCORES, 4, 0, 5, 4))
    assert facts(page).startswith("rotation 90.0°, brightness 0.50")


def test_names_are_text_and_never_markup(opened):
    page = opened(of_classes([[0, 1], [1, 1]], ["<img src=x onerror=alert(1)>", "<b>dog</b>"]))
    assert page.locator("#widget img, #widget b b").count() == 0
    assert page.locator(".heading").first.inner_text() == "score of <img src=x onerror=alert(1)>"
    assert page.locator(".legend span").all_inner_texts() == ["<b>dog</b>", "<img src=x onerror=alert(1)>"]


def test_one_class_is_one_colour_and_another_surface_replaces_it(opened, known):
    page = opened(of_classes([[0, 0], [0, 0]], ["only"]))
    assert facts(page) == "only in all of 4 settings"
    assert page.locator(".legend").inner_text().split() == ["only", "100", "%"]
    assert page.locator(".key .bar").inner_text().split() == ["0", "0.5", "1"]
    payload = surface_payload(known)
    buffers = {name: text64(each) for name, each in payload.items() if isinstance(each, bytes)}
    plain = {name: each for name, each in payload.items() if name not in buffers}
    page.evaluate(
        "([payload, buffers]) => { for (const name in buffers) payload[name] = model.view(buffers[name]);"
        " model.set('payload', payload); }",
        [plain, buffers],
    )
    assert facts(page) == "dog in 15 of 20 settings, 2 others elsewhere"
    assert page.locator(".legend li").count() == 3
    page.evaluate("model.set('payload', {})")
    assert page.locator(".empty").inner_text() == "no grid yet"
    assert page.locator(".maps").is_hidden()


def test_nothing_is_left_when_it_is_closed(opened, known):
    page = opened(known)
    assert page.evaluate("model.listeners()") == 3
    page.evaluate("close_widget()")
    assert page.evaluate("model.listeners()") == 0
    assert page.locator("#widget > *").count() == 0


def test_a_grid_of_a_photograph_shows_what_its_table_says(opened, classifier):
    surface = ai.analyze_grid("example:rocket", ai.Grid(rotation=(-90, 90, 13), brightness=(0.2, 3, 8)), classifier)
    page = opened(surface)
    table = surface.table()
    for column, row in [(0, 0), (6, 3), (12, 7), (3, 5)]:
        page.mouse.move(*place_of(page, STATES, column, row, 13, 8))
        expected = table.loc[row * 13 + column]
        assert f"{expected['prediction']} {expected['score']:.2f}" in facts(page)
