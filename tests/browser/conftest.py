"""A real Chromium on the real app: one server for the session, a fresh page and kernel for each module."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.driving import wait_for_sweep
from tests.browser.serving import SECONDS, serving
from tests.conftest import BROWSER_VARIABLE

PATIENCE = 1000 * SECONDS
# What a page may ask for: its own server, and what it made itself.
OWN = ("http://127.0.0.1:", "ws://127.0.0.1:", "blob:", "data:")
FLAGS = [
    "--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    # Whatever a page asks of another server, it does not get.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]  # fmt: skip


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium. Where there is none the test is skipped, or fails if the environment demands one."""
    executable = next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
    )
    if executable is None:
        if os.environ.get(BROWSER_VARIABLE):
            pytest.fail(f"{BROWSER_VARIABLE} is set and there is no Chromium")
        pytest.skip("there is no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app, as it is by default."""
    with serving(tmp_path_factory.mktemp("app")) as server:
        yield server.address


@pytest.fixture(scope="module")
def page(chromium: Browser, app: str) -> Iterator[Page]:
    """The page of the app, when its first sweep is on the screen."""
    page = chromium.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(PATIENCE)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    elsewhere: list[str] = []
    page.on("request", lambda request: elsewhere.append(request.url) if not request.url.startswith(OWN) else None)
    page.goto(app)
    wait_for_sweep(page)
    yield page
    page.close()
    assert errors == []
    assert elsewhere == []
