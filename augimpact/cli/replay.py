"""`augimpact replay`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from augimpact.cli import options
from augimpact.memory import keep_freed_memory
from augimpact.progress import progress_bar

__all__ = ["replay"]


def replay(
    file: Annotated[Path, typer.Argument(help="A .json that `augimpact sweep` or `Trace.save` wrote.")],
    image: Annotated[str | None, typer.Option(help="In place of the recorded image, if that has moved.")] = None,
    second: Annotated[str | None, typer.Option(help="Likewise, of the image that was mixed in.")] = None,
    model: Annotated[str | None, typer.Option(help="In place of the recorded model: a name, or FILE.py:NAME.")] = None,
    trust: options.Trust = False,
    device: options.Device = "auto",
) -> None:
    """Does a saved sweep again and says whether the scores agree; exit status 1 where they do not."""
    keep_freed_memory()
    with progress_bar("loading the classifier") as step:
        from augimpact.models.load import load_classifier
        from augimpact.recipes import replay as run

        done = run(
            file,
            image=image,
            second=second,
            classifier=None if model is None else load_classifier(model, device=device, trust=trust),
            device=device,
            trust=trust,
            progress=lambda count, total: step("sweeping", count, total),
        )
    print(done)
    if not done.agrees:
        raise typer.Exit(1)
