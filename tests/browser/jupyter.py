"""JupyterLab and Notebook as a person starts them, from a folder of their own: no settings of this machine, no news."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from playwright.sync_api import Browser, Page

from tests.browser.conftest import PATIENCE
from tests.browser.driving import wait_for_sweep
from tests.conftest import REPOSITORY

TOKEN = "known"
NOTEBOOK = "walk.ipynb"
# Where each opens a notebook.
FRONT_ENDS = {"jupyterlab": "lab/tree", "notebook": "notebooks"}
OPTIONS = [
    "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--IdentityProvider.token={TOKEN}",
    "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
]  # fmt: skip
QUIET = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}
IDLE = ".jp-NotebookPanel-toolbar .jp-Notebook-ExecutionIndicator[data-status=idle]"
# The keys that run a cell are known to the page some time after it is there, the button at once.
RUN = ".jp-NotebookPanel-toolbar [data-command='notebook:run-cell-and-select-next']"
START = 60


@contextmanager
def served(front_end: str, folder: Path, source: str) -> Iterator[str]:
    """The address of a server whose only notebook has one cell with this source; `{}` is where a path goes."""
    root = folder / "root"
    root.mkdir()
    cell = nbformat.v4.new_code_cell(source)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": kernel}), root / NOTEBOOK)
    (folder / "config" / "labconfig").mkdir(parents=True)
    (folder / "config" / "labconfig" / "default_setting_overrides.json").write_text(json.dumps(QUIET))
    places = {
        "JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "workspaces", "IPYTHONDIR": "ipython",
    }  # fmt: skip
    environment = os.environ | {name: str(folder / place) for name, place in places.items()}
    # The kernels, too, take the package that is tested.
    environment["PYTHONPATH"] = str(REPOSITORY)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", front_end, *OPTIONS, f"--port={port}", f"--ServerApp.root_dir={root}"]
    log = folder / "log"
    with log.open("w") as file:
        server = subprocess.Popen(command, stdout=file, stderr=file, cwd=folder, env=environment)
    try:
        _wait_for(f"http://127.0.0.1:{port}/api", server, log)
        yield f"http://127.0.0.1:{port}/{{}}?token={TOKEN}"
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"the server did not start:\n{log.read_text()}")


def open_notebook(page: Page, address: str, front_end: str) -> None:
    """Opens the notebook and returns when its kernel waits for something to run."""
    page.goto(address.format(f"{FRONT_ENDS[front_end]}/{NOTEBOOK}"))
    page.locator(IDLE).wait_for()


def run_cell(page: Page) -> None:
    """Runs the notebook's first cell, and returns when the sweep that it begins is on the screen."""
    start_cell(page, ".augimpact-explorer")
    wait_for_sweep(page)


def start_cell(page: Page, shown: str) -> None:
    """Runs the notebook's first cell, and returns when it is running, or what it shows is there."""
    deadline = time.monotonic() + START
    cell = page.locator(".jp-CodeCell").first
    # What is run while the kernel is still being connected is lost, and nothing in the page says when that is over.
    while "*" not in cell.locator(".jp-InputPrompt").inner_text() and not page.locator(shown).count():
        assert time.monotonic() < deadline, "the cell does not run"
        cell.locator(".cm-content").click()
        page.locator(RUN).click()
        page.wait_for_timeout(1000)


@contextmanager
def laboratory(chromium: Browser, folder: Path, source: str, shown: str) -> Iterator[Page]:
    """A page of JupyterLab in which a cell of this source was run, once it shows what is selected so."""
    with served("jupyterlab", folder, source) as address:
        page = chromium.new_page(viewport={"width": 1400, "height": 1500})
        page.set_default_timeout(PATIENCE)
        open_notebook(page, address, "jupyterlab")
        start_cell(page, shown)
        page.locator(shown).first.wait_for()
        yield page
        page.close()
