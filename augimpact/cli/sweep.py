"""`augimpact sweep`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from augimpact.cli import options
from augimpact.errors import DataError
from augimpact.memory import keep_freed_memory
from augimpact.progress import progress_bar
from augimpact.sweep import DEFAULT_FRAMES, EASINGS, Sweep

if TYPE_CHECKING:
    from augimpact.data.samples import SampleTable
    from augimpact.models.model import Model
    from augimpact.profiling.reference import Reference

__all__ = ["sweep"]


def sweep(
    image: options.Image,
    augmentation: options.Augmentation = None,
    output: options.Output = None,
    frames: options.Frames = DEFAULT_FRAMES,
    easing: options.Easing = EASINGS[0],
    model: options.Model = "efficientnet-lite0",
    arch: options.Arch = None,
    labels: options.Labels = None,
    trust: options.Trust = False,
    method: options.Method = "gradcam",
    layer: options.Layers = None,
    target: options.Target = "follow",
    classes: options.Classes = None,
    second: options.Second = None,
    erase_fill: options.EraseFill = "black",
    border: options.Border = "black",
    seed: options.Seed = 0,
    flip_tolerance: Annotated[
        float | None, typer.Option(help="Searches between the frames for each flip, until it is known to this much.")
    ] = None,
    device: options.Device = "auto",
    precision: options.Precision = "float32",
    opacity: options.Opacity = 0.5,
    width: Annotated[
        int | None, typer.Option(help="Of pictures in pixels; by default twice the model's input.")
    ] = None,
    data: options.Data = None,
    panel: options.Panels = None,
) -> None:
    """Sweeps IMAGE and saves what the model saw and where it looked: .gif .webp .mp4 .png .html .csv .npz .json .py."""
    files = options.require_outputs(output)
    panels = options.check_panels(panel, data, files)
    path = Sweep(frames=frames, easing=easing, **options.parse_augmentations(augmentation or []))
    from augimpact.formats import format_of
    from augimpact.render.look import Look

    look = Look(opacity=opacity, width=width)
    keep_freed_memory()
    with progress_bar("loading the classifier") as step:
        from augimpact.analysis import analyze
        from augimpact.models.load import load_classifier

        table = None if data is None else options.table_of(data)
        classifier = load_classifier(model, device=device, trust=trust, arch=arch, labels=labels)
        trace = analyze(
            image,
            path,
            classifier,
            method=method,
            target=target,
            layer=layer,
            classes=options.parse_names(classes),
            second=second,
            erase_fill=erase_fill,
            border=border,
            seed=seed,
            flip_tolerance=flip_tolerance,
            precision=precision,
            progress=lambda done, total: step("sweeping", done, total),
        )
        wishes = asdict(look)
        if table is not None:
            reference = _measured(table, classifier, lambda done, total: step("measuring the data", done, total))
            wishes |= {"reference": reference, "panels": [reference[name] for name in panels]}
        for index, file in enumerate(files):
            step(f"writing {file}", index, len(files))
            known = format_of(file).options
            trace.save(file, **{name: value for name, value in wishes.items() if name in known})
    mixed = trace.recipe["second"]
    if mixed is not None and second is None:
        print(f"note: mixed with {mixed['source']}; --second names another image", file=sys.stderr)
    for name in path.without_effect:
        needed = " or ".join(path.catalogue[name].needs)
        print(f"note: {name} has no effect while {needed} is neutral", file=sys.stderr)
    for file in files:
        print(file)


def _measured(table: SampleTable, classifier: Model, progress: Callable[[int, int], None]) -> Reference:
    """The data that frames are compared with, measured as these are."""
    from augimpact.models.inputs import ImageInput
    from augimpact.profiling.reference import reference_of

    if not isinstance(classifier.inputs, ImageInput):
        raise DataError("--data has images and the model takes signals; expected a model of images")
    return reference_of(table, classifier.sees, progress=progress)
