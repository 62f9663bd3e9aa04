"""Imagenette: 13,000 photographs of ten of ImageNet's classes, fetched once by fastai and found where it put them."""

from __future__ import annotations

import os
import warnings
from configparser import ConfigParser, Error
from pathlib import Path

from augimpact.errors import ImageError

__all__ = ["imagenette"]

# The name of the archive behind fastai's URLs.IMAGENETTE_160, which is unpacked into a folder of the same name.
FOLDER = "imagenette2-160"
PARTS = ("train", "val")


def imagenette() -> Path:
    """The folder of Imagenette at 160 pixels, `train` and `val` in it; fetched by fastai where it is not there yet.

    It lies where fastai keeps its data: under `~/.fastai`, or what `FASTAI_HOME` names. Once it is there, neither a
    network nor fastai is needed. Source: https://github.com/fastai/imagenette, 99 MB to fetch.

    Raises:
        ImageError: it is not there, and fastai is not installed or its server cannot be reached; or the folder that
            is there is incomplete.
    """
    folder = _data_folder() / FOLDER
    if not folder.is_dir():
        folder = _fetched()
    missing = [part for part in PARTS if not (folder / part).is_dir()]
    if missing:
        raise ImageError(
            f"Imagenette in {str(folder)!r} lacks {' and '.join(missing)}; remove it to have it fetched again"
        )
    return folder


def _data_folder() -> Path:
    """Where fastai unpacks data sets, as its `config.ini` says."""
    home = Path(os.getenv("FASTAI_HOME", "~/.fastai")).expanduser().absolute()
    config = ConfigParser(defaults={"data": "data"}, interpolation=None)
    file = home / "config.ini"
    try:
        config.read(file, encoding="utf-8")
    except (Error, OSError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise ImageError(f"fastai's settings {str(file)!r} cannot be read ({reason}); mend or remove them") from error
    return home / config["DEFAULT"]["data"]


def _fetched() -> Path:
    with warnings.catch_warnings():
        # Of fastai's own age.
        warnings.simplefilter("ignore")
        try:
            from fastai.data.external import URLs, untar_data
        except ImportError as error:
            raise ImageError(
                f"Imagenette is fetched by fastai, which is not installed ({error}); pip install 'augimpact[fastai]'"
            ) from error
        try:
            return Path(untar_data(URLs.IMAGENETTE_160))
        except Exception as error:  # of the network, the disk and the archive, each with classes of its own
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise ImageError(f"Imagenette could not be fetched from {URLs.IMAGENETTE_160} ({reason})") from error
