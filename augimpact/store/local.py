"""Training sets on this machine: parts in folders, and who may see and change which in a database."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Engine, delete, exists, func, or_, select
from sqlalchemy.orm import Session, selectinload

from augimpact.errors import DataError, OutputError
from augimpact.files import make_folder
from augimpact.store.labels import BACKGROUND, KINDS, LONGEST_NAME, own_classes
from augimpact.store.parts import Part, bounds_of, names_of
from augimpact.store.shelf import Document, NoSuchSet, NotYours
from augimpact.store.tables import ClassName, PartRow, SetRow, Word, classes_of, engine_of, now, words_of, writing

__all__ = ["LONGEST_TEXT", "MOST_FOUND", "LocalShelf"]

# What a set's owner may change of it.
CHANGEABLE = ("name", "description", "source")
# What a word begins with that is a sensor's name; no other does.
SENSOR = ":"
LONGEST_TEXT, MOST_FOUND = 4000, 1000


class LocalShelf:
    """Sets on this machine, seen as one owner sees them.

    Args:
        url: of the database, or None for SQLite in the folder.
        root: the folder of the parts.
        owner: as whom all is done; None is nobody.
        engine: of the database, if it is at hand.
    """

    def __init__(self, url: str | None, root: Path, owner: str | None, engine: Engine | None = None) -> None:
        make_folder(root)
        self.root, self.owner = root.resolve(), owner
        self._url = url or f"sqlite:///{self.root / 'catalog.sqlite'}"
        self.engine = engine or engine_of(self._url)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._url, self.root, self.owner)

    def connected(self) -> Self:
        """The same with connections that stay open, until its engine is disposed of: for many that ask."""
        return type(self)(self._url, self.root, self.owner, engine_of(self._url, stays=True))

    def as_seen_by(self, owner: str | None) -> Self:
        """The same for somebody else."""
        return type(self)(self._url, self.root, owner, self.engine)

    def create(self, about: Document) -> Document:
        """Enters a new set."""
        name, kind, classes = str(about.get("name", "")).strip(), about.get("mlType"), list(about.get("classes") or ())
        if self.owner is None:
            raise NotYours("nobody can own a set; expected a token")
        if not 0 < len(name) <= LONGEST_NAME:
            raise DataError(f"the name is {name[:50]!r}; expected 1 to {LONGEST_NAME} letters")
        if kind not in KINDS:
            raise DataError(f"the kind is {kind!r}; expected one of {', '.join(KINDS)}")
        if kind != "classification":
            classes = sorted(own_classes(kind, classes))
        names_of(classes, "classes")
        moment = now()
        row = SetRow(
            name=name, kind=kind, owner=self.owner, fixed=bool(classes), tile=about.get("tile"), created_at=moment,
            updated_at=moment, description=str(about.get("description") or "")[:LONGEST_TEXT],
            source=str(about.get("source") or "")[:LONGEST_TEXT],
            classes=[ClassName(place=place, name=each) for place, each in enumerate(classes)],
        )  # fmt: skip
        with writing(self.engine) as session:
            session.add(row)
            _reword(row)
            session.flush()
            return self._document(session, row)

    def document(self, set_id: int) -> Document:
        """What is known of a set."""
        with Session(self.engine) as session:
            return self._document(session, self._seen(session, set_id))

    def search(self, asked: Document) -> list[Document]:
        """The sets that are asked for, see `Catalog.search`."""
        query = select(SetRow).where(self._visible())
        if asked.get("mltype") is not None:
            if asked["mltype"] not in KINDS:
                raise DataError(f"the kind is {asked['mltype']!r}; expected one of {', '.join(KINDS)}")
            query = query.where(SetRow.kind == asked["mltype"])
        for word in sorted(words_of(asked.get("text") or "")):
            begins = (Word.set_id == SetRow.id, Word.word >= word, Word.word < word + "\U0010ffff")
            query = query.where(exists().where(*begins))
        for name in asked.get("classes") or ():
            query = query.where(exists().where(ClassName.set_id == SetRow.id, ClassName.name == name))
        if asked.get("owner") is not None:
            query = query.where(SetRow.owner == asked["owner"])
        if asked.get("public") is not None:
            query = query.where(SetRow.public.is_(bool(asked["public"])))
        if asked.get("bbox") is not None:
            left, low, right, high = bounds_of(asked["bbox"], "bbox")
            query = query.where(SetRow.left <= right, SetRow.right >= left, SetRow.low <= high, SetRow.high >= low)
        if asked.get("sensors"):
            # They are few, and kept with the parts as the words of a set are.
            query = query.where(or_(*(exists().where(Word.set_id == SetRow.id, Word.word == _sensor_word(each))
                                      for each in asked["sensors"])))  # fmt: skip
        limit, offset = (max(0, int(asked.get(name) or 0)) for name in ("limit", "offset"))
        query = query.order_by(SetRow.id.desc()).limit(min(limit, MOST_FOUND)).offset(offset)
        with Session(self.engine) as session:
            rows = session.scalars(query.options(selectinload(SetRow.classes))).all()
            return [self._document(session, row) for row in rows]

    def change(self, set_id: int, changes: Document) -> Document:
        """Changes words of a set, or whether it is `public`."""
        with writing(self.engine) as session:
            row = self._own(session, set_id)
            for name in CHANGEABLE:
                if changes.get(name) is not None:
                    setattr(row, name, str(changes[name])[: LONGEST_NAME if name == "name" else LONGEST_TEXT])
            if not row.name.strip():
                raise DataError(f"the name is {row.name!r}; expected 1 to {LONGEST_NAME} letters")
            if changes.get("public") is not None:
                row.public = bool(changes["public"])
            row.updated_at = now()
            _reword(row)
            session.flush()
            return self._document(session, row)

    def check_owned(self, set_id: int) -> None:
        """Raises what changing a set would raise: `NoSuchSet`, `NotYours`."""
        with Session(self.engine) as session:
            self._own(session, set_id)

    def delete(self, set_id: int) -> None:
        """Takes a set away, and then its parts."""
        with writing(self.engine) as session:
            self._own(session, set_id)
            session.execute(delete(SetRow).where(SetRow.id == set_id))
        shutil.rmtree(self._folder(set_id), ignore_errors=True)

    def parts(self, set_id: int) -> list[Document]:
        """The parts of a set, in their order: `name`, `group`, `rows`, `size`, `classes`."""
        names = ("name", "group", "rows", "size", "classes")
        with Session(self.engine) as session:
            self._seen(session, set_id)
            found = session.scalars(select(PartRow).where(PartRow.set_id == set_id).order_by(PartRow.id))
            return [{name: getattr(each, name) for name in names} for each in found]

    def add(self, set_id: int, path: Path, part: Part) -> Document:
        """Moves the file of a part to its place and enters it, which others see at once, or not at all.

        Raises:
            DataError: it is not as the set's other parts are.
        """
        with writing(self.engine) as session:
            # The row is held, so that of two that come first at once one decides what is right.
            row = self._own(session, set_id, hold=True)
            there = session.scalar(select(PartRow.id).where(PartRow.set_id == set_id, PartRow.name == part.name))
            if there is None:
                _fit(row, part)
                place = self._folder(set_id) / f"{part.name}.h5"
                make_folder(place.parent)
                shutil.move(path, place)
                try:
                    _synchronise(place)
                    session.add(PartRow(
                        set_id=set_id, name=part.name, group=part.group, rows=part.rows, size=part.size,
                        classes=list(part.classes), sensors=list(part.sensors),
                    ))  # fmt: skip
                    row.updated_at = now()
                    _reword(row, part.sensors)
                    session.flush()
                except BaseException:
                    place.unlink(missing_ok=True)
                    raise
            path.unlink(missing_ok=True)
            return self._document(session, row)

    def file(self, set_id: int, part: Document) -> Path:
        """Where a part lies."""
        place = self._folder(set_id) / f"{part['name']}.h5"
        if not place.is_file():
            raise DataError(f"the part {part['name']} of the set {set_id} is not in its folder")
        return place

    def share_at_hand(self, set_id: int) -> int:  # noqa: ARG002
        """All of it, in per cent."""
        return 100

    def place_for(self, set_id: int) -> Path:
        """Where a new part may be written: on the disk on which it will lie."""
        folder = self._folder(set_id)
        make_folder(folder)
        return folder / f".new-{uuid.uuid4().hex}.h5"

    def _folder(self, set_id: int) -> Path:
        return self.root / f"{int(set_id)}"

    def _visible(self) -> Any:
        return (
            SetRow.public.is_(True) if self.owner is None else or_(SetRow.public.is_(True), SetRow.owner == self.owner)
        )

    def _seen(self, session: Session, set_id: int, *, hold: bool = False) -> SetRow:
        query = select(SetRow).where(SetRow.id == set_id, self._visible())
        row = session.scalar(query.with_for_update() if hold else query)
        if row is None:
            raise NoSuchSet(f"there is no set {set_id}; expected the id of one that you may see")
        return row

    def _own(self, session: Session, set_id: int, *, hold: bool = False) -> SetRow:
        row = self._seen(session, set_id, hold=hold)
        if row.owner != self.owner:
            raise NotYours(f"the set {set_id} is another's; only its owner changes it")
        return row

    def _document(self, session: Session, row: SetRow) -> Document:
        counted = select(PartRow.group, func.sum(PartRow.rows)).where(PartRow.set_id == row.id)
        groups = session.execute(counted.group_by(PartRow.group).order_by(func.min(PartRow.id)))
        seen = session.scalars(select(PartRow.sensors).where(PartRow.set_id == row.id))
        classes = [each.name for each in row.classes]
        return {
            "id": row.id,
            "name": row.name,
            "description": row.description,
            "mlType": row.kind,
            "classes": [BACKGROUND, *classes] if row.kind == "segmentation" else classes,
            "nclasses": len(classes),
            "fixed": row.fixed,
            "count": {group: int(rows) for group, rows in groups},
            "bbox": None if row.left is None else [row.left, row.low, row.right, row.high],
            "shape": row.shape,
            "dtype": row.dtype,
            "tile": row.tile,
            "sensors": sorted({name for several in seen for name in several}),
            "source": row.source,
            "userId": row.owner,
            "public": row.public,
            "created_at": row.created_at,
            "updated_at": row.updated_at,
            "percent_cached": self.share_at_hand(row.id),
        }


def _fit(row: SetRow, part: Part) -> None:
    """Lets a part into a set.

    Raises:
        DataError: it is not as the set's other parts are.
    """
    wanted = {"kind": (row.kind, part.kind), "shape": (row.shape, list(part.shape)), "type": (row.dtype, part.dtype)}
    for what, (known, given) in wanted.items():
        if known is not None and known != given:
            raise DataError(f"a part has the {what} {given}; expected {known} as the set {row.id} has it")
    if row.tile is not None and list(part.shape[1:]) != row.tile:
        raise DataError(f"a part has images of {part.shape[1:]}; expected {row.tile}")
    if row.kind == "segmentation" and BACKGROUND in part.classes:
        raise DataError(f"a part has the class {BACKGROUND}; expected it to be what is of no class")
    known_classes = [each.name for each in row.classes]
    classes = classes_of(known_classes, part.classes, row.kind)
    if row.fixed and classes != known_classes:
        raise DataError(f"a part has the classes {', '.join(part.classes)}; expected {', '.join(known_classes)}")
    if classes != known_classes:
        for place, name in enumerate(classes):
            if place < len(row.classes):
                row.classes[place].name = name
            else:
                row.classes.append(ClassName(place=place, name=name))
    row.shape, row.dtype = list(part.shape), part.dtype
    if part.bounds is not None:
        left, low, right, high = part.bounds
        row.left, row.low = _least(row.left, left), _least(row.low, low)
        row.right, row.high = _greatest(row.right, right), _greatest(row.high, high)


def _least(known: float | None, given: float) -> float:
    return given if known is None else min(known, given)


def _greatest(known: float | None, given: float) -> float:
    return given if known is None else max(known, given)


def _reword(row: SetRow, sensors: Sequence[str] = ()) -> None:
    """Has the words of a set be those that are in it, and its sensors and these."""
    texts = [row.name, row.description, row.source, *(each.name for each in row.classes)]
    known = {each.word: each for each in row.words}
    wanted = words_of(*texts) | {_sensor_word(name) for name in sensors}
    wanted |= {word for word in known if word.startswith(SENSOR)}
    for word in known.keys() - wanted:
        row.words.remove(known[word])
    row.words.extend(Word(word=word) for word in sorted(wanted - known.keys()))


def _sensor_word(name: str) -> str:
    return SENSOR + name


def _synchronise(place: Path) -> None:
    """Has a file and its name on the disk before a catalogue says that it is there."""
    try:
        for each in (place, place.parent):
            descriptor = os.open(each, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
    except OSError as error:
        raise OutputError(f"cannot write {str(place)!r}: {error.strerror or error}") from error
