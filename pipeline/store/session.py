"""Opening the store: engine, transactions, and the guard that its version is ours."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    column,
    create_engine,
    event,
    func,
    inspect,
    make_url,
    select,
    table,
)
from sqlalchemy.exc import ArgumentError, DBAPIError

from errors import IprwatchError
from pipeline.store.backup import BackupError, back_up, find_backups
from pipeline.store.views import drop_views, make_views

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).with_name("migrations")
VERSIONS = sorted(path.name[:4] for path in (MIGRATIONS / "versions").glob("*.py"))
"""Every version of the schema, oldest first: each migration bears its revision in its file's name."""
_DOCUMENTS = "0020"
"""The version since which search documents are written as they are now: older stores' are written anew, which takes
some twenty minutes for a million items."""
_WRITE = "write sqlite:///FILE or postgresql://USER@HOST/NAME"
BUSY_SECONDS = 30.0
"""So long a connection to SQLite waits for another that writes."""
_MIGRATION_LOCK = 7201526


class StoreError(IprwatchError):
    """The database can't be opened, is of another version, or refused a write.

    Raised when the store is opened and by every write; the message names the database without its password.
    """


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the operator says is meant so: a store that is empty although backups of it exist, a migration of which
    no backup can be made."""

    empty_store: bool = False
    no_backup: bool = False


NOTHING = Accepted()


def open_engine(
    url: str,
    *,
    create: bool = True,
    backups: Path | None = None,
    accepted: Accepted = NOTHING,
) -> Engine:
    """An engine on an up-to-date schema: tables are made or migrated when `create`, else only checked.

    SQLite runs in WAL mode with synchronous=FULL, and every transaction starts with BEGIN IMMEDIATE, so that
    two writers wait for each other instead of failing. A backup is made before a migration: SQLite's beside the
    file, PostgreSQL's in the folder `backups`. Raises StoreError, also where backups lie beside an empty store, and
    where none can be made, unless that is accepted.
    """
    parsed = read_url(url)
    shown = show_url(parsed)
    if parsed.drivername == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise StoreError(f"{shown}: name a file, an SQLite database in memory would be lost at once.")
        file = Path(parsed.database)
        if not create and not file.exists():
            raise StoreError(f"{shown}: there is no such database yet; run a crawl first.")
        if not file.exists() and not accepted.empty_store:
            _refuse_empty(parsed, shown, backups)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{shown}: can't make the folder {file.parent} ({error.strerror}).") from None
    engine = build_engine(parsed)
    try:
        _bring_up_to_date(engine, parsed, shown, create=create, backups=backups, accepted=accepted)
    except StoreError:
        engine.dispose()
        raise
    except DBAPIError as error:
        engine.dispose()
        raise StoreError(f"{shown}: can't be opened: {first_line(error)}.") from None
    return engine


def read_url(url: str) -> URL:
    """A database URL as a person wrote it. Raises StoreError where iprwatch can't store."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Not shown: what can't be taken apart may hold a password.
        raise StoreError(f"That is no database URL; {_WRITE}.") from None
    if parsed.drivername not in ("sqlite", "postgresql"):
        raise StoreError(f"{show_url(parsed)}: iprwatch stores in SQLite or PostgreSQL; {_WRITE}.")
    return parsed


def show_url(url: URL) -> str:
    """A database URL without its password."""
    return url.render_as_string(hide_password=True)


def first_line(error: Exception) -> str:
    """What the database itself said, on one line, without the statement and its parameters."""
    original = getattr(error, "orig", None) or error
    lines = str(original).strip().splitlines() or [type(original).__name__]
    return lines[0].rstrip(".")


def build_engine(url: URL) -> Engine:
    """An engine whose version nobody has looked at."""
    if url.drivername == "postgresql":
        return create_engine(
            url.set(drivername="postgresql+psycopg"), pool_pre_ping=True, pool_size=5, max_overflow=5
        )
    engine = create_engine(
        url,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver must not start transactions by itself: its plain BEGIN takes no write lock.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    reading = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _bring_up_to_date(
    engine: Engine, url: URL, shown: str, *, create: bool, backups: Path | None, accepted: Accepted
) -> None:
    newest = VERSIONS[-1]
    with engine.connect().execution_options(read_only=True) as connection:
        found = _read_version(connection)
    if found == newest:
        return
    if found is not None and found not in VERSIONS:
        raise StoreError(
            f"{shown}: is of version {found}, which this iprwatch (up to {newest}) doesn't know; "
            "install the newer iprwatch that wrote it."
        )
    if not create:
        raise StoreError(
            f"{shown}: is of version {found or 'none'}, {newest} is needed; run a crawl to migrate it."
        )
    if found is None and not accepted.empty_store:
        _refuse_empty(url, shown, backups)
    if found is not None:
        _back_up(engine, url, shown, found, backups, may_fail=accepted.no_backup)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            # Two processes that start at once: the second waits and then finds nothing to do.
            connection.execute(select(func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        _migrate(connection, found)


def _read_version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.scalar(select(column("version_num")).select_from(table("alembic_version")))


def _migrate(connection: Connection, found: str | None) -> None:
    # A quarter of a second, which no command needs that finds its tables.
    from alembic import command
    from alembic.config import Config

    from pipeline.store.stories import place_unplaced
    from pipeline.store.upkeep import write_documents

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    drop_views(connection)
    command.upgrade(config, "head")
    if found is None or found < _DOCUMENTS:
        write_documents(connection)
    place_unplaced(connection)
    make_views(connection)


def _refuse_empty(url: URL, shown: str, backups: Path | None) -> None:
    if copies := find_backups(url, backups):
        raise StoreError(
            f"{shown}: is empty or missing, but {copies[-1]} is a backup of it. Put that in its place; if an empty "
            "store is meant, run `iprwatch crawl` once with --accept-empty-store."
        )


def _back_up(
    engine: Engine, url: URL, shown: str, version: str, backups: Path | None, *, may_fail: bool
) -> None:
    try:
        with engine.connect().execution_options(read_only=True) as connection:
            copy = back_up(connection, url, version, backups)
    except BackupError as error:
        if may_fail:
            log.warning("%s: migrated without a backup: %s", shown, error)
            return
        raise StoreError(
            f"{shown}: must be migrated from version {version}, and {error}. Run `iprwatch crawl` once where it can "
            "be made; to migrate without a backup of this kind, add --accept-no-backup."
        ) from None
    log.info("%s: is of version %s; a backup was made before its migration: %s", shown, version, copy)
