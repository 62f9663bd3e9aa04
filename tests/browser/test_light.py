"""The app whose pages have light kernels: what a person does there works as it does without a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

from augimpact.impact.scheduler import own_cluster
from tests.browser.conftest import PATIENCE
from tests.browser.driving import (
    pause,
    pixels,
    set_range,
    slider,
    text,
    upload_cup,
    wait_for_preview,
    wait_for_sweep,
)
from tests.browser.serving import Server, serving

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def light(tmp_path_factory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("light")
    with own_cluster(1) as client, serving(folder, "--scheduler", client.scheduler.address, "--no-warm") as server:
        yield server


@pytest.fixture(scope="module")
def page(chromium, light) -> Iterator[Page]:
    page = chromium.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(PATIENCE)
    page.goto(light.address)
    wait_for_sweep(page)
    yield page
    page.close()
    # Whatever was done in it, its kernel had no use for torch.
    assert "Traceback" not in light.log.read_text()


def test_it_sweeps_and_follows_a_slider(page):
    assert text(page, ".screen:nth-child(1) .caption b") == "moped"
    pause(page)
    before = pixels(page)
    set_range(page, slider("brightness"), 2.4)
    wait_for_preview(page, "brightness 2.40")
    assert pixels(page)[..., :3].mean() > before[..., :3].mean() + 15
    page.locator("[aria-label='reset brightness']").click()


def test_an_upload_is_explained_and_its_gif_saved(page):
    upload_cup(page, "cup.png")
    page.locator("input[aria-label=frames]").fill("12")
    page.locator("input[aria-label=frames]").blur()
    page.locator("button.primary").click()
    page.wait_for_function("() => document.querySelector('.position').textContent.endsWith('/ 12')")
    wait_for_sweep(page)
    with page.expect_download() as waiting:
        page.locator(".save-gif").click()
    assert waiting.value.suggested_filename == "cup-rotation.gif"
    with Image.open(waiting.value.path()) as animation:
        assert animation.n_frames == 2 * 12 - 2
    with page.expect_download() as waiting:
        page.locator(".player .more summary").click()
        page.locator(".player .more").get_by_role("button", name="Python code").click()
    assert "ai.analyze(" in Path(waiting.value.path()).read_text()


def test_a_long_sweep_shows_progress_and_can_be_cancelled(page):
    page.locator("input[aria-label=frames]").fill("500")
    page.locator("input[aria-label=frames]").blur()
    page.locator("button.primary").click()
    page.wait_for_function("() => document.querySelector('progress').value > 0")
    page.locator(".cancel").click()
    page.wait_for_function("() => document.querySelector('.message').textContent === 'cancelled'")
    page.locator("input[aria-label=frames]").fill("12")
    page.locator("input[aria-label=frames]").blur()


def test_the_data_is_measured_on_the_worker_and_stands_beside_the_frames(page):
    page.get_by_text("colour photographs of scikit-image").first.wait_for()


def test_no_kernel_has_torch_in_it(page, light):
    kernels = light.kernels()
    assert kernels
    for kernel in kernels:
        mapped = Path(f"/proc/{kernel.pid}/maps").read_text()
        assert "libtorch" not in mapped
    assert np.mean(pixels(page)) > 0
