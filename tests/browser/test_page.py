"""A saved page as a person opens it: from the disk, in a real browser, with no server anywhere."""

from __future__ import annotations

import base64
import io
import time
from dataclasses import replace
from itertools import pairwise
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image

import augimpact as ai
from augimpact.augment.parameters import CATALOGUE
from augimpact.data.image import example
from augimpact.models.outputs import VALUES, Outputs
from augimpact.payload import described, payload_of
from augimpact.render.document import html_page
from tests.browser.driving import AUGMENTED, pause, set_range, text

pytestmark = pytest.mark.browser

NAME = '</script><b>rocket"&amp;.jpg'
FRAMES = 20


@pytest.fixture(scope="module")
def trace(classifier):
    trace = ai.analyze(example("rocket"), ai.Sweep(rotation=(-40, 40), frames=FRAMES), classifier)
    recipe = trace.recipe | {"image": trace.recipe["image"] | {"name": NAME}}
    outputs = Outputs.of_classes([f"</script><b>{label}" for label in trace.labels])
    return replace(trace, recipe=recipe, outputs=outputs, neutral=replace(trace.neutral, outputs=outputs))


@pytest.fixture(scope="module")
def signal():
    """A regression of a drawn signal: wide frames, maps of one row, values in a unit."""
    count, width = 12, 400
    frames = np.full((count, 100, width, 3), 255, np.uint8)
    rows = (50 + 40 * np.sin(np.linspace(0, 12, width))).astype(int)
    frames[:, rows, np.arange(width)] = 0
    maps = np.zeros((count, 1, 40), np.float32)
    maps[np.arange(count), 0, np.arange(count) * 3] = 1
    settings = ai.Sweep(brightness=(0.5, 2), frames=count).settings()
    values = np.linspace(-3, 7.3, count, dtype=np.float32)[:, None]
    recipe = {"image": {"name": "signal"}, "method": "gradcam"}
    homographies = np.tile(np.eye(3), (count, 1, 1))
    targets = np.zeros(count, np.int64)
    outputs = Outputs(VALUES, ("dots",), ("mm",), ((-10.0, 10.0),), (5.0,))
    parameters = tuple(CATALOGUE.values())
    return ai.Trace(settings, frames, values, maps, targets, homographies, outputs, parameters, recipe)


@pytest.fixture
def opened(chromium, tmp_path):
    """Opens a page from the disk; when the test ends nothing may have been asked for, and nothing have gone wrong."""
    contexts, wrong, asked = [], [], []

    def open_page(path, **options):
        context = chromium.new_context(**({"viewport": {"width": 1400, "height": 900}} | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if message.type != "log" else None)
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        page.locator("[data-ready]").wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []
    schemes = [urlsplit(each).scheme for each in asked]
    assert [scheme for scheme in schemes if scheme not in ("blob", "data")] == ["file"] * len(contexts)


@pytest.fixture
def page(opened, trace, tmp_path):
    return opened(trace.save(tmp_path / "page.html"))


def pixels(page, selector=AUGMENTED):
    """What a canvas shows, `(height, width, 4)`; taken as a file, for the browser complains of other ways."""
    address = page.locator(selector).evaluate("(canvas) => canvas.toDataURL('image/png')")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))).convert("RGBA"))


def until(page, condition):
    """Waits from here: the page's policy does not let Playwright's own waiting evaluate anything in it."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        page.wait_for_timeout(20)


def marked(page):
    """The texts of the row that is marked, if there is one and one only."""
    rows = page.locator("tr[aria-current]")
    assert rows.count() == 1
    return rows.locator("th, td").all_inner_texts()


def in_view(page):
    return page.evaluate(
        "() => { const box = document.querySelector('.table-box').getBoundingClientRect();"
        " const row = document.querySelector('tr[aria-current]').getBoundingClientRect();"
        " const head = document.querySelector('thead').getBoundingClientRect();"
        " return row.top >= head.bottom - 1 && row.bottom <= box.bottom + 1; }"
    )


def test_it_plays_by_itself_and_pauses(page, trace):
    until(page, lambda: text(page, ".position") != "1 / 20")
    pause(page)
    resting = text(page, ".position"), pixels(page)
    page.wait_for_timeout(400)
    assert text(page, ".position") == resting[0]
    assert np.array_equal(pixels(page), resting[1])
    frame = int(resting[0].split()[0]) - 1
    # No map at all leaves the frame, but for what JPEG changed.
    set_range(page, "input[aria-label='opacity of the map']", 0)
    assert np.abs(pixels(page)[..., :3].astype(int) - trace.frames[frame]).mean() < 5


def test_the_picture_is_that_of_the_report(page, trace):
    pause(page)
    page.locator("tbody tr").nth(7).click()
    ours = trace[7:8].pictures(caption=False, scale="frame", opacity=0.5)[0]
    page.locator("button", has_text="frame").and_(page.locator(".segmented button")).click()
    # The frame under the map went through JPEG.
    assert np.abs(pixels(page)[..., :3].astype(int) - ours).mean() < 3


def test_a_row_scrubs_to_its_frame_and_stops(page):
    # Not where it lies: while it plays the table moves under the mouse.
    page.locator("tbody tr").nth(15).locator("td").nth(1).dispatch_event("click")
    assert text(page, ".position") == "16 / 20"
    page.wait_for_timeout(300)
    assert text(page, ".position") == "16 / 20"
    assert marked(page)[:2] == ["16", "23.2°"]
    assert text(page, ".screen:nth-child(2) .tag") == "rotation 23.2°"
    page.locator("tbody button").nth(2).focus()
    page.keyboard.press("Enter")
    assert text(page, ".position") == "3 / 20"


def test_the_marked_row_follows_keys_and_stays_in_view_while_the_page_stays_where_it_is(page):
    pause(page)
    page.locator(".player").focus()
    page.keyboard.press("Home")
    assert marked(page)[0] == "1"
    before = page.evaluate("window.scrollY")
    for key, frame in (("End", "20"), ("ArrowLeft", "19"), ("Home", "1"), ("ArrowRight", "2")):
        page.keyboard.press(key)
        assert marked(page)[0] == frame
        assert in_view(page)
    page.keyboard.press(" ")
    until(page, lambda: text(page, ".position") != "2 / 20")
    assert page.evaluate("window.scrollY") == before


def test_opacity_colours_and_scale_change_the_pixels(page):
    page.locator("tbody tr").nth(10).click()
    seen = [pixels(page)]
    set_range(page, "input[aria-label='opacity of the map']", 1)
    seen.append(pixels(page))
    page.get_by_label("colours").select_option("viridis")
    seen.append(pixels(page))
    for before, after in pairwise(seen):
        assert np.abs(before.astype(int) - after).mean() > 5


def test_names_and_labels_are_text_and_nothing_can_be_saved(page, trace):
    assert page.title() == f"{NAME} · augimpact"
    assert text(page, "h1") == NAME
    assert page.locator("main h1 b, td b").count() == 0
    assert text(page, ".screen .caption b").startswith("</script><b>")
    assert marked(page)[2].startswith("</script><b>")
    assert page.locator(".save-gif, .more").count() == 0


def test_the_recipe_is_copied(opened, trace, tmp_path):
    page = opened(trace.save(tmp_path / "page.html"), permissions=["clipboard-read", "clipboard-write"])
    page.locator("[data-copy]").click()
    page.locator("[data-copy]", has_text="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == described(trace)["recipe"]


def test_where_the_clipboard_is_closed_the_recipe_is_selected(page, trace):
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('closed')); }")
    page.locator("[data-copy]").click()
    page.locator("[data-copy]", has_text="Selected").wait_for()
    assert page.evaluate("window.getSelection().toString()").strip() == described(trace)["recipe"]


def test_it_begins_as_it_was_saved(opened, trace, tmp_path):
    path = trace.save(
        tmp_path / "page.html", opacity=0.25, colour_map="turbo", scale="frame", loop="once", milliseconds=20
    )
    page = opened(path)
    assert page.locator("input[aria-label='opacity of the map']").input_value() == "0.25"
    assert page.get_by_label("colours").input_value() == "turbo"
    assert page.locator("select[aria-label=loop]").input_value() == "once"
    assert text(page, "[aria-label='scale of the map'] [aria-pressed=true]") == "frame"
    # Once, at 20 ms a frame: it ends at the last one.
    until(page, lambda: text(page, ".position") == "20 / 20")
    until(page, lambda: page.locator(".play").get_attribute("aria-label") == "play")


def test_who_wants_no_motion_sees_it_rest(opened, trace, tmp_path):
    page = opened(trace.save(tmp_path / "page.html"), reduced_motion="reduce")
    page.wait_for_timeout(300)
    assert text(page, ".position") == "1 / 20"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_light_or_dark_as_its_reader_prefers_and_light_on_paper(opened, trace, tmp_path, scheme):
    page = opened(trace.save(tmp_path / "page.html"), color_scheme=scheme, reduced_motion="reduce")

    def brightness(selector, name):
        colour = page.locator(selector).first.evaluate("(each, name) => getComputedStyle(each)[name]", name)
        return sum(float(each) for each in colour.split("(")[1].rstrip(")").split(",")[:3]) / 3

    def ink_of_curves():
        """The mean of what is drawn in the canvas of the curves: its lines and letters."""
        shown = pixels(page, ".curves")
        return shown[shown[..., 3] == 255][:, :3].mean()

    dark = scheme == "dark"
    assert (brightness("main", "backgroundColor") < 60) == dark
    assert (brightness("h1", "color") > 200) == dark
    on_screen = ink_of_curves()
    page.emulate_media(media="print")
    assert brightness("main", "backgroundColor") == 255
    assert page.locator(".transport").is_hidden()
    # Nothing of the table is cut off.
    assert page.locator(".table-box").evaluate("(box) => box.scrollHeight <= box.clientHeight")
    page.wait_for_timeout(100)
    if dark:
        # The curves are drawn anew for white paper.
        assert abs(ink_of_curves() - on_screen) > 10
    else:
        assert ink_of_curves() == pytest.approx(on_screen, abs=15)


@pytest.mark.parametrize("width", [1400, 800, 400, 320])
def test_it_fits_its_window(opened, trace, signal, tmp_path, width):
    for name, each in (("photograph", trace), ("signal", signal)):
        page = opened(each.save(tmp_path / f"{name}.html"), viewport={"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        for section in page.locator(".card").all():
            box = section.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width


def test_a_signal_is_drawn_wide_with_its_values_in_their_unit(opened, signal, tmp_path):
    page = opened(signal.save(tmp_path / "signal.html"), reduced_motion="reduce")
    page.locator(".player").focus()
    page.keyboard.press("End")
    assert text(page, ".screen:nth-child(2) .caption") == "dots\n7.3 mm"
    assert text(page, ".strip b") == "7.3 mm"
    set_range(page, "input[aria-label='opacity of the map']", 1)
    shown = pixels(page)
    assert shown.shape == (100, 400, 4)
    # The map's one row covers the whole height, brightest in the middle of its 34th cell of 40.
    assert (shown == shown[:1]).all()
    assert shown[0, :, :3].sum(axis=1).argmax() in range(330, 340)
    box = page.locator(AUGMENTED).bounding_box()
    assert box["width"] / box["height"] == pytest.approx(4, abs=0.05)


def test_the_threshold_is_drawn_in_the_curves(opened, signal, tmp_path):
    seen = []
    for threshold in (None, 0.0):
        file = tmp_path / f"{threshold}.html"
        payload = payload_of(signal) | {"threshold": threshold}
        file.write_text(html_page(payload, **described(signal)), encoding="utf-8")
        seen.append(pixels(opened(file, reduced_motion="reduce"), ".curves"))
    rows = np.flatnonzero((seen[0] != seen[1]).any(axis=(1, 2)))
    # At the middle of the axis, which is drawn between 8 pixels above and 24 below.
    assert len(rows) in (1, 2)
    assert rows.mean() == pytest.approx(8 + (190 - 32) / 2, abs=1)
