"""Who somebody is: tokens that are made on the command line, kept as hashes, and can be revoked."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from augimpact.errors import DataError
from augimpact.store.tables import Token, now, writing

__all__ = ["make_token", "owner_of", "revoke_tokens", "tokens"]


def make_token(engine: Engine, owner: str) -> str:
    """A new token of somebody, which nobody can look up again.

    Raises:
        DataError: no name.
    """
    if not owner.strip() or "\0" in owner:
        raise DataError(f"the owner is {owner!r}; expected a name")
    name, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    with writing(engine) as session:
        session.add(Token(id=name, owner=owner, hash=_hash(secret), created_at=now()))
    return f"{name}.{secret}"


def owner_of(engine: Engine, token: str) -> str | None:
    """Whose token it is, or None."""
    name, _, secret = token.partition(".")
    with Session(engine) as session:
        found = session.get(Token, name) if name.isalnum() and name.isascii() else None
    # A secret is long and drawn, so that a plain hash protects it; where there is none, it takes as long.
    known = "" if found is None or found.revoked_at is not None else found.hash
    is_right = hmac.compare_digest(_hash(secret), known or _hash(""))
    return found.owner if found is not None and known and is_right else None


def tokens(engine: Engine) -> list[dict[str, Any]]:
    """All tokens, without what is secret: `id`, `owner`, `created_at`, `revoked_at`."""
    names = ("id", "owner", "created_at", "revoked_at")
    with Session(engine) as session:
        return [{name: getattr(each, name) for name in names} for each in session.scalars(select(Token))]


def revoke_tokens(engine: Engine, name: str) -> int:
    """Ends the token of that id, or all of that owner; how many there were.

    Raises:
        DataError: there is none that is not revoked.
    """
    with writing(engine) as session:
        query = select(Token).where((Token.id == name) | (Token.owner == name), Token.revoked_at.is_(None))
        found = session.scalars(query).all()
        for each in found:
            each.revoked_at = now()
        if not found:
            raise DataError(f"there is no token of {name!r} to revoke; expected the id or the owner of one")
        return len(found)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
