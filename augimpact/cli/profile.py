"""`augimpact profile`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from augimpact.cli import options
from augimpact.memory import keep_freed_memory
from augimpact.progress import progress_bar

__all__ = ["profile"]


def profile(
    train: Annotated[
        Path,
        typer.Argument(
            help="A folder of images, or a .csv with a column `path`, and the class in `category`: else it is the "
            "folder's name."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A folder for the whole report, or a file by its suffix.")
    ],
    val: Annotated[Path | None, typer.Option(help="Another split, to be compared.")] = None,
    augmentation: Annotated[
        list[str] | None,
        typer.Option(
            "--augmentation",
            "-a",
            metavar="NAME=A:B",
            help="Draws NAME from A to B, and compares; may be repeated. All panels are then of each image's middle "
            "square at 224², with and without.",
        ),
    ] = None,
    samples: Annotated[
        int,
        typer.Option(
            help="Shows so many pictures of each split, besides the outermost images and the means of small classes; "
            "samples.csv then has path and class of every sample.",
            min=0,
        ),
    ] = 0,
    max_samples: Annotated[int | None, typer.Option(help="Of each split, at most.", min=1)] = None,
    hide_class: Annotated[
        list[str] | None, typer.Option(help="A class, by name or number, that is not named; may be repeated.")
    ] = None,
    hide_names: Annotated[bool, typer.Option("--hide-names", help="Names neither classes nor files.")] = False,
    features: Annotated[
        list[str] | None, typer.Option(help="Panels, with commas between; with - before each, those that are not made.")
    ] = None,
    value_range: Annotated[
        str | None,
        typer.Option(metavar="BLACK:WHITE", help="What these are in files of more than 8 bits, such as 0:4095."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of what is drawn.", min=0, max=2**63 - 1)] = 0,
    device: Annotated[str, typer.Option(help="Where pixels are counted: auto, cpu or cuda.")] = "auto",
) -> None:
    """Tells what a dataset is like and what is wrong with it: as page, PDF, JSON, text, table, and for TensorBoard."""
    from augimpact.profiling.report import check_place

    check_place(output)
    ranges = options.parse_augmentations(augmentation or [])
    span = None if value_range is None else options.parse_span(value_range)
    keep_freed_memory()
    seen = total = 0
    with progress_bar("looking for images") as step:
        from augimpact.profiling.extract import profile as run

        def tell(done: int, of: int) -> None:
            nonlocal seen, total
            seen, total = done, of
            step("profiling", done, of)

        tables = [None if each is None else options.table_of(each) for each in (train, val)]
        classes = () if tables[0] is None else tables[0].class_names
        drawn = None
        if ranges:
            from augimpact.augment.random import RandomAugmentation

            drawn = RandomAugmentation(seed=seed, **ranges)
        found = run(
            *tables,
            augmentation=drawn,
            samples=samples,
            seed=seed,
            max_samples=max_samples,
            value_range=span,
            hide_classes=[int(each) if each.isdecimal() and each not in classes else each for each in hide_class or []],
            hide_names=hide_names,
            features=[name.strip() for text in features for name in text.split(",")] if features else None,
            device=device,
            progress=tell,
        )
        step("writing", 0, 1)
        files = found.save(output)
    for panel in found.panels:
        print(f"{panel.title}: {panel.sentence}")
    for file in files:
        print(file)
    if seen < total:
        # Interrupted: the report is of what was seen.
        raise typer.Exit(130)
