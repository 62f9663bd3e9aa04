"""The app with models and images of one's own, whose names are as nasty as names can be."""

from __future__ import annotations

import io

import pytest

from augimpact.data.image import example
from tests.browser.driving import pause, pixels, text, wait_for_sweep
from tests.browser.serving import serving

pytestmark = pytest.mark.browser

NASTY = "<img src=x onerror=window.hacked=1>"
LONG = "a very long label, " * 8
OWN = f"""
import torch
import augimpact as ai

def net(classes, bias=0.0):
    torch.manual_seed(0)
    features = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 5, stride=4), torch.nn.ReLU())
    head = torch.nn.Linear(8, classes)
    head.bias.data[0] += bias
    return torch.nn.Sequential(features, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), head)

def nasty():
    return ai.Classifier(net(3, 9.0), [{NASTY!r}, {LONG!r}, "dog"], size=64, name={NASTY!r})

def alone():
    return ai.Classifier(net(1), ["the only class"], size=64, name="alone")
"""


@pytest.fixture(scope="module")
def page(chromium, tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    (folder / "own.py").write_text(OWN)
    photographs = folder / "photographs"
    photographs.mkdir()
    example("coffee").save(photographs / f"{NASTY}.png")
    example("cat").save(photographs / "cat.jpg")
    options = ["--model", "efficientnet-lite0", "--model", "own.py:nasty", "--model", "own.py:alone"]
    with serving(folder, "--no-warm", "--folder", str(photographs), "--max-megapixels", "2", *options) as server:
        page = chromium.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(60_000)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(server.address)
        wait_for_sweep(page)
        yield page
        assert page.evaluate("window.hacked") is None
        assert page.locator("img[src=x]").count() == 0
        page.close()
        assert errors == []


def wait_for_prediction(page, words):
    page.wait_for_function("(words) => document.querySelector('.screen .caption b').textContent === words", arg=words)
    wait_for_sweep(page)


def test_an_image_of_the_folder_is_found_by_its_name(page):
    page.locator(".folder > summary").click()
    page.locator(".folder button").nth(1).wait_for()
    assert page.locator(".folder button").count() == 2
    page.locator("[aria-label='find an image']").fill("onerror")
    page.wait_for_function("() => document.querySelectorAll('.folder button').length === 1")
    page.locator(".folder button").click()
    wait_for_prediction(page, "espresso")
    assert page.locator(".thumbnails [aria-pressed=true]").get_attribute("title") == f"photographs/{NASTY}.png"


def test_another_model_is_chosen_and_its_labels_are_text(page):
    page.locator("select[aria-label=model]").select_option("own.py:nasty")
    wait_for_prediction(page, NASTY)
    assert NASTY in text(page, ".strip")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.locator(".more-choices > summary").click()
    page.locator(".class-picker > summary").click()
    page.locator(".choices label").first.wait_for()
    labels = page.locator(".choices label").all_inner_texts()
    assert [each.strip() for each in labels] == [NASTY, LONG.strip(), "dog"]
    assert pixels(page).shape == (128, 128, 4)


def test_a_second_model_plays_beside_the_first(page):
    page.locator("[aria-label='beside it']").select_option(label="EfficientNet-Lite0 · ImageNet")
    page.wait_for_function("() => document.querySelector('.screen:nth-child(3)')?.hidden === false")
    wait_for_sweep(page)
    pause(page)
    # Each model sees the photograph at its own size.
    assert pixels(page, ".screen:nth-child(2) canvas").shape == (128, 128, 4)
    assert pixels(page, ".screen:nth-child(3) canvas").shape == (448, 448, 4)
    page.locator("[aria-label='beside it']").select_option("")
    page.wait_for_function("() => document.querySelector('.screen:nth-child(3)')?.hidden ?? true")
    wait_for_sweep(page)


def test_one_class_is_shown_as_well_as_a_thousand(page):
    page.locator("select[aria-label=model]").select_option("own.py:alone")
    wait_for_prediction(page, "the only class")
    assert page.locator(".strip .class").count() == 1
    assert "same in every frame" in text(page, "div.facts")
    page.locator("select[aria-label=model]").select_option("EfficientNet-Lite0 · ImageNet")
    wait_for_prediction(page, "espresso")
    assert page.locator("datalist[id^=labels] option").count() == 1000


def test_a_nasty_name_of_an_upload_is_text_in_the_page_and_in_its_error(page):
    page.locator("input[type=file]").set_input_files(
        {"name": f"{NASTY}.jpg", "mimeType": "image/jpeg", "buffer": b"no image"}
    )
    page.locator(".upload-note.error").wait_for()
    assert text(page, ".upload-note").startswith(f"'{NASTY}.jpg'")
    file = io.BytesIO()
    example("cat").save(file, format="PNG")
    page.locator("input[type=file]").set_input_files(
        {"name": f"{NASTY}.png", "mimeType": "image/png", "buffer": file.getvalue()}
    )
    page.locator(".thumbnails [aria-pressed=true]").last.wait_for()
    page.wait_for_function("() => document.querySelector('.screen .caption b').textContent.includes('cat')")
    wait_for_sweep(page)
    assert page.locator(".thumbnails [aria-pressed=true]").get_attribute("title") == f"{NASTY}.png"


def test_a_photograph_beyond_the_limit_is_made_smaller_on_its_way(page):
    """Three megapixels, where two were allowed."""
    file = io.BytesIO()
    example("rocket").resize((2000, 1500)).save(file, format="JPEG")
    page.locator("input[type=file]").set_input_files(
        {"name": "three.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()}
    )
    page.wait_for_function("() => /missile|projectile/.test(document.querySelector('.screen .caption b').textContent)")
    wait_for_sweep(page)
    assert page.locator(".message.error").count() == 0
