"""Every notebook runs from top to bottom."""

from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import REPOSITORY

NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_and_was_kept_without_outputs(path, tmp_path):
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()
    if path.stem == "augmentation_control":
        shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
        assert any("application/vnd.jupyter.widget-view+json" in output.get("data", {}) for output in shown)
        assert any("disk brake" in str(output) for output in shown)
    # Nothing is left beside the notebook.
    assert list(tmp_path.iterdir()) == []
