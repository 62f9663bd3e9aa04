"""Catalogues in SQLite and PostgreSQL, here and behind a server."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import time
import uuid
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import uvicorn

from augimpact.store.catalog import Catalog
from augimpact.store.local import LocalShelf
from augimpact.store.server import make_app
from augimpact.store.tokens import make_token
from tests.conftest import POSTGRESQL_VARIABLE
from tests.data.test_cache import free_port

DATABASES = ("sqlite", "postgresql")
PLACES = ("here", "server")


def programs():
    """The folder of Debian's PostgreSQL."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        if os.environ.get(POSTGRESQL_VARIABLE):
            pytest.fail(f"{POSTGRESQL_VARIABLE} is set and there is no PostgreSQL")
        pytest.skip("there is no PostgreSQL on this machine")
    return found[-1].parent


@pytest.fixture(scope="session")
def postgresql():
    """The address of a server, without the name of a database; it refuses to run as root."""
    folder = Path(tempfile.mkdtemp(prefix="augimpact-postgresql-"))
    run = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if run:
        shutil.chown(folder, "postgres")
    place, port = programs(), free_port()
    made = [*run, place / "initdb", "-D", folder / "data", "-A", "trust", "-U", "augimpact", "-E", "UTF8"]
    subprocess.run(made, check=True, capture_output=True, cwd=folder)
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    start = [*run, place / "pg_ctl", "-D", folder / "data", "-o", options, "-w", "-l", folder / "log", "start"]
    subprocess.run(start, check=True, capture_output=True, cwd=folder)
    yield f"postgresql://augimpact@127.0.0.1:{port}"
    subprocess.run(
        [*run, place / "pg_ctl", "-D", folder / "data", "-m", "immediate", "stop"],
        check=True,
        cwd=folder,
        capture_output=True,
    )
    shutil.rmtree(folder)


@pytest.fixture(params=DATABASES)
def database(request, tmp_path):
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'catalog.sqlite'}"
    return new_database(request.getfixturevalue("postgresql"))


def new_database(server):
    import psycopg

    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{server}/{name}"


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
