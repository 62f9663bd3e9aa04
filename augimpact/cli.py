"""The command line: parses, calls, prints. A user's mistake is one line on standard error and exit status 2."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from typer.exceptions import TyperException

from augimpact.augment.parameters import CATALOGUE, ERASE_FILLS
from augimpact.errors import Cancelled, ParameterError, SweepError, UserError, unknown
from augimpact.memory import keep_freed_memory
from augimpact.sweep import DEFAULT_FRAMES, EASINGS, Sweep

__all__ = ["app", "main"]

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    help="See what image augmentation does to a classifier.",
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line and exits: 0 when all is done, 2 for a user's mistake, 130 when interrupted."""
    try:
        sys.exit(app(sys.argv[1:] or ["--help"] if arguments is None else arguments, standalone_mode=False))
    except (UserError, TyperException) as error:
        message = error.format_message() if isinstance(error, TyperException) else str(error)
        print("augimpact: " + " ".join(message.split()), file=sys.stderr)
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort, Cancelled):
        print("augimpact: interrupted", file=sys.stderr)
        sys.exit(130)


@app.command()
def sweep(
    image: Annotated[str, typer.Argument(help="A photograph in any format that Pillow reads, or example:coffee.")],
    augmentation: Annotated[
        list[str] | None,
        typer.Option("--augmentation", "-a", metavar="NAME=A:B", help="Sweeps NAME from A to B; NAME=V holds it."),
    ] = None,
    output: Annotated[
        list[Path] | None,
        typer.Option("--output", "-o", help="A .gif, .webp, .png, .npz or .json file; may be repeated."),
    ] = None,
    frames: Annotated[int, typer.Option(help="How many steps.")] = DEFAULT_FRAMES,
    easing: Annotated[str, typer.Option(help=f"How a range is walked: {' or '.join(EASINGS)}.")] = EASINGS[0],
    model: Annotated[str, typer.Option(help="See `augimpact models`.")] = "efficientnet-lite0",
    method: Annotated[str, typer.Option(help="See `augimpact methods`.")] = "gradcam",
    layer: Annotated[
        str | None, typer.Option(help="The layer to explain; by default the last with spatial output.")
    ] = None,
    target: Annotated[
        str, typer.Option(help="`follow` (each frame's top class), `neutral` (the image's), or a class.")
    ] = "follow",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    erase_fill: Annotated[str, typer.Option(help=f"What an erased box shows: {', '.join(ERASE_FILLS)}.")] = ERASE_FILLS[
        0
    ],
    opacity: Annotated[float, typer.Option(help="Of the map over the image, 0 to 1.")] = 0.5,
    width: Annotated[
        int | None, typer.Option(help="Of pictures in pixels; by default twice the model's input.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the noise.", min=0, max=2**63 - 1)] = 0,
) -> None:
    """Sweeps IMAGE and saves what the classifier saw and where it looked."""
    from augimpact.files import check_writable
    from augimpact.formats import format_of
    from augimpact.render.look import Look

    if not output:
        raise SweepError("no output was named; expected -o FILE, such as -o out.gif")
    path = Sweep(frames=frames, easing=easing, **_parsed(augmentation or []))
    for file in output:
        format_of(file)
        check_writable(file)
    look = Look(opacity=opacity, width=width)
    keep_freed_memory()
    with _progress("loading the classifier") as step:
        from augimpact.analysis import analyze
        from augimpact.models.load import load_classifier

        trace = analyze(
            image,
            path,
            load_classifier(model, device=device, layer=layer),
            method=method,
            target=target,
            erase_fill=erase_fill,
            seed=seed,
            progress=lambda done, total: step("sweeping", done, total),
        )
        for index, file in enumerate(output):
            step(f"writing {file}", index, len(output))
            known = format_of(file).options
            trace.save(file, **{name: value for name, value in asdict(look).items() if name in known})
    for name in path.without_effect:
        print(f"note: {name} has no effect while {' or '.join(CATALOGUE[name].needs)} is neutral", file=sys.stderr)
    for file in output:
        print(file)


@app.command("app")
def serve(
    port: Annotated[int, typer.Option(help="Where the page is served.")] = 8866,
    image: Annotated[Path | None, typer.Option(help="A photograph to begin with.")] = None,
) -> None:
    """Serves the Explorer as a page, until interrupted."""
    from augimpact.widgets.app import start

    start(port=port, image=image)


@app.command()
def models(search: Annotated[str, typer.Argument(help="Lists only names that contain this.")] = "") -> None:
    """Lists the classifiers that --model takes."""
    import timm
    import torchvision.models

    from augimpact.models.builtin import BUILTIN
    from augimpact.models.load import TORCHVISION

    pretrained = timm.list_models(pretrained=True)
    known = {
        "built in, needs no network": [BUILTIN],
        "torchvision, fetched on first use": [
            TORCHVISION + name for name in torchvision.models.list_models(module=torchvision.models)
        ],
        "timm, fetched on first use": pretrained,
    }
    rows = [(name, origin) for origin, names in known.items() for name in names if search.lower() in name.lower()]
    _print_table(("model", "from"), rows)


@app.command()
def augmentations() -> None:
    """Lists the parameters that -a takes."""
    _print_table(
        ("name", "group", "range", "neutral", "unit", "what it does"),
        [
            (
                each.name,
                each.group,
                f"{each.minimum:g}:{each.maximum:g}",
                f"{each.neutral:g}",
                each.unit,
                each.description,
            )
            for each in CATALOGUE.values()
        ],
    )


@app.command()
def methods() -> None:
    """Lists the ways to explain that --method takes."""
    from augimpact.explain.methods import METHODS

    _print_table(
        ("name", "what it shows", "source"),
        [(method.name, method.description, method.source) for method in METHODS.values()],
    )


def _parsed(augmentations: Sequence[str]) -> dict[str, float | tuple[float, float]]:
    """`NAME=A:B` as a pair, `NAME=V` as a number."""
    parsed: dict[str, float | tuple[float, float]] = {}
    for text in augmentations:
        name, equals, value = text.partition("=")
        parts = value.split(":")
        try:
            numbers = tuple(float(part) for part in parts)
        except ValueError:
            numbers = ()
        if not equals or len(numbers) not in (1, 2):
            raise SweepError(f"-a {text!r}; expected NAME=A:B to sweep, such as rotation=-45:45, or NAME=V to hold")
        if name not in CATALOGUE:
            raise ParameterError(unknown("parameter", name, CATALOGUE))
        if name in parsed:
            raise SweepError(f"-a names {name} twice; expected each parameter once")
        parsed[name] = numbers[0] if len(numbers) == 1 else (numbers[0], numbers[1])
    return parsed


@contextmanager
def _progress(first: str) -> Iterator[Any]:
    """A bar on standard error, where that is a terminal; it goes away when the block ends."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(first, total=None)
        yield lambda text, done, total: bar.update(task, description=text, completed=done, total=total)


def _print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table for a person at a terminal; lines of tab-separated fields for a program."""
    console = Console()
    if not console.is_terminal:
        for row in (header, *rows):
            print("\t".join(row))
        return
    table = Table(*header, box=None, header_style="bold")
    for row in rows:
        table.add_row(*row)
    console.print(table)


if __name__ == "__main__":
    main()
