"""The app as a person uses it, in a real browser: pixels, text and downloads, not screenshots."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests.browser.driving import (
    ORIGINAL,
    pause,
    pixels,
    set_range,
    slider,
    text,
    unfold,
    upload_cup,
    value,
    wait_for_other_pixels,
    wait_for_preview,
    wait_for_sweep,
)  # fmt: skip

pytestmark = pytest.mark.browser


def test_it_opens_with_a_photograph_its_map_and_a_sweep(page):
    assert text(page, ".screen:nth-child(1) .tag") == "original"
    assert text(page, ".screen:nth-child(1) .caption b") == "moped"
    assert pixels(page, ORIGINAL).shape == (448, 448, 4)
    assert pixels(page, ORIGINAL)[..., :3].std() > 20
    assert text(page, ".facts").startswith("prediction flips at rotation −")
    assert page.title() == "augimpact"
    # Of a page that nobody saves no picture is kept.
    assert page.locator(".augimpact-lasting, .jp-RenderedImage").count() == 0


def test_a_sweep_plays_and_pauses(page):
    if page.locator(".play").get_attribute("aria-label") == "play":
        page.locator(".play").click()
    first = text(page, ".position")
    page.wait_for_function("(first) => document.querySelector('.position').textContent !== first", arg=first)
    pause(page)
    page.wait_for_timeout(100)
    resting = text(page, ".position"), pixels(page)
    page.wait_for_timeout(400)
    assert text(page, ".position") == resting[0]
    assert np.array_equal(pixels(page), resting[1])


def test_scrubbing_changes_frames(page):
    pause(page)
    seen = []
    for frame in (0, 20, 47):
        set_range(page, ".transport input", frame)
        assert text(page, ".position") == f"{frame + 1} / 48"
        seen.append(pixels(page))
    assert text(page, ".screen:nth-child(2) .tag") == "rotation 60.0°"
    assert np.abs(seen[0].astype(int) - seen[1]).mean() > 5
    assert np.abs(seen[1].astype(int) - seen[2]).mean() > 5


def test_keys_and_curves_scrub_too(page):
    page.locator(".player").focus()
    page.keyboard.press("Home")
    assert text(page, ".position") == "1 / 48"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert text(page, ".position") == "3 / 48"
    page.keyboard.press("End")
    assert text(page, ".position") == "48 / 48"
    box = page.locator(".curves").bounding_box()
    page.mouse.move(box["x"] + 30 + (box["width"] - 40) / 2, box["y"] + 60)
    page.mouse.down()
    assert text(page, ".position") in ("24 / 48", "25 / 48")
    page.mouse.move(box["x"] - 50, box["y"] + 60)
    page.mouse.up()
    assert text(page, ".position") == "1 / 48"
    page.keyboard.press(" ")
    assert page.locator(".play").get_attribute("aria-label") == "pause"
    page.keyboard.press(" ")
    assert page.locator(".play").get_attribute("aria-label") == "play"


def test_looks_change_pixels_without_a_word_to_the_kernel(chromium, app):
    page = chromium.new_page(viewport={"width": 1200, "height": 900})
    sent: list[object] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.goto(app)
    wait_for_sweep(page)
    pause(page)
    # Turned this far its map is fainter than the sweep's brightest, so that the two scales differ.
    set_range(page, ".transport input", 2)
    page.wait_for_timeout(500)
    assert sent, "no message was seen at all: this test looks in the wrong place"
    sent.clear()
    opaque = pixels(page)
    set_range(page, ".tools input[aria-label^=opacity]", 0)
    bare = pixels(page)
    set_range(page, ".tools input[aria-label^=opacity]", 1)
    only_map = pixels(page)
    page.get_by_label("colours").select_option("viridis")
    other_colours = pixels(page)
    page.locator(".segmented button", has_text="frame").click()
    own_scale = pixels(page)
    page.locator(".play").click()
    page.wait_for_timeout(500)
    looks = [opaque, bare, only_map, other_colours, own_scale]
    for index, one in enumerate(looks):
        for other in looks[index + 1 :]:
            assert np.abs(one.astype(int) - other).mean() > 1
    assert sent == []
    page.close()


def test_a_drag_before_anything_is_shown_loses_nothing(chromium, app):
    page = chromium.new_page(viewport={"width": 1200, "height": 900})
    page.goto(app)
    page.locator(slider("brightness")).wait_for()
    for place in (1.2, 1.4, 1.6):
        set_range(page, slider("brightness"), place)
    # As a preview, or as the first sweep, if that had still to be made.
    page.wait_for_function(
        "() => document.querySelector('.screen:nth-child(2) .tag').textContent.includes('brightness 1.60')"
    )
    assert page.locator(ORIGINAL).is_visible()
    assert text(page, ".screen:nth-child(1) .tag") == "original"
    page.locator("button.primary").click()
    wait_for_sweep(page)
    assert "brightness 1.60" in text(page, ".screen:nth-child(2) .tag")
    page.close()


def test_a_class_can_be_pinned_by_name(page):
    page.get_by_role("button", name="class", exact=True).click()
    before = pixels(page, ORIGINAL)
    page.locator("input[aria-label='name of the class']").fill("disk brake")
    page.locator("input[aria-label='name of the class']").press("Enter")
    wait_for_other_pixels(page, before)
    assert page.locator("datalist[id^=labels] option").count() == 1000
    page.locator("input[aria-label='name of the class']").fill("disc brake")
    page.locator("input[aria-label='name of the class']").press("Enter")
    page.locator(".message.error").wait_for()
    assert "did you mean disk brake" in text(page, ".message")
    before = pixels(page, ORIGINAL)
    page.get_by_role("button", name="follow").click()
    wait_for_other_pixels(page, before)


def test_a_slider_changes_picture_and_scores(page):
    pause(page)
    before, scores = pixels(page), text(page, ".strip")
    set_range(page, slider("brightness"), 2.4)
    wait_for_preview(page, "brightness 2.40")
    assert pixels(page)[..., :3].mean() > before[..., :3].mean() + 15
    assert text(page, ".strip") != scores
    assert value(page, "brightness") == "2.40"
    # What the kernel says of the brightest of many values, and of no other, is on the screen in the end.
    for place in np.linspace(0.3, 1.8, 40):
        set_range(page, slider("brightness"), float(place))
    wait_for_preview(page, "brightness 1.8")
    page.locator("[aria-label='reset brightness']").click()
    page.wait_for_function("() => !document.querySelector('.screen:nth-child(2) .tag').textContent.includes('bright')")
    assert value(page, "brightness") == "1.00"


def test_a_slider_can_be_dragged_by_its_thumb(page):
    box = page.locator(slider("perspective_x")).bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + box["width"] / 4, middle[1], steps=8)
    page.mouse.up()
    wait_for_preview(page, "perspective x 0.")
    page.locator("[aria-label='reset geometry']").click()
    assert value(page, "perspective_x") == "0.00"


def test_a_range_is_swept_in_as_many_frames_as_were_asked(page):
    page.locator("[aria-label='sweep crop']").click()
    page.locator("input[aria-label=frames]").fill("12")
    page.locator("input[aria-label=frames]").blur()
    page.locator("button.primary").click()
    page.wait_for_function("() => document.querySelector('.position').textContent.endsWith('/ 12')")
    wait_for_sweep(page)
    pause(page)
    set_range(page, ".transport input", 11)
    assert text(page, ".screen:nth-child(2) .tag") == "crop 0.30"
    assert "crop" in text(page, ".facts") or "same in every frame" in text(page, ".facts")


def test_the_gif_arrives_as_a_download_and_has_every_frame(page):
    set_range(page, ".tools input[aria-label^=opacity]", 0)
    with page.expect_download() as waiting:
        page.locator(".save-gif").click()
    download = waiting.value
    assert download.suggested_filename == "motorcycle-crop.gif"
    with Image.open(download.path()) as animation:
        assert animation.n_frames == 2 * 12 - 2
        animation.seek(0)
        first = np.asarray(animation.convert("RGB"))[:448]
    set_range(page, ".transport input", 0)
    # Without the map the first frame is the photograph itself, within a palette's and a JPEG's loss.
    assert np.abs(first.astype(int) - pixels(page)[..., :3]).mean() < 8
    assert "saved motorcycle-crop.gif" in text(page, ".notice")
    set_range(page, ".tools input[aria-label^=opacity]", 0.5)


OTHERS = [
    ("WebP", "webp"), ("HTML page", "html"), ("CSV table", "csv"), ("JSON, to replay", "json"), ("NPZ arrays", "npz"),
    ("MP4 video", "mp4"), ("Python code", "py"),
]  # fmt: skip


@pytest.mark.parametrize(("label", "suffix"), OTHERS)
def test_other_files_arrive_too(page, label, suffix):
    page.locator(".player .more summary").click()
    with page.expect_download() as waiting:
        page.locator(".player .more").get_by_role("button", name=label).click()
    assert waiting.value.suggested_filename == f"motorcycle-crop.{suffix}"
    assert waiting.value.path().stat().st_size > (1000 if suffix != "py" else 60)


def test_an_uploaded_photograph_replaces_the_example(page):
    before = pixels(page, ORIGINAL)
    upload_cup(page, "my <b>cup</b>.png")
    assert np.abs(pixels(page, ORIGINAL).astype(int) - before).mean() > 10
    assert page.locator(".thumbnails [aria-pressed=true]").get_attribute("title") == "b>.png"


def test_a_large_photograph_is_made_smaller_on_its_way(page):
    """Noise of 12 megapixels is a PNG of 36 MB, which no socket here would take."""
    noise = np.random.default_rng(0).integers(0, 256, (3000, 4000, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, format="PNG", compress_level=0)
    assert len(file.getvalue()) > 30_000_000
    before = pixels(page, ORIGINAL)
    page.locator("input[type=file]").set_input_files(
        {"name": "large.png", "mimeType": "image/png", "buffer": file.getvalue()}
    )
    page.locator(".thumbnails [title='large.png'][aria-pressed=true]").wait_for()
    wait_for_other_pixels(page, before)
    assert np.abs(pixels(page, ORIGINAL).astype(int) - before).mean() > 10


def test_what_is_no_photograph_gives_a_sentence_and_the_page_lives_on(page):
    page.locator("input[type=file]").set_input_files(
        {"name": "notes.jpg", "mimeType": "image/jpeg", "buffer": b"these are notes"}
    )
    page.locator(".upload-note.error").wait_for()
    assert text(page, ".upload-note").startswith("'notes.jpg' ")
    assert page.locator(".told pre").first.is_hidden()
    page.locator(".told summary").first.click()
    details = text(page, ".told pre")
    assert "ImageError" in details
    # The app is for strangers: what lies where on the server is not theirs to know.
    assert "Traceback" not in details
    assert ".py" not in details
    page.locator(".thumbnails [title='rocket']").click()
    page.wait_for_function("() => /missile|projectile/.test(document.querySelector('.screen .caption b').textContent)")
    wait_for_sweep(page)
    assert page.locator(".message.error").count() == 0


def test_a_long_sweep_shows_progress_and_can_be_cancelled(page):
    page.locator("input[aria-label=frames]").fill("500")
    page.locator("input[aria-label=frames]").blur()
    page.locator("button.primary").click()
    page.locator(".cancel:not([hidden])").wait_for()
    page.wait_for_function("() => document.querySelector('progress').value > 0")
    page.locator(".cancel").click()
    page.wait_for_function("() => document.querySelector('.message').textContent === 'cancelled'")
    assert page.locator(".cancel").is_hidden()
    page.locator("input[aria-label=frames]").fill("12")
    page.locator("input[aria-label=frames]").blur()


@pytest.mark.parametrize(("width", "stacked"), [(1400, False), (1000, False), (800, True), (400, True)])
def test_the_page_fits_its_window(page, width, stacked):
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_timeout(300)
    boxes = (page.locator(name).bounding_box() for name in (".controls", ".player", ".augimpact-data-panels"))
    controls, player, panels = boxes
    if stacked:
        assert player["y"] + player["height"] <= controls["y"]
        # However long the panels become, the controls stay where they are.
        assert controls["y"] + controls["height"] <= panels["y"]
    else:
        assert controls["x"] + controls["width"] <= player["x"]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    for box in (controls, player, panels):
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width


def test_the_sweep_button_is_in_sight_however_long_the_list_is(page):
    page.set_viewport_size({"width": 1400, "height": 700})
    unfold(page)
    button = page.get_by_role("button", name="Sweep", exact=True)
    for row in ("crop", "grid_mask"):
        page.locator(f".row[data-name={row}]").scroll_into_view_if_needed()
        box = button.bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 700


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_it_is_light_or_dark_as_its_visitor_prefers(page, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 1400, "height": 1000})
    page.locator(".controls").evaluate("(controls) => controls.scrollIntoView()")
    page.wait_for_timeout(200)
    # The page's corner, the edge of a card, and what is written on it.
    shown = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("L"))
    card = page.locator(".controls .card").first.bounding_box()
    corner, inside = shown[500, 3], shown[int(card["y"]) + 5, int(card["x"] + card["width"] / 2)]
    ink = page.locator(".row .name").first.evaluate("(name) => getComputedStyle(name).color")
    levels = [int(corner), int(inside), 255 - int(ink.removeprefix("rgb(").split(",")[0])]
    assert max(levels) < 70 if scheme == "dark" else min(levels) > 200
