"""What a person does with the page and sees in it, whatever front end it is in."""

from __future__ import annotations

import base64
import io
import time

import numpy as np
from PIL import Image
from playwright.sync_api import Page

from augimpact.data.image import example

ORIGINAL, AUGMENTED = ".screen:nth-child(1) canvas", ".screen:nth-child(2) canvas"


def pixels(page: Page, selector: str = AUGMENTED) -> np.ndarray:
    """What a canvas shows, `(S, S, 4)`."""
    address = page.evaluate("(selector) => document.querySelector(selector).toDataURL('image/png')", selector)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))).convert("RGBA"))


def wait_for_other_pixels(page: Page, before: np.ndarray, selector: str = ORIGINAL) -> None:
    """Returns when a canvas shows something clearly else than before, and what came with it is complete."""
    deadline = time.monotonic() + 60
    while np.abs(pixels(page, selector).astype(int) - before).mean() < 2:
        assert time.monotonic() < deadline, "the picture stayed as it was"
        page.wait_for_timeout(50)
    wait_for_sweep(page)


def text(page: Page, selector: str) -> str:
    return page.locator(selector).first.inner_text()


def pause(page: Page) -> None:
    if page.locator(".play").get_attribute("aria-label") == "pause":
        page.locator(".play").click()


def set_range(page: Page, selector: str, value: float) -> None:
    """Moves a slider as a drag does: input events, then a change."""
    page.locator(selector).evaluate(
        "(slider, value) => { slider.value = value;"
        " slider.dispatchEvent(new Event('input', { bubbles: true }));"
        " slider.dispatchEvent(new Event('change', { bubbles: true })); }",
        value,
    )


def slider(name: str) -> str:
    return f".row[data-name={name}] .track input:not([hidden])"


def value(page: Page, name: str) -> str:
    """What stands beside a parameter's slider."""
    return page.locator(f".row[data-name={name}] > .number").input_value()


def ends(page: Page, name: str) -> list[str]:
    """What stands under a parameter's range."""
    numbers = page.locator(f".row[data-name={name}] .ends .number")
    return [numbers.nth(index).input_value() for index in range(2)]


def wait_until(page: Page, condition: str, arg: object = None) -> None:
    """Returns when the JavaScript function is true; it is asked by the clock, not with every frame that is painted.

    In Notebook frames come to a stand while the page is made, and the asking with them.
    """
    page.wait_for_function(condition, arg=arg, polling=50)


def wait_for_preview(page: Page, tag: str) -> None:
    wait_until(
        page,
        "(tag) => document.querySelector('.screen:nth-child(2) .tag').textContent.includes(tag)"
        " && document.querySelector('.position').textContent === 'preview'",
        arg=tag,
    )


def wait_for_sweep(page: Page) -> None:
    """Returns when a sweep has been painted and nothing is under way."""
    wait_until(
        page,
        "() => / \\/ /.test(document.querySelector('.position')?.textContent)"
        " && /frames/.test(document.querySelector('.message').textContent)"
        " && document.querySelector('.cancel').hidden",
    )


def unfold(page: Page) -> None:
    """Shows every parameter."""
    while (folded := page.locator(".fold[aria-expanded=false]:not(:has(.count:empty))")).count():
        folded.first.click()


def shown_rows(page: Page) -> list[str]:
    """The names of the parameters that are seen."""
    return page.locator(".row:visible").evaluate_all("(rows) => rows.map((row) => row.dataset.name)")


def upload_cup(page: Page, name: str) -> None:
    """Uploads the photograph of a cup of coffee under a name, and returns when it is explained."""
    file = io.BytesIO()
    example("coffee").save(file, format="PNG")
    before = pixels(page, ORIGINAL)
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "image/png", "buffer": file.getvalue()})
    page.wait_for_function("() => document.querySelector('.screen .caption b').textContent === 'espresso'")
    wait_for_other_pixels(page, before)
