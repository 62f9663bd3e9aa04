"""Where the frame lies in a dataset, in a real browser: panels, markers, words and the shaded part of the curves."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import augimpact as ai
from augimpact.data.image import example
from augimpact.measures import MEASURES
from augimpact.payload import payload_of, still_of
from augimpact.profiling.reference import reference_of
from augimpact.widgets.dataset import ExamplePhotographs
from tests.browser.driving import pause, pixels, set_range, slider, text, wait_for_preview, wait_for_sweep
from tests.browser.serving import serving
from tests.browser.test_player import as_text, opened, trace  # noqa: F401 - fixtures

pytestmark = pytest.mark.browser

FRAMES = (0, 13, 24, 47)
LEFTS = "() => [...document.querySelectorAll('.histogram .marker')].map((marker) => marker.style.left)"


def quiet(_done, _total):
    pass


def words(reference, name, value):
    """What is said of a value, by the numbers of Python."""
    values, found = reference.distributions[name].values, reference.percentile(name, value)
    if not values[0] <= value <= values[-1]:
        return "above all" if value > values[-1] else "below all"
    if not reference.distributions[name].holds(value):
        return "above the 99th percentile" if found > 50 else "below the 1st percentile"
    rounded = int(np.clip(np.floor(found + 0.5), 1, 99))
    ending = "th" if 10 < rounded < 14 else {1: "st", 2: "nd", 3: "rd"}.get(rounded % 10, "th")
    return f"{rounded}{ending} percentile"


def place_of(page, name):
    """Where the marker stands in its histogram, from 0 to 1."""
    panel = page.locator(f".panel[data-name={name}]")
    marker, box = (panel.locator(part).bounding_box() for part in (".marker", ".histogram"))
    return (marker["x"] + marker["width"] / 2 - box["x"]) / box["width"]


def wait_for_panels(page):
    page.locator(".panel").first.wait_for()


@pytest.fixture(scope="module")
def reference(classifier):
    return reference_of(ExamplePhotographs(), classifier.sees, progress=quiet)


@pytest.fixture(scope="module")
def swept(classifier):
    """What the app shows first."""
    return ai.analyze("example:motorcycle", ai.Sweep(rotation=(-60, 60), frames=48), classifier)


def ends_of(reference, name, swept):
    """An axis holds the data and the sweep, as far as that is no farther than the data is wide."""
    edges = reference.distributions[name].edges
    values = [*swept.measures()[name], swept.neutral.measures()[name][0]]
    room = edges[-1] - edges[0]
    low = max(edges[0] - room, min(edges[0], *values))
    return low, min(edges[-1] + room, max(edges[-1], *values))


def test_every_measure_has_a_panel_whose_marker_stands_at_the_frames_value(page, reference, swept):
    wait_for_panels(page)
    pause(page)
    assert page.locator(".panel").evaluate_all("(all) => all.map((each) => each.dataset.name)") == list(MEASURES)
    assert "scikit-image" in text(page, ".distribution .foot")
    for frame in FRAMES:
        set_range(page, ".transport input", frame)
        for name in MEASURES:
            value = swept.measures()[name][frame]
            low, high = ends_of(reference, name, swept)
            assert place_of(page, name) == pytest.approx((value - low) / (high - low), abs=0.006), (frame, name)
            assert text(page, f".panel[data-name={name}] .place") == words(reference, name, value)
            heard = page.locator(f".panel[data-name={name}] .histogram").get_attribute("aria-label")
            assert words(reference, name, value) in heard
            inside = reference.distributions[name].holds(value)
            assert ("inside its middle 98" in heard) == inside
            assert (page.locator(f".panel.outside[data-name={name}]").count() == 0) == inside


def test_the_band_is_the_middle_98_percent(page, reference, swept):
    wait_for_panels(page)
    for name, distribution in reference.distributions.items():
        panel = page.locator(f".panel[data-name={name}]")
        band, box = (panel.locator(part).bounding_box() for part in (".band", ".histogram"))
        low, high = ends_of(reference, name, swept)
        ends = [(band["x"] - box["x"]) / box["width"], (band["x"] + band["width"] - box["x"]) / box["width"]]
        assert ends == pytest.approx([(each - low) / (high - low) for each in (distribution.low, distribution.high)],
                                     abs=0.006)  # fmt: skip


def downloaded(page, name):
    """The file that the menu has under this name."""
    if name != "Save GIF":
        page.locator(".player .more summary").click()
    with page.expect_download() as waiting:
        page.locator(".player").get_by_role("button", name=name).click()
    return Path(waiting.value.path()).read_bytes()


def choose_panels(page):
    page.locator(".player .more summary").click()
    page.locator(".player").get_by_label("with the data").click()
    page.keyboard.press("Escape")


def test_an_animation_is_taken_home_with_the_data_or_without(page, reference, swept, tmp_path):
    wait_for_panels(page)
    pause(page)
    for suffix, name in ((".gif", "Save GIF"), (".webp", "WebP")):
        bare = downloaded(page, name)
        choose_panels(page)
        assert text(page, ".player .save-gif") == "Save GIF + data"
        beside = downloaded(page, name)
        choose_panels(page)
        assert text(page, ".player .save-gif") == "Save GIF"
        expected = [
            swept.save(tmp_path / f"{place}{suffix}", **options).read_bytes()
            for place, options in enumerate(({}, {"panels": reference.panels}))
        ]
        assert [bare, beside] == expected
        with Image.open(io.BytesIO(beside)) as animation, Image.open(io.BytesIO(bare)) as without:
            assert animation.n_frames == without.n_frames
            assert animation.width > without.width + 200


def test_a_saved_page_has_the_panels_and_its_markers_move(page, chromium, reference, swept, tmp_path):
    wait_for_panels(page)
    pause(page)
    file = tmp_path / "saved.html"
    file.write_bytes(downloaded(page, "HTML page"))
    saved = chromium.new_page(viewport={"width": 1100, "height": 1000}, reduced_motion="reduce")
    wrong: list[str] = []
    saved.on("pageerror", lambda error: wrong.append(str(error)))
    saved.goto(file.as_uri())
    saved.locator("[data-ready]").wait_for()
    assert text(saved, ".distribution .foot").split(" The line")[0] == ExamplePhotographs.caption
    for frame in FRAMES:
        set_range(saved, ".transport input", frame)
        for name in MEASURES:
            value = swept.measures()[name][frame]
            low, high = ends_of(reference, name, swept)
            assert place_of(saved, name) == pytest.approx((value - low) / (high - low), abs=0.006), (frame, name)
            assert text(saved, f".panel[data-name={name}] .place") == words(reference, name, value)
            # As animations have it.
            assert words(reference, name, value) == reference[name].distribution.words(value)
    assert saved.locator(".facts .inside").count() == 1
    # It makes no files.
    assert saved.locator(".with-panels").count() == 0
    assert wrong == []
    saved.close()


def test_markers_move_without_a_word_to_the_kernel(chromium, app):
    page = chromium.new_page(viewport={"width": 1200, "height": 900})
    sent: list[object] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.goto(app)
    wait_for_sweep(page)
    wait_for_panels(page)
    pause(page)
    page.wait_for_timeout(500)
    assert sent, "no message was seen at all: this test looks in the wrong place"
    sent.clear()
    # All in one go of the page's own thread: nothing could have come back meanwhile.
    moved = page.evaluate(
        "() => { const scrubber = document.querySelector('.scrubber');"
        " return [4, 20, 44].map((frame) => { scrubber.value = frame;"
        " scrubber.dispatchEvent(new Event('input', { bubbles: true }));"
        f" return ({LEFTS})(); }}); }}"
    )
    assert len({tuple(each) for each in moved}) == 3
    assert all(len(each) == len(MEASURES) for each in moved)
    page.locator(".play").click()
    page.wait_for_timeout(300)
    sent.clear()
    before = page.evaluate(LEFTS)
    page.wait_for_timeout(500)
    assert page.evaluate(LEFTS) != before
    assert sent == []
    page.close()


def test_all_panels_of_the_data_open_beneath_them(page):
    offer = page.get_by_role("button", name="Show all panels of the data")
    offer.press("Enter")
    page.locator(".augimpact-profile section").first.wait_for()
    hide = page.get_by_role("button", name="Hide the panels of the data")
    hide.wait_for()
    assert offer.count() == 0
    # It is still in the keyboard's hands.
    focused = page.locator(".augimpact-data-panels button:focus")
    assert focused.inner_text() == "Hide the panels of the data"
    page.keyboard.press("Enter")
    page.locator(".augimpact-profile section").first.wait_for(state="hidden")
    page.keyboard.press("Enter")
    page.locator(".augimpact-profile section").first.wait_for()
    assert focused.count() == 1
    assert "at the size they are stored in" in text(page, ".augimpact-data-panels p:not([role=status])")
    assert text(page, ".augimpact-profile section h2") == "Summary"
    assert f"{len(ExamplePhotographs())} images" in text(page, ".augimpact-profile section p")
    page.get_by_role("tab", name="images").click()
    page.locator(".augimpact-profile h2", has_text="Sharpness").wait_for()
    # As the player, they are no part of the other tab.
    page.get_by_role("tab", name="impact").click()
    page.locator(".augimpact-data-panels").wait_for(state="hidden")
    page.get_by_role("tab", name="player").click()
    page.locator(".augimpact-data-panels").wait_for(state="visible")


def test_the_panels_are_told_to_who_cannot_see_them(page):
    """After the test before: the panels are open."""
    box = page.locator(".augimpact-data-panels")
    button = box.locator("button").first
    assert button.get_attribute("aria-expanded") == "true"
    tabs = box.get_by_role("tablist", name="panels of the data").get_by_role("tab")
    tabs.first.focus()
    for key, name in (("End", "problems"), ("ArrowRight", "overview"), ("ArrowRight", "images"), ("Home", "overview")):
        page.keyboard.press(key)
        tab = box.get_by_role("tab", name=name, selected=True)
        assert tab.evaluate("(each) => each === document.activeElement")
        panel = box.get_by_role("tabpanel", name=name)
        panel.locator("section").first.wait_for()
        assert tab.get_attribute("aria-controls") == panel.get_attribute("id")
        assert box.locator("[role=tabpanel]:visible").count() == 1
    button.click()
    # What is said beside it is read out.
    status = box.get_by_role("status")
    status.filter(has_text="classes, sizes").wait_for()
    assert button.get_attribute("aria-expanded") == "false"
    button.click()
    status.filter(has_not_text="classes, sizes").wait_for(state="attached")


@pytest.mark.parametrize("width", [1400, 400, 320])
def test_neither_the_button_nor_a_tab_is_cut(page, width):
    """After the test before: the panels are open."""
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_timeout(300)
    tabs = page.locator(".augimpact-data-panels [role=tab]")
    assert tabs.all_inner_texts() == ["Overview", "Images", "Classes", "Problems"]
    button = page.locator(".augimpact-data-panels button").first
    for described in ("Hide the panels of the data", "Show all panels of the data"):
        assert button.inner_text() == described
        for part in (button, *tabs.all()) if "Hide" in described else (button,):
            assert part.evaluate("(each) => each.scrollWidth <= each.clientWidth")
            box = part.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
        button.click()
        page.wait_for_timeout(200)
    page.set_viewport_size({"width": 1400, "height": 1000})


def lightness(page, selector, style):
    """Of a colour as a page has it, from 0 to 255."""
    colour = page.locator(selector).first.evaluate("(each, style) => getComputedStyle(each)[style]", style)
    red, green, blue = map(int, re.findall(r"\d+", colour)[:3])
    return (red + green + blue) / 3


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_datas_panels_follow_the_visitors_scheme(page, scheme):
    """After the test before: the panels are open."""
    page.emulate_media(color_scheme=scheme)
    page.wait_for_timeout(200)
    box = ".augimpact-data-panels "
    # The button, what is said above the board, the tabs, and the board.
    for selector, ground in (
        (f"{box}button", f"{box}button"),
        (f"{box}p", "html"),
        (f"{box}[role=tab][aria-selected=true]", "html"),
        (f"{box}[role=tab][aria-selected=false]", "html"),
        (f"{box}section h2", f"{box}section"),
        (f"{box}section > p", f"{box}section"),
    ):
        ink, paper = lightness(page, selector, "color"), lightness(page, ground, "backgroundColor")
        assert (paper < 60 and ink > 140) if scheme == "dark" else (paper > 210 and ink < 120), (selector, ink, paper)
    assert (
        "invert" in page.locator(f"{box}.chart > img").first.evaluate("(each) => getComputedStyle(each).filter")
    ) == (scheme == "dark")
    page.emulate_media(color_scheme="light")


def test_the_panels_that_are_chosen_go_along(page, reference, swept, tmp_path):
    """After the test before: the data's panels were opened, and are offered beside the measures."""
    wait_for_panels(page)
    pause(page)
    profile = ai.profile(ExamplePhotographs(), progress=quiet)
    choose_panels(page)
    menu = page.locator(".player .more summary")
    menu.click()
    chosen = page.get_by_role("group", name="panels beside the picture")
    boxes = chosen.get_by_role("checkbox")
    offered = [*MEASURES, *(panel.name for panel in profile.panels if panel.name not in MEASURES)]
    assert boxes.evaluate_all("(all) => all.map((each) => each.dataset.key)") == offered
    assert boxes.evaluate_all("(all) => all.map((each) => each.checked)") == [name in MEASURES for name in offered]
    for name in ("Contrast", "Sharpness", "Saturation", "Sizes"):
        chosen.get_by_text(name, exact=True).click()
    menu.click()
    beside = downloaded(page, "Save GIF")
    panels = [reference["brightness"], reference["entropy"], profile["sizes"]]
    # Of bytes that differ pytest would look for minutes where they do.
    is_equal = beside == swept.save(tmp_path / "chosen.gif", panels=panels).read_bytes()
    assert is_equal
    # Without any it is as without the data.
    menu.click()
    for name in ("Brightness", "Entropy", "Sizes"):
        chosen.get_by_text(name, exact=True).click()
    assert text(page, ".player .save-gif") == "Save GIF"
    for name in ("Brightness", "Contrast", "Sharpness", "Saturation", "Entropy"):
        chosen.get_by_text(name, exact=True).click()
    assert text(page, ".player .save-gif") == "Save GIF + data"
    menu.click()
    choose_panels(page)


def test_a_slider_moves_the_markers_too(page, reference, classifier):
    wait_for_panels(page)
    pause(page)
    bright = ai.analyze(example("motorcycle"), ai.Sweep(brightness=2.4, frames=1), classifier).measures()
    set_range(page, slider("brightness"), 2.4)
    wait_for_preview(page, "brightness 2.40")
    page.wait_for_timeout(200)
    for name in MEASURES:
        assert text(page, f".panel[data-name={name}] .place") == words(reference, name, bright[name][0])
    assert page.locator(".panel.outside").count() > 0
    page.locator("[aria-label='reset brightness']").click()
    page.wait_for_function("() => !document.querySelector('.screen:nth-child(2) .tag').textContent.includes('bright')")


@pytest.mark.parametrize("width", [1400, 1000, 400, 320])
def test_the_panels_fit_any_window(page, width):
    wait_for_panels(page)
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    card = page.locator(".distribution").bounding_box()
    boxes = [each.bounding_box() for each in page.locator(".panel, .panel .place, .panel .head b").all()]
    for box in boxes:
        assert box["x"] >= card["x"]
        assert box["x"] + box["width"] <= card["x"] + card["width"]
    overflowing = page.locator(".panel").evaluate_all(
        "(all) => all.filter((each) => each.scrollWidth > each.clientWidth + 2)"
    )
    assert overflowing == []
    page.set_viewport_size({"width": 1400, "height": 1000})


def test_a_folder_is_compared_with_and_nothing_of_it_leaves(chromium, tmp_path, classifier):
    folder = tmp_path / "hidden-folder"
    folder.mkdir()
    photographs = ExamplePhotographs()
    images = [np.asarray(photographs[index]) for index in range(0, 144, 7)]
    for place, pixels_of in enumerate(images):
        Image.fromarray(pixels_of).save(folder / f"hidden-{place}.png")
    (folder / "hidden-damage.jpg").write_bytes(b"\xff\xd8\xff no photograph")
    expected = reference_of(images, classifier.sees, progress=quiet)
    swept = ai.analyze("example:motorcycle", ai.Sweep(rotation=(-60, 60), frames=48), classifier)
    (tmp_path / "app").mkdir()
    received: list[str] = []
    with serving(tmp_path / "app", "--data", str(folder), "--no-warm") as server:
        page = chromium.new_page(viewport={"width": 1200, "height": 900})
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(str(frame))))
        page.goto(server.address)
        wait_for_sweep(page)
        wait_for_panels(page)
        pause(page)
        assert text(page, ".distribution .foot").startswith("The data: 22 images, 1 of them cannot be read. ")
        set_range(page, ".transport input", 30)
        for name in MEASURES:
            assert text(page, f".panel[data-name={name}] .place") == words(
                expected, name, swept.measures()[name][30]
            )  # fmt: skip
        assert received
        assert not any(("hidden" in frame and "damage" in frame) or "hidden-folder" in frame for frame in received)
        assert "hidden-" not in page.content()
        taken = downloaded(page, "HTML page")
        assert b"The data: 22 images" in taken
        assert b"hidden-" not in taken
        for path in ("hidden-0.png", "files/hidden-0.png", "voila/files/hidden-0.png"):
            assert server.ask(f"/{path}")[0] in (403, 404)
        page.close()


def test_the_command_line_refuses_a_folder_without_images(tmp_path):
    from typer.testing import CliRunner

    from augimpact.cli.main import app

    for folder in (tmp_path, tmp_path / "missing"):
        done = CliRunner().invoke(app, ["app", "--data", str(folder)])
        assert done.exit_code != 0


# What follows is the player alone.


def made_up(low, high, name="brightness"):
    """A dataset of one measure, from 0 to 1."""
    values = np.linspace(0, 1, 11).tolist()
    one = {
        "name": name, "about": "made up", "counts": [1] * 10, "edges": values, "low": low, "high": high,
        "values": [0, *values, 1], "shares": [0.05, *np.linspace(0.05, 0.95, 11).tolist(), 0.95],
    }  # fmt: skip
    return {"caption": "Made up.", "measures": [one]}


@pytest.fixture
def rising(trace):  # noqa: F811
    """A sweep of 21 frames whose brightness rises from 0 to 1."""
    return risen(trace)


def risen(sweep):
    payload = payload_of(sweep)
    values = np.linspace(0, 1, len(sweep)).tolist()
    numbers = [each | ({"values": values} if each["name"] == "brightness" else {}) for each in payload["numbers"]]
    return payload | {"numbers": numbers}


def compare_with(page, data):
    page.evaluate("(text) => window.change('distributions', text)", as_text(data))
    names = [each["name"] for each in data.get("measures", ())]
    panels = [{"name": name, "title": name.capitalize(), "usual": True} for name in names]
    page.evaluate("(text) => window.change('panels', text)", as_text(panels))


def test_without_a_dataset_nothing_of_it_is_seen(opened, rising):  # noqa: F811
    page = opened(rising)
    assert page.locator(".distribution").is_hidden()
    assert page.locator(".facts .inside").count() == 0
    compare_with(page, made_up(0.2, 0.8))
    assert page.locator(".panel").count() == 1
    compare_with(page, {})
    assert page.locator(".distribution").is_hidden()
    assert page.locator(".facts .inside").count() == 0


def test_with_the_data_is_offered_where_there_is_some(opened, rising):  # noqa: F811
    page = opened(rising)
    choice, menu = page.locator(".with-panels"), page.locator(".more summary")
    menu.click()
    assert choice.is_hidden()
    compare_with(page, {"caption": "Measuring the data: 3 of 9 images…", "measures": [], "pending": True})
    assert choice.is_hidden()
    compare_with(page, made_up(0.2, 0.8))
    assert choice.is_visible()
    page.get_by_label("with the data").focus()
    page.keyboard.press("Space")
    assert page.get_by_label("with the data").is_checked()
    # It is the menu's, and does not make the player play.
    assert page.locator(".play").get_attribute("aria-label") == "play"
    page.get_by_role("button", name="MP4").click()
    wish = page.evaluate("window.sent.pop()")
    assert (wish["suffix"], wish["panels"]) == (".mp4", ["brightness"])
    page.evaluate("(request) => window.answer({ kind: 'error', request, text: 'no' })", wish["request"])
    # What was chosen is of no more use when the data is gone, and comes back with it.
    compare_with(page, {})
    assert text(page, ".save-gif") == "Save GIF"
    page.locator(".save-gif").click()
    wish = page.evaluate("window.sent.pop()")
    assert (wish["suffix"], wish["panels"]) == (".gif", [])
    compare_with(page, made_up(0.2, 0.8))
    assert text(page, ".save-gif") == "Save GIF + data"


@pytest.mark.parametrize("width", [1400, 1000, 400, 320])
def test_the_choice_fits_any_window(opened, rising, width):  # noqa: F811
    page = opened(rising, viewport={"width": width, "height": 900})
    compare_with(page, made_up(0.2, 0.8))
    page.locator(".more summary").click()
    page.locator(".player").get_by_label("with the data").click()
    card = page.locator(".player").bounding_box()
    for part in (".with-panels", ".save-gif", ".more summary", ".copy-code", ".more > div"):
        box = page.locator(part).bounding_box()
        assert box["x"] >= card["x"], part
        assert box["x"] + box["width"] <= card["x"] + card["width"], part
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_of_several_parameters_the_range_inside_the_data_names_each(opened, classifier):  # noqa: F811
    both = ai.analyze("example:cat", ai.Sweep(rotation=(-60, 60), contrast=(0.5, 1.5), frames=21), classifier)
    page = opened(risen(both))
    compare_with(page, made_up(0.249, 0.751))
    first, last = "rotation −30.0° contrast 0.75", "rotation 30.0° contrast 1.25"
    assert text(page, ".facts .inside") == f"inside the data from {first} to {last}"


def test_the_curves_are_shaded_where_every_measure_is_inside(opened, rising):  # noqa: F811
    page = opened(rising)
    bare = pixels(page, ".curves").astype(int)

    def shaded(low, high):
        """The first and the last column that is shaded, and how many there are."""
        compare_with(page, made_up(low, high))
        changed = np.abs(pixels(page, ".curves").astype(int) - bare).max(axis=2) > 2
        columns = np.flatnonzero(changed.mean(axis=0) > 0.5)
        return columns[0], columns[-1], len(columns)

    # The whole sweep is inside; with it the frames' places are known.
    left, right, _ = shaded(-1, 2)
    assert text(page, ".facts .inside") == "inside the data over the whole sweep"
    first, last, count = shaded(0.249, 0.751)
    assert text(page, ".facts .inside") == "inside the data from −30.0° to 30.0°"
    # Frames 5 to 15 of 0 to 20, and half the way to their neighbours.
    step = (right + 1 - left) / 20
    assert first - left == pytest.approx(4.5 * step, abs=1.5)
    assert last + 1 - left == pytest.approx(15.5 * step, abs=1.5)
    assert count == pytest.approx(last + 1 - first, abs=3)
    compare_with(page, made_up(2, 3))
    assert text(page, ".facts .inside") == "outside the data by brightness over the whole sweep"
    assert np.abs(pixels(page, ".curves").astype(int) - bare).max() <= 2


def test_of_a_single_frame_nothing_is_said_of_a_sweep(opened, trace):  # noqa: F811
    page = opened(payload_of(trace[:1]))
    compare_with(page, made_up(2, 3))
    assert text(page, ".facts .inside") == "outside the data by brightness"
    compare_with(page, made_up(-1, 2))
    assert text(page, ".facts .inside") == "inside the data"
    assert re.search("every frame|whole sweep", text(page, "div.facts")) is None


def test_several_parts_and_single_frames_are_told(opened, rising):  # noqa: F811
    values = [0.5, 9, 0.5, 0.5, *[9] * 15, 0.5, 0.5]
    numbers = [each | ({"values": values} if each["name"] == "brightness" else {}) for each in rising["numbers"]]
    page = opened(rising | {"numbers": numbers})
    compare_with(page, made_up(0.2, 0.8))
    told = text(page, ".facts .inside")
    assert told == "inside the data at −60.0°, from −48.0° to −42.0°, from 54.0° to 60.0°"


def test_beyond_the_axis_an_arrowhead_points_there(opened, rising):  # noqa: F811
    values = [-50, *[0.5] * 19, 50]
    numbers = [each | ({"values": values} if each["name"] == "brightness" else {}) for each in rising["numbers"]]
    page = opened(rising | {"numbers": numbers})
    compare_with(page, made_up(0.2, 0.8))
    # The axis grows by the data's width on each side.
    for frame, share, said in ((0, 0, "below all"), (10, 0.5, "50th percentile"), (20, 1, "above all")):
        set_range(page, ".scrubber", frame)
        marker, box = (page.locator(f".panel {part}").bounding_box() for part in (".marker", ".histogram"))
        if share == 0.5:
            assert place_of(page, "brightness") == pytest.approx(share, abs=0.01)
            assert marker["height"] == pytest.approx(box["height"], abs=1.5)
        else:
            # Not the line that a value on the axis is: its tip is at the edge, all of it within.
            assert marker["height"] < box["height"] / 3
            assert marker["x"] - box["x"] == pytest.approx(share * (box["width"] - marker["width"]), abs=0.5)
            assert marker["width"] > 6
            points = page.locator(".panel .marker").evaluate("(each) => getComputedStyle(each).clipPath")
            assert (points.startswith("polygon(0") and "100% 50%" in points) == (share == 1)
        assert text(page, ".panel .place") == said
        assert page.locator(".panel.outside").count() == int(share in (0, 1))
    page.locator(".player").focus()
    page.keyboard.press("End")
    page.locator(".spoken", has_text="; outside the data by brightness").wait_for(state="attached")


def test_its_place_is_kept_while_it_is_measured(opened, rising):  # noqa: F811
    page = opened(rising)
    compare_with(page, {"caption": "Measuring the data: 3 of 9 images…", "measures": [], "pending": True})
    assert "is still measured" in text(page, ".player .facts")
    assert text(page, ".distribution .foot") == "Measuring the data: 3 of 9 images…"
    before = page.locator(".numbers").bounding_box()["y"]
    compare_with(page, made_up(0.2, 0.8))
    assert abs(page.locator(".numbers").bounding_box()["y"] - before) < 30


def test_where_nothing_is_to_come_no_place_is_kept(opened, rising):  # noqa: F811
    page = opened(rising)
    compare_with(page, {"caption": "None of its images can be read.", "measures": [], "pending": False})
    assert text(page, ".distribution .foot") == "None of its images can be read."
    assert page.locator(".distribution .panels").bounding_box()["height"] == 0
    assert "measured" not in text(page, ".player .facts")


def test_a_preview_is_marked_and_what_is_cleared_is_not(opened, rising, trace):  # noqa: F811
    page = opened(rising)
    compare_with(page, made_up(0.2, 0.8))
    assert page.locator(".marker").is_visible()
    preview = still_of(trace[10:11])
    value = next(each["values"][0] for each in preview["numbers"] if each["name"] == "brightness")
    page.evaluate("(text) => window.change('preview', text)", as_text(preview))
    page.wait_for_function("() => document.querySelector('.position').textContent === 'preview'")
    assert place_of(page, "brightness") == pytest.approx(value, abs=0.01)
    page.evaluate("() => { window.change('payload', '{}'); window.change('preview', '{}'); }")
    assert page.locator(".marker, .origin").evaluate_all("(all) => all.every((each) => each.hidden)")
    assert text(page, ".panel .place") == ""
    assert page.locator(".panel").count() == 1


def test_a_signal_has_no_place_among_images(opened, rising):  # noqa: F811
    page = opened(rising | {"numbers": [each for each in rising["numbers"] if each["name"] == "drift"]})
    compare_with(page, made_up(0.2, 0.8))
    assert page.locator(".distribution").is_hidden()
