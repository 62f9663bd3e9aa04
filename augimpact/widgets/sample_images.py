"""The images of an impact's samples: read when they are looked at, from where they lie."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from augimpact.data.image import read_image
from augimpact.data.locations import is_local, read_bytes
from augimpact.errors import DataError, ImageError
from augimpact.widgets.gallery import MAX_OPENED, thumbnail

if TYPE_CHECKING:
    from augimpact.data.samples import SampleTable
    from augimpact.impact.outcomes import Outcomes

__all__ = ["SampleImages"]


class SampleImages:
    """Reads samples by their place among all.

    Args:
        outcomes: whose samples they are.
        data: the dataset, where its images are no files.
        private: that places on this machine are named to nobody.
    """

    def __init__(self, outcomes: Outcomes, data: SampleTable | None = None, *, private: bool = False) -> None:
        from augimpact.impact.view import sample_names

        self._paths = [str(path) for path in outcomes.samples["path"]]
        self._classes = [str(name) for name in outcomes.samples["class"]]
        self._names = sample_names(outcomes.samples)
        self._contents = {} if data is None else dict(data.contents)
        self._options = {} if data is None else dict(data.options)
        self._private = private
        # What was given last: who opens a sample once more means the same image.
        self._given: dict[int, Image.Image] = {}

    def name(self, row: int) -> str:
        """What a person calls a sample: its class and its file."""
        return "/".join(each for each in (self._classes[row], self._names[row]) if each)

    def source(self, row: int) -> Any:
        """What `read_image` takes: the path of a file of this machine, where that may be told, else the image.

        Raises:
            DataError: it is not there any more, or cannot be read.
        """
        path = self._paths[row]
        if not self._private and path not in self._contents and is_local(path) and Path(path).is_file():
            return path
        if row not in self._given:
            self._given[row] = self._read(row)
            for earlier in list(self._given)[:-MAX_OPENED]:
                del self._given[earlier]
        return self._given[row]

    def thumbnail(self, row: int) -> bytes:
        """A small JPEG; empty where the sample cannot be read any more."""
        try:
            return thumbnail(self._read(row))
        except DataError:
            return b""

    def _read(self, row: int) -> Image.Image:
        path = self._paths[row]
        try:
            content = self._contents[path] if path in self._contents else read_bytes(path, self._options)
            return read_image(_array(content))
        except (OSError, ImageError, DataError) as error:
            reason = "is not there any more" if isinstance(error, FileNotFoundError) else "cannot be read"
            raise DataError(f"the image {self.name(row)!r} {reason}") from error


def _array(content: bytes) -> Any:
    """The array of a `.npy` file; of any other its content."""
    from augimpact.data.pipeline import NPY, load_array

    return load_array(content) if content.startswith(NPY) else content
