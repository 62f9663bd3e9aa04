"""`augimpact app`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["serve"]


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 for all of this machine.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Where the page is served; if taken, the next free one.")] = 8866,
    token: Annotated[
        str | None,
        typer.Option(
            help="What visitors must bring. One is made where others reach --host.", envvar="AUGIMPACT_APP_TOKEN"
        ),
    ] = None,
    image: Annotated[Path | None, typer.Option(help="A photograph to begin with.")] = None,
    folder: Annotated[Path | None, typer.Option(help="A folder of images that the page offers.")] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="A folder of images that frames are compared with, and whose panels can be opened; none is shown."
        ),
    ] = None,
    show_data: Annotated[
        bool,
        typer.Option(
            "--show-data", help="Shows images of --data where an impact is measured over them, and means of them."
        ),
    ] = False,
    impact: Annotated[
        Path | None,
        typer.Option(
            help="A folder that `augimpact impact -o` wrote; it is shown, its images too where they still lie."
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="A model that the page offers, see `augimpact models`; may be repeated, the first is shown."),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(help="Of a Dask cluster that computes for all pages, such as tcp://10.0.0.1:8786."),
    ] = None,
    max_megapixels: Annotated[float, typer.Option(help="The largest upload.")] = 40.0,
    max_pages: Annotated[int, typer.Option(help="How many pages may be open at once.")] = 16,
    warm: Annotated[bool, typer.Option(help="Keeps a kernel ready for the next visitor, in some 900 MB.")] = True,
) -> None:
    """Serves the Explorer as a page, until interrupted."""
    from augimpact.widgets.app import start

    start(
        host=host,
        port=port,
        token=token,
        image=image,
        folder=folder,
        data=data,
        impact=impact,
        show_data=show_data,
        models=model or (),
        scheduler=scheduler,
        max_megapixels=max_megapixels,
        max_pages=max_pages,
        warm=warm,
    )
