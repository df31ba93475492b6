"""Whose turn it is at a host, kept in the database: all processes of an installation keep one gap together.

A process claims a host before each request and hands it back after the answer, with the pause that must follow.
A claim ends by itself, so a process that dies holds a host up no longer than a request may take. Every time is that
of the database's clock: the clocks of the machines that share it need not agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Double, Engine, case, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from pipeline.store.host_tables import Host, Robots
from pipeline.store.session import StoreError, first_line

ROBOTS_AGE = timedelta(hours=24)
"""How long a robots.txt may be used: https://www.rfc-editor.org/rfc/rfc9309#section-2.4"""


class DatabaseNow(FunctionElement[float]):
    """Seconds since 1970 by the database's clock, not that of the transaction's start."""

    type = Double()
    inherit_cache = True


@compiles(DatabaseNow, "sqlite")
def _now_in_sqlite(element: DatabaseNow, compiler: SQLCompiler, **_: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(DatabaseNow, "postgresql")
def _now_in_postgresql(element: DatabaseNow, compiler: SQLCompiler, **_: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"


@dataclass(frozen=True, slots=True)
class Turn:
    """How a host stands: `wait` seconds until it may be asked, 0 when it may be now.

    `busy`: another process has a request under way, and `wait` is only the longest that it can take.
    """

    wait: float
    busy: bool = False
    failures: int = 0
    reason: str | None = None


def claim_host(engine: Engine, host: str, holder: str, seconds: float) -> Turn:
    """Claim a host for one request, for at most so many seconds. It is claimed when `wait` is 0.

    Raises StoreError.
    """
    now = DatabaseNow()
    row = {"host": host, "next_at": now + seconds, "holder": holder, "failures": 0, "reason": None}
    statement = (
        _insert(engine, row)
        .on_conflict_do_update(
            index_elements=[Host.host],
            set_={"next_at": now + seconds, "holder": holder},
            where=Host.next_at <= now,
        )
        .returning(Host.failures, Host.reason)
    )
    try:
        with engine.begin() as connection:
            if (claimed := connection.execute(statement).first()) is not None:
                return Turn(0.0, failures=claimed.failures, reason=claimed.reason)
    except DBAPIError as error:
        raise _refused(host, error) from error
    # What was in the way may be over in between; then the claim is tried again soon.
    turn = look_at_host(engine, host)
    return Turn(max(turn.wait, 0.001), turn.busy, turn.failures, turn.reason)


def look_at_host(engine: Engine, host: str) -> Turn:
    """How a host stands, without claiming it. Raises StoreError."""
    query = select(Host.next_at - DatabaseNow(), Host.holder, Host.failures, Host.reason).where(
        Host.host == host
    )
    try:
        with engine.connect().execution_options(read_only=True) as connection:
            row = connection.execute(query).first()
    except DBAPIError as error:
        raise _refused(host, error) from error
    if row is None:
        return Turn(0.0)
    wait, holder, failures, reason = row
    return Turn(max(wait, 0.0), holder is not None and wait > 0, failures, reason)


def release_host(
    engine: Engine, host: str, holder: str, pause: float, *, failures: int, reason: str | None
) -> None:
    """Note how a request ended: the host rests for `pause` seconds from now, and a claim of `holder` is over.

    Without a claim, or when it has run out and another holds the host, the rest is only ever made longer.
    Raises StoreError.
    """
    now = DatabaseNow()
    mine = Host.holder == holder
    until = now + pause
    row = {"host": host, "next_at": until, "holder": None, "failures": failures, "reason": reason}
    statement = _insert(engine, row).on_conflict_do_update(
        index_elements=[Host.host],
        set_={
            "next_at": case((mine, until), (Host.next_at < until, until), else_=Host.next_at),
            "holder": case((mine, None), else_=Host.holder),
            "failures": failures,
            "reason": reason,
        },
    )
    try:
        with engine.begin() as connection:
            connection.execute(statement)
    except DBAPIError as error:
        raise _refused(host, error) from error


def recall_robots(engine: Engine, origin: str, now: datetime) -> tuple[int, str] | None:
    """Status and text of a server's robots.txt that was fetched less than 24 hours ago. Raises StoreError."""
    query = select(Robots.status, Robots.text).where(
        Robots.origin == origin, Robots.fetched_at > now - ROBOTS_AGE, Robots.fetched_at <= now
    )
    try:
        with engine.connect().execution_options(read_only=True) as connection:
            row = connection.execute(query).first()
    except DBAPIError as error:
        raise _refused(origin, error) from error
    return (row.status, row.text) if row is not None else None


def remember_robots(engine: Engine, origin: str, status: int, text: str, now: datetime) -> None:
    """Keep a server's robots.txt, and drop those that are too old to be used. Raises StoreError."""
    row = {"origin": origin, "status": status, "text": text, "fetched_at": now}
    insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
    statement = insert(Robots).values(row)
    statement = statement.on_conflict_do_update(
        index_elements=[Robots.origin], set_={name: row[name] for name in ("status", "text", "fetched_at")}
    )
    try:
        with engine.begin() as connection:
            connection.execute(statement)
            connection.execute(delete(Robots).where(Robots.fetched_at <= now - ROBOTS_AGE))
    except DBAPIError as error:
        raise _refused(origin, error) from error


def _insert(engine: Engine, row: dict[str, Any]) -> Any:
    insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
    return insert(Host).values(row)


def _refused(place: str, error: DBAPIError) -> StoreError:
    return StoreError(f"The turn at {place} could not be noted: {first_line(error)}.")
