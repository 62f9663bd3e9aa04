"""The options that several commands share, and what their text means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from augimpact.augment.parameters import BORDERS, ERASE_FILLS
from augimpact.errors import DataError, OutputError, SweepError, unknown
from augimpact.measures import MEASURES
from augimpact.sweep import EASINGS, catalogue_of

if TYPE_CHECKING:
    from augimpact.data.samples import SampleTable

__all__ = ["check_panels", "parse_augmentations", "parse_names", "parse_span", "require_outputs", "table_of"]

Image = Annotated[
    str,
    typer.Argument(help="A photograph in any format that Pillow reads, example:coffee, or a signal as .npy or .csv."),
]
Augmentation = Annotated[
    list[str] | None,
    typer.Option("--augmentation", "-a", metavar="NAME=A:B", help="Sweeps NAME from A to B; NAME=V holds it."),
]
Output = Annotated[
    list[Path] | None, typer.Option("--output", "-o", help="May be repeated; the suffix says what it is.")
]
Frames = Annotated[int, typer.Option(help="How many steps.")]
Easing = Annotated[str, typer.Option(help=f"How a range is walked: {' or '.join(EASINGS)}.")]
Model = Annotated[
    str, typer.Option(help="See `augimpact models`; also a checkpoint, fastai:export.pkl, or FILE.py:NAME of yours.")
]
Arch = Annotated[str | None, typer.Option(help="Of a checkpoint: a timm name, torchvision:NAME or FILE.py:NAME.")]
Labels = Annotated[
    str | None, typer.Option(help="Of a checkpoint: a text file with a class a line, or names with commas between.")
]
Trust = Annotated[bool, typer.Option("--trust", help="Loads a pickle, which may run any code.")]
Method = Annotated[str, typer.Option(help="See `augimpact methods`.")]
Layers = Annotated[
    list[str] | None,
    typer.Option(
        "--layer", help="The layer to explain, by default the last with spatial output; several are averaged."
    ),
]
Target = Annotated[
    str,
    typer.Option(
        help="`follow` (each frame's top class), `neutral` (the image's), a class, or 'A - B', their difference."
    ),
]
Classes = Annotated[
    str | None, typer.Option(help="Only these classes: names with commas between, or a text file with one a line.")
]
Second = Annotated[str | None, typer.Option(help="The image that mixup and cutmix mix in.")]
EraseFill = Annotated[str, typer.Option(help=f"What hidden parts show: {', '.join(ERASE_FILLS)}.")]
Border = Annotated[str, typer.Option(help=f"What lies beyond the edges: {', '.join(BORDERS)}.")]
Seed = Annotated[int, typer.Option(help="Of the noise.", min=0, max=2**63 - 1)]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
Precision = Annotated[str, typer.Option(help="float32, bfloat16 or float16.")]
Opacity = Annotated[float, typer.Option(help="Of the map over the image, 0 to 1.")]
Data = Annotated[
    Path | None,
    typer.Option(
        help="A folder of images, or a .csv with a column `path`: animations and pages show where frames lie in it."
    ),
]
Panels = Annotated[
    list[str] | None,
    typer.Option(
        "--panel",
        metavar="MEASURE",
        help=f"In animations only this measure of --data: {', '.join(MEASURES)}; may be repeated.",
    ),
]


def parse_augmentations(augmentations: Sequence[str], *, parts: Sequence[int] = (1, 2)) -> dict[str, Any]:
    """`NAME=V` as a number, `NAME=A:B` as a pair, `NAME=A:B:N` as three numbers; `parts` says how many there may be.

    Raises:
        SweepError, ParameterError: it is none of these, an unknown name, or one twice.
    """
    parsed: dict[str, Any] = {}
    forms = {1: "NAME=V to hold", 2: "NAME=A:B to sweep, such as rotation=-45:45", 3: "NAME=A:B:STEPS to run over"}
    for text in augmentations:
        name, equals, value = text.partition("=")
        try:
            numbers = tuple(float(part) for part in value.split(":"))
        except ValueError:
            numbers = ()
        if not equals or len(numbers) not in parts:
            raise SweepError(f"-a {text!r}; expected {', or '.join(forms[each] for each in reversed(parts))}")
        if name in parsed:
            raise SweepError(f"-a names {name} twice; expected each parameter once")
        catalogue_of([name])
        parsed[name] = numbers[0] if len(numbers) == 1 else numbers
    return parsed


def parse_span(text: str) -> tuple[float, float]:
    """Black and white of a text with a colon between them.

    Raises:
        DataError: it is none.

    >>> parse_span("0:4095")
    (0.0, 4095.0)
    """
    try:
        black, white = map(float, text.split(":"))
    except ValueError:
        black = white = math.nan
    if not (black < white and math.isfinite(black) and math.isfinite(white)):
        raise DataError(f"the value range is {text!r}; expected BLACK:WHITE, such as 0:4095")
    return black, white


def parse_names(text: str | None) -> list[str] | None:
    """Names with commas between, one alone, or the lines of the text file of this name."""
    from augimpact.models.load import read_labels

    if text is None:
        return None
    return list(read_labels(text)) if "," in text or Path(text).exists() else [text]


def check_panels(panels: Sequence[str] | None, data: Path | None, files: Sequence[Path]) -> Sequence[str]:
    """The measures whose panels stand beside a picture: those that are named, or all.

    Raises:
        DataError, OutputError: there is no such panel, nothing to compare with, or no file that would show it.
    """
    from augimpact.formats import format_of

    for name in panels or ():
        if name not in MEASURES:
            raise DataError(unknown("panel", name, MEASURES))
    if data is None:
        if panels:
            raise DataError(f"--panel {panels[0]} is of a dataset; expected --data FOLDER, too")
        return ()
    if not any({"panels", "reference"} & set(format_of(file).options) for file in files):
        raise OutputError("--data is shown in .gif, .webp, .mp4 and .html files; expected -o with one of these")
    return panels or tuple(MEASURES)


def table_of(place: Path) -> SampleTable:
    """The samples of a folder or of a table in a file, known by their paths, so that none is read before its turn.

    Raises:
        DataError: there is no such folder or file, or no sample.
    """
    from augimpact.data.samples import SampleTable

    if place.suffix.lower() == ".csv" and not place.is_dir():
        return SampleTable.from_csv(place, identity="path")
    return SampleTable.from_folder(place, identity="path")


def require_outputs(output: Sequence[Path] | None, formats: Any = None) -> list[Path]:
    """The files that are asked for, each of which can be written.

    Raises:
        SweepError, OutputError: there is none, or one that cannot.
    """
    from augimpact.files import check_writable
    from augimpact.formats import format_of

    if not output:
        raise SweepError("no output was named; expected -o FILE, such as -o out.gif")
    for file in output:
        format_of(file, formats=formats)
        check_writable(file)
    return list(output)
