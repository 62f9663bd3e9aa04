"""The images that can be chosen in a page: examples, uploads, and a folder where it was opened."""

from __future__ import annotations

import io
import os
from collections.abc import Container
from pathlib import Path
from typing import Any

from PIL import Image

from augimpact.data.image import EXAMPLE, EXAMPLES, read_image, read_upload
from augimpact.errors import ImageError, UserError, unknown

__all__ = ["Gallery", "images_in", "thumbnail"]

THUMBNAIL_SIDE = 112
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif"}
# So many files of a folder are offered; a page that lists more is no help.
MAX_FILES = 10_000
# Each is up to 4 MB.
MAX_UPLOADS = 12
# Of images that were opened from elsewhere in the page.
MAX_OPENED = 12


class Gallery:
    """Images by name, decoded when they are needed.

    Args:
        image: what comes first, as `augimpact.data.image.read_image` takes it.
        folder: a folder whose images are offered, those of its own folders included.
        max_pixels: of an upload.
        private: that nobody who uses the page may learn where files lie on this machine.

    Attributes:
        names: of the images that the page shows, in order; those of the folder once they were chosen.
        files: the names of the folder's images, each with the folder's before it.

    Raises:
        ImageError: the first image cannot be read.
        UserError: there is no such folder.
    """

    def __init__(
        self, image: Any = None, folder: str | os.PathLike[str] | None = None, *, max_pixels: int, private: bool = False
    ) -> None:
        self._sources: dict[str, Any] = {}
        self._max_pixels = max_pixels
        self._private = private
        if image is not None:
            # A mistake is told before there is a page.
            decoded = read_image(image)
            named = isinstance(image, (str, os.PathLike))
            self._sources[_name_of(image) if named else "image"] = os.fspath(image) if named else decoded
        self._sources |= {name: EXAMPLE + name for name in EXAMPLES}
        self.names = list(self._sources)
        self._folder = {} if folder is None else images_in(Path(folder))
        self.files = list(self._folder)
        self._opened: list[str] = []

    def source(self, name: str) -> Any:
        """The same object as long as the name means the same image.

        Raises:
            UserError: there is none of this name.
        """
        source = self._sources.get(name, self._folder.get(name))
        if source is None:
            raise UserError(unknown("image", name, [*self.names, *self.files]))
        return source

    def open(self, name: str) -> Any:
        """What `augimpact.subject.subject_of` takes: a path or an example where it may be told, else the image.

        Raises:
            ImageError: it cannot be read.
        """
        source = self.source(name)
        if isinstance(source, bytes):
            return read_upload(name, source, self._max_pixels)
        if self._private and isinstance(source, str) and not source.startswith(EXAMPLE):
            return self._read(name, source)
        return source

    def upload(self, name: str, content: bytes, *, keep: Container[str] = ()) -> str:
        """Keeps an image that a person brought, in place of one of the same name; gives the name without folders.

        The last dozen are kept, and those that are named in `keep`.

        Raises:
            ImageError: it is none, damaged or too large.
        """
        name = Path(name.replace("\\", "/")).name or "image"
        read_upload(name, content, self._max_pixels)
        self._sources[name] = content
        names = [*(each for each in self.names if each != name), name]
        brought = [each for each in names if isinstance(self._sources.get(each), bytes)]
        for each in brought[:-MAX_UPLOADS]:
            if each not in keep:
                del self._sources[each]
                names.remove(each)
        self.names = names
        return name

    def offer(self, name: str, source: Any, *, keep: Container[str] = ()) -> str:
        """Lists an image that was opened elsewhere in the page; the last dozen are kept, and those named in `keep`.

        Args:
            name: what it is called; where another image has that name, a number is added.
            source: its path, or a Pillow image. The same path keeps its name.
            keep: names that are still needed.
        """
        known = {**self._folder, **self._sources}
        names = [name, *(f"{name} ({number})" for number in range(2, len(known) + 3))]
        name = next(each for each in names if each not in known or self._is_opened(each, source))
        self._sources.setdefault(name, source)
        self._opened = [*(each for each in self._opened if each != name), name]
        for each in self._opened[:-MAX_OPENED]:
            if each not in keep:
                self._opened.remove(each)
                del self._sources[each]
        self.names = [each for each in dict.fromkeys([*self.names, name]) if each in self._sources]
        return name

    def _is_opened(self, name: str, source: Any) -> bool:
        """Whether a name means this very image already."""
        known = self._sources.get(name)
        return name in self._opened and (known is source or (isinstance(source, str) and known == source))

    def choose(self, name: str) -> None:
        """Lists an image of the folder among those that the page shows."""
        if name not in self.names:
            self.source(name)
            self.names = [*self.names, name]

    def thumbnail(self, name: str) -> bytes:
        """A small JPEG; see `thumbnail`."""
        opened = self.open(name)
        return thumbnail(opened if isinstance(opened, Image.Image) else self._read(name, opened))

    def _read(self, name: str, source: Any) -> Image.Image:
        try:
            return read_image(source)
        except ImageError as error:
            if not self._private:
                raise
            raise ImageError(str(error).replace(repr(str(source)), repr(name))) from None


def thumbnail(image: Image.Image) -> bytes:
    """The image's middle square as a JPEG of 112 pixels."""
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    small = image.resize((THUMBNAIL_SIDE, THUMBNAIL_SIDE), box=(left, top, left + side, top + side), reducing_gap=2)
    file = io.BytesIO()
    small.save(file, format="JPEG", quality=80)
    return file.getvalue()


def _name_of(path: str | os.PathLike[str]) -> str:
    text = os.fspath(path)
    return text.removeprefix(EXAMPLE) if text.startswith(EXAMPLE) else Path(text).name


def images_in(folder: Path) -> dict[str, str]:
    """Name → path of every image in the folder; what a link leads to elsewhere is left out.

    Raises:
        UserError: there is no such folder, or no image in it.
    """
    if not folder.is_dir():
        raise UserError(f"there is no folder {str(folder)!r}")
    inside = folder.resolve()
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    files = [path for path in found if path.resolve().is_relative_to(inside)][:MAX_FILES]
    if not files:
        raise UserError(f"folder {str(folder)!r} holds no image; expected files such as {', '.join(sorted(SUFFIXES))}")
    return {f"{inside.name}/{path.relative_to(folder).as_posix()}": str(path.absolute()) for path in files}
