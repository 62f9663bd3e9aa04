"""What `augimpact app` checks before it serves, and what its notebook shows."""

from __future__ import annotations

import pytest

from augimpact.augment.own import forget
from augimpact.augment.plugins import PLUGINS_VARIABLE
from augimpact.data.image import example
from augimpact.errors import ImageError, UserError
from augimpact.widgets.app import IMAGE_VARIABLE, SETTINGS, app_explorer, start


def test_the_page_begins_with_the_photograph_that_was_given(tmp_path, monkeypatch):
    example("rocket").save(tmp_path / "mine.png")
    monkeypatch.setenv(IMAGE_VARIABLE, str(tmp_path / "mine.png"))
    assert app_explorer().controls.state["image"] == "mine.png"
    monkeypatch.delenv(IMAGE_VARIABLE)
    assert app_explorer().controls.state["image"] == "motorcycle"


def test_mistakes_are_found_before_the_server_starts(tmp_path):
    with pytest.raises(UserError, match="--port is 70000; expected a number from 1 to 65535"):
        start(port=70_000)
    with pytest.raises(ImageError, match="there is no image"):
        start(image=tmp_path / "missing.jpg")


def test_no_file_of_the_folder_is_served_and_only_this_machine_is():
    assert SETTINGS["VoilaConfiguration"]["file_allowlist"] == []
    assert SETTINGS["Voila"]["ip"] == "127.0.0.1"


def test_the_apps_kernel_knows_the_plugins_that_the_command_line_was_told(tmp_path, monkeypatch):
    plugin = tmp_path / "mine.py"
    plugin.write_text(
        "import augimpact as ai\nai.wrap('negative', lambda value: lambda x: 1 - x, range=(0, 1), neutral=0)\n"
    )
    monkeypatch.setenv(PLUGINS_VARIABLE, str(plugin))
    try:
        assert "negative" in [each["name"] for each in app_explorer().controls.catalogue]
    finally:
        forget("negative")
