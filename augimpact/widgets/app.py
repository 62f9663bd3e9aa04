"""The Explorer as an app: Voilà on the notebook that shows it, with settings that are safe for a served page.

`start` checks what the command line was told, and serves (`server.py`). Every page has a kernel of its own
(`kernels.py`), whose notebook asks `app_explorer` for the widget; what it needs to know comes to it as JSON in one
variable of the environment.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from IPython import get_ipython

from augimpact.augment.plugins import load_named_plugins
from augimpact.errors import UserError
from augimpact.memory import keep_freed_memory
from augimpact.widgets.addresses import check_host, is_loopback
from augimpact.widgets.dataset import ExamplePhotographs, check_data
from augimpact.widgets.explorer import Explorer
from augimpact.widgets.gallery import images_in
from augimpact.widgets.idle import release_when_idle
from augimpact.widgets.impact_beside import check_impact

__all__ = ["AppOptions", "app_explorer", "settings_of", "start"]

logger = logging.getLogger(__name__)
# How the notebook, which runs in a kernel of its own, learns what the command line was told.
OPTIONS_VARIABLE = "AUGIMPACT_APP"
# The token may be given so as well; on a command line every user of this machine could read it.
TOKEN_VARIABLE = "AUGIMPACT_APP_TOKEN"
MAX_MEGAPIXELS = 40.0
# Each has a kernel of hundreds of megabytes.
MAX_PAGES = 16
# The page scales an upload to less than 4 MB before it sends it; the rest is room for the message around it.
MAX_MESSAGE_BYTES = 6 * 1024 * 1024
# A page that nobody has touched for so long ends, though it is open: its kernel holds hundreds of megabytes.
IDLE_SECONDS = 2 * 3600
# All that a page loads comes from its own server, or it made it itself. Widgets are modules in blobs; JupyterLab's
# message schemas are compiled in the page.
CONTENT_POLICY = (
    "default-src 'self' data: blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
SETTINGS: dict[str, dict[str, Any]] = {
    "Voila": {
        "open_browser": False,
        # A voila.json in the folder where the app is started would override what is said here.
        "config_file_paths": [],
        "identity_provider_class": "augimpact.widgets.server.TokenGuard",
        "tornado_settings": {
            # Tornado closes a websocket that brings a longer message.
            "websocket_max_message_size": MAX_MESSAGE_BYTES,
            "headers": {"Content-Security-Policy": CONTENT_POLICY, "Referrer-Policy": "same-origin"},
        },
    },
    "VoilaConfiguration": {
        "template": "augimpact",
        # No file of the notebook's folder is served; nobody changes template or theme by the address.
        "file_allowlist": [],
        "allow_template_override": "NO",
        "allow_theme_override": "NO",
        "show_tracebacks": False,
        "multi_kernel_manager_class": "augimpact.widgets.kernels.PageKernels",
        "default_pool_size": 1,
        # Voilà would load all that is installed for this machine's JupyterLab into the page.
        "extension_allowlist": [
            "anywidget",
            "@jupyter-widgets/jupyterlab-manager",
            "@voila-dashboards/widgets-manager8",
        ],
    },
    "MappingKernelManager": {
        "allow_tracebacks": False,
        "cull_idle_timeout": IDLE_SECONDS,
        "cull_interval": 60,
        "cull_connected": True,
        # Else every user of this machine could listen to what kernels and server tell each other.
        "transport_encryption": "auto",
    },
    # A kernel that died would come back empty, without the notebook's widgets: its page is told instead.
    "KernelRestarter": {"restart_limit": 0},
}


@dataclass(frozen=True)
class AppOptions:
    """What every page of the app begins with.

    Attributes:
        image: the file of a photograph, or None for the first example.
        folder: whose images are offered, or None.
        models: names as `load_classifier` takes them, the first is shown at first; empty for the built-in one.
        max_pixels: of an upload.
        data: the folder that frames are compared with, or None for photographs that are always at hand.
        impact: the folder of an impact that is shown, or None.
        show_data: whether the images of that data may be shown, where an impact is measured over them.
        scheduler: the address of the cluster that computes for the pages, or None.
        started_in: the folder of the command line, from which names of models are meant.
    """

    image: str | None = None
    folder: str | None = None
    models: tuple[str, ...] = ()
    max_pixels: int = round(MAX_MEGAPIXELS * 1e6)
    data: str | None = None
    impact: str | None = None
    show_data: bool = False
    scheduler: str | None = None
    started_in: str | None = None

    @classmethod
    def from_environment(cls) -> AppOptions:
        """What the server told this kernel."""
        options = json.loads(os.environ.get(OPTIONS_VARIABLE, "{}"))
        return cls(**options | {"models": tuple(options.get("models", ()))})


def start(
    *,
    host: str = "127.0.0.1",
    port: int = 8866,
    token: str | None = None,
    image: Path | None = None,
    folder: Path | None = None,
    models: Sequence[str] = (),
    data: Path | None = None,
    impact: Path | None = None,
    show_data: bool = False,
    scheduler: str | None = None,
    max_megapixels: float = MAX_MEGAPIXELS,
    max_pages: int = MAX_PAGES,
    warm: bool = True,
) -> None:
    """Serves the app until interrupted.

    Args:
        host: the address to listen on. If others can reach it and there is no token, one is made.
        port: where; if it is taken the next free one is used.
        token: what a visitor has to bring (`?token=…`, or typed into the form that asks for it).
        image: a photograph to begin with.
        folder: images that every visitor can choose; nothing else in it, nor below it, can be reached.
        models: names that can be chosen in the page; the first is shown at first.
        data: a folder of images that frames are compared with; a page learns how their measures are distributed and,
            where it measures an impact over them, how that goes with their classes, and the panels of its profile,
            without images.
        impact: a folder that `augimpact impact -o` wrote; its samples are shown as well.
        show_data: whether the images of `data` may be shown, too, where an impact is measured over them, and the means
            of its classes among the panels.
        scheduler: the address of a Dask cluster whose workers compute for all pages; a page's kernel is then a light
            one, without torch. Models and data are found there.
        max_megapixels: of an upload.
        max_pages: that are open at once; who asks for one more is told to come later.
        warm: whether a kernel waits, with its first sweep computed, for the next visitor.

    Raises:
        ImageError: the image cannot be read.
        ModelError: there is no such model, or no scheduler answers.
        UserError: an option makes no sense, or a folder has no images, or no impact.
    """
    # Pages have no use for it.
    os.environ.pop(TOKEN_VARIABLE, None)
    settings = settings_of(host=host, port=port, token=token, warm=warm, max_pages=max_pages)
    if scheduler is None:
        checked = checked_options(image, folder, models, max_megapixels, data, impact)
    else:
        checked = checked_options(image, folder, (), max_megapixels, None, impact)
        checked = on_cluster(checked, models, data, scheduler)
    os.environ[OPTIONS_VARIABLE] = json.dumps(asdict(replace(checked, show_data=show_data)))
    from traitlets.config import Config

    from augimpact.widgets.server import AppServer

    AppServer.launch_instance([str(_notebook())], config=Config(settings))


def settings_of(
    *, host: str, port: int, token: str | None, warm: bool, max_pages: int = MAX_PAGES
) -> dict[str, dict[str, Any]]:
    """Voilà's whole configuration.

    Raises:
        UserError: an option makes no sense.
    """
    if not 0 < port < 65536:
        raise UserError(f"--port is {port}; expected a number from 1 to 65535")
    if max_pages < 1:
        raise UserError(f"--max-pages is {max_pages}; expected a number from 1")
    check_host(host)
    if token is not None and (not token or not token.isprintable() or " " in token):
        raise UserError("--token is empty or has spaces; expected one word, or no --token")
    made = token is None and not is_loopback(host)
    own = {"ip": host, "port": port, "token": secrets.token_urlsafe(24) if made else token}
    return SETTINGS | {
        "Voila": SETTINGS["Voila"] | own,
        "AppServer": {"tell_token": made},
        "PageKernels": {"max_pages": max_pages},
        "VoilaConfiguration": SETTINGS["VoilaConfiguration"] | {"preheat_kernel": warm},
    }


def checked_options(
    image: Path | None,
    folder: Path | None,
    models: Sequence[str],
    max_megapixels: float,
    data: Path | None = None,
    impact: Path | None = None,
) -> AppOptions:
    """What the pages are told, once it is known that they can do it.

    Raises:
        ImageError: the image cannot be read.
        ModelError: there is no such model.
        UserError: a folder is missing or holds no image, or no upload would be small enough.
    """
    if not 0 < max_megapixels < float("inf"):
        raise UserError(f"--max-megapixels is {max_megapixels:g}; expected a number above 0")
    if folder is not None:
        images_in(folder)
    if data is not None:
        check_data(data)
    if impact is not None:
        check_impact(impact)
    if image is not None:
        from augimpact.data.image import read_image

        read_image(image)
    if models:
        from augimpact.models.names import check_name

        for name in models:
            check_name(name)
    return AppOptions(
        image=None if image is None else str(image.resolve()),
        folder=None if folder is None else str(folder.resolve()),
        models=tuple(models),
        data=None if data is None else str(data.resolve()),
        impact=None if impact is None else str(impact.resolve()),
        max_pixels=max(1, round(max_megapixels * 1e6)),
        started_in=str(Path.cwd()),
    )


def on_cluster(options: AppOptions, models: Sequence[str], data: Path | None, scheduler: str) -> AppOptions:
    """The same for pages whose models and data are a cluster's, once it is known that it is there.

    Raises:
        ModelError: no scheduler answers.
        UserError: a worker lacks a model, a plugin or the data.
    """
    if find_spec("distributed") is None:
        raise UserError("Dask is not installed; expected it, by pip install 'augimpact[dask]'")
    from augimpact.widgets.remote import check_cluster, offer_of

    place = None if data is None else str(data.resolve())
    offer = offer_of(models, place, private=True, max_pixels=options.max_pixels)
    check_cluster(scheduler, offer)
    return replace(options, models=tuple(models), data=place, scheduler=scheduler)


def app_explorer() -> Explorer:
    """What the app's notebook shows, in a kernel that serves nothing else."""
    log_to_server()
    keep_freed_memory()
    release_when_idle()
    load_named_plugins()
    options = AppOptions.from_environment()
    if options.started_in is not None:
        os.chdir(options.started_in)
    explorer = Explorer(
        options.image,
        models=options.models,
        folder=options.folder,
        data=ExamplePhotographs() if options.data is None else options.data,
        impact=options.impact,
        show_data=options.show_data or options.data is None,
        scheduler=options.scheduler,
        max_pixels=options.max_pixels,
        private=True,
    )
    explorer.warm_up()
    return explorer


def log_to_server() -> None:
    """Sends what is logged in a kernel, warnings and tracebacks of callbacks too, to the server's own log.

    In a kernel `sys.stderr` leads to the page; the process's own is the server's.
    """
    handler = logging.StreamHandler(sys.__stderr__)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(logging.Formatter("[%(name)s %(process)d %(asctime)s %(levelname)s] %(message)s"))
    logging.getLogger().addHandler(handler)
    logging.captureWarnings(True)
    threading.excepthook = _log_thread
    shell = get_ipython()
    if shell is not None:
        # What a widget's callback raises, ipywidgets hands to the shell, which shows it in the page alone.
        shown = shell.showtraceback

        def show_and_log(*args: Any, **kwargs: Any) -> None:
            logger.error("a callback failed", exc_info=True)
            shown(*args, **kwargs)

        shell.showtraceback = show_and_log


def _log_thread(raised: threading.ExceptHookArgs) -> None:
    if raised.exc_value is not None:
        logger.error("a thread failed", exc_info=raised.exc_value)


def _notebook() -> Path:
    """The notebook, inside an installed package or beside the package in its repository."""
    package = Path(__file__).parents[1]
    for folder in (package, package.parent):
        if (folder / "notebooks" / "app.ipynb").is_file():
            return folder / "notebooks" / "app.ipynb"
    raise UserError("the app's notebook, notebooks/app.ipynb, is missing from this installation")
