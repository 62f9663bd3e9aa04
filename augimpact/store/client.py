"""A catalogue on a server: its sets are read, fed and searched as if they were here; parts are fetched once."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from filelock import FileLock

from augimpact.errors import DataError
from augimpact.files import make_folder
from augimpact.store.parts import Part, hash_of_file
from augimpact.store.shelf import Document, NoSuchSet, NotYours

__all__ = ["RemoteShelf"]

ERRORS: dict[int, type[DataError]] = {403: NotYours, 404: NoSuchSet}
TIMEOUT = httpx.Timeout(60, connect=10)
# How often a part is asked for, each time from where the last ended.
TRIES = 4
BLOCK = 1 << 20


class RemoteShelf:
    """Sets on a server.

    Args:
        url: of it.
        root: the folder of the parts that were fetched, by default in the user's cache.
        token: that tells who one is.

    Raises:
        DataError: the token is none.
    """

    def __init__(self, url: str, root: Path | None, token: str | None) -> None:
        token = None if token is None else token.strip()
        if token is not None and not (token.isascii() and token.isprintable()):
            raise DataError("the token has letters that no token has; expected one of `augimpact sets token create`")
        self._given = url, root, token
        self._url = url.rstrip("/")
        if root is None:
            from platformdirs import user_cache_path

            root = user_cache_path("augimpact") / "sets"
        self._root = root / hashlib.sha256(self._url.encode()).hexdigest()[:16]
        make_folder(self._root)
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._clients: dict[int, httpx.Client] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._given

    def create(self, about: Document) -> Document:
        """Enters a new set."""
        return self._document("POST", "/data", json=about)

    def document(self, set_id: int) -> Document:
        """What is known of a set."""
        return self._document("GET", f"/data/{set_id}")

    def search(self, asked: Document) -> list[Document]:
        """The sets that are asked for, see `Catalog.search`."""
        given = {name: value for name, value in asked.items() if value not in (None, [], "")}
        return [dict(each["data"]) for each in self._read("GET", "/search", params=given)]

    def change(self, set_id: int, changes: Document) -> Document:
        """Changes words of a set, or whether it is `public`."""
        words = {name: value for name, value in changes.items() if name != "public"}
        document = self._document("PUT", f"/data/{set_id}", json=words) if words or "public" not in changes else {}
        if "public" in changes:
            document = self._document("PUT", f"/data/{set_id}/{'publish' if changes['public'] else 'unpublish'}")
        return document

    def check_owned(self, set_id: int) -> None:
        """Raises what changing a set would raise: `NoSuchSet`, `NotYours`."""
        self.change(set_id, {})

    def delete(self, set_id: int) -> None:
        """Takes a set away."""
        self._asked("DELETE", f"/data/{set_id}")

    def parts(self, set_id: int) -> list[Document]:
        """The parts of a set, in their order."""
        return list(self._read("GET", f"/data/{set_id}/datapoints"))

    def add(self, set_id: int, path: Path, part: Part) -> Document:
        """Sends a part, and keeps it as one that was fetched."""

        def blocks() -> Iterator[bytes]:
            with path.open("rb") as file:
                while block := file.read(BLOCK):
                    yield block

        headers = {"Content-Type": "application/x-hdf5", "Content-Length": str(path.stat().st_size)}
        found = self._document("POST", f"/data/{set_id}/datapoints", content=blocks(), headers=headers)
        path.replace(self._place(set_id, part.name))
        return found

    def file(self, set_id: int, part: Document) -> Path:
        """Where a part lies here, once it is fetched: whole, or not at all."""
        place = self._place(set_id, part["name"])
        if not place.is_file():
            make_folder(place.parent)
            with FileLock(f"{place}.lock"):
                if not place.is_file():
                    self._fetch(f"/data/{set_id}/datapoints/{part['name']}", place, part)
        return place

    def share_at_hand(self, set_id: int) -> int:
        """How much of a set was fetched, in per cent of its bytes."""
        parts = self.parts(set_id)
        whole = sum(each["size"] for each in parts)
        here = sum(each["size"] for each in parts if self._place(set_id, each["name"]).is_file())
        return 100 * here // whole if whole else 100

    def place_for(self, set_id: int) -> Path:
        """Where a new part may be written."""
        place = self._place(set_id, f".new-{uuid.uuid4().hex}")
        make_folder(place.parent)
        return place

    def _place(self, set_id: int, name: str) -> Path:
        return self._root / f"{int(set_id)}" / f"{Path(name).name}.h5"

    def _fetch(self, route: str, place: Path, part: Document) -> None:
        """Gets a file from where it was left, and looks whether it is the right one.

        Raises:
            DataError: it cannot be got, or is another.
        """
        begun = place.with_suffix(".begun")
        last: Exception | None = None
        for _ in range(TRIES):
            have = begun.stat().st_size if begun.is_file() else 0
            if have < part["size"]:
                try:
                    self._continue(route, begun, have)
                except httpx.TransportError as error:
                    last = error
                    continue
            if begun.stat().st_size == part["size"] and hash_of_file(begun) == part["name"]:
                begun.replace(place)
                return
            last = DataError("what came is not what the catalogue names")
            begun.unlink()
        raise DataError(f"the part {part['name']} cannot be fetched from {self._url} ({last})")

    def _continue(self, route: str, begun: Path, have: int) -> None:
        headers = {"Range": f"bytes={have}-"} if have else {}
        with self._client.stream("GET", self._url + route, headers=headers) as answer:
            if answer.status_code not in (200, 206):
                answer.read()
                raise _error(answer, self._url)
            with begun.open("ab" if answer.status_code == 206 else "wb") as file:
                for block in answer.iter_bytes():
                    file.write(block)

    @property
    def _client(self) -> httpx.Client:
        """A process that was forked has connections of its own."""
        process = os.getpid()
        if process not in self._clients:
            self._clients[process] = httpx.Client(timeout=TIMEOUT, headers=self._headers)
        return self._clients[process]

    def _document(self, method: str, route: str, **options: Any) -> Document:
        return dict(self._read(method, route, **options)["data"])

    def _read(self, method: str, route: str, **options: Any) -> Any:
        answer = self._asked(method, route, **options)
        try:
            return answer.json()
        except ValueError as error:
            raise DataError(f"{self._url} does not answer JSON; expected a server of training sets") from error

    def _asked(self, method: str, route: str, **options: Any) -> httpx.Response:
        try:
            answer = self._client.request(method, self._url + route, **options)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise DataError(f"the server {self._url} does not answer ({error}); expected an address of one") from error
        if answer.is_success:
            return answer
        raise _error(answer, self._url)


def _error(answer: httpx.Response, url: str) -> DataError:
    try:
        told = str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        told = f"the server {url} answers {answer.status_code}"
    return ERRORS.get(answer.status_code, DataError)(told)
