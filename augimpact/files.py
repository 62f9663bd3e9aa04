"""Files appear whole or not at all: written beside their place under another name, then renamed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from augimpact.errors import OutputError

__all__ = ["check_writable", "written_whole"]


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
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise OutputError(f"cannot write {str(path)!r}: {error.strerror or error}") from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp is private to its owner; a finished file has the permissions of any other new file.
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"cannot write {str(path)!r}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)
