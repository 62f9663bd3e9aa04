"""Files appear whole or not at all: written beside their place under another name, then renamed."""

from __future__ import annotations

import os
import uuid
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
