"""Where training sets are kept: what a catalogue asks, of this machine or of a server."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from augimpact.errors import DataError
from augimpact.store.parts import Part

__all__ = ["Document", "NoSuchSet", "NotYours", "Shelf"]

# A set as JSON has it.
Document = dict[str, Any]


class NoSuchSet(DataError):  # noqa: N818 - it is said, not suffered
    """There is no such set, or it is another's and not published: which of the two is not told."""


class NotYours(DataError):  # noqa: N818
    """Only its owner may do that."""


class Shelf(Protocol):
    """Where sets are kept."""

    def create(self, about: Document) -> Document:
        """Enters a new set."""

    def document(self, set_id: int) -> Document:
        """What is known of a set."""

    def search(self, asked: Document) -> list[Document]:
        """The sets that are asked for, see `Catalog.search`."""

    def change(self, set_id: int, changes: Document) -> Document:
        """Changes words of a set, or whether it is `public`."""

    def check_owned(self, set_id: int) -> None:
        """Raises what changing a set would raise: `NoSuchSet`, `NotYours`."""

    def delete(self, set_id: int) -> None:
        """Takes a set away."""

    def parts(self, set_id: int) -> list[Document]:
        """The parts of a set, in their order: `name`, `group`, `rows`, `size`, `classes`."""

    def add(self, set_id: int, path: Path, part: Part) -> Document:
        """Takes the file of a part away to where it belongs, and enters it, which others see at once."""

    def file(self, set_id: int, part: Document) -> Path:
        """Where a part lies on this machine."""

    def share_at_hand(self, set_id: int) -> int:
        """How much of a set is on this machine, in per cent of its bytes."""

    def place_for(self, set_id: int) -> Path:
        """Where a new part may be written."""
