"""`augimpact compare`."""

from __future__ import annotations

from typing import Annotated

import typer

from augimpact.cli import options
from augimpact.memory import keep_freed_memory
from augimpact.progress import progress_bar
from augimpact.sweep import DEFAULT_FRAMES, EASINGS, Sweep

__all__ = ["compare"]


def compare(
    image: options.Image,
    augmentation: options.Augmentation = None,
    output: options.Output = None,
    frames: options.Frames = DEFAULT_FRAMES,
    easing: options.Easing = EASINGS[0],
    model: Annotated[list[str] | None, typer.Option(help="A name, or FILE.py:NAME of yours; may be repeated.")] = None,
    trust: options.Trust = False,
    method: Annotated[list[str] | None, typer.Option(help="See `augimpact methods`; may be repeated.")] = None,
    layer: options.Layers = None,
    target: options.Target = "follow",
    classes: options.Classes = None,
    second: options.Second = None,
    erase_fill: options.EraseFill = "black",
    border: options.Border = "black",
    seed: options.Seed = 0,
    device: options.Device = "auto",
    precision: options.Precision = "float32",
    opacity: options.Opacity = 0.5,
) -> None:
    """Sweeps IMAGE with several models or methods, side by side as .gif .webp .mp4 .png, table .csv or code .py."""
    from augimpact.comparison import COMPARISON_FORMATS

    files = options.require_outputs(output, COMPARISON_FORMATS)
    path = Sweep(frames=frames, easing=easing, **options.parse_augmentations(augmentation or []))
    from augimpact.formats import format_of
    from augimpact.render.look import Look

    opacity = Look(opacity=opacity).opacity
    keep_freed_memory()
    with progress_bar("loading the classifiers") as step:
        from augimpact.comparison import compare as run
        from augimpact.models.load import load_classifier

        comparison = run(
            image,
            path,
            [load_classifier(name, device=device, trust=trust) for name in model or ["efficientnet-lite0"]],
            method or ["gradcam"],
            target=target,
            layer=layer,
            classes=options.parse_names(classes),
            second=second,
            erase_fill=erase_fill,
            border=border,
            seed=seed,
            precision=precision,
            progress=lambda done, total: step("sweeping", done, total),
        )
        for index, file in enumerate(files):
            step(f"writing {file}", index, len(files))
            known = format_of(file, formats=COMPARISON_FORMATS).options
            comparison.save(file, **({"opacity": opacity} if "opacity" in known else {}))
    for file in files:
        print(file)
