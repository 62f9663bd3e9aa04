"""Caches of files' bytes, shared among processes: in memory, on disk, in Redis.

What is kept is what was read, neither decoded nor pickled, behind a checksum: an entry that is damaged or was never
finished is dropped and read again. Decoding and transforms come after the cache.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import shutil
import tempfile
import time
import uuid
import weakref
from abc import abstractmethod
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from augimpact.errors import DataError

if TYPE_CHECKING:
    from redis import Redis

__all__ = ["Cache", "DiskCache", "MemoryCache", "RedisCache"]

logger = logging.getLogger(__name__)
CHECKSUM = 16
# Of a file system, what a cache leaves to others: this share, of a large one no more than these bytes.
KEPT_FREE, MOST_KEPT_FREE = 0.05, 2 * 1024**3
SHARED_MEMORY = Path("/dev/shm")
# Where entries are written before they have their place; what is older there was left by a process that was killed.
PARTIAL, PARTIAL_SECONDS = "partial", 3600
IN_MEMORY = "augimpact-cache-"
# A server that did not answer is asked again after so many seconds; an answer is waited for as long as the second says.
AWAY_SECONDS, ANSWER_SECONDS = 30, 5


class Cache(MutableMapping[str, bytes]):
    """A mapping of names to bytes that forgets nothing but what was damaged.

    `cache[name]` raises `KeyError` for what is not there; `fetch` reads it then. A value that cannot be kept, because
    the memory or disk is full or a server is away, is no error: it is read again next time.
    """

    def fetch(self, name: str, read: Callable[[], bytes]) -> bytes:
        """What is kept by this name; where there is nothing, what `read` gives, which is kept."""
        found = self.fetch_many([name])[0]
        if found is None:
            found = read()
            self[name] = found
        return found

    def fetch_many(self, names: Sequence[str]) -> list[bytes | None]:
        """What is kept by each of these names, or None."""
        return [self.get(name) for name in names]

    def __getitem__(self, name: str) -> bytes:
        packed = self._load(name)
        content = None if packed is None else unpacked(packed)
        if packed is not None and content is None:
            logger.warning("an entry of the cache was damaged and is read again: %s", name)
            self._drop(name)
        if content is None:
            raise KeyError(name)
        return content

    def __setitem__(self, name: str, content: bytes) -> None:
        self._store(name, packed(content))

    def __delitem__(self, name: str) -> None:
        if not self._drop(name):
            raise KeyError(name)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def close(self) -> None:
        """Gives back what it holds in this process; what is kept stays for others, unless it is of memory."""

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def _load(self, name: str) -> bytes | None: ...

    @abstractmethod
    def _store(self, name: str, packed: bytes) -> None: ...

    @abstractmethod
    def _drop(self, name: str) -> bool:
        """Whether there was something."""


def packed(content: bytes) -> bytes:
    """The content behind its checksum."""
    return hashlib.blake2b(content, digest_size=CHECKSUM).digest() + content


def unpacked(packed: bytes) -> bytes | None:
    """The content, or None where it is not what it was."""
    checksum, content = packed[:CHECKSUM], packed[CHECKSUM:]
    return content if hashlib.blake2b(content, digest_size=CHECKSUM).digest() == checksum else None


class DiskCache(Cache):
    """A folder with a file for each entry, for any number of processes; it lasts.

    Args:
        folder: of its own; made where there is none.
        keep_free: the share of the file system that is left to others: beyond, nothing more is kept. By default 5 %,
            of a large one 2 GiB.

    Raises:
        DataError: the folder cannot be used, or holds something else.
    """

    def __init__(self, folder: str | os.PathLike[str], *, keep_free: float | None = None) -> None:
        self.folder = Path(folder).absolute()
        self._keep_free = keep_free
        self._told = False
        mark = self.folder / ".augimpact-cache"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            # In this order: another process may make the same cache meanwhile, and its mark comes first.
            if any(self.folder.iterdir()) and not mark.exists():
                raise DataError(f"the folder {str(self.folder)!r} holds something else; expected one of its own")
            mark.touch()
            (self.folder / PARTIAL).mkdir(exist_ok=True)
        except OSError as error:
            raise DataError(f"no cache can be kept in {str(self.folder)!r} ({error.strerror or error})") from error
        for left in (self.folder / PARTIAL).iterdir():
            with contextlib.suppress(OSError):
                if left.stat().st_mtime < time.time() - PARTIAL_SECONDS:
                    left.unlink()

    def __iter__(self) -> Iterator[str]:
        for file in self.folder.glob("??/*"):
            yield bytes.fromhex(file.name).decode("utf-8", "surrogatepass")

    def clear(self) -> None:
        """Drops every entry."""
        for folder in self.folder.glob("??"):
            shutil.rmtree(folder, ignore_errors=True)

    def _load(self, name: str) -> bytes | None:
        try:
            with open(self._place(name), "rb", buffering=0) as file:  # noqa: PTH123 - half the time of Path's
                return file.read()
        except OSError:
            return None

    def _store(self, name: str, packed: bytes) -> None:
        place = self._place(name)
        partial = f"{self.folder}/{PARTIAL}/{uuid.uuid4().hex}"
        try:
            self._check_room(len(packed))
            # Buffered: without, a disk that is filled up takes a part of it and says nothing.
            with open(partial, "wb") as file:  # noqa: PTH123
                file.write(packed)
            os.makedirs(os.path.dirname(place), exist_ok=True)  # noqa: PTH103, PTH120
            os.replace(partial, place)  # noqa: PTH105
        except OSError as error:
            with contextlib.suppress(OSError):
                os.unlink(partial)  # noqa: PTH108
            if not self._told:
                logger.warning("the cache in %s keeps nothing more (%s)", self.folder, error.strerror or error)
                self._told = True

    def _drop(self, name: str) -> bool:
        try:
            os.unlink(self._place(name))  # noqa: PTH108
        except OSError:
            return False
        return True

    def _place(self, name: str) -> str:
        """A file whose name is the entry's in hexadecimal digits, so that any name can be one."""
        encoded = name.encode("utf-8", "surrogatepass")
        if not 0 < len(encoded) <= 100:
            raise DataError(f"an entry of the cache is named {name!r}; expected 1 to 100 bytes")
        return f"{self.folder}/{hashlib.blake2b(encoded, digest_size=1).hexdigest()}/{encoded.hex()}"

    def _check_room(self, size: int) -> None:
        usage = shutil.disk_usage(self.folder)
        if self._keep_free is None:
            left_to_others = min(KEPT_FREE * usage.total, MOST_KEPT_FREE)
        else:
            left_to_others = self._keep_free * usage.total
        if usage.free - size < left_to_others:
            raise OSError(errno.ENOSPC, "the file system is full but for what is left to others")


class MemoryCache(DiskCache):
    """Entries in memory that all processes of this machine share, however they were started; it ends with `close`.

    They are files of a file system in memory (`/dev/shm`, as on any Linux; elsewhere in the folder for temporary
    files), so that workers of a `DataLoader` find what others of them have read. Where the process that made it was
    killed, the next one that makes a cache gives the memory back.
    """

    def __init__(self, *, keep_free: float | None = None) -> None:
        place = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
        for left in place.glob(f"{IN_MEMORY}*"):
            if (descriptor := _held(left)) is not None:
                shutil.rmtree(left, ignore_errors=True)
                os.close(descriptor)
        # Named as a cache only once it is held: before, another process would take it for one that was left.
        made = Path(tempfile.mkdtemp(prefix=f".{IN_MEMORY}", dir=place))
        descriptor = _held(made)
        folder = made.rename(place / made.name.removeprefix("."))
        super().__init__(folder, keep_free=keep_free)
        self._end = weakref.finalize(self, _remove, folder, descriptor, os.getpid())

    def __getstate__(self) -> dict[str, Any]:
        # A copy in another process does not end the cache.
        return {name: value for name, value in vars(self).items() if name != "_end"}

    def close(self) -> None:
        """Drops all entries, for every process, if it is called where the cache was made."""
        if "_end" in vars(self):
            self._end()


def _held(folder: Path) -> int | None:
    """A lock on the folder for as long as this process lives, or None where another has it."""
    try:
        import fcntl

        descriptor = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _remove(folder: Path, descriptor: int | None, owner: int) -> None:
    # A fork of the owner has this to do as well, and does not.
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
        if descriptor is not None:
            os.close(descriptor)


class RedisCache(Cache):
    """Entries in a Redis server, which processes of many machines share.

    Args:
        url: of the server, such as `redis://localhost:6379/0`.
        prefix: of all its keys; what has another is never touched.
        seconds: after which an entry is forgotten, by default never.

    Raises:
        DataError: the package `redis` is not installed; the URL is none of a Redis server.
    """

    def __init__(self, url: str, *, prefix: str = "augimpact:", seconds: int | None = None) -> None:
        if not prefix:
            raise DataError("the prefix is empty; expected one, so that nothing of others is touched")
        self._url, self._prefix, self._seconds = url, prefix, seconds
        self._client: Redis | None = None
        self._told = False
        self._away_until = 0.0
        self._connected()

    def fetch_many(self, names: Sequence[str]) -> list[bytes | None]:
        """In one question to the server."""
        if not names:
            return []
        found = self._ask(lambda client: client.mget([self._prefix + name for name in names]), [None] * len(names))
        contents = [None if each is None else unpacked(each) for each in found]
        for name, each, content in zip(names, found, contents, strict=True):
            if each is not None and content is None:
                logger.warning("an entry of the cache was damaged and is read again: %s", name)
                self._drop(name)
        return contents

    def __iter__(self) -> Iterator[str]:
        for key in self._keys():
            yield key.decode("utf-8", "surrogatepass").removeprefix(self._prefix)

    def clear(self) -> None:
        """Drops the entries with the prefix."""
        keys = self._keys()
        self._ask(lambda client: [client.unlink(key) for key in keys], [])

    def close(self) -> None:
        """Closes the connection."""
        if self._client is not None:
            self._client.close()
        self._client = None

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_client": None}

    def _load(self, name: str) -> bytes | None:
        return cast("bytes | None", self._ask(lambda client: client.get(self._prefix + name), None))

    def _store(self, name: str, packed: bytes) -> None:
        self._ask(lambda client: client.set(self._prefix + name, packed, ex=self._seconds), None)

    def _drop(self, name: str) -> bool:
        return bool(self._ask(lambda client: client.delete(self._prefix + name), 0))

    def _keys(self) -> set[bytes]:
        """Each once; a server that grows or shrinks tells of some twice."""
        pattern = f"{_literal(self._prefix)}*"
        return cast("set[bytes]", self._ask(lambda client: set(client.scan_iter(match=pattern, count=1000)), set()))

    def _connected(self) -> Redis:
        """The client, which connects anew after a fork."""
        if self._client is None:
            try:
                from redis import Redis
            except ImportError as error:
                raise DataError("the package redis is not installed; pip install 'augimpact[redis]'") from error
            seconds = {"socket_timeout": ANSWER_SECONDS, "socket_connect_timeout": ANSWER_SECONDS}
            try:
                self._client = Redis.from_url(self._url, encoding_errors="surrogatepass", **seconds)
            except ValueError as error:
                raise DataError(f"{self._url!r} is no address of a Redis server ({error})") from error
        return self._client

    def _ask(self, ask: Callable[[Redis], Any], otherwise: Any) -> Any:
        """What the server says; where it is away or full, once a warning and always what to do without it."""
        if time.monotonic() < self._away_until:
            return otherwise
        client = self._connected()
        import redis

        try:
            return ask(client)
        except redis.RedisError as error:
            if isinstance(error, (redis.ConnectionError, redis.TimeoutError)):
                self._away_until = time.monotonic() + AWAY_SECONDS
            if not self._told:
                logger.warning("the cache in Redis does not answer (%s); images are read without it", error)
                self._told = True
            return otherwise


def _literal(prefix: str) -> str:
    """As Redis's patterns take it for itself."""
    return "".join(f"\\{character}" if character in "*?[]\\^" else character for character in prefix)
