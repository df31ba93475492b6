"""Copies of the database that are made before it is migrated, and what they tell when it is gone."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL, Connection, text

from errors import IprwatchError

_SQLITE_SUFFIX = ".backup"
_POSTGRESQL_SUFFIX = ".dump"


class BackupError(IprwatchError):
    """The database could not be copied. Raised before a migration, which then isn't begun."""


def backup_folder(url: URL, folder: Path | None) -> Path | None:
    """Where copies of this database lie: SQLite's beside the file, PostgreSQL's in the given folder."""
    return Path(str(url.database)).parent if url.get_backend_name() == "sqlite" else folder


def find_backups(url: URL, folder: Path | None) -> list[Path]:
    """The copies of this database, oldest first."""
    place = backup_folder(url, folder)
    if place is None or not place.is_dir():
        return []
    name = Path(str(url.database)).name
    suffix = _SQLITE_SUFFIX if url.get_backend_name() == "sqlite" else _POSTGRESQL_SUFFIX
    found = [path for path in place.iterdir() if path.name.startswith(f"{name}.") and path.suffix == suffix]
    return sorted(found, key=lambda path: path.stat().st_mtime)


def back_up(
    connection: Connection, url: URL, version: str, folder: Path | None, *, into: Path | None = None
) -> Path:
    """Copy the whole database, whatever is being written meanwhile; returns the copy. `into` is another folder for it.

    SQLite: by its online backup, as `NAME.VERSION.TIME.backup`. PostgreSQL: the schema of the tables, by `pg_dump`,
    as `NAME.VERSION.TIME.dump`; it reads `~/.pgpass` and the environment like libpq. Raises BackupError.
    """
    place = into or backup_folder(url, folder)
    if place is None:
        raise BackupError("there is no folder for the backup of a PostgreSQL database")
    stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
    name = f"{Path(str(url.database)).name}.{version}.{stamp}"
    try:
        place.mkdir(parents=True, exist_ok=True)
        if url.get_backend_name() == "sqlite":
            return _copy_sqlite(Path(str(url.database)), place / f"{name}{_SQLITE_SUFFIX}")
        schema = str(connection.scalar(text("SELECT current_schema()")))
        return _dump_postgresql(url, schema, place / f"{name}{_POSTGRESQL_SUFFIX}")
    except OSError as error:
        raise BackupError(f"{place}: the backup can't be written ({error.strerror})") from None


def _copy_sqlite(file: Path, copy: Path) -> Path:
    part = copy.with_name(f"{copy.name}.part")
    try:
        with (
            contextlib.closing(sqlite3.connect(file)) as source,
            contextlib.closing(sqlite3.connect(part)) as to,
        ):
            source.backup(to)
        part.rename(copy)
    except sqlite3.Error as error:
        part.unlink(missing_ok=True)
        raise BackupError(f"{copy}: the backup can't be written ({error})") from None
    return copy


def _dump_postgresql(url: URL, schema: str, copy: Path) -> Path:
    program = shutil.which("pg_dump")
    if program is None:
        raise BackupError("pg_dump, which would make the backup, is not on the PATH")
    part = copy.with_name(f"{copy.name}.part")
    quoted = '"' + schema.replace('"', '""') + '"'
    done = subprocess.run(  # noqa: S603 - nothing in it comes from a page
        [program, "--format=custom", f"--schema={quoted}", f"--file={part}"],
        env=libpq_environment(url), capture_output=True, encoding="utf-8", errors="replace", check=False,
    )  # fmt: skip
    if done.returncode:
        part.unlink(missing_ok=True)
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise BackupError(f"pg_dump failed: {lines[-1]}")
    part.rename(copy)
    return copy


def libpq_environment(url: URL) -> dict[str, str]:
    """The environment in which PostgreSQL's programs find this database."""
    values = {
        "PGHOST": url.host or url.query.get("host"),
        "PGPORT": url.port,
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
        "PGSSLMODE": url.query.get("sslmode"),
    }
    # A password on the command line could be read by everybody on the machine.
    return os.environ | {name: str(value) for name, value in values.items() if value}
