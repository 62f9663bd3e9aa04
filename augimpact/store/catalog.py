"""A catalogue of training sets: `Catalog`, on this machine's disk and database, or on a server's.

Both are the same to who uses them: a `Catalog` asks a `Shelf`, `LocalShelf` of `augimpact.store.local` here, or
`RemoteShelf` of `augimpact.store.client`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from augimpact.store.local import LocalShelf
from augimpact.store.parts import Bounds
from augimpact.store.shelf import Document, Shelf

if TYPE_CHECKING:
    from augimpact.store.training_set import TrainingSet

__all__ = ["Catalog", "default_root"]


def default_root() -> Path:
    """Where a user's own sets lie."""
    from platformdirs import user_data_path

    return user_data_path("augimpact") / "sets"


class Catalog:
    """Training sets by name, kind, class and place.

    Args:
        url: a server's address `http(s)://…`; or a database as SQLAlchemy names it, such as `postgresql://…`. By
            default SQLite beside the parts.
        root: the folder of the parts, by default in the user's own data; of a server that of what was fetched.
        token: that tells a server who one is.
        owner: on one's own disk whose sets these are, by default this machine's user.

    >>> import tempfile
    >>> import numpy as np
    >>> catalog = Catalog(root=tempfile.mkdtemp())
    >>> made = catalog.create("Shapes", "classification", classes=["round", "square"])
    >>> made.feed([(np.zeros((3, 8, 8), np.uint8), [0, 1])])
    >>> made.save()["count"], [each.name for each in catalog.search("shap")]
    ({'train': 1}, ['Shapes'])
    """

    def __init__(
        self,
        url: str | None = None,
        root: str | os.PathLike[str] | None = None,
        *,
        token: str | None = None,
        owner: str | None = None,
    ) -> None:
        if url is not None and url.startswith(("http://", "https://")):
            from augimpact.store.client import RemoteShelf

            self.shelf: Shelf = RemoteShelf(url, None if root is None else Path(root), token)
            return
        place = default_root() if root is None else Path(root)
        self.shelf = LocalShelf(url, place, owner or _user())

    def create(
        self,
        name: str,
        kind: str = "classification",
        *,
        classes: Sequence[str] = (),
        tile: tuple[int, int] | None = None,
        description: str = "",
        source: str = "",
    ) -> TrainingSet:
        """A new set, which is empty.

        Args:
            name: in words.
            kind: `classification`, `object_detection` or `segmentation`.
            classes: in the order of the numbers of one-hot labels; those of other kinds are put in the order of their
                names. By default those that are fed.
            tile: height and width of all images; by default those of the first.
            description: more words.
            source: where it is from.

        Raises:
            DataError: no name, another kind, a class twice.
        """
        about = {
            "name": name, "mlType": kind, "classes": list(classes), "description": description, "source": source,
            "tile": None if tile is None else list(tile),
        }  # fmt: skip
        return self.from_doc(self.shelf.create(about))

    def from_id(self, set_id: int) -> TrainingSet:
        """The set of that number.

        Raises:
            NoSuchSet: there is none that one may see.
        """
        return self.from_doc(self.shelf.document(set_id))

    def from_doc(self, document: Document) -> TrainingSet:
        """The set of a document, as `search` and `document` give it."""
        from augimpact.store.training_set import TrainingSet

        return TrainingSet(self.shelf, document.get("data", document))

    def search(
        self,
        text: str = "",
        *,
        mltype: str | None = None,
        classes: Sequence[str] = (),
        bbox: Bounds | None = None,
        owner: str | None = None,
        public: bool | None = None,
        sensors: Sequence[str] = (),
        limit: int = 100,
        offset: int = 0,
    ) -> list[TrainingSet]:
        """Sets that one may see, the latest first.

        Args:
            text: words that begin a word of the name, the description, the source or a class, all of them.
            mltype: of this kind.
            classes: with all of these.
            bbox: with images in this rectangle: least x and y, greatest x and y.
            owner: whose it is.
            public: published, or not.
            sensors: with images of one of these.
            limit: how many at most.
            offset: how many are left out before.

        Raises:
            DataError: another kind, or a rectangle that is none.
        """
        asked = {
            "text": text, "mltype": mltype, "classes": list(classes), "bbox": None if bbox is None else list(bbox),
            "owner": owner, "public": public, "sensors": list(sensors), "limit": limit, "offset": offset,
        }  # fmt: skip
        return [self.from_doc(each) for each in self.shelf.search(asked)]


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "me"
