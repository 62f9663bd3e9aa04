"""`augimpact app`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["serve"]


def serve(
    port: Annotated[int, typer.Option(help="Where the page is served.")] = 8866,
    image: Annotated[Path | None, typer.Option(help="A photograph to begin with.")] = None,
) -> None:
    """Serves the Explorer as a page, until interrupted."""
    from augimpact.widgets.app import start

    start(port=port, image=image)
