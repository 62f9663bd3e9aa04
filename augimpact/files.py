"""Files appear whole or not at all: written beside their place under another name, then renamed."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from augimpact.errors import OutputError

__all__ = ["check_writable", "filled_folder", "make_folder", "written_whole"]


def check_writable(path: str | Path) -> Path:
    """The path, if a file can be created there; so that a long computation does not end in a refusal.

    Raises:
        OutputError: its folder is missing or read-only, or the path is a folder.
    """
    path = Path(path)
    folder = path.parent
    if path.is_dir():
        raise OutputError(f"cannot write {str(path)!r}: it is a folder, expected a file's name")
    if not folder.is_dir():
        raise OutputError(f"cannot write {str(path)!r}: there is no folder {str(folder)!r}")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"cannot write {str(path)!r}: the folder {str(folder)!r} is read-only")
    return path


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """A temporary path to write to, which becomes `path` when the block ends well and is removed otherwise.

    Raises:
        OutputError: the file cannot be created or moved into place.
    """
    path = check_writable(path)
    temporary = path.with_name(f".{path.stem}-{uuid.uuid4().hex}{path.suffix}")
    try:
        temporary.touch(exist_ok=False)
    except OSError as error:
        raise OutputError(f"cannot write {str(path)!r}: {error.strerror or error}") from error
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"cannot write {str(path)!r}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Makes a folder, and those above it, where it is not there yet.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write to the folder {str(folder)!r}: {error.strerror or error}") from error


@contextmanager
def filled_folder(folder: Path) -> Iterator[Path]:
    """A folder to write into, whose files are in `folder` when the block ends well, and gone otherwise.

    Raises:
        OutputError: the folder cannot be made, or a file cannot be moved into place.
    """
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    make_folder(folder)
    temporary = folder / f".{uuid.uuid4().hex}"
    try:
        temporary.mkdir()
        yield temporary
        for each in [each for each in sorted(temporary.rglob("*")) if each.is_file()]:
            target = folder / each.relative_to(temporary)
            target.parent.mkdir(parents=True, exist_ok=True)
            each.replace(target)
        made.clear()
    except OSError as error:
        raise OutputError(f"cannot write to the folder {str(folder)!r}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        for each in made:
            each.rmdir()
