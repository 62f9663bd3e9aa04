"""Eight opened pages at once: what their kernels take, and how fast they answer, on one worker and each for itself."""

from __future__ import annotations

import statistics
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page

from augimpact.impact.scheduler import own_cluster
from tests.browser.conftest import PATIENCE
from tests.browser.driving import pause, pixels, set_range, slider, wait_for_preview, wait_for_sweep, wait_until
from tests.browser.serving import serving

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="there is no /proc to read memory from"),
]
PAGES = 8
BRIGHTNESS = (0.6, 1.2, 0.9, 1.5, 0.75)


class Told(NamedTuple):
    """Of eight pages: megabytes of each kernel, which have torch, seconds of their sweeps, and of one's previews."""

    megabytes: list[float]
    has_torch: list[bool]
    sweeps: float
    previews: list[float]


def private_megabytes(process: int) -> float:
    """What a process has for itself: not what is in files that others map as well."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:])
    return int(lines["Anonymous"].split()[0]) / 1024


def opened(chromium: Browser, address: str) -> Page:
    page = chromium.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    wait_for_sweep(page)
    # A page that plays takes a core.
    pause(page)
    return page


def sweep_together(pages: list[Page]) -> float:
    """The seconds until all have swept anew, begun at once."""
    began = time.monotonic()
    for page in pages:
        page.evaluate("() => { document.querySelector('.message').textContent = ''; }")
        page.locator("button.primary").click()
    for page in pages:
        wait_for_sweep(page)
    took = time.monotonic() - began
    for page in pages:
        pause(page)
    return took


def preview(page: Page, brightness: float) -> float:
    """The seconds from a slider's move to the picture that it makes."""
    began = time.monotonic()
    set_range(page, slider("brightness"), brightness)
    wait_for_preview(page, f"brightness {brightness:.2f}")
    return time.monotonic() - began


def eight_pages(chromium: Browser, folder: Path, *options: str) -> Told:
    folder.mkdir()
    with serving(folder, "--no-warm", *options) as server:
        pages = [opened(chromium, server.address) for _ in range(PAGES)]
        sweeps = sweep_together(pages)
        before = pixels(pages[0])
        previews = [preview(pages[0], brightness) for brightness in BRIGHTNESS]
        assert abs(pixels(pages[0])[..., :3].mean() - before[..., :3].mean()) > 1
        # The data beside is measured once a page rests.
        for page in pages:
            wait_until(page, "() => document.body.textContent.includes('colour photographs of scikit-image')")
        kernels = [each.pid for each in server.kernels()]
        assert len(kernels) == PAGES
        has_torch = ["libtorch" in Path(f"/proc/{each}/maps").read_text() for each in kernels]
        told = Told([private_megabytes(each) for each in kernels], has_torch, sweeps, previews)
        for page in pages:
            page.close()
        assert "Traceback" not in server.log.read_text()
    return told


def test_eight_pages_on_one_worker_take_less_than_half_the_memory_of_eight_that_compute(chromium, tmp_path, capsys):
    with ExitStack() as stack:
        scheduler = stack.enter_context(own_cluster(1)).scheduler.address
        light = eight_pages(chromium, tmp_path / "light", "--scheduler", scheduler)
    full = eight_pages(chromium, tmp_path / "full")
    assert (light.has_torch, full.has_torch) == ([False] * PAGES, [True] * PAGES)
    # How fast they are depends on the machine: it is shown, and measured by `benchmarks.light`.
    with capsys.disabled():
        for name, told in {"on one worker": light, "each for itself": full}.items():
            preview_time = 1000 * statistics.median(told.previews)
            print(
                f"\n{PAGES} pages {name}: {statistics.mean(told.megabytes):.0f} MB a kernel, "
                f"{told.sweeps:.1f} s for their sweeps, {preview_time:.0f} ms from a slider to its picture",
                end="",
            )
    assert max(light.megabytes) < min(full.megabytes) / 2
