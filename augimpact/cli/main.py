"""The commands together, and how all of them end."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from augimpact.augment.plugins import PLUGINS_VARIABLE, load_plugins
from augimpact.cli import compare, grid, impact, lists, profile, replay, serve, sets, sweep
from augimpact.errors import Cancelled, UserError

__all__ = ["app", "main"]

INTERRUPTED = 130

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    help="See what image augmentation does to a classifier.",
)
app.command("sweep")(sweep.sweep)
app.command("compare")(compare.compare)
app.command("grid")(grid.grid)
app.command("profile")(profile.profile)
app.command("impact")(impact.impact)
app.command("replay")(replay.replay)
app.command("app")(serve.serve)
app.command("serve")(sets.serve)
app.add_typer(sets.sets, name="sets")
app.command("models")(lists.models)
app.command("augmentations")(lists.augmentations)
app.command("methods")(lists.methods)


def print_version(wanted: bool) -> None:
    """Prints the package's version and ends."""
    if wanted:
        print(metadata.version("augimpact"))
        raise typer.Exit


@app.callback()
def before(
    plugin: Annotated[
        list[Path] | None,
        typer.Option(
            help="A Python file of yours that registers augmentations; may be repeated.", envvar=PLUGINS_VARIABLE
        ),
    ] = None,
    version: Annotated[  # noqa: ARG001 - typer calls back
        bool, typer.Option("--version", help="Prints the version.", callback=print_version, is_eager=True)
    ] = False,
) -> None:
    """See what image augmentation does to a classifier."""
    load_plugins(plugin or [])
    if plugin:
        # The app's pages are processes of their own.
        os.environ[PLUGINS_VARIABLE] = os.pathsep.join(str(file.resolve()) for file in plugin)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line and exits: 0 when all is done, 2 for a user's mistake, 130 when interrupted."""
    try:
        status = app(sys.argv[1:] or ["--help"] if arguments is None else arguments, standalone_mode=False)
    except (UserError, TyperException) as error:
        message = error.format_message() if isinstance(error, TyperException) else str(error)
        print("augimpact: " + " ".join(message.split()), file=sys.stderr)
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort, Cancelled):
        status = INTERRUPTED
    if status == INTERRUPTED:
        # Typer makes the status of Ctrl-C itself, and says nothing.
        print("augimpact: interrupted", file=sys.stderr)
    sys.exit(status)
