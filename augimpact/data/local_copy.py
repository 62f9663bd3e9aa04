"""A dataset copied to a fast disk, whole or not at all.

A copy is made in a folder beside its place, checked against a manifest of sizes and hashes, and renamed. What has no
manifest was made by somebody else and is never touched.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any, NamedTuple

from augimpact.data.hashing import DIGEST_SIZE, THREADS, digest_of
from augimpact.data.locations import find_files, is_folder, joined, open_binary
from augimpact.errors import DataError
from augimpact.progress import Telling, telling

__all__ = ["MANIFEST", "copy_to_local"]

MANIFEST = ".augimpact-copy.json"
# Beside a copy: what becomes it, and what it was when it was incomplete.
PARTIAL, REPLACED = ".augimpact-partial", ".augimpact-replaced"
VERSION = 1
BLOCK = 1 << 20
# The kind of file in the upper half of a zip entry's attributes, and the kind that is a link.
KIND, LINK = 0o170000, 0o120000


class Piece(NamedTuple):
    """A file to be made: its place below the copy, its size, and where it comes from."""

    relative: str
    size: int
    source: str | None
    archive: zipfile.ZipFile | None
    entry: zipfile.ZipInfo | None


def copy_to_local(
    source: str | os.PathLike[str],
    local: str | os.PathLike[str],
    relative: str | None = None,
    *,
    options: Mapping[str, Any] | None = None,
    check: str = "size",
    progress: Telling | None = None,
) -> Path:
    """The local copy of a folder; made if it is not there, made again if it is incomplete.

    A folder that holds nothing but zip files, or one in whose place there is a zip file of its name, is unpacked; an
    archive's single outermost folder of its own name is left out. Several processes at once make one copy.

    Args:
        source: a folder, of this machine or any store of fsspec.
        local: where its copy shall be.
        relative: a folder below both of them, which alone is copied.
        options: of the store.
        check: how a copy that is there is judged: by the `size` of its files, or by their `hash`, which reads them all.
        progress: is told how many bytes are copied, of how many; by default a bar.

    Raises:
        DataError: there is nothing to copy; the place is taken by what was not made here; an entry of an archive would
            lie outside; what was copied is not what was read; no room or no right to write.

    >>> import tempfile, skimage
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     copy = copy_to_local(Path(skimage.__file__).parent, Path(folder, "fast"), "data")
    ...     (copy / "chelsea.png").is_file(), copy.name
    (True, 'data')
    """
    if check not in ("size", "hash"):
        raise DataError(f"check is {check!r}; expected size or hash")
    place = Path(local) if relative is None else Path(local, _inside(relative))
    place = place.absolute()
    try:
        # Without the lock, whose file would need the right to write.
        if _is_complete(place, check):
            return place
        place.parent.mkdir(parents=True, exist_ok=True)
        with _alone(place):
            if not _is_complete(place, check):
                _refuse_others(place)
                source = os.fspath(source)
                folder = source if relative is None else joined(source, _inside(relative))
                _copy(folder, place, options or {}, progress)
    except OSError as error:
        raise DataError(f"{str(place)!r} cannot be written ({error.strerror or error})") from error
    return place


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Waits until no other process makes this copy; what a killed one has left is removed."""
    from filelock import FileLock

    with FileLock(_beside(place, ".augimpact-lock")):
        try:
            _remove_left(place)
            yield
        finally:
            _remove_left(place)


def _remove_left(place: Path) -> None:
    for suffix in (PARTIAL, REPLACED):
        shutil.rmtree(_beside(place, suffix), ignore_errors=True)


def _beside(place: Path, suffix: str) -> Path:
    return place.with_name(f".{place.name}{suffix}")


def _is_complete(place: Path, check: str) -> bool:
    files = _manifest_of(place)
    if files is None:
        return False
    for relative, (size, hashed) in files.items():
        file = place / relative
        if not file.is_file() or file.stat().st_size != size:
            return False
        if check == "hash" and _hash_of(file) != hashed:
            return False
    return True


def _manifest_of(place: Path) -> dict[str, tuple[int, str]] | None:
    """Size and hash of each file, or None where there is no manifest, or one that is damaged."""
    try:
        document = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
        return {str(name): (int(size), str(hashed)) for name, (size, hashed) in document["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _refuse_others(place: Path) -> None:
    """Whatever is neither empty nor a copy made here, with nothing added to it since, stays as it is."""
    if not place.exists() and not place.is_symlink():
        return
    files = _manifest_of(place)
    own = place.is_dir() and not place.is_symlink() and (files is not None or not any(place.iterdir()))
    if not own:
        raise DataError(f"{str(place)!r} is there and was not made here; expected no such folder, or remove it")
    below = [file for file in place.rglob("*") if file.is_symlink() or not file.is_dir()]
    added = sorted({file.relative_to(place).as_posix() for file in below} - {MANIFEST, *(files or ())})
    if added:
        raise DataError(
            f"the copy {str(place)!r} is incomplete, and {len(added)} files were added to it ({added[0]!r}…); "
            "expected none, move them elsewhere"
        )


def _copy(source: str, place: Path, options: Mapping[str, Any], progress: Telling | None) -> None:
    partial = _beside(place, PARTIAL)
    with ExitStack() as archives:
        pieces = _pieces(source, options, archives)
        total = sum(max(0, piece.size) for piece in pieces)
        files: dict[str, tuple[int, str]] = {}
        done = 0
        for folder in {(partial / piece.relative).parent for piece in pieces} | {partial}:
            folder.mkdir(parents=True, exist_ok=True)
        with telling("copying", progress) as tell, ThreadPoolExecutor(THREADS) as pool:
            made = pool.map(lambda piece: _make(piece, partial / piece.relative, options), pieces)
            try:
                for piece, (size, hashed) in zip(pieces, made, strict=True):
                    files[piece.relative] = (size, hashed)
                    done += size
                    tell(done, max(total, done))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        for name, (size, hashed) in files.items():
            if (partial / name).stat().st_size != size or _hash_of(partial / name) != hashed:
                raise DataError(f"the copy of {name!r} is not what was read; expected a disk without faults")
        document = {"version": VERSION, "source": source, "files": files}
        (partial / MANIFEST).write_text(json.dumps(document), encoding="utf-8")
        if place.exists():
            # Incomplete, or empty: nothing that a person could miss.
            place.rename(_beside(place, REPLACED))
        partial.rename(place)


def _pieces(source: str, options: Mapping[str, Any], archives: ExitStack) -> list[Piece]:
    """All files that make the copy, of archives that stay open."""
    if is_folder(source, options):
        listed = find_files(source, None, options)
        if all(file.relative.endswith(".zip") and "/" not in file.relative for file in listed):
            pieces = [
                piece for file in listed for piece in _entries(file.path, f"{file.relative[:-4]}/", options, archives)
            ]
        else:
            pieces = [Piece(_inside(file.relative), file.size, file.path, None, None) for file in listed]
    else:
        pieces = _entries(source if source.endswith(".zip") else f"{source.rstrip('/')}.zip", "", options, archives)
    # A copy may be copied in turn, or packed.
    pieces = [piece for piece in pieces if piece.relative != MANIFEST]
    if not pieces:
        raise DataError(f"there is nothing in {source!r}; expected a folder with files")
    return pieces


def _entries(address: str, prefix: str, options: Mapping[str, Any], archives: ExitStack) -> list[Piece]:
    """The files of an archive, below `prefix`, once all of them are known to stay inside."""
    try:
        archive = archives.enter_context(zipfile.ZipFile(archives.enter_context(open_binary(address, options))))
    except FileNotFoundError as error:
        raise DataError(f"there is neither a folder {address.removesuffix('.zip')!r} nor {address!r}") from error
    except Exception as error:  # of the store or the archive, each with classes of its own
        raise DataError(f"{address!r} cannot be read as a zip archive ({type(error).__name__}: {error})") from error
    infos = [info for info in archive.infolist() if not info.is_dir()]
    for info in infos:
        if (info.external_attr >> 16) & KIND == LINK:
            raise DataError(f"the entry {info.filename!r} of {address!r} is a link; expected files")
    names = [_inside(info.filename) for info in infos]
    within = f"{PurePosixPath(address).stem}/"
    if all(name.startswith(within) for name in names):
        names = [name.removeprefix(within) for name in names]
    if len(set(names)) < len(names):
        raise DataError(f"{address!r} has two entries of one name; expected each once")
    return [Piece(prefix + name, info.file_size, None, archive, info) for name, info in zip(names, infos, strict=True)]


def _inside(relative: str) -> str:
    """The path, with slashes, if it cannot lead out of the folder that it is meant from."""
    # Windows knows every way out: both slashes, and drives.
    path = PureWindowsPath(relative)
    if path.anchor or ".." in path.parts or not path.parts or "\0" in relative:
        raise DataError(f"{relative!r} leads out of its folder; expected a path below it")
    return path.as_posix()


def _make(piece: Piece, target: Path, options: Mapping[str, Any]) -> tuple[int, str]:
    """Writes a file; gives size and hash of what was read."""
    digest = hashlib.blake2b(digest_size=DIGEST_SIZE)
    size = 0
    with target.open("xb") as written:
        for block in _blocks(piece, options):
            digest.update(block)
            written.write(block)
            size += len(block)
    if piece.size >= 0 and size != piece.size:
        raise DataError(f"{piece.relative!r} has {size} bytes, not {piece.size}; expected it to stay as it is")
    return size, digest.hexdigest()


def _blocks(piece: Piece, options: Mapping[str, Any]) -> Iterator[bytes]:
    try:
        with _source_of(piece, options) as read:
            while block := read.read(BLOCK):
                yield block
    except Exception as error:  # of the store or the archive, each with classes of its own
        raise DataError(f"{piece.relative!r} cannot be read ({type(error).__name__}: {error})") from error


def _source_of(piece: Piece, options: Mapping[str, Any]) -> IO[bytes]:
    if piece.archive is not None and piece.entry is not None:
        return piece.archive.open(piece.entry)
    return open_binary(str(piece.source), options)


def _hash_of(file: Path) -> str:
    with file.open("rb") as read:
        return digest_of(read)
