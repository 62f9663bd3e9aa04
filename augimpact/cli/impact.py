"""`augimpact impact`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from augimpact.cli import options
from augimpact.errors import SweepError
from augimpact.memory import keep_freed_memory
from augimpact.progress import progress_bar

if TYPE_CHECKING:
    from distributed import Client

    from augimpact.sweep import Sweep

__all__ = ["impact"]


def impact(
    dataset: Annotated[
        str,
        typer.Argument(
            help="A folder of images, its address, or a .csv with a column `path`, and the class in `category`."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A folder; a run that was stopped goes on where it was.")
    ],
    augmentation: options.Augmentation = None,
    frames: options.Frames = 13,
    easing: options.Easing = "linear",
    each: Annotated[
        bool, typer.Option("--each", help="Sweeps every -a range alone, and not all of them together.")
    ] = False,
    model: options.Model = "efficientnet-lite0",
    arch: options.Arch = None,
    labels: options.Labels = None,
    trust: options.Trust = False,
    called: Annotated[
        list[str] | None,
        typer.Option("--class", metavar="NAME=CLASS", help="The model's name of the dataset's class NAME; repeatable."),
    ] = None,
    unlabelled: Annotated[bool, typer.Option("--unlabelled", help="Folders are no classes.")] = False,
    maps: Annotated[bool, typer.Option("--maps", help="Also measures how far maps move.")] = False,
    method: options.Method = "gradcam",
    points: Annotated[float, typer.Option(help="Percentage points that a safe range may cost.")] = 5.0,
    erase_fill: options.EraseFill = "black",
    border: options.Border = "black",
    seed: options.Seed = 0,
    device: options.Device = "auto",
    precision: options.Precision = "float32",
    scheduler: Annotated[str | None, typer.Option(help="Of a Dask cluster, such as tcp://10.0.0.1:8786.")] = None,
    workers: Annotated[int | None, typer.Option(help="Starts so many worker processes on this machine.", min=1)] = None,
    resource: Annotated[
        list[str] | None, typer.Option(metavar="NAME=AMOUNT", help="What a worker must have, such as GPU=1.")
    ] = None,
) -> None:
    """Tells what a sweep does to a classifier over a whole dataset, and how far one may go; as report, tables, code."""
    from augimpact.impact.ranges import margin_of
    from augimpact.impact.report import check_place

    check_place(output)
    margin_of(points)
    sweeps = _sweeps(augmentation or [], frames, easing, each)
    needed = {name: _amount(name, text) for name, text in _pairs(resource or [], "--resource", "GPU=1").items()}
    names = {} if unlabelled else _pairs(called or [], "--class", "'folder=golf ball'") or None
    keep_freed_memory()
    with progress_bar("looking for images") as step, _client(scheduler, workers) as client:
        from augimpact.impact.report import ranges_of
        from augimpact.impact.run import measure_impact

        explaining: dict[str, Any] = {"method": method} if maps else {}
        recipe = {"source": model, "arch": arch, "labels": options.parse_names(labels), "trust": trust}
        found = measure_impact(
            dataset,
            sweeps,
            recipe if client is not None else recipe | {"device": device},
            folder=output,
            labels=names,
            maps=maps,
            client=client,
            resources=needed,
            progress=lambda done, total: step("measuring", done, total),
            erase_fill=erase_fill,
            border=border,
            seed=seed,
            precision=precision,
            **explaining,
        )
        step("writing", 0, 1)
        ranges = ranges_of(found, points=points)
        files = found.save(output, points=points)
    print(found)
    for safe in () if ranges is None else ranges.paths:
        print(safe)
    for file in files:
        print(file)


def _sweeps(augmentations: Sequence[str], frames: int, easing: str, each: bool) -> list[Sweep]:
    """One sweep of all parameters, or one for each."""
    from augimpact.sweep import Sweep

    parsed = options.parse_augmentations(augmentations)
    held = {name: value for name, value in parsed.items() if not isinstance(value, tuple)}
    running = {name: value for name, value in parsed.items() if isinstance(value, tuple)}
    if not running:
        raise SweepError("no parameter is swept; expected -a NAME=A:B, such as -a rotation=-90:90")
    alone = [{name: value} for name, value in running.items()] if each else [running]
    return [Sweep(frames=frames, easing=easing, **(held | some)) for some in alone]


def _pairs(texts: Sequence[str], option: str, example: str) -> dict[str, str]:
    """`NAME=VALUE`, several of them."""
    parted = [text.rpartition("=") for text in texts]
    for text, (name, _, value) in zip(texts, parted, strict=True):
        if not name or not value:
            raise SweepError(f"{option} is {text!r}; expected NAME=VALUE, such as {example}")
    return {name: value for name, _, value in parted}


def _amount(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise SweepError(f"--resource {name} is {text!r}; expected a number, as in GPU=1") from error


@contextmanager
def _client(scheduler: str | None, workers: int | None) -> Iterator[Client | None]:
    """Of the cluster that is asked for; None measures here."""
    if scheduler is None and workers is None:
        yield None
        return
    if scheduler is not None and workers is not None:
        raise SweepError("--scheduler and --workers are both given; expected one of them")
    if find_spec("distributed") is None:
        raise SweepError("Dask is not installed; expected it, by pip install 'augimpact[dask]'")
    from augimpact.impact.cluster import connect, own_cluster

    with own_cluster(workers) if workers is not None else connect(str(scheduler)) as client:
        yield client
