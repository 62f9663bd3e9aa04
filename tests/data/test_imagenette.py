"""Imagenette: found where fastai keeps it, fetched by fastai's own code from a server here, and out of reach."""

from __future__ import annotations

import builtins
import io
import re
import tarfile
import threading
import time
import warnings
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import augimpact as ai
from augimpact.data.image import example, read_image
from augimpact.data.imagenette import FOLDER
from augimpact.errors import ImageError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from fastai.data import external

PHOTOGRAPHS = ("train/n01440764/a.JPEG", "val/n03000684/b.JPEG")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A place of fastai's own, empty as yet, and nobody to fetch from."""
    folder = tmp_path / "fastai"
    monkeypatch.setenv("FASTAI_HOME", str(folder))
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(external.URLs, "IMAGENETTE_160", f"http://127.0.0.1:9/{FOLDER}.tgz")
    external.fastai_cfg.cache_clear()
    yield folder
    external.fastai_cfg.cache_clear()


@pytest.fixture
def no_fastai(monkeypatch):
    imports = builtins.__import__

    def without_fastai(name, *arguments, **keywords):
        if name.startswith("fastai"):
            raise ModuleNotFoundError("No module named 'fastai'")
        return imports(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", without_fastai)


@pytest.fixture
def server(home, tmp_path, monkeypatch):
    """A server that has two photographs of Imagenette in an archive such as fastai's; and what it was asked for."""
    folder = tmp_path / "served"
    folder.mkdir()
    photograph = io.BytesIO()
    example("coffee").resize((160, 107)).save(photograph, "JPEG")
    with tarfile.open(folder / f"{FOLDER}.tgz", "w:gz") as archive:
        for name in PHOTOGRAPHS:
            entry = tarfile.TarInfo(f"{FOLDER}/{name}")
            entry.size = len(photograph.getvalue())
            archive.addfile(entry, io.BytesIO(photograph.getvalue()))
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, form, *arguments):
            asked.append(self.path)

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder)) as serving:
        thread = threading.Thread(target=serving.serve_forever, args=(0.01,))
        thread.start()
        address = f"http://127.0.0.1:{serving.server_address[1]}/{FOLDER}.tgz"
        monkeypatch.setattr(external.URLs, "IMAGENETTE_160", address)
        yield asked
        serving.shutdown()
        thread.join()


def filled(folder: Path) -> Path:
    for part in ("train", "val"):
        (folder / part).mkdir(parents=True)
    return folder


def test_what_is_there_is_found_without_network_and_without_fastai(home, no_fastai):
    folder = filled(home / "data" / FOLDER)
    assert ai.imagenette() == folder


def test_the_place_that_fastai_is_told_of_is_looked_at(home, tmp_path, no_fastai):
    """fastai's `config.ini` may put the data anywhere: beside itself, or by a whole path."""
    home.mkdir()
    (home / "config.ini").write_text(f"[DEFAULT]\ndata = {tmp_path / 'elsewhere'}\narchive = archive\n")
    folder = filled(tmp_path / "elsewhere" / FOLDER)
    assert ai.imagenette() == folder


def test_the_place_is_the_one_where_fastai_would_put_it(home):
    """The oracle is fastai's own reading of its settings."""
    home.mkdir()
    (home / "config.ini").write_text("[DEFAULT]\ndata = sets\narchive = archive\nstorage = tmp\nmodel = models\n")
    folder = filled(external.fastai_path("data") / FOLDER)
    assert folder.parent.name == "sets"
    assert ai.imagenette() == folder


def test_it_is_fetched_once_by_fastai(home, server):
    folder = ai.imagenette()
    assert folder == home / "data" / FOLDER
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.JPEG")) == list(PHOTOGRAPHS)
    assert read_image(folder / PHOTOGRAPHS[0]).size == (160, 107)
    assert server == [f"/{FOLDER}.tgz"]
    assert ai.imagenette() == folder
    assert len(server) == 1


def test_a_network_that_is_missing_is_one_sentence(home, monkeypatch):
    began = time.monotonic()
    with pytest.raises(ImageError, match=rf"^Imagenette could not be fetched from http.*{FOLDER}.tgz \(.*\)$"):
        ai.imagenette()
    assert time.monotonic() - began < 20
    monkeypatch.setattr(external.URLs, "IMAGENETTE_160", f"http://nowhere.invalid/{FOLDER}.tgz")
    with pytest.raises(ImageError, match="Imagenette could not be fetched"):
        ai.imagenette()


def test_an_archive_that_was_not_served_is_fetched_another_time(home, server, monkeypatch):
    address = external.URLs.IMAGENETTE_160
    with monkeypatch.context() as patch:
        patch.setattr(external.URLs, "IMAGENETTE_160", address.replace(FOLDER, f"gone/{FOLDER}"))
        with pytest.raises(ImageError, match=r"could not be fetched from .* \(.*404"):
            ai.imagenette()
    assert ai.imagenette().name == FOLDER


def test_without_fastai_the_error_says_how_to_install_it(home, no_fastai):
    with pytest.raises(ImageError, match=re.escape("pip install 'augimpact[fastai]'")):
        ai.imagenette()


def test_a_folder_that_is_incomplete_is_named(home):
    (home / "data" / FOLDER / "train").mkdir(parents=True)
    with pytest.raises(ImageError, match=rf"Imagenette in '.*{FOLDER}' lacks val; remove it to have it fetched again"):
        ai.imagenette()


def test_settings_that_cannot_be_read_are_named(home):
    home.mkdir()
    (home / "config.ini").write_text("data = no section above\n")
    with pytest.raises(ImageError, match=r"fastai's settings .*config.ini' cannot be read"):
        ai.imagenette()


def test_the_name_of_the_folder_is_that_of_fastais_archive():
    assert external.URLs.IMAGENETTE_160.endswith(f"/{FOLDER}.tgz")
