"""What `augimpact app` checks before it serves, and what its notebook shows."""

from __future__ import annotations

import pytest

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
