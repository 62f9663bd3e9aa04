"""The tables of a catalogue, in SQLite or PostgreSQL, and what is asked of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, ForeignKey, Index, String, create_engine, event, inspect, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
from sqlalchemy.pool import NullPool
from sqlalchemy.types import JSON, Float

from augimpact.errors import DataError

__all__ = [
    "SCHEMA", "Base", "ClassName", "PartRow", "SetRow", "Token", "Version", "Word", "classes_of", "engine_of",
    "now", "words_of", "writing",
]  # fmt: skip

# Of the tables below; a catalogue with a higher number was made by a newer augimpact.
SCHEMA = 1
BUSY_SECONDS = 30
# The option of a connection that changes something.
WRITES = "writes"
# Words are found by how they begin, byte by byte, whatever the database's language is.
BYTEWISE = String(collation="BINARY").with_variant(String(collation="C"), "postgresql")


class Base(DeclarativeBase):
    """All tables."""


class Version(Base):
    """The one row says which tables there are."""

    __tablename__ = "schema_version"
    number: Mapped[int] = mapped_column(primary_key=True)


class SetRow(Base):
    """A training set; `kind`, `shape` and `dtype` are those of its first part, and `bounds` those around all."""

    __tablename__ = "sets"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    kind: Mapped[str] = mapped_column(index=True)
    owner: Mapped[str] = mapped_column(index=True)
    public: Mapped[bool] = mapped_column(default=False, index=True)
    source: Mapped[str] = mapped_column(default="")
    shape: Mapped[list[int] | None] = mapped_column(JSON)
    dtype: Mapped[str | None]
    tile: Mapped[list[int] | None] = mapped_column(JSON)
    # Whether classes were given, so that no part may bring another.
    fixed: Mapped[bool] = mapped_column(default=False)
    left: Mapped[float | None] = mapped_column(Float)
    low: Mapped[float | None] = mapped_column(Float)
    right: Mapped[float | None] = mapped_column(Float)
    high: Mapped[float | None] = mapped_column(Float)
    created_at: Mapped[str]
    updated_at: Mapped[str]
    classes: Mapped[list[ClassName]] = relationship(order_by="ClassName.place", cascade="all, delete-orphan")
    words: Mapped[list[Word]] = relationship(cascade="all, delete-orphan")
    parts: Mapped[list[PartRow]] = relationship(order_by="PartRow.id", cascade="all, delete-orphan")
    __table_args__ = (Index("sets_by_place", "left", "right", "low", "high"), {"sqlite_autoincrement": True})


class ClassName(Base):
    """A class of a set, in the order of its numbers."""

    __tablename__ = "set_classes"
    set_id: Mapped[int] = mapped_column(ForeignKey("sets.id", ondelete="CASCADE"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(index=True)


class Word(Base):
    """A word of a set's name, description, source or classes, in small letters."""

    __tablename__ = "set_words"
    set_id: Mapped[int] = mapped_column(ForeignKey("sets.id", ondelete="CASCADE"), primary_key=True)
    word: Mapped[str] = mapped_column(BYTEWISE, primary_key=True)
    __table_args__ = (Index("words_by_beginning", "word", "set_id"),)


class PartRow(Base):
    """A part of a set, in the order in which they were entered; see `augimpact.store.parts.Part`."""

    __tablename__ = "parts"
    id: Mapped[int] = mapped_column(primary_key=True)
    set_id: Mapped[int] = mapped_column(ForeignKey("sets.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    group: Mapped[str]
    rows: Mapped[int]
    size: Mapped[int]
    classes: Mapped[list[str]] = mapped_column(JSON)
    sensors: Mapped[list[str]] = mapped_column(JSON)
    __table_args__ = (Index("part_of_set", "set_id", "name", unique=True), {"sqlite_autoincrement": True})


class Token(Base):
    """Who somebody is: the hash of a secret that is kept nowhere."""

    __tablename__ = "tokens"
    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(index=True)
    hash: Mapped[str]
    created_at: Mapped[str]
    revoked_at: Mapped[str | None]


def engine_of(url: str, *, stays: bool = False) -> Engine:
    """A database with these tables, which are made where there are none.

    A database serves so many connections and no more, and a process that is forked must not have its parent's: so one
    is open only as long as something is asked.

    Args:
        url: as SQLAlchemy takes it; of PostgreSQL with or without the name of the driver.
        stays: connections are kept for what is asked next.

    Raises:
        DataError: it cannot be reached, or was made by a newer augimpact.
    """
    url = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url)
    try:
        is_sqlite = url.startswith("sqlite")
        arguments = {"timeout": BUSY_SECONDS} if is_sqlite else {}
        engine = create_engine(url, connect_args=arguments, poolclass=None if stays else NullPool)
        if is_sqlite:
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_at_once)
        with engine.execution_options(**{WRITES: True}).begin() as connection:
            if connection.dialect.name == "postgresql":
                # Two that come first at once make the tables one after the other.
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7310231)")
            if not inspect(connection).has_table(Version.__tablename__):
                Base.metadata.create_all(connection)
                connection.execute(Version.__table__.insert().values(number=SCHEMA))  # type: ignore[attr-defined]
            found = connection.execute(select(Version.number)).scalar_one()
    except (SQLAlchemyError, ImportError) as error:
        told = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise DataError(f"the catalogue {_shown(url)!r} cannot be used ({told})") from error
    if found > SCHEMA:
        raise DataError(f"the catalogue {_shown(url)!r} has tables of version {found}; this augimpact knows {SCHEMA}")
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """A session that changes something: all of it, when the block ends well."""
    with Session(engine.execution_options(**{WRITES: True})) as session, session.begin():
        yield session


def _shown(url: str) -> str:
    """Without a password."""
    return re.sub(r"://[^@/]*@", "://…@", url)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("foreign_keys=ON", "journal_mode=WAL", "synchronous=FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_at_once(connection: Any) -> None:
    """Who will write takes the lock with the beginning: one that read before would be refused, and not wait."""
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def words_of(*texts: str) -> set[str]:
    """The words in texts, in small letters.

    >>> sorted(words_of("Wood-Pulp, 2nd try"))
    ['2nd', 'pulp', 'try', 'wood']
    """
    return {word for text in texts for word in re.findall(r"\w+", text.lower())}


def classes_of(known: Sequence[str], new: Sequence[str], kind: str) -> list[str]:
    """The classes of a set that gets a part with `new` ones: of a classification in their order, others by name."""
    if list(new) == list(known) or set(new) <= set(known):
        return list(known)
    return list(new) if kind == "classification" and not known else sorted({*known, *new})


def now() -> str:
    """The moment, as documents have it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
