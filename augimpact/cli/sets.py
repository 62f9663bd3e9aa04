"""`augimpact sets` and `augimpact serve`: training sets, on this machine's disk or on a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from augimpact.cli.tables import print_table
from augimpact.errors import DataError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from augimpact.store.catalog import Catalog


__all__ = ["serve", "sets", "token"]

sets = typer.Typer(help="Training sets: kept, shared, searched.", no_args_is_help=True)
token = typer.Typer(help="Who may use a server's sets; run beside its database.", no_args_is_help=True)
sets.add_typer(token, name="token")

Url = Annotated[
    str | None,
    typer.Option("--catalog", help="A server's address, or a database's; else SQLite.", envvar="AUGIMPACT_CATALOG"),
]
Root = Annotated[Path | None, typer.Option(help="The folder of the parts.", envvar="AUGIMPACT_SETS")]
Secret = Annotated[str | None, typer.Option("--token", help="For a server.", envvar="AUGIMPACT_TOKEN")]
Number = Annotated[int, typer.Argument(help="The set's number.", metavar="ID")]


def _catalog(url: str | None, root: Path | None, secret: str | None) -> Catalog:
    from augimpact.store.catalog import Catalog

    return Catalog(url, root, token=secret)


def _engine(url: str | None, root: Path | None) -> Engine:
    from augimpact.store.local import LocalShelf

    shelf = _catalog(url, root, None).shelf
    if not isinstance(shelf, LocalShelf):
        raise DataError(f"the catalogue is {url!r}; expected the server's own database")
    return shelf.engine


@sets.command("list")
def list_sets(
    text: Annotated[str, typer.Argument(help="Words of names, descriptions, classes.")] = "",
    kind: Annotated[str | None, typer.Option(help="classification, object_detection or segmentation.")] = None,
    having: Annotated[list[str] | None, typer.Option("--class", help="With this class; repeatable.")] = None,
    owner: Annotated[str | None, typer.Option(help="Whose.")] = None,
    url: Url = None,
    root: Root = None,
    secret: Secret = None,
) -> None:
    """Lists the sets that one may see, the latest first."""
    found = _catalog(url, root, secret).search(text, mltype=kind, classes=having or [], owner=owner, limit=1000)
    rows = [
        (str(each.id), each.name, each.mltype, ", ".join(f"{group} {count:,}" for group, count in each.count.items()),
         "×".join(map(str, each.shape or ())), str(len(each.classes)), each.userId, "yes" if each.public else "no")
        for each in found
    ]  # fmt: skip
    print_table(("id", "name", "kind", "pairs", "shape", "classes", "owner", "public"), rows)


@sets.command("create")
def create(
    name: Annotated[str, typer.Argument(help="In words.")],
    kind: Annotated[str, typer.Option(help="classification, object_detection or segmentation.")] = "classification",
    classes: Annotated[str, typer.Option(help="With commas between them; by default those that are fed.")] = "",
    description: Annotated[str, typer.Option(help="More words.")] = "",
    url: Url = None,
    root: Root = None,
    secret: Secret = None,
) -> None:
    """Makes an empty set, and prints its number."""
    named = [each.strip() for each in classes.split(",") if each.strip()]
    print(_catalog(url, root, secret).create(name, kind, classes=named, description=description).id)


@sets.command("feed")
def feed(
    number: Number,
    source: Annotated[Path, typer.Argument(help="A folder of images, one a class; a .csv; or a COCO .json.")],
    group: Annotated[str, typer.Option(help="train, test, validation, or another.")] = "train",
    size: Annotated[int | None, typer.Option(help="Brings images to a square of so many pixels.", min=1)] = None,
    images: Annotated[Path | None, typer.Option(help="Of a COCO file the folder of its images.")] = None,
    url: Url = None,
    root: Root = None,
    secret: Secret = None,
) -> None:
    """Feeds images and labels to a set."""
    from augimpact.data.samples import SampleTable
    from augimpact.progress import progress_bar
    from augimpact.store.exchange import pairs_of_coco, pairs_of_table

    with _catalog(url, root, secret).from_id(number) as training_set, progress_bar("feeding") as step:
        pairs: Any
        if source.suffix == ".json":
            pairs, total = pairs_of_coco(source, images or source.parent, training_set.mltype, size), 0
        else:
            is_csv = source.suffix == ".csv"
            table = SampleTable.from_csv(source) if is_csv else SampleTable.from_folder(source)
            pairs, total = pairs_of_table(table, training_set.mltype, size), len(table)

        def told() -> Any:
            for done, pair in enumerate(pairs, 1):
                yield pair
                step("feeding", done, max(done, total))

        training_set.feed(told(), group)
        training_set.save()
        print(training_set)


@sets.command("show")
def show(number: Number, url: Url = None, root: Root = None, secret: Secret = None) -> None:
    """Prints a set's document, as JSON."""
    print(json.dumps(_catalog(url, root, secret).from_id(number).document(), indent=2, ensure_ascii=False))


@sets.command("publish")
def publish(number: Number, url: Url = None, root: Root = None, secret: Secret = None) -> None:
    """Lets everybody with a token read a set."""
    _catalog(url, root, secret).from_id(number).publish()


@sets.command("unpublish")
def unpublish(number: Number, url: Url = None, root: Root = None, secret: Secret = None) -> None:
    """Takes that back for everybody but the owner."""
    _catalog(url, root, secret).from_id(number).unpublish()


@sets.command("delete")
def delete(
    number: Number,
    yes: Annotated[bool, typer.Option("--yes", help="Does not ask.")] = False,
    url: Url = None,
    root: Root = None,
    secret: Secret = None,
) -> None:
    """Takes a set away for good."""
    found = _catalog(url, root, secret).from_id(number)
    if yes or typer.confirm(f"{found} is gone for good then; shall it?"):
        found.delete()


@sets.command("fetch")
def fetch(number: Number, url: Url = None, root: Root = None, secret: Secret = None) -> None:
    """Gets all parts of a server's set to this machine."""
    print(f"{_catalog(url, root, secret).from_id(number).fetch().percent_cached} %")


@sets.command("write")
def write(
    number: Number,
    output: Annotated[Path, typer.Option("--output", "-o", help="A folder.")],
    coco: Annotated[bool, typer.Option("--coco", help="As COCO's files.")] = False,
    url: Url = None,
    root: Root = None,
    secret: Secret = None,
) -> None:
    """Writes a set's images and labels to a folder."""
    from augimpact.store.exchange import write_coco, write_folder

    (write_coco if coco else write_folder)(_catalog(url, root, secret).from_id(number), output)


@token.command("create")
def create_token(owner: Annotated[str, typer.Argument(help="Who has it.")], url: Url = None, root: Root = None) -> None:
    """Makes a token and prints it, this once."""
    from augimpact.store.tokens import make_token

    print(make_token(_engine(url, root), owner))


@token.command("list")
def list_tokens(url: Url = None, root: Root = None) -> None:
    """Lists all tokens, without what is secret."""
    from augimpact.store.tokens import tokens

    names = ("id", "owner", "created_at", "revoked_at")
    print_table(names, [tuple(each[name] or "" for name in names) for each in tokens(_engine(url, root))])


@token.command("revoke")
def revoke_token(
    name: Annotated[str, typer.Argument(help="The id of one, or the owner of all.")], url: Url = None, root: Root = None
) -> None:
    """Ends a token, or all of an owner."""
    from augimpact.store.tokens import revoke_tokens

    print(f"{revoke_tokens(_engine(url, root), name)} revoked")


def serve(
    url: Url = None,
    root: Root = None,
    host: Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 for all of this machine.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Where it is served.")] = 8867,
) -> None:
    """Serves a catalogue of training sets to a team, until interrupted; put a proxy with TLS before it."""
    try:
        import uvicorn

        from augimpact.store.server import make_app
    except ImportError as error:
        raise DataError("the server's packages are not installed; expected `pip install augimpact[server]`") from error
    from augimpact.store.local import LocalShelf

    shelf = _catalog(url, root, None).shelf
    if not isinstance(shelf, LocalShelf):
        raise DataError(f"the catalogue is {url!r}; expected a database")
    print(f"serving training sets at http://{host}:{port}, their routes at /docs", flush=True)
    uvicorn.run(make_app(shelf), host=host, port=port, log_level="warning", server_header=False)
