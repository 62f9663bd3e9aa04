"""`augimpact grid`."""

from __future__ import annotations

from typing import Annotated

import typer

from augimpact.cli import options
from augimpact.memory import keep_freed_memory
from augimpact.progress import progress_bar

__all__ = ["grid"]


def grid(
    image: options.Image,
    augmentation: Annotated[
        list[str] | None,
        typer.Option(
            "--augmentation", "-a", metavar="NAME=A:B:STEPS", help="Two that run against each other; NAME=V holds NAME."
        ),
    ] = None,
    output: options.Output = None,
    model: options.Model = "efficientnet-lite0",
    arch: options.Arch = None,
    labels: options.Labels = None,
    trust: options.Trust = False,
    target: Annotated[
        str, typer.Option(help="The class whose score is drawn; `neutral` is that of the image.")
    ] = "neutral",
    classes: options.Classes = None,
    second: options.Second = None,
    erase_fill: options.EraseFill = "black",
    border: options.Border = "black",
    seed: options.Seed = 0,
    device: options.Device = "auto",
    precision: options.Precision = "float32",
) -> None:
    """Asks about every combination of two parameters: figure .png .svg .pdf, table .csv, both .json, or code .py."""
    from augimpact.grid import SURFACE_FORMATS, Grid

    files = options.require_outputs(output, SURFACE_FORMATS)
    settings = Grid(**options.parse_augmentations(augmentation or [], parts=(1, 3)))
    keep_freed_memory()
    with progress_bar("loading the classifier") as step:
        from augimpact.grid_analysis import analyze_grid
        from augimpact.models.load import load_classifier

        surface = analyze_grid(
            image,
            settings,
            load_classifier(model, device=device, trust=trust, arch=arch, labels=labels),
            target=target,
            classes=options.parse_names(classes),
            second=second,
            erase_fill=erase_fill,
            border=border,
            seed=seed,
            precision=precision,
            progress=lambda done, total: step("asking", done, total),
        )
        for file in files:
            surface.save(file)
    for file in files:
        print(file)
