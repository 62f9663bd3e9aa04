"""The server: who may do what, what it says to anything at all, and parts that come in pieces or not as they should."""

from __future__ import annotations

import json
import re

import h5py
import httpx
import numpy as np
import pytest
import schemathesis
from hypothesis import given, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from augimpact.errors import DataError
from augimpact.store import client
from augimpact.store import server as server_module
from augimpact.store.catalog import Catalog
from augimpact.store.labels import Label
from augimpact.store.local import LocalShelf
from augimpact.store.parts import packed_row, write_part
from augimpact.store.server import make_app
from augimpact.store.shelf import NoSuchSet, NotYours
from augimpact.store.tokens import make_token, revoke_tokens, tokens
from tests.store.conftest import images, serving

WHO = ("nobody", "a stranger", "a reader", "the owner")


@pytest.fixture
def part(tmp_path):
    """The bytes of a part of `classification`."""
    rows = [
        packed_row(image, Label(("a", "b"), np.array([1, 0], np.uint8)), {"id": str(number)})
        for number, image in enumerate(images(3))
    ]
    path = tmp_path / "part.h5"
    return write_part(path, "classification", "train", rows), path.read_bytes()


def asked(address, token, method, route, **options):
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx.request(method, address + route, headers=headers, **options)


def expected(who, published, changes):
    """The status of a request to a set, or None where it succeeds."""
    if who == "nobody":
        return 401
    if who == "the owner":
        return None
    if not published:
        return 404
    return 403 if changes else None


@pytest.mark.parametrize("published", [False, True])
def test_who_may_do_what(shelf, server, part, published):
    about, content = part
    owner = make_token(shelf.engine, "owner")
    people = {
        "nobody": None, "a stranger": make_token(shelf.engine, "stranger"),
        "a reader": make_token(shelf.engine, "reader"), "the owner": owner,
    }  # fmt: skip

    def made():
        number = asked(server, owner, "POST", "/data", json={"name": "set"}).json()["data"]["id"]
        assert asked(server, owner, "POST", f"/data/{number}/datapoints", content=content).status_code == 201
        if published:
            assert asked(server, owner, "PUT", f"/data/{number}/publish").status_code == 200
        return number

    reading = [
        ("GET", "/data/{}", 200),
        ("GET", "/data/{}/datapoints", 200),
        ("GET", f"/data/{{}}/datapoints/{about.name}", 200),
    ]
    changing = [
        ("PUT", "/data/{}", 200),
        ("PUT", "/data/{}/publish", 200),
        ("PUT", "/data/{}/unpublish", 200),
        ("POST", "/data/{}/datapoints", 201),
        ("DELETE", "/data/{}", 204),
    ]
    tried = set()
    for who, token in people.items():
        for changes, routes in ((False, reading), (True, changing)):
            for method, route, success in routes:
                number = made()
                body = {"json": {"name": "other"}} if (method, route) == ("PUT", "/data/{}") else {}
                body = {"content": content} if method == "POST" else body
                before = shelf.as_seen_by("owner").document(number)
                found = asked(server, token, method, route.format(number), **body)
                assert found.status_code == (expected(who, published, changes) or success), (who, method, route)
                tried.add((method, re.sub(r"[0-9a-f]{32}", "{name}", route.replace("{}", "{number}", 1))))
                if found.status_code >= 400:
                    assert shelf.as_seen_by("owner").document(number) == before
                    # What is another's and what is not there are told alike.
                    missing = asked(server, token, method, route.format(2_000_000), **body)
                    if found.status_code == 404:
                        tell = {
                            each.json()["detail"].replace("2000000", "").replace(str(number), "")
                            for each in (found, missing)
                        }
                        assert (missing.status_code, len(tell)) == (404, 1)
        listed = asked(server, token, "GET", "/search")
        made_by = {"nobody": 401}.get(who, 200)
        assert listed.status_code == made_by
        if who in ("a stranger", "a reader"):
            assert all(each["data"]["public"] for each in listed.json())
        assert asked(server, token, "POST", "/data", json={"name": who}).status_code == (401 if token is None else 201)
    routes = {
        (method.upper(), path) for path, methods in make_app(shelf).openapi()["paths"].items() for method in methods
    }
    assert routes - tried == {("GET", "/search"), ("POST", "/data")}


def test_unpublished_sets_are_the_owner_s_again(shelf, server, tmp_path):
    ann, bob = (Catalog(server, tmp_path / name, token=make_token(shelf.engine, name)) for name in ("ann", "bob"))
    mine = ann.create("mine", classes=["a", "b"])
    mine.feed([(image, "a") for image in images(3)])
    mine.publish()
    theirs = bob.from_id(mine.id)
    assert theirs[0].array().shape == (3, 32, 32)
    with pytest.raises(NotYours, match="only its owner"):
        theirs.unpublish()
    with pytest.raises(NotYours):
        theirs.delete()
    mine.unpublish()
    for ask in (lambda: bob.from_id(mine.id), theirs.refresh, lambda: bob.from_id(mine.id + 1)):
        with pytest.raises(NoSuchSet, match="there is no set"):
            ask()
    assert ann.from_id(mine.id)[0].y.tolist() == [1, 0]


def test_tokens_are_kept_as_hashes_and_can_be_revoked(shelf, server):
    token = make_token(shelf.engine, "ann")
    name, secret = token.split(".")
    (known,) = tokens(shelf.engine)
    assert (known["id"], known["owner"], known["revoked_at"]) == (name, "ann", None)
    with shelf.engine.connect() as connection:
        kept = connection.exec_driver_sql("SELECT * FROM tokens").all()
    assert secret not in str(kept)
    for wrong in (
        "",
        name,
        f"{name}.",
        f"{name}.{secret[:-1]}x",
        f"x.{secret}",
        f"{name}.{secret}\x00",
        "ä.ä",
        "." * 999,
    ):
        with pytest.raises((DataError, UnicodeEncodeError, httpx.LocalProtocolError)):
            Catalog(server, token=wrong).search()
    assert Catalog(server, token=token).search() == []
    assert revoke_tokens(shelf.engine, "ann") == 1
    with pytest.raises(DataError, match="expected a token"):
        Catalog(server, token=token).search()
    with pytest.raises(DataError, match="no token"):
        revoke_tokens(shelf.engine, "ann")


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize(("route", "limit"), [("/data", "LIMIT"), ("/data/1/datapoints", "PART_LIMIT")])
def test_what_is_too_large_is_refused(shelf, server, monkeypatch, route, limit, told):
    monkeypatch.setattr(server_module, limit, 10_000)
    token = make_token(shelf.engine, "ann")
    asked(server, token, "POST", "/data", json={"name": "a"})
    content = b"x" * 20_000
    found = asked(server, token, "POST", route, content=content if told else iter([content[:9000], content[9000:]]))
    assert found.status_code == 413
    assert not [*shelf.root.rglob(".new-*")]


@pytest.mark.parametrize("content", [b"", b"no HDF5", b"\x89HDF\r\n\x1a\n" + bytes(2000)])
def test_what_is_no_part_is_refused_and_leaves_nothing(shelf, server, content):
    token = make_token(shelf.engine, "ann")
    number = asked(server, token, "POST", "/data", json={"name": "a"}).json()["data"]["id"]
    found = asked(server, token, "POST", f"/data/{number}/datapoints", content=content)
    assert found.status_code == 422
    assert "is no part" in found.json()["detail"]
    assert str(shelf.root) not in found.text
    assert not [*shelf.root.rglob("*.h5")]


@pytest.mark.parametrize("way", ["external", "soft", "outside", "virtual"])
def test_a_part_that_points_to_other_files_is_refused(shelf, server, part, tmp_path, way):
    """HDF5 would read them on whatever machine opens the part."""
    _, content = part
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["images"] = np.zeros((3, 3, 32, 32), np.uint8)
    path = tmp_path / "bad.h5"
    path.write_bytes(content)
    with h5py.File(path, "r+") as file:
        del file["images"]
        if way == "external":
            file["images"] = h5py.ExternalLink(str(secret), "images")
        elif way == "soft":
            file["images"] = h5py.SoftLink("/labels")
        elif way == "outside":
            file.create_dataset("images", (3, 3, 32, 32), "u1", external=[(str(secret), 0, h5py.h5f.UNLIMITED)])
        else:
            layout = h5py.VirtualLayout((3, 3, 32, 32), "u1")
            layout[...] = h5py.VirtualSource(str(secret), "images", (3, 3, 32, 32))
            file.create_virtual_dataset("images", layout)
    token = make_token(shelf.engine, "ann")
    number = asked(server, token, "POST", "/data", json={"name": "a"}).json()["data"]["id"]
    found = asked(server, token, "POST", f"/data/{number}/datapoints", content=path.read_bytes())
    assert (found.status_code, bool(re.search("is a link|lies elsewhere", found.text))) == (422, True)


@pytest.mark.parametrize(
    "claim",
    [
        {"classes": ["a", "a"]}, {"classes": ["", "b"]}, {"classes": ["a", 7]}, {"group": ""}, {"group": "x" * 201},
        {"group": "\x00"}, {"sensors": [["x"]]}, {"bounds": [0, 0, float("inf"), 1]}, {"bounds": [2, 0, 1, 1]},
        {"classes": ["a", "\ud800x"]}, {"kind": "poetry"}, {"format": 2}, "rows", "classes", "boxes",
    ],
)  # fmt: skip
def test_a_part_that_claims_what_no_part_has_is_refused_and_leaves_nothing(shelf, server, part, tmp_path, claim):
    _, content = part
    path = tmp_path / "bad.h5"
    path.write_bytes(content)
    kind = "object_detection" if claim == "boxes" else "classification"
    with h5py.File(path, "r+") as file:
        about = json.loads(file.attrs["about"])
        if isinstance(claim, dict):
            file.attrs["about"] = json.dumps(about | claim)
        elif claim == "classes":
            file.attrs["about"] = json.dumps(about | {"classes": [str(each) for each in range(10_001)]})
            del file["labels"]
            file.create_dataset("labels", (3, 10_001), "u1", chunks=(1, 10_001))
        else:
            # Claimed, and not there: a few kilobytes that would be terabytes.
            rows = 10**12 if claim == "rows" else 3
            file.attrs["about"] = json.dumps(about | {"kind": kind})
            del file["images"], file["labels"], file["about"]
            file.create_dataset("images", (rows, 3, 32, 32), "u1", chunks=(1, 3, 32, 32), compression="gzip")
            file.create_dataset("about", (rows,), h5py.string_dtype(), chunks=(3,))
            boxes = 10**11
            file.create_dataset("labels", (rows, 2) if claim == "rows" else (boxes,), "u1", chunks=True)
            if claim == "boxes":
                file["ends"] = np.array([0, 0, 0, boxes])
                file.create_dataset("boxes", (boxes, 4), "f4", chunks=True)
    token = make_token(shelf.engine, "ann")
    number = asked(server, token, "POST", "/data", json={"name": "a", "mlType": kind}).json()["data"]["id"]
    found = asked(server, token, "POST", f"/data/{number}/datapoints", content=path.read_bytes())
    assert found.status_code == 422, found.text
    assert shelf.as_seen_by("ann").document(number)["count"] == {}
    assert not [*shelf.root.rglob("*.h5")]


class Forgetful:
    """A server that does what it is asked and whose answer is lost, so many times."""

    def __init__(self, app, times):
        self.app, self.times = app, times

    async def __call__(self, scope, receive, send):
        feeds = scope["type"] == "http" and scope["method"] == "POST" and scope["path"].endswith("/datapoints")
        lost = feeds and self.times > 0
        self.times -= lost

        async def dropped(_message):
            """Nothing is answered."""

        await self.app(scope, receive, dropped if lost else send)
        if lost:
            raise ConnectionError("lost")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_sent_again_because_no_answer_came_is_there_once(shelf, tmp_path, monkeypatch):
    token = make_token(shelf.engine, "ann")
    forgetful = Forgetful(make_app(shelf), 1)
    monkeypatch.setattr("tests.store.conftest.make_app", lambda _shelf: forgetful)
    with serving(shelf) as address:
        made = Catalog(address, tmp_path / "a", token=token).create("a", classes=["x"])
        made.feed([(image, [1]) for image in images(2)])
        with pytest.raises(DataError):
            made.save()
        made.feed([(image, [1]) for image in images(1, seed=1)])
        assert made.count == {"train": 3}
        assert made.save()["count"] == {"train": 3}
        assert np.array_equal([pair.array() for pair in made[:]], [*images(2), *images(1, seed=1)])


def test_a_wrong_address_or_token_is_one_sentence_without_the_secret(shelf, server, tmp_path):
    token = make_token(shelf.engine, "ann")
    assert Catalog(server, tmp_path, token=f" {token}\n").search() == []
    for wrong in (f"{token}é", f"{token}\nx"):
        with pytest.raises(DataError) as error:
            Catalog(server, tmp_path, token=wrong).search()
        assert token.partition(".")[2] not in str(error.value)
    with pytest.raises(DataError, match="does not answer"):
        Catalog("http://host:abc", tmp_path).search()
    with pytest.raises(DataError, match="does not answer JSON"):
        Catalog(f"{server}/docs?", tmp_path, token=token).search()
    made = Catalog(server, tmp_path, token=token).create("a")
    document = made.update(name="b", public=True)
    assert (document["name"], document["public"]) == ("b", True)


def test_ranges_are_answered(shelf, server, part):
    about, content = part
    token = make_token(shelf.engine, "ann")
    number = asked(server, token, "POST", "/data", json={"name": "a"}).json()["data"]["id"]
    asked(server, token, "POST", f"/data/{number}/datapoints", content=content)
    route = f"{server}/data/{number}/datapoints/{about.name}"
    for first, last in ((0, 9), (5, len(content) - 1), (len(content) - 3, len(content) + 9)):
        headers = {"Authorization": f"Bearer {token}", "Range": f"bytes={first}-{last}"}
        found = httpx.get(route, headers=headers)
        assert (found.status_code, found.content) == (206, content[first : last + 1])
    beyond = {"Authorization": f"Bearer {token}", "Range": f"bytes={len(content)}-"}
    assert httpx.get(route, headers=beyond).status_code == 416
    for name in ("../../catalog.sqlite", "..%2f..%2fcatalog.sqlite", "0" * 32, "%00"):
        found = asked(server, token, "GET", f"/data/{number}/datapoints/{name}")
        assert found.status_code in (404, 422)


@pytest.mark.parametrize(("query", "status"), [
    ("owner=a&owner=b", 422), ("public=true&public=false", 422), ("limit=1&limit=1", 422), ("owner=a&text=b", 200),
    ("classes=a&classes=b&sensors=c&sensors=d&bbox=1&bbox=2&bbox=3&bbox=4", 200), ("colour=red", 422), ("limit=0", 422),
    ("bbox=1&bbox=2", 422), ("bbox=1&bbox=2&bbox=3&bbox=nan", 422), ("public=perhaps", 422), ("mltype=poetry", 422),
])  # fmt: skip
def test_a_search_is_taken_whole_or_refused(shelf, server, query, status):
    found = asked(server, make_token(shelf.engine, "ann"), "GET", f"/search?{query}")
    assert found.status_code == status
    if status == 422:
        assert found.json()["detail"].startswith(f"query.{query.partition('=')[0]}")


class Breaking:
    """A server whose answers with files end early, so many times, or have a byte changed."""

    def __init__(self, app, times, spoil=False):
        self.app, self.times, self.spoil, self.ranges = app, times, spoil, []

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http" or scope["method"] != "GET" or not re.search("/datapoints/.", scope["path"]):
            return await self.app(scope, receive, send)
        self.ranges.append(dict(scope["headers"]).get(b"range"))
        breaks, self.times = self.times > 0, self.times - 1

        async def cut(message):
            if breaks and message["type"] == "http.response.body" and message.get("body"):
                if not self.spoil:
                    await send(message | {"body": message["body"][:1000], "more_body": True})
                    raise ConnectionError("cut")
                message = message | {"body": b"\x00" * 10 + message["body"][10:]}
            await send(message)

        return await self.app(scope, receive, cut)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("times", "spoil", "works"),
    [(1, False, True), (3, False, True), (9, False, False), (1, True, True), (9, True, False)],
)
def test_a_download_goes_on_where_it_was_cut_and_is_never_wrong(shelf, tmp_path, monkeypatch, times, spoil, works):
    token = make_token(shelf.engine, "ann")
    with serving(shelf) as address, Catalog(address, tmp_path / "a", token=token).create("a", classes=["a"]) as made:
        made.feed([(image, [1]) for image in images(5)])
    broken = Breaking(make_app(shelf), times, spoil)
    monkeypatch.setattr("tests.store.conftest.make_app", lambda _shelf: broken)
    with serving(shelf) as address:
        opened = Catalog(address, tmp_path / "b", token=token).from_id(made.id)
        assert opened.percent_cached == 0
        if works:
            assert np.array_equal([pair.array() for pair in opened[:]], images(5))
            assert opened.percent_cached == 100
            expected_ranges = (
                [None] if spoil else [None, *(f"bytes={1000 * each}-".encode() for each in range(1, times + 1))]
            )
            assert broken.ranges[: len(expected_ranges)] == expected_ranges
        else:
            with pytest.raises(DataError, match="cannot be fetched"):
                opened[0].array()
            assert opened.percent_cached == 0
            assert not [*(tmp_path / "b").rglob("*.h5")]


def test_a_server_that_is_not_there_is_said(tmp_path):
    with pytest.raises(DataError, match="does not answer"):
        Catalog("http://127.0.0.1:1", tmp_path).search()
    assert client.TRIES > 1


@pytest.fixture
def api(tmp_path):
    """The schema of a server that has a set and a part, with the token of its owner."""
    shelf = LocalShelf(None, tmp_path / "served", None)
    app = make_app(shelf)
    app.state.token = make_token(shelf.engine, "ann")
    with Catalog(root=tmp_path / "served", owner="ann").create("one", classes=["a"]) as made:
        made.feed([(image, [1]) for image in images(2)])
    loaded = schemathesis.openapi.from_asgi("/openapi.json", app)
    (known,) = shelf.as_seen_by("ann").parts(made.id)
    loaded.token, loaded.part = app.state.token, known["name"]
    return loaded


schemathesis.serializer.alias("application/x-hdf5", "application/octet-stream")
ROUTES = sorted((path, method) for path, methods in make_app(None).openapi()["paths"].items() for method in methods)


@pytest.mark.parametrize(("path", "method"), ROUTES)
@settings(max_examples=60)
@given(data=st.data())
def test_nothing_that_comes_is_a_server_s_error_or_answered_as_it_does_not_say(api, path, method, data):
    negative = data.draw(st.booleans())
    mode = schemathesis.GenerationMode.NEGATIVE if negative else schemathesis.GenerationMode.POSITIVE
    case = data.draw(api[path][method].as_strategy(generation_mode=mode))
    if not negative and method != "delete" and data.draw(st.booleans()):
        # About what is there.
        there = {"number": 1, "name": api.part}
        case.path_parameters |= {name: value for name, value in there.items() if f"{{{name}}}" in path}
    if not negative and (case.query or {}).get("bbox"):
        # No schema says that the first two are the least.
        left, low, right, high = case.query["bbox"]
        case.query["bbox"] = [min(left, right), min(low, high), max(left, right), max(low, high)]
    # Nor what a part is: what is no part is refused.
    excluded = [positive_data_acceptance] if (method, path.rpartition("/")[2]) == ("post", "datapoints") else []
    # In a query all is text: a boolean among sensors is a sensor's name, and an empty list is not there at all.
    excluded += [negative_data_rejection] if path == "/search" else []
    case.call_and_validate(headers={"Authorization": f"Bearer {api.token}"}, excluded_checks=excluded)


def test_the_page_of_the_api_names_every_route_and_needs_nothing_from_elsewhere(server):
    page = httpx.get(f"{server}/docs").text
    assert all(f"<h2>{method.upper()} {path}</h2>" in page for path, method in ROUTES)
    assert "//" not in page
    assert "mltype" in page


def test_the_schema_says_what_a_document_is(shelf):
    told = json.dumps(make_app(shelf).openapi())
    assert all(name in told for name in ("percent_cached", "mlType", "nclasses", "bearer"))
