"""What can be chosen in the page, in a real browser: parameters, classes, layer, a second method, a grid, images."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest

import augimpact as ai
from augimpact.augment.parameters import CATALOGUE
from augimpact.data.image import example
from tests.browser.driving import (
    AUGMENTED,
    ORIGINAL,
    ends,
    pause,
    pixels,
    set_range,
    shown_rows,
    slider,
    text,
    unfold,
    value,
    wait_for_other_pixels,
    wait_for_preview,
    wait_for_sweep,
)  # fmt: skip

pytestmark = pytest.mark.browser

FIVE = ["crop", "rotation", "perspective_x", "perspective_y", "brightness", "erase_w", "erase_h", "erase_x", "erase_y"]
SECOND = ".screen:nth-child(3) canvas"


def sweep(page, frames):
    """Makes a sweep of so many frames and waits for it."""
    page.locator("input[aria-label=frames]").fill(str(frames))
    page.locator("input[aria-label=frames]").blur()
    page.locator("button.primary").click()
    page.wait_for_function("(end) => document.querySelector('.position').textContent.endsWith(end)", arg=f"/ {frames}")
    wait_for_sweep(page)
    pause(page)


def test_the_page_opens_with_five_augmentations_and_unfolds_the_others(page):
    assert sorted(shown_rows(page)) == sorted(FIVE)
    page.locator(".group[data-group=colour] .fold").click()
    assert {"brightness", "contrast", "hue"} < set(shown_rows(page))
    page.locator(".group[data-group=colour] .fold").click()
    assert sorted(shown_rows(page)) == sorted(FIVE)
    unfold(page)
    assert sorted(shown_rows(page)) == sorted(CATALOGUE)
    while (unfolded := page.locator(".fold[aria-expanded=true]")).count():
        unfolded.first.click()
    assert sorted(shown_rows(page)) == sorted(FIVE)


def test_what_is_changed_stays_in_sight_when_its_group_is_folded(page):
    page.locator("input[aria-label='find a parameter']").fill("satur")
    assert shown_rows(page) == ["saturation"]
    set_range(page, slider("saturation"), 2)
    page.locator("input[aria-label='find a parameter']").fill("")
    assert sorted(shown_rows(page)) == sorted([*FIVE, "saturation"])
    page.locator("[aria-label='reset colour']").click()
    assert sorted(shown_rows(page)) == sorted(FIVE)


def test_a_value_can_be_typed(page):
    number = page.locator(".row[data-name=rotation] .ends .number").first
    number.fill("-30")
    number.press("Enter")
    assert ends(page, "rotation") == ["−30.0°", "60.0°"]
    wait_for_preview(page, "rotation −30.0°")
    number.fill("left")
    number.press("Enter")
    assert ends(page, "rotation") == ["−30.0°", "60.0°"]
    brightness = page.locator("input[aria-label='brightness, value']")
    brightness.fill("99")
    brightness.press("Enter")
    assert value(page, "brightness") == "3.00"
    wait_for_preview(page, "brightness 3.00")
    page.locator("[aria-label='reset brightness']").click()
    number.fill("−60°")
    number.press("Enter")
    assert ends(page, "rotation") == ["−60.0°", "60.0°"]


def test_erasing_shows_at_once_whichever_side_is_moved(page):
    """A box of width 0.4 has no area as long as its height is 0."""
    set_range(page, slider("erase_w"), 0.4)
    wait_for_preview(page, "erase width 0.40")
    assert float(value(page, "erase_h")) > 0.1
    black = (pixels(page)[..., :3].max(axis=-1) < 8).mean()
    assert black > 0.05
    page.locator("[aria-label='reset occlusion']").click()
    assert value(page, "erase_h") == "0.00"


def test_a_drag_shows_drafts_and_its_end_the_whole_picture(page):
    page.locator(slider("brightness")).evaluate(
        "(slider) => { slider.value = 1.2; slider.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    wait_for_preview(page, "brightness 1.2")
    page.wait_for_function("() => document.querySelector('.screen:nth-child(2) canvas').width === 224")
    page.locator(slider("brightness")).dispatch_event("change")
    page.wait_for_function("() => document.querySelector('.screen:nth-child(2) canvas').width === 448")
    page.locator("[aria-label='reset brightness']").click()


def test_a_second_method_is_played_beside_the_first(page):
    page.locator(".more-choices > summary").click()
    page.locator("[aria-label='beside it']").select_option("method eigencam")
    page.wait_for_function("() => document.querySelectorAll('.screen').length === 3")
    page.wait_for_function("() => !document.querySelector('.screen:nth-child(3)').hidden")
    wait_for_sweep(page)
    sweep(page, 6)
    set_range(page, ".transport input", 3)
    assert "Grad-CAM" in text(page, ".screen:nth-child(2)")
    assert "Eigen-CAM" in text(page, ".screen:nth-child(3)")
    assert pixels(page, SECOND).shape == pixels(page, AUGMENTED).shape
    assert np.abs(pixels(page, SECOND).astype(int) - pixels(page, AUGMENTED)).mean() > 3
    page.locator("[aria-label='beside it']").select_option("")
    page.wait_for_function("() => document.querySelector('.screen:nth-child(3)')?.hidden ?? true")
    wait_for_sweep(page)


def test_scores_are_shared_by_the_chosen_classes(page):
    page.locator(".class-picker > summary").click()
    page.locator("[aria-label='find a class']").fill("moped")
    page.locator(".choices label", has_text="moped").click()
    assert text(page, ".class-picker > summary") == "moped and one more…"
    page.locator("[aria-label='find a class']").fill("motor scoot")
    page.locator(".choices label", has_text="motor scooter").click()
    page.wait_for_function("() => document.querySelectorAll('.strip .class').length === 2")
    wait_for_sweep(page)
    assert text(page, ".class-picker > summary") == "2 of 1000: moped, motor scooter"
    shown = page.locator(".strip .class").evaluate_all("(cells) => cells.map((cell) => cell.title)")
    scores = {title.rsplit(" ", 1)[0]: float(title.rsplit(" ", 1)[1]) for title in shown}
    assert set(scores) == {"moped", "motor scooter"}
    assert sum(scores.values()) == pytest.approx(1, abs=0.002)
    page.get_by_role("button", name="all classes").click()
    page.wait_for_function("() => document.querySelectorAll('.strip .class').length > 2")
    wait_for_sweep(page)


def test_a_layer_is_chosen_by_name(page):
    before = pixels(page, ORIGINAL)
    layer = page.locator("input[aria-label=layer]")
    assert layer.get_attribute("placeholder") == "bn2"
    assert page.locator("datalist[id^=layers] option").count() > 20
    layer.fill("blocks.3")
    layer.press("Enter")
    wait_for_other_pixels(page, before)
    layer.fill("blocks.99")
    layer.press("Enter")
    page.locator(".message.error").wait_for()
    assert "unknown layer 'blocks.99'" in text(page, ".message")
    layer.fill("")
    layer.press("Enter")
    page.wait_for_function("() => !document.querySelector('.message.error')")
    wait_for_sweep(page)


def test_two_ranges_make_a_grid_and_a_cell_of_it_moves_the_sliders(page):
    grid = page.get_by_role("button", name="Grid", exact=True)
    assert grid.is_disabled()
    assert not page.locator(".surface").is_visible()
    page.locator("[aria-label='sweep brightness']").click()
    grid.click()
    page.locator(".surface").wait_for()
    page.wait_for_function("() => /225 settings/.test(document.querySelector('.message').textContent)")
    page.locator(".surface [role=application]").focus()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    wait_for_preview(page, "rotation −60.0°")
    page.locator("[aria-label='reset colour']").click()
    page.locator(".thumbnails [title=cat]").click()
    page.wait_for_function("() => document.querySelector('.screen .caption b').textContent.includes('cat')")
    wait_for_sweep(page)
    assert not page.locator(".surface").is_visible()


def test_the_code_that_is_copied_makes_the_same_scores(page):
    page.locator(".thumbnails [title=motorcycle]").click()
    page.wait_for_function("() => document.querySelector('.screen .caption b').textContent === 'moped'")
    wait_for_sweep(page)
    sweep(page, 5)
    page.evaluate(
        "Object.defineProperty(navigator, 'clipboard', { configurable: true, value: "
        "{ writeText: async (text) => { window.copied = text; } } })"
    )
    page.locator(".player .copy-code, .playing .copy-code").first.click()
    page.wait_for_function("() => window.copied")
    names: dict[str, ai.Trace] = {}
    exec(page.evaluate("window.copied"), names)
    trace = names["trace"]
    assert len(trace) == 5
    set_range(page, ".transport input", 4)
    said = text(page, ".screen:nth-child(2) .caption").split()
    assert " ".join(said[:-1]) == trace.labels[trace.predictions[4]]
    assert float(said[-1]) == pytest.approx(float(trace.scores[4].max()), abs=0.0051)


def test_a_photograph_can_be_dropped_anywhere(page):
    file = io.BytesIO()
    example("coffee").save(file, format="PNG")
    before = pixels(page, ORIGINAL)
    page.evaluate(
        """(content) => {
          const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], "dropped.png", { type: "image/png" }));
          const target = document.querySelector(".facts");
          for (const name of ["dragover", "drop"])
            target.dispatchEvent(new DragEvent(name, { bubbles: true, cancelable: true, dataTransfer: transfer }));
        }""",
        base64.b64encode(file.getvalue()).decode(),
    )
    page.wait_for_function("() => document.querySelector('.screen .caption b').textContent === 'espresso'")
    wait_for_other_pixels(page, before)
    assert page.locator(".thumbnails [aria-pressed=true]").get_attribute("title") == "dropped.png"
    assert page.locator(".dropping").count() == 0
