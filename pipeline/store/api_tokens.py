"""Tokens of programs that ask over HTTP: made, checked, listed, revoked. The token itself is kept nowhere."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, String, func, insert, or_, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from errors import IprwatchError
from pipeline.store.columns import BigId
from pipeline.store.session import BUSY_SECONDS
from pipeline.store.tables import Base

SCOPES = ("feed", "read", "write", "admin")
"""What a token may do, each more than the one before: only feeds, all of reading but who was alerted, corrections,
everything."""
_PREFIX = "iprwatch_"
_RANDOM_BYTES = 32
_LONGEST = 200
_NAME = re.compile(r"[\w.@ -]{1,100}")
_MOST_DAYS = 3650
# A use is written down only when the last one known is older: reading shall not wait for the writer of a crawl.
_USE_NOTED_EVERY = timedelta(minutes=10)


class TokenError(IprwatchError):
    """A token that can't be made or revoked. Raised by `add_token` and `revoke_token`; then nothing is written."""


class ApiToken(Base):
    """A token by its SHA-256, in hex. `expires_at` is null for one without an end.

    A plain hash is right here: argon2 and its like slow down guessing of what people choose. A token is 256 random
    bits, which nobody guesses at any speed, and a slow hash would let every request with a wrong one cost dear.
    """

    __tablename__ = "api_token"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    scope: Mapped[str] = mapped_column(String(10))
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who asks: a token that holds now."""

    token_id: int
    name: str
    scope: str

    def may(self, scope: str) -> bool:
        """Whether the token's scope is this one or holds it."""
        return SCOPES.index(self.scope) >= SCOPES.index(scope)


def add_token(engine: Engine, name: str, scope: str, *, days: int | None, now: datetime) -> str:
    """Make a token that holds for so many days (None: without end) and return it: it can't be shown again.

    Raises TokenError for an unknown scope, and for a name that can't be used or was used before.
    """
    if scope not in SCOPES:
        raise TokenError(f"{scope!r} is no scope; there are {', '.join(SCOPES)}.")
    if not _NAME.fullmatch(name) or name != name.strip():
        raise TokenError(
            f"{name!r} is no name for a token: up to 100 letters, digits, spaces and any of . @ - _ can be used."
        )
    if days is not None and not 1 <= days <= _MOST_DAYS:
        raise TokenError(f"A token can hold for 1 to {_MOST_DAYS} days, not {days}.")
    token = _PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
    try:
        with engine.begin() as connection:
            connection.execute(
                insert(ApiToken).values(
                    name=name,
                    scope=scope,
                    sha256=_digest(token),
                    created_at=now,
                    expires_at=now + timedelta(days=days) if days is not None else None,
                )
            )
    except IntegrityError:
        raise TokenError(
            f"A token was called {name!r} before; choose another name, so that the list stays true."
        ) from None
    return token


def revoke_token(engine: Engine, name: str, *, now: datetime) -> None:
    """End a token at once, also for servers that run. Raises TokenError where none of this name holds."""
    with engine.begin() as connection:
        ended = connection.execute(
            update(ApiToken)
            .where(ApiToken.name == name, ApiToken.revoked_at.is_(None))
            .values(revoked_at=now)
        )
    if not ended.rowcount:
        raise TokenError(f"No token called {name!r} is left to revoke; `iprwatch tokens list` shows all.")


def list_tokens(engine: Engine, *, now: datetime) -> list[dict[str, Any]]:
    """All tokens ever made, oldest first, without what they are; `state` is `holds`, `expired` or `revoked`."""
    query = select(
        ApiToken.name, ApiToken.scope, ApiToken.created_at, ApiToken.expires_at, ApiToken.revoked_at,
        ApiToken.last_used_at,
    ).order_by(ApiToken.id)  # fmt: skip
    with engine.connect().execution_options(read_only=True) as connection:
        return [
            {
                key: value.isoformat(timespec="seconds") if isinstance(value, datetime) else value
                for key, value in row._mapping.items()
            }
            | {"state": _state(row.revoked_at, row.expires_at, now)}
            for row in connection.execute(query)
        ]


def any_token(engine: Engine, *, holding_at: datetime | None = None) -> bool:
    """Whether there ever was a token, or, with a time, whether one holds then."""
    query = select(func.count()).select_from(ApiToken)
    if holding_at is not None:
        query = query.where(
            ApiToken.revoked_at.is_(None),
            or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > holding_at),
        )
    with engine.connect().execution_options(read_only=True) as connection:
        return bool(connection.scalar(query))


def check_token(engine: Engine, given: str, *, now: datetime) -> Bearer | None:
    """Whose token this is; None for one that is unknown, expired or revoked. Total: any text can be asked about."""
    if not given.startswith(_PREFIX) or len(given) > _LONGEST:
        return None
    digest = _digest(given)
    with engine.connect().execution_options(read_only=True) as connection:
        row = connection.execute(select(ApiToken).where(ApiToken.sha256 == digest)).one_or_none()
    # What the index compares is a hash, of which no caller can choose the beginning; so its time tells nothing.
    if row is None or not hmac.compare_digest(row.sha256, digest):
        return None
    if _state(row.revoked_at, row.expires_at, now) != "holds":
        return None
    if row.last_used_at is None or now - row.last_used_at >= _USE_NOTED_EVERY:
        _note_use(engine, row.id, now)
    return Bearer(row.id, row.name, row.scope)


def _note_use(engine: Engine, token_id: int, now: datetime) -> None:
    """Note when a token was used, where that can be done at once. Who only reads shall not wait for somebody who writes
    for minutes, such as a reindexing, nor be refused where nothing can be written, such as on a replica."""
    with engine.connect() as connection, contextlib.suppress(DBAPIError):
        driver: Any = connection.connection.driver_connection
        if engine.dialect.name == "sqlite":
            driver.execute("PRAGMA busy_timeout = 0")
        try:
            with connection.begin():
                connection.execute(update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=now))
        finally:
            if engine.dialect.name == "sqlite":
                driver.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000:.0f}")


def _state(revoked_at: datetime | None, expires_at: datetime | None, now: datetime) -> str:
    if revoked_at is not None:
        return "revoked"
    return "expired" if expires_at is not None and expires_at <= now else "holds"


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
