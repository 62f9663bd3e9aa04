"""The Explorer as an app: Voilà on the notebook that shows it, with settings that are safe for a served page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from augimpact.augment.plugins import load_named_plugins
from augimpact.errors import UserError
from augimpact.memory import keep_freed_memory
from augimpact.widgets.explorer import Explorer

__all__ = ["app_explorer", "start"]

# How the notebook, which runs in a kernel of its own, learns what the command line was told.
IMAGE_VARIABLE = "AUGIMPACT_APP_IMAGE"
# No file of the notebook's folder is served, nobody changes template or theme by the address, idle kernels end.
SETTINGS: dict[str, dict[str, Any]] = {
    "Voila": {"ip": "127.0.0.1", "open_browser": False},
    "VoilaConfiguration": {
        "template": "augimpact",
        "file_allowlist": [],
        "allow_template_override": "NO",
        "allow_theme_override": "NO",
        "show_tracebacks": False,
    },
    "MappingKernelManager": {"cull_idle_timeout": 1200, "cull_interval": 60},
}


def start(port: int = 8866, image: Path | None = None) -> None:
    """Serves the app on this machine's own address until interrupted.

    Args:
        port: where; if it is taken the next free one is used.
        image: a photograph to begin with.

    Raises:
        ImageError: it cannot be read.
        UserError: the port makes no sense.
    """
    from traitlets.config import Config
    from voila.app import Voila

    if not 0 < port < 65536:
        raise UserError(f"--port is {port}; expected a number from 1 to 65535")
    if image is not None:
        from augimpact.data.image import read_image

        read_image(image)
        os.environ[IMAGE_VARIABLE] = str(image.resolve())
    Voila.launch_instance([str(_notebook())], config=Config(SETTINGS | {"Voila": SETTINGS["Voila"] | {"port": port}}))


def app_explorer() -> Explorer:
    """What the app's notebook shows, in a kernel that serves nothing else."""
    keep_freed_memory()
    load_named_plugins()
    return Explorer(os.environ.get(IMAGE_VARIABLE))


def _notebook() -> Path:
    """The notebook, inside an installed package or beside the package in its repository."""
    package = Path(__file__).parents[1]
    for folder in (package, package.parent):
        if (folder / "notebooks" / "app.ipynb").is_file():
            return folder / "notebooks" / "app.ipynb"
    raise UserError("the app's notebook, notebooks/app.ipynb, is missing from this installation")
