"""What stays of the widgets in an executed notebook, and on a page that nbconvert makes of it: no kernel, no server."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from PIL import Image
from playwright.sync_api import Browser

from augimpact.trace import Trace
from tests.conftest import REPOSITORY

EXPLORER = """
import augimpact as ai
explorer = ai.Explorer("example:coffee", frames=9)
explorer
"""
# Nobody's page asks for the sweep here. What is submitted after it runs when all that belongs to it is done.
SWEPT = """
import threading, time
explorer.controls.state = explorer.controls.state | {"sweeps": 1}
while not explorer.controls.status["text"].startswith("9 frames"):
    time.sleep(0.05)
    assert explorer.controls.status["kind"] != "error", explorer.controls.status
done = threading.Event()
explorer._tasks._worker.submit(lambda cancelled: done.set())
assert done.wait(60)
explorer.trace.save("explorer.npz")
"""
PLAYER = """
player = ai.Player(explorer.trace[2:5])
display(player)
saved = player.trace.save("player.npz")
"""

BOARD = """
import numpy as np
noise = np.random.default_rng(0).integers(0, 256, (12, 24, 24, 3), dtype=np.uint8)
profile = ai.profile([(image, number % 2) for number, image in enumerate(noise)], features=["classes", "sizes"])
ai.Board(profile)
"""


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> tuple[nbformat.NotebookNode, Path]:
    """A notebook that a real kernel ran, and where the kernel left its traces."""
    folder = tmp_path_factory.mktemp("executed")
    cells = [nbformat.v4.new_code_cell(each.strip()) for each in (EXPLORER, SWEPT, PLAYER, BOARD)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(REPOSITORY))
        client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": folder}})
        client.execute()
    nbformat.validate(notebook)
    return notebook, folder


def bundles(notebook: nbformat.NotebookNode, cell: int) -> list[dict]:
    return [output["data"] for output in notebook.cells[cell].outputs]


def cells_of(sheet: bytes, count: int, width: int = 240) -> np.ndarray:
    """The pictures of a sheet, `(count, height, width, 3)`."""
    image = np.asarray(Image.open(io.BytesIO(sheet)).convert("RGB"))
    columns = image.shape[1] // width
    height = image.shape[0] // -(-count // columns)
    places = [divmod(index, columns) for index in range(count)]
    return np.stack([image[r * height : (r + 1) * height, c * width : (c + 1) * width] for r, c in places])


@pytest.mark.parametrize(("cell", "name", "count"), [(0, "explorer", 8), (2, "player", 3)])
def test_an_executed_notebook_has_view_and_picture(executed, cell, name, count):
    notebook, folder = executed
    view, kept = bundles(notebook, cell)
    assert "application/vnd.jupyter.widget-view+json" in view
    trace = Trace.load(folder / f"{name}.npz")
    assert kept["text/plain"] == repr(trace)
    sheet = base64.b64decode(kept["image/jpeg"])
    assert len(sheet) < 300_000
    expected = trace.pictures(width=240)[np.linspace(0, len(trace) - 1, count).round().astype(int)]
    # A JPEG's loss.
    assert np.abs(cells_of(sheet, count).astype(int) - expected).mean() < 4


def test_an_executed_notebook_has_the_panels_of_all_tabs_of_a_board(executed, chromium: Browser, tmp_path):
    notebook, _folder = executed
    view, kept = [each for each in bundles(notebook, 3) if "text/html" in each or len(each) == 2][-2:]
    assert "application/vnd.jupyter.widget-view+json" in view
    assert kept["text/plain"] == "Board(Profile(12 in train; 2 panels))"
    html, _ = HTMLExporter().from_notebook_node(notebook)
    (tmp_path / "board.html").write_text(html, encoding="utf-8")
    page = chromium.new_page(viewport={"width": 1100, "height": 900})
    page.goto(f"file://{tmp_path / 'board.html'}", wait_until="domcontentloaded")
    for title in ("Sizes", "Classes"):
        assert page.get_by_role("heading", name=title).is_visible()
    assert page.locator(".jp-RenderedHTML figure img, .jp-RenderedHTML img, .jp-RenderedHTML svg").count() >= 2
    page.close()


def test_a_page_that_nbconvert_makes_shows_the_pictures_without_any_server(executed, chromium: Browser, tmp_path):
    notebook, _folder = executed
    html, _ = HTMLExporter().from_notebook_node(notebook)
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    page = chromium.new_page(viewport={"width": 1100, "height": 900})
    page.goto(f"file://{tmp_path / 'page.html'}", wait_until="domcontentloaded")
    pictures = page.locator(".jp-RenderedImage img")
    assert pictures.count() == 2
    for index, cell in enumerate((0, 2)):
        picture = pictures.nth(index)
        picture.scroll_into_view_if_needed()
        assert picture.is_visible()
        shown = np.asarray(Image.open(io.BytesIO(picture.screenshot())).convert("RGB").resize((96, 54)), dtype=int)
        sheet = base64.b64decode(bundles(notebook, cell)[1]["image/jpeg"])
        known = np.asarray(Image.open(io.BytesIO(sheet)).convert("RGB").resize((96, 54)), dtype=int)
        assert np.abs(shown - known).mean() < 4
    page.close()
