"""Catalogues in SQLite and PostgreSQL, here and behind a server."""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager

import numpy as np
import pytest
import uvicorn

from augimpact.store.catalog import Catalog
from augimpact.store.local import LocalShelf
from augimpact.store.server import make_app
from augimpact.store.tokens import make_token
from tests.conftest import POSTGRESQL_VARIABLE
from tests.data.test_cache import free_port
from tests.store.postgresql import new_database, programs, running

DATABASES = ("sqlite", "postgresql")
PLACES = ("here", "server")


@pytest.fixture(scope="session")
def postgresql():
    """The address of a server, without the name of a database."""
    place = programs()
    if place is None and os.environ.get(POSTGRESQL_VARIABLE):
        pytest.fail(f"{POSTGRESQL_VARIABLE} is set and there is no PostgreSQL")
    if place is None:
        pytest.skip("there is no PostgreSQL on this machine")
    with running(place) as address:
        yield address


@pytest.fixture(params=DATABASES)
def database(request, tmp_path):
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'catalog.sqlite'}"
    return new_database(request.getfixturevalue("postgresql"))


@contextmanager
def serving(shelf):
    """The address of a server of these sets, which ends with the block."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(make_app(shelf), port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def shelf(database, tmp_path):
    """Sets in a database, as their server has them."""
    return LocalShelf(database, tmp_path / "served", None)


@pytest.fixture
def server(shelf):
    """The address of one."""
    with serving(shelf) as address:
        yield address


@pytest.fixture(params=PLACES)
def catalogs(request, database, tmp_path):
    """Makes the catalogue of somebody; all see the same sets."""
    if request.param == "here":
        return lambda owner: Catalog(database, tmp_path / "parts", owner=owner)
    shelf, address = request.getfixturevalue("shelf"), request.getfixturevalue("server")
    return lambda owner: Catalog(address, tmp_path / f"cache-{owner}", token=make_token(shelf.engine, owner))


@pytest.fixture
def catalog(catalogs):
    """That of `ann`."""
    return catalogs("ann")


def images(count, shape=(3, 32, 32), dtype=np.uint8, seed=0):
    generator = np.random.default_rng(seed)
    high = 1000 if np.dtype(dtype).itemsize > 1 else 256
    return [generator.integers(0, high, shape).astype(dtype) for _ in range(count)]
