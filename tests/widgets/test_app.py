"""What `augimpact app` checks before it serves, and what its notebook shows."""

from __future__ import annotations

import inspect
import json
import threading
from dataclasses import asdict

import pytest
from traitlets.config import Config

from augimpact.augment.own import forget
from augimpact.augment.plugins import PLUGINS_VARIABLE
from augimpact.data.image import example
from augimpact.errors import ImageError, UserError
from augimpact.widgets.app import (
    OPTIONS_VARIABLE,
    AppOptions,
    _notebook,
    app_explorer,
    checked_options,
    settings_of,
    start,
)
from augimpact.widgets.server import AppServer


@pytest.fixture
def shown():
    """Makes what the notebook shows; at the end of the test it has computed what it began: a process that ends while
    torch computes is aborted."""
    made, before = [], set(threading.enumerate())

    def show():
        made.append(app_explorer())
        return made[-1]

    yield show
    for explorer in made:
        explorer.close()
    # Those of other tests may go on waiting.
    for thread in set(threading.enumerate()) - before:
        if thread.name == "augimpact-worker":
            thread.join()


def test_the_page_begins_with_the_photograph_that_was_given(tmp_path, monkeypatch, shown):
    monkeypatch.chdir(tmp_path)
    example("rocket").save(tmp_path / "mine.png")
    options = checked_options(tmp_path / "mine.png", tmp_path, ["efficientnet-lite0"], 40)
    monkeypatch.setenv(OPTIONS_VARIABLE, json.dumps(asdict(options)))
    assert AppOptions.from_environment() == options
    assert shown().controls.state["image"] == "mine.png"
    monkeypatch.delenv(OPTIONS_VARIABLE)
    assert shown().controls.state["image"] == "motorcycle"


def test_mistakes_are_found_before_the_server_starts(tmp_path):
    with pytest.raises(UserError, match="--port is 70000; expected a number from 1 to 65535"):
        start(port=70_000)
    with pytest.raises(UserError, match=r"--host is '203.0.113.7'; expected an address of this machine"):
        start(host="203.0.113.7")
    with pytest.raises(UserError, match="--token is empty or has spaces"):
        start(token="")
    with pytest.raises(UserError, match=r"there is no folder '.*missing'"):
        start(folder=tmp_path / "missing")
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(UserError, match=r"folder '.*' holds no image; expected files such as \.avif"):
        start(folder=tmp_path)
    with pytest.raises(UserError, match="--max-megapixels is 0; expected a number above 0"):
        start(max_megapixels=0)
    with pytest.raises(UserError, match="--max-pages is 0; expected a number from 1"):
        start(max_pages=0)
    with pytest.raises(UserError, match="unknown model 'resnet5O'; did you mean"):
        start(models=["resnet5O"])
    with pytest.raises(UserError, match=r"there is no file 'missing\.py'"):
        start(models=["missing.py:net"])
    with pytest.raises(ImageError, match="there is no image"):
        start(image=tmp_path / "missing.jpg")


def test_no_file_of_the_folder_is_served_and_only_to_this_machine_whatever_a_file_beside_it_says(tmp_path, monkeypatch):
    opened = {"VoilaConfiguration": {"file_allowlist": [".*"]}, "Voila": {"ip": "0.0.0.0"}}
    (tmp_path / "voila.json").write_text(json.dumps(opened))
    monkeypatch.chdir(tmp_path)
    host = inspect.signature(start).parameters["host"].default
    server = AppServer(config=Config(settings_of(host=host, port=1, token=None, warm=False)))
    server.initialize([str(_notebook())])
    assert server.ip == "127.0.0.1"
    assert server.voila_configuration.file_allowlist == []


def test_a_token_is_made_where_others_reach_the_host_and_only_there():
    assert settings_of(host="127.0.0.1", port=1, token=None, warm=True)["Voila"]["token"] is None
    assert settings_of(host="localhost", port=1, token=None, warm=True)["Voila"]["token"] is None
    made = [settings_of(host="0.0.0.0", port=1, token=None, warm=True) for _ in range(2)]
    assert made[0]["Voila"]["token"] != made[1]["Voila"]["token"]
    assert all(len(each["Voila"]["token"]) >= 32 and each["AppServer"]["tell_token"] for each in made)
    given = settings_of(host="0.0.0.0", port=1, token="given", warm=False)
    assert given["Voila"]["token"] == "given"
    assert not given["AppServer"]["tell_token"]


def test_the_apps_kernel_knows_the_plugins_that_the_command_line_was_told(tmp_path, monkeypatch, shown):
    plugin = tmp_path / "mine.py"
    plugin.write_text(
        "import augimpact as ai\nai.wrap('negative', lambda value: lambda x: 1 - x, range=(0, 1), neutral=0)\n"
    )
    monkeypatch.setenv(PLUGINS_VARIABLE, str(plugin))
    try:
        assert "negative" in [each["name"] for each in shown().controls.catalogue]
    finally:
        forget("negative")
