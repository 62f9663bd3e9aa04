"""Debian's PostgreSQL, started for a while in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.data.test_cache import free_port


def programs() -> Path | None:
    """The folder of its newest release, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextmanager
def running(place: Path) -> Iterator[str]:
    """The address of a server of these programs, without the name of a database; it refuses to run as root."""
    folder = Path(tempfile.mkdtemp(prefix="augimpact-postgresql-"))
    run = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if run:
        shutil.chown(folder, "postgres")
    port = free_port()
    made = [*run, place / "initdb", "-D", folder / "data", "-A", "trust", "-U", "augimpact", "-E", "UTF8"]
    subprocess.run(made, check=True, capture_output=True, cwd=folder)
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    start = [*run, place / "pg_ctl", "-D", folder / "data", "-o", options, "-w", "-l", folder / "log", "start"]
    subprocess.run(start, check=True, capture_output=True, cwd=folder)
    try:
        yield f"postgresql://augimpact@127.0.0.1:{port}"
    finally:
        stop = [*run, place / "pg_ctl", "-D", folder / "data", "-m", "immediate", "stop"]
        subprocess.run(stop, check=True, cwd=folder, capture_output=True)
        shutil.rmtree(folder)


def new_database(server: str) -> str:
    """The address of an empty database there."""
    import psycopg

    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{server}/{name}"
