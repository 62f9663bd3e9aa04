"""The server of a catalogue: the routes of the training sets' documents, and their parts by range requests.

Everybody needs a token. A set that one may not see is not there, whether it exists or not. What comes from a client is
counted while it comes, and becomes the name of a file only as a hash that the catalogue knows.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi import Path as InPath
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field

from augimpact.errors import DataError
from augimpact.store.labels import KINDS, LONGEST_NAME, MOST_CLASSES
from augimpact.store.local import LONGEST_TEXT, MOST_FOUND, LocalShelf
from augimpact.store.openapi_page import page_of
from augimpact.store.parts import read_about
from augimpact.store.shelf import NoSuchSet, NotYours
from augimpact.store.tokens import owner_of

__all__ = ["make_app"]

# Bytes of a request: of a part, and of all else.
PART_LIMIT, LIMIT = 256 << 20, 1 << 20
HDF5 = "application/x-hdf5"
MOST = 2**31 - 1
# No database keeps a zero byte in a text.
PLAIN = r"^[^\u0000]*$"

Text = Annotated[str, Field(max_length=LONGEST_TEXT, pattern=PLAIN)]
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, pattern=r"^[^\u0000]*[^\u0000\s][^\u0000]*$")]
ClassText = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, pattern=PLAIN)]
Kind = Annotated[str, Field(pattern=f"^({'|'.join(KINDS)})$")]
Number = Annotated[int, InPath(ge=1, le=MOST)]
PartName = Annotated[str, InPath(pattern="^[0-9a-f]{32}$")]
Scope = MutableMapping[str, Any]


class NewSet(BaseModel):
    """What a set is made of."""

    model_config = ConfigDict(extra="forbid")
    name: Name
    mlType: Kind = KINDS[0]  # noqa: N815 - as documents have it
    classes: Annotated[list[Name], Field(max_length=MOST_CLASSES, json_schema_extra={"uniqueItems": True})] = []
    tile: Annotated[list[Annotated[int, Field(ge=1, le=MOST)]], Field(min_length=2, max_length=2)] | None = None
    description: Text = ""
    source: Text = ""


class Changes(BaseModel):
    """What may be changed of a set."""

    model_config = ConfigDict(extra="forbid")
    name: Name | None = None
    description: Text | None = None
    source: Text | None = None


class Search(BaseModel):
    """What is looked for, see `augimpact.store.catalog.Catalog.search`."""

    # A word that is not known would be taken for none, and everything found.
    model_config = ConfigDict(extra="forbid")
    text: Annotated[str, Field(max_length=LONGEST_NAME, pattern=PLAIN)] = ""
    mltype: Kind | None = None
    classes: Annotated[list[ClassText], Field(max_length=20)] = []
    bbox: Annotated[list[Annotated[float, Field(allow_inf_nan=False)]], Field(min_length=4, max_length=4)] | None = None
    owner: Annotated[str, Field(max_length=LONGEST_NAME, pattern=PLAIN)] | None = None
    public: bool | None = None
    sensors: Annotated[list[ClassText], Field(max_length=20)] = []
    limit: Annotated[int, Field(ge=1, le=MOST_FOUND)] = 100
    offset: Annotated[int, Field(ge=0, le=MOST)] = 0


# What of a search may be said more than once.
MANY = {name for name, field in Search.model_fields.items() if field.default == []} | {"bbox"}


class Data(BaseModel):
    """A set, see `augimpact.store.training_set.TrainingSet`."""

    id: int
    name: str
    description: str
    mlType: str  # noqa: N815
    classes: list[str]
    nclasses: int
    fixed: bool
    count: dict[str, int]
    bbox: list[float] | None
    shape: list[int] | None
    dtype: str | None
    tile: list[int] | None
    sensors: list[str]
    source: str
    userId: str  # noqa: N815
    public: bool
    created_at: str
    updated_at: str
    percent_cached: int


class Link(BaseModel):
    """Where something may be done."""

    href: str
    method: str = "GET"


class Document(BaseModel):
    """A set, and where it is read, changed, fed."""

    data: Data
    links: dict[str, Link]


class PartDocument(BaseModel):
    """A part of a set."""

    name: str
    group: str
    rows: int
    size: int
    classes: list[str]


class Problem(BaseModel):
    """What is wrong, in a sentence."""

    detail: str


def _said(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": Problem} for status in (401, *statuses)}


bearer = HTTPBearer(auto_error=False, description="A token of `augimpact sets token create`.")
router = APIRouter(responses=_said(400, 413, 422))


def seen(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> LocalShelf:
    """The sets as who asks sees them.

    Raises:
        HTTPException: nobody known asks.
    """
    shelf: LocalShelf = request.app.state.shelf
    owner = None if given is None else owner_of(shelf.engine, given.credentials)
    if owner is None:
        raise HTTPException(401, "expected a token that is valid", {"WWW-Authenticate": "Bearer"})
    return shelf.as_seen_by(owner)


Mine = Annotated[LocalShelf, Depends(seen)]


def said_once(request: Request) -> None:
    """Refuses a search that says twice what can only be one: the last would be taken, and the others lost.

    Raises:
        HTTPException: it does.
    """
    said = [name for name, _ in request.query_params.multi_items() if name not in MANY]
    twice = next((name for name in said if said.count(name) > 1), None)
    if twice is not None:
        raise HTTPException(422, f"query.{twice}: expected one, it is there {said.count(twice)} times")


@asynccontextmanager
async def _connected(app: FastAPI) -> AsyncIterator[None]:
    """While it serves, connections to the database stay open."""
    app.state.shelf = shelf = app.state.shelf.connected()
    yield
    shelf.engine.dispose()


def make_app(shelf: LocalShelf) -> FastAPI:
    """The server of these sets."""
    # The usual page of an API is fetched from elsewhere; this one is the server's own.
    app = FastAPI(title="augimpact training sets", version="1", docs_url=None, redoc_url=None, lifespan=_connected)
    app.state.shelf = shelf
    app.add_api_route("/docs", lambda: HTMLResponse(page_of(app.openapi())), include_in_schema=False)
    app.include_router(router)
    for kind, status in ((NoSuchSet, 404), (NotYours, 403), (DataError, 422)):
        app.exception_handler(kind)(_answering(status))
    app.exception_handler(RequestValidationError)(_invalid)
    app.add_middleware(Limited)
    return app


def _document(request: Request, found: dict[str, Any]) -> dict[str, Any]:
    place = str(request.url_for("read_set", number=found["id"]))
    links = {
        "self": {"href": place}, "update": {"href": place, "method": "PUT"},
        "delete": {"href": place, "method": "DELETE"}, "publish": {"href": f"{place}/publish", "method": "PUT"},
        "unpublish": {"href": f"{place}/unpublish", "method": "PUT"},
        "create": {"href": f"{place}/datapoints", "method": "POST"},
    }  # fmt: skip
    return {"data": found, "links": links}


@router.get("/search", responses=_said(), dependencies=[Depends(said_once)])
def search(request: Request, mine: Mine, asked: Annotated[Search, Query()]) -> list[Document]:
    """The sets that one may see, the latest first."""
    return [Document(**_document(request, found)) for found in mine.search(asked.model_dump())]


@router.post("/data", status_code=201, responses=_said())
def create_set(request: Request, mine: Mine, new: NewSet) -> Document:
    """A new set, which is empty."""
    return Document(**_document(request, mine.create(new.model_dump())))


@router.get("/data/{number}", responses=_said(404))
def read_set(request: Request, mine: Mine, number: Number) -> Document:
    """A set's document."""
    return Document(**_document(request, mine.document(number)))


@router.put("/data/{number}", responses=_said(403, 404))
def change_set(request: Request, mine: Mine, number: Number, changes: Changes) -> Document:
    """Changes words of a set."""
    return Document(**_document(request, mine.change(number, changes.model_dump())))


@router.delete("/data/{number}", status_code=204, responses=_said(403, 404))
def delete_set(mine: Mine, number: Number) -> None:
    """Takes a set away for good."""
    mine.delete(number)


@router.put("/data/{number}/publish", responses=_said(403, 404))
def publish_set(request: Request, mine: Mine, number: Number) -> Document:
    """Lets everybody with a token read it."""
    return Document(**_document(request, mine.change(number, {"public": True})))


@router.put("/data/{number}/unpublish", responses=_said(403, 404))
def unpublish_set(request: Request, mine: Mine, number: Number) -> Document:
    """Takes that back for everybody but the owner."""
    return Document(**_document(request, mine.change(number, {"public": False})))


@router.get("/data/{number}/datapoints", responses=_said(404))
def list_parts(mine: Mine, number: Number) -> list[PartDocument]:
    """A set's parts, in their order."""
    return [PartDocument(**each) for each in mine.parts(number)]


body = {"content": {HDF5: {"schema": {"type": "string", "format": "binary"}}}, "required": True}


@router.post(
    "/data/{number}/datapoints", status_code=201, responses=_said(403, 404),
    openapi_extra={"requestBody": body},
)  # fmt: skip
async def add_part(request: Request, mine: Mine, number: Number) -> Document:
    """Takes a part in: an HDF5 file, see `augimpact.store.parts`."""
    # Whether one may is said before anything is read.
    await run_in_threadpool(mine.check_owned, number)
    path = await run_in_threadpool(mine.place_for, number)
    try:
        with path.open("wb") as file:
            async for block in request.stream():
                await run_in_threadpool(file.write, block)
        part = await run_in_threadpool(read_about, path)
        return Document(**_document(request, await run_in_threadpool(mine.add, number, path, part)))
    finally:
        path.unlink(missing_ok=True)


file_of_part: dict[int | str, dict[str, Any]] = {
    200: {"content": {HDF5: {"schema": {"type": "string", "format": "binary"}}}},
    206: {"content": {HDF5: {"schema": {"type": "string", "format": "binary"}}, "multipart/byteranges": {}}},
    400: {"content": {"text/plain": {}}}, 416: {"content": {"text/plain": {}}},
}  # fmt: skip


@router.get(
    "/data/{number}/datapoints/{name}", responses={**file_of_part, **_said(404)}, response_class=FileResponse
)  # fmt: skip
def read_part(mine: Mine, number: Number, name: PartName) -> Response:
    """A part's file, or a range of it."""
    found = next((each for each in mine.parts(number) if each["name"] == name), None)
    if found is None:
        raise NoSuchSet(f"the set {number} has no part {name}")
    return FileResponse(mine.file(number, found), media_type=HDF5)


def _answering(status: int) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(_request: Request, error: Exception) -> Response:
        return JSONResponse({"detail": str(error)}, status)

    return answer


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    told = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
    return JSONResponse({"detail": told.encode("utf-8", "replace").decode()}, 422)


class Limited:
    """Refuses requests that are too large, by what they say or once they are."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Passes a request on, while it is small enough."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = PART_LIMIT if scope["path"].endswith("/datapoints") else LIMIT
        headers = dict(scope["headers"])
        told = headers.get(b"content-length", b"0")
        if not told.isdigit() or int(told) > limit:
            await JSONResponse({"detail": f"expected at most {limit} bytes"}, 413)(scope, receive, send)
            return
        got = 0

        async def counted() -> Any:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > limit:
                raise HTTPException(413, f"expected at most {limit} bytes")
            return message

        await self._app(scope, counted, send)
