"""Where files lie: on this machine, in a zip file, behind any of fsspec's protocols; listed, opened and read alike.

A file of this machine is named by its absolute path, any other by its address, inside an archive by both:
`zip://inner.jpg::/data/archive.zip`. Connections are kept by fsspec, archives here, each anew in every process.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, NamedTuple, cast

from augimpact.errors import DataError

__all__ = ["File", "find_files", "is_folder", "is_local", "joined", "open_binary", "read_bytes", "version_of"]

# The archives of this process that were read last: to read the directory of one takes longer than a file in it.
_archives: dict[tuple[Any, ...], Any] = {}
ARCHIVES = 4


class File(NamedTuple):
    """A file as a store lists it.

    path: how `open_binary` finds it.
    relative: from the folder that was listed, with slashes.
    size: in bytes, or −1 where the store does not say.
    changed: when, as the store writes it, or "".
    etag: the store's own hash or version, or None.
    """

    path: str
    relative: str
    size: int
    changed: str
    etag: str | None


def find_files(
    url: str | os.PathLike[str], pattern: str | re.Pattern[str] | None, options: Mapping[str, Any]
) -> list[File]:
    """All files below a folder, sorted by path.

    The pattern is a glob of the names, or with slashes of the paths below the folder, or an expression found in these.

    Raises:
        DataError: there is no such folder, or its store cannot be reached.
    """
    address = os.fspath(url)
    if not is_folder(address, options):
        raise DataError(f"there is no folder {address!r}")
    with _one_error(address):
        system, root = _system(address, options)
        files = _found_here(root, "", ()) if is_local(address) else _found_in(system, root, address)
    return sorted(file for file in files if pattern is None or _matches(file.relative, pattern))


def is_folder(url: str, options: Mapping[str, Any]) -> bool:
    """Whether there is such a folder now, whatever the store was found to hold before.

    Raises:
        DataError: the store cannot be reached.
    """
    _archives.clear()
    with _one_error(url):
        system, root = _system(url, options)
        system.invalidate_cache()
        return bool(system.isdir(root))


def joined(root: str, relative: str) -> str:
    """The address of what lies below a folder, also of one inside an archive.

    >>> joined("/data/", "a.png"), joined("zip://::/data.zip", "a.png")
    ('/data/a.png', 'zip://a.png::/data.zip')
    """
    first, chain, rest = root.partition("::")
    if "://" not in first and chain:
        return f"{first}{chain}{joined(rest, relative)}"
    return f"{first}{'' if first.endswith('/') else '/'}{relative}{chain}{rest}"


def open_binary(path: str, options: Mapping[str, Any] | None = None) -> BinaryIO:
    """The file, to be read."""
    if is_local(path):
        return Path(path.removeprefix("file://")).open("rb")
    system, name = _system(path, options or {})
    opened = system.open(name, "rb")
    opened.store = system  # an archive is closed, and its files with it, when nothing refers to it
    return cast("BinaryIO", opened)


def read_bytes(path: str, options: Mapping[str, Any] | None = None) -> bytes:
    """All of the file."""
    if is_local(path):
        with open(path.removeprefix("file://"), "rb", buffering=0) as file:  # noqa: PTH123 - half the time of Path's
            return file.read()
    system, name = _system(path, options or {})
    return bytes(system.cat_file(name))


def is_local(path: str) -> bool:
    """Whether it is a path of this machine."""
    return path.startswith("file://") or ("://" not in path and "::" not in path)


def version_of(info: Mapping[str, Any]) -> tuple[str, str | None]:
    """When a file was changed, as its store writes it, and its etag."""
    # The checksum is of zip files, which are often written with one date for all entries.
    changed = [str(info[key]) for key in ("mtime", "LastModified", "last_modified", "date_time", "CRC") if key in info]
    etag = next((info[key] for key in ("ETag", "etag") if info.get(key)), None)
    return " ".join(changed), None if etag is None else str(etag).strip('"')


def _system(address: str, options: Mapping[str, Any]) -> tuple[Any, str]:
    import fsspec

    first, chain, rest = address.partition("::")
    is_archive = bool(chain) and "://" in first
    key = (os.getpid(), first.partition("://")[0], _absolute(rest), repr(options))
    if is_archive and (kept := _archives.get(key)) is not None:
        return kept, kept._strip_protocol(first)
    try:
        system, name = fsspec.core.url_to_fs(address, **options)
    except ImportError as error:
        raise DataError(f"{address!r} cannot be read: {error}") from error
    if is_archive:
        if len(_archives) >= ARCHIVES:
            _archives.clear()
        _archives[key] = system
    return system, name


def _absolute(path: str) -> str:
    return os.path.abspath(path.removeprefix("file://")) if is_local(path) else path  # noqa: PTH100 - links stay


def _found_here(folder: str, below: str, above: tuple[str, ...]) -> list[File]:
    """All files, also in folders that are links, unless they lead back up.

    Args:
        folder: where they lie.
        below: how it is called from the outermost, with a slash at its end.
        above: the real places of those that it lies in.
    """
    real = os.path.realpath(folder)
    found = []
    with os.scandir(folder) as entries:
        for entry in entries if real not in above else ():
            name = entry.name
            path = f"{folder.rstrip('/')}/{name}"
            if entry.is_symlink() and not os.path.exists(path):  # noqa: PTH110 - also of a link to itself
                # It leads nowhere, as whoever reads it will be told.
                found.append(File(path, below + name, -1, "", None))
            elif entry.is_dir():
                found += _found_here(path, f"{below}{name}/", (*above, real))
            elif entry.is_file():
                status = entry.stat()
                found.append(File(path, below + name, status.st_size, str(status.st_mtime), None))
    return found


def _found_in(system: Any, root: str, address: str) -> list[File]:
    """All files of another store."""
    prefix = root.rstrip("/") + "/" if root.strip("/") else ""
    found = []
    for name, info in system.find(root, detail=True).items():
        relative = name.removeprefix(prefix).lstrip("/")
        # Some stores have an empty object for a folder itself.
        if relative and not relative.endswith("/"):
            found.append(File(_address(address, name, system), relative, _size(info), *version_of(info)))
    return found


@contextmanager
def _one_error(address: str) -> Iterator[None]:
    try:
        yield
    except DataError:
        raise
    except Exception as error:  # of the store, each with classes of its own
        raise DataError(f"the folder {address!r} cannot be listed ({_reason(error)})") from error


def _address(root: str, name: str, system: Any) -> str:
    first, chain, rest = root.partition("::")
    if chain and "://" in first:
        return f"{first.partition('://')[0]}://{name.lstrip('/')}::{_absolute(rest)}"
    if chain:
        return f"{first}::{_address(rest, name, system.fs)}"
    return str(system.unstrip_protocol(name))


def _size(info: Mapping[str, Any]) -> int:
    size = info.get("size")
    return -1 if size is None else int(size)


def _matches(relative: str, pattern: str | re.Pattern[str]) -> bool:
    if isinstance(pattern, re.Pattern):
        return pattern.search(relative) is not None
    # A pattern without folders is for the names in any folder.
    name = relative if "/" in pattern else PurePosixPath(relative).name
    return fnmatch.fnmatchcase(name, pattern)


def _reason(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0] or type(error).__name__
