"""The hashes of many files' contents: computed in parallel, remembered while the files stay as they are."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from augimpact.data.locations import File, is_local, open_binary, read_bytes
from augimpact.errors import DataError
from augimpact.progress import Telling, telling

__all__ = ["content_ids", "default_memory", "digest_of", "hash_of", "text_id"]

# Bytes of a hash: two different samples among a billion share one with a chance of 10⁻²¹.
DIGEST_SIZE = 16
# Files that one thread hashes at a time.
TOGETHER = 64
# Reading waits, for disks or for networks.
THREADS = min(32, 4 * (os.cpu_count() or 1))
QUERIED = 500
# Bytes up to which a file is read in one go, which is quicker than in blocks.
AT_ONCE = 1 << 20


def text_id(text: str) -> str:
    """An id made of a text alone.

    >>> text_id("good/0.bmp") == text_id("good/0.bmp") != text_id("good/1.bmp")
    True
    """
    # A path may have bytes that are no text.
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_SIZE).hexdigest()


def digest_of(file: Any) -> str:
    """The same of what is left to be read of an open file, in blocks."""
    return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=DIGEST_SIZE)).hexdigest()


def hash_of(content: bytes) -> str:
    """BLAKE2b (RFC 7693) of 16 bytes, in hexadecimal digits."""
    return hashlib.blake2b(content, digest_size=DIGEST_SIZE).hexdigest()


def default_memory() -> Path:
    """The file in which the hashes of this user's files are remembered."""
    from platformdirs import user_cache_path

    return user_cache_path("augimpact", appauthor=False) / "hashes.sqlite"


def content_ids(
    files: Sequence[File],
    options: Mapping[str, Any] | None = None,
    *,
    memory: Path | None = None,
    progress: Telling | None = None,
) -> list[str | Exception]:
    """The BLAKE2b hash of each file's content, or what was raised when it was read.

    Args:
        files: what was listed; a hash is remembered for path, size, and time of change or etag.
        options: of the store, as fsspec takes them.
        memory: a file that remembers hashes, made where there is none; None remembers nothing.
        progress: is told how many are done, of how many; by default a bar.
    """
    known = {} if memory is None else _Memory(memory).recall(files)
    missing = [file for file in files if file.path not in known]
    hashed: dict[str, str | Exception] = {}
    # A local disk's own cache is as fast as one core hashes: more threads would only wait for each other.
    threads = (os.cpu_count() or 1) if all(is_local(file.path) for file in missing) else THREADS
    with telling("hashing files", progress) as tell, ThreadPoolExecutor(threads) as pool:
        parts = [missing[first : first + TOGETHER] for first in range(0, len(missing), TOGETHER)]
        done = len(files) - len(missing)
        for part in pool.map(lambda part: {file.path: _hash(file, options) for file in part}, parts):
            hashed.update(part)
            done += len(part)
            tell(done, len(files))
    if memory is not None:
        _Memory(memory).keep((file, hashed[file.path]) for file in missing)
    return [known[file.path] if file.path in known else hashed[file.path] for file in files]


def _hash(file: File, options: Mapping[str, Any] | None) -> str | Exception:
    try:
        if 0 <= file.size <= AT_ONCE:
            return hash_of(read_bytes(file.path, options))
        with open_binary(file.path, options) as opened:
            return digest_of(opened)
    except Exception as error:  # of the store, each with classes of its own
        return error


class _Memory:
    """Hashes by path and version, in SQLite, so that several processes may use it and none can leave it broken."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def recall(self, files: Sequence[File]) -> dict[str, str]:
        """The hashes of those that are as they were."""
        found: dict[str, str] = {}
        with self._opened() as database:
            for first in range(0, len(files), QUERIED):
                part = {os.fsencode(file.path): _version(file) for file in files[first : first + QUERIED]}
                marks = ",".join("?" * len(part))
                rows = database.execute(f"SELECT path, version, hash FROM hashes WHERE path IN ({marks})", [*part])
                found.update((os.fsdecode(path), hashed) for path, version, hashed in rows if part[path] == version)
        return found

    def keep(self, hashed: Iterable[tuple[File, str | Exception]]) -> None:
        """Remembers them; what could not be read is not, nor what a store gives no version of."""
        good = [(file, each) for file, each in hashed if isinstance(each, str) and _is_dated(file)]
        rows = [(os.fsencode(file.path), _version(file), each) for file, each in good]
        with self._opened() as database:
            database.executemany("INSERT OR REPLACE INTO hashes VALUES (?, ?, ?)", rows)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """A connection, whose changes are kept when the block ends well."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=60)) as database, database:
                database.execute("CREATE TABLE IF NOT EXISTS hashes (path BLOB PRIMARY KEY, version TEXT, hash TEXT)")
                yield database
        except (sqlite3.Error, OSError) as error:
            expected = "expected a file of its own; remove it if it is damaged"
            raise DataError(f"the memory of hashes {str(self._path)!r} cannot be used ({error}); {expected}") from error


def _version(file: File) -> str:
    return f"{file.size} {file.changed} {file.etag or ''}"


def _is_dated(file: File) -> bool:
    return bool(file.changed or file.etag)
